//! The file of the vault's keys in clear: readable by its owner alone, refused in any other form.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use switch_security::{KeyFileError, PanKeys};

const ID: &str = "key_id = 0102030405060708";
const ENCRYPTION: &str =
    "encryption = 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const FINGERPRINT: &str =
    "fingerprint = 404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f";

#[test]
fn a_file_that_others_may_use_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pan.keys");
    fs::write(&path, format!("{ID}\n{ENCRYPTION}\n{FINGERPRINT}\n")).expect("written");
    for mode in [0o640, 0o604, 0o660, 0o644, 0o622, 0o777, 0o700, 0o601, 0o610] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("chmod");
        let refused = PanKeys::load(&path).err();
        let seen = match refused {
            Some(KeyFileError::OpenToOthers { mode, .. }) => mode,
            other => panic!("mode {mode:o} gave {other:?}"),
        };
        assert_eq!(seen, mode);
    }
    for mode in [0o600, 0o400] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("chmod");
        assert!(PanKeys::load(&path).is_ok(), "mode {mode:o}");
    }
}

#[test]
fn what_is_no_key_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = PanKeys::load(&folder.path().join("absent")).err();
    assert!(matches!(missing, Some(KeyFileError::Unreadable { .. })), "{missing:?}");
    let directory = PanKeys::load(folder.path()).err();
    assert!(matches!(directory, Some(KeyFileError::NotAKeyFile(_))), "{directory:?}");
    let large = folder.path().join("large");
    fs::write(&large, vec![b'#'; 5000]).expect("written");
    fs::set_permissions(&large, Permissions::from_mode(0o600)).expect("chmod");
    let large = PanKeys::load(&large).err();
    assert!(matches!(large, Some(KeyFileError::NotAKeyFile(_))), "{large:?}");
}

#[test]
fn every_wrong_line_is_named_and_no_key_is_shown() {
    let short = ENCRYPTION.trim_end_matches('f');
    let zero = format!("encryption = {}", "0".repeat(64));
    let same = FINGERPRINT.replace("fingerprint", "encryption");
    for (text, expected) in [
        (format!("{ID}\n{ENCRYPTION}"), "has no line `fingerprint"),
        (format!("{ID}\n{FINGERPRINT}"), "has no line `encryption"),
        (format!("{ENCRYPTION}\n{FINGERPRINT}"), "has no line `key_id"),
        (format!("{ID}\n{short}\n{FINGERPRINT}"), "line 2"),
        (format!("{ID}\n{ENCRYPTION}\n{ENCRYPTION}\n{FINGERPRINT}"), "line 3"),
        (format!("key_id = 01\n{ENCRYPTION}\n{FINGERPRINT}"), "line 1"),
        (format!("# why\n\n{ID}\npassword = x"), "line 4"),
        (format!("{ID}\nencryption"), "line 2"),
        (format!("{ID}\n{zero}\n{FINGERPRINT}"), "must differ"),
        (format!("{ID}\n{same}\n{FINGERPRINT}"), "must differ"),
        (String::new(), "has no line `key_id"),
    ] {
        let error = PanKeys::parse(&text).err().expect("refused");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(expected), "{shown} should say {expected}");
        assert!(!shown.contains("0a0b0c0d") && !shown.contains("4a4b4c4d"), "{shown}");
    }
}

#[test]
fn the_check_value_names_the_pair_and_is_stable() {
    let keys = |id: &str, encryption: &str, fingerprint: &str| {
        PanKeys::parse(&format!("{id}\n{encryption}\n{fingerprint}")).expect("keys").check_value()
    };
    let pair = keys(ID, ENCRYPTION, FINGERPRINT);
    // Computed with Python's hmac.
    assert_eq!(pair.as_str(), "b056f0a4aff9c0df");
    let changed = |line: &str| format!("{}e", line.trim_end_matches('f'));
    assert_ne!(pair, keys(&ID.replace("08", "09"), ENCRYPTION, FINGERPRINT));
    assert_ne!(pair, keys(ID, &changed(ENCRYPTION), FINGERPRINT));
    assert_ne!(pair, keys(ID, ENCRYPTION, &format!("{}0", &FINGERPRINT[..FINGERPRINT.len() - 1])));
}
