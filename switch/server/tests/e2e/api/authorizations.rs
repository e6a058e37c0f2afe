//! What was decided of a card, by real messages over TCP, read over the API: the latest first, with
//! what every check said for the issuer and without it for the holder, and for nobody else.

use serde_json::{Value, json};

use super::client::Client;
use super::person::Person;
use super::platform::{Partner, Platform, euros};
use crate::explain::{explain, told as told_by};

/// A card with which was bought twice, and declined twice.
struct Bought {
    platform: Platform,
    acme: Partner,
    customer: String,
    balance: String,
    card: String,
}

async fn bought() -> Bought {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let customer = acme.registers("u-1");
    acme.verifies(&customer);
    let path = acme.opens(&customer, "open");
    let amount = json!({ "amount": euros("50"), "reference": "top-up" });
    acme.client.post(&format!("{path}/reload"), "reload", &amount).done(200);
    let balance = path.rsplit('/').next().expect("an identifier").to_owned();
    let (card, pan) = platform.card_for(&balance).await;
    for (stan, cents, action) in [(1, 1_000, "00"), (2, 9_900, "51"), (3, 2_000, "00")] {
        assert_eq!(platform.buys(&pan, stan, cents).await, action);
    }
    let once = json!({ "name": "small", "rule": "AMOUNT", "amount": euros("5.00") });
    let controls = format!("/secure/customers/{customer}/cards/{card}/controls");
    acme.client.post(&controls, "small", &once).done(201);
    assert_eq!(platform.buys(&pan, 4, 600).await, "61");
    let bought = Bought { platform, acme, customer, balance, card };
    // The tables follow behind.
    while bought.partners("").len() < 4 {
        tokio::task::yield_now().await;
    }
    bought
}

impl Bought {
    fn list(&self) -> String {
        format!("/secure/customers/{}/cards/{}/authorizations", self.customer, self.card)
    }

    fn partners(&self, query: &str) -> Vec<Value> {
        items(&self.acme.client, &format!("{}{query}", self.list()))
    }
}

fn items(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).done(200).json()["items"].as_array().expect("items").clone()
}

fn name(one: &Value) -> &str {
    one["authorizationId"].as_str().expect("a name")
}

// covers: SR-149
#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_is_listed_by_pages_for_whoever_may_see_it() {
    let bought = bought().await;
    let all = bought.partners("");
    let reasons: Vec<_> = all.iter().map(|one| one["reason"].as_str().expect("a code")).collect();
    assert_eq!(reasons, ["AMOUNT_LIMIT_EXCEEDED", "APPROVED", "INSUFFICIENT_FUNDS", "APPROVED"]);
    let latest = &all[0];
    assert_eq!((&latest["approved"], &latest["outcome"]), (&json!(false), &json!("DECLINED")));
    assert_eq!(latest["description"], "amount limit exceeded");
    let granted = &all[1];
    let amounts = &granted["amounts"];
    assert_eq!((&amounts["requested"], &amounts["held"]), (&euros("20.00"), &euros("20.00")));
    assert_eq!((&granted["mcc"], &granted["channel"]), (&json!("5411"), &json!("POS")));
    assert_eq!((&granted["entryMode"], &granted["kind"]), (&json!("CHIP"), &json!("PURCHASE")));
    assert_eq!(granted["merchant"], "MERCHANT0000001");
    // One by one it is the same list; filters leave out the others.
    let mut paged = Vec::new();
    let mut query = "?limit=1".to_owned();
    loop {
        let page = bought.acme.client.get(&format!("{}{query}", bought.list())).done(200).json();
        paged.extend(page["items"].as_array().expect("items").iter().cloned());
        let Some(next) = page["nextCursor"].as_str() else { break };
        query = format!("?limit=1&cursor={next}");
    }
    assert_eq!(paged, all);
    let declined = bought.partners("?approved=false");
    assert_eq!(declined, [all[0].clone(), all[2].clone()]);
    let of_account = format!(
        "/secure/customers/{}/balances/{}/authorizations?approved=true",
        bought.customer, bought.balance
    );
    assert_eq!(items(&bought.acme.client, &of_account), [all[1].clone(), all[3].clone()]);
    let wrong = ["?from=2026-01-01&to=2026-02-01", "?to=today", "?limit=0", "?cursor=x", "?a=b"];
    for wrong in wrong {
        let refused = bought.acme.client.get(&format!("{}{wrong}", bought.list())).refused();
        assert_eq!(refused, (400, "INVALID_REQUEST".into()), "{wrong}");
    }
    let app = bought.acme.pairs(&bought.platform.anonymous(), &bought.customer, "device-0001");
    let app = app.opens();
    let own = format!("/customers/me/cards/{}/authorizations", bought.card);
    assert_eq!(items(&app, &own), all, "nothing of it stands against fraud");
    bought.platform.close().await;
}

// covers: SR-149
#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_is_told_what_every_check_said_and_the_holder_is_not() {
    let bought = bought().await;
    let all = bought.partners("");
    let one = format!("{}/{}", bought.list(), name(&all[0]));
    let told = bought.acme.client.get(&one).done(200).json();
    assert_eq!(told["authorization"], all[0]);
    let trace = &told["trace"];
    assert_eq!(trace["decidedBy"], "amount limit");
    let compared = json!({ "needed": "6.00 EUR", "there": "5.00 EUR" });
    assert_eq!(trace["compared"], compared, "{trace}");
    assert_eq!(trace["declinedBy"]["name"], "small");
    let checks = trace["checks"].as_array().expect("checks");
    let of = |said: &str| checks.iter().filter(|check| check["said"] == said).count();
    assert_eq!(of("FAILED"), 1, "{trace}");
    let decided: Vec<_> = checks.iter().filter(|check| check["decided"] == true).collect();
    assert_eq!((decided.len(), &decided[0]["check"]), (1, &json!(14)));
    assert!(of("PASSED") > 10 && of("NOT_JUDGED") > 0, "{trace}");
    // The command says the same of it.
    let directory = bought.platform.directory.path();
    let url = bought.platform.database.url().expose();
    let explained = told_by(&explain(directory, url, &[name(&all[0]), "--json"]));
    assert_eq!(explained["decided_by"]["said"], trace["decidedBy"]);
    let add = ["operator", "add", "--name", "ada", "--role", "employee"];
    let mut ada = Person::of(&bought.platform.served.command(&add).expect("added"));
    let panel = bought.platform.panel();
    let ada = panel.bearing(&ada.begins(&panel));
    let path = format!("/admin/cards/{}/authorizations/{}", bought.card, name(&all[0]));
    assert_eq!(ada.get(&path).done(200).json(), told);
    let app = bought.acme.pairs(&bought.platform.anonymous(), &bought.customer, "device-0001");
    let app = app.opens();
    let path = format!("/customers/me/cards/{}/authorizations/{}", bought.card, name(&all[0]));
    let own = app.get(&path).done(200).json();
    let members: Vec<_> = own.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["authorization", "events", "moreEvents"]);

    // What is another's is not there: tenant, customer, and card.
    let none = (404, "NOT_FOUND".to_owned());
    let other = bought.platform.partner("Other", "99999913");
    assert_eq!(other.client.get(&one).refused(), none);
    assert_eq!(other.client.get(&bought.list()).refused(), none);
    let bob = bought.acme.registers("u-2");
    let bobs = one.replace(&bought.customer, &bob);
    assert_eq!(bought.acme.client.get(&bobs).refused(), none);
    let (second, _) = bought.platform.card_for(&bought.balance).await;
    let seconds = one.replace(&format!("/{}/", bought.card), &format!("/{second}/"));
    assert_eq!(bought.acme.client.get(&seconds).refused(), none);
    for wrong in ["0", "01", "x", "9223372036854775808"] {
        let path = format!("{}/{wrong}", bought.list());
        assert_eq!(bought.acme.client.get(&path).refused(), none, "{wrong}");
    }
    bought.platform.close().await;
}

// covers: API-04
#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_takes_too_long_is_ended_and_says_so() {
    let bought = bought().await;
    let Bought { platform, acme, customer, card, .. } = bought;
    let short = vec![("CARDSWITCH_API__HISTORY__PATIENCE_MS", "50".to_owned())];
    let platform = platform.crash(|_, _| {}, short);
    let client = acme.client.at(platform.served.api("secure"));
    let url = platform.database.url();
    let mut holder = sqlx::ConnectOptions::connect(&url.connect_options()).await.expect("open");
    sqlx::raw_sql("BEGIN; LOCK TABLE card_authorization IN ACCESS EXCLUSIVE MODE")
        .execute(&mut holder)
        .await
        .expect("locked");
    let list = format!("/secure/customers/{customer}/cards/{card}/authorizations");
    let late = client.get(&list);
    assert_eq!(late.refused(), (503, "HISTORY_TIMEOUT".into()));
    assert!(late.header("retry-after").is_some());
    let late = client.get(&format!("{list}/1"));
    assert_eq!(late.refused(), (503, "HISTORY_TIMEOUT".into()));
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.expect("let go");
    client.get(&list).done(200);
    sqlx::Connection::close(holder).await.expect("closed");
    platform.close().await;
}
