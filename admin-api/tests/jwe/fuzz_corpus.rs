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

/// As many random changes of the vectors, and random headers, as CARDSWITCH_TEST_FUZZ_ROUNDS says:
/// what the fuzzer does, without its eyes.
// covers: SR-063, A-13
#[test]
fn random_changes_of_tokens_and_headers_hold() {
    let rounds = std::env::var("CARDSWITCH_TEST_FUZZ_ROUNDS").map(|text| text.parse());
    let rounds: u64 = rounds.map_or(500, |rounds| rounds.expect("a number"));
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = || {
        // xorshift64: the same changes on every machine.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()
    };
    let headers = std::fs::read_dir(corpus("headers")).expect("a folder");
    let headers: Vec<Vec<u8>> = headers
        .map(|entry| std::fs::read(entry.expect("a file").path()).expect("a file"))
        .collect();
    for round in 0..rounds {
        let [pick, more, edits @ ..] = draw();
        // One change or two, in the header mostly: behind it most are the same to a reader.
        let place = [if edits[4] < 200 { 0 } else { edits[4] & 7 }, edits[0]];
        let first = [place[0], place[1], edits[1], edits[2]];
        let changes = if round % 3 == 0 {
            [first, draw()[..4].try_into().expect("four")].concat()
        } else {
            first.to_vec()
        };
        checks::token(&[&[pick | 1, more][..], &changes].concat());
        let index = usize::try_from(round).expect("few") % headers.len();
        let mut changed = headers[index].clone();
        let [high, low, byte, ..] = draw();
        let place = usize::from(u16::from_be_bytes([high, low])) % changed.len();
        changed[place] = byte & 0x7F;
        checks::headers(&changed);
    }
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
        let stage = if vector.stage.is_empty() { "opens" } else { vector.stage };
        put("token", stage, &[pick + 1, more]);
        let last = u16::try_from(vector.token.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let [high, low] = last.to_be_bytes();
        put("token", &format!("{stage}-changed"), &[pick + 1, more, high, low, 0, b'x']);
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
