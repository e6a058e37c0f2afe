//! The sandbox, operation by operation.

use serde_json::json;

use super::recording::{Asking, Recording, identifier};
use crate::api::plastic;
use crate::api::platform::{Platform, euros};
use crate::api::sandbox::{Holder, last};

/// Every operation, and the refusals that depend on what is there.
pub(super) fn walk(platform: &Platform, recording: &mut Recording) {
    let acme = platform.partner("Sandbox", "99999922");
    let ada = Holder::of(&acme);
    let mut asking = Asking::new(&acme.client, recording);
    let mut does = |what: &str, body: serde_json::Value, status: u16| {
        asking.post(&format!("/secure/simulate/{what}"), &[], Some(body), status)
    };
    let mut presented = ada.presents("12.50");
    presented["merchantCategory"] = "5942".into();
    presented["merchantCountry"] = "IE".into();
    presented["merchant"] = json!({ "name": "BOOKS BY WIRE", "city": "DUBLIN" });
    let bought = does("authorization", presented.clone(), 200);
    presented["cardId"] = "1".into();
    does("authorization", presented, 404);
    let simulation = identifier(&bought, "simulationId");
    let all = json!({ "simulationId": simulation });
    let part = json!({ "simulationId": simulation, "amount": euros("10.00") });
    let left = json!({ "simulationId": simulation, "standing": euros("11.00") });
    does("advice", all.clone(), 200);
    does("reversal", left, 200);
    let cleared = does("clearing", part.clone(), 200);
    does("refund", part, 200);
    let twice = json!({ "simulationId": identifier(&cleared, "simulationId") });
    does("clearing", twice, 409);
    let nowhere = json!({ "simulationId": "00000000-0000-4000-8000-000000000000" });
    for what in ["advice", "reversal", "clearing", "refund"] {
        does(what, nowhere.clone(), 404);
    }

    let path = "/secure/customers/{customerId}/cards/physical";
    let wanted = plastic::wanted(last(&ada.balance));
    let order = asking.made_unread(path, &[&ada.customer], wanted);
    let body = json!({ "customerId": ada.customer, "orderId": order });
    let shipment = "/secure/simulate/shipment";
    asking.post(shipment, &[], Some(body), 200);
    let missing = json!({ "customerId": ada.customer, "orderId": ada.customer });
    asking.post(shipment, &[], Some(missing), 404);
}
