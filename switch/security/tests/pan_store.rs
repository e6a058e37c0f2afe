//! The file of card-number keys: under the local master key, whole or refused; rotated beside a
//! module that works; and the move of keys that were in clear.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use switch_domain::{Pan, Timestamp};
use switch_security::{
    Component, KeyFileError, LocalMasterKey, LocalMasterKeys, PanKeyForm, PanKeyStore, PanKeys,
    PanStoreError, SecurityModule, SoftwareModule, VaultError,
};

const ENCRYPTION: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const INDEX: &str = "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f";
const PLACE: &[u8] = b"pan_vault.ciphertext.7";
const NOW: Timestamp = Timestamp(1_796_083_200_000_000);

fn components(folder: &Path, names: [&str; 2]) -> Vec<PathBuf> {
    let made = names.map(|name| {
        let path = folder.join(name);
        if !path.exists() {
            Component::generate().expect("random").save(&path).expect("saved");
        }
        path
    });
    made.to_vec()
}

fn masters(folder: &Path, names: [&str; 2]) -> LocalMasterKeys {
    LocalMasterKeys::new(LocalMasterKey::load(&components(folder, names)).expect("a key"))
}

fn store(folder: &Path) -> PanKeyStore {
    PanKeyStore::new(folder.join("pan.key"), masters(folder, ["first", "second"]))
}

fn pan() -> Pan {
    Pan::from_digits(b"9999991200000018").expect("a card number")
}

fn write_clear(path: &Path) {
    let text =
        format!("key_id = 0102030405060708\nencryption = {ENCRYPTION}\nfingerprint = {INDEX}\n");
    fs::write(path, text).expect("written");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("chmod");
}

#[test]
fn a_file_is_made_once_private_and_loads_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, store) = (folder.path().join("pan.key"), store(folder.path()));
    assert_eq!(PanKeyStore::form(&path).expect("a look"), PanKeyForm::Missing);
    let made = store.create(NOW).expect("made");
    assert_eq!(PanKeyStore::form(&path).expect("a look"), PanKeyForm::Blocks);
    let mode = fs::metadata(&path).expect("metadata").permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600);
    let loaded = store.load().expect("loads");
    assert_eq!(loaded.list(), made.list());
    assert_eq!((loaded.list()[0].created, loaded.list()[0].active), (NOW, true));
    let again = store.create(NOW).err();
    assert!(matches!(again, Some(PanStoreError::Exists(_))), "{again:?}");
    let no_master = PanKeyStore::new(path.clone(), masters(folder.path(), ["third", "fourth"]));
    let refused = no_master.load().err();
    assert!(matches!(refused, Some(PanStoreError::OtherMasterKey { line: 2, .. })), "{refused:?}");
    fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("chmod");
    let open = store.load().err();
    assert!(matches!(open, Some(PanStoreError::OpenToOthers { mode: 0o640, .. })), "{open:?}");
}

#[test]
fn a_file_that_was_changed_anywhere_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, store) = (folder.path().join("pan.key"), store(folder.path()));
    store.create(NOW).expect("made");
    store.rotate(NOW).expect("rotated");
    let good = fs::read_to_string(&path).expect("text");
    let lines: Vec<&str> = good.lines().collect();
    assert_eq!(lines.len(), 4, "a remark, the index, two keys");
    let begin = lines[0].len() + 1;
    for at in begin..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        fs::write(&path, bytes).expect("written");
        assert!(store.load().is_err(), "byte {at} of {good}");
    }
    let expect = |kept: &[usize], wanted: &str| {
        let text: Vec<&str> = kept.iter().map(|line| lines[*line]).collect();
        fs::write(&path, text.join("\n")).expect("written");
        let said = store.load().err().expect("refused").to_string();
        assert!(said.contains(wanted), "{said} should say {wanted}");
    };
    expect(&[2, 3], "0 index keys");
    expect(&[1, 1, 2], "2 index keys");
    expect(&[1, 3], "0 active keys");
    expect(&[1, 2, 2], "2 active keys");
    expect(&[1, 2, 3, 3], "must differ");
    fs::write(&path, &good).expect("written");
    assert_eq!(store.load().expect("as it was").list().len(), 2);
}

#[test]
fn a_module_that_works_takes_the_new_key_with_the_next_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let there = store(folder.path());
    let first = there.create(NOW).expect("made");
    let module =
        SoftwareModule::new(&first).expect("a module").with_pan_key_file(store(folder.path()));
    let card = module.fingerprint(&pan());
    let before = module.seal(&pan(), PLACE).expect("sealed");
    assert_eq!(before.key_id, first.id());

    let second = there.rotate(NOW).expect("rotated").id();
    // Somebody else's row under the new key is read at once, and the next one comes under it.
    let other = SoftwareModule::new(&there.load().expect("keys")).expect("a module");
    let theirs = other.seal(&pan(), PLACE).expect("sealed");
    assert_eq!(theirs.key_id, second);
    assert!(module.open(&theirs, &card, PLACE).expect("opens") == pan());
    assert_eq!(module.seal(&pan(), PLACE).expect("sealed").key_id, second);
    assert!(module.open(&before, &card, PLACE).expect("opens") == pan());
    assert_eq!(module.fingerprint(&pan()), card);

    let active = there.retire(second).err();
    assert!(matches!(active, Some(PanStoreError::Active(key)) if key == second), "{active:?}");
    there.retire(first.id()).expect("destroyed");
    let gone = there.retire(first.id()).err();
    assert!(matches!(gone, Some(PanStoreError::NoSuchKey(_))), "{gone:?}");
    let other = SoftwareModule::new(&there.load().expect("keys")).expect("a module");
    let refused = other.open(&before, &card, PLACE).err();
    let wanted = VaultError::OtherKey { found: first.id(), loaded: second };
    assert_eq!(refused, Some(wanted));
    // A key of one name sealed it: no other opens it, whatever the row says.
    let forged = switch_security::SealedPan { key_id: second, ..before };
    assert_eq!(other.open(&forged, &card, PLACE).err(), Some(VaultError::NotAuthentic));
}

#[test]
fn so_many_keys_are_kept_and_no_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    store.create(NOW).expect("made");
    for _ in 0..7 {
        store.rotate(NOW).expect("rotated");
    }
    let before = store.load().expect("loads").list();
    assert_eq!(before.len(), 8);
    let refused = store.rotate(NOW).err();
    assert!(matches!(refused, Some(PanStoreError::Keys(KeyFileError::TooMany))), "{refused:?}");
    assert_eq!(store.load().expect("loads").list(), before);
}

#[test]
fn keys_in_clear_come_under_the_local_master_key_wherever_a_run_was_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, store) = (folder.path().join("pan.key"), store(folder.path()));
    let aside = folder.path().join("pan.key.clear");
    write_clear(&path);
    let clear = store.load().err();
    assert!(matches!(clear, Some(PanStoreError::Clear(_))), "{clear:?}");
    let check_value = PanKeys::load(&path).expect("keys").check_value();
    let id = "0102030405060708".parse().expect("an id");
    let is_done = || {
        assert_eq!(store.load().expect("loads").check_value(), check_value);
        let text = fs::read_to_string(&path).expect("text").to_lowercase();
        assert!(!text.contains(&ENCRYPTION[..16]) && !text.contains(&INDEX[..16]), "{text}");
        assert!(!PanKeyStore::left_in_clear(&path));
    };
    assert_eq!(store.migrate().expect("moved"), Some(id));
    is_done();
    assert_eq!(store.migrate().expect("nothing"), None);

    // Killed with the second name given, and before the new file was in place.
    fs::remove_file(&path).expect("removed");
    write_clear(&path);
    fs::hard_link(&path, &aside).expect("linked");
    assert_eq!(store.migrate().expect("moved"), Some(id));
    is_done();
    // Killed before the old one was destroyed.
    write_clear(&aside);
    assert!(PanKeyStore::left_in_clear(&path));
    assert_eq!(store.migrate().expect("moved"), Some(id));
    is_done();
    // And then somebody brought the old file back.
    fs::remove_file(&path).expect("removed");
    write_clear(&path);
    write_clear(&aside);
    assert_eq!(store.migrate().expect("moved"), Some(id));
    is_done();
}

#[test]
fn keys_move_to_another_local_master_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, old) = (folder.path().join("pan.key"), store(folder.path()));
    old.create(NOW).expect("made");
    let listed = old.rotate(NOW).expect("rotated").list();
    let previous = components(folder.path(), ["first", "second"]);
    let previous = LocalMasterKey::load(&previous).expect("a key");
    let both = masters(folder.path(), ["third", "fourth"]).with_previous(previous);
    let both = PanKeyStore::new(path.clone(), both);
    assert!(!both.is_current().expect("a look"));
    assert_eq!(both.rewrap().expect("moved"), (3, false));
    assert_eq!(both.rewrap().expect("moved"), (3, true));
    let alone = PanKeyStore::new(path, masters(folder.path(), ["third", "fourth"]));
    assert_eq!(alone.load().expect("loads").list(), listed);
    assert!(old.load().is_err());
}
