//! Links that are bound to institutions: what names another moves nothing.

use switch_domain::AsciiText;

use crate::rig::{DIALECTS, Log, Rig};

const STRANGERS: &str = "cardswitch_link_strangers_total";

fn codes(codes: &[&str]) -> Vec<AsciiText<11>> {
    codes.iter().map(|code| AsciiText::new(code.as_bytes()).expect("short")).collect()
}

#[tokio::test]
async fn who_names_another_acquirer_or_none_is_refused() {
    for dialect in DIALECTS {
        let rig = Rig::with(dialect, |config| {
            config.institutions.acquirers = codes(&["99", "12345"]);
        });
        let mut peer = rig.connect().await;
        assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
        assert_eq!(peer.ask(&rig.reversal(2, 1)).await.text(39), "00");
        for other in ["1234", "123456", "012345", "54321"] {
            assert_eq!(peer.ask(&rig.request(3).set(32, other)).await.text(39), "63", "{other}");
            assert_eq!(peer.ask(&rig.reversal(4, 3).set(32, other)).await.text(39), "63");
        }
        assert_eq!(peer.ask(&rig.request(5).without(32)).await.text(39), "63");
        assert_eq!(peer.ask(&rig.network(6, "301")).await.text(39), "00", "an echo names nobody");
        assert_eq!(rig.script.commands().len(), 2, "what is refused never reaches the switch");
        assert_eq!(rig.metric(STRANGERS, "field=\"32\""), 9.0);
    }
    let log = Log::of_this_process().text();
    assert!(log.contains("institution_not_allowed") && log.contains("security"), "{log}");
}

#[tokio::test]
async fn a_forwarder_must_be_listed_too_where_there_is_a_list() {
    for dialect in DIALECTS {
        let rig = Rig::with(dialect, |config| config.institutions.forwarders = codes(&["777"]));
        let mut peer = rig.connect().await;
        assert_eq!(peer.ask(&rig.request(1).set(33, "777")).await.text(39), "00");
        assert_eq!(peer.ask(&rig.request(2).set(33, "778")).await.text(39), "63");
        assert_eq!(peer.ask(&rig.request(3)).await.text(39), "63");
        assert_eq!(rig.metric(STRANGERS, "field=\"33\""), 2.0);
    }
}
