//! A corporation is a customer to the shards and to nobody else: no path of people finds one, no
//! path of corporations finds a person, and another tenant finds neither.

use serde_json::{Value, json};

use super::{CORPORATIONS, Desk, MISSING, document, operator, pdf};
use crate::api::plastic;

fn order(corporation: &str, balance: &str) -> Value {
    json!({
        "dcCorporationId": corporation, "balanceId": balance,
        "cardholder": { "name": "ADA LOVELACE", "reference": "E-1" }
    })
}

// covers: SR-021, API-01
#[tokio::test(flavor = "multi_thread")]
async fn no_path_of_people_finds_a_corporation_and_none_of_corporations_a_person() {
    let desk = Desk::open_with(Vec::new()).await;
    let (client, manager) = (&desk.acme.client, &desk.manager);
    let corporation = desk.approved("c-1");
    let opened = client.post(
        "/secure/balances",
        "open",
        &json!({ "dcCorporationId": corporation, "programmeId": desk.acme.programme }),
    );
    let balance = opened.done(201).json()["balanceId"].as_str().expect("one").to_owned();
    let ada = desk.acme.registers("u-1");
    desk.acme.verifies(&ada);
    let none = (404, "NOT_FOUND".to_owned());

    let of_people = format!("/lifecycle/v1/customers/{corporation}");
    let person = json!({ "givenName": "E", "familyName": "Ve", "birthDate": "1990-01-01" });
    let version = [("If-Match", "\"1\"")];
    let flag = json!({ "state": "VERIFIED" });
    let new = json!({ "programmeId": desk.acme.programme });
    let of = format!("/secure/customers/{corporation}");
    for (method, path, body) in [
        ("GET", of_people.clone(), None),
        ("PUT", of_people.clone(), Some(&person)),
        ("DELETE", of_people.clone(), None),
        ("POST", format!("{of_people}/block"), None),
        ("POST", format!("{of_people}/unblock"), None),
        ("POST", format!("{of_people}/pairing-code"), None),
        ("GET", format!("{of_people}/devices"), None),
        ("GET", format!("{of_people}/kyc"), None),
        ("POST", format!("{of_people}/kyc"), Some(&flag)),
        ("POST", format!("{of}/register"), None),
        // What it has is made at paths of its own, which ask who gets it.
        ("POST", format!("{of}/balances"), Some(&new)),
        ("POST", format!("{of}/cards/virtual/async"), Some(&json!({ "balanceId": balance }))),
    ] {
        let answer = client.send(method, &path, &version, body);
        assert_eq!(answer.refused(), none, "{method} {path}");
    }
    for (path, body) in [
        (format!("{of}/cards/virtual"), json!({ "balanceId": balance })),
        (format!("{of}/cards/physical"), plastic::wanted(&balance)),
    ] {
        let answer = desk.reader.post(client, &path, "card", &body);
        assert_eq!(answer.refused(), none, "{path}");
    }
    let listed = client.get("/lifecycle/v1/customers").done(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["items"][0]["customerId"], ada.as_str());
    let panel = format!("/admin/customers/{corporation}");
    for path in [panel.clone(), format!("{panel}/kyc")] {
        assert_eq!(manager.get(&path).refused(), none, "{path}");
    }
    assert_eq!(manager.send("POST", &format!("{panel}/block"), &[], None).refused(), none);
    let listed = manager.get(&format!("/admin/customers?partnerId={}", desk.acme.id)).done(200);
    assert!(!listed.text.contains(&corporation), "{listed:?}");
    // Its accounts and cards operators see as everybody's.
    let seen = manager.get(&format!("{panel}/balances/{balance}")).done(200).json();
    assert_eq!(seen["balanceId"], balance.as_str());

    // The other way.
    let theirs = format!("{CORPORATIONS}/{ada}");
    for path in [theirs.clone(), format!("{theirs}/documents")] {
        assert_eq!(client.get(&path).refused(), none, "{path}");
    }
    assert_eq!(desk.sends(&ada, "doc", &document(&pdf("x"))).refused(), none);
    let new = json!({ "dcCorporationId": ada, "programmeId": desk.acme.programme });
    assert_eq!(client.post("/secure/balances", "hers", &new).refused(), none);
    let hers = desk.reader.post(client, "/secure/cards/virtual", "hers", &order(&ada, &balance));
    assert_eq!(hers.refused(), none);
    assert_eq!(desk.decides(&ada, "APPROVE").refused(), none);
    assert_eq!(manager.get(&format!("/admin/corporations/{ada}")).refused(), none);
    // Nor does a person get a card of the company's account.
    let card = json!({ "balanceId": balance });
    let path = format!("/secure/customers/{ada}/cards/virtual");
    assert_eq!(desk.reader.post(client, &path, "company's", &card).refused(), none);
    desk.platform.close().await;
}

// covers: API-01
#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_finds_nothing_of_a_corporation() {
    let desk = Desk::open_with(Vec::new()).await;
    let corporation = desk.approved("c-1");
    let new = json!({ "dcCorporationId": corporation, "programmeId": desk.acme.programme });
    let opened = desk.acme.client.post("/secure/balances", "open", &new).done(201).json();
    let balance = opened["balanceId"].as_str().expect("an identifier").to_owned();
    let wanted = order(&corporation, &balance);
    let card = desk.reader.post(&desk.acme.client, "/secure/cards/virtual", "card", &wanted);
    let card = card.done(201).header("location").expect("a place").to_owned();

    let other = desk.platform.partner("Other", "99999913");
    let own = super::creates(&other.client, "c-1");
    let stranger = &other.client;
    let none = (404, "NOT_FOUND".to_owned());
    for path in [
        format!("{CORPORATIONS}/{corporation}"),
        format!("{CORPORATIONS}/{corporation}/documents"),
        format!("/secure/customers/{corporation}/balances"),
        format!("/secure/customers/{corporation}/balances/{balance}"),
        format!("/secure/customers/{corporation}/cards"),
        format!("{card}/details"),
        format!("/secure/customers/{own}/balances/{balance}"),
    ] {
        assert_eq!(stranger.get(&path).refused(), none, "{path}");
    }
    let listed = stranger.get(CORPORATIONS).done(200);
    assert!(!listed.text.contains(&corporation), "{listed:?}");
    let sent = stranger.post(
        &format!("{CORPORATIONS}/{corporation}/documents"),
        "doc",
        &document(&pdf("x")),
    );
    assert_eq!(sent.refused(), none);
    for programme in [desk.acme.programme, other.programme] {
        let new = json!({ "dcCorporationId": corporation, "programmeId": programme });
        let key = format!("open {programme}");
        assert_eq!(stranger.post("/secure/balances", &key, &new).refused(), none);
    }
    for body in [wanted, order(MISSING, &balance)] {
        let asked = desk.reader.post(stranger, "/secure/cards/virtual", "theirs", &body);
        assert_eq!(asked.refused(), none);
    }
    let lock = json!({ "reasonCode": 1 });
    assert_eq!(stranger.post(&format!("{card}/lock"), "lock", &lock).refused(), none);
    assert_eq!(
        stranger.get(&format!("{CORPORATIONS}?cursor=IjAi")).refused(),
        (400, "INVALID_REQUEST".into())
    );
    // Nobody but a partner's system and an operator knows of corporations at all.
    let employee = operator(&desk.platform, "eve", "employee");
    employee.get(&format!("/admin/corporations/{corporation}")).done(200);
    let anonymous = desk.platform.anonymous().get(&format!("/admin/corporations/{corporation}"));
    assert_eq!(anonymous.refused(), (401, "UNAUTHENTICATED".into()));
    desk.platform.close().await;
}
