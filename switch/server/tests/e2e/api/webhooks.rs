//! Webhooks of the real binary at a receiver over TLS: in order for each card, signed as the
//! README's own lines verify it, through outages of the receiver and ends of the switch.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use simulators::network::Identity;
use simulators::receiver::{Delivery, Receiver, Reply};

use super::platform::{Partner, Platform};
use crate::certificates::server_files;
use crate::stage::{cardswitch, peer, purchase};

pub(super) const ALL: [&str; 15] = [
    "authorization.approved",
    "authorization.declined",
    "authorization.reversed",
    "authorization.voided",
    "authorization.expired",
    "transaction.cleared",
    "transaction.refunded",
    "card.issued",
    "card.activated",
    "card.locked",
    "card.unlocked",
    "card.renewed",
    "card.removed",
    "kyc.changed",
    "webhook.test",
];

/// A platform, a receiver that it trusts, and a partner with a webhook there.
struct Stage {
    platform: Platform,
    receiver: Receiver,
    acme: Partner,
    webhook: String,
    secret: String,
    _files: tempfile::TempDir,
}

/// A receiver over TLS, its files, and that a platform trusts it.
pub(super) async fn receiver() -> (Receiver, tempfile::TempDir, (&'static str, String)) {
    let files = tempfile::tempdir().expect("a directory");
    server_files(files.path());
    let at = |name: &str| files.path().join(name);
    let identity = Identity { chain: at("server.pem"), key: at("server.key") };
    let receiver = Receiver::listen(([127, 0, 0, 1], 0).into(), identity).await;
    let trusted = ("CARDSWITCH_API__WEBHOOKS__CA", at("root.pem").display().to_string());
    (receiver.expect("listening"), files, trusted)
}

impl Stage {
    async fn start() -> Self {
        let (receiver, files, trusted) = receiver().await;
        let platform = Platform::start_with(vec![
            trusted,
            ("CARDSWITCH_API__WEBHOOKS__EVERY_MS", "20".into()),
            ("CARDSWITCH_API__WEBHOOKS__RETRY_S", format!("{:?}", [1; 20])),
        ])
        .await;
        let acme = platform.partner("Acme", "99999912");
        let url = format!("https://localhost:{}/hook", receiver.address().port());
        let new = json!({ "url": url, "events": ALL });
        let made = acme.client.post("/secure/webhooks", "register", &new).done(201).json();
        let text = |member: &str| made[member].as_str().expect("text").to_owned();
        let (webhook, secret) = (text("webhookId"), text("secret"));
        Self { platform, receiver, acme, webhook, secret, _files: files }
    }

    /// Somebody verified with fifty euros and a card: its number and its name.
    async fn card(&self) -> (String, String) {
        let customer = self.acme.registers("u-1");
        self.acme.verifies(&customer);
        let balance = self.acme.opens(&customer, "open");
        let amount = json!({ "amount": { "value": "50", "currency": "EUR" } });
        self.acme.client.post(&format!("{balance}/reload"), "reload", &amount).done(200);
        let pan = self.platform.issues_card().await;
        let card = self.acme.reads(&balance)["cards"][0]["cardId"].clone();
        let card = card.as_str().expect("a name").to_owned();
        (pan, card)
    }

    /// Waits until what came is so.
    async fn until(&self, what: &str, reached: impl Fn(&[Delivery]) -> bool) {
        let reached = self.receiver.until(|came| reached(came));
        let within = tokio::time::timeout(Duration::from_secs(120), reached).await;
        within.unwrap_or_else(|_| {
            let came = self.receiver.came();
            panic!("{what}: {:?}", came.iter().map(kind).collect::<Vec<_>>())
        });
    }

    fn command(&self, arguments: &[&str]) {
        self.platform.served.command(arguments).unwrap_or_else(|e| panic!("{arguments:?}: {e}"));
    }
}

fn body(delivery: &Delivery) -> Value {
    serde_json::from_str(&delivery.body).expect("JSON")
}

fn kind(delivery: &Delivery) -> String {
    body(delivery)["type"].as_str().expect("a type").to_owned()
}

/// Each message once, as it came first; and that it never came as another.
fn first_of_each(came: &[Delivery]) -> Vec<Delivery> {
    let mut known: BTreeMap<&str, &Delivery> = BTreeMap::new();
    let mut first = Vec::new();
    for delivery in came {
        assert_eq!(delivery.id, delivery.idempotency_key);
        match known.get(delivery.id.as_str()) {
            Some(before) => assert_eq!(before.body, delivery.body, "the same by its name"),
            None => {
                known.insert(&delivery.id, delivery);
                first.push(delivery.clone());
            }
        }
    }
    first
}

/// The lines of the README, with which a partner verifies what it is sent.
fn verifier() -> String {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let text = std::fs::read_to_string(readme).expect("the README");
    let mut snippets = text.split("```python\n").skip(1);
    let code = snippets.find(|code| code.contains("def verify(")).expect("the lines that verify");
    code.split("```").next().unwrap_or_default().to_owned()
}

/// What these lines say of deliveries: whether each is taken, and whether it is with any change.
fn verified(secret: &str, came: &[Delivery]) -> Vec<bool> {
    let python = std::env::var("CARDSWITCH_TEST_PYTHON").unwrap_or_else(|_| "python3".into());
    let driver = "
import json, sys
given = json.load(sys.stdin)
print(json.dumps([verify(given['secret'], *one) for one in given['all']]))
";
    let one = |d: &Delivery| json!([d.id, d.timestamp, d.signature, d.body]);
    let all: Vec<Value> = came.iter().map(one).collect();
    let mut child = Command::new(python)
        .args(["-c", &format!("{}\n{driver}", verifier())])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let given = json!({ "secret": secret, "all": all }).to_string();
    child.stdin.take().expect("piped").write_all(given.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

async fn buys(stage: &Stage, pan: &str, stan: u32, cents: u64) -> String {
    let mut acquirer = peer(stage.platform.served.link, 1).await;
    let answer = acquirer.exchange(0, &purchase(pan, stan, cents)).await.expect("an answer");
    answer.text(39).unwrap_or_default().to_owned()
}

// covers: API-01, API-18, SR-004, SR-265
#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_a_card_reaches_a_receiver_in_order_signed_and_through_its_outage() {
    let stage = Stage::start().await;
    let (pan, card) = stage.card().await;
    for stan in 1..=3 {
        assert_eq!(buys(&stage, &pan, stan, 100 + u64::from(stan)).await, "00");
    }
    stage.until("three purchases", |came| came.len() >= 6).await;
    // Out for a while: what happens meanwhile waits, and comes in its order.
    stage.receiver.answers([Reply::Status(503), Reply::Cut, Reply::Redirect("https://a/".into())]);
    stage.command(&["card", "lock", &card, "--code", "3"]);
    assert_ne!(buys(&stage, &pan, 4, 104).await, "00", "it is locked");
    stage.command(&["card", "unlock", &card]);
    assert_eq!(buys(&stage, &pan, 5, 105).await, "00");
    let last = |came: &[Delivery]| {
        let is = |one: &Delivery| body(one)["transaction"]["amount"] == 105;
        came.iter().any(|one| is(one) && one.status == Some(204))
    };
    stage.until("the last purchase", last).await;

    let came = stage.receiver.came();
    let first = first_of_each(&came);
    let of_card = |one: &&Delivery| !kind(one).starts_with("kyc.");
    let told: Vec<String> = first.iter().filter(of_card).map(kind).collect();
    let approved = "authorization.approved";
    let expected = [
        "card.issued",
        approved,
        approved,
        approved,
        "card.locked",
        "authorization.declined",
        "card.unlocked",
        approved,
    ];
    assert_eq!(told, expected);
    assert_eq!(came.len(), first.len() + 3, "three were sent again");
    let moved: Vec<String> = first
        .iter()
        .filter(|one| !of_card(one))
        .map(|one| body(one)["customer"]["kycState"].as_str().expect("a state").to_owned())
        .collect();
    assert_eq!(moved, ["PENDING", "VERIFIED"]);
    bodies_are_as_documented(&first, &pan, &card);

    assert!(verified(&stage.secret, &came).iter().all(|taken| *taken));
    let mut changed = came[0].clone();
    changed.body.push(' ');
    let mut old = came[0].clone();
    old.timestamp = "1600000000".into();
    assert_eq!(verified(&stage.secret, &[changed, old]), [false, false]);
    let other = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    assert_eq!(verified(other, &came[..1]), [false]);
    asked_for_again(&stage, &first[2]).await;
    stage.platform.close().await;
}

/// In the public shape of the seed's vendor, with no more of a number than its end.
fn bodies_are_as_documented(first: &[Delivery], pan: &str, card: &str) {
    let all: String = first.iter().map(|one| one.body.as_str()).collect();
    assert!(!all.contains(&pan[..12]) && !all.contains(pan));
    let of = |name: &str| first.iter().find(|one| kind(one) == name).map(body).expect("there");
    let bought = of("authorization.approved");
    assert_eq!(
        (&bought["status"], &bought["description"]),
        (&"SUCCESS".into(), &"APPROVED".into())
    );
    let of_purchase = &bought["transaction"];
    for (member, expected) in [
        ("resource", json!("card")),
        ("resourceId", json!(card)),
        ("cardId", json!(card)),
        ("externalTransactionId", json!("000000000001")),
        ("type", json!("POS")),
        ("category", json!("DEBIT")),
        ("amount", json!(101)),
        ("currency", json!("EUR")),
        ("originalAmount", json!(101)),
        ("originalCurrency", json!("EUR")),
        ("status", json!("AUTHORIZED")),
        ("description", json!("APPROVED")),
    ] {
        assert_eq!(of_purchase[member], expected, "{member}");
    }
    assert!(of_purchase["id"].is_string() && of_purchase["balanceId"].is_string());
    let data = &of_purchase["transactionData"];
    assert_eq!((&data["mcc"], &data["captureMode"]), (&"5411".into(), &"CHIP".into()));
    assert_eq!(data["merchantIdentifier"], "MERCHANT0000001");
    assert_eq!(data["lastFourDigits"], pan[12..]);
    let declined = of("authorization.declined");
    assert_eq!(declined["status"], "DECLINED");
    assert_ne!(declined["description"], "APPROVED");
    let locked = of("card.locked");
    assert_eq!(locked["card"]["lock"]["reasonCode"], 3);
}

/// Sent again on demand, by the name it had; to its own partner alone.
async fn asked_for_again(stage: &Stage, one: &Delivery) {
    let path = format!("/secure/webhooks/{}/messages/{}", stage.webhook, one.id);
    let read = stage.acme.client.get(&path).done(200).json();
    assert_eq!((&read["state"], &read["body"]), (&"DELIVERED".into(), &json!(one.body)));
    let other = stage.platform.partner("Other", "99999913");
    assert_eq!(other.client.get(&path).status, 404);
    let again = format!("{path}/resend");
    assert_eq!(other.client.post(&again, "again", &Value::Null).status, 404);
    let before = stage.receiver.came().len();
    stage.acme.client.post(&again, "again", &Value::Null).done(202);
    stage.until("once more", |came| came.len() > before).await;
    let came = stage.receiver.came();
    assert_eq!((&came[before].id, &came[before].body), (&one.id, &one.body));
    let tries = stage.acme.client.get(&format!("{path}/attempts")).done(200).json();
    assert_eq!(tries["items"][0]["outcome"], "delivered");
}

fn reshard(directory: &Path, url: &str) {
    let done = cardswitch(directory)
        .args(["journal", "reshard", "--data-shards", "3", "--take-over", "--json"])
        .env("DATABASE_URL", url)
        .env("CARDSWITCH_SHARDS__DATA_SHARDS", "2")
        .env("CARDSWITCH_SECURITY__PAN_KEY_FILE", directory.join("pan.key"))
        .output()
        .expect("the binary runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

// covers: API-18
#[tokio::test(flavor = "multi_thread")]
async fn neither_kill_9_nor_another_number_of_shards_loses_a_message_or_their_order() {
    let mut stage = Stage::start().await;
    let (pan, _) = stage.card().await;
    let mut stan = 0;
    // Killed with messages under way, while the receiver is out, and between shards.
    for round in 0..4 {
        if round == 1 {
            stage.receiver.die();
        }
        if round == 3 {
            stage.receiver.always(Reply::Hang);
        }
        for _ in 0..8 {
            stan += 1;
            assert_eq!(buys(&stage, &pan, stan, 100 + u64::from(stan)).await, "00");
        }
        let with = vec![("CARDSWITCH_SHARDS__DATA_SHARDS", "3".to_owned())];
        let Stage { platform, receiver, acme, webhook, secret, _files } = stage;
        let platform = match round {
            2 => platform.crash(reshard, with),
            _ => platform.crash(|_, _| (), Vec::new()),
        };
        stage = Stage { platform, receiver, acme, webhook, secret, _files };
        if round == 1 {
            stage.receiver.revive().await.expect("there again");
        }
        stage.receiver.always(Reply::Status(204));
    }
    stan += 1;
    assert_eq!(buys(&stage, &pan, stan, 100 + u64::from(stan)).await, "00");
    let all = |came: &[Delivery]| {
        let taken = came.iter().filter(|one| one.status == Some(204));
        let bought = taken.filter(|one| kind(one) == "authorization.approved");
        bought.map(|one| one.id.as_str()).collect::<BTreeSet<_>>().len() == 33
    };
    stage.until("all purchases", all).await;
    let came = stage.receiver.came();
    let amounts: Vec<i64> = first_of_each(&came)
        .iter()
        .filter(|one| kind(one) == "authorization.approved")
        .map(|one| body(one)["transaction"]["amount"].as_i64().expect("an amount"))
        .collect();
    assert_eq!(amounts, (101..=133).collect::<Vec<_>>(), "each once, in their order");
    assert!(verified(&stage.secret, &came).iter().all(|taken| *taken));
    stage.platform.close().await;
}

/// Whoever was promised to be told is not forgotten by a switch that serves nobody, or its journal
/// would be kept for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_switch_without_listeners_notes_what_is_to_be_told() {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let hook = json!({ "url": "https://localhost:1/hook", "events": ["card.issued"] });
    acme.client.post("/secure/webhooks", "hook", &hook).done(201);
    let customer = acme.registers("u-1");
    acme.verifies(&customer);
    let balance = acme.opens(&customer, "open");
    let balance = balance.rsplit('/').next().expect("an identifier").to_owned();
    let platform = platform.without_listeners();
    platform.card_for(&balance).await;
    let behind = "SELECT count(*) FROM webhook_feed JOIN projection USING (shard)
        WHERE webhook_feed.seq < projection.seq";
    let made = "SELECT count(*) FROM webhook_message WHERE kind = 'card.issued'";
    while platform.count(behind).await > 0 || platform.count(made).await < 1 {
        tokio::task::yield_now().await;
    }
    platform.close().await;
}
