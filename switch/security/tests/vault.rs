//! The PAN vault through its public face. Pinned values were computed with Python's `hmac` and
//! `cryptography`, not with this code.

use std::collections::HashSet;

use proptest::prelude::{Strategy, proptest};
use switch_domain::{Bin, BinRange, Fingerprint, Pan};
use switch_security::{
    IssueError, NotATestPan, PanKeys, PanVault, SealedPan, SecurityModule, SoftwareModule,
    VaultError, reveal_test_pan,
};

const KEYS: &str = "\
key_id = 0102030405060708
encryption = 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
fingerprint = 404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f
";

const PLACE: &[u8] = b"card_vault.pan.7";

fn pan(digits: &str) -> Pan {
    Pan::from_digits(digits.as_bytes()).expect("well formed")
}

fn vault() -> PanVault {
    PanVault::new(&PanKeys::parse(KEYS).expect("keys")).expect("vault")
}

#[test]
fn fingerprints_are_those_of_an_independent_hmac() {
    for (digits, expected) in [
        ("9999991200000018", "1b44288d603002adb795162cd53d71b5"),
        ("99999912000000", "6a7e5b5e3aea1a010240d5adf647acfb"),
        ("9999991200000000000", "1eb00202c4abf55f24f8da62041b04dd"),
    ] {
        assert_eq!(hex::encode(vault().fingerprint(&pan(digits)).0), expected, "{digits}");
    }
}

#[test]
fn a_value_that_an_independent_aes_gcm_sealed_opens() {
    let ciphertext = "7e3bef22fcdcf329bd71a7bb81d9495583d6870924306191c4758383772d007628c0cf";
    let sealed = SealedPan {
        key_id: "0102030405060708".parse().expect("a key id"),
        nonce: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        ciphertext: hex::decode(ciphertext).expect("hex"),
    };
    let expected = pan("9999991200000018");
    let opened = vault().open(&sealed, &vault().fingerprint(&expected), PLACE).expect("opens");
    assert!(opened == expected);
}

#[test]
fn nothing_but_the_sealed_value_at_its_place_opens() {
    let vault = vault();
    let number = pan("9999991200000018");
    let other = vault.fingerprint(&pan("9999991200000026"));
    let fingerprint = vault.fingerprint(&number);
    let sealed = vault.seal(&number, PLACE).expect("sealed");
    assert!(vault.open(&sealed, &fingerprint, PLACE).expect("opens") == number);

    let refused = |sealed: &SealedPan, fingerprint: &Fingerprint, place: &[u8]| {
        assert_eq!(vault.open(sealed, fingerprint, place).err(), Some(VaultError::NotAuthentic));
    };
    refused(&sealed, &fingerprint, b"card_vault.pan.8");
    refused(&sealed, &other, PLACE);
    for at in 0..sealed.ciphertext.len() {
        let mut changed = sealed.clone();
        changed.ciphertext[at] ^= 1;
        refused(&changed, &fingerprint, PLACE);
    }
    for length in 0..sealed.ciphertext.len() {
        let mut cut = sealed.clone();
        cut.ciphertext.truncate(length);
        refused(&cut, &fingerprint, PLACE);
    }
    let mut changed = sealed.clone();
    changed.nonce[11] ^= 1;
    refused(&changed, &fingerprint, PLACE);
}

#[test]
fn another_key_is_named_and_a_forged_name_does_not_help() {
    let number = pan("9999991200000018");
    let (ours, theirs) = (vault(), PanKeys::generate().expect("keys"));
    let theirs_id = theirs.id();
    let theirs = PanVault::new(&theirs).expect("vault");
    assert_ne!(ours.fingerprint(&number), theirs.fingerprint(&number));

    let mut sealed = theirs.seal(&number, PLACE).expect("sealed");
    let fingerprint = theirs.fingerprint(&number);
    let loaded = "0102030405060708".parse().expect("a key id");
    assert_eq!(
        ours.open(&sealed, &fingerprint, PLACE).err(),
        Some(VaultError::OtherKey { found: theirs_id, loaded })
    );
    sealed.key_id = loaded;
    assert_eq!(ours.open(&sealed, &fingerprint, PLACE).err(), Some(VaultError::NotAuthentic));
}

#[test]
fn sealing_twice_gives_two_values_of_one_length() {
    let vault = vault();
    let sealed: Vec<_> = ["9999991200000018", "9999991200000018", "99999912000000"]
        .iter()
        .map(|digits| vault.seal(&pan(digits), PLACE).expect("sealed"))
        .collect();
    assert_ne!(sealed[0].nonce, sealed[1].nonce);
    assert_ne!(sealed[0].ciphertext, sealed[1].ciphertext);
    assert!(sealed.iter().all(|value| value.ciphertext.len() == 35));
}

fn digits() -> impl Strategy<Value = String> {
    "[0-9]{10,15}".prop_map(|rest| format!("9999{rest}"))
}

proptest! {
    #[test]
    fn every_number_comes_back(digits in digits(), place: Vec<u8>) {
        let (vault, number) = (vault(), pan(&digits));
        let sealed = vault.seal(&number, &place).expect("sealed");
        let opened = vault.open(&sealed, &vault.fingerprint(&number), &place).expect("opens");
        assert!(opened == number);
        assert!(!format!("{sealed:?}").contains(&digits));
    }
}

#[test]
fn new_numbers_are_of_the_range_and_differ() {
    let module = SoftwareModule::new(&PanKeys::parse(KEYS).expect("keys")).expect("module");
    for pan_length in 14..=19 {
        let range = BinRange { low: Bin(99_999_912), high: Bin(99_999_914), pan_length };
        let mut seen = (HashSet::new(), HashSet::new());
        for _ in 0..200 {
            let number = module.generate_pan(&range).expect("a number");
            assert!(number.passes_luhn());
            assert_eq!(number.length(), pan_length);
            assert!(range.contains(Bin(number.bin())));
            seen.0.insert(number.bin());
            seen.1.insert(module.fingerprint(&number));
        }
        assert_eq!(seen.0.len(), 3, "every BIN of the range is drawn");
        // The shortest numbers leave five random digits: 300,000 of them, so few meet in 200.
        assert!(seen.1.len() >= 190, "numbers of {pan_length} digits repeat");
    }
}

#[test]
fn a_range_that_is_none_gives_no_number() {
    let module = SoftwareModule::new(&PanKeys::parse(KEYS).expect("keys")).expect("module");
    for (low, high, pan_length) in [
        (99_999_913, 99_999_912, 16),
        (9_999_991, 99_999_912, 16),
        (99_999_912, 100_000_000, 16),
        (99_999_912, 99_999_912, 13),
        (99_999_912, 99_999_912, 20),
    ] {
        let range = BinRange { low: Bin(low), high: Bin(high), pan_length };
        let drawn = module.generate_pan(&range);
        assert_eq!(drawn.err(), Some(IssueError::InvalidRange), "{range:?}");
    }
}

#[test]
fn only_test_numbers_are_ever_shown() {
    assert_eq!(reveal_test_pan(&pan("9999991200000018")), Ok("9999991200000018".to_owned()));
    for real_looking in ["4111111111111111", "5555555555554444", "4000000000000002"] {
        assert_eq!(reveal_test_pan(&pan(real_looking)), Err(NotATestPan), "{real_looking}");
    }
}
