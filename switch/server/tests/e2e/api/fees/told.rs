//! Partners are told of fees of acts and periods, and holders of what they paid.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Rig, handle, month_on};
use crate::api::webhooks::receiver;

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_is_told_to_the_partner_and_shown_to_who_paid_it() {
    let (receiver, _files, trusted) = receiver().await;
    let often = ("CARDSWITCH_API__WEBHOOKS__EVERY_MS", "20".to_owned());
    let rig = Rig::start_with(vec![trusted, often]).await;
    let url = format!("https://localhost:{}/hook", receiver.address().port());
    let hook = json!({ "url": url, "events": ["fee.charged"] });
    rig.acme.client.post("/secure/webhooks", "hook", &hook).done(201);
    rig.charges(&json!([
        { "event": "account_created", "fixed": "4.90", "taken": "INVOICED" },
        { "event": "card_monthly", "fixed": "1.99", "taken": "AT_ONCE" }
    ]));
    let (customer, account) = rig.somebody("u-1");
    rig.tops_up(&account, "10.00", "first");
    let (card, _) = rig.platform.card_for(handle(&account)).await;
    rig.until("card", 1).await;
    rig.until("fees_charged", 1).await;
    rig.runs(&month_on(1));
    let reached = receiver.until(|came| came.len() >= 2);
    tokio::time::timeout(Duration::from_secs(120), reached).await.expect("told");
    let told: Vec<Value> =
        receiver.came().iter().map(|one| serde_json::from_str(&one.body).expect("JSON")).collect();
    let reference = format!("card_monthly {}", month_on(0));
    let fees = [
        json!({
            "event": "account_created", "amount": 490, "currency": "EUR", "taken": "INVOICED",
            "reference": "account_created", "balanceId": handle(&account), "cardId": null
        }),
        json!({
            "event": "card_monthly", "amount": 199, "currency": "EUR", "taken": "AT_ONCE",
            "reference": reference, "balanceId": handle(&account), "cardId": card
        }),
    ];
    for (message, fee) in told.iter().zip(&fees) {
        assert_eq!((&message["type"], &message["fee"]), (&"fee.charged".into(), fee));
        assert_eq!(message["description"], "CHARGED");
    }
    // The holder sees what came out of the account, and not what the partner pays.
    let app = rig.acme.pairs(&rig.platform.anonymous(), &customer, "device-0001").opens();
    let path = format!("/customers/me/balances/{}/fees", handle(&account));
    let items = app.get(&path).done(200).json()["items"].clone();
    assert_eq!(items.as_array().map(Vec::len), Some(1), "{items}");
    assert_eq!((&items[0]["event"], &items[0]["cardId"]), (&"card_monthly".into(), &card.into()));
    let at_panel = format!("/admin/customers/{customer}/balances/{}/fees", handle(&account));
    let items = rig.eve.get(&at_panel).done(200).json()["items"].clone();
    assert_eq!(items.as_array().map(Vec::len), Some(2), "{items}");
    // Another's account is none.
    let other = rig.platform.partner("Other", "99999913");
    let refused = other.client.get(&format!("{account}/fees"));
    assert_eq!(refused.refused(), (404, "NOT_FOUND".into()));
    rig.platform.close().await;
}
