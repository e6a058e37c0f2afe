//! Health and metrics over HTTP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;

use switch_store::private_postgres::fresh_database;

use crate::stage::{Served, Stage, purchase};

pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("read");
    text
}

/// A full disk is told while the switch still serves.
#[tokio::test(flavor = "multi_thread")]
async fn readiness_warns_of_a_full_disk() {
    let stage = Stage::configured(|config| config.disk.capacity_bytes = 1).await;
    let http = stage.app.addresses().http;
    let fetch = |path: &'static str| tokio::task::spawn_blocking(move || get(http, path));
    loop {
        let ready = fetch("/health/ready").await.expect("no panic");
        assert!(ready.starts_with("HTTP/1.1 200"), "it serves: {ready}");
        if ready.contains("warning: PostgreSQL's disk is full in 0 s") {
            break;
        }
        tokio::task::yield_now().await;
    }
    stage.end().await;
}

/// P-25: whoever starts a switch is told whether the clock is kept right.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_tells_whether_the_clock_is_synchronised() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (place, url) = (directory.path(), database.url().expose());
    let filter = ("CARDSWITCH_LOG__FILTER", "info");
    for (says, metric, told) in [
        ("yes", "cardswitch_clock_synchronised 1", "the system's clock is synchronised"),
        ("no", "cardswitch_clock_synchronised 0", "the system's clock is not synchronised"),
    ] {
        let program = place.join(says);
        std::fs::write(&program, format!("#!/bin/sh\necho {says}\n")).expect("written");
        let runs = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, runs).expect("it runs");
        let log = place.join("log");
        let asks = [("CARDSWITCH_CLOCK__ASKS", program.to_str().expect("a path")), filter];
        let file = std::fs::File::create(&log).expect("a file");
        let served = Served::start_logging(place, url, &asks, file);
        while !std::fs::read_to_string(&log).expect("a log").contains(told) {
            tokio::task::yield_now().await;
        }
        assert!(get(served.http(), "/metrics").contains(metric), "{says}");
        served.terminate();
    }
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_tell_what_happened() {
    let stage = Stage::start().await;
    let issued = stage.issue(10_000, 5_000).await;
    let mut peer = stage.peer(1).await;
    let answer = peer.exchange(0, &purchase(&issued.pan, 1, 9_999)).await.expect("an answer");
    assert_eq!(answer.text(39), Some("51"));
    let http = stage.app.addresses().http;
    let fetch = |path: &'static str| tokio::task::spawn_blocking(move || get(http, path));
    let live = fetch("/health/live").await.expect("no panic");
    assert!(live.starts_with("HTTP/1.1 200") && live.ends_with("live\n"), "{live}");
    let ready = fetch("/health/ready").await.expect("no panic");
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    let metrics = fetch("/metrics").await.expect("no panic");
    assert!(metrics.contains("reason=\"insufficient_funds\""), "{metrics}");
    assert!(metrics.contains("# HELP cardswitch_decisions_total"), "{metrics}");
    assert!(!metrics.contains(&issued.pan));
    // Upkeep has its first round at once, beside the service.
    let measured = ["cardswitch_journal_bytes ", "cardswitch_retention_last_run_timestamp "];
    loop {
        let metrics = fetch("/metrics").await.expect("no panic");
        if measured.iter().all(|name| metrics.lines().any(|line| line.starts_with(name))) {
            assert!(metrics.contains("cardswitch_journal_room_rows{shard=\"1\"}"), "{metrics}");
            break;
        }
        tokio::task::yield_now().await;
    }
    stage.end().await;
}
