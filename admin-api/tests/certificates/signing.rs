//! What a partner gets for its request.

use admin_api::certificates::{AuthorityError, CertificateSettings, RevocationReason};
use rcgen::{CertificateParams, DnType, KeyPair};
use switch_domain::PartnerId;
use x509_parser::extensions::ParsedExtension;
use x509_parser::parse_x509_certificate;

use crate::rig::{DAY, Platform, authority, days, files, key, now, partner, request, text};

// covers: SR-051
#[tokio::test]
async fn a_certificate_says_what_we_say_whatever_was_asked_for() {
    let platform = Platform::start(CertificateSettings::default()).await;
    let at = now();
    let wants = key();
    let mut params = CertificateParams::new(vec!["bank.example".into()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, "partner 1");
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
    let asks = params.serialize_request(&wants).expect("a request").pem().expect("PEM");
    let issued = platform.sign("greedy", 7, &asks, at).await.expect("signed");
    assert_eq!(issued.not_taken, ["keyUsage", "subjectAltName", "extendedKeyUsage"]);

    let (rest, certificate) = parse_x509_certificate(&issued.der).expect("a certificate");
    assert!(rest.is_empty());
    assert_eq!(certificate.subject().to_string(), "O=Acme Bank, CN=partner 7");
    assert_eq!(certificate.issuer().to_string(), "CN=Test partners");
    assert_eq!(certificate.raw_serial_as_string().replace(':', "").to_uppercase(), {
        let serial = issued.serial.to_string();
        assert_eq!(serial.len(), 32);
        serial
    });
    let validity = certificate.validity();
    let lasts = validity.not_after.timestamp() - validity.not_before.timestamp();
    assert_eq!(lasts, 397 * 86_400 + 300);
    let mut seen = Vec::new();
    for extension in certificate.extensions() {
        let critical = extension.critical;
        seen.push(match extension.parsed_extension() {
            ParsedExtension::KeyUsage(usage) => {
                assert!(critical && usage.digital_signature() && usage.flags == 1, "{usage}");
                "usage"
            }
            ParsedExtension::ExtendedKeyUsage(usage) => {
                assert!(usage.client_auth && !usage.server_auth && !usage.any);
                assert!(usage.other.is_empty());
                "client"
            }
            ParsedExtension::BasicConstraints(constraints) => {
                assert!(critical && !constraints.ca);
                "no authority"
            }
            ParsedExtension::AuthorityKeyIdentifier(_) => "issuer",
            ParsedExtension::SubjectKeyIdentifier(_) => "key",
            other => panic!("{other:?}"),
        });
    }
    seen.sort_unstable();
    assert_eq!(seen, ["client", "issuer", "key", "no authority", "usage"]);
    let own = platform.certificates.authority().certificates().expect("an authority");
    let (_, own) = parse_x509_certificate(&own[0]).expect("a certificate");
    assert!(certificate.verify_signature(Some(own.public_key())).is_ok());
    assert!(own.verify_signature(None).is_ok());
    let constraints = own.basic_constraints().expect("one").expect("there");
    assert_eq!((constraints.value.ca, constraints.value.path_len_constraint), (true, Some(0)));
    platform.end().await;
}

#[tokio::test]
async fn signing_twice_signs_once_and_limits_hold() {
    let settings = CertificateSettings { most_live: 2, ..CertificateSettings::default() };
    let platform = Platform::start(settings).await;
    let at = now();
    let (first, second) = (request(&key()), request(&key()));
    let one = platform.sign("a", 1, &first, at).await.expect("signed");
    assert_eq!(platform.sign("a", 1, &first, at).await.expect("the same"), one);
    let reused = platform.sign("a", 1, &second, at).await.expect_err("another request");
    assert_eq!(reused.code, "IDEMPOTENCY_KEY_REUSED");
    let reused = platform.sign("a", 2, &first, at).await.expect_err("another partner");
    assert_eq!(reused.code, "IDEMPOTENCY_KEY_REUSED");

    // Several at a time cannot go beyond the limit.
    let requests: Vec<String> = (0..6).map(|_| request(&key())).collect();
    let names: Vec<String> = (0..6).map(|number| format!("race {number}")).collect();
    let race = names.iter().zip(&requests).map(|(name, asks)| platform.sign(name, 1, asks, at));
    let outcomes = futures_util::future::join_all(race).await;
    let codes: Vec<_> = outcomes.iter().filter_map(|o| o.as_ref().err()).map(|e| e.code).collect();
    assert_eq!(codes, ["EXHAUSTED"; 5]);
    // Of another partner it is no concern, and one that has expired leaves its place.
    platform.sign("other", 2, &request(&key()), at).await.expect("signed");
    let later = days(at, 398);
    platform.sign("later", 1, &request(&key()), later).await.expect("signed");

    let listed = platform.certificates.of_partner(PartnerId(1)).await.expect("listed");
    assert_eq!(listed.len(), 3);
    assert!(listed.iter().all(|one| one.revoked.is_none() && one.issued.1 == "test"));
    assert_eq!(listed[0].subject, "O=Acme Bank, CN=partner 1");
    platform.end().await;
}

#[tokio::test]
async fn a_key_is_one_partners_and_is_not_certified_after_it_was_revoked() {
    let platform = Platform::start(CertificateSettings::default()).await;
    let at = now();
    let own = key();
    let first = platform.sign("a", 1, &request(&own), at).await.expect("signed");
    // Renewed with the same key.
    platform.sign("b", 1, &request(&own), at).await.expect("signed again");
    let stolen = platform.sign("c", 2, &request(&own), at).await.expect_err("another's key");
    assert!(stolen.code == "CONFLICT" && stolen.detail.contains("another partner"), "{stolen}");
    let reason = RevocationReason::KeyCompromise;
    let revoke = || platform.certificates.revoke(first.serial, reason, text("test"), at);
    let revoked = revoke().await.expect("revoked");
    assert!(!revoked.before && revoked.partner == PartnerId(1));
    assert!(revoke().await.expect("once").before);
    let again = platform.sign("d", 1, &request(&own), at).await.expect_err("a revoked key");
    assert!(again.detail.contains(&first.serial.to_string()), "{again}");
    let nobody = "40000000000000000000000000000000".parse().expect("a number");
    let nobody = platform.certificates.revoke(nobody, reason, text("test"), at).await;
    assert_eq!(nobody.expect_err("not there").code, "NOT_FOUND");
    platform.end().await;
}

#[tokio::test]
async fn the_authority_is_made_once_and_its_files_belong_together() {
    let platform = Platform::start(CertificateSettings::default()).await;
    let at = platform.directory.path();
    let again = authority(at).init("Other", 366, now()).expect_err("there is one");
    assert!(matches!(again, AuthorityError::Exists(_)), "{again}");
    // Killed before the certificate was written: the same key gets one.
    let before = std::fs::read(files(at).key).expect("a key");
    std::fs::remove_file(files(at).certificate).expect("removed");
    let none = platform.sign("a", 1, &request(&key()), now()).await.expect_err("no certificate");
    assert!(none.code == "CONFLICT" && none.detail.contains("cardswitch ca init"), "{none}");
    authority(at).init("Test partners", 366, now()).expect("made");
    assert_eq!(std::fs::read(files(at).key).expect("a key"), before);
    // Never beyond its own end.
    let short = platform.sign("b", 1, &request(&key()), now()).await.expect("signed");
    assert!(short.until <= days(now(), 366) && short.until.0 > now().0 + 365 * DAY);
    let over = platform.sign("c", 1, &request(&key()), days(now(), 400)).await;
    assert!(over.expect_err("over").detail.contains("is over"));

    // Another's certificate in its place.
    let other = tempfile::tempdir().expect("a directory");
    authority(other.path()).init("Other", 366, now()).expect("made");
    std::fs::copy(files(other.path()).certificate, files(at).certificate).expect("copied");
    let apart = platform.sign("d", 1, &request(&key()), now()).await.expect_err("apart");
    assert_eq!(apart.code, "INTERNAL");
    // Without a local master key nothing is signed, and it is said what to do.
    let blind = platform.other_node(CertificateSettings::default());
    let caller = (admin_api::idempotency_key("test", "e"), text("test"));
    let refused = blind.sign(caller, partner(1), &request(&key()), now()).await;
    assert!(refused.expect_err("no key").detail.contains("security.lmk_components"));
    for name in ["", "a\n", "ü", &"a".repeat(65)] {
        let refused = authority(other.path()).init(name, 366, now());
        assert!(matches!(refused, Err(AuthorityError::Name)), "{name:?}");
    }
    platform.end().await;
}

#[tokio::test]
async fn nothing_of_a_bad_request_is_kept() {
    let platform = Platform::start(CertificateSettings::default()).await;
    let rsa = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    for (asks, says) in [
        (request(&rsa), "another kind of key"),
        (include_str!("../requests/rsa-1024.pem").to_owned(), "of 1024 bits"),
        ("hello".to_owned(), "no certificate request in it"),
    ] {
        let refused = platform.sign(&asks, 1, &asks, now()).await.expect_err("refused");
        assert!(refused.code == "INVALID_REQUEST" && refused.detail.contains(says), "{refused}");
    }
    let listed = platform.certificates.of_partner(PartnerId(1)).await.expect("listed");
    assert!(listed.is_empty());
    platform.end().await;
}
