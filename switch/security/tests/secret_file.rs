//! A secret under the local master key: it opens for its purpose and its key alone, nothing of it
//! stands in the file, and a change to any part of the file is found.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use switch_security::{Component, LocalMasterKey, LocalMasterKeys, SecretFile, SecretFileError};
use zeroize::Zeroizing;

const SECRET: &[u8] = b"what nobody may read";

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

fn masters(paths: &[PathBuf]) -> LocalMasterKeys {
    LocalMasterKeys::new(master(paths))
}

fn write(file: &SecretFile, masters: &LocalMasterKeys, secret: &[u8]) {
    let secret = Zeroizing::new(secret.to_vec());
    let written = file.change::<_, SecretFileError>(masters, |_| Ok((secret, ())));
    written.expect("written");
}

#[test]
fn it_comes_back_and_stands_nowhere_in_clear() {
    let folder = tempfile::tempdir().expect("a folder");
    let masters = masters(&components(folder.path(), "a"));
    let file = SecretFile::new(folder.path().join("one.keys"), "one");
    assert!(file.load(&masters).expect("no file").is_none());
    write(&file, &masters, SECRET);
    assert_eq!(file.load(&masters).expect("opens").expect("there").as_slice(), SECRET);
    let text = fs::read_to_string(file.path()).expect("text");
    assert!(!text.contains(&hex::encode(SECRET)) && !text.contains("nobody"), "{text}");
    let mode = fs::metadata(file.path()).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let before = fs::read_to_string(file.path()).expect("text");
    write(&file, &masters, SECRET);
    assert_ne!(before, fs::read_to_string(file.path()).expect("text"), "a fresh nonce each time");
}

#[test]
fn another_purpose_another_key_and_any_change_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = masters(&components(folder.path(), "a"));
    let path = folder.path().join("one.keys");
    let file = SecretFile::new(path.clone(), "one");
    write(&file, &own, SECRET);

    let other = masters(&components(folder.path(), "b"));
    let refused = file.load(&other);
    assert!(matches!(refused, Err(SecretFileError::OtherMasterKey { .. })));

    let text = fs::read_to_string(&path).expect("text");
    let renamed = text.replace("sealed one", "sealed two");
    fs::write(&path, renamed).expect("written");
    let refused = SecretFile::new(path.clone(), "two").load(&own);
    assert!(matches!(refused, Err(SecretFileError::NotAuthentic(_))), "another purpose");
    assert!(matches!(file.load(&own), Err(SecretFileError::NotASecretFile(_))));

    let start = text.find("sealed").expect("a line");
    for (at, old) in text.bytes().enumerate().skip(start) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if old == b'0' { b'1' } else { b'0' };
        fs::write(&path, bytes).expect("written");
        assert!(file.load(&own).is_err(), "byte {at} changed");
    }
    fs::write(&path, &text).expect("written");
    fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("chmod");
    assert!(matches!(file.load(&own), Err(SecretFileError::OpenToOthers { .. })));
}

#[test]
fn it_moves_to_another_master_key_and_a_refused_change_leaves_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (old, new) = (components(folder.path(), "a"), components(folder.path(), "b"));
    let file = SecretFile::new(folder.path().join("one.keys"), "one");
    write(&file, &masters(&old), SECRET);
    let moving = LocalMasterKeys::new(master(&new)).with_previous(master(&old));
    let refused = file.change::<(), _>(&moving, |_| {
        Err(SecretFileError::Busy(PathBuf::from("the change itself refuses")))
    });
    assert!(refused.is_err());
    assert!(file.load(&masters(&old)).expect("as it was").is_some());
    let moved =
        file.change::<_, SecretFileError>(&moving, |secret| Ok((secret.expect("there"), ())));
    moved.expect("moved");
    assert_eq!(file.load(&masters(&new)).expect("opens").expect("there").as_slice(), SECRET);
    assert!(file.load(&masters(&old)).is_err());
}
