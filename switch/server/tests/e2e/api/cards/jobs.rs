//! Cards that are asked for and not waited for: each is made once, also over a restart.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::rig::{Known, Rig};
use crate::api::client::{Answer, Client};

/// Asks until it is no more on its way.
fn becomes(client: &Client, place: &str) -> Value {
    let patience = Instant::now();
    loop {
        let told = client.get(place).done(200).json();
        if told["state"] != "WAITING" {
            return told;
        }
        assert!(patience.elapsed() < Duration::from_secs(60), "{told}");
        std::thread::yield_now();
    }
}

fn place(answer: &Answer) -> String {
    answer.header("location").expect("a place").to_owned()
}

// covers: SR-105, SR-108, SR-162
#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_was_asked_for_is_made_once_and_also_after_a_restart() {
    // Nobody looks for what waits before the first switch ends.
    let slow = ("CARDSWITCH_API__CARDS__EVERY_MS", "60000".to_owned());
    let rig = Rig::start_with(vec![slow]).await;
    let client = &rig.acme.client;
    let path = format!("{}/virtual/async", rig.cards());
    let asked = client.post(&path, "first", &rig.wanted()).done(202);
    let waiting = asked.json();
    assert_eq!((&waiting["state"], waiting.get("cardId")), (&"WAITING".into(), None), "{waiting}");
    assert_eq!(client.post(&path, "first", &rig.wanted()).done(202).json(), waiting);
    let first = place(&asked);
    let asked = rig.app.post("/customers/me/cards/virtual/async", "app", &rig.wanted()).done(202);
    let second = place(&asked);
    assert_eq!(rig.app.get(&second).done(200).json()["state"], "WAITING");
    // Another customer's job is not there, and neither is another partner's.
    let other = rig.platform.partner("Other", "99999913");
    assert_eq!(other.client.get(&first).refused(), (404, "NOT_FOUND".into()));
    let id = first.rsplit('/').next().expect("an identifier");
    let bob = rig.acme.registers("u-2");
    let bobs = client.get(&format!("/secure/customers/{bob}/cards/jobs/{id}"));
    assert_eq!(bobs.refused(), (404, "NOT_FOUND".into()));

    let rig = rig.restart();
    let client = &rig.acme.client;
    let done = becomes(client, &first);
    assert_eq!(done["state"], "DONE", "{done}");
    assert_eq!(becomes(&rig.app, &second)["state"], "DONE");
    // It is in use, and everything that is on it is read as of any other.
    let path = format!("{}/{}", rig.cards(), done["cardId"].as_str().expect("a name"));
    let card = Known::of(&rig.reader.opens(&rig.reader.ask(client, "GET", &path, None).done(200)));
    assert_eq!(rig.terminal().await.buys(&card).await, "0000");
    let listed = client.get(&rig.cards()).done(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2), "{listed}");

    // The same asked once more, after it was done and forgotten by whoever asked.
    let path = format!("{}/virtual/async", rig.cards());
    let again = client.post(&path, "first", &rig.wanted()).done(202);
    assert_eq!(place(&again), first);
    assert_eq!(rig.platform.count("SELECT count(*) FROM card_profile").await, 2);
    // What cannot be is refused at once.
    let missing = json!({ "balanceId": "00000000-0000-4000-8000-000000000000" });
    assert_eq!(client.post(&path, "none", &missing).refused(), (404, "NOT_FOUND".into()));
    rig.platform.close().await;
}
