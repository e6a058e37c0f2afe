//! Keys: what each may be asked to do, how versions follow one another, and what is no key. The
//! table of functions is written out once more here: one that is changed by mistake differs.

use switch_domain::Timestamp;
use switch_security::{
    CheckMethod, Function, InvalidKey, Key, KeyCipher, KeyError, KeyHandle, KeyMode, KeyName,
    KeyRing, KeyRingError, KeyState, KeyUsage, MacAlgorithm, NamedKey,
};

const AT: Timestamp = Timestamp(1_000_000);

fn name(name: &str) -> KeyName {
    KeyName::new(name).expect("a name")
}

/// Bytes that are a key of any kind, others for each pair of numbers.
fn sound(step: u8, first: u8, length: u8) -> Vec<u8> {
    (0..length).map(|byte| byte.wrapping_mul(step).wrapping_add(first)).collect()
}

fn key(usage: KeyUsage, mode: KeyMode) -> Key {
    let cipher = if usage == KeyUsage::K1 { KeyCipher::Aes } else { KeyCipher::Tdes };
    let bytes = sound(37, usage.code().as_bytes()[1], 16);
    Key::with_mode(usage, mode, cipher, &bytes).expect("a key")
}

fn ring(keys: impl IntoIterator<Item = (KeyName, Key)>) -> KeyRing {
    let mut ring = KeyRing::default();
    for (name, key) in keys {
        let number = ring.add(NamedKey { name: name.clone(), key }, AT).expect("room");
        ring.activate(&name, number, AT).expect("pending");
    }
    ring
}

/// What a key of each usage does, and with which modes beside `N`.
const PERMITTED: [(KeyUsage, Function, &str); 25] = [
    (KeyUsage::K0, Function::EncryptKey, "BE"),
    (KeyUsage::K0, Function::DecryptKey, "BD"),
    (KeyUsage::K1, Function::WrapKeyBlock, "BE"),
    (KeyUsage::K1, Function::UnwrapKeyBlock, "BD"),
    (KeyUsage::P0, Function::EncryptPin, "BE"),
    (KeyUsage::P0, Function::DecryptPin, "BD"),
    (KeyUsage::M1, Function::GenerateMac(MacAlgorithm::CbcMac), "CG"),
    (KeyUsage::M1, Function::VerifyMac(MacAlgorithm::CbcMac), "CV"),
    (KeyUsage::M3, Function::GenerateMac(MacAlgorithm::RetailMac), "CG"),
    (KeyUsage::M3, Function::VerifyMac(MacAlgorithm::RetailMac), "CV"),
    (KeyUsage::M6, Function::GenerateMac(MacAlgorithm::Cmac), "CG"),
    (KeyUsage::M6, Function::VerifyMac(MacAlgorithm::Cmac), "CV"),
    (KeyUsage::C0, Function::GenerateCardValue, "CG"),
    (KeyUsage::C0, Function::VerifyCardValue, "CV"),
    (KeyUsage::V1, Function::GenerateOffset, "CG"),
    (KeyUsage::V1, Function::VerifyOffset, "CV"),
    (KeyUsage::V2, Function::GeneratePvv, "CG"),
    (KeyUsage::V2, Function::VerifyPvv, "CV"),
    (KeyUsage::E0, Function::DeriveCryptogramKey, "X"),
    (KeyUsage::E1, Function::DeriveScriptCipherKey, "X"),
    (KeyUsage::E2, Function::DeriveScriptMacKey, "X"),
    (KeyUsage::E4, Function::DeriveDynamicNumberKey, "X"),
    (KeyUsage::D0, Function::EncryptData, "BE"),
    (KeyUsage::D0, Function::DecryptData, "BD"),
    (KeyUsage::B0, Function::DeriveTerminalKey, "X"),
];

#[test]
fn of_all_key_types_and_all_functions_only_the_listed_pairs_work() {
    let (mut crossed, mut worked) = (0, 0);
    for usage in KeyUsage::ALL {
        for mode in usage.modes().iter().copied() {
            let called = name(&usage.code().to_lowercase());
            let ring = ring([(called.clone(), key(usage, mode))]);
            let handle = ring.find(&called, usage).expect("known");
            for function in Function::ALL {
                let listed = PERMITTED.iter().any(|(of, does, modes)| {
                    (*of, *does) == (usage, function)
                        && (mode == KeyMode::Any || modes.contains(mode.letter()))
                });
                let active = ring.active(handle, function).map(|_| ());
                let accepted = ring.accepted(handle, function, || AT).map(|_| ());
                let refused = KeyError::Refused { name: called.clone(), usage, mode, function };
                let expected = if listed { Ok(()) } else { Err(refused) };
                assert_eq!(active, expected, "{usage} {mode} {function}");
                assert_eq!(accepted, expected, "{usage} {mode} {function}");
                crossed += 1;
                worked += usize::from(listed);
            }
        }
    }
    println!("{crossed} pairs of key type and function, {worked} of them work");
    assert_eq!((crossed, worked), (1250, 70));
    // A refusal names key, usage and function.
    let ring = ring([(name("issuer-pvk"), key(KeyUsage::V2, KeyMode::Calculate))]);
    let handle = ring.find(&name("issuer-pvk"), KeyUsage::V2).expect("known");
    let refused =
        ring.active(handle, Function::GenerateCardValue).map(|_| ()).expect_err("refused");
    let told = refused.to_string();
    for part in ["issuer-pvk", "V2", "generate_card_value"] {
        assert!(told.contains(part), "{told}");
    }
    let wanted = ring.find(&name("issuer-pvk"), KeyUsage::C0).expect_err("refused").to_string();
    assert!(wanted.contains("issuer-pvk is for V2") && wanted.contains("asked for C0"), "{wanted}");
    let unknown = ring.find(&name("other"), KeyUsage::V2);
    assert_eq!(unknown, Err(KeyError::Unknown(name("other"))));
}

/// Three versions of one key of codes.
fn three_versions() -> (KeyRing, KeyHandle) {
    let mut ring = KeyRing::default();
    for first in [0x13, 0x57, 0x9B] {
        let bytes: Vec<u8> = sound(11, first, 16);
        let key = Key::new(KeyUsage::M3, KeyCipher::Tdes, &bytes).expect("a key");
        ring.add(NamedKey { name: name("peer"), key }, AT).expect("room");
    }
    let handle = ring.find(&name("peer"), KeyUsage::M3).expect("known");
    (ring, handle)
}

#[test]
fn a_new_key_is_pending_then_active_then_old_for_a_while_and_then_gone() {
    let generate = Function::GenerateMac(MacAlgorithm::RetailMac);
    let verify = Function::VerifyMac(MacAlgorithm::RetailMac);
    let (mut ring, handle) = three_versions();
    let peer = name("peer");
    let none = Err(KeyError::NotActive(peer.clone()));
    assert_eq!(ring.active(handle, verify).map(|_| ()), none);

    let accepted = |ring: &KeyRing, function, at| -> Vec<u32> {
        let accepted = ring.accepted(handle, function, || Timestamp(at)).expect("permitted");
        accepted.map(|(number, _)| number).collect()
    };
    ring.activate(&peer, 1, Timestamp(0)).expect("pending");
    // The other holder may have begun with a pending one.
    assert_eq!(accepted(&ring, verify, 0), [1, 3, 2]);
    assert_eq!(accepted(&ring, generate, 0), [1]);
    ring.activate(&peer, 2, Timestamp(50)).expect("pending");
    ring.activate(&peer, 3, Timestamp(90)).expect("pending");
    // The newest first; each until its time; what makes codes takes the active one alone.
    assert_eq!(accepted(&ring, verify, 49), [3, 2, 1]);
    assert_eq!(accepted(&ring, verify, 50), [3, 2]);
    assert_eq!(accepted(&ring, verify, 90), [3]);
    assert_eq!(accepted(&ring, generate, 0), [3]);
    // The clock is not asked where the active one will do.
    let asked = ring.accepted(handle, verify, || panic!("the clock was asked"));
    assert_eq!(asked.expect("permitted").next().map(|(number, _)| number), Some(3));

    let state = |number, is, must| KeyRingError::State { name: peer.clone(), number, is, must };
    let again = ring.clone().activate(&peer, 2, AT);
    assert_eq!(again, Err(state(2, "old", "pending")));
    assert_eq!(ring.destroy(&peer, 3), Err(state(3, "active", "pending or old")));
    assert_eq!(ring.destroy_overdue(Timestamp(50)), [(peer.clone(), 1)]);
    assert_eq!(ring.destroy(&peer, 1), Err(state(1, "destroyed", "pending or old")));
    ring.destroy(&peer, 2).expect("old");
    let no_such = KeyRingError::NoSuchVersion { name: peer.clone(), number: 4 };
    assert_eq!(ring.destroy(&peer, 4), Err(no_such));
    let (_, _, versions) = ring.iter().next().expect("one");
    let states: Vec<_> = versions.iter().map(|one| (one.number(), one.state())).collect();
    let gone = KeyState::Destroyed;
    assert_eq!(states, [(1, gone), (2, gone), (3, KeyState::Active)]);
    assert!(versions[0].key().is_none() && versions[2].key().is_some());
}

#[test]
fn a_name_stands_for_one_usage_and_no_key_is_there_twice() {
    let (mut ring, _) = three_versions();
    let mut add = |key| ring.add(NamedKey { name: name("peer"), key }, AT);
    let other = add(key(KeyUsage::P0, KeyMode::Both));
    assert!(matches!(other, Err(KeyRingError::OtherUsage { .. })), "{other:?}");
    let bytes = sound(11, 0x57, 16);
    let same = add(Key::new(KeyUsage::M3, KeyCipher::Tdes, &bytes).expect("a key"));
    assert!(matches!(same, Err(KeyRingError::SameKey { number: 2, .. })), "{same:?}");
    // Numbers are never given again, and what is destroyed makes room.
    for round in 4..40u8 {
        let bytes: Vec<u8> = sound(7, round, 16);
        let key = Key::new(KeyUsage::M3, KeyCipher::Tdes, &bytes).expect("a key");
        let number = ring.add(NamedKey { name: name("peer"), key }, AT).expect("room");
        assert_eq!(number, u32::from(round));
        ring.destroy(&name("peer"), number).expect("pending");
    }
    let (_, _, versions) = ring.iter().next().expect("one");
    assert_eq!(versions.len(), 3 + 8, "eight of the destroyed are remembered");
    let mut refused = 0;
    for round in 100..120u8 {
        let bytes: Vec<u8> = sound(7, round, 16);
        let key = Key::new(KeyUsage::M3, KeyCipher::Tdes, &bytes).expect("a key");
        let added = ring.add(NamedKey { name: name("peer"), key }, AT);
        refused += usize::from(matches!(added, Err(KeyRingError::TooManyVersions(_))));
    }
    assert_eq!(refused, 7, "sixteen live ones at most");
}

#[test]
fn lengths_ciphers_and_modes_go_with_the_usage() {
    let sound = sound(37, 5, 32);
    let of = |usage, cipher, length: usize| Key::new(usage, cipher, &sound[..length]).is_ok();
    for (usage, des, tdes, aes) in [
        ("K0 K1 P0 M6 D0", "", "16 24", "16 24 32"),
        ("M1", "8", "16 24", "16 24 32"),
        ("M3 C0 V1 V2 E0 E1 E2 E4", "", "16", ""),
        ("B0", "", "16", "16 24 32"),
    ] {
        for usage in usage.split(' ').map(|code| KeyUsage::from_code(code).expect("a usage")) {
            for (cipher, lengths) in KeyCipher::ALL.into_iter().zip([des, tdes, aes]) {
                let expected: Vec<usize> =
                    lengths.split_terminator(' ').map(|length| length.parse().unwrap()).collect();
                for length in 0..=32 {
                    let made = of(usage, cipher, length);
                    assert_eq!(made, expected.contains(&length), "{usage} {cipher:?} {length}");
                }
            }
            for mode in KeyMode::ALL {
                let good = usage.modes().contains(&mode);
                let cipher = KeyCipher::Tdes;
                let made = Key::with_mode(usage, mode, cipher, &sound[..16]).map(|key| key.mode());
                let refused = Err(InvalidKey::Mode { usage, mode });
                assert_eq!(made, if good { Ok(mode) } else { refused });
            }
        }
    }
    let long = Key::new(KeyUsage::D0, KeyCipher::Aes, &[7; 33]).map(|_| ());
    assert!(matches!(long, Err(InvalidKey::Length { bytes: 33, .. })), "{long:?}");
}

#[test]
fn generated_keys_are_sound_and_differ() {
    for (usage, cipher, length) in [
        (KeyUsage::C0, KeyCipher::Tdes, 16),
        (KeyUsage::K0, KeyCipher::Tdes, 24),
        (KeyUsage::K1, KeyCipher::Aes, 32),
    ] {
        let made = || Key::generate(usage, cipher, length).expect("random").expect("a key");
        let (one, other) = (made(), made());
        assert_ne!(one.check_value(), other.check_value());
        assert!(!one.is_well_known() && one.length() == length);
    }
    let short = Key::generate(KeyUsage::C0, KeyCipher::Tdes, 8).expect("random").map(|_| ());
    assert!(matches!(short, Err(InvalidKey::Length { bytes: 8, .. })), "{short:?}");
}

#[test]
fn keys_of_examples_are_recognized() {
    let known = |cipher, digits: &str| {
        let usage = KeyUsage::M1;
        let key = Key::new(usage, cipher, &hex::decode(digits).expect("hexadecimal"));
        key.expect("a key").is_well_known()
    };
    let (des, tdes, aes) = (KeyCipher::Des, KeyCipher::Tdes, KeyCipher::Aes);
    for (cipher, digits) in [
        (des, "0123456789ABCDEF"),
        (des, "1234567812345678"),
        (tdes, "0123456789ABCDEFFEDCBA9876543210"),
        (tdes, "FEDCBA98765432100123456789ABCDEF"),
        (tdes, "89ABCDEF0123456776543210FEDCBA98"),
        // The same in even parity.
        (tdes, "0022446688AACCEEFFDDBB9977553311"),
        (tdes, "DD7515F2BFC17F85CE48F3CA25CB21F6"),
        (tdes, "DC7414F3BEC07E84CF49F2CB24CA20F7"),
        (aes, "000102030405060708090A0B0C0D0E0F"),
        (aes, "00112233445566778899AABBCCDDEEFF"),
        (aes, "4141414141414141414141414141414141414141414141414141414141414141"),
        (aes, "12345678123456781234567812345678"),
        (aes, "2B7E151628AED2A6ABF7158809CF4F3C"),
    ] {
        assert!(known(cipher, digits), "{digits}");
    }
    for (cipher, digits) in [
        (tdes, "D538ABD3E9CE981FB5C8BAFB3458FD98"),
        (aes, "DC7414F3BEC07E84CF49F2CB24CA20F7"),
        (aes, "2B7E151628AED2A6ABF7158809CF4F3D"),
    ] {
        assert!(!known(cipher, digits), "{digits}");
    }
}

#[test]
fn an_aes_key_has_two_check_values_and_a_des_key_one() {
    let key = |usage, cipher, digits: &str| {
        Key::new(usage, cipher, &hex::decode(digits).expect("hexadecimal")).expect("a key")
    };
    let aes = key(KeyUsage::M6, KeyCipher::Aes, "3F419E1CB7079442AA37474C2EFBF8B8");
    let zeros = aes.check_value_by(CheckMethod::EncryptedZeros);
    assert_eq!(
        (aes.check_value().to_string(), zeros.to_string()),
        ("08793E".into(), "E5E07C".into())
    );
    let tdes = key(KeyUsage::M6, KeyCipher::Tdes, "0123456789ABCDEFFEDCBA9876543210");
    let zeros = tdes.check_value_by(CheckMethod::EncryptedZeros);
    assert_eq!((tdes.check_value(), zeros.to_string()), (zeros, "08D7B4".into()));
}
