//! schemathesis draws requests from the OpenAPI document, good ones and bad ones, and sends them to
//! the real binary over TLS with a partner's certificate: no answer is a fault of the service,
//! none is undocumented, what the document forbids is refused, every operation succeeds once.
//!
//! `make test-api` runs it at length; CARDSWITCH_TEST_API_EXAMPLES says how many requests are drawn
//! of each operation, CARDSWITCH_TEST_API_SEED from where, CARDSWITCH_TEST_API_PHASES how.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::platform::{Partner, Platform};
use serde_json::{Value, json};

/// Requests of each operation where nobody asks for more.
const EXAMPLES: &str = "5";
const SEED: &str = "8";
/// The longest ones, each value of each member and every chain of operations, are asked for.
const PHASES: &str = "examples,fuzzing";

fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn setting(name: &str, otherwise: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| otherwise.to_owned())
}

/// The program, which stands beside the Python of the tests.
fn program() -> PathBuf {
    let python = std::env::var("CARDSWITCH_TEST_PYTHON").expect("a Python: see `make test-api`");
    Path::new(&python).with_file_name("schemathesis")
}

fn of(platform: &Platform, partner: &Partner, name: &str) -> Value {
    let file = |ending| platform.directory.path().join(format!("{name}.{ending}"));
    json!({
        "programme": partner.programme, "certificate": file("pem"), "key": file("key")
    })
}

/// Two partners, in a file for the hooks. The platform verifies the second one's customers.
fn world(platform: &Platform, seen: &Path) -> PathBuf {
    let own = platform.partner("own", "99999912");
    let other = platform.partner("other", "99999913");
    let manual = ["partner", "settings", "set", "--partner", &other.id, "--kyc", "manual"];
    platform.served.command(&manual).expect("chosen");
    let key = own.client.get("/lifecycle/v1/public-key").done(200).json();
    let world = json!({
        "url": address(platform, "secure"), "open": address(platform, "open"),
        "root": platform.directory.path().join("root.pem"),
        "own": of(platform, &own, "own"), "platform": of(platform, &other, "other"),
        "publicKey": key["publicKey"], "seen": seen,
    });
    let file = platform.directory.path().join("world.json");
    std::fs::write(&file, world.to_string()).expect("written");
    file
}

fn address(platform: &Platform, listener: &str) -> String {
    format!("https://localhost:{}", platform.served.api(listener).port())
}

/// What each operation was answered, by status.
fn coverage(seen: &Path, document: &Value) -> (String, Vec<String>) {
    let text = std::fs::read_to_string(seen).expect("something was asked");
    let mut counts: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
    for (operation, status) in text.lines().filter_map(|line| line.rsplit_once(' ')) {
        *counts.entry(operation).or_default().entry(status).or_default() += 1;
    }
    let (mut told, mut gaps) = (String::new(), Vec::new());
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let operation = format!("{} {path}", method.to_uppercase());
            let statuses = counts.get(operation.as_str()).cloned().unwrap_or_default();
            let each: Vec<_> = statuses.iter().map(|(s, n)| format!("{s}: {n}")).collect();
            told.push_str(&format!("{operation}  {}\n", each.join(", ")));
            if !statuses.keys().any(|status| status.starts_with('2')) {
                gaps.push(operation);
            }
        }
    }
    (told, gaps)
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing_undocumented() {
    let generous = [
        "CARDSWITCH_API__REQUESTS__SOURCE_PER_SECOND",
        "CARDSWITCH_API__REQUESTS__SOURCE_BURST",
        "CARDSWITCH_API__REQUESTS__CALLER_PER_SECOND",
        "CARDSWITCH_API__REQUESTS__CALLER_BURST",
        "CARDSWITCH_API__REQUESTS__PROOF_PER_SECOND",
        "CARDSWITCH_API__REQUESTS__PROOF_BURST",
    ];
    let platform = Platform::start_with(generous.map(|name| (name, "100000".into())).into()).await;
    let at = platform.directory.path();
    let seen = at.join("seen");
    let world = world(&platform, &seen);
    let document = here("../../docs/openapi/secure.json");
    let mut command = Command::new(program());
    command
        .arg("--config-file")
        .arg(here("tests/e2e/api/schemathesis/schemathesis.toml"))
        .arg("run")
        .arg(&document)
        .args(["--url", &address(&platform, "secure"), "--no-color", "--continue-on-failure"])
        .args(["--max-examples", &setting("CARDSWITCH_TEST_API_EXAMPLES", EXAMPLES)])
        .args(["--seed", &setting("CARDSWITCH_TEST_API_SEED", SEED), "--generation-database=none"])
        .args(["--checks", "all", "--exclude-checks", "positive_data_acceptance"])
        .args(["--phases", &setting("CARDSWITCH_TEST_API_PHASES", PHASES)])
        .args(["--suppress-health-check", "all", "--request-timeout", "60"])
        .arg("--tls-verify")
        .arg(at.join("root.pem"))
        .arg("--request-cert")
        .arg(at.join("own.pem"))
        .arg("--request-cert-key")
        .arg(at.join("own.key"))
        .env("SCHEMATHESIS_HOOKS", here("tests/e2e/api/schemathesis/hooks.py"))
        .env("CARDSWITCH_TEST_API_WORLD", world)
        .current_dir(at);
    let output = command.output().expect("schemathesis starts: see `make test-api`");
    println!("{}", String::from_utf8_lossy(&output.stdout));
    let text = std::fs::read_to_string(document).expect("the document");
    let (told, gaps) = coverage(&seen, &serde_json::from_str(&text).expect("JSON"));
    println!("{told}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(gaps.is_empty(), "operations that never succeeded: {gaps:?}");
    platform.close().await;
}
