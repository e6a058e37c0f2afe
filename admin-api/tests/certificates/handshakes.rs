//! Who gets through a handshake, on either side, and who it is behind it (P-10).

use std::sync::Arc;

use admin_api::certificates::{CertificateSettings, RevocationReason};
use admin_api::tls::ListenLimits;
use rcgen::{
    CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    PublicKeyData, SerialNumber, SignatureAlgorithm, SigningKey,
};
use rustls::client::Resumption;
use switch_security::{AuthorityKey, LocalMasterKey, LocalMasterKeys};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rig::{Platform, days, files, key, now, text};
use crate::wire::{BOTH, Connection, Root, ask, client, listen, member};

/// The platform's own key, for certificates that the platform never signs.
struct Own(AuthorityKey);

impl PublicKeyData for Own {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P384_SHA384
    }
}

impl SigningKey for Own {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// A certificate under the platform's authority that is not on record.
fn off_record(platform: &Platform, change: impl FnOnce(&mut CertificateParams)) -> Shown {
    let at = platform.directory.path();
    let components = ["first.lmk", "second.lmk"].map(|name| at.join(name));
    let master = LocalMasterKey::load(&components).expect("a local master key");
    let own = AuthorityKey::load(&files(at).key, &LocalMasterKeys::new(master)).expect("a look");
    let own = own.expect("the key");
    let certificate = &platform.certificates.authority().certificates().expect("there")[0];
    let issuer = Issuer::from_ca_cert_der(certificate, Own(own)).expect("an issuer");
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(&[0x44; 16]));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    change(&mut params);
    let key = key();
    let der = params.signed_by(&key, &issuer).expect("signed").der().to_vec();
    Shown { key, der }
}

struct Shown {
    key: KeyPair,
    der: Vec<u8>,
}

// covers: SR-051, A-02
#[tokio::test]
async fn a_signed_certificate_gets_through_and_the_handler_sees_the_partner() {
    let platform = Platform::start(CertificateSettings::default()).await;
    let root = Root::new();
    let own = root.server(platform.directory.path(), "localhost", |_| ());
    let serving = listen(&platform.certificates, true, own, ListenLimits::default()).await;
    let rsa = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("a key");
    let asks = crate::rig::request(&rsa);
    let third = platform.sign("rsa", 3, &asks, now()).await.expect("signed");
    let members = [
        (7, platform.member(7, now()).await),
        (8, platform.member(8, now()).await),
        (3, (rsa, third)),
    ];
    for (number, one) in &members {
        for version in BOTH {
            let config = client(&[root.der()], &[version], member(one));
            let answer = ask(serving.address(), &config).await.expect("an answer");
            assert_eq!(answer, (200, format!("partner {number}")));
        }
    }
    // One connection, several requests; and the handshake is made anew each time.
    let mut config = (*client(&[root.der()], &BOTH, member(&members[0].1))).clone();
    config.resumption = Resumption::in_memory_sessions(8);
    let config = Arc::new(config);
    for _ in 0..2 {
        let mut connection =
            Connection::open(serving.address(), &config, "localhost").await.expect("open");
        for _ in 0..3 {
            assert_eq!(connection.ask().await.expect("an answer").1, "partner 7");
        }
        assert!(!connection.is_resumed());
    }
    serving.stop(std::time::Duration::from_secs(5)).await;
    platform.end().await;
}

// covers: SR-051, A-02, API-02
#[tokio::test]
async fn who_shows_no_good_certificate_gets_nowhere() {
    let platform = Platform::start(CertificateSettings::default()).await;
    let root = Root::new();
    let own = root.server(platform.directory.path(), "localhost", |_| ());
    let serving = listen(&platform.certificates, true, own, ListenLimits::default()).await;
    let expired = platform.member(1, days(now(), -400)).await;
    let early = platform.member(2, days(now(), 2)).await;
    let revoked = platform.member(3, now()).await;
    let serial = revoked.1.serial;
    let reason = RevocationReason::Superseded;
    platform.certificates.revoke(serial, reason, text("test"), now()).await.expect("revoked");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Test partners");
    let other = CertifiedIssuer::self_signed(params, key()).expect("an authority");
    let issuer: &Issuer<'_, KeyPair> = &other;
    let stranger = key();
    let of_other = CertificateParams::default().signed_by(&stranger, issuer).expect("signed");
    let alone = CertificateParams::default().self_signed(&stranger).expect("signed");
    let server = off_record(&platform, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let authority = off_record(&platform, |params| {
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    for (what, shows) in [
        ("none", None),
        ("expired", member(&expired)),
        ("not yet valid", member(&early)),
        ("revoked", member(&revoked)),
        ("of another authority of the same name", Some((&stranger, of_other.der().as_ref()))),
        ("self-signed", Some((&stranger, alone.der().as_ref()))),
        ("a server's", Some((&server.key, server.der.as_slice()))),
        ("an authority's", Some((&authority.key, authority.der.as_slice()))),
    ] {
        for version in BOTH {
            let config = client(&[root.der()], &[version], shows);
            let refused = ask(serving.address(), &config).await;
            assert!(refused.is_err(), "{what}: {refused:?}");
        }
    }
    // Signed with the platform's key, but never by the platform.
    let unknown = off_record(&platform, |_| ());
    let config = client(&[root.der()], &BOTH, Some((&unknown.key, &unknown.der)));
    let (_, said) = ask(serving.address(), &config).await.expect("an answer");
    assert!(said.contains("not on record (UNAUTHENTICATED)"), "{said}");
    serving.stop(std::time::Duration::from_secs(5)).await;
    platform.end().await;
}

#[tokio::test]
async fn a_revocation_ends_connections_that_are_open() {
    let platform = Platform::start(CertificateSettings::default()).await;
    let root = Root::new();
    let own = root.server(platform.directory.path(), "localhost", |_| ());
    let serving = listen(&platform.certificates, true, own, ListenLimits::default()).await;
    let (one, two) = (platform.member(7, now()).await, platform.member(7, now()).await);
    let [first, second] = [&one, &two].map(|one| client(&[root.der()], &BOTH, member(one)));
    let open = async |config| Connection::open(serving.address(), config, "localhost").await;
    let mut revoked = open(&first).await.expect("open");
    let mut other = open(&second).await.expect("open");
    assert_eq!(revoked.ask().await.expect("an answer").1, "partner 7");
    let reason = RevocationReason::KeyCompromise;
    let done = platform.certificates.revoke(one.1.serial, reason, text("test"), now()).await;
    assert!(!done.expect("revoked").before);
    let (_, said) = revoked.ask().await.expect("an answer");
    assert!(said.contains("is revoked (UNAUTHENTICATED)"), "{said}");
    assert_eq!(other.ask().await.expect("an answer").1, "partner 7");
    assert!(ask(serving.address(), &first).await.is_err());
    serving.stop(std::time::Duration::from_secs(5)).await;
    platform.end().await;
}

#[tokio::test]
async fn a_client_refuses_a_server_that_is_not_who_it_should_be() {
    let platform = Platform::start(CertificateSettings::default()).await;
    let root = Root::new();
    let at = platform.directory.path();
    let other = Root::new();
    for (signer, bears, expired, good) in [
        (&root, "localhost", false, true),
        (&root, "elsewhere.example", false, false),
        (&root, "localhost", true, false),
        (&other, "localhost", false, false),
    ] {
        let own = signer.server(at, bears, |params| {
            if expired {
                params.not_after = rcgen::date_time_ymd(2020, 1, 1);
            }
        });
        // Everybody is let in here: no certificate of a client is asked for.
        let serving = listen(&platform.certificates, false, own, ListenLimits::default()).await;
        let config = client(&[root.der()], &BOTH, None);
        let opened = Connection::open(serving.address(), &config, "localhost").await;
        assert_eq!(opened.is_ok(), good, "{:?}", opened.err());
        if let Ok(mut opened) = opened {
            assert_eq!(opened.ask().await.expect("an answer").1, "nobody");
        }
        serving.stop(std::time::Duration::from_secs(5)).await;
    }
    platform.end().await;
}

/// What a server says to the first bytes of a client: the alert, where it is one.
async fn alert(address: std::net::SocketAddr, hello: &[u8]) -> Option<(u8, u8)> {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(hello).await.expect("sent");
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    match said.as_slice() {
        [21, _, _, 0, 2, level, description, ..] => Some((*level, *description)),
        _ => None,
    }
}

/// The hello of a client of this version that has these suites.
fn hello(version: [u8; 2], suites: &[[u8; 2]]) -> Vec<u8> {
    let u16 = |length: usize| u16::try_from(length).expect("short").to_be_bytes();
    let mut extensions = vec![0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0];
    extensions.extend([0, 13, 0, 8, 0, 6, 4, 3, 8, 4, 4, 1]);
    extensions.extend([0, 23, 0, 0]);
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(u16(suites.len() * 2));
    body.extend(suites.concat());
    body.extend([1, 0]);
    body.extend(u16(extensions.len()));
    body.extend(extensions);
    let mut message = vec![1, 0];
    message.extend(u16(body.len()));
    message.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend(u16(message.len()));
    record.extend(message);
    record
}

#[tokio::test]
async fn versions_and_suites_of_the_past_are_refused() {
    let platform = Platform::start(CertificateSettings::default()).await;
    let own = Root::new().server(platform.directory.path(), "localhost", |_| ());
    let serving = listen(&platform.certificates, true, own, ListenLimits::default()).await;
    let (gcm, cbc, rsa, des) = ([0xc0, 0x2b], [0xc0, 0x09], [0x00, 0x9c], [0xc0, 0x08]);
    for (version, suites, expected) in [
        ([3, 1], vec![gcm, cbc], Some((2, 70))),
        ([3, 2], vec![gcm, cbc], Some((2, 70))),
        ([3, 3], vec![cbc, rsa, des], Some((2, 40))),
        // The same hello with a suite that is taken goes on.
        ([3, 3], vec![cbc, gcm], None),
    ] {
        let hello = hello(version, &suites);
        if expected.is_none() {
            let mut stream = TcpStream::connect(serving.address()).await.expect("connected");
            stream.write_all(&hello).await.expect("sent");
            assert_eq!(stream.read_u8().await.expect("a handshake goes on"), 22);
            continue;
        }
        assert_eq!(alert(serving.address(), &hello).await, expected, "{version:?} {suites:?}");
    }
    serving.stop(std::time::Duration::ZERO).await;
    platform.end().await;
}
