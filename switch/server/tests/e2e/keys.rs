//! `cardswitch keys` as people use it, by the real binary: a ceremony, keys in and out between two
//! houses, rotation, the moves to another local master key and from a file in clear, killed again
//! and again; and what a production system does not start with. No digit of a key is ever said.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::stage::cardswitch;

/// `cardswitch keys`, with everything it needs in `keys` of this directory.
fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = cardswitch(directory);
    command.arg("keys").args(arguments);
    with_keys(&mut command);
    command
}

fn with_keys(command: &mut Command) {
    command
        .env("CARDSWITCH_SECURITY__KEY_FILE", "keys/switch.keys")
        .env("CARDSWITCH_SECURITY__MAC_KEY_FILE", "keys/mac.key")
        .env("CARDSWITCH_SECURITY__LMK_COMPONENTS", r#"["keys/first.lmk", "keys/second.lmk"]"#)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
}

pub(crate) fn run(mut command: Command, input: &str) -> (bool, String) {
    let mut child = command.spawn().expect("the binary starts");
    // One that reads nothing may have ended already.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).expect("text"))
}

/// Runs `cardswitch keys` with this input; whether it went well, and all that it said.
pub(crate) fn keys(directory: &Path, arguments: &[&str], input: &str) -> (bool, String) {
    run(command(directory, arguments), input)
}

/// The same where it must go well.
fn good(directory: &Path, arguments: &[&str], input: &str) -> String {
    let (good, said) = keys(directory, arguments, input);
    assert!(good, "{arguments:?}: {said}");
    said
}

/// The same where it must not.
fn refused(directory: &Path, arguments: &[&str], input: &str) -> String {
    let (good, said) = keys(directory, arguments, input);
    assert!(!good, "{arguments:?}: {said}");
    said
}

/// A local master key of two components; their files.
pub(crate) fn ceremony(directory: &Path) -> Vec<PathBuf> {
    let said = good(directory, &["ceremony", "keys/first.lmk", "keys/second.lmk"], "");
    assert!(said.contains("local master key of 2 components"), "{said}");
    ["first", "second"].map(|name| directory.join(format!("keys/{name}.lmk"))).to_vec()
}

const FIRST: &str = "FFFFFFFF00000000FFFFFFFF00000000";
const SECOND: &str = "FEDCBA9889ABCDEF0123456776543210";
/// Their sum, of examples.
const CHECK_VALUE: &str = "08D7B4";

#[test]
fn keys_are_imported_from_components_and_listed_by_check_value() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    let import = ["import", "acquirer", "--usage", "M3"];
    assert!(refused(at, &["list"], "").contains("no key was made or imported yet"));
    assert!(refused(at, &import, FIRST).contains("first.lmk cannot be read"));
    ceremony(at);
    let again = good(at, &["ceremony", "keys/first.lmk", "keys/second.lmk"], "");
    assert!(again.contains("first.lmk: checked") && !again.contains("made,"), "{again}");

    let said = good(at, &import, &format!("{FIRST}\n{SECOND}\n"));
    assert!(said.contains("acquirer 1: active, M3 ISO 9797-1 algorithm 3"), "{said}");
    assert!(said.contains(&format!("check value {CHECK_VALUE}")), "{said}");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&at.join("keys/switch.keys")), mode(&at.join("keys"))), (0o600, 0o700));

    let other = ["import", "other", "--usage", "M3"];
    for (arguments, input, expected) in [
        (&other, "0123456789ABCDEF0123456789ABCDEF", "weaker than its length"),
        (&other, "", "no component was given"),
        (&["import", "Other", "--usage", "M3"], FIRST, "small letters"),
        (&["import", "other", "--usage", "M2"], FIRST, "M3 (ISO 9797-1 algorithm 3)"),
        (&other, &format!("{FIRST} 123456"), "component 1 has check value"),
        (&import, &format!("{FIRST}\n{SECOND}"), "this is version 1 of key acquirer already"),
        (&["import", "acquirer", "--usage", "M6"], SECOND, "acquirer is for M3"),
    ] {
        let said = refused(at, arguments, input);
        assert!(said.contains(expected), "{said} should say {expected}");
        assert!(!said.contains("FFFFFFFF") && !said.contains("9889AB"), "{said}");
    }
    let aes = ["import", "processor", "--usage", "M6", "--cipher", "aes"];
    let said = good(at, &aes, "3F419E1CB7079442AA37474C2EFBF8B8 08793E");
    assert!(said.contains("M6 CMAC, AES, check value 08793E"), "{said}");
    let said = good(at, &["list"], "");
    assert!(said.lines().count() == 2 && said.contains("acquirer 1: active"), "{said}");
    let json: serde_json::Value =
        serde_json::from_str(&good(at, &["list", "--json"], "")).expect("JSON");
    assert_eq!(json[0]["check_value"], CHECK_VALUE);
    let inventory = good(at, &["inventory"], "");
    assert!(inventory.contains("AES-256-GCM") && inventory.contains("acquirer 1"), "{inventory}");
    for told in [said, inventory, std::fs::read_to_string(at.join("keys/switch.keys")).unwrap()] {
        assert!(!told.contains("0123456789ABCDEF") && !told.contains("3F419E1C"), "{told}");
    }
}

#[test]
fn two_houses_exchange_a_key_as_a_block_and_as_a_cryptogram() {
    let (ours, theirs) = (tempfile::tempdir().expect("ours"), tempfile::tempdir().expect("theirs"));
    let (ours, theirs) = (ours.path(), theirs.path());
    // The same two zone master keys in both, from components.
    let kek = "BFD25752EECE33510CB2E5907FBB94B87A8B9C0D1E2F30415263748596A7B8C9";
    for house in [ours, theirs] {
        ceremony(house);
        good(house, &["import", "zone", "--usage", "K1", "--cipher", "aes"], kek);
        good(house, &["import", "old-zone", "--usage", "K0"], "D538ABD3E9CE981FB5C8BAFB3458FD98");
    }
    let made = good(ours, &["generate", "pins", "--usage", "P0", "--exportable", "E"], "");
    let check_value = made.trim().rsplit(' ').next().expect("a check value").to_owned();

    let block = good(ours, &["export", "pins", "--under", "zone"], "");
    assert!(block.starts_with("D0") && block.contains("P0TB00E"), "{block}");
    let import = ["import", "from-peer", "--usage", "P0", "--under", "zone"];
    let said = refused(theirs, &import, &block);
    assert!(said.contains("may be exported as E, and S is the most"), "{said}");
    let as_other = ["import", "x", "--usage", "C0", "--under", "zone", "--exportable", "E"];
    assert!(refused(theirs, &as_other, &block).contains("is for P0"));
    let import = [&import[..], &["--exportable", "E"]].concat();
    let changed = block.replace("P0TB00E", "P0TB00N");
    assert!(refused(theirs, &import, &changed).contains("changed, or is under another key"));
    assert!(good(theirs, &import, &block).contains(&check_value));

    let cryptogram = good(ours, &["export", "pins", "--under", "old-zone", "--cryptogram"], "");
    assert!(cryptogram.trim().ends_with(&check_value), "{cryptogram}");
    let bare = ["import", "bare", "--usage", "P0", "--under", "old-zone", "--cryptogram"];
    assert!(good(theirs, &bare, &cryptogram).contains(&check_value));
    let wrong = cryptogram.replace(&check_value, "000000");
    let bare = ["import", "bare-2", "--usage", "P0", "--under", "old-zone", "--cryptogram"];
    assert!(refused(theirs, &bare, &wrong).contains("another check value"));
    // One key, one use: neither zone key does the other's work, and a PIN key does neither.
    for (under, form) in [("old-zone", None), ("zone", Some("--cryptogram")), ("pins", None)] {
        let mut arguments = vec!["export", "pins", "--under", under];
        arguments.extend(form);
        let said = refused(ours, &arguments, "");
        assert!(said.contains(under) && said.contains("was asked for"), "{said}");
    }
    good(ours, &["generate", "stays", "--usage", "C0", "--exportable", "N"], "");
    let said = refused(ours, &["export", "stays", "--under", "zone"], "");
    assert!(said.contains("may not be exported"), "{said}");
}

#[test]
fn a_key_is_replaced_with_an_overlap() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    ceremony(at);
    good(at, &["generate", "peer", "--usage", "M6", "--cipher", "aes"], "");
    assert!(good(at, &["rotate", "peer"], "").contains("peer 2: pending"));
    assert!(refused(at, &["retire", "peer", "--version", "1"], "").contains("is active"));
    assert!(good(at, &["activate", "peer", "--overlap", "48"], "").contains("peer 2: active"));
    let listed = good(at, &["list"], "");
    assert!(
        listed.contains("peer 1: old until 2") && listed.contains("peer 2: active"),
        "{listed}"
    );
    assert!(good(at, &["retire", "peer", "--version", "1"], "").contains("peer 1: destroyed"));
    assert!(good(at, &["list"], "").contains("peer 1: destroyed"));
    assert!(refused(at, &["activate", "peer"], "").contains("is pending"));
    assert!(refused(at, &["rotate", "other"], "").contains("no version of a key other"));
}

/// Starts a command again and again and kills it a little later each time, until one ends by
/// itself.
pub(crate) fn kill_until_done(
    mut start: impl FnMut() -> Command,
    mut between: impl FnMut(),
) -> u32 {
    for micros in (0u64..).step_by(400) {
        let mut child = start().spawn().expect("the binary starts");
        let begun = std::time::Instant::now();
        while begun.elapsed().as_micros() < u128::from(micros) {
            std::hint::spin_loop();
        }
        let ended = child.try_wait().expect("asked");
        if let Some(status) = ended.filter(std::process::ExitStatus::success) {
            assert!(status.success());
            return u32::try_from(micros / 400).expect("few");
        }
        child.kill().expect("killed");
        child.wait().expect("gone");
        between();
    }
    unreachable!("it ends some day")
}

#[test]
fn a_move_to_another_local_master_key_survives_kills_at_any_point() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    ceremony(at);
    for number in 0..12 {
        good(at, &["generate", &format!("key-{number}"), "--usage", "C0"], "");
    }
    let check_values = |said: &str| -> Vec<String> {
        let of = |line: &str| line.split(", under ").next().unwrap_or_default().to_owned();
        said.lines().map(of).collect()
    };
    let before = check_values(&good(at, &["list"], ""));
    good(at, &["ceremony", "keys/third.lmk", "keys/fourth.lmk"], "");
    let moving = |arguments: &[&str]| {
        let mut command = command(at, arguments);
        let new = r#"["keys/third.lmk", "keys/fourth.lmk"]"#;
        command.env("CARDSWITCH_SECURITY__LMK_COMPONENTS", new);
        let old = r#"["keys/first.lmk", "keys/second.lmk"]"#;
        command.env("CARDSWITCH_SECURITY__PREVIOUS_LMK_COMPONENTS", old);
        command
    };
    let kills = kill_until_done(
        || moving(&["rewrap"]),
        || assert_eq!(check_values(&good(at, &["list"], "")), before),
    );
    println!("killed {kills} times, and every key was there each time");
    let (done, said) = run(moving(&["rewrap"]), "");
    assert!(done && said.contains("12 key(s)") && said.contains("They were before"), "{said}");
    assert_eq!(check_values(&good(at, &["list"], "")), before);
    let said = refused(at, &["rotate", "key-0"], "");
    assert!(said.contains("security.previous_lmk_components"), "{said}");
    let mut alone = moving(&["rotate", "key-0"]);
    alone.env_remove("CARDSWITCH_SECURITY__PREVIOUS_LMK_COMPONENTS");
    let (done, said) = run(alone, "");
    assert!(done, "{said}");
}

#[test]
fn keys_in_clear_are_moved_and_their_file_destroyed() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    ceremony(at);
    let old = at.join("keys/mac.key");
    let write = || {
        let line = format!("acquirer = M3 T {CHECK_VALUE} 0123456789ABCDEFFEDCBA9876543210\n");
        std::fs::write(&old, line).expect("written");
        std::fs::set_permissions(&old, PermissionsExt::from_mode(0o600)).expect("chmod");
    };
    write();
    let (served, said) = run(serve(at, "development"), "");
    assert!(!served && said.contains("`cardswitch keys migrate`"), "{said}");
    let said = good(at, &["migrate"], "");
    assert!(said.contains(&format!("acquirer: moved, check value {CHECK_VALUE}")), "{said}");
    assert!(!old.exists() && good(at, &["list"], "").contains("acquirer 1: active, M3"));
    assert!(refused(at, &["migrate"], "").contains("nothing to move"));
    // Killed between the one file and the other, and run again.
    write();
    assert!(good(at, &["migrate"], "").contains("acquirer: moved"));
    assert_eq!(good(at, &["list"], "").lines().count(), 1);
}

/// `cardswitch serve` in this mode, over a database that is not there.
fn serve(directory: &Path, mode: &str) -> Command {
    let mut command = cardswitch(directory);
    command.arg("serve").env("CARDSWITCH_MODE", mode);
    command.env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nowhere");
    with_keys(&mut command);
    command
}

#[test]
fn a_production_system_does_not_start_with_keys_of_examples_or_pins_in_software() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    ceremony(at);
    let start = |mode, pins: &str| {
        let mut command = serve(at, mode);
        command.env("CARDSWITCH_SECURITY__ALLOW_CLEAR_PINS_IN_THIS_PROCESS", pins);
        let (good, said) = run(command, "");
        assert!(!good, "there is no database: {said}");
        said
    };
    let refused = |said: &str| said.contains("production: not started");
    good(at, &["generate", "cvk", "--usage", "C0"], "");
    let said = start("production", "false");
    assert!(!refused(&said), "sound keys, and so the database is missed: {said}");
    good(at, &["generate", "pins", "--usage", "P0"], "");
    let said = start("production", "false");
    let flag = "security.allow_clear_pins_in_this_process";
    assert!(refused(&said) && said.contains("key pins is for PINs (P0)"), "{said}");
    assert!(said.contains(flag) && !said.contains("cvk"), "{said}");
    assert!(!refused(&start("production", "true")) && !refused(&start("development", "false")));

    good(at, &["import", "known", "--usage", "M3"], &format!("{FIRST}\n{SECOND}"));
    let single = ["import", "single", "--usage", "M1", "--cipher", "des"];
    good(at, &single, "3BEC4A4A3E971FA2");
    let said = start("production", "true");
    for expected in
        ["key known, version 1, is one of examples", "key single, version 1, is one DES"]
    {
        assert!(refused(&said) && said.contains(expected), "{said}");
    }
    assert!(!refused(&start("development", "true")));
}

#[test]
fn a_production_system_needs_components_and_a_database_that_keeps_its_word() {
    let directory = tempfile::tempdir().expect("a directory");
    let check = |text: &str| {
        let path = directory.path().join("my.toml");
        std::fs::write(&path, text).expect("written");
        let mut command = cardswitch(directory.path());
        command.args(["config", "check", "my.toml"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        run(command, "")
    };
    let components = "[security]\nlmk_components = [\"a\", \"b\"]\n";
    let unsafe_settings = "[database]\nallow_settings_that_lose_money = true\n";
    for (text, expected) in [
        (String::new(), ""),
        (format!("mode = \"production\"\n{components}"), ""),
        ("mode = \"production\"\n".to_owned(), "security.lmk_components (not set): in production"),
        (
            format!("mode = \"production\"\n{components}{unsafe_settings}"),
            "line 5: database.allow_settings_that_lose_money: in production this is false",
        ),
        (format!("{components}{unsafe_settings}"), ""),
        ("[security]\nlmk_components = [\"a\"]\n".to_owned(), "two or three files"),
        ("mode = \"prod\"\n".to_owned(), "production"),
    ] {
        let (good, said) = check(&text);
        assert_eq!(good, expected.is_empty(), "{text}: {said}");
        assert!(said.contains(expected), "{said} should say {expected}");
    }
}
