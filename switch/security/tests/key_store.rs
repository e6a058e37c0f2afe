//! The local master key and the key file: put together from components, one of which that fails
//! refuses them all; keys in it under nothing else, and moved to another without a moment at which
//! a kill loses one.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use switch_domain::Timestamp;
use switch_security::{
    Component, Exportability, Key, KeyCipher, KeyMode, KeyName, KeyRing, KeyState, KeyStore,
    KeyStoreError, KeyUsage, LmkError, LocalMasterKey, LocalMasterKeys, NamedKey, list_keys,
};

const NOW: Timestamp = Timestamp(1_796_083_200_000_000);

fn name(name: &str) -> KeyName {
    KeyName::new(name).expect("a name")
}

/// Writes a file that its owner alone may use.
fn write(path: &Path, content: &str) {
    fs::write(path, content).expect("written");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("chmod");
}

/// So many fresh components, in files of this name.
fn components(folder: &Path, name: &str, number: usize) -> Vec<PathBuf> {
    let paths: Vec<_> = (0..number).map(|one| folder.join(format!("{name}-{one}.lmk"))).collect();
    for path in &paths {
        Component::generate().expect("random").save(path).expect("saved");
    }
    paths
}

fn master(paths: &[PathBuf]) -> LocalMasterKey {
    LocalMasterKey::load(paths).expect("a local master key")
}

fn store(path: &Path, paths: &[PathBuf]) -> KeyStore {
    KeyStore::new(path.to_owned(), LocalMasterKeys::new(master(paths)))
}

fn moving(path: &Path, to: &[PathBuf], from: &[PathBuf]) -> KeyStore {
    let masters = LocalMasterKeys::new(master(to)).with_previous(master(from));
    KeyStore::new(path.to_owned(), masters)
}

/// Puts in a key of each usage, active, and a second version of one, pending.
fn fill(ring: &mut KeyRing) -> Result<(), KeyStoreError> {
    for usage in KeyUsage::ALL {
        let name = name(&format!("key-{}", usage.code().to_lowercase()));
        let key = Key::generate(usage, KeyCipher::Tdes, 16).expect("random").expect("a key");
        let number = ring.add(NamedKey { name: name.clone(), key }, NOW).expect("room");
        ring.activate(&name, number, NOW).expect("pending");
    }
    let aes = Key::generate(KeyUsage::D0, KeyCipher::Aes, 32).expect("random").expect("a key");
    let key = aes.with_exportability(Exportability::Never);
    let key = key.with_other_mode(KeyMode::Decrypt).expect("a mode");
    ring.add(NamedKey { name: name("key-d0"), key }, NOW).expect("room");
    Ok(())
}

/// All that can be told of a ring.
fn told(ring: &KeyRing) -> Vec<String> {
    let versions = ring.iter().flat_map(|(name, usage, versions)| {
        versions.iter().map(move |one| {
            let key = one.key().map(|key| (key.exportability(), key.mode(), key.length()));
            let (number, state, created) = (one.number(), one.state(), one.created());
            format!("{name} {usage} {number} {state:?} {created:?} {:?} {key:?}", one.check_value())
        })
    });
    versions.collect()
}

#[test]
fn a_local_master_key_is_made_of_all_its_components_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = components(folder.path(), "c", 3);
    let whole = master(&paths).check_value();
    assert_ne!(whole, master(&paths[..2]).check_value());
    // In any order: they are added up.
    let turned: Vec<_> = paths.iter().rev().cloned().collect();
    assert_eq!(master(&turned).check_value(), whole);
    let mode = fs::metadata(&paths[0]).expect("there").permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600);

    let fails = |paths: &[PathBuf]| LocalMasterKey::load(paths).map(|_| ()).expect_err("refused");
    assert!(matches!(fails(&paths[..1]), LmkError::Number(1)));
    assert!(matches!(fails(&[]), LmkError::Number(0)));
    let four = [&paths[..], &paths[..1]].concat();
    assert!(matches!(fails(&four), LmkError::Number(4)));
    let twice = [paths[0].clone(), paths[1].clone(), paths[0].clone()];
    assert!(matches!(fails(&twice), LmkError::Twice(path) if path == paths[0]));

    let good = fs::read_to_string(&paths[1]).expect("there");
    let line = good.lines().last().expect("a line").to_owned();
    let digits = line.split(' ').next().expect("digits").to_owned();
    for (content, expected) in [
        (line.replace(' ', " 00"), "is not a key component"),
        (format!("{digits} 000000"), "not the one in it: no key was made"),
        (digits.clone(), "is not a key component"),
        (format!("{} {}", &digits[..62], "000000"), "is not a key component"),
        (format!("{line}\n{line}"), "is not a key component"),
        (String::new(), "is not a key component"),
    ] {
        write(&paths[1], &content);
        let error = fails(&paths);
        let told = format!("{error} {error:?}");
        assert!(error.to_string().contains(expected), "{error} should say {expected}");
        assert!(told.contains("c-1.lmk") && !told.contains(&digits[..8]), "{told}");
    }
    write(&paths[1], &good);
    for mode in [0o640, 0o604, 0o700] {
        fs::set_permissions(&paths[2], Permissions::from_mode(mode)).expect("chmod");
        assert!(matches!(fails(&paths), LmkError::OpenToOthers { .. }), "{mode:o}");
    }
    fs::remove_file(&paths[2]).expect("removed");
    assert!(matches!(fails(&paths), LmkError::Unreadable { .. }));
    let again = Component::generate().expect("random").save(&paths[0]);
    assert!(matches!(again, Err(LmkError::Unwritable { .. })), "nothing is written over");
    // Components of zeros, or that cancel out, are no key.
    let known = "00".repeat(32);
    write(&paths[0], &format!("{known} 763CBC"));
    assert!(fails(&paths).to_string().contains("no key was made"));
}

#[test]
fn keys_lie_in_the_file_in_blocks_alone_and_come_back_as_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = components(folder.path(), "c", 2);
    let file = folder.path().join("switch.keys");
    let store = store(&file, &paths);
    assert!(told(&store.load().expect("none")).is_empty());
    store.change(NOW, fill).expect("changed");
    let ring = store.load().expect("loads");
    assert_eq!(told(&ring).len(), KeyUsage::ALL.len() + 1);
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o7777, 0o600);
    let text = fs::read_to_string(&file).expect("there");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.starts_with("D0"), "{line}");
    }
    let until = Timestamp(NOW.0 + 3_600_000_000);
    let change = |ring: &mut KeyRing| {
        ring.activate(&name("key-d0"), 2, until).expect("pending");
        Ok::<_, KeyStoreError>(told(ring))
    };
    let changed = store.change(NOW, change).expect("changed");
    assert_eq!(told(&store.load().expect("loads")), changed);
    // What headers say is told without the local master key.
    let listed = list_keys(&file).expect("listed");
    let old = listed.iter().find(|key| key.state == KeyState::Old { until }).expect("one");
    assert_eq!((old.name.clone(), old.number, old.usage), (name("key-d0"), 1, KeyUsage::D0));
    assert_eq!(old.master, Some(master(&paths).check_value()));
    // Past its time it is destroyed by whoever changes the file next, and its block is gone.
    let nothing = |_: &mut KeyRing| Ok::<_, KeyStoreError>(());
    store.change(until, nothing).expect("changed");
    let listed = list_keys(&file).expect("listed");
    let gone: Vec<_> = listed.iter().filter(|key| key.master.is_none()).collect();
    assert_eq!((gone.len(), gone[0].number, gone[0].state), (1, 1, KeyState::Destroyed));
    assert!(store.load().is_ok() && store.is_current().expect("readable"));
    // What a change refuses leaves the file as it was.
    let before = fs::read(&file).expect("there");
    let refused = store.change(NOW, |_| Err::<(), _>(KeyStoreError::NotAKeyFile(file.clone())));
    assert!(refused.is_err());
    assert_eq!(fs::read(&file).expect("there"), before);
}

#[test]
fn a_file_that_is_wrong_in_any_line_is_not_read_and_no_key_can_be_given_another_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = components(folder.path(), "c", 2);
    let file = folder.path().join("switch.keys");
    let store = store(&file, &paths);
    store.change(NOW, fill).expect("changed");
    let good = fs::read_to_string(&file).expect("there");
    let fails = |content: &str| {
        write(&file, content);
        store.load().map(|_| ()).expect_err("refused").to_string()
    };
    for (from, to, expected) in [
        ("key-c0", "key-c9", "changed, or is under another key"),
        ("M3TC00S", "M6TC00S", "changed, or is under another key"),
        ("M3TC00S", "M3TN00S", "changed, or is under another key"),
        ("1 active", "2 active", "changed, or is under another key"),
        ("2 pending", "3 pending", "changed, or is under another key"),
        ("LB0A", "LB0B", "line"),
        ("D0", "what is this ", "line 2"),
    ] {
        assert!(good.contains(from), "{from}");
        let error = fails(&good.replacen(from, to, 1));
        assert!(error.contains(expected), "{error} should say {expected}");
    }
    // A line twice, or two versions the other way round.
    let lines: Vec<&str> = good.lines().collect();
    let twice = format!("{good}{}\n", lines[1]);
    assert!(fails(&twice).contains("does not follow"));
    let other = components(folder.path(), "other", 2);
    write(&file, &good);
    let stranger = self::store(&file, &other).load().map(|_| ()).expect_err("refused");
    assert!(matches!(stranger, KeyStoreError::OtherMasterKey { line: 2, .. }), "{stranger}");
    fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("chmod");
    let open = store.load().map(|_| ());
    assert!(matches!(open, Err(KeyStoreError::OpenToOthers { .. })), "{open:?}");
}

#[test]
fn keys_move_to_another_local_master_key_and_can_be_read_at_every_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, to) = (components(folder.path(), "a", 2), components(folder.path(), "b", 3));
    let file = folder.path().join("switch.keys");
    store(&file, &from).change(NOW, fill).expect("changed");
    let before = told(&store(&file, &from).load().expect("loads"));
    let both = moving(&file, &to, &from);
    let nothing = |_: &mut KeyRing| Ok::<_, KeyStoreError>(());
    assert_eq!(told(&both.load().expect("loads")), before, "before the move");
    assert!(!both.is_current().expect("readable"));
    // Killed while it wrote: half a file beside the whole one, and the lock's file.
    let half = fs::read_to_string(&file).expect("there");
    write(&folder.path().join("switch.keys.new"), &half[..half.len() / 2]);
    write(&folder.path().join("switch.keys.lock"), "");
    assert_eq!(told(&both.load().expect("loads")), before, "after a kill");
    both.change(NOW, nothing).expect("moved");
    assert!(both.is_current().expect("readable"));
    assert_eq!(told(&both.load().expect("loads")), before, "after the move");
    // Killed after it wrote, and run again.
    both.change(NOW, nothing).expect("moved again");
    assert_eq!(told(&store(&file, &to).load().expect("loads")), before, "without the old one");
    let old = store(&file, &from).load().map(|_| ());
    assert!(matches!(old, Err(KeyStoreError::OtherMasterKey { .. })), "{old:?}");
    // The other way: a program that knows the new one alone has nothing to fear from half a move.
    let left: Vec<_> = fs::read_dir(folder.path()).expect("listed").flatten().collect();
    assert_eq!(left.len(), 5 + 2, "components, file and lock");
}

#[test]
fn two_at_a_time_do_not_lose_each_others_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = components(folder.path(), "c", 2);
    let file = folder.path().join("switch.keys");
    let store = store(&file, &paths);
    let other = self::store(&file, &paths);
    let within = store.change(NOW, |_| {
        let inside = other.change(NOW, fill);
        Ok::<_, KeyStoreError>(matches!(inside, Err(KeyStoreError::Busy(_))))
    });
    assert!(within.expect("changed"), "the second is told to try again");
    other.change(NOW, fill).expect("now it may");
}
