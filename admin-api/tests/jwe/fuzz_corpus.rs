//! The fuzzer's corpus, gone through by an ordinary compiler: what was found once stays found. What
//! must hold for any bytes is said beside the fuzz targets, and included from there.

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub)] // reachable there
mod checks;

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::vectors::{all, vectors};

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// Every file of a target's corpus, whole and cut short anywhere.
fn replay(target: &str, check: fn(&[u8])) {
    let mut count = 0;
    for entry in std::fs::read_dir(corpus(target)).expect("a folder") {
        let bytes = std::fs::read(entry.expect("a file").path()).expect("a file");
        check(&bytes);
        let step = bytes.len() / 32 + 1;
        (0..bytes.len()).step_by(step).for_each(|end| check(&bytes[..end]));
        count += 1;
    }
    assert!(count > 0, "{target} has a corpus");
}

// covers: SR-063, A-13
#[test]
fn tokens_of_the_corpus_hold_and_so_do_all_vectors_with_one_change() {
    replay("token", checks::token);
    for index in 0..u16::try_from(checks::tokens()).expect("few") {
        let [pick, more] = index.to_be_bytes();
        checks::token(&[pick + 1, more]);
        // One letter of the header is another.
        checks::token(&[pick + 1, more, 0, 5, 0, b'A']);
    }
    assert_eq!(checks::tokens(), all().len());
}

// covers: SR-064, A-10
#[test]
fn headers_of_the_corpus_hold() {
    replay("headers", checks::headers);
}

/// Holds a file of the corpus to what it is made of; writes it where `CARDSWITCH_WRITE_CORPUS` is
/// set.
fn put(target: &str, name: &str, bytes: &[u8]) {
    let path = corpus(target).join(name);
    if std::env::var_os("CARDSWITCH_WRITE_CORPUS").is_some() {
        std::fs::create_dir_all(corpus(target)).expect("a folder");
        std::fs::write(&path, bytes).expect("written");
    }
    let found = std::fs::read(&path).unwrap_or_default();
    let again = "write it anew with CARDSWITCH_WRITE_CORPUS=1";
    assert!(found == bytes, "{} is another: {again}", path.display());
}

#[test]
fn the_corpus_is_of_the_vectors_of_today() {
    // One of each stage, by its place among the vectors, and with a change of the last letter.
    let mut stages: Vec<&str> = Vec::new();
    for (index, vector) in all().iter().enumerate() {
        if stages.contains(&vector.stage) {
            continue;
        }
        stages.push(vector.stage);
        let [pick, more] = u16::try_from(index).expect("few").to_be_bytes();
        put("token", vector.stage, &[pick + 1, more]);
        let last = u16::try_from(vector.token.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let [high, low] = last.to_be_bytes();
        let name = format!("{}-changed", vector.stage);
        put("token", &name, &[pick + 1, more, high, low, 0, b'x']);
    }
    let header = "eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIn0";
    put("token", "written", format!("\0{header}.AAAA.AAAA.AAAA.AAAA").as_bytes());
    let pem = vectors()["keys"]["rsa2048-a"]["spki_pem"].as_str().expect("a key");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    put("headers", "plain", b"\0\n\n\n\n{\"pin\":\"1\"}");
    put("headers", "der", format!("\0\ntrue\n\n{body}\n{{\"payload\":\"a.b\"}}").as_bytes());
    let pem = STANDARD.encode(pem);
    put("headers", "pem", format!("\x02\nfalse\ntrue\n{pem}\n").as_bytes());
    put("headers", "neither", b"\x01\nTRUE\ntrue\nAAAA\n{}");
}
