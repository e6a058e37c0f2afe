//! Reconciliation over real links, in the three editions: what a network settled by its own count
//! is what the tables have, also after a restart; what is not is said to be out of balance, kept
//! and listed; and a message that comes again changes nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::Dialect;
use serde_json::Value;
use simulators::network::{NetworkPeer, Settings, Settlement};
use switch_server::config::Link;

use crate::stage::Stage;

/// A dialect, and what field 39 says of totals: in balance, out of balance, not available.
const DIALECTS: [(&str, [&str; 3]); 5] = [
    ("iso87-ascii", ["00", "95", "96"]),
    ("iso87-bcd", ["00", "95", "96"]),
    ("iso93-ascii", ["500", "501", "503"]),
    ("iso93-binary", ["500", "501", "503"]),
    ("iso2003-binary", ["5000", "5001", "5003"]),
];

async fn stage() -> Stage {
    Stage::configured(|config| {
        for (number, (dialect, _)) in (10..).zip(DIALECTS) {
            let mut link = Link { id: number, ..Link::default() };
            link.listen = Some(([127, 0, 0, 1], 0).into());
            link.dialect = dialect.into();
            config.links.insert(dialect.into(), link);
        }
    })
    .await
}

fn address(stage: &Stage, dialect: &str) -> SocketAddr {
    let links = &stage.app.addresses().links;
    links.iter().find(|(name, _)| name == dialect).expect("a link").1
}

async fn network(stage: &Stage, dialect: &str) -> NetworkPeer {
    let shipped = Arc::new(Dialect::shipped(dialect).expect("shipped"));
    let framing = Framing::new(LengthHeader::Binary2);
    let settings = Settings::new(shipped, framing);
    let peer = NetworkPeer::dial(address(stage, dialect), settings).expect("a network");
    peer.ready().await.expect("connected");
    peer
}

/// Messages of every kind that counts, and of those that do not.
async fn trade(peer: &NetworkPeer, pan: &str) {
    let speech = peer.speech();
    for minor in [1_000, 2_000, 3_500] {
        let sale = peer.sale(pan, minor);
        let said = peer.request("200", &speech.financial(&sale, "000000")).await.expect("answered");
        assert_eq!(said.action(), speech.approved());
        if minor == 2_000 {
            let back = speech.reversal("200", &sale, peer.sale(pan, 0).stan);
            peer.request("400", &back).await.expect("answered");
        }
    }
    let refund = peer.sale(pan, 250);
    peer.request("200", &speech.financial(&refund, "200000")).await.expect("answered");
    let held = peer.sale(pan, 700);
    peer.request("100", &speech.purchase(&held)).await.expect("answered");
    let settled = peer.sale(pan, 650);
    peer.request("220", &speech.completion(&settled, &held)).await.expect("answered");
    let too_much = peer.sale(pan, 99_999_999_999);
    let said = peer.request("200", &speech.financial(&too_much, "000000")).await.expect("answered");
    assert_ne!(said.action(), speech.approved());
}

/// What [`trade`] comes to.
const TRADED: Settlement = Settlement { numbers: [1, 0, 4, 1], amounts: [250, 0, 7_150, 2_000] };

#[tokio::test(flavor = "multi_thread")]
async fn what_was_settled_is_in_balance_in_every_edition_and_what_was_not_is_said() {
    let stage = stage().await;
    let pan = stage.issue(10_000_000, 5_000_000).await.pan;
    for (dialect, [in_balance, out_of_balance, not_available]) in DIALECTS {
        let peer = network(&stage, dialect).await;
        trade(&peer, &pan).await;
        assert_eq!(peer.settled(), TRADED, "{dialect}");
        let said = peer.reconcile().await.expect("answered");
        assert_eq!(said.action(), in_balance, "{dialect}");
        if dialect.starts_with("iso87") {
            assert_eq!(said.text(66).as_deref(), Some("1"), "{dialect}");
        }

        let mut wrong = TRADED;
        wrong.amounts[2] += 1;
        let now = peer.sale(&pan, 0);
        let speech = peer.speech();
        let draft = speech.reconciliation(&wrong, now.stan, now.at).expect("written");
        let said = peer.request("500", &draft).await.expect("answered");
        assert_eq!(said.action(), out_of_balance, "{dialect}");
        let net = said.text(97).expect("our net amount");
        assert!(net.starts_with('D') && net.ends_with("4900"), "{dialect}: {net}");
        if !dialect.starts_with("iso2003") {
            let ours = [74, 75, 76, 77].map(|field| said.text(field).expect("ours"));
            let ours = ours.map(|text| text.parse::<u64>().expect("a number"));
            assert_eq!(ours, TRADED.numbers, "{dialect}");
            assert_eq!(said.text(88).expect("ours").parse(), Ok(7_150), "{dialect}");
        }
        // Again, and as an advice: one row, and the same bytes.
        let again = peer.request("501", &draft).await.expect("answered");
        assert_eq!(again.body(), said.body(), "{dialect}");
        // Of a day that is to come nothing can be told.
        let tomorrow = now.at.tomorrow().expect("a day");
        let stan = peer.sale(&pan, 0).stan;
        let draft = speech.reconciliation(&TRADED, stan, tomorrow).expect("written");
        let said = peer.request("520", &draft).await.expect("answered");
        assert_eq!(said.action(), not_available, "{dialect}");
    }
    // The tables are what is compared with: a restart changes nothing.
    let stage = stage.restart().await;
    for (dialect, [in_balance, ..]) in DIALECTS {
        let peer = network(&stage, dialect).await;
        let now = peer.sale(&pan, 0);
        let draft = peer.speech().reconciliation(&TRADED, now.stan, now.at).expect("written");
        let said = peer.request("520", &draft).await.expect("answered");
        assert_eq!(said.action(), in_balance, "{dialect}");
    }
    let listed = stage.services().reconciliations(Some(10), 100).await.expect("a list");
    let outcomes: Vec<_> = listed.as_array().expect("rows").iter().map(outcome).collect();
    assert_eq!(outcomes, ["in_balance", "out_of_balance", "in_balance"]);
    assert_eq!(listed[1]["theirs"]["debits_amount"], 7_151);
    assert_eq!(listed[1]["ours"]["debits_amount"], 7_150);
    let all = stage.services().reconciliations(None, 100).await.expect("a list");
    assert_eq!(all.as_array().map(Vec::len), Some(3 * DIALECTS.len()));
    stage.end().await;
}

fn outcome(row: &Value) -> &str {
    row["outcome"].as_str().expect("an outcome")
}
