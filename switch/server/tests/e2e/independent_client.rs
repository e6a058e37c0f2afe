//! An independent client (pyiso8583) against the switch: it signs on, buys, repeats, reverses, and
//! must be answered as the standard and our promise about repeats say.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;

use switch_store::private_postgres::fresh_database;

use crate::stage::{Served, Stage};

/// Runs the client against a link and checks every answer.
async fn exchange_and_check(address: SocketAddr, pan: &str) {
    let Ok(python) = std::env::var("CARDSWITCH_TEST_PYTHON") else {
        panic!("set CARDSWITCH_TEST_PYTHON to a Python with pyiso8583, as `make test` does")
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/independent_client.py");
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let arguments = [script, &host, &port, pan, "4912", "978"].map(str::to_owned);
    let run = move || Command::new(python).args(arguments).output();
    let output = tokio::task::spawn_blocking(run).await.expect("no panic").expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let steps: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let field = |step: &str, name: &str| steps[step]["fields"][name].as_str().map(str::to_owned);
    let raw = |step: &str| steps[step]["raw"].as_str().map(str::to_owned);

    for (step, mti, code) in [
        ("sign_on", "0810", "00"),
        ("purchase", "0110", "00"),
        ("identical", "0110", "00"),
        ("repeat_new_de7", "0110", "00"),
        ("repeat_elsewhere", "0110", "00"),
        ("reversal", "0410", "00"),
        ("reversal_repeat", "0410", "00"),
        ("reversal_0401", "0410", "00"),
    ] {
        assert_eq!(field(step, "t").as_deref(), Some(mti), "{step}");
        assert_eq!(field(step, "39").as_deref(), Some(code), "{step}");
    }
    for name in ["2", "3", "4", "7", "11", "12", "13", "32", "37", "41", "42", "49"] {
        assert!(field("purchase", name).is_some(), "field {name} is echoed");
    }
    let approval = field("purchase", "38");
    assert_eq!(approval.as_deref().map(str::len), Some(6));
    assert_eq!(raw("identical"), raw("purchase"), "a repeat is answered byte for byte");
    assert_eq!(raw("repeat_elsewhere"), raw("purchase"), "also by another connection");
    assert_eq!(field("repeat_new_de7", "38"), approval);
    assert_eq!(field("repeat_new_de7", "7").as_deref(), Some("1123120030"), "its own DE7");
    assert_eq!(raw("reversal_repeat"), raw("reversal"));
    assert_eq!(raw("reversal_0401"), raw("reversal"));
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_are_byte_equal_and_leave_one_hold() {
    let stage = Stage::start().await;
    let issued = stage.issue(100_000, 50_000).await;
    exchange_and_check(stage.address(), &issued.pan).await;
    let balance = stage.services().node().balance(issued.balance).await.expect("there");
    assert_eq!((balance.ledger.0, balance.held.0), (50_000, 0), "one hold, reversed once");
    let pool = stage.services().node().pool(issued.pool).await;
    assert_eq!((pool.level.0, pool.held.0), (100_000, 0));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_binary_answers_alike() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(directory.path(), database.url().expose(), &[]);
    let pan = served.set_up();
    exchange_and_check(served.link, &pan).await;
    let status = served.command(&["status"]).expect("status");
    let pool = status["pools"][0].as_i64().expect("a pool").to_string();
    let pool = served.command(&["pool", "show", &pool]).expect("a pool");
    assert_eq!((&pool["level"], &pool["held"]), (&"1000000.00".into(), &"0.00".into()));
    served.terminate();
    database.close().await;
}
