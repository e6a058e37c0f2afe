//! Cards, operation by operation, on every channel.

use serde_json::{Value, json};

use super::recording::{Asking, Recording, identifier};
use crate::api::cards::rig::{Reader, sealed, terms};
use crate::api::client::Client;
use crate::api::person::Person;
use crate::api::plastic;
use crate::api::platform::{PIN, Platform, next_month};

/// The answer encrypted.
const ANSWER: &str = "Encrypt-Response";

/// Every operation, and the refusals that depend on what is there.
pub(super) async fn walk(platform: &Platform, recording: &mut Recording) {
    let acme = platform.partner("Cards", "99999917");
    terms(platform, &acme);
    let customer = acme.registers("u-1");
    acme.verifies(&customer);
    let balance = acme.opens(&customer, "open");
    let balance = balance.rsplit('/').next().expect("an identifier").to_owned();
    let wanted = json!({ "balanceId": balance, "holderName": "ADA LOVELACE" });
    let reader = Reader::new();
    let mut partners = Asking::new(&acme.client, recording);
    let cards = "/secure/customers/{customerId}/cards";
    let id = [customer.as_str()];
    shared(&mut partners, cards, &id, (&reader, &wanted));
    let card = first(&acme.client, &customer);
    let names = [customer.as_str(), card.as_str()];
    let one = format!("{cards}/{{cardId}}");
    partners.encrypted(("GET", &one), &names, (ANSWER, &reader.public), None, 200);
    partners.get(&one, &names, 403);
    with_pin(&mut partners, (cards, &id), (&reader, &balance));
    let due = Due::of(platform, &balance).await;
    due.renewed(&mut partners, (cards, &id), &reader);
    partners.delete("/lifecycle/v1/customers/{customerId}/cards/{cardId}", &names, 204);

    let app = acme.pairs(&platform.anonymous(), &customer, "device-0001").opens();
    let mut own = Asking::new(&app, recording);
    shared(&mut own, "/customers/me/cards", &[], (&reader, &wanted));
    sensitive(&mut own, &app, &reader, &wanted);
    with_pin(&mut own, ("/customers/me/cards", &[]), (&reader, &balance));
    chip_pin(&mut own, platform, (&app, &reader));
    let due = Due::of(platform, &balance).await;
    due.renewed(&mut own, ("/customers/me/cards", &[]), &reader);

    let add = ["operator", "add", "--name", "cora", "--role", "manager"];
    let mut cora = Person::of(&platform.served.command(&add).expect("added"));
    let panel = platform.panel();
    let cora = panel.bearing(&cora.begins(&panel));
    let mut asking = Asking::new(&cora, recording);
    let cards = "/admin/customers/{customerId}/cards";
    let issue = format!("{cards}/virtual");
    let key = (ANSWER, reader.public.as_str());
    asking.encrypted(("POST", &issue), &id, key, Some(wanted.clone()), 201);
    asking.post(&issue, &id, Some(wanted), 403);
    asking.get(cards, &id, 200);
    let listed = cora.get(&format!("/admin/customers/{customer}/cards")).done(200).json();
    let card = live(&listed);
    acts(&mut asking, "/admin/cards/{cardId}", &[card.as_str()], |asking, one, names| {
        let cvv = format!("{one}/cvv");
        asking.encrypted(("POST", &cvv), names, key, None, 200);
        let replace = format!("{one}/replace");
        asking.encrypted(("POST", &replace), names, key, Some(json!({})), 201);
    });
    let due = Due::of(platform, &balance).await;
    due.renewed(&mut asking, ("/admin/cards", &[]), &reader);
}

/// Issued both ways, listed, and what can be done to a card.
fn shared(
    asking: &mut Asking<'_>,
    cards: &str,
    whose: &[&str],
    (reader, wanted): (&Reader, &Value),
) {
    let issue = format!("{cards}/virtual");
    let key = (ANSWER, reader.public.as_str());
    asking.encrypted(("POST", &issue), whose, key, Some(wanted.clone()), 201);
    asking.post(&issue, whose, Some(wanted.clone()), 403);
    let asked = asking.post(&format!("{issue}/async"), whose, Some(wanted.clone()), 202);
    let job = identifier(&asked, "jobId");
    let names: Vec<&str> = whose.iter().copied().chain([job.as_str()]).collect();
    let jobs = format!("{cards}/jobs/{{jobId}}");
    // It is recorded once it is done.
    let path = jobs.replace("{jobId}", &job);
    let path = whose.iter().fold(path, |path, id| path.replace("{customerId}", id));
    while asking.client.get(&path).done(200).json()["state"] == "WAITING" {
        std::thread::yield_now();
    }
    asking.get(&jobs, &names, 200);
    let listed = asking.get(cards, whose, 200).json();
    let card = live(&listed);
    let names: Vec<&str> = whose.iter().copied().chain([card.as_str()]).collect();
    let replace = format!("{cards}/{{cardId}}/replace");
    let second = || Some(json!({ "reference": "second" }));
    asking.encrypted(("POST", &replace), &names, key, second(), 201);
    asking.encrypted(("POST", &replace), &names, key, second(), 409);
    let path = whose.iter().fold(cards.to_owned(), |path, id| path.replace("{customerId}", id));
    let card = live(&asking.client.get(&path).done(200).json());
    let names: Vec<&str> = whose.iter().copied().chain([card.as_str()]).collect();
    acts(asking, &format!("{cards}/{{cardId}}"), &names, |_, _, _| {});
}

fn acts(
    asking: &mut Asking<'_>,
    one: &str,
    names: &[&str],
    between: impl FnOnce(&mut Asking<'_>, &str, &[&str]),
) {
    let shown = asking.get(&format!("{one}/details"), names, 200).json();
    assert_eq!(shown["status"], "ACTIVE", "{shown}");
    let lock = format!("{one}/lock");
    asking.post(&lock, names, Some(json!({ "reasonCode": 3 })), 204);
    asking.post(&lock, names, Some(json!({ "reasonCode": 4 })), 409);
    asking.post(&lock, names, Some(json!({ "reasonCode": 9 })), 400);
    asking.post(&format!("{one}/unlock"), names, None, 204);
    asking.post(&format!("{one}/activate"), names, None, 204);
    between(asking, one, names);
    asking.delete(one, names, 204);
}

/// What asks for the user's own PIN again.
fn sensitive(asking: &mut Asking<'_>, app: &Client, reader: &Reader, wanted: &Value) {
    let key = (ANSWER, reader.public.as_str());
    let issue = "/customers/me/cards/virtual";
    asking.encrypted(("POST", issue), &[], key, Some(wanted.clone()), 201);
    let card = live(&app.get("/customers/me/cards").done(200).json());
    let names = [card.as_str()];
    let one = "/customers/me/cards/{cardId}";
    asking.encrypted(("GET", one), &names, key, None, 403);
    let again = Some(json!({ "pin": PIN }));
    app.send("POST", "/customers/sessions/current/step-up", &[], again.as_ref()).done(200);
    asking.encrypted(("GET", one), &names, key, None, 200);
    asking.encrypted(("POST", &format!("{one}/cvv")), &names, key, None, 200);
    let pin = format!("{one}/pin");
    let both = ("Encrypted-Request", reader.public.as_str());
    let tell = |pin: &str| Some(sealed(app, &json!({ "pin": pin })));
    asking.encrypted(("POST", &pin), &names, both, tell("8264"), 204);
    asking.encrypted(("POST", &pin), &names, both, tell("1111"), 400);
    asking.post(&pin, &names, Some(json!({ "pin": "8264" })), 403);
}

/// Plastic ordered with a PIN, in an encrypted request alone.
fn with_pin(asking: &mut Asking<'_>, (cards, whose): (&str, &[&str]), of: (&Reader, &str)) {
    let (reader, balance) = of;
    let mut new = plastic::wanted(balance);
    new["pin"] = json!("8264");
    let (order, both) = (format!("{cards}/physical_with_pin"), "Encrypted-Request");
    let whole = Some(sealed(asking.client, &new));
    asking.encrypted(("POST", &order), whose, (both, &reader.public), whole, 201);
    asking.post(&order, whose, Some(new), 403);
}

/// The PIN of a card whose chip does not have it by itself: what the holder is to be told.
fn chip_pin(asking: &mut Asking<'_>, platform: &Platform, (app, reader): (&Client, &Reader)) {
    let card = live(&app.get("/customers/me/cards").done(200).json());
    let data = ["security", "card-data", &card, "--service-code", "201"];
    platform.served.command(&data).expect("it has a chip");
    let (pin, both) = ("/customers/me/cards/{cardId}/pin", "Encrypted-Request");
    let whole = Some(sealed(app, &json!({ "pin": "7391" })));
    asking.encrypted(("POST", pin), &[&card], (both, &reader.public), whole, 200);
}

/// Two cards that are due to be renewed: a virtual one, and one of plastic.
struct Due {
    cards: [String; 2],
}

impl Due {
    async fn of(platform: &Platform, balance: &str) -> Self {
        let month = next_month();
        let (first, _) = platform.card_until(balance, &month).await;
        let (second, _) = platform.card_until(balance, &month).await;
        let data = ["security", "card-data", &second, "--service-code", "201"];
        platform.served.command(&data).expect("it has a chip");
        Self { cards: [first, second] }
    }

    /// Both, the second by an order, and once more.
    fn renewed(self, asking: &mut Asking<'_>, (cards, whose): (&str, &[&str]), reader: &Reader) {
        let key = (ANSWER, reader.public.as_str());
        let renew = format!("{cards}/{{cardId}}/renew");
        let sent = plastic::wanted("none")["delivery"].clone();
        let sent = json!({ "holderName": "ADA LOVELACE", "delivery": sent });
        for (card, body, status) in [
            (&self.cards[0], json!({}), 200),
            (&self.cards[1], sent, 201),
            (&self.cards[0], json!({}), 409),
        ] {
            let names: Vec<&str> = whose.iter().copied().chain([card.as_str()]).collect();
            asking.encrypted(("POST", &renew), &names, key, Some(body), status);
        }
    }
}

/// The first card of a customer.
fn first(client: &Client, customer: &str) -> String {
    let listed = client.get(&format!("/secure/customers/{customer}/cards")).done(200).json();
    live(&listed)
}

/// The first of a list that was not removed.
fn live(listed: &Value) -> String {
    let items = listed["items"].as_array().expect("items");
    let live = items.iter().find(|card| card["status"] == "ACTIVE").expect("a card");
    live["cardId"].as_str().expect("a name").to_owned()
}
