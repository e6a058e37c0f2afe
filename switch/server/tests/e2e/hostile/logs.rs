//! What a peer can put into the log, and how much (T-25): against the real binary, whose log is a
//! file here.

use std::fs::File;
use std::path::Path;

use codecs::iso8583::Dialect;
use simulators::network::{Malformed, NetworkPeer, Settings};
use switch_store::private_postgres::fresh_database;

use super::{binary2, is_well};
use crate::speaker::{Speaker, Value};
use crate::stage::Served;

/// Ends a line, forges one, colours a terminal, rings it, retitles it, hides what stood before.
const INJECTIONS: [&str; 6] = [
    "SHOP\r\n2026-11-23 INFO signed on",
    "SHOP\n{\"level\":\"INFO\"}",
    "\u{1b}[2J\u{1b}[31mSHOP",
    "\u{1b}]0;SHOP\u{7}",
    "SHOP\u{8}\u{8}\u{8}\u{8}PUB",
    "SHOP\0PUB",
];

async fn harm(served: &Served, pan: &str) {
    let dialect = Dialect::shipped("iso87-ascii").expect("shipped");
    let mut peer = Speaker::connect(served.link, dialect.clone(), binary2()).await;
    for (stan, injected) in (1..).zip(INJECTIONS) {
        for (field, room) in [(42, 15), (43, 40), (41, 8)] {
            let mut draft = peer.purchase(pan, stan, 100);
            draft.retain(|(number, _)| *number != field);
            draft.push((field, Value::Text(format!("{:room$.room$}", "PLACE"))));
            let mut bytes = peer.bytes(peer.mti("100"), &draft);
            let at = peer.content_offset(&bytes, field);
            let value = format!("{injected:room$.room$}");
            bytes[at..at + room].copy_from_slice(value.as_bytes());
            peer.send(&bytes).await;
            let said = peer.answer().await;
            assert_eq!(said.action, "30", "{injected:?} in field {field}");
        }
    }
    // A number and a track where they do not belong, and a track that is none.
    for (field, value) in [(42, &pan[..15]), (35, "9999991200000018=49121011234567890x")] {
        let mut draft = peer.purchase(pan, 50, 100);
        draft.retain(|(number, _)| *number != field);
        let good = if field == 35 { value.replace('x', "1") } else { value.to_owned() };
        draft.push((field, Value::Text(good)));
        let mut bytes = peer.bytes(peer.mti("100"), &draft);
        let last = peer.content_offset(&bytes, field) + value.len() - 1;
        bytes[last] = 0x1B;
        peer.send(&bytes).await;
        peer.answer().await;
    }
    is_well(&mut peer, 60).await;
    let settings = Settings::new(dialect.into(), binary2());
    let flood = NetworkPeer::dial(served.link, settings).expect("a network");
    flood.ready().await.expect("connected");
    let what = Malformed { frames: 5_000, seed: 1, bad_length_every: 0 };
    flood.send_malformed(what).await.expect("taken");
}

fn lines(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).expect("written");
    let text = String::from_utf8(bytes).expect("UTF-8");
    for (number, line) in (1..).zip(text.lines()) {
        assert!(!line.contains(|c: char| c.is_control()), "line {number}: {line:?}");
    }
    text.lines().map(str::to_owned).collect()
}

/// T-25, log injection and flooding: no byte of a peer's fields ends a line or controls a terminal,
/// nothing of a card is in it, and five thousand malformed frames of one connection are twenty
/// lines and no more. In both formats.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_writes_nothing_into_the_log_and_cannot_flood_it() {
    for format in ["text", "json"] {
        let database = fresh_database().await;
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let log = File::create(&path).expect("a file");
        let settings = [("CARDSWITCH_LOG__FILTER", "info"), ("CARDSWITCH_LOG__FORMAT", format)];
        let served =
            Served::start_logging(directory.path(), database.url().expose(), &settings, log);
        let pan = served.set_up();
        harm(&served, &pan).await;
        served.terminate();
        let lines = lines(&path);
        if format == "json" {
            for line in &lines {
                serde_json::from_str::<serde_json::Value>(line).expect("one object a line");
            }
        }
        let faults = lines.iter().filter(|line| line.contains("message not taken")).count();
        assert_eq!(faults, 40, "twenty for each of two connections");
        assert!(!lines.iter().any(|line| line.contains("signed on")), "a forged line");
        for secret in [&pan[..], &pan[..15], "9999991200000018", "11234567890"] {
            assert!(!lines.iter().any(|line| line.contains(secret)), "{format}: {secret}");
        }
        database.close().await;
    }
}
