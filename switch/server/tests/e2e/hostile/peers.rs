//! A peer that is not who it should be (T-05).

use codecs::iso8583::Dialect;
use simulators::network::{Draft, Function, NetworkPeer, Settings, Tls, TlsVersions, Value};
use switch_server::config::{AskClients, Link, LinkTls};

use super::{APPROVED, binary2, counted, held, of, speaker, stage_of, until_counted};
use crate::pki::Authority;

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

/// T-05, a link that is bound to its acquirer: what names another, or none, is refused in every
/// dialect, holds nothing and frees nothing.
#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_for_another_acquirer_is_refused_in_every_dialect() {
    const REFUSED: super::Codes = ["63", "122", "1022"];
    let link = |dialect: &str| Link {
        dialect: dialect.to_owned(),
        acquirers: vec!["123456".into()],
        ..Link::default()
    };
    let named = |dialect: &'static str| (dialect.to_owned(), link(dialect));
    let stage = stage_of(Dialect::shipped_names().map(named).collect()).await;
    let issued = stage.issue(1_000_000, 100_000).await;
    for (index, dialect) in (1..).zip(Dialect::shipped_names()) {
        let mut peer = speaker(&stage, dialect).await;
        let version = peer.version();
        let stan = index * 100;
        let as_another = |mut draft: Draft| {
            draft.retain(|(field, _)| *field != 32);
            draft.push((32, Value::Text("654321".into())));
            draft
        };
        let mut none = peer.purchase(&issued.pan, stan, 1_000);
        none.retain(|(field, _)| *field != 32);
        let other = as_another(peer.purchase(&issued.pan, stan + 1, 1_000));
        for draft in [none, other] {
            assert_eq!(peer.ask("100", &draft).await.action, of(version, REFUSED), "{dialect}");
        }
        assert_eq!(held(&stage, issued.balance).await, 0, "{dialect}");
        let draft = peer.purchase(&issued.pan, stan + 2, 1_000);
        assert_eq!(peer.ask("100", &draft).await.action, of(version, APPROVED), "{dialect}");
        let other = as_another(peer.reversal(&issued.pan, stan + 3, stan + 2, 1_000));
        assert_eq!(peer.ask("400", &other).await.action, of(version, REFUSED), "{dialect}");
        assert_eq!(held(&stage, issued.balance).await, 1_000, "{dialect}");
        let own = peer.reversal(&issued.pan, stan + 4, stan + 2, 1_000);
        peer.ask("400", &own).await;
        assert_eq!(held(&stage, issued.balance).await, 0, "{dialect}");
        assert_eq!(counted(&stage, "cardswitch_link_strangers_total", &[dialect]).await, 3.0);
    }
    stage.end().await;
}

/// T-05, over TLS: who shows no certificate, a stranger's, or one of another name is not let in,
/// whatever it sends; who shows the right one is served.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_let_in_without_the_right_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let [ours, theirs, strangers] =
        ["ours", "theirs", "strangers"].map(|name| Authority::new(folder.path(), name));
    let own = ours.identity(folder.path(), "switch");
    let tls = LinkTls {
        certificate: Some(own.chain),
        key: Some(own.key),
        ca: Some(theirs.file.clone()),
        client_certificates: AskClients::Required,
        client_names: vec!["network".into()],
        ..LinkTls::default()
    };
    let stage = stage_of(vec![("test".into(), Link { tls: Some(tls), ..Link::default() })]).await;
    let issued = stage.issue(1_000_000, 100_000).await;
    let dial = |identity| {
        let dialect = Dialect::shipped("iso87-ascii").expect("shipped");
        let authorities = Some(ours.file.clone());
        let name = "switch".to_owned();
        let tls = Some(Tls { identity, authorities, name, versions: TlsVersions::Both });
        let settings = Settings { tls, ..Settings::new(dialect.into(), binary2()) };
        NetworkPeer::dial(stage.address(), settings).expect("a network")
    };
    let refused = async |least| {
        until_counted(&stage, "cardswitch_link_refused_total", &["tls"], least).await;
    };
    for identity in [
        None,
        Some(strangers.identity(folder.path(), "network")),
        Some(theirs.identity(folder.path(), "somebody")),
    ] {
        let before = counted(&stage, "cardswitch_link_refused_total", &["tls"]).await;
        let peer = dial(identity);
        refused(before + 1.0).await;
        assert!(peer.purchase(&issued.pan, 1_000).await.is_err());
    }
    // In clear.
    let mut plain = super::ascii(&stage).await;
    plain.send(&plain.bytes(plain.mti("100"), &plain.purchase(&issued.pan, 1, 1_000))).await;
    plain.closed().await; // with an alert of TLS, or without
    assert_eq!(held(&stage, issued.balance).await, 0);

    let peer = dial(Some(theirs.identity(folder.path(), "network")));
    peer.ready().await.expect("let in");
    let answer = peer.purchase(&issued.pan, 1_000).await.expect("answered");
    assert_eq!(answer.action(), "00");
    assert_eq!(held(&stage, issued.balance).await, 1_000);
    stage.end().await;
}
