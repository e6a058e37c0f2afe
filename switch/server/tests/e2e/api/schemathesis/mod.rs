//! schemathesis draws requests from the OpenAPI documents, good ones and bad ones, and sends them
//! to the real binary over TLS: as a partner with its certificate, as a customer's app with a
//! session, as an operator. No answer is a fault of the service, none is undocumented, what a
//! document forbids is refused, what needs a session is refused without, every operation succeeds
//! once. What is alive, so that it can succeed, is a table in `live.py`.
//!
//! `make test-api` runs it at length; CARDSWITCH_TEST_API_EXAMPLES says how many requests are drawn
//! of each operation, CARDSWITCH_TEST_API_SEED from where, CARDSWITCH_TEST_API_PHASES how.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cards::rig::terms;
use super::platform::{Partner, Platform, next_month};
use super::sandbox;
use serde_json::{Value, json};

/// Requests of each operation where nobody asks for more.
const EXAMPLES: &str = "5";
const SEED: &str = "8";
/// The longest ones, each value of each member and every chain of operations, are asked for.
const PHASES: &str = "examples,fuzzing";

/// Cards that can be renewed: each is once.
const DUE: usize = 12;

/// More than is drawn.
const SETTINGS: [(&str, &str); 12] = [
    ("CARDSWITCH_API__CARDS__PIN_KEY", "zpk"),
    ("CARDSWITCH_API__REQUESTS__SOURCE_PER_SECOND", "100000"),
    ("CARDSWITCH_API__REQUESTS__SOURCE_BURST", "100000"),
    ("CARDSWITCH_API__REQUESTS__CALLER_PER_SECOND", "100000"),
    ("CARDSWITCH_API__REQUESTS__CALLER_BURST", "100000"),
    ("CARDSWITCH_API__REQUESTS__PROOF_PER_SECOND", "100000"),
    ("CARDSWITCH_API__REQUESTS__PROOF_BURST", "100000"),
    ("CARDSWITCH_API__OPERATORS__MOST", "10000"),
    ("CARDSWITCH_API__POOLS__WAITING", "10000"),
    ("CARDSWITCH_API__POOLS__OF_PARTNER", "1000"),
    ("CARDSWITCH_API__PROGRAMMES__PARTNERS", "100000"),
    ("CARDSWITCH_API__PROGRAMMES__OF_PARTNER", "10000"),
];

/// A channel: its document's name, and where it is served.
struct Channel {
    name: &'static str,
    listener: &'static str,
}

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
    let id: i64 = partner.id.parse().expect("a number");
    json!({
        "partner": id, "programme": partner.programme,
        "certificate": file("pem"), "key": file("key")
    })
}

/// Two partners and an operator, in a file for the hooks. The platform verifies the second one's
/// customers.
async fn world(platform: &Platform, channel: &Channel, seen: &Path) -> PathBuf {
    let own = platform.partner("own", "99999912");
    let other = platform.partner("other", "99999913");
    terms(platform, &own);
    let manual = ["partner", "settings", "set", "--partner", &other.id, "--kyc", "manual"];
    platform.served.command(&manual).expect("chosen");
    let add = ["operator", "add", "--name", "ada", "--role", "admin"];
    let operator = platform.served.command(&add).expect("added");
    let key = own.client.get("/lifecycle/v1/public-key").done(200).json();
    let bought = bought(platform, &own).await;
    let due = due(platform, &own).await;
    let world = json!({
        "channel": channel.name, "operator": operator,
        "secure": address(platform, "secure"), "open": address(platform, "open"),
        "root": platform.directory.path().join("root.pem"),
        "own": of(platform, &own, "own"), "platform": of(platform, &other, "other"),
        "publicKey": key["publicKey"], "seen": seen, "bought": bought, "due": due,
    });
    let file = platform.directory.path().join("world.json");
    std::fs::write(&file, world.to_string()).expect("written");
    file
}

/// A customer's card with which something was bought: an authorization comes from nowhere else.
async fn bought(platform: &Platform, own: &Partner) -> Value {
    let customer = own.registers("bought");
    own.verifies(&customer);
    let path = own.opens(&customer, "bought");
    let balance = path.rsplit('/').next().expect("an identifier");
    let (card, pan) = platform.card_for(balance).await;
    platform.buys(&pan, 1, 1_000).await;
    let list = format!("/secure/customers/{customer}/cards/{card}/authorizations");
    // The tables follow behind.
    loop {
        let listed = own.client.get(&list).done(200).json();
        let one = &listed["items"][0]["authorizationId"];
        if !one.is_null() {
            return json!({
                "customer": customer, "balance": balance, "card": card, "authorization": one
            });
        }
        tokio::task::yield_now().await;
    }
}

/// Customers with a card each that is due to be renewed: the API makes none that ends so soon.
async fn due(platform: &Platform, own: &Partner) -> Value {
    let mut all = Vec::new();
    for at in 0..DUE {
        let name = format!("due {at}");
        let customer = own.registers(&format!("due-{at}"));
        own.verifies(&customer);
        let path = own.opens(&customer, &name);
        let balance = path.rsplit('/').next().expect("an identifier");
        let (card, _) = platform.card_until(balance, &next_month()).await;
        all.push(json!({ "customer": customer, "balance": balance, "card": card }));
    }
    json!(all)
}

fn address(platform: &Platform, listener: &str) -> String {
    format!("https://localhost:{}", platform.served.api(listener).port())
}

/// What each operation was answered, by status, and which never succeeded.
fn coverage(channel: &Channel, seen: &Path, document: &Value) -> (String, Vec<String>) {
    let text = std::fs::read_to_string(seen).expect("something was asked");
    let mut counts: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
    for (operation, status) in text.lines().filter_map(|line| line.rsplit_once(' ')) {
        *counts.entry(operation).or_default().entry(status).or_default() += 1;
    }
    let (mut told, mut operations, mut gaps) = (String::new(), 0, Vec::new());
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let operation = format!("{} {path}", method.to_uppercase());
            let statuses = counts.get(operation.as_str()).cloned().unwrap_or_default();
            let each: Vec<_> = statuses.iter().map(|(s, n)| format!("{s}: {n}")).collect();
            told.push_str(&format!("{operation}  {}\n", each.join(", ")));
            operations += 1;
            let succeeded = statuses.keys().any(|status| status.starts_with('2'));
            if !succeeded {
                gaps.push(operation);
            }
        }
    }
    let (name, requests) = (channel.name, text.lines().count());
    let succeeded = operations - gaps.len();
    told.push_str(&format!(
        "{name}: {requests} requests, {succeeded} of {operations} operations succeeded\n"
    ));
    (told, gaps)
}

fn command(platform: &Platform, channel: &Channel, document: &Path, world: &Path) -> Command {
    let at = platform.directory.path();
    let mut command = Command::new(program());
    command
        .arg("--config-file")
        .arg(here("tests/e2e/api/schemathesis/schemathesis.toml"))
        .arg("run")
        .arg(document)
        .args(["--url", &address(platform, channel.listener)])
        .args(["--no-color", "--continue-on-failure"])
        .args(["--max-examples", &setting("CARDSWITCH_TEST_API_EXAMPLES", EXAMPLES)])
        .args(["--seed", &setting("CARDSWITCH_TEST_API_SEED", SEED), "--generation-database=none"])
        .args(["--checks", "all", "--exclude-checks", "positive_data_acceptance"])
        .args(["--phases", &setting("CARDSWITCH_TEST_API_PHASES", PHASES)])
        .args(["--suppress-health-check", "all", "--request-timeout", "60"])
        .arg("--tls-verify")
        .arg(at.join("root.pem"))
        .env("SCHEMATHESIS_HOOKS", here("tests/e2e/api/schemathesis/hooks.py"))
        .env("CARDSWITCH_TEST_API_WORLD", world)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(at);
    if channel.listener == "secure" {
        let [certificate, key] = ["own.pem", "own.key"].map(|file| at.join(file));
        command.arg("--request-cert").arg(certificate).arg("--request-cert-key").arg(key);
    }
    command
}

async fn nothing_is_found(channel: Channel) {
    let settings = SETTINGS.map(|(name, value)| (name, value.to_owned()));
    let (platform, _simulator) = sandbox::platform(settings.into()).await;
    let seen = platform.directory.path().join("seen");
    let world = world(&platform, &channel, &seen).await;
    let document = here("../../docs/openapi").join(format!("{}.json", channel.name));
    let output = command(&platform, &channel, &document, &world).output();
    let output = output.expect("schemathesis starts: see `make test-api`");
    println!("{}", String::from_utf8_lossy(&output.stdout));
    let text = std::fs::read_to_string(document).expect("the document");
    let document = serde_json::from_str(&text).expect("JSON");
    let (told, gaps) = coverage(&channel, &seen, &document);
    println!("{told}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(gaps.is_empty(), "operations that never succeeded: {gaps:?}");
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing_undocumented_for_partners() {
    nothing_is_found(Channel { name: "secure", listener: "secure" }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing_undocumented_for_customers_apps() {
    nothing_is_found(Channel { name: "customer", listener: "open" }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing_undocumented_for_operators() {
    nothing_is_found(Channel { name: "admin", listener: "open" }).await;
}
