//! `cardswitch iso` and `cardswitch dialect`: messages put together and taken apart, by the real
//! binary.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::stage::cardswitch;

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = cardswitch(Path::new("."))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("read");
    child.wait_with_output().expect("it ends")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

const PURCHASE: &str = r#"{"mti": "0100", "2": "9999991200000018", "3": "000000",
    "4": "000000001250", "11": "000042", "35": "9999991200000018=49121011234567890",
    "41": "TERM0001", "55": "9F260801020304050607085F2A0209785A0899999912000000189F360200AA"}"#;

#[test]
fn what_is_put_together_is_taken_apart_and_shows_no_card() {
    for dialect in ["iso87-ascii", "iso87-bcd", "iso87-ebcdic-1047", "base1-like", "mip-like"] {
        let arguments = ["iso", "encode", "--dialect", dialect, "--length", "binary2"];
        let made = run(&arguments, PURCHASE);
        assert!(made.status.success(), "{dialect}: {}", String::from_utf8_lossy(&made.stderr));
        let arguments = ["iso", "decode", "--dialect", dialect, "--length", "binary2"];
        let taken = run(&arguments, &said(&made));
        let text = said(&taken);
        assert!(taken.status.success(), "{dialect}: {text}");
        for part in [
            "0100",
            "primary account number",
            "999999******0018",
            "\"000000001250\"",
            "\"TERM0001\"",
            "55.9F26",
            "application cryptogram",
            "0102030405060708",
            "55.9F36",
        ] {
            assert!(text.contains(part), "{dialect}: no {part} in\n{text}");
        }
        for secret in ["9999991200000018", "1234567890", "99999912000000"] {
            assert!(!text.contains(secret), "{dialect}: {secret} in\n{text}");
        }
    }
}

#[test]
fn bytes_that_do_not_fit_are_read_as_far_as_they_go_and_guessed_at() {
    let made = said(&run(&["iso", "encode", "-d", "iso87-bcd"], PURCHASE));
    let cut = &made.trim()[..made.trim().len() - 6];
    let taken = run(&["iso", "decode", "-d", "iso87-bcd"], cut);
    let text = said(&taken);
    assert_eq!(taken.status.code(), Some(1));
    assert!(text.contains("\"TERM0001\"") && text.contains("fault: field 55"), "{text}");

    let other = said(&run(&["iso", "decode", "-d", "iso87-ascii"], &made));
    assert!(other.contains("in dialect iso87-bcd it is a whole message"), "{other}");

    let framed =
        said(&run(&["iso", "encode", "-d", "iso87-ascii", "--length", "ascii4"], PURCHASE));
    let bare = said(&run(&["iso", "decode", "-d", "iso87-ascii"], &framed));
    assert!(bare.contains("with --length ascii4 it is a whole message"), "{bare}");

    let wrong = run(&["iso", "encode", "-d", "iso87-ascii"], r#"{"mti": "0100", "4": "12x"}"#);
    let error = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(error.contains("field 4 (amount, transaction) cannot be written"), "{error}");
}

#[test]
fn dialects_are_listed_shown_and_checked() {
    let listed = said(&run(&["dialect", "list"], ""));
    let shown = said(&run(&["dialect", "show", "cmf-like"], ""));
    assert!(listed.contains("iso2003-binary       ISO 8583:2003"), "{listed}");
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("mine.toml");
    std::fs::write(&path, &shown).expect("written");
    let path = path.to_str().expect("text");
    let good = run(&["dialect", "check", path], "");
    assert!(good.status.success() && said(&good).contains("mine.toml: good."), "{good:?}");
    std::fs::write(
        path,
        shown.replace("max = 16, encoding = \"bcd\"", "max = 16, encoding = \"raw\""),
    )
    .expect("written");
    let bad = run(&["dialect", "check", path], "");
    assert_eq!(bad.status.code(), Some(2));
    let error = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert!(error.contains("mine.toml: line") && error.contains("field 4"), "{error}");
}
