//! Spend controls, operation by operation, on every channel.

use serde_json::json;

use super::recording::{Asked, Asking, Recording, identifier};
use crate::api::cards::rig::{Reader, terms};
use crate::api::person::Person;
use crate::api::platform::{Partner, Platform, euros};

/// Every operation, and the refusals that depend on what is there.
pub(super) fn walk(platform: &Platform, recording: &mut Recording) {
    let acme = platform.partner("Controls", "99999918");
    terms(platform, &acme);
    let customer = acme.registers("u-1");
    acme.verifies(&customer);
    let balance = acme.opens(&customer, "open");
    let balance = balance.rsplit('/').next().expect("an identifier").to_owned();
    let card = card_of(&acme, &customer, &balance);
    let programme = acme.programme.to_string();
    let mut asking = Asking::new(&acme.client, recording);
    let owner = "/secure/customers/{customerId}";
    let ids = [customer.as_str(), balance.as_str()];
    of(&mut asking, &format!("{owner}/balances/{{balanceId}}"), &ids);
    of(&mut asking, "/secure/programmes/{programmeId}", &[programme.as_str()]);
    of(&mut asking, &format!("{owner}/cards/{{cardId}}"), &[customer.as_str(), card.as_str()]);

    let app = acme.pairs(&platform.anonymous(), &customer, "device-0001").opens();
    Asking::new(&app, recording).get("/customers/me/cards/{cardId}/controls", &[&card], 200);
    let add = ["operator", "add", "--name", "dora", "--role", "employee"];
    let mut dora = Person::of(&platform.served.command(&add).expect("added"));
    let panel = platform.panel();
    let dora = panel.bearing(&dora.begins(&panel));
    Asking::new(&dora, recording).get("/admin/cards/{cardId}/controls", &[&card], 200);
}

fn card_of(acme: &Partner, customer: &str, balance: &str) -> String {
    let reader = Reader::new();
    let headers = [("Encrypt-Response", "true"), ("Public-Key", reader.public.as_str())];
    let path = format!("/secure/customers/{customer}/cards/virtual");
    let made = acme.client.send("POST", &path, &headers, Some(&json!({ "balanceId": balance })));
    let place = made.done(201).header("location").expect("a place").to_owned();
    place.rsplit('/').next().expect("a name").to_owned()
}

/// Made, listed, changed, and another one removed.
fn of(asking: &mut Asking<'_>, subject: &str, names: &[&str]) {
    let all = format!("{subject}/controls");
    let one = format!("{all}/{{controlId}}");
    let cash = |most: &str| {
        json!({ "name": "cash a day", "rule": "AMOUNT", "amount": euros(most), "window": "day",
            "zone": "Europe/Madrid", "uses": ["ATM"] })
    };
    let made = asking.post(&all, names, Some(cash("200.00")), 201);
    asking.post(&all, names, Some(json!({ "name": "limit", "rule": "COUNT" })), 400);
    asking.get(&all, names, 200);
    let control = identifier(&made, "controlId");
    let names: Vec<&str> = names.iter().copied().chain([control.as_str()]).collect();
    for (rule, status) in [
        (cash("250.00"), 200),
        (json!({ "name": "cash a day", "rule": "FORBID", "uses": ["ATM"] }), 409),
    ] {
        let asked = Asked {
            method: "PUT",
            template: &one,
            names: &names,
            query: "",
            headers: &[],
            body: Some(rule),
        };
        asking.recording.ask(asking.client, asked, status);
    }
    asking.delete(&one, &names, 204);
    asking.delete(&one, &names, 404);
}
