//! For any payload and any token: what was sealed opens, what was changed in one byte does not, and
//! nothing that comes makes the reader panic.

use admin_api::jwe::{KeyAlgorithm, OpenPolicy, PartnerKey, Token, envelope, seal, token_of};
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::test_runner::Config;

use crate::stage::{join, keys, open, part, partner, parts};
use crate::vectors::all;

fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

fn object() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| serde_json::json!({ "a": text }).to_string())
}

// covers: SR-061, SR-062, A-13
#[test]
fn the_header_is_exactly_alg_and_enc() {
    let token = seal(&partner("rsa2048-a"), b"{}").expect("sealed");
    assert_eq!(parts(&token)[0], br#"{"alg":"RSA-OAEP-256","enc":"A256GCM"}"#);
    assert_eq!(parts(&token).iter().map(Vec::len).collect::<Vec<_>>(), [38, 256, 12, 2, 16]);
    let read = Token::parse(&token, &OpenPolicy::default()).expect("a token");
    assert_eq!(read.algorithm(), KeyAlgorithm::RsaOaep256);
    let again = seal(&partner("rsa2048-a"), b"{}").expect("sealed");
    let differ = parts(&token).into_iter().zip(parts(&again)).map(|(one, other)| one != other);
    assert_eq!(differ.collect::<Vec<_>>(), [false, true, true, true, true]);
}

#[test]
fn every_single_bit_of_every_part_counts() {
    // Every byte of header, IV, ciphertext and tag; every eighth of the long encrypted key.
    let token = seal(&partner("rsa2048-a"), br#"{"a":"b"}"#).expect("sealed");
    let whole = parts(&token);
    let mut changed = 0;
    for (number, bytes) in whole.iter().enumerate() {
        for at in (0..bytes.len()).step_by(if number == 1 { 8 } else { 1 }) {
            let mut broken = whole.clone();
            broken[number][at] ^= 1 << (at % 8);
            assert!(open(&join(&broken), keys()).is_err(), "part {number}, byte {at}");
            changed += 1;
        }
    }
    println!("{changed} changes refused");
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn what_was_sealed_opens(payload in object(), large in any::<bool>()) {
        let kid = if large { "rsa4096-a" } else { "rsa2048-a" };
        let token = seal(&partner(kid), payload.as_bytes()).expect("sealed");
        let body = envelope(&token);
        let taken = token_of(body.as_bytes()).expect("an envelope");
        prop_assert_eq!(&taken, &token);
        let opened = open(&taken, keys());
        let opened = opened.ok().map(|payload| payload.json().to_vec());
        prop_assert_eq!(opened, Some(payload.into_bytes()));
    }

    #[test]
    fn any_changed_character_of_a_token_is_refused(
        which in 0usize..30,
        at in any::<proptest::sample::Index>(),
        to in "[A-Za-z0-9_.~ =+/-]",
    ) {
        let vector = &all()[which];
        let at = at.index(vector.token.len());
        let mut token = vector.token.to_owned();
        token.replace_range(at..=at, &to);
        if token != vector.token {
            prop_assert!(open(&token, keys()).is_err());
        }
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn any_text_and_any_bytes_are_judged(text in ".{0,300}", bytes in any::<Vec<u8>>()) {
        prop_assert!(open(&text, keys()).is_err());
        drop(PartnerKey::from_base64(&text));
        drop(PartnerKey::from_pem(&text));
        drop(PartnerKey::from_der(&bytes));
        prop_assert!(token_of(&bytes).is_err());
    }

    #[test]
    fn any_header_is_judged(header in any::<Vec<u8>>(), json in object()) {
        let tail = format!("{}.{}.{}.{}", part(&[1; 256]), part(&[0; 12]), "", part(&[0; 16]));
        for header in [header, json.into_bytes()] {
            let token = format!("{}.{tail}", part(&header));
            prop_assert!(open(&token, keys()).is_err());
        }
    }

    #[test]
    fn any_five_parts_are_judged(parts in proptest::array::uniform5(any::<Vec<u8>>())) {
        prop_assert!(open(&join(&parts), keys()).is_err());
    }
}
