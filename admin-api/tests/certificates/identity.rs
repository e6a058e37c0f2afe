//! Whose a certificate is, on the node that was told of a revocation and on another one.

use std::time::Duration;

use admin_api::certificates::{CertificateSettings, NotIdentified, RevocationReason};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, SerialNumber};
use switch_domain::{PartnerId, Timestamp};

use crate::rig::{Platform, days, key, now, text};

const SECOND: i64 = 1_000_000;

fn settings() -> CertificateSettings {
    CertificateSettings {
        refresh: Duration::from_secs(5),
        stale: Duration::from_secs(60),
        ..CertificateSettings::default()
    }
}

#[tokio::test]
async fn a_certificate_is_its_partners_while_it_is_good() {
    let platform = Platform::start(settings()).await;
    let at = now();
    let (_, seventh) = platform.member(7, at).await;
    let (_, eighth) = platform.member(8, at).await;
    let identify = |der: Vec<u8>, moment: Timestamp| {
        let certificates = platform.certificates.clone();
        async move { certificates.identify(&der, moment).await }
    };
    assert_eq!(identify(seventh.der.clone(), at).await, Ok(PartnerId(7)));
    assert_eq!(identify(eighth.der.clone(), at).await, Ok(PartnerId(8)));
    let early = Timestamp(at.0 - 301 * SECOND);
    assert_eq!(identify(seventh.der.clone(), early).await, Err(NotIdentified::NotYet));
    let late = days(at, 398);
    assert_eq!(identify(seventh.der.clone(), late).await, Err(NotIdentified::Expired));
    platform.end().await;
}

#[tokio::test]
async fn what_is_not_on_record_byte_by_byte_is_nobodys() {
    let platform = Platform::start(settings()).await;
    let at = now();
    let (_, issued) = platform.member(7, at).await;
    // Another authority, with the same names and the same serial number.
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Test partners");
    let forger = CertifiedIssuer::self_signed(params, key()).expect("an authority");
    let mut params = CertificateParams::default();
    let number = hex::decode(issued.serial.to_string()).expect("digits");
    params.serial_number = Some(SerialNumber::from_slice(&number));
    let forged = params.signed_by(&key(), &forger).expect("signed");
    let certificates = &platform.certificates;
    let forged = certificates.identify(forged.der(), at).await;
    assert_eq!(forged, Err(NotIdentified::Unknown));
    // A serial number that nobody gave, and bytes that are no certificate of ours.
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(&[0x41; 16]));
    let unknown = params.signed_by(&key(), &forger).expect("signed");
    assert_eq!(certificates.identify(unknown.der(), at).await, Err(NotIdentified::Unknown));
    for bytes in [&[][..], &[0x30, 0x00], b"hello", &[&issued.der[..], &[0]].concat()] {
        assert_eq!(certificates.identify(bytes, at).await, Err(NotIdentified::Unreadable));
    }
    for place in (0..issued.der.len()).step_by(7) {
        let mut changed = issued.der.clone();
        changed[place] ^= 1;
        assert!(certificates.identify(&changed, at).await.is_err(), "byte {place}");
    }
    platform.end().await;
}

#[tokio::test]
async fn a_revoked_certificate_ends_at_once_here_and_soon_elsewhere() {
    let platform = Platform::start(settings()).await;
    let other = platform.other_node(settings());
    let at = now();
    let (_, issued) = platform.member(7, at).await;
    for node in [&platform.certificates, &other] {
        assert_eq!(node.identify(&issued.der, at).await, Ok(PartnerId(7)));
        assert!(!node.is_known_to_be_revoked(&issued.der));
    }
    let reason = RevocationReason::KeyCompromise;
    platform.certificates.revoke(issued.serial, reason, text("test"), at).await.expect("revoked");
    let revoked = Err(NotIdentified::Revoked);
    assert_eq!(platform.certificates.identify(&issued.der, at).await, revoked);
    assert!(platform.certificates.is_known_to_be_revoked(&issued.der));
    let soon = Timestamp(at.0 + 5 * SECOND - 1);
    assert_eq!(other.identify(&issued.der, soon).await, Ok(PartnerId(7)));
    let then = Timestamp(at.0 + 5 * SECOND);
    assert_eq!(other.identify(&issued.der, then).await, revoked);
    assert!(other.is_known_to_be_revoked(&issued.der));
    // A node that never saw it, and one whose clock went back.
    let third = platform.other_node(settings());
    assert_eq!(third.identify(&issued.der, at).await, revoked);
    assert_eq!(other.identify(&issued.der, at).await, revoked);
    platform.end().await;
}

#[tokio::test]
async fn without_the_database_what_is_known_holds_for_a_while_and_then_nothing() {
    let platform = Platform::start(settings()).await;
    let at = now();
    let (_, known) = platform.member(7, at).await;
    let (_, unseen) = platform.member(8, at).await;
    let certificates = platform.certificates.clone();
    assert_eq!(certificates.identify(&known.der, at).await, Ok(PartnerId(7)));
    platform.end().await;
    let soon = Timestamp(at.0 + 59 * SECOND);
    assert_eq!(certificates.identify(&known.der, soon).await, Ok(PartnerId(7)));
    let unavailable = Err(NotIdentified::Unavailable);
    assert_eq!(certificates.identify(&unseen.der, soon).await, unavailable);
    let late = Timestamp(at.0 + 60 * SECOND);
    assert_eq!(certificates.identify(&known.der, late).await, unavailable);
}
