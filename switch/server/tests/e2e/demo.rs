//! `cardswitch demo`, as `make demo` runs it, but short: it ends well, its last line says so, and
//! its check fails when one row of the books is wrong.

use std::path::Path;
use std::process::{Child, Output, Stdio};

use serde_json::Value;

use crate::stage::cardswitch;

fn demo(directory: &Path, seconds: u32) -> Child {
    let simulator = Path::new(env!("CARGO_BIN_EXE_cardswitch")).with_file_name("cardswitch-sim");
    cardswitch(directory)
        .args(["demo", "--rate", "150", "--cards", "60", "--dir"])
        .arg(directory)
        .args(["--seconds", &seconds.to_string(), "--simulator"])
        .arg(simulator)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts")
}

fn finish(child: Child) -> (Output, Value) {
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = text.lines().last().unwrap_or_else(|| panic!("nothing was printed: {errors}"));
    let result = serde_json::from_str(last).unwrap_or_else(|_| panic!("{text}\n{errors}"));
    (output, result)
}

#[test]
fn the_demo_ends_well_and_shows_every_decline() {
    let directory = tempfile::tempdir().expect("a directory");
    let (output, result) = finish(demo(directory.path(), 14));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    // So many wrong codes at one shop are taken for an attack, named, and refused nothing.
    let logged = String::from_utf8_lossy(&output.stderr);
    assert!(logged.contains("somebody tries cards"), "{logged}");
    assert_eq!(result["books"], "balanced");
    assert_eq!(result["file_actions"], serde_json::json!(["00", "00"]));
    assert_eq!(result["reconciliation"], "in balance", "{said}");
    assert_eq!((&result["unexpected"], &result["unanswered"]), (&0.into(), &0.into()));
    let count = |member: &str| result[member].as_u64().unwrap_or_default();
    assert!(count("sent") >= 1_995, "0.95 x 150 x 14: {result}");
    assert!(count("approved") * 2 >= count("sent"), "{result}");
    for member in ["reversed", "incremented", "completed", "others", "repeated", "would_decline"] {
        assert!(count(member) > 0, "{member}: {result}");
    }
    let verified = &result["verified"];
    assert_eq!((&verified["unexpected"], &verified["unanswered"]), (&0.into(), &0.into()));
    for what in ["approved", "chip_approved", "chip_declined"] {
        assert!(verified[what].as_u64() > Some(0), "{what}: {result}");
    }
    for what in [
        "wrong PIN",
        "PIN tries exceeded",
        "right PIN after that",
        "wrong CVV2",
        "wrong cryptogram",
        "altered amount",
        "replayed counter",
        "another amount than signed",
        "wrong value of the track",
    ] {
        assert!(verified["declined"][what].as_u64() > Some(0), "{what}: {said}");
    }
    for code in ["2008", "2009", "1000", "1016", "1018", "1006", "1002", "1011", "1001"] {
        assert!(result["declined"][code].as_u64() > Some(0), "{code}: {result}");
    }
}

#[test]
fn one_broken_row_fails_the_demo() {
    let directory = tempfile::tempdir().expect("a directory");
    let child = demo(directory.path(), 5);
    let manifest = directory.path().join("demo.json");
    let broken = break_one_balance(&manifest);
    let (output, result) = finish(child);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{said}");
    assert_eq!(result["books"], "unbalanced", "{said}");
    assert!(said.contains(&format!("{broken}")), "the row is named: {said}");
}

/// Waits for the demo's manifest and changes one balance in its database, as no switch would.
fn break_one_balance(manifest: &Path) -> i64 {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut look = tokio::time::interval(std::time::Duration::from_millis(20));
        let url = loop {
            look.tick().await;
            if let Ok(text) = std::fs::read_to_string(manifest) {
                let manifest: Value = serde_json::from_str(&text).expect("JSON");
                break manifest["database"].as_str().expect("a URL").to_owned();
            }
        };
        let parsed = switch_store::private_postgres::DatabaseUrl::parse(&url).expect("a URL");
        let pool = sqlx::PgPool::connect_with(parsed.connect_options()).await.expect("connected");
        let id = sqlx::query_scalar(
            "UPDATE balance SET ledger = ledger + 1 WHERE id = (SELECT min(id) FROM balance) \
             RETURNING id",
        )
        .fetch_one(&pool)
        .await
        .expect("a row");
        pool.close().await;
        id
    })
}
