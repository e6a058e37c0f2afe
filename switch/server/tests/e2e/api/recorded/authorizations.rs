//! What was decided of a card, operation by operation, on every channel.

use super::recording::{Asking, Recording};
use crate::api::person::Person;
use crate::api::platform::Platform;

/// Every operation, and the refusals that depend on what is there.
pub(super) async fn walk(platform: &Platform, recording: &mut Recording) {
    let acme = platform.partner("History", "99999920");
    let customer = acme.registers("u-1");
    acme.verifies(&customer);
    let balance = acme.opens(&customer, "open");
    let balance = balance.rsplit('/').next().expect("an identifier").to_owned();
    let (card, pan) = platform.card_for(&balance).await;
    assert_eq!(platform.buys(&pan, 1, 1_250).await, "51", "there is nothing in the account");
    let list = format!("/secure/customers/{customer}/cards/{card}/authorizations");
    // The tables follow behind.
    while acme.client.get(&list).done(200).json()["items"][0].is_null() {
        tokio::task::yield_now().await;
    }
    let whole = [customer.as_str(), card.as_str()];
    let mut partners = Asking::new(&acme.client, recording);
    let owner = "/secure/customers/{customerId}";
    let of_account = [customer.as_str(), balance.as_str()];
    shared(&mut partners, owner, &whole, &of_account);

    let app = acme.pairs(&platform.anonymous(), &customer, "device-0001").opens();
    let mut own = Asking::new(&app, recording);
    shared(&mut own, "/customers/me", &whole[1..], &of_account[1..]);

    let add = ["operator", "add", "--name", "emmy", "--role", "employee"];
    let mut emmy = Person::of(&platform.served.command(&add).expect("added"));
    let panel = platform.panel();
    let emmy = panel.bearing(&emmy.begins(&panel));
    let mut asking = Asking::new(&emmy, recording);
    one(&mut asking, "/admin/cards/{cardId}/authorizations", &whole[1..]);
    let of_balance = "/admin/customers/{customerId}/balances/{balanceId}/authorizations";
    asking.get_where(of_balance, &of_account, "?approved=false&limit=1", 200);
}

fn shared(asking: &mut Asking<'_>, owner: &str, of_card: &[&str], of_account: &[&str]) {
    one(asking, &format!("{owner}/cards/{{cardId}}/authorizations"), of_card);
    let balance = format!("{owner}/balances/{{balanceId}}/authorizations");
    asking.get_where(&balance, of_account, "?approved=false&limit=1", 200);
}

/// Listed, and one of them read.
fn one(asking: &mut Asking<'_>, list: &str, names: &[&str]) {
    let listed = asking.get(list, names, 200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{listed}");
    asking.get_where(list, names, "?from=2026-01-01&to=2026-12-31", 400);
    let id = listed["items"][0]["authorizationId"].as_str().expect("a name");
    let names: Vec<&str> = names.iter().copied().chain([id]).collect();
    let read = format!("{list}/{{authorizationId}}");
    let told = asking.get(&read, &names, 200).json();
    assert_eq!(told["authorization"], listed["items"][0]);
    let missing: Vec<&str> = names[..names.len() - 1].iter().copied().chain(["1"]).collect();
    asking.get(&read, &missing, 404);
}
