//! Locks, on every channel: each reason with its action code at the terminal, lifted or never, set
//! and lifted by whom the policy says; cards activated and removed.

use serde_json::{Value, json};

use super::rig::{Known, Rig};
use crate::api::client::{Answer, Client};
use crate::api::person::Person;

const NONE: &Value = &Value::Null;

/// The seed's table: the reason, whether it is final, and what the terminal is told.
pub(in crate::api) const TABLE: [(u8, bool, &str); 9] = [
    (1, true, "2008"),
    (2, true, "2009"),
    (3, false, "1000"),
    (4, false, "1016"),
    (5, true, "1018"),
    (6, false, "1006"),
    (7, false, "1002"),
    (8, true, "1011"),
    (11, false, "1006"),
];

/// A card through one channel.
struct Way<'a> {
    client: &'a Client,
    cards: String,
}

impl Way<'_> {
    fn does(&self, card: &Known, act: &str, key: &str, body: &Value) -> Answer {
        self.client.post(&format!("{}/{}/{act}", self.cards, card.id), key, body)
    }

    fn locks(&self, card: &Known, code: u8) -> Answer {
        self.does(card, "lock", &format!("lock {code} {}", card.id), &json!({ "reasonCode": code }))
    }

    fn unlocks(&self, card: &Known) -> Answer {
        self.client.send("POST", &format!("{}/{}/unlock", self.cards, card.id), &[], None)
    }
}

fn operator(rig: &Rig) -> Client {
    let panel = rig.platform.panel();
    let add = ["operator", "add", "--name", "eve", "--role", "employee"];
    let mut person = Person::of(&rig.platform.served.command(&add).expect("added"));
    panel.bearing(&person.begins(&panel))
}

// covers: SR-109, SR-110, SR-111, SR-112, SR-113, SR-114, SR-172, SR-173, SR-174, SR-200, SR-201
// covers: SR-202, SR-203, SR-204, SR-205, SR-206, SR-207, SR-208, SR-212, A-16, A-17, A-19, A-22
//
#[tokio::test(flavor = "multi_thread")]
async fn each_reason_locks_on_every_channel_and_is_lifted_or_never() {
    let rig = Rig::start().await;
    let terminal = rig.terminal().await;
    let eve = operator(&rig);
    let ways = [
        (Way { client: &rig.acme.client, cards: rig.cards() }, "PARTNER"),
        (Way { client: &rig.app, cards: "/customers/me/cards".to_owned() }, "USER"),
        (Way { client: &eve, cards: "/admin/cards".to_owned() }, "OPERATOR"),
    ];
    for (at, (code, is_final, action)) in TABLE.into_iter().enumerate() {
        let card = rig.issue(&format!("card {code}"));
        assert_eq!(terminal.buys(&card).await, "0000", "{code}");
        let (way, channel) = &ways[at % ways.len()];
        way.locks(&card, code).done(204);
        assert_eq!(terminal.buys(&card).await, action, "{code}: it holds once it is answered");
        let details = format!("{}/{}/details", rig.cards(), card.id);
        let shown = rig.acme.client.get(&details).done(200).json();
        assert_eq!(
            (&shown["status"], &shown["lock"]["reasonCode"]),
            (&"LOCKED".into(), &code.into())
        );
        assert_eq!(shown["lock"]["setBy"], *channel, "{code}");
        // The same reason again, under any of its names, through any channel: it stays as it is.
        for ((way, _), name) in ways.iter().zip(["reasonCode", "reason", "codeNo"]) {
            way.does(&card, "lock", &format!("{name} {code}"), &json!({ name: code })).done(204);
        }
        let shown = rig.acme.client.get(&details).done(200).json();
        assert_eq!(shown["lock"]["setBy"], *channel, "{code}: it stays theirs");
        // Another one: a final one after one that can be taken back, and no other.
        let other = if code == 3 { 4 } else { 3 };
        assert_eq!(way.locks(&card, other).refused(), (409, "CONFLICT".into()), "{code}");
        for (way, channel) in &ways {
            let unlocked = way.unlocks(&card);
            if is_final {
                assert_eq!(unlocked.refused(), (409, "CONFLICT".into()), "{code} {channel}");
            } else {
                unlocked.done(204);
            }
        }
        let wanted = if is_final { action } else { "0000" };
        assert_eq!(terminal.buys(&card).await, wanted, "{code}");
        if code == 7 {
            way.does(&card, "lock", "again", &json!({ "reasonCode": 7 })).done(204);
            way.locks(&card, 2).done(204);
            assert_eq!(terminal.buys(&card).await, "2009", "from one to be taken back to a final");
        }
    }
    let card = rig.issue("one more");
    let way = &ways[0].0;
    let wrong = [
        json!({ "reasonCode": 9 }),
        json!({ "reasonCode": 10 }),
        json!({ "reasonCode": 0 }),
        json!({ "reasonCode": "1" }),
        json!({ "reasonCode": 1, "reason": 1 }),
        json!({}),
    ];
    for (at, body) in wrong.iter().enumerate() {
        let refused = way.does(&card, "lock", &format!("wrong {at}"), body).refused();
        assert_eq!(refused, (400, "INVALID_REQUEST".into()), "{body}");
    }
    assert_eq!(terminal.buys(&card).await, "0000");
    rig.platform.close().await;
}

// covers: SR-115, SR-116, SR-117, SR-129, SR-130, SR-131, SR-170, SR-175, A-18, A-30, A-31
#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_activated_and_removed_for_good_on_every_channel() {
    let rig = Rig::start().await;
    let terminal = rig.terminal().await;
    let eve = operator(&rig);
    let lifecycle = format!("/lifecycle/v1/customers/{}/cards", rig.ada);
    let ways = [
        (&rig.acme.client, rig.cards()),
        (&rig.acme.client, lifecycle),
        (&rig.app, "/customers/me/cards".to_owned()),
        (&eve, "/admin/cards".to_owned()),
    ];
    for (at, (client, cards)) in ways.iter().enumerate() {
        let card = rig.issue(&format!("card {at}"));
        assert_eq!(terminal.buys(&card).await, "0000");
        if !cards.starts_with("/lifecycle") {
            // One that is active stays so.
            let path = format!("{cards}/{}/activate", card.id);
            client.post(&path, &format!("activate {at}"), NONE).done(204);
        }
        let path = format!("{cards}/{}", card.id);
        client.send("DELETE", &path, &[], None).done(204);
        assert_ne!(terminal.buys(&card).await, "0000", "{cards}");
        client.send("DELETE", &path, &[], None).done(204);
        let details = format!("{}/{}/details", rig.cards(), card.id);
        let shown = rig.acme.client.get(&details).done(200).json();
        assert_eq!(shown["status"], "REMOVED", "what was stays: {shown}");
        let lock = json!({ "reasonCode": 3 });
        let path = format!("{}/{}/lock", rig.cards(), card.id);
        let locked = rig.acme.client.post(&path, &format!("lock {at}"), &lock);
        assert_eq!(locked.refused(), (404, "NOT_FOUND".into()));
        let full = format!("{}/{}", rig.cards(), card.id);
        let full = rig.reader.ask(&rig.acme.client, "GET", &full, None);
        assert_eq!(full.refused(), (404, "NOT_FOUND".into()));
        // What was authorized before is still held.
        let balance = format!("/secure/customers/{}/balances/{}", rig.ada, rig.balance);
        let held = rig.acme.reads(&balance)["held"]["value"].clone();
        assert_eq!(held, format!("{}.00", at + 1), "its hold stays");
    }
    // One that waits for its activation, issued by command, is no card that is locked.
    let handle = "SELECT balance_id FROM balance_handle";
    let id = rig.platform.count(handle).await.to_string();
    let issue = ["card", "issue", "--balance", &id, "--expiry", "4912", "--inactive"];
    let issued = [&issue[..], &["--reveal-test-pan"]].concat();
    let issued = rig.platform.served.command(&issued).expect("issued");
    let id = issued["card"].as_i64().expect("a card").to_string();
    let pan = issued["pan"].as_str().expect("a number").to_owned();
    let card = Known { id, pan, expiry: "4912".to_owned(), cvv2: String::new() };
    let path = format!("{}/{}", rig.cards(), card.id);
    let shown = rig.acme.client.get(&format!("{path}/details")).done(200).json();
    assert_eq!((&shown["status"], &shown["lock"]), (&"INACTIVE".into(), NONE), "{shown}");
    assert_ne!(terminal.buys(&card).await, "0000", "it does not work before");
    let full = rig.reader.ask(&rig.acme.client, "GET", &path, None);
    assert_eq!(full.refused(), (409, "CONFLICT".into()));
    rig.app.post(&format!("/customers/me/cards/{}/activate", card.id), "activate", NONE).done(204);
    assert_eq!(terminal.buys(&card).await, "0000");
    rig.platform.close().await;
}

//
#[tokio::test(flavor = "multi_thread")]
async fn the_policy_says_who_sets_and_lifts_which() {
    let rig = Rig::start_with(vec![
        ("CARDSWITCH_API__CARDS__USER_SETS", "[1, 2, 3]".into()),
        ("CARDSWITCH_API__CARDS__USER_LIFTS", "[3, 6]".into()),
        ("CARDSWITCH_API__CARDS__USER_LIFTS_OWN_ALONE", "true".into()),
        ("CARDSWITCH_API__CARDS__OPERATOR_LIFTS", "[7]".into()),
    ])
    .await;
    let eve = operator(&rig);
    let partner = Way { client: &rig.acme.client, cards: rig.cards() };
    let user = Way { client: &rig.app, cards: "/customers/me/cards".to_owned() };
    let panel = Way { client: &eve, cards: "/admin/cards".to_owned() };
    let forbidden = (403, "FORBIDDEN".to_owned());
    let card = rig.issue("card");
    assert_eq!(user.locks(&card, 7).refused(), forbidden, "not theirs to say");
    user.locks(&card, 3).done(204);
    assert_eq!(panel.unlocks(&card).refused(), forbidden);
    user.unlocks(&card).done(204);
    // The same reason given by another is not the holder's to take back.
    partner.locks(&card, 3).done(204);
    user.does(&card, "lock", "mine, too", &json!({ "reasonCode": 3 })).done(204);
    assert_eq!(user.unlocks(&card).refused(), forbidden);
    partner.unlocks(&card).done(204);
    user.unlocks(&card).done(204);
    partner.locks(&card, 7).done(204);
    assert_eq!(user.unlocks(&card).refused(), forbidden);
    panel.unlocks(&card).done(204);
    // One that the switch has set, by command, is nobody's, also after one that was the holder's.
    user.does(&card, "lock", "once more", &json!({ "reasonCode": 3 })).done(204);
    user.unlocks(&card).done(204);
    rig.platform.served.command(&["card", "lock", &card.id, "--code", "3"]).expect("locked");
    let details = rig.acme.client.get(&format!("{}/{}/details", rig.cards(), card.id));
    assert_eq!(details.done(200).json()["lock"]["setBy"], "PLATFORM");
    assert_eq!(user.unlocks(&card).refused(), forbidden);
    partner.unlocks(&card).done(204);
    // A stranger's card cannot be locked, nor unlocked, nor removed.
    let other = rig.platform.partner("Other", "99999913");
    let stranger = Way { client: &other.client, cards: rig.cards() };
    let none = (404, "NOT_FOUND".to_owned());
    assert_eq!(stranger.locks(&card, 1).refused(), none);
    assert_eq!(stranger.unlocks(&card).refused(), none);
    assert_eq!(stranger.does(&card, "activate", "activate", NONE).refused(), none);
    let removed = other.client.send("DELETE", &format!("{}/{}", rig.cards(), card.id), &[], None);
    assert_eq!(removed.refused(), none);
    rig.platform.close().await;
}
