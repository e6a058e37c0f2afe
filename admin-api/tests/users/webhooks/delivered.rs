//! What is sent, in what order, and how often at a time.

use admin_api::webhooks::{EventKind, Told, WebhookSettings, enqueue};
use serde_json::json;
use uuid::Uuid;

use super::stage::{Hooks, said};
use crate::world::at;

const KYC: &[&str] = &["kyc.changed"];

/// What happens is told where it was asked for, signed for this try, and nowhere else; what did not
/// happen is not told.
// covers: API-18
#[tokio::test]
async fn what_happened_is_told_to_who_asked_and_what_did_not_is_not() {
    let mut hooks = Hooks::new().await;
    let (one, other) = (hooks.world.one.partner, hooks.world.other.partner);
    let customer = hooks.world.customer("A-1").await.public_id;
    hooks.moves(customer, 0).await;
    assert_eq!(hooks.world.count("SELECT count(*) FROM webhook_message").await, 0);
    let (made, _) = hooks.registers(one, "/a", KYC).await;
    hooks.registers(one, "/cards", &["card.locked"]).await;
    hooks.registers(other, "/other", KYC).await;
    hooks.moves(customer, 1).await;
    // What is taken back takes its message back with it.
    let mut lost = hooks.world.store.pool().begin().await.expect("a transaction");
    let told = Told {
        partner: one,
        kind: EventKind::KycChanged,
        key: "customer:none",
        body: json!({ "status": "SUCCESS" }),
        at: at(2),
    };
    assert_eq!(enqueue(&mut lost, told).await.expect("written"), 1);
    lost.rollback().await.expect("taken back");
    assert_eq!(hooks.runs(at(7)).await, 1);
    let sent = hooks.sender.sent();
    let (path, message) = &sent[0];
    assert_eq!((sent.len(), path.as_str(), message.second), (1, "/a", at(7).0 / 1_000_000));
    let body: serde_json::Value = serde_json::from_str(&message.body).expect("JSON");
    assert_eq!(body["type"], "kyc.changed");
    assert_eq!(body["date"], "2026-11-27T12:00:01Z");
    assert_eq!(body["customer"]["customerId"], customer.to_string());
    assert_eq!(body["customer"]["before"], "PENDING");
    assert_eq!(body["customer"]["kycState"], "VERIFIED");
    assert!(!message.body.contains("Ruiz") && !message.body.contains("Ana"), "{}", message.body);
    let listed = hooks.messages(&made).await;
    assert_eq!(listed[0].public_id.to_string(), message.id);
    assert_eq!(listed[0].body, message.body);
    assert_eq!(hooks.states(&made).await, [("DELIVERED", 1)]);
    let of = (one, made.public_id);
    let tries = hooks.webhooks.attempts(of, listed[0].public_id).await.expect("tries");
    let tried = &tries[0];
    assert_eq!((tried.number, tried.outcome.as_str()), (1, "delivered"));
    assert_eq!((tried.status, tried.at, tried.answer.as_str()), (Some(204), at(7), "said 204"));
    assert_eq!(hooks.runs(at(8)).await, 0, "once");
    hooks.world.close().await;
}

/// A message waits for those before it of its own thing, and for no others.
// covers: API-18
#[tokio::test]
async fn of_one_thing_messages_go_one_after_the_other() {
    let mut hooks = Hooks::new().await;
    let (made, _) = hooks.registers(hooks.world.one.partner, "/a", KYC).await;
    let mut customers = Vec::new();
    for name in ["A-1", "A-2", "A-3"] {
        customers.push(hooks.world.customer(name).await.public_id);
    }
    for second in 1..=4 {
        for customer in &customers {
            hooks.moves(*customer, second).await;
        }
    }
    // The second of the first customer's fails twice: its others wait, the rest goes on.
    hooks.sender.says("/a", [204, 204, 204, 500].map(said));
    assert_eq!(hooks.runs(at(5)).await, 10);
    let failed = hooks.sender.sent()[3].1.id.clone();
    let all = hooks.messages(&made).await;
    let held: Vec<&str> = all.iter().map(|message| message.state.name()).collect();
    let waiting = held.iter().filter(|state| **state == "WAITING").count();
    assert_eq!(waiting, 3, "the one that failed, and the two behind it: {held:?}");
    assert_eq!(hooks.runs(at(9)).await, 0, "not before its pause is over");
    assert_eq!(hooks.runs(at(11)).await, 3);
    assert_eq!(hooks.sender.sent()[10].1.id, failed, "by the name it had");
    for customer in &customers {
        let told = of_customer(&hooks, *customer);
        assert_eq!(told, ["PENDING", "VERIFIED", "REVOKED", "PENDING"]);
    }
    hooks.world.close().await;
}

/// What a customer's messages said, each once, in the order in which it came first.
fn of_customer(hooks: &Hooks, customer: Uuid) -> Vec<String> {
    let (mut seen, mut told) = (Vec::new(), Vec::new());
    let sent = hooks.sender.sent();
    let said = hooks.sender.told("/a", "/customer/kycState");
    let whose = hooks.sender.told("/a", "/customer/customerId");
    for ((said, whose), (_, message)) in said.into_iter().zip(whose).zip(&sent) {
        if whose == customer.to_string() && !seen.contains(&message.id) {
            seen.push(message.id.clone());
            told.push(said);
        }
    }
    told
}

/// An endpoint that hangs holds up nobody else, and is given no more than its share.
// covers: API-04
#[tokio::test]
async fn an_endpoint_that_hangs_holds_up_nobody_else() {
    let settings = WebhookSettings { at_once_each: 2, at_once: 5, ..Default::default() };
    let mut hooks = Hooks::with(settings).await;
    let partner = hooks.world.one.partner;
    let (hanging, _) = hooks.registers(partner, "/hangs", KYC).await;
    hooks.sender.hangs("/hangs");
    let mut customers = Vec::new();
    for number in 0..6 {
        customers.push(hooks.world.customer(&format!("A-{number}")).await.public_id);
        hooks.moves(customers[number], 1).await;
    }
    assert_eq!(hooks.runner.begin(at(1)).await.expect("begun"), 2, "its share");
    let (quick, _) = hooks.registers(partner, "/quick", KYC).await;
    for second in 2..=3 {
        for customer in &customers {
            hooks.moves(*customer, second).await;
        }
    }
    // All of the quick one's go while two of the other hang.
    while hooks.states(&quick).await.iter().any(|(state, _)| *state != "DELIVERED") {
        hooks.runner.begin(at(4)).await.expect("begun");
        assert!(hooks.runner.end_one(at(4)).await);
    }
    assert_eq!(hooks.sender.told("/quick", "/type").len(), 12);
    assert_eq!(hooks.sender.told("/hangs", "/type").len(), 2);
    hooks.sender.let_go();
    assert_eq!(hooks.runs(at(5)).await, 16);
    assert!(hooks.states(&hanging).await.iter().all(|state| *state == ("DELIVERED", 1)));
    hooks.world.close().await;
}

/// Where there is no room for all, each has its turn.
#[tokio::test]
async fn where_there_is_no_room_for_all_each_has_its_turn() {
    let settings = WebhookSettings { at_once_each: 1, at_once: 1, ..Default::default() };
    let mut hooks = Hooks::with(settings).await;
    let partner = hooks.world.one.partner;
    for path in ["/a", "/b", "/c"] {
        hooks.registers(partner, path, KYC).await;
    }
    for number in 0..2 {
        let customer = hooks.world.customer(&format!("A-{number}")).await.public_id;
        hooks.moves(customer, 1).await;
    }
    assert_eq!(hooks.runs(at(1)).await, 6);
    let sent: Vec<String> = hooks.sender.sent().into_iter().map(|(path, _)| path).collect();
    assert_eq!(sent, ["/a", "/b", "/c", "/a", "/b", "/c"]);
    hooks.world.close().await;
}
