//! A peer that is not who it should be (T-05).

use codecs::iso8583::Dialect;
use simulators::network::Function;
use switch_server::config::Link;

use super::{APPROVED, held, of, speaker, stage_of};

/// T-05, an unauthenticated peer: where a sign-on is asked for, no purchase is decided before it,
/// in any dialect; nothing is held, and the peer is told so.
#[tokio::test(flavor = "multi_thread")]
async fn a_financial_message_before_sign_on_is_refused_in_every_dialect() {
    let link = |dialect: &str| Link {
        dialect: dialect.to_owned(),
        sign_on_required: true,
        ..Link::default()
    };
    let named = |dialect: &'static str| (dialect.to_owned(), link(dialect));
    let stage = stage_of(Dialect::shipped_names().map(named).collect()).await;
    let issued = stage.issue(1_000_000, 100_000).await;
    for (index, dialect) in (1..).zip(Dialect::shipped_names()) {
        let mut peer = speaker(&stage, dialect).await;
        let version = peer.version();
        let stan = index * 100;
        let draft = peer.purchase(&issued.pan, stan, 1_000);
        let refused = peer.ask("100", &draft).await;
        assert_eq!(refused.action, of(version, ["91", "910", "9110"]), "{dialect}");
        assert_eq!(held(&stage, issued.balance).await, 1_000 * i64::from(index - 1), "{dialect}");
        let sign_on = peer.management(Function::SignOn, stan + 1);
        peer.ask("800", &sign_on).await;
        let draft = peer.purchase(&issued.pan, stan + 2, 1_000);
        assert_eq!(peer.ask("100", &draft).await.action, of(version, APPROVED), "{dialect}");
    }
    stage.end().await;
}
