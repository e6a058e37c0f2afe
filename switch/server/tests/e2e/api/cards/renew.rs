//! A virtual card that is renewed, on every channel: its later month is good on the wire when it is
//! answered, and the one before is not; once, when its time has come, and only while it is in use.

use serde_json::{Value, json};

use super::rig::{Known, Rig};
use crate::api::client::{Answer, Client};
use crate::api::person::Person;

const NONE: &Value = &Value::Null;
const OWN: &str = "/customers/me/cards";

fn operator(rig: &Rig) -> Client {
    let panel = rig.platform.panel();
    let add = ["operator", "add", "--name", "grace", "--role", "manager"];
    let mut person = Person::of(&rig.platform.served.command(&add).expect("added"));
    panel.bearing(&person.begins(&panel))
}

fn renews(rig: &Rig, client: &Client, cards: &str, (card, key): (&str, &str)) -> Answer {
    rig.reader.post(client, &format!("{cards}/{card}/renew"), key, &json!({}))
}

/// All of a card, as its holder's partner reads it.
fn reads(rig: &Rig, card: &str) -> Known {
    let path = format!("{}/{card}", rig.cards());
    Known::of(&rig.reader.opens(&rig.reader.ask(&rig.acme.client, "GET", &path, None).done(200)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_card_is_the_same_with_a_later_month_when_it_is_answered() {
    let rig = Rig::start().await;
    let terminal = rig.terminal().await;
    let grace = operator(&rig);
    let ways = [
        (&rig.acme.client, rig.cards()),
        (&rig.app, OWN.to_owned()),
        (&grace, "/admin/cards".to_owned()),
    ];
    let mut all = Vec::new();
    for (at, (client, cards)) in ways.iter().enumerate() {
        let old = rig.due().await;
        assert_eq!(terminal.buys(&old).await, "0000");
        let plain = client.post(&format!("{cards}/{}/renew", old.id), "plain", &json!({}));
        assert_eq!(plain.refused(), (403, "ENCRYPTION_REQUIRED".into()));
        let key = format!("renew {at}");
        if cards == OWN {
            let early = renews(&rig, client, cards, (&old.id, &key));
            assert_eq!(early.refused(), (403, "STEP_UP_REQUIRED".into()));
            rig.step_up();
        }
        let answer = renews(&rig, client, cards, (&old.id, &key)).done(200);
        assert_eq!(terminal.buys(&old).await, "1001", "{cards}: no longer once it is answered");
        let told = rig.reader.opens(&answer);
        assert_eq!(told["card"]["cardId"], old.id.as_str(), "the same card");
        assert_eq!(told["cardNo"].is_null(), cards.starts_with("/admin"), "not to operators");
        let new = reads(&rig, &old.id);
        assert_eq!(told["card"]["expiry"], format!("{}/{}", &new.expiry[2..], &new.expiry[..2]));
        assert_eq!((&new.pan, new.expiry > old.expiry), (&old.pan, true), "{old:?} {new:?}");
        assert_eq!(new.cvv2, new.by_the_issuers_keys("1234").code(None), "of the later month");
        assert_eq!(terminal.buys(&new).await, "0000", "{cards}: it is in use");
        let again = renews(&rig, client, cards, (&old.id, &key)).done(200);
        assert_eq!(rig.reader.opens(&again)["card"]["expiry"], told["card"]["expiry"]);
        let other = renews(&rig, client, cards, (&old.id, "another key"));
        assert_eq!(other.refused(), (409, "CONFLICT".into()), "it is good for long");
        all.push((old, new));
    }
    drop(terminal);
    let rig = rig.restart();
    let terminal = rig.terminal().await;
    for (old, new) in &all {
        assert_eq!(terminal.buys(old).await, "1001");
        assert_eq!(terminal.buys(new).await, "0000");
    }
    rig.platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_renewed_when_it_is_due_and_in_use_and_keeps_its_lock() {
    let rig = Rig::start().await;
    let terminal = rig.terminal().await;
    let theirs = rig.cards();
    let acme = rig.acme.client.clone();
    let refused = |card: &str, why: (u16, &str)| {
        let refused = renews(&rig, &acme, &theirs, (card, "refused"));
        assert_eq!(refused.refused(), (why.0, why.1.to_owned()), "{card}");
    };
    let lock = |card: &str, code: u8| {
        let path = format!("{theirs}/{card}/lock");
        acme.post(&path, &format!("{code} {card}"), &json!({ "reasonCode": code })).done(204);
    };
    refused(&rig.issue("fresh").id, (409, "CONFLICT"));
    let (lost, removed, replaced) = (rig.due().await, rig.due().await, rig.due().await);
    lock(&lost.id, 1);
    acme.send("DELETE", &format!("{theirs}/{}", removed.id), &[], None).done(204);
    rig.reader.post(&acme, &format!("{theirs}/{}/replace", replaced.id), "r", &json!({})).done(201);
    for card in [&lost, &removed, &replaced] {
        refused(&card.id, (409, "CONFLICT"));
    }
    refused("1", (404, "NOT_FOUND"));
    let due = rig.due().await;
    let stranger = rig.platform.partner("Other", "99999913");
    let strange = renews(&rig, &stranger.client, &theirs, (&due.id, "theirs"));
    assert_eq!(strange.refused(), (404, "NOT_FOUND".into()));
    let path = format!("{theirs}/{}/renew", due.id);
    for (key, said) in [
        ("sent", json!({ "delivery": crate::api::plastic::wanted(&rig.balance)["delivery"] })),
        ("named", json!({ "holderName": "ADA" })),
        ("until", json!({ "expiry": "12/40" })),
    ] {
        let refused = rig.reader.post(&acme, &path, key, &said).refused();
        assert_eq!(refused, (400, "INVALID_REQUEST".into()), "{said}");
    }
    // A lock that can be taken back is there before and after, and of the same reason.
    lock(&due.id, 3);
    let told = renews(&rig, &acme, &theirs, (&due.id, "locked")).done(200);
    assert_eq!(rig.reader.opens(&told)["card"]["lock"]["reasonCode"], 3);
    let new = reads(&rig, &due.id);
    assert_eq!(terminal.buys(&new).await, "1000");
    acme.post(&format!("{theirs}/{}/unlock", due.id), "unlock", NONE).done(204);
    assert_eq!(terminal.buys(&new).await, "0000");
    assert_eq!(terminal.buys(&due).await, "1001");
    rig.platform.close().await;
}

// In the older forms the month of before is refused as every other that is not the card's.
#[tokio::test(flavor = "multi_thread")]
async fn the_month_of_before_answers_in_the_1987_and_1993_forms() {
    for (dialect, action) in [("iso87-ascii", "54"), ("iso93-ascii", "101")] {
        let rig = Rig::speaking(dialect, Vec::new()).await;
        let terminal = rig.terminal().await;
        let old = rig.due().await;
        renews(&rig, &rig.acme.client, &rig.cards(), (&old.id, "renew")).done(200);
        assert_eq!(terminal.buys(&old).await, action, "{dialect}");
        rig.platform.close().await;
    }
}
