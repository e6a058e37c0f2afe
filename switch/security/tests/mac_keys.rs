//! MAC keys on their way in: components, the file they stand in, and what is refused of both. No
//! text that comes out of it has a digit of a key.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use switch_security::{InvalidKey, Key, KeyCipher, KeyName, KeyUsage, MacKeys, combine};

const FIRST: &str = "0123456789ABCDEFFEDCBA9876543210";
const GOOD: &str = "acquirer = M3 T 08D7B4 0123456789ABCDEFFEDCBA9876543210";

#[test]
fn keys_of_a_file_in_clear_are_read_and_the_file_destroyed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mac.key");
    fs::write(&path, GOOD).expect("written");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("chmod");
    let keys = MacKeys::load(&path).expect("loads");
    let shown: Vec<_> = keys.iter().map(|key| key.key.check_value().to_string()).collect();
    assert_eq!(shown, ["08D7B4"]);
    let ring = keys.into_ring().expect("a ring");
    let name = KeyName::new("acquirer").expect("a name");
    assert!(ring.find(&name, KeyUsage::M3).is_ok());
    // Whoever held it open sees zeros.
    let mut held = fs::File::open(&path).expect("there");
    MacKeys::destroy_file(&path).expect("destroyed");
    let mut left = Vec::new();
    std::io::Read::read_to_end(&mut held, &mut left).expect("readable");
    assert_eq!((left, path.exists()), (vec![0; GOOD.len()], false));
}

#[test]
fn a_file_that_others_may_use_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mac.key");
    fs::write(&path, GOOD).expect("written");
    for (mode, good) in [(0o640, false), (0o604, false), (0o700, false), (0o400, true)] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("chmod");
        assert_eq!(MacKeys::load(&path).is_ok(), good, "mode {mode:o}");
    }
}

#[test]
fn every_wrong_line_is_named_and_no_key_is_shown() {
    let rows = [
        ("acquirer", "line 1", "name = usage"),
        ("Acquirer = M3 T 08D7B4 0123456789ABCDEFFEDCBA9876543210", "line 1", "small letters"),
        (" = M3 T 08D7B4 0123456789ABCDEFFEDCBA9876543210", "line 1", "small letters"),
        ("acquirer = M2 T 08D7B4 0123456789ABCDEFFEDCBA9876543210", "line 1", "M1, M3 or M6"),
        ("acquirer = M3 X 08D7B4 0123456789ABCDEFFEDCBA9876543210", "line 1", "D, T or A"),
        ("acquirer = M3 A 08D7B4 0123456789ABCDEFFEDCBA9876543210", "line 1", "triple DES (T)"),
        ("acquirer = M3 T 08D7 0123456789ABCDEFFEDCBA9876543210", "line 1", "check value of 6"),
        ("acquirer = M3 T 08D7B5 0123456789ABCDEFFEDCBA9876543210", "line 1", "value 08D7B4"),
        ("acquirer = M3 T 08D7B4 0123456789ABCDEFFEDCBA987654321", "line 1", "hexadecimal"),
        ("acquirer = M3 T 08D7B4 0123456789ABCDEFFEDCBA987654321Z", "line 1", "hexadecimal"),
        ("acquirer = M3 T 08D7B4", "line 1", "name = usage"),
        ("acquirer = M3 T 08D7B4 0123456789ABCDEFFEDCBA9876543210 x", "line 1", "name = usage"),
        ("# why\n\nacquirer = M1 T 0000000 0123456789ABCDEF", "line 3", "check value of 6"),
    ];
    for (text, line, expected) in rows {
        let error = MacKeys::parse(text).err().expect("refused");
        let told = format!("{error} {error:?}");
        assert!(told.contains(line) && told.contains(expected), "{told} should say {expected}");
        assert!(!told.contains("89ABCDEFFE") && !told.contains("9876543"), "{told}");
    }
    let twice = MacKeys::parse(&format!("{GOOD}\n{GOOD}")).err().expect("refused").to_string();
    assert!(twice.contains("a key acquirer already"), "{twice}");
}

#[test]
fn components_make_the_key_and_one_wrong_check_value_refuses_all() {
    let (tdes, retail) = (KeyCipher::Tdes, KeyUsage::M3);
    // Two whose exclusive or is FIRST.
    let (one, two) = ("FFFFFFFF00000000FFFFFFFF00000000", "FEDCBA9889ABCDEF0123456776543210");
    let check = |digits: &str| {
        let key = hex::decode(digits).expect("hexadecimal");
        Key::new(KeyUsage::M6, tdes, &key).expect("a key").check_value().to_string()
    };
    let checks = [check(two), check(FIRST)];
    for text in [
        format!("{one}\n{two}"),
        format!("# of A\n{one}\n\n{two} {}\n", checks[0]),
        format!("{FIRST} {}", checks[1].to_lowercase()),
    ] {
        let key = combine(retail, tdes, &text).expect("a key");
        assert_eq!(key.check_value().to_string(), "08D7B4", "{text}");
    }
    for (text, expected) in [
        (String::new(), "no component"),
        (format!("{one}\n{two} 000000"), "component 2 has check value"),
        (format!("{one}\n{}", &two[..16]), "component 2 has another length"),
        (format!("{one}\n{two} {} more", checks[0]), "component 2: expected"),
        (format!("{one}0\n{two}"), "component 1: expected"),
        (format!("{one}\n{one}"), "all zeros"),
        ("00".repeat(33), "component 1: expected"),
        ("0123456789ABCDEF".into(), "8 bytes: M3 takes 16"),
    ] {
        let error = combine(retail, tdes, &text).err().expect("refused").to_string();
        assert!(error.contains(expected), "{error} should say {expected}");
        assert!(!error.contains("FFFFFFFF") && !error.contains("9889AB"), "{error}");
    }
}

#[test]
fn keys_that_are_no_protection_are_refused() {
    let weak = Err(InvalidKey::Weak);
    let equal = Err(InvalidKey::EqualParts);
    let rows = [
        (KeyUsage::M1, KeyCipher::Des, "0000000000000000", weak),
        (KeyUsage::M1, KeyCipher::Des, "FFFFFFFFFFFFFFFF", weak),
        (KeyUsage::M3, KeyCipher::Tdes, "0123456789ABCDEF01FE01FE01FE01FE", weak),
        (KeyUsage::M3, KeyCipher::Tdes, "0123456789ABCDEF0123456789ABCDEF", equal),
        // They differ in parity alone.
        (KeyUsage::M6, KeyCipher::Tdes, "0123456789ABCDEF0022446688AACCEE", equal),
        // The first once more as the third.
        (KeyUsage::M6, KeyCipher::Tdes, "0123456789ABCDEFFEDCBA98765432100123456789ABCDEF", equal),
        (KeyUsage::M6, KeyCipher::Aes, "00000000000000000000000000000000", weak),
        (KeyUsage::M6, KeyCipher::Aes, "00000000000000000000000000000001", Ok(())),
        (KeyUsage::M1, KeyCipher::Des, "0123456789ABCDEF", Ok(())),
    ];
    for (algorithm, cipher, key, expected) in rows {
        let made = Key::new(algorithm, cipher, &hex::decode(key).expect("hexadecimal"));
        assert_eq!(made.map(|_| ()), expected, "{algorithm:?} {cipher:?} {key}");
    }
}
