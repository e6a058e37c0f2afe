//! Virtual cards issued: on every channel, in use when the answer is there, and never twice.

use serde_json::{Value, json};

use super::rig::{Known, Reader, Rig};
use crate::api::person::Person;

// covers: SR-003, SR-017, SR-018, SR-020, SR-030, SR-031, SR-104, SR-107, SR-160, SR-161, A-01
// covers: SR-074, A-14, A-15
#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_card_is_spent_from_as_soon_as_it_is_answered() {
    let rig = Rig::start().await;
    let terminal = rig.terminal().await;
    let card = rig.issue("first");
    assert_eq!(terminal.buys(&card).await, "0000", "the answer is there, and so is the card");
    assert!(card.pan.starts_with("99999912") && card.pan.len() == 16);
    let made = card.by_the_issuers_keys("0000");
    assert_eq!(card.cvv2, made.code(None), "as the issuer's keys have it");

    // The same again is the same card, with everything that is on it.
    let again = rig.issue("first");
    assert_eq!((&again.id, &again.pan, &again.cvv2), (&card.id, &card.pan, &card.cvv2));
    // The holder's own app.
    let path = "/customers/me/cards/virtual";
    let wanted = json!({
        "balanceId": rig.balance, "currency": "EUR", "programmeId": rig.acme.programme,
        "holderName": "ADA LOVELACE", "reference": "wallet-1"
    });
    let answer = rig.reader.post(&rig.app, path, "app", &wanted).done(201);
    let opened = rig.reader.opens(&answer);
    let own = Known::of(&opened);
    let place = format!("/customers/me/cards/{}", own.id);
    assert_eq!(answer.header("location"), Some(place.as_str()));
    assert_ne!(own.pan, card.pan);
    assert_eq!(opened["id"].as_i64().map(|id| id.to_string()), Some(own.id.clone()));
    assert_eq!(opened["type"], rig.acme.programme.to_string());
    let exp: jiff::civil::Date = opened["exp"].as_str().expect("a day").parse().expect("a day");
    assert_eq!(exp, exp.last_of_month());
    assert_eq!(exp.strftime("%y%m").to_string(), own.expiry);
    assert_eq!(terminal.buys(&own).await, "0000");
    assert_eq!(
        (&opened["card"]["form"], &opened["card"]["status"]),
        (&"VIRTUAL".into(), &"ACTIVE".into())
    );

    // Lists by pages, and details, without what is on the cards.
    let list = rig.acme.client.get(&format!("{}?limit=1", rig.cards())).done(200);
    let page = list.json();
    let next = page["nextCursor"].as_str().expect("more").to_owned();
    let rest = rig.acme.client.get(&format!("{}?cursor={next}", rig.cards())).done(200);
    let mine = rig.app.get("/customers/me/cards").done(200);
    let ids = |value: &Value| {
        let items = value["items"].as_array().expect("items").clone();
        items
            .iter()
            .map(|one| one["cardId"].as_str().expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    let paged: Vec<_> = ids(&page).into_iter().chain(ids(&rest.json())).collect();
    assert_eq!((paged.len(), &paged), (2, &ids(&mine.json())));
    let balance = format!("/secure/customers/{}/balances/{}", rig.ada, rig.balance);
    let of_balance = rig.acme.reads(&balance);
    assert_eq!(of_balance["cards"].as_array().map(Vec::len), Some(2), "{of_balance}");
    let details = rig.acme.client.get(&format!("{}/{}/details", rig.cards(), own.id)).done(200);
    let shown = details.json();
    assert_eq!(
        (&shown["lastFour"], &shown["reference"]),
        (&own.pan[12..].into(), &"wallet-1".into())
    );
    assert_eq!(
        (&shown["balanceId"], &shown["pinStatus"]),
        (&rig.balance.as_str().into(), &"NOT_SET".into())
    );
    for answer in [&list, &rest, &mine, &details] {
        for pan in [&card.pan, &own.pan] {
            assert!(!answer.text.contains(&pan[..12]), "{answer:?}");
        }
    }
    rig.platform.close().await;
}

// covers: SR-034, SR-073, A-08, A-09, API-01, API-03
#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_refused_in_clear_and_to_whom_the_account_is_not() {
    let rig = Rig::start().await;
    let path = format!("{}/virtual", rig.cards());
    let (client, reader) = (&rig.acme.client, &rig.reader);
    let plain = client.post(&path, "plain", &rig.wanted());
    assert_eq!(plain.refused(), (403, "ENCRYPTION_REQUIRED".into()));
    let app = rig.app.post("/customers/me/cards/virtual", "plain", &rig.wanted());
    assert_eq!(app.refused(), (403, "ENCRYPTION_REQUIRED".into()));
    let refused = |key: &str, body: Value| reader.post(client, &path, key, &body).refused();
    let with = |name: &str, value: Value| {
        let mut body = rig.wanted();
        body[name] = value;
        body
    };
    let invalid = (400, "INVALID_REQUEST".to_owned());
    assert_eq!(refused("1", with("currency", "USD".into())), invalid);
    assert_eq!(refused("2", with("programmeId", 4711.into())), invalid);
    assert_eq!(refused("3", with("holderName", "<ADA>".into())), invalid);
    assert_eq!(refused("4", with("pan", "9999991200000018".into())), invalid);
    let none = (404, "NOT_FOUND".to_owned());
    let missing = "00000000-0000-4000-8000-000000000000";
    assert_eq!(refused("5", with("balanceId", missing.into())), none);

    // Another customer of the partner, and another partner.
    let bob = rig.acme.registers("u-2");
    rig.acme.verifies(&bob);
    let bobs = format!("/secure/customers/{bob}/cards/virtual");
    assert_eq!(reader.post(client, &bobs, "6", &rig.wanted()).refused(), none);
    let other = rig.platform.partner("Other", "99999913");
    assert_eq!(reader.post(&other.client, &path, "7", &rig.wanted()).refused(), none);
    // One whose verification was taken back.
    let kyc = format!("/lifecycle/v1/customers/{}/kyc", rig.ada);
    let card = rig.issue("before");
    client.post(&kyc, "revoke", &json!({ "state": "REVOKED" })).done(200);
    let unverified = (409, "CUSTOMER_NOT_VERIFIED".to_owned());
    assert_eq!(refused("8", rig.wanted()), unverified);
    let flag = json!({ "state": "VERIFIED" });
    client.post(&kyc, "verify again", &flag).done(200);
    // An account that is blocked.
    let balance = format!("/secure/customers/{}/balances/{}", rig.ada, rig.balance);
    client.post(&format!("{balance}/block"), "block", &json!(null)).done(204);
    assert_eq!(refused("9", rig.wanted()), (409, "CONFLICT".into()));
    client.post(&format!("{balance}/unblock"), "unblock", &json!(null)).done(204);
    assert_eq!(rig.issue("after").pan.len(), 16);

    // Of a stranger's card nothing is told, on any path.
    let stranger = Reader::new();
    for rest in ["", "/details"] {
        for whose in [rig.cards(), format!("/secure/customers/{bob}/cards")] {
            let path = format!("{whose}/{}{rest}", card.id);
            let answer = stranger.ask(&other.client, "GET", &path, None);
            assert_eq!(answer.refused(), none, "{path}");
        }
    }
    for id in ["0", "01", "-1", "x", "9223372036854775808"] {
        let answer = stranger.ask(client, "GET", &format!("{}/{id}", rig.cards()), None);
        assert_eq!(answer.refused(), none, "{id}");
    }
    rig.platform.close().await;
}

// covers: SR-106, SR-119, SR-122, SR-261, API-05
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_has_a_card_issued_and_sees_nothing_that_is_on_it() {
    let rig = Rig::start().await;
    let panel = rig.platform.panel();
    let operator = |name: &str, role: &str| {
        let add = ["operator", "add", "--name", name, "--role", role];
        let mut person = Person::of(&rig.platform.served.command(&add).expect("added"));
        panel.bearing(&person.begins(&panel))
    };
    let (grace, eve) = (operator("grace", "manager"), operator("eve", "employee"));
    let path = format!("/admin/customers/{}/cards/virtual", rig.ada);
    let asked = rig.reader.post(&eve, &path, "eve", &rig.wanted());
    assert_eq!(asked.refused(), (403, "FORBIDDEN".into()));
    let plain = grace.post(&path, "plain", &rig.wanted());
    assert_eq!(plain.refused(), (403, "ENCRYPTION_REQUIRED".into()));
    let made = rig.reader.post(&grace, &path, "grace", &rig.wanted()).done(201);
    let made = rig.reader.opens(&made);
    assert_eq!(
        (&made["status"], made["lastFour"].as_str().map(str::len)),
        (&"ACTIVE".into(), Some(4))
    );
    let id = made["cardId"].as_str().expect("a name");
    let listed = eve.get(&format!("/admin/customers/{}/cards", rig.ada)).done(200).json();
    assert_eq!(listed["items"][0]["cardId"], made["cardId"]);
    eve.get(&format!("/admin/cards/{id}/details")).done(200);
    // There is no path by which an operator reads it.
    let full = rig.reader.ask(&grace, "GET", &format!("/admin/cards/{id}"), None);
    assert_eq!(full.status, 405, "{full:?}");

    // Its code is reset by anybody at the panel, and told to its holder alone.
    let read = || {
        rig.step_up();
        let path = format!("/customers/me/cards/{id}");
        Known::of(&rig.reader.opens(&rig.reader.ask(&rig.app, "GET", &path, None).done(200)))
    };
    let before = read();
    let reset = format!("/admin/cards/{id}/cvv");
    assert_eq!(eve.post(&reset, "plain", &json!(null)).refused().0, 403);
    let told = rig.reader.post(&eve, &reset, "reset", &json!(null)).done(200);
    let told = rig.reader.opens(&told);
    assert!(told.get("cvv").is_none() && told["cardId"] == made["cardId"], "{told}");
    let after = read();
    assert_eq!(after.pan, before.pan);
    assert_ne!(after.cvv2, before.cvv2);
    rig.platform.close().await;
}
