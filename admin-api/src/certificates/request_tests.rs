//! Requests as partners send them, and as nobody should.

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};

use super::*;

fn pem(key: &KeyPair, change: impl FnOnce(&mut CertificateParams)) -> String {
    let mut params = CertificateParams::default();
    change(&mut params);
    params.serialize_request(key).expect("a request").pem().expect("PEM")
}

fn plain(key: &KeyPair) -> String {
    pem(key, |_| ())
}

fn fault(pem: &str) -> RequestFault {
    Request::read(pem.as_bytes()).err().expect("it must not be taken")
}

#[test]
fn keys_that_are_strong_enough_are_taken_and_others_not() {
    for algorithm in
        [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_RSA_SHA256]
    {
        let key = KeyPair::generate_for(algorithm).expect("a key");
        let read = Request::read(plain(&key).as_bytes()).expect("a good request");
        assert_eq!(read.key.der_bytes(), key.der_bytes());
        assert_eq!(read.key.subject_public_key_info(), key.subject_public_key_info());
        assert!(read.asked.is_empty(), "{:?}", read.asked);
    }
    for algorithm in [&rcgen::PKCS_ED25519, &rcgen::PKCS_ECDSA_P521_SHA512] {
        let key = KeyPair::generate_for(algorithm).expect("a key");
        assert_eq!(fault(&plain(&key)), RequestFault::Key);
    }
    // By openssl, for nothing here makes such keys.
    let given = [
        (include_str!("../../tests/requests/rsa-1024.pem"), RequestFault::Bits(1_024)),
        (include_str!("../../tests/requests/rsa-2047.pem"), RequestFault::Bits(2_047)),
        (include_str!("../../tests/requests/rsa-8192.pem"), RequestFault::Bits(8_192)),
        (include_str!("../../tests/requests/rsa-exponent-3.pem"), RequestFault::Exponent),
        (include_str!("../../tests/requests/rsa-sha1.pem"), RequestFault::Signature),
        (include_str!("../../tests/requests/secp256k1.pem"), RequestFault::Key),
    ];
    for (pem, expected) in given {
        assert_eq!(fault(pem), expected);
    }
    let good = include_str!("../../tests/requests/rsa-2048-pss.pem");
    assert!(Request::read(good.as_bytes()).is_ok());
}

#[test]
fn what_it_asks_for_is_told_and_an_authority_refused() {
    let key = KeyPair::generate().expect("a key");
    let wants = |params: &mut CertificateParams| {
        params.subject_alt_names =
            vec![rcgen::SanType::DnsName("bank.example".try_into().expect("a name"))];
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    };
    let read = Request::read(pem(&key, wants).as_bytes()).expect("taken all the same");
    assert_eq!(read.asked, ["keyUsage", "subjectAltName", "extendedKeyUsage"]);
    let authority = |params: &mut CertificateParams| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    };
    assert_eq!(fault(&pem(&key, authority)), RequestFault::Authority);
    let none = |params: &mut CertificateParams| params.is_ca = IsCa::ExplicitNoCa;
    let read = Request::read(pem(&key, none).as_bytes()).expect("taken");
    assert_eq!(read.asked, ["basicConstraints"]);
}

#[test]
fn no_byte_that_is_signed_can_be_another_and_the_rest_changes_nothing() {
    let key = KeyPair::generate().expect("a key");
    let good = CertificateParams::default().serialize_request(&key).expect("a request");
    let good = good.der().to_vec();
    let framed = |der: &[u8]| {
        let request = pem_of(der);
        Request::read(request.as_bytes()).map(|request| (request.key_digest, request.asked))
    };
    let whole = framed(&good).expect("a good request");
    let mut taken = 0;
    for place in 0..good.len() {
        let mut changed = good.clone();
        changed[place] ^= 1;
        if let Ok(read) = framed(&changed) {
            // Of the form around what is signed, in which the library is not strict.
            assert_eq!(read, whole, "byte {place}");
            taken += 1;
        }
        assert!(framed(&good[..place]).is_err(), "cut at {place}");
    }
    assert!(taken <= 1, "{taken} bytes may be another");
    let longer = [&good[..], &[0]].concat();
    assert_eq!(framed(&longer).err(), Some(RequestFault::Unreadable));
    assert_eq!(fault(&"A".repeat(LONGEST + 1)), RequestFault::TooLong);
    let certificate = CertificateParams::default().self_signed(&key).expect("a certificate").pem();
    for other in ["", "hello", &certificate, &key.serialize_pem()] {
        assert_eq!(fault(other), RequestFault::NoRequest);
    }
}

fn pem_of(der: &[u8]) -> String {
    pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", der))
}
