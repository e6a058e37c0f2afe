//! What is not taken: tried by the schedule, given up in the end, asked for again, and let go.

use std::time::Duration;

use admin_api::webhooks::{
    EndpointChange, EndpointState, NewEndpoint, Said, Schedule, WebhookSettings,
};
use uuid::Uuid;

use super::stage::{Hooks, said};
use crate::world::{at, code};

const KYC: &[&str] = &["kyc.changed"];

/// Ten tries over the pauses of the schedule, each later by a tenth at most; then it has failed,
/// and those behind it go on.
// covers: API-18
#[tokio::test]
async fn a_message_is_tried_ten_times_and_then_those_behind_it_go_on() {
    let mut hooks = Hooks::new().await;
    let (made, _) = hooks.registers(hooks.world.one.partner, "/a", KYC).await;
    let customer = hooks.world.customer("A-1").await.public_id;
    hooks.moves(customer, 0).await;
    hooks.moves(customer, 0).await;
    hooks.sender.says("/a", std::iter::repeat_n(said(500), 10));
    let mut now = 0;
    for (tries, pause) in
        [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].into_iter().enumerate()
    {
        assert_eq!(hooks.runs(at(now)).await, 1, "try {}", tries + 1);
        let next = hooks.messages(&made).await[0].next_at.expect("again").0;
        let earliest = at(now + pause).0;
        assert!(next >= earliest && next <= earliest + pause * 100_000, "pause {pause}");
        assert_eq!(hooks.runs(at(now + pause - 1)).await, 0, "not before");
        now += pause + pause / 10 + 1;
    }
    hooks.sender.says("/a", [said(200)]);
    assert_eq!(hooks.runs(at(now)).await, 2, "the last try, and the next message");
    assert_eq!(hooks.states(&made).await, [("FAILED", 10), ("DELIVERED", 1)]);
    let first = hooks.messages(&made).await[0].public_id;
    let of = (made.partner, made.public_id);
    let tries = hooks.webhooks.attempts(of, first).await.expect("tries");
    let numbers: Vec<i32> = tries.iter().map(|tried| tried.number).collect();
    assert_eq!(numbers, (1..=10).rev().collect::<Vec<_>>());
    // Asked for, it goes once more, by its name, and the schedule begins anew.
    hooks.sender.says("/a", [said(503)]);
    hooks.webhooks.resend(of, first, at(now + 60)).await.expect("again");
    assert_eq!(hooks.runs(at(now + 60)).await, 1);
    assert_eq!(hooks.states(&made).await[0], ("WAITING", 11));
    assert_eq!(hooks.runs(at(now + 70)).await, 1);
    assert_eq!(hooks.states(&made).await[0], ("DELIVERED", 12));
    let ids: Vec<String> = hooks.sender.sent().into_iter().map(|(_, sent)| sent.id).collect();
    assert_eq!(ids.iter().filter(|id| **id == first.to_string()).count(), 12);
    assert_eq!(code(hooks.webhooks.resend(of, Uuid::new_v4(), at(now)).await), "NOT_FOUND");
    hooks.world.close().await;
}

/// Nothing of what was under way is remembered: it is sent again by its name, in its order.
// covers: API-18
#[tokio::test]
async fn a_restart_in_the_middle_sends_again_and_loses_nothing() {
    let mut hooks = Hooks::new().await;
    let (made, _) = hooks.registers(hooks.world.one.partner, "/a", KYC).await;
    let customer = hooks.world.customer("A-1").await.public_id;
    for second in 1..=3 {
        hooks.moves(customer, second).await;
    }
    hooks.sender.hangs("/a");
    assert_eq!(hooks.runner.begin(at(3)).await.expect("begun"), 1);
    tokio::task::yield_now().await;
    hooks.restarts().await;
    hooks.sender.let_go();
    assert_eq!(hooks.runs(at(4)).await, 3);
    assert_eq!(hooks.states(&made).await, [("DELIVERED", 1); 3]);
    let told = hooks.sender.told("/a", "/customer/kycState");
    let whole = ["PENDING", "VERIFIED", "REVOKED"];
    assert_eq!(told[told.len() - 3..], whole, "in order: {told:?}");
    hooks.world.close().await;
}

/// Whoever asks for a pause gets it, for all of its messages; 410 ends the endpoint, and who
/// enables it again gets what waited.
// covers: API-18
#[tokio::test]
async fn a_pause_is_kept_and_who_is_gone_is_not_called() {
    let mut hooks = Hooks::new().await;
    let partner = hooks.world.one.partner;
    let (made, _) = hooks.registers(partner, "/a", KYC).await;
    let (ada, bob) =
        (hooks.world.customer("A-1").await.public_id, hooks.world.customer("A-2").await.public_id);
    hooks.moves(ada, 0).await;
    let pause = Said { retry_after: Some("600".into()), ..said(429) };
    hooks.sender.says("/a", [pause]);
    assert_eq!(hooks.runs(at(0)).await, 1);
    hooks.moves(bob, 1).await;
    assert_eq!(hooks.runs(at(599)).await, 0, "it is not called at all");
    hooks.sender.says("/a", [said(410)]);
    assert_eq!(hooks.runs(at(600)).await, 1);
    let gone = hooks.webhooks.endpoint(partner, made.public_id).await.expect("there");
    assert_eq!((gone.state.name(), gone.disabled_why.as_deref()), ("DISABLED", Some("GONE")));
    hooks.moves(bob, 601).await;
    assert_eq!(hooks.runs(at(100_000)).await, 0);
    assert_eq!(hooks.states(&made).await.len(), 2, "nothing more is made");
    let kinds = ["kyc.changed".to_owned()];
    let to = NewEndpoint { url: &gone.url, description: "", kinds: &kinds };
    let (state, version) = (EndpointState::Enabled, gone.version);
    let change = EndpointChange { to, state, version };
    hooks.webhooks.change(partner, made.public_id, change).await.expect("enabled");
    assert_eq!(hooks.runs(at(100_001)).await, 2, "what waited goes");
    hooks.world.close().await;
}

/// What arrives beside a message that is answered with a pause says nothing of the pause.
// covers: API-18
#[tokio::test]
async fn a_pause_is_kept_though_others_of_the_same_moment_arrive() {
    let mut hooks = Hooks::new().await;
    hooks.registers(hooks.world.one.partner, "/a", KYC).await;
    for name in ["A-1", "A-2"] {
        let customer = hooks.world.customer(name).await.public_id;
        hooks.moves(customer, 0).await;
    }
    let pause = Said { retry_after: Some("600".into()), ..said(429) };
    hooks.sender.says("/a", [pause, said(204)]);
    assert_eq!(hooks.runs(at(0)).await, 2);
    assert_eq!(hooks.runs(at(599)).await, 0);
    assert_eq!(hooks.runs(at(600)).await, 1);
    hooks.world.close().await;
}

// covers: API-04
#[tokio::test]
async fn what_is_over_goes_after_its_time_and_too_much_that_waits_ends_the_endpoint() {
    let keep = Duration::from_secs(86_400);
    let settings = WebhookSettings {
        keep,
        waiting_most: 2,
        schedule: Schedule::new(Vec::new()),
        ..Default::default()
    };
    let mut hooks = Hooks::with(settings).await;
    let partner = hooks.world.one.partner;
    let (made, _) = hooks.registers(partner, "/a", KYC).await;
    let customer = hooks.world.customer("A-1").await.public_id;
    hooks.moves(customer, 0).await;
    hooks.runs(at(0)).await;
    let swept = hooks.webhooks.sweep(at(86_399)).await.expect("swept");
    assert_eq!((swept.messages, swept.disabled), (0, 0));
    let swept = hooks.webhooks.sweep(at(86_401)).await.expect("swept");
    assert_eq!(swept.messages, 1);
    assert_eq!(hooks.world.count("SELECT count(*) FROM webhook_attempt").await, 0);

    for second in 1..=2 {
        hooks.moves(customer, second).await;
    }
    assert_eq!(hooks.webhooks.sweep(at(3)).await.expect("swept").disabled, 0);
    hooks.moves(customer, 3).await;
    assert_eq!(hooks.webhooks.sweep(at(4)).await.expect("swept").disabled, 1);
    let full = hooks.webhooks.endpoint(partner, made.public_id).await.expect("there");
    assert_eq!(full.disabled_why.as_deref(), Some("BACKLOG"));
    hooks.webhooks.remove(partner, made.public_id, at(5)).await.expect("removed");
    let swept = hooks.webhooks.sweep(at(6)).await.expect("swept");
    assert_eq!(swept.messages, 3, "what waited for what was removed");
    for table in ["webhook_endpoint", "webhook_message", "webhook_feed"] {
        let sql = match table {
            "webhook_endpoint" => "SELECT count(*) FROM webhook_endpoint",
            "webhook_message" => "SELECT count(*) FROM webhook_message",
            _ => "SELECT count(*) FROM webhook_feed",
        };
        assert_eq!(hooks.world.count(sql).await, 0, "{table}");
    }
    hooks.world.close().await;
}

/// A message of a test is one, however often the same request comes.
// covers: API-17
#[tokio::test]
async fn a_test_is_sent_once_a_name() {
    let mut hooks = Hooks::new().await;
    let (made, _) = hooks.registers(hooks.world.one.partner, "/a", KYC).await;
    let (of, name) = ((made.partner, made.public_id), Uuid::new_v4());
    for _ in 0..2 {
        let sent = hooks.webhooks.send_test(of, (name, at(0))).await.expect("sent");
        assert_eq!(sent.public_id, name);
    }
    assert_eq!(hooks.runs(at(0)).await, 1);
    assert_eq!(hooks.sender.told("/a", "/type"), ["webhook.test"]);
    hooks.world.close().await;
}
