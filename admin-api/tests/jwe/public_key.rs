//! Which texts are a public key, and the forms in which ours is published (SR-067).

use admin_api::jwe::{
    InvalidPlatformKey, KeyRules, Kid, PartnerKey, PlatformKey, PublishedKey, RsaBits,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use crate::stage::{key, partner};
use crate::vectors::vectors;

//
#[test]
fn pem_and_der_are_taken_in_both_alphabets_with_and_without_padding() {
    for kid in ["rsa2048-a", "rsa4096-a"] {
        let whole = partner(kid);
        let pem = vectors()["keys"][kid]["spki_pem"].as_str().expect("PEM");
        let dos = pem.replace('\n', "\r\n");
        for bytes in [pem.as_bytes(), pem.trim().as_bytes(), dos.as_bytes(), whole.der()] {
            for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
                let text = engine.encode(bytes);
                assert_eq!(PartnerKey::from_base64(&text).as_ref(), Ok(&whole), "{kid}");
            }
        }
    }
    assert_ne!(partner("rsa2048-a"), partner("rsa4096-a"));
}

/// A length in DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    if length < 128 {
        bytes.push(u8::try_from(length).expect("short"));
    } else {
        bytes.push(0x82);
        bytes.extend(u16::try_from(length).expect("short enough").to_be_bytes());
    }
    bytes.extend(content);
    bytes
}

/// SubjectPublicKeyInfo of an RSA key of these numbers.
fn info(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let algorithm = hex::decode("300d06092a864886f70d0101010500").expect("hex");
    let numbers = [der(2, modulus), der(2, exponent)].concat();
    let bits = [vec![0], der(0x30, &numbers)].concat();
    der(0x30, &[algorithm, der(3, &bits)].concat())
}

/// A modulus of so many bits: odd, and not anybody's.
fn modulus(bits: usize) -> Vec<u8> {
    let mut bytes = vec![0xb5; bits.div_ceil(8)];
    bytes[0] = if bits.is_multiple_of(8) { 0x80 } else { (1 << (bits % 8)) >> 1 };
    if bits.is_multiple_of(8) {
        bytes.insert(0, 0);
    }
    bytes
}

//
#[test]
fn sizes_and_exponents_have_bounds() {
    let taken = |bits: usize, exponent: &[u8]| {
        PartnerKey::from_der(&info(&modulus(bits), exponent)).is_ok()
    };
    let usual = [1, 0, 1];
    for (bits, fit) in [
        (512, false),
        (1024, false),
        (2047, false),
        (2048, true),
        (3072, true),
        (4096, true),
        (8192, true),
        (8193, false),
        (16_384, false),
    ] {
        assert_eq!(taken(bits, &usual), fit, "{bits} bits");
    }
    for (exponent, fit) in [
        (&[1][..], false),
        (&[3], false),
        (&[0x11], false),
        (&[1, 0, 0], false),
        (&[1, 0, 3], true),
        (&[0, 0xff, 0xff, 0xff, 0xff], true),
        (&[1, 0, 0, 0, 1], false),
        (&[1, 0, 0, 0, 0, 0, 0, 0, 0, 1], false),
    ] {
        assert_eq!(taken(2048, exponent), fit, "exponent {exponent:?}");
    }
    let mut even = modulus(2048);
    *even.last_mut().expect("bytes") = 0xb4;
    assert!(PartnerKey::from_der(&info(&even, &usual)).is_err(), "an even modulus");
}

//
#[test]
fn anything_else_is_no_key() {
    let whole = partner("rsa2048-a").der().to_vec();
    let private = vectors()["keys"]["rsa2048-a"]["pkcs8_der_b64"].as_str().expect("a key");
    let text = STANDARD.encode(&whole);
    let pem = vectors()["keys"]["rsa2048-a"]["spki_pem"].as_str().expect("PEM");
    let twice = STANDARD.encode(format!("{pem}{pem}"));
    let behind = STANDARD.encode([whole.as_slice(), &[0]].concat());
    let certificate = STANDARD.encode(pem.replace("PUBLIC KEY", "CERTIFICATE"));
    let spaced = format!("{} {}", &text[..8], &text[8..]);
    let wrapped = format!("{}\n{}", &text[..64], &text[64..]);
    let mixed = format!("{}-{}", &text[..9], &text[10..]);
    let long = STANDARD.encode([0; 4096]);
    let json = vectors()["keys"]["rsa2048-a"]["jwk"].to_string();
    for (what, bad) in [
        ("empty", ""),
        ("words", "my key"),
        ("a private key", private),
        ("two keys", &twice),
        ("something behind", &behind),
        ("a certificate", &certificate),
        ("a space within", &spaced),
        ("lines", &wrapped),
        ("bare PEM", pem),
        ("too long", &long),
        ("a JWK", &json),
        ("padding in excess", &format!("{text}=")),
        ("alphabets mixed", &mixed),
    ] {
        assert!(PartnerKey::from_base64(bad).is_err(), "{what}");
    }
    // No byte of it can be another but those of its numbers: 257 and 3.
    let mut taken = 0;
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 0x20;
        taken += usize::from(PartnerKey::from_der(&broken).is_ok());
    }
    println!("{taken} of {} bytes changed leave a key", whole.len());
    assert!(taken <= 260);
    // An elliptic curve.
    let curve = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP\
                 40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==";
    assert!(STANDARD.decode(curve).is_ok() && PartnerKey::from_base64(curve).is_err());
}

// covers: SR-067
#[test]
fn our_key_is_published_in_three_forms_of_one_key() {
    let ours = key("rsa2048-a");
    let published = PublishedKey::of(&ours);
    assert_eq!(published.pem, vectors()["keys"]["rsa2048-a"]["spki_pem"].as_str().expect("PEM"));
    assert_eq!(PartnerKey::from_base64(&published.public_key), Ok(partner("rsa2048-a")));
    let json = serde_json::to_value(&published).expect("JSON");
    let jwk = &vectors()["keys"]["rsa2048-a"]["jwk"];
    for member in ["n", "e", "kty", "kid"] {
        assert_eq!(json["jwk"][member], jwk[member], "{member}");
    }
    assert_eq!(json["jwk"]["use"], "enc");
    assert_eq!(json["jwk"]["alg"], "RSA-OAEP-256");
    for private in ["d", "p", "q", "dp", "dq", "qi"] {
        assert!(json["jwk"].get(private).is_none());
    }
}

#[test]
fn keys_of_2048_bits_need_the_flag_and_names_have_a_form() {
    let strict = KeyRules::default();
    let refused = PlatformKey::generate(RsaBits::Bits2048, &strict).err();
    assert_eq!(refused, Some(InvalidPlatformKey::Size));
    let pkcs8 = vectors()["keys"]["rsa2048-a"]["pkcs8_der_b64"].as_str().expect("a key");
    let pkcs8 = STANDARD.decode(pkcs8).expect("base64");
    let refused = PlatformKey::from_pkcs8(None, &pkcs8, &strict).err();
    assert_eq!(refused, Some(InvalidPlatformKey::Size));
    let refused = PlatformKey::from_pkcs8(None, &pkcs8[1..], &strict).err();
    assert_eq!(refused, Some(InvalidPlatformKey::Form));
    let lax = KeyRules { allow_2048: true, ..strict };
    let named = PlatformKey::from_pkcs8(None, &pkcs8, &lax).expect("a key");
    assert_eq!(named.kid().as_str(), partner("rsa2048-a").thumbprint());
    assert_eq!((named.kid().as_str().len(), named.bits()), (43, 2048));
    for bad in ["", "a b", "a/b", "a\nb", "é", &"a".repeat(65)] {
        assert!(Kid::new(bad).is_err(), "{bad:?}");
    }
}
