//! The platform's keys on disk and in time: sealed under the local master key, rotated with the old
//! one still opening, few at a time, and moved to another local master key.

use std::fs;
use std::path::{Path, PathBuf};

use admin_api::jwe::{
    KeyFileError, KeyLife, KeyRules, OpenPolicy, Openable, PartnerKey, PlatformKeyFile,
    PlatformKeys, PublishedKey, Refused, RotationError, RsaBits, seal,
};
use switch_domain::Timestamp;
use switch_security::{Component, LocalMasterKey, LocalMasterKeys};

use crate::stage::{LATER, NOW, RULES, fresh_keys, key};

fn components(folder: &Path, name: &str) -> Vec<PathBuf> {
    let paths: Vec<_> = (0..2).map(|one| folder.join(format!("{name}-{one}.lmk"))).collect();
    for path in &paths {
        Component::generate().expect("random").save(path).expect("saved");
    }
    paths
}

fn master(paths: &[PathBuf]) -> LocalMasterKey {
    LocalMasterKey::load(paths).expect("a local master key")
}

fn after(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1_000_000)
}

/// A token for the active key of these.
fn token_for(keys: &PlatformKeys) -> String {
    let published = PublishedKey::of(keys.active());
    let key = PartnerKey::from_base64(&published.public_key).expect("a key");
    seal(&key, br#"{"pin":"none"}"#).expect("sealed")
}

fn opens(token: &str, keys: &PlatformKeys, now: Timestamp) -> Result<(), Refused> {
    Openable::check(token, keys, &OpenPolicy::default(), now)?.open().map(|_| ())
}

#[test]
fn keys_are_made_kept_rotated_and_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let masters = LocalMasterKeys::new(master(&components(folder.path(), "a")));
    let path = folder.path().join("jwe.keys");
    let file = PlatformKeyFile::new(path.clone(), KeyRules::default());
    assert!(file.load(&masters, NOW).expect("no file").is_none());
    let missing = file.rotate(&masters, RsaBits::Bits3072, (NOW, after(60)));
    assert!(matches!(missing, Err(KeyFileError::Missing)));

    let first = file.create(&masters, RsaBits::Bits3072).expect("made");
    assert_eq!(first.active().bits(), 3072);
    let again = file.create(&masters, RsaBits::Bits3072);
    assert!(matches!(again, Err(KeyFileError::Exists)));
    let old_token = token_for(&first);

    let rotated = file.rotate(&masters, RsaBits::Bits3072, (NOW, after(60))).expect("rotated");
    assert_ne!(rotated.active().kid(), first.active().kid());
    let new_token = token_for(&rotated);
    let loaded = file.load(&masters, NOW).expect("opens").expect("there");
    let lives: Vec<_> =
        loaded.iter().map(|(key, life)| (key.kid().as_str().to_owned(), life)).collect();
    let expected = [
        (rotated.active().kid().as_str().to_owned(), KeyLife::Active),
        (first.active().kid().as_str().to_owned(), KeyLife::Until(after(60))),
    ];
    assert_eq!(lives, expected);

    for (now, old) in [(NOW, Ok(())), (after(59), Ok(())), (after(60), Err(Refused::DoesNotOpen))] {
        assert_eq!(opens(&new_token, &loaded, now), Ok(()));
        assert_eq!(opens(&old_token, &loaded, now), old);
        assert_eq!(opens(&new_token, &first, now), Err(Refused::DoesNotOpen));
    }
    let ended = file.load(&masters, after(60)).expect("opens").expect("there");
    assert_eq!(ended.iter().count(), 1, "what has ended is not loaded");

    let text = fs::read_to_string(&path).expect("text");
    let der = rotated.active().kid().as_str();
    assert!(!text.contains(der) && !text.contains("MII") && text.contains("jwe-keys"), "sealed");
}

#[test]
fn the_file_moves_to_another_local_master_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let (old, new) = (components(folder.path(), "a"), components(folder.path(), "b"));
    let file = PlatformKeyFile::new(folder.path().join("jwe.keys"), KeyRules::default());
    let alone = LocalMasterKeys::new(master(&old));
    let made = file.create(&alone, RsaBits::Bits3072).expect("made");
    let moving = LocalMasterKeys::new(master(&new)).with_previous(master(&old));
    assert!(file.rewrap(&moving).expect("moved"));
    assert!(!file.rewrap(&moving).expect("moved before"));
    assert!(file.load(&alone, NOW).is_err());
    let after = LocalMasterKeys::new(master(&new));
    let loaded = file.load(&after, NOW).expect("opens").expect("there");
    assert_eq!(loaded.active().kid(), made.active().kid());
    assert_eq!(opens(&token_for(&made), &loaded, NOW), Ok(()));
}

#[test]
fn keys_are_few_and_differ_in_their_names() {
    let keys = fresh_keys();
    let same = keys.rotate(key("rsa4096-a"), (NOW, LATER), &RULES);
    assert_eq!(same.err(), Some(RotationError::KidTaken));
    let few = KeyRules { most_keys: 1, ..RULES };
    let one = PlatformKeys::new(key("rsa4096-a"));
    let too_many = one.rotate(key("rsa2048-a"), (NOW, LATER), &few);
    assert_eq!(too_many.err(), Some(RotationError::TooMany(1)));
    let at_once = one.rotate(key("rsa2048-a"), (NOW, NOW), &few).expect("the old one ends now");
    assert_eq!(at_once.iter().count(), 1);
    assert_eq!(at_once.live(NOW).count(), 1);
}
