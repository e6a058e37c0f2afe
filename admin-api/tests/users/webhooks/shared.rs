//! Several switches over one database, endpoints that take nothing, and what is kept of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use admin_api::webhooks::{
    EndpointChange, EndpointState, MessageState, NewEndpoint, Runner, Schedule, WebhookSettings,
};
use uuid::Uuid;

use super::stage::{Hooks, said, serve};
use crate::world::{at, code, key};

const KYC: &[&str] = &["kyc.changed"];

async fn customers(hooks: &Hooks, count: usize) -> Vec<Uuid> {
    let mut all = Vec::new();
    for number in 0..count {
        all.push(hooks.world.customer(&format!("A-{number}")).await.public_id);
    }
    all
}

/// Of two switches over one database one sends to an endpoint, until it has nothing under way there
/// or is gone; the other goes on where it was.
// covers: API-11, API-18
#[tokio::test]
async fn of_two_switches_one_sends_to_an_endpoint_at_a_time() {
    let mut hooks = Hooks::new().await;
    let (made, _) = hooks.registers(hooks.world.one.partner, "/a", KYC).await;
    let customers = customers(&hooks, 2).await;
    for second in 1..=3 {
        for customer in &customers {
            hooks.moves(*customer, second).await;
        }
    }
    let mut other = hooks.another();
    hooks.sender.hangs("/a");
    assert_eq!(hooks.runner.begin(at(4)).await.expect("begun"), 2, "one of each customer");
    assert_eq!(other.begin(at(4)).await.expect("begun"), 0, "they are under way");
    hooks.sender.let_go();
    for _ in 0..2 {
        assert!(hooks.runner.end_one(at(4)).await);
    }
    // Whoever looks first goes on.
    assert_eq!(other.begin(at(5)).await.expect("begun"), 2);
    assert_eq!(hooks.runner.begin(at(5)).await.expect("begun"), 0);
    for _ in 0..2 {
        assert!(other.end_one(at(5)).await);
    }
    // One that ends in the middle leaves what it had to the other, by the names it had.
    hooks.sender.hangs("/a");
    assert_eq!(other.begin(at(6)).await.expect("begun"), 2);
    tokio::task::yield_now().await;
    drop(other);
    hooks.until_nothing_is_claimed().await;
    hooks.sender.let_go();
    assert_eq!(hooks.runs(at(7)).await, 2);
    assert_eq!(hooks.states(&made).await, [("DELIVERED", 1); 6]);
    let sent = hooks.sender.sent();
    let names: BTreeSet<&str> = sent.iter().map(|(_, message)| message.id.as_str()).collect();
    assert_eq!((sent.len(), names.len()), (8, 6), "twice is what was cut off alone");
    let (said, whose) = (
        hooks.sender.told("/a", "/customer/kycState"),
        hooks.sender.told("/a", "/customer/customerId"),
    );
    for customer in customers {
        let of = said.iter().zip(&whose).filter(|(_, whose)| **whose == customer.to_string());
        let of: Vec<&str> = of.map(|(said, _)| said.as_str()).collect();
        assert_eq!(of, ["PENDING", "VERIFIED", "REVOKED", "REVOKED"]);
    }
    hooks.world.close().await;
}

/// However many endpoints hang, half of all tries is for those that do not.
// covers: API-04
#[tokio::test]
async fn endpoints_that_hang_take_half_of_all_tries_at_most() {
    let settings = WebhookSettings {
        at_once: 4,
        endpoints_most: 20,
        schedule: Schedule::new(vec![Duration::from_secs(1); 9]),
        ..Default::default()
    };
    let mut hooks = Hooks::with(settings).await;
    let partner = hooks.world.one.partner;
    let customers = customers(&hooks, 2).await;
    for number in 0..6 {
        let path = format!("/hangs-{number}");
        hooks.registers(partner, &path, KYC).await;
        hooks.sender.says(&path, [said(500), said(500)]);
    }
    for customer in &customers {
        hooks.moves(*customer, 1).await;
    }
    assert_eq!(hooks.runs(at(1)).await, 12, "each fails once");
    for number in 0..6 {
        hooks.sender.hangs(&format!("/hangs-{number}"));
    }
    assert_eq!(hooks.runner.begin(at(3)).await.expect("begun"), 2, "of four");
    let (quick, _) = hooks.registers(partner, "/quick", KYC).await;
    for second in 4..=6 {
        for customer in &customers {
            hooks.moves(*customer, second).await;
        }
    }
    while hooks.states(&quick).await.iter().any(|(state, _)| *state != "DELIVERED") {
        hooks.runner.begin(at(7)).await.expect("begun");
        assert!(hooks.runner.end_one(at(7)).await);
    }
    assert_eq!(hooks.sender.told("/quick", "/type").len(), 6);
    hooks.world.close().await;
}

/// What waits behind a message that is tried again later is not written anew all that time.
#[tokio::test]
async fn what_waits_for_an_endpoint_that_is_out_is_left_alone() {
    let mut hooks = Hooks::new().await;
    hooks.registers(hooks.world.one.partner, "/a", KYC).await;
    let customer = customers(&hooks, 1).await[0];
    for second in 1..=5 {
        hooks.moves(customer, second).await;
    }
    hooks.sender.says("/a", std::iter::repeat_n(said(500), 2));
    assert_eq!(hooks.runs(at(6)).await, 1);
    assert_eq!(hooks.runs(at(20)).await, 1, "its next pause is of five minutes");
    let written = "SELECT sum(xmin::text::int8)::int8 FROM webhook_message";
    let before = hooks.world.count(written).await;
    for later in [81, 142, 203, 264] {
        assert_eq!(hooks.runs(at(later)).await, 0);
    }
    assert_eq!(hooks.world.count(written).await, before);
    hooks.sender.says("/a", [said(200)]);
    assert_eq!(hooks.runs(at(400)).await, 5, "they go when it does");
    hooks.world.close().await;
}

/// What an endpoint never took in the time for which messages are kept has failed, and what is
/// younger goes on.
// covers: API-04, API-18
#[tokio::test]
async fn what_is_never_taken_has_failed_in_the_end() {
    let day = 86_400;
    let settings = WebhookSettings { keep: Duration::from_secs(10 * 86_400), ..Default::default() };
    let mut hooks = Hooks::with(settings).await;
    let (made, _) = hooks.registers(hooks.world.one.partner, "/a", KYC).await;
    let customer = customers(&hooks, 1).await[0];
    for second in [0, 1, 5 * day] {
        hooks.moves(customer, second).await;
    }
    hooks.sender.says("/a", [said(500)]);
    assert_eq!(hooks.runs(at(5 * day)).await, 1);
    hooks.webhooks.sweep(at(10 * day - 1)).await.expect("swept");
    assert_eq!(hooks.states(&made).await, [("WAITING", 1), ("WAITING", 0), ("WAITING", 0)]);
    assert_eq!(hooks.webhooks.sweep(at(11 * day)).await.expect("swept").messages, 2);
    assert_eq!(hooks.states(&made).await, [("FAILED", 1), ("FAILED", 0), ("WAITING", 0)]);
    assert_eq!(hooks.runs(at(11 * day)).await, 1, "the one behind them goes");
    // What somebody asks for again is old, and has its schedule all the same.
    let first = hooks.messages(&made).await[0].public_id;
    let of = (made.partner, made.public_id);
    hooks.webhooks.resend(of, first, at(12 * day)).await.expect("again");
    hooks.webhooks.sweep(at(12 * day)).await.expect("swept");
    assert_eq!(hooks.runs(at(12 * day)).await, 1);
    hooks.world.close().await;
}

#[tokio::test]
async fn a_secret_that_signs_no_more_is_forgotten() {
    let hooks = Hooks::new().await;
    let partner = hooks.world.one.partner;
    let (made, _) = hooks.registers(partner, "/a", KYC).await;
    let rotated = hooks.webhooks.rotate(partner, made.public_id, (key("r"), at(10))).await;
    rotated.expect("another");
    let kept = "SELECT count(*) FROM webhook_endpoint WHERE previous_secret IS NOT NULL";
    hooks.webhooks.sweep(at(9 + 86_400)).await.expect("swept");
    assert_eq!(hooks.world.count(kept).await, 1);
    hooks.webhooks.sweep(at(10 + 86_400)).await.expect("swept");
    assert_eq!(hooks.world.count(kept).await, 0);
    let now = hooks.webhooks.endpoint(partner, made.public_id).await.expect("there");
    assert_eq!(now.previous_until, None);
    hooks.world.close().await;
}

/// Whoever wants no more messages is not refused for where they would go.
#[tokio::test]
async fn an_endpoint_is_disabled_also_where_nothing_is_sent() {
    let hooks = Hooks::new().await;
    let partner = hooks.world.one.partner;
    let (made, _) = hooks.registers(partner, "/a", KYC).await;
    let folder = tempfile::tempdir().expect("a directory");
    let settings = WebhookSettings { sends: false, ..Default::default() };
    let silent = serve(&hooks.world, &folder, settings);
    let kinds = ["kyc.changed".to_owned()];
    let change = |state, version| {
        let to = NewEndpoint { url: &made.url, description: "", kinds: &kinds };
        silent.change(partner, made.public_id, EndpointChange { to, state, version })
    };
    let disabled = change(EndpointState::Disabled, made.version).await.expect("disabled");
    assert_eq!(disabled.disabled_why.as_deref(), Some("ASKED"));
    assert_eq!(code(change(EndpointState::Enabled, disabled.version).await), "CONFLICT");
    hooks.world.close().await;
}

/// A switch whose key is another one than that of what is registered signs nothing: it does not
/// begin, and where it did it would count no try.
#[tokio::test]
async fn a_switch_with_another_key_sends_nothing_and_counts_no_try() {
    let mut hooks = Hooks::new().await;
    let partner = hooks.world.one.partner;
    let folder = tempfile::tempdir().expect("a directory");
    let foreign = serve(&hooks.world, &folder, WebhookSettings::default());
    foreign.require_our_key().await.expect("nothing is registered");
    let (made, _) = hooks.registers(partner, "/a", KYC).await;
    assert_eq!(code(foreign.require_our_key().await), "CONFLICT");
    hooks.webhooks.require_our_key().await.expect("it is ours");
    hooks.moves(customers(&hooks, 1).await[0], 0).await;
    let mut other = Runner::new(foreign, Arc::clone(&hooks.sender) as _);
    assert_eq!(other.begin(at(1)).await, Ok(0));
    assert_eq!(hooks.states(&made).await, [("WAITING", 0)]);
    assert_eq!(hooks.runs(at(1)).await, 1, "whose key it is sends");
    // A list by state has these alone, and goes on behind any of them.
    let of = (partner, made.public_id);
    let list = async |state, behind| {
        let page = hooks.webhooks.messages(of, Some(state), (behind, 10)).await;
        page.expect("messages").iter().map(|message| message.public_id).collect::<Vec<_>>()
    };
    let delivered = list(MessageState::Delivered, None).await;
    assert_eq!(delivered.len(), 1);
    assert!(list(MessageState::Delivered, Some(delivered[0])).await.is_empty());
    assert!(list(MessageState::Failed, None).await.is_empty());
    hooks.world.close().await;
}
