//! TLS to the units: whose certificate is not of the operator's authority, or for another name, is
//! no unit, and neither is one that speaks in clear.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use simulators::hsm::{HsmUnit, Settings as UnitSettings};
use simulators::network::{Identity, Tls, TlsVersions};
use switch_hsm::{CallError, HsmClient, Settings, UnitTls};

use super::rig::{ask, client, connections, settings, soon, until_good};

/// An authority, and a certificate with its key that is from it, all for this name.
fn files(at: &Path, name: &str) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
    let issuer = issuer.expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.into()]).expect("a name");
    let certificate = params.signed_by(&key, &issuer).expect("signed");
    for (kind, text) in
        [("ca", issuer.pem()), ("pem", certificate.pem()), ("key", key.serialize_pem())]
    {
        std::fs::write(at.join(format!("{name}.{kind}")), text).expect("written");
    }
}

/// A unit that shows `unit.pem`, and takes who shows a certificate of `host.ca`.
async fn unit(at: &Path, versions: TlsVersions) -> HsmUnit {
    let identity = Some(Identity { chain: at.join("unit.pem"), key: at.join("unit.key") });
    let authorities = Some(at.join("host.ca"));
    let tls = Some(Tls { identity, authorities, name: String::new(), versions });
    let settings = UnitSettings { tls, ..UnitSettings::default() };
    HsmUnit::listen(([127, 0, 0, 1], 0).into(), settings).await.expect("a port")
}

/// A client that takes units of this authority for this name, and shows this certificate.
fn secured(unit: &HsmUnit, at: &Path, (ca, name, own): (&str, &str, Option<&str>)) -> Settings {
    let own = own.map(|own| (at.join(format!("{own}.pem")), at.join(format!("{own}.key"))));
    let own = own.as_ref().map(|(chain, key)| (chain.as_path(), key.as_path()));
    let tls = UnitTls::read(&at.join(format!("{ca}.ca")), own, Some(name)).expect("files");
    Settings { tls: Some(tls), ..settings(&[unit]) }
}

#[tokio::test]
async fn calls_go_over_tls_to_units_that_are_known() {
    let at = tempfile::tempdir().expect("a directory");
    files(at.path(), "unit");
    files(at.path(), "host");
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        let unit = unit(at.path(), versions).await;
        let client = client(secured(&unit, at.path(), ("unit", "unit", Some("host")))).await;
        for _ in 0..20 {
            assert_eq!(ask(&client).await.0, Ok(()));
        }
        unit.die();
        connections(&client, |up| up == 0).await;
        unit.revive().await.expect("the port is free again");
        until_good(&client).await;
        assert_eq!(unit.tally().refused_handshakes, 0);
    }
}

#[tokio::test]
async fn who_is_not_known_gets_no_call() {
    let at = tempfile::tempdir().expect("a directory");
    for name in ["unit", "host", "other"] {
        files(at.path(), name);
    }
    let unit = unit(at.path(), TlsVersions::Both).await;
    for (ca, name, own) in [
        ("other", "unit", Some("host")),   // not of that authority
        ("unit", "another", Some("host")), // not of that name
        ("unit", "unit", Some("other")),   // the unit does not know us
        ("unit", "unit", None),
    ] {
        let before = unit.tally().refused_handshakes;
        let client = HsmClient::start(secured(&unit, at.path(), (ca, name, own)));
        soon(unit.until(|tally| tally.refused_handshakes >= before + 2)).await;
        assert_eq!(*client.connections().borrow(), 0, "{ca} {name} {own:?}");
        assert_eq!(ask(&client).await.0, Err(CallError::NoUnit));
    }
    // In clear, to a unit that speaks TLS.
    let before = unit.tally().refused_handshakes;
    let client = HsmClient::start(settings(&[&unit]));
    soon(unit.until(|tally| tally.refused_handshakes > before)).await;
    assert_eq!(ask(&client).await.0, Err(CallError::NoUnit));
    assert!(unit.tally().commands.is_empty(), "nothing was said to anybody");
}
