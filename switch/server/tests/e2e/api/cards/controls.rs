//! Spend controls that a partner sets over the API: in force for the next purchase over TCP, shown
//! with what was used, and nobody else's to see.

use serde_json::{Value, json};

use super::rig::Rig;
use crate::api::client::Client;
use crate::api::platform::euros;

fn put(client: &Client, path: &str, body: &Value) -> (u16, Value) {
    let answer = client.send("PUT", path, &[], Some(body));
    (answer.status, answer.json())
}

// covers: API-01, API-03
#[tokio::test(flavor = "multi_thread")]
async fn a_control_is_in_force_for_the_next_purchase() {
    let rig = Rig::start().await;
    let (client, terminal) = (&rig.acme.client, rig.terminal().await);
    let card = rig.issue("card");
    let of_card = format!("{}/{}/controls", rig.cards(), card.id);
    assert_eq!(client.get(&of_card).done(200).json(), json!({ "controls": [] }));
    let twice =
        json!({ "name": "twice", "rule": "COUNT", "count": 2, "window": "day", "uses": ["POS"] });
    let made = client.post(&of_card, "twice", &twice).done(201);
    let twice_id = made.json()["controlId"].as_str().expect("a name").to_owned();
    assert_eq!(made.header("location"), Some(format!("{of_card}/{twice_id}").as_str()));
    let again = client.post(&of_card, "twice", &twice).done(201);
    assert_eq!(again.json(), made.json(), "sent again it is the same one");
    for expected in ["0000", "0000", "1023"] {
        assert_eq!(terminal.buys(&card).await, expected);
    }
    let listed = client.get(&of_card).done(200).json();
    let used = &listed["controls"][0]["used"];
    assert_eq!(used, &json!({ "amount": euros("2.00"), "count": 2 }), "{listed}");
    // The same with room for one more; and one that counts otherwise is another.
    let more = json!({ "name": "thrice", "rule": "COUNT", "count": 3, "window": "day",
        "uses": ["POS"] });
    let one = format!("{of_card}/{twice_id}");
    let (status, changed) = put(client, &one, &more);
    assert_eq!((status, &changed["name"], &changed["count"]), (200, &"thrice".into(), &3.into()));
    let otherwise = json!({ "name": "thrice", "rule": "COUNT", "count": 3, "window": "month",
        "uses": ["POS"] });
    assert_eq!(put(client, &one, &otherwise).0, 409);
    for expected in ["0000", "1023"] {
        assert_eq!(terminal.buys(&card).await, expected);
    }
    client.send("DELETE", &one, &[], None).done(204);
    assert_eq!(terminal.buys(&card).await, "0000");
    client.send("DELETE", &one, &[], None).refused();

    // Of the account and of the programme: a card has them all, in this order.
    let of_balance = format!("/secure/customers/{}/balances/{}/controls", rig.ada, rig.balance);
    let of_programme = format!("/secure/programmes/{}/controls", rig.acme.programme);
    let shadow =
        json!({ "name": "seen", "shadow": true, "rule": "FORBID", "categories": ["5411"] });
    client.post(&of_programme, "seen", &shadow).done(201);
    let dear = json!({ "name": "a purchase", "rule": "AMOUNT", "amount": euros("0.50") });
    client.post(&of_balance, "dear", &dear).done(201);
    assert_eq!(terminal.buys(&card).await, "1021");
    let listed = client.get(&of_card).done(200).json();
    let of: Vec<_> = listed["controls"].as_array().expect("some").iter().collect();
    let of: Vec<_> = of.iter().map(|one| one["of"].as_str().unwrap_or_default()).collect();
    assert_eq!(of, ["PROGRAMME", "BALANCE"], "{listed}");
    let seen = rig.app.get(&format!("/customers/me/cards/{}/controls", card.id)).done(200);
    assert_eq!(seen.json(), listed, "the holder sees what stops a purchase");
    rig.platform.close().await;
}

// covers: API-01, API-03
#[tokio::test(flavor = "multi_thread")]
async fn a_control_is_refused_where_it_is_none_and_hidden_from_others() {
    let rig = Rig::start().await;
    let client = &rig.acme.client;
    let card = rig.issue("card");
    let of_card = format!("{}/{}/controls", rig.cards(), card.id);
    let of_programme = format!("/secure/programmes/{}/controls", rig.acme.programme);
    for (number, wrong) in [
        json!({ "name": "no count", "rule": "COUNT", "window": "day" }),
        json!({ "name": "no amount", "rule": "AMOUNT" }),
        json!({ "name": "stray", "rule": "FORBID", "count": 1 }),
        json!({ "name": "other money", "rule": "AMOUNT",
            "amount": { "value": "1.00", "currency": "USD" } }),
        json!({ "name": "nowhere", "rule": "FORBID", "countries": ["XX"] }),
        json!({ "name": "never", "rule": "FORBID", "hours": "mon 25:00-26:00" }),
        json!({ "name": "decade", "rule": "COUNT", "count": 1, "window": "decade" }),
        json!({ "name": "unknown", "rule": "FORBID", "priority": 1 }),
        json!({ "name": "", "rule": "FORBID" }),
    ]
    .into_iter()
    .enumerate()
    {
        let refused = client.post(&of_card, &format!("wrong {number}"), &wrong).refused();
        assert_eq!(refused, (400, "INVALID_REQUEST".into()), "{wrong}");
    }
    let forbid = json!({ "name": "none", "rule": "FORBID" });
    let made = client.post(&of_card, "forbid", &forbid).done(201).json();
    let id = made["controlId"].as_str().expect("a name").to_owned();
    // Nobody else's, and no other subject's.
    let other = rig.platform.partner("Other", "99999913");
    let none = (404, "NOT_FOUND".to_owned());
    for path in [&of_card, &of_programme] {
        assert_eq!(other.client.get(path).refused(), none);
        assert_eq!(other.client.post(path, "theirs", &forbid).refused(), none);
        let one = format!("{path}/{id}");
        assert_eq!(other.client.send("DELETE", &one, &[], None).refused(), none);
    }
    let elsewhere = format!("{of_programme}/{id}");
    assert_eq!(client.send("DELETE", &elsewhere, &[], None).refused(), none);
    for wrong in ["0", "x", "00000000-0000-4000-8000-000000000000"] {
        let one = format!("{of_card}/{wrong}");
        assert_eq!(client.send("DELETE", &one, &[], None).refused(), none, "{wrong}");
    }
    assert_eq!(client.get("/secure/programmes/4711/controls").refused(), none);
    assert_eq!(client.get(&of_card).done(200).json()["controls"][0]["controlId"], id);
    rig.platform.close().await;
}
