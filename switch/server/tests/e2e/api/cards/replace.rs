//! A virtual card in another's place, on every channel: in use when it is answered, and the old one
//! locked on the wire; once, for whom it is, and never around a lock.

use serde_json::{Value, json};

use super::rig::{Known, Rig};
use crate::api::client::{Answer, Client};
use crate::api::person::Person;

fn operator(rig: &Rig) -> Client {
    let panel = rig.platform.panel();
    let add = ["operator", "add", "--name", "grace", "--role", "manager"];
    let mut person = Person::of(&rig.platform.served.command(&add).expect("added"));
    panel.bearing(&person.begins(&panel))
}

fn replaces(rig: &Rig, client: &Client, cards: &str, (old, key): (&str, &str)) -> Answer {
    rig.reader.post(client, &format!("{cards}/{old}/replace"), key, &json!({}))
}

fn details(rig: &Rig, card: &str) -> Value {
    rig.acme.client.get(&format!("{}/{card}/details", rig.cards())).done(200).json()
}

// covers: SR-207, SR-175
#[tokio::test(flavor = "multi_thread")]
async fn sr_207_a_replacement_is_in_use_and_the_old_card_locked_when_it_is_answered() {
    let rig = Rig::start().await;
    let terminal = rig.terminal().await;
    let grace = operator(&rig);
    let ways = [
        (&rig.acme.client, rig.cards()),
        (&rig.app, "/customers/me/cards".to_owned()),
        (&grace, "/admin/cards".to_owned()),
    ];
    for (at, (client, cards)) in ways.iter().enumerate() {
        let old = rig.issue(&format!("card {at}"));
        assert_eq!(terminal.buys(&old).await, "0000");
        let plain = client.post(&format!("{cards}/{}/replace", old.id), "plain", &json!({}));
        assert_eq!(plain.refused(), (403, "ENCRYPTION_REQUIRED".into()));
        let key = format!("replace {at}");
        let answer = replaces(&rig, client, cards, (&old.id, &key)).done(201);
        assert_eq!(terminal.buys(&old).await, "1011", "{cards}: locked once it is answered");
        let told = rig.reader.opens(&answer);
        let id = told["card"]["cardId"].as_str().expect("a card").to_owned();
        assert_eq!(answer.header("location"), Some(format!("{cards}/{id}").as_str()));
        assert_eq!(told["card"]["replaces"], old.id.as_str());
        assert_eq!(told["card"]["holderName"], "ADA LOVELACE", "as on the one before");
        assert_eq!(told["cardNo"].is_null(), cards.starts_with("/admin"), "not to operators");
        let new = rig.reader.ask(&rig.acme.client, "GET", &format!("{}/{id}", rig.cards()), None);
        let new = Known::of(&rig.reader.opens(&new.done(200)));
        assert_ne!(new.pan, old.pan);
        assert_eq!(terminal.buys(&new).await, "0000", "{cards}: it is in use");
        let shown = details(&rig, &old.id);
        assert_eq!(
            (&shown["status"], &shown["lock"]["reasonCode"], &shown["replacedBy"]),
            (&json!("LOCKED"), &json!(8), &json!(id))
        );
        // The same once more, and another one.
        let again = replaces(&rig, client, cards, (&old.id, &key)).done(201);
        assert_eq!(rig.reader.opens(&again)["card"]["cardId"], id.as_str(), "one card");
        let other = replaces(&rig, client, cards, (&old.id, "another key"));
        assert_eq!(other.refused(), (409, "CONFLICT".into()));
    }
    let listed = rig.acme.client.get(&rig.cards()).done(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(6));
    rig.platform.close().await;
}

// covers: SR-207
#[tokio::test(flavor = "multi_thread")]
async fn a_final_lock_stays_and_no_lock_is_gone_around() {
    let never = ("CARDSWITCH_API__CARDS__USER_LIFTS", "[3]".to_owned());
    let rig = Rig::start_with(vec![never]).await;
    let terminal = rig.terminal().await;
    let (own, theirs) = ("/customers/me/cards", rig.cards());
    let lock = |card: &Known, code: u8| {
        let path = format!("{theirs}/{}/lock", card.id);
        rig.acme.client.post(&path, &format!("{code} {}", card.id), &json!({ "reasonCode": code }))
    };
    for (code, action) in [(1, "2008"), (2, "2009"), (5, "1018")] {
        let old = rig.issue(&format!("card {code}"));
        lock(&old, code).done(204);
        let answer = replaces(&rig, &rig.app, own, (&old.id, "lost")).done(201);
        let new = rig.reader.opens(&answer)["card"]["cardId"].clone();
        assert_eq!(terminal.buys(&old).await, action, "it keeps its lock");
        let shown = details(&rig, &old.id);
        assert_eq!((&shown["lock"]["reasonCode"], &shown["replacedBy"]), (&json!(code), &new));
        let twice = replaces(&rig, &rig.app, own, (&old.id, "twice"));
        assert_eq!(twice.refused(), (409, "CONFLICT".into()));
    }
    let (replaced, removed) = (rig.issue("replaced"), rig.issue("removed"));
    lock(&replaced, 8).done(204);
    rig.app.send("DELETE", &format!("{own}/{}", removed.id), &[], None).done(204);
    for card in [&replaced, &removed] {
        let refused = replaces(&rig, &rig.app, own, (&card.id, "new"));
        assert_eq!(refused.refused(), (409, "CONFLICT".into()));
    }
    // What is not the holder's to lift is not the holder's to go around; it is the partner's.
    let suspected = rig.issue("suspected");
    lock(&suspected, 7).done(204);
    let refused = replaces(&rig, &rig.app, own, (&suspected.id, "around"));
    assert_eq!(refused.refused(), (403, "FORBIDDEN".into()));
    let stranger = rig.platform.partner("Other", "99999913");
    let refused = replaces(&rig, &stranger.client, &theirs, (&suspected.id, "theirs"));
    assert_eq!(refused.refused(), (404, "NOT_FOUND".into()));
    let sent = json!({ "delivery": crate::api::plastic::wanted(&rig.balance)["delivery"] });
    let path = format!("{theirs}/{}/replace", suspected.id);
    let refused = rig.reader.post(&rig.acme.client, &path, "sent", &sent);
    assert_eq!(refused.refused(), (400, "INVALID_REQUEST".into()), "nothing is sent of it");
    replaces(&rig, &rig.acme.client, &theirs, (&suspected.id, "by the partner")).done(201);
    assert_eq!(terminal.buys(&suspected).await, "1011");
    rig.platform.close().await;
}

// covers: SR-207
#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_card_answers_in_the_1987_and_1993_forms() {
    for (dialect, action) in [("iso87-ascii", "14"), ("iso93-ascii", "111")] {
        let rig = Rig::speaking(dialect, Vec::new()).await;
        let terminal = rig.terminal().await;
        let old = rig.issue("card");
        replaces(&rig, &rig.app, "/customers/me/cards", (&old.id, "replace")).done(201);
        assert_eq!(terminal.buys(&old).await, action, "{dialect}");
        rig.platform.close().await;
    }
}
