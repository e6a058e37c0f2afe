//! TLS with certificates made for the test: who is let in, in which version, and by whose
//! authority. Two networks talk: one listens, one dials as an issuer's link does.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use simulators::network::{Function, Identity, NetworkPeer, Settings, Tls, TlsVersions};

use crate::pki::Authority;
use crate::stub::{listen, plain, settings};

fn tls(identity: Option<Identity>, authorities: Option<&Authority>) -> Tls {
    let authorities = authorities.map(|authority| authority.file.clone());
    Tls { identity, authorities, name: "network".to_owned(), versions: TlsVersions::Both }
}

fn with(tls: Tls) -> Settings {
    Settings { tls: Some(tls), ..settings("iso87-bcd", plain()) }
}

#[tokio::test]
async fn both_versions_speak_with_certificates_on_both_sides() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) =
        (Authority::new(folder.path(), "ours"), Authority::new(folder.path(), "theirs"));
    let network = tls(Some(ours.identity(folder.path(), "network")), Some(&theirs));
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        let peer = listen(with(network.clone())).await;
        let identity = theirs.identity(folder.path(), "issuer");
        let shown = CertificateDer::from_pem_file(&identity.chain).expect("a certificate");
        let issuer = Tls { versions, ..tls(Some(identity), Some(&ours)) };
        let issuer = NetworkPeer::dial(peer.address(), with(issuer)).expect("a network");
        issuer.until(|tally| tally.open == 1).await.expect("connected");
        let answer = issuer.manage(Function::SignOn).await.expect("answered");
        assert_eq!((answer.action(), peer.tally().sign_ons), ("00".to_owned(), 1));
        assert_eq!(peer.issuer_certificate().as_deref(), Some(shown.as_ref()));

        // A reset through TLS is a reset, and the other side comes back.
        assert_eq!(peer.kill(), 1);
        issuer.until(|tally| tally.connected == 2 && tally.open == 1).await.expect("again");
        issuer.manage(Function::Echo).await.expect("answered");
        let tally = peer.tally();
        assert_eq!((tally.connected, tally.killed, tally.failed), (2, 1, 0), "{versions:?}");
    }
}

#[tokio::test]
async fn without_a_certificate_or_with_a_strangers_nobody_is_let_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) =
        (Authority::new(folder.path(), "ours"), Authority::new(folder.path(), "theirs"));
    let stranger = Authority::new(folder.path(), "stranger");
    let network = tls(Some(ours.identity(folder.path(), "network")), Some(&theirs));
    let peer = listen(with(network)).await;
    for refused in [None, Some(stranger.identity(folder.path(), "strange"))] {
        let before = peer.tally().failed;
        let issuer = NetworkPeer::dial(peer.address(), with(tls(refused, Some(&ours))));
        let _issuer = issuer.expect("a network");
        peer.until(|tally| tally.failed > before).await.expect("refused");
    }
    assert_eq!((peer.tally().connected, peer.tally().frames), (0, 0));

    // Nor does a dialling network take a network that its authority does not vouch for, or one of
    // another name.
    let good = theirs.identity(folder.path(), "good");
    let wrong = tls(Some(good.clone()), Some(&stranger));
    let other = Tls { name: "elsewhere".to_owned(), ..tls(Some(good), Some(&ours)) };
    for settings in [wrong, other] {
        let issuer = NetworkPeer::dial(peer.address(), with(settings)).expect("a network");
        issuer.until(|tally| tally.failed > 0).await.expect("refuses");
        assert_eq!(issuer.tally().connected, 0);
    }
}

#[tokio::test]
async fn files_that_are_wrong_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = Authority::new(folder.path(), "ours");
    let good = ours.identity(folder.path(), "network");
    let missing = folder.path().join("missing.pem");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").expect("written");
    for (identity, says) in [
        (None, "needs a certificate to listen"),
        (Some(Identity { chain: missing, ..good.clone() }), "missing.pem"),
        (Some(Identity { chain: empty, ..good.clone() }), "empty.pem: holds no certificate"),
        (
            Some(Identity { key: good.chain.clone(), ..good.clone() }),
            "no PEM file of a private key",
        ),
    ] {
        let settings = with(tls(identity, None));
        let listening = NetworkPeer::listen(([127, 0, 0, 1], 0).into(), settings).await;
        let why = format!("{:#}", listening.err().expect("refused"));
        assert!(why.contains(says), "{why}");
    }
    let address = ([127, 0, 0, 1], 1).into();
    let why = NetworkPeer::dial(address, with(tls(Some(good), None))).err().expect("refused");
    assert!(why.to_string().contains("authorities"), "{why}");
}
