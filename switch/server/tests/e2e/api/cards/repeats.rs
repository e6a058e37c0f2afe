//! A request about a card that is repeated is done once; one that is answered with card data, or
//! carries a PIN, is remembered by nothing.

use std::collections::BTreeSet;

use admin_api::routes::{admin_document, customer_document, secure_document};
use serde_json::{Value, json};

use super::rig::{Known, Rig};
use crate::api::client::Client;
use crate::api::corporations::creates;
use crate::api::matrices::posts;
use crate::api::person::Person;

const NONE: &Value = &Value::Null;

/// Asks twice under one key, and once more for something else under it.
fn is_replayed(client: &Client, path: &str, body: &Value, status: u16) {
    let once = client.post(path, "the key", body).done(status);
    let again = client.post(path, "the key", body).done(status);
    assert_eq!((again.header("idempotent-replayed"), &again.text), (Some("true"), &once.text));
    let other = client.post(path, "the key", &json!({ "other": body }));
    assert_eq!(other.refused(), (422, "IDEMPOTENCY_KEY_REUSED".into()), "{path}");
}

// covers: API-17
#[tokio::test(flavor = "multi_thread")]
async fn every_post_about_a_card_is_done_once_or_keeps_nothing_of_it() {
    let rig = Rig::start().await;
    let panel = rig.platform.panel();
    let add = ["operator", "add", "--name", "grace", "--role", "manager"];
    let mut grace = Person::of(&rig.platform.served.command(&add).expect("added"));
    let grace = panel.bearing(&grace.begins(&panel));
    let mut asked = BTreeSet::new();
    let secure = "/secure/customers/{customerId}/cards";
    let ways = [
        (&rig.acme.client, secure, secure.replace("{customerId}", &rig.ada)),
        (&rig.app, "/customers/me/cards", "/customers/me/cards".to_owned()),
        (&grace, "/admin/cards", "/admin/cards".to_owned()),
    ];
    for (client, template, cards) in &ways {
        let of_admin = template.starts_with("/admin");
        let (places, template_of) = match of_admin {
            true => (
                format!("/admin/customers/{}/cards", rig.ada),
                "/admin/customers/{customerId}/cards",
            ),
            false => (cards.clone(), *template),
        };
        let issue = format!("{places}/virtual");
        let [once, again] = ["the key", "the key"].map(|key| {
            let answer = rig.reader.post(client, &issue, key, &rig.wanted()).done(201);
            let made = rig.reader.opens(&answer);
            let card = if of_admin { &made } else { &made["card"] };
            card["cardId"].as_str().expect("a name").to_owned()
        });
        assert_eq!(once, again, "one card");
        asked.insert(format!("{template_of}/virtual"));
        if !of_admin {
            let order = format!("{issue}/async");
            is_replayed(client, &order, &rig.wanted(), 202);
            asked.insert(format!("{template}/virtual/async"));
        }
        for (act, body) in [
            ("lock", json!({ "reasonCode": 3 })),
            ("unlock", json!(null)),
            ("activate", json!(null)),
        ] {
            is_replayed(client, &format!("{cards}/{once}/{act}"), &body, 204);
            asked.insert(format!("{template}/{{cardId}}/{act}"));
        }
        // Its answer is kept nowhere; the same card is told again.
        let replace = format!("{cards}/{once}/replace");
        let [new, again] = ["the key", "the key"].map(|key| {
            let answer = rig.reader.post(client, &replace, key, &json!({})).done(201);
            rig.reader.opens(&answer)["card"]["cardId"].clone()
        });
        assert_eq!(new, again, "one card");
        asked.insert(format!("{template}/{{cardId}}/replace"));
        let renew = format!("{cards}/{}/renew", rig.due().await.id);
        rig.step_up();
        let [new, again] = ["the key", "the key"].map(|key| {
            let answer = rig.reader.post(client, &renew, key, &json!({})).done(200);
            rig.reader.opens(&answer)["card"]["expiry"].clone()
        });
        assert_eq!(new, again, "one renewal");
        asked.insert(format!("{template}/{{cardId}}/renew"));
    }
    asked.insert(of_employee(&rig).await);
    secrets(&rig, &grace);
    asked.extend(
        ["/customers/me/cards/{cardId}/cvv", "/admin/cards/{cardId}/cvv"].map(str::to_owned),
    );
    asked.insert("/customers/me/cards/{cardId}/pin".to_owned());
    let documents = [secure_document(), customer_document(), admin_document()];
    let all = documents.iter().flat_map(|one| posts(&one.to_json().expect("JSON")));
    // Controls and orders of plastic have tests of their own.
    let here = |path: &String| {
        let plastic = path.ends_with("/physical") || path.ends_with("/physical_with_pin");
        path.contains("/cards/") && !path.ends_with("/controls") && !plastic
    };
    let all: BTreeSet<_> = all.filter(here).collect();
    assert_eq!(asked, all, "every POST is asked");
    rig.platform.close().await;
}

/// The card of a corporation's employee: once under one key.
async fn of_employee(rig: &Rig) -> String {
    let corporation = creates(&rig.acme.client, "c-1");
    rig.platform.sql("UPDATE corporation SET state = 'APPROVED'").await;
    let new = json!({ "dcCorporationId": corporation, "programmeId": rig.acme.programme });
    let opened = rig.acme.client.post("/secure/balances", "company", &new).done(201).json();
    let wanted = json!({
        "dcCorporationId": corporation, "balanceId": opened["balanceId"],
        "cardholder": { "name": "ADA LOVELACE", "reference": "E-1" }
    });
    let path = "/secure/cards/virtual";
    let [once, again] = ["the key", "the key"].map(|key| {
        let answer = rig.reader.post(&rig.acme.client, path, key, &wanted).done(201);
        Known::of(&rig.reader.opens(&answer)).id
    });
    assert_eq!(once, again, "one card");
    path.to_owned()
}

/// A code that is reset under one key is reset once, and its answer is kept nowhere; of a PIN not
/// even that one was sent.
fn secrets(rig: &Rig, panel: &Client) {
    let card = rig.issue("card");
    rig.step_up();
    let path = format!("/customers/me/cards/{}", card.id);
    let reset = |client: &Client, path: &str, key: &str| {
        rig.reader.opens(&rig.reader.post(client, path, key, NONE).done(200))
    };
    let own = format!("{path}/cvv");
    let codes = ["one", "one", "two"].map(|key| reset(&rig.app, &own, key)["cvv"].clone());
    assert_eq!(codes[0], codes[1]);
    assert_ne!(codes[1], codes[2]);
    let panels = format!("/admin/cards/{}/cvv", card.id);
    reset(panel, &panels, "three");
    let read = || {
        let read = rig.reader.ask(&rig.app, "GET", &path, None).done(200);
        Known::of(&rig.reader.opens(&read)).cvv2
    };
    let after = read();
    reset(panel, &panels, "three");
    assert_eq!(read(), after, "under the same key it is reset once");
    let pin = format!("{path}/pin");
    for chosen in ["8264", "7391"] {
        let body = json!({ "pin": chosen });
        rig.reader.tell(&rig.app, &pin, "the same key", &body).done(204);
    }
}
