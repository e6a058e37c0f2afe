//! A pool that falls below its level (SR-230): the partner is told once, by webhook and by e-mail,
//! over a real receiver and a real relay; again only after there was more in it.

use std::time::Duration;

use serde_json::{Value, json};
use simulators::receiver::Receiver;

use super::relay::{Mail, Relay};
use super::{Rig, account, tops_up};
use crate::api::client::Answer;
use crate::api::platform::{Partner, euros};
use crate::api::webhooks::receiver;
use crate::stage::{peer, purchase};

const DESKS: [&str; 2] = ["treasury@acme.example", "desk@bank.example"];

/// A deposit with an alarm below fifty euros, and a card whose purchases charge it.
struct Stage {
    rig: Rig,
    receiver: Receiver,
    relay: Relay,
    acme: Partner,
    pool: String,
    pan: String,
    stan: u32,
    _files: tempfile::TempDir,
}

impl Stage {
    async fn start() -> Self {
        let (receiver, files, trusted) = receiver().await;
        let relay = Relay::listen();
        let rig = Rig::start_with(vec![
            trusted,
            ("CARDSWITCH_API__WEBHOOKS__EVERY_MS", "20".into()),
            ("CARDSWITCH_API__MAIL__HOST", "127.0.0.1".into()),
            ("CARDSWITCH_API__MAIL__PORT", relay.port().to_string()),
            ("CARDSWITCH_API__MAIL__FROM", "cards@bank.example".into()),
            ("CARDSWITCH_API__MAIL__TLS", "plain".into()),
            ("CARDSWITCH_API__MAIL__EVERY_MS", "20".into()),
            ("CARDSWITCH_API__MAIL__RETRY_S", "[0, 0, 0]".into()),
        ])
        .await;
        let partner: i64 = rig.acme.id.parse().expect("a number");
        let new = json!({
            "partnerId": partner, "kind": "DEPOSIT", "currency": "EUR",
            "alert": { "below": euros("50.00"), "addresses": DESKS }
        });
        let opened = rig.ada.post("/admin/pools", "open", &new).done(201).json();
        let pool = opened["poolId"].as_str().expect("a number").to_owned();
        let url = format!("https://localhost:{}/hook", receiver.address().port());
        let hook = json!({ "url": url, "events": ["pool.low"] });
        rig.acme.client.post("/secure/webhooks", "hook", &hook).done(201);
        let acme = rig.funded_by(&pool, "99999914");
        let account = account(&acme, "u-1");
        tops_up(&acme, &account, "1000.00", "first").done(200);
        let (_, pan) = rig.platform.card_for(account.rsplit('/').next().expect("a name")).await;
        Self { rig, receiver, relay, acme, pool, pan, stan: 0, _files: files }
    }

    async fn buys(&mut self, cents: u64) {
        self.stan += 1;
        let mut acquirer = peer(self.rig.platform.served.link, 1).await;
        let message = purchase(&self.pan, self.stan, cents);
        let answer = acquirer.exchange(0, &message).await.expect("an answer");
        assert_eq!(answer.text(39), Some("00"));
    }

    /// Waits until so many rows are so.
    async fn until(&self, what: &str, count: i64) {
        let sql = format!("SELECT count(*) FROM {what}");
        let waiting = async {
            while self.rig.platform.count(&sql).await != count {
                tokio::task::yield_now().await;
            }
        };
        let within = tokio::time::timeout(Duration::from_secs(120), waiting).await;
        assert!(within.is_ok(), "{what} is not {count}");
    }

    async fn until_armed(&self) {
        self.until("pool_alert WHERE state = 'ARMED'", 1).await;
    }

    /// Waits until so many messages came.
    async fn came(&self, count: usize) -> Vec<Value> {
        let reached = self.receiver.until(move |came| came.len() >= count);
        tokio::time::timeout(Duration::from_secs(120), reached).await.expect("told");
        let came = self.receiver.came();
        came.iter().map(|one| serde_json::from_str(&one.body).expect("JSON")).collect()
    }

    fn alert(&self, method: &str, version: Option<&str>, body: Option<&Value>) -> Answer {
        let path = format!("/admin/pools/{}/alert", self.pool);
        let headers: Vec<_> = version.map(|version| ("If-Match", version)).into_iter().collect();
        self.rig.mia.send(method, &path, &headers, body)
    }

    fn reloads(&self, value: &str, key: &str) {
        let rig = &self.rig;
        rig.reloads(&rig.mia, &self.pool, (value, "EUR"), key).done(201);
    }
}

fn recipients(mails: &[Mail]) -> Vec<&str> {
    let mut all: Vec<_> = mails.iter().map(|mail| mail.to.as_str()).collect();
    all.sort_unstable();
    all
}

// covers: SR-230, SR-262
#[tokio::test(flavor = "multi_thread")]
async fn sr_230_a_pool_that_falls_below_its_level_is_told_once_by_webhook_and_by_mail() {
    let mut stage = Stage::start().await;
    // Empty since it was opened: of that nobody is told.
    stage.until("pool_alert WHERE state = 'FIRED' AND fired_at IS NULL", 1).await;
    stage.reloads("100.00", "first");
    stage.until_armed().await;
    stage.buys(5_000).await; // fifty are left: not below it
    // The relay puts one off; it comes with another try.
    stage.relay.answers(&["451 later"]);
    stage.buys(1).await;
    let told = stage.came(1).await;
    let expected = json!({
        "poolId": stage.pool, "kind": "DEPOSIT", "currency": "EUR", "available": 4_999,
        "below": 5_000
    });
    assert_eq!((&told[0]["type"], &told[0]["pool"]), (&"pool.low".into(), &expected));
    stage.until("mail_message WHERE state = 'SENT'", 2).await;
    stage.until("mail_message WHERE tries = 2", 1).await;
    let mails = stage.relay.came();
    assert_eq!(recipients(&mails), [DESKS[1], DESKS[0]]);
    for mail in &mails {
        assert_eq!(mail.from, "cards@bank.example");
        assert_eq!(mail.header("To"), mail.to);
        assert_eq!(mail.header("Subject"), "Acme: deposit balance is below 50.00 EUR");
        assert!(mail.data.contains("has 49.99 EUR available"), "{mail:?}");
        assert!(!mail.data.contains(&stage.pan[..8]), "{mail:?}");
    }
    assert_ne!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    // The partner sees that it is low, and since when.
    let own = format!("/secure/pools/{}/alert", stage.pool);
    let shown = stage.acme.client.get(&own).done(200).json();
    assert!(shown["lowSince"].is_string() && shown["below"] == euros("50.00"), "{shown}");

    // Lower still, and killed meanwhile: nothing more is told.
    stage.buys(500).await;
    stage.rig.platform = stage.rig.platform.crash(|_, _| (), Vec::new());
    let at = stage.rig.platform.served.api("open");
    (stage.rig.mia, stage.rig.max) = (stage.rig.mia.at(at), stage.rig.max.at(at));
    stage.buys(500).await;
    // Back above it, it is armed; below it once more, it is told once more. One of the two desks
    // is no more.
    stage.reloads("50.00", "second");
    stage.until_armed().await;
    stage.relay.answers(&["550 nobody of this name"]);
    stage.buys(5_000).await;
    let told = stage.came(2).await;
    assert_eq!((told.len(), &told[1]["pool"]["available"]), (2, &json!(3_999)));
    stage.until("mail_message WHERE state = 'SENT'", 3).await;
    stage.until("mail_message WHERE state = 'FAILED' AND tries = 1", 1).await;
    assert_eq!(stage.relay.came().len(), 3);
    stage.until("webhook_message WHERE kind = 'pool.low'", 2).await;
    settings(&stage).await;
    stage.rig.platform.close().await;
}

/// What can be set, by whom and of which version; with another level it is armed anew.
async fn settings(stage: &Stage) {
    let read = stage.alert("GET", None, None).done(200);
    let version = read.header("etag").expect("a version").to_owned();
    let body =
        |below: &str, addresses: &[&str]| json!({ "below": euros(below), "addresses": addresses });
    let wanted = body("30.00", &DESKS[..1]);
    let set = |version: Option<&str>, body: &Value| stage.alert("PUT", version, Some(body));
    assert_eq!(set(None, &wanted).refused(), (428, "PRECONDITION_REQUIRED".into()));
    assert_eq!(set(Some("\"0\""), &wanted).refused(), (412, "PRECONDITION_FAILED".into()));
    for (wrong, field) in [
        (body("0", &[]), "below.value"),
        (json!({ "below": { "value": "1", "currency": "USD" } }), "below.currency"),
        (body("1", &["desk"]), "addresses[0]"),
        (body("1", &["a@bank.example\r\nBcc: b@bank.example"]), "addresses[0]"),
        (body("1", &[DESKS[0], DESKS[0]]), "addresses"),
        (body("1", &["a@b.example"; 11]), "addresses"),
    ] {
        let refused = set(Some(&version), &wrong);
        assert_eq!((refused.status, &refused.json()["field"]), (400, &field.into()), "{wrong}");
    }
    let changed = set(Some(&version), &wanted).done(200);
    assert_eq!(changed.json().get("lowSince"), None, "it is above it");
    assert_eq!(set(Some(&version), &wanted).status, 412, "somebody changed it since");
    stage.until_armed().await;
    let version = changed.header("etag").expect("a version").to_owned();
    // Where less is there already, that is told.
    set(Some(&version), &body("45.00", &[])).done(200);
    stage.came(3).await;
    stage.until("pool_alert WHERE state = 'FIRED'", 1).await;
    stage.until("mail_message", 4).await;
}
