//! Endpoints: registered, changed, given another secret, removed, by their partner alone.

use admin_api::webhooks::{EndpointChange, EndpointState, NewEndpoint, WebhookSettings};

use super::stage::Hooks;
use crate::world::{at, code, key};

const KYC: &[&str] = &["kyc.changed"];

// covers: API-07, API-17
#[tokio::test]
async fn an_endpoint_is_registered_once_a_key_and_to_public_places_alone() {
    let hooks = Hooks::with(WebhookSettings { endpoints_most: 2, ..Default::default() }).await;
    let partner = hooks.world.one.partner;
    let (made, secret) = hooks.registers(partner, "/a", KYC).await;
    let (again, same) = hooks.registers(partner, "/a", KYC).await;
    assert_eq!(made.public_id, again.public_id);
    assert!(*secret.expose() == *same.expose(), "the same key gives the same secret");
    let stored = "SELECT count(*) FROM webhook_endpoint WHERE secret = previous_secret \
                  OR position('whsec' in encode(secret, 'escape')) > 0";
    assert_eq!(hooks.world.count(stored).await, 0);
    let kinds = ["kyc.changed".to_owned()];
    let register = async |url: &str, kinds: &[String], description: &str| {
        let new = NewEndpoint { url, description, kinds };
        let under = (key(&format!("{url} {}", kinds.len())), at(0));
        hooks.webhooks.register(partner, new, under).await.map(|(made, _)| made.url)
    };
    for url in ["http://hooks.example/", "https://10.0.0.1/", "https://inside.example/x"] {
        assert_eq!(code(register(url, &kinds, "").await), "INVALID_REQUEST", "{url}");
    }
    let twice = [kinds[0].clone(), kinds[0].clone()];
    for wrong in [&[][..], &["card.lost".to_owned()], &twice] {
        assert_eq!(code(register("https://b.example/", wrong, "").await), "INVALID_REQUEST");
    }
    for text in ["a\nb", "x".repeat(201).as_str()] {
        assert_eq!(code(register("https://b.example/", &kinds, text).await), "INVALID_REQUEST");
    }
    assert!(register("https://b.example/", &kinds, "fine").await.is_ok());
    assert_eq!(code(register("https://c.example/", &kinds, "").await), "EXHAUSTED");
    hooks.webhooks.remove(partner, made.public_id, at(1)).await.expect("removed");
    assert!(register("https://c.example/", &kinds, "").await.is_ok(), "there is room again");
    hooks.world.close().await;
}

// covers: API-01
#[tokio::test]
async fn what_is_another_tenants_is_answered_as_what_is_not_there() {
    let hooks = Hooks::new().await;
    let (one, other) = (hooks.world.one.partner, hooks.world.other.partner);
    let (made, _) = hooks.registers(one, "/a", KYC).await;
    let customer = hooks.world.customer("A-1").await.public_id;
    hooks.moves(customer, 1).await;
    let message = hooks.messages(&made).await[0].public_id;
    let (id, service) = (made.public_id, &hooks.webhooks);
    let of = (other, id);
    let kinds = ["kyc.changed".to_owned()];
    let to = NewEndpoint { url: "https://b.example/", description: "", kinds: &kinds };
    let change = EndpointChange { to, state: EndpointState::Disabled, version: 1 };
    let codes = [
        code(service.endpoint(other, id).await),
        code(service.change(other, id, change).await),
        code(service.rotate(other, id, (key("rotate"), at(1))).await.map(|_| ())),
        code(service.remove(other, id, at(1)).await),
        code(service.messages(of, None, (None, 10)).await),
        code(service.message(of, message).await),
        code(service.attempts(of, message).await),
        code(service.resend(of, message, at(1)).await),
        code(service.send_test(of, (uuid::Uuid::new_v4(), at(1))).await),
    ];
    assert_eq!(codes, ["NOT_FOUND"; 9]);
    assert!(service.endpoints(other).await.expect("none").is_empty());
    // An endpoint of its own does not open another's message.
    let (theirs, _) = hooks.registers(other, "/b", KYC).await;
    let through = (other, theirs.public_id);
    assert_eq!(code(service.message(through, message).await), "NOT_FOUND");
    assert_eq!(code(service.resend(through, message, at(1)).await), "NOT_FOUND");
    assert_eq!(hooks.states(&made).await, [("WAITING", 0)]);
    hooks.world.close().await;
}

// covers: API-11
#[tokio::test]
async fn a_change_names_the_version_it_was_made_of() {
    let mut hooks = Hooks::new().await;
    let partner = hooks.world.one.partner;
    let (made, _) = hooks.registers(partner, "/a", KYC).await;
    let kinds = ["kyc.changed".to_owned(), "card.locked".to_owned()];
    let change = |state, version| {
        let to = NewEndpoint { url: "https://hooks.example/b", description: "b", kinds: &kinds };
        hooks.webhooks.change(partner, made.public_id, EndpointChange { to, state, version })
    };
    let off = change(EndpointState::Disabled, 1).await.expect("changed");
    assert_eq!((off.version, off.disabled_why.as_deref()), (2, Some("ASKED")));
    assert_eq!(off.kinds.len(), 2);
    let stale = change(EndpointState::Enabled, 1).await;
    assert_eq!(code(stale), "PRECONDITION_FAILED");
    let customer = hooks.world.customer("A-1").await.public_id;
    hooks.moves(customer, 1).await;
    assert!(hooks.messages(&made).await.is_empty(), "what is disabled is told nothing");
    let test = hooks.webhooks.send_test((partner, made.public_id), (made.public_id, at(1))).await;
    assert_eq!(code(test), "CONFLICT");
    let on = change(EndpointState::Enabled, 2).await.expect("changed");
    assert_eq!((on.version, on.disabled_why), (3, None));
    hooks.moves(customer, 2).await;
    assert_eq!(hooks.runs(at(2)).await, 1);
    assert_eq!(hooks.sender.sent()[0].0, "/b", "it goes to where it is now");
    hooks.world.close().await;
}

// covers: API-18
#[tokio::test]
async fn while_a_secret_is_changed_both_sign_and_a_repeat_changes_nothing() {
    let mut hooks = Hooks::new().await;
    let partner = hooks.world.one.partner;
    let (made, first) = hooks.registers(partner, "/a", KYC).await;
    let customer = hooks.world.customer("A-1").await.public_id;
    hooks.moves(customer, 1).await;
    hooks.runs(at(1)).await;
    let rotate =
        |name: &'static str| hooks.webhooks.rotate(partner, made.public_id, (key(name), at(10)));
    let (endpoint, second) = rotate("rotate").await.expect("another");
    assert_eq!(endpoint.previous_until, Some(at(10 + 24 * 3_600)));
    let (_, again) = rotate("rotate").await.expect("the same");
    assert!(*second.expose() == *again.expose() && *first.expose() != *second.expose());
    hooks.moves(customer, 11).await;
    hooks.runs(at(11)).await;
    hooks.moves(customer, 12 + 24 * 3_600).await;
    hooks.runs(at(12 + 24 * 3_600)).await;
    let signed: Vec<usize> = hooks
        .sender
        .sent()
        .iter()
        .map(|(_, message)| {
            let all: Vec<&str> = message.signatures.split(' ').collect();
            assert!(all.iter().all(|one| one.starts_with("v1,") && one.len() == 47), "{all:?}");
            all.len()
        })
        .collect();
    assert_eq!(signed, [1, 2, 1]);
    hooks.world.close().await;
}

#[tokio::test]
async fn where_nothing_can_be_sent_nobody_registers() {
    let hooks = Hooks::with(WebhookSettings { sends: false, ..Default::default() }).await;
    let kinds = ["kyc.changed".to_owned()];
    let new = NewEndpoint { url: "https://hooks.example/", description: "", kinds: &kinds };
    let made = hooks.webhooks.register(hooks.world.one.partner, new, (key("a"), at(0))).await;
    assert_eq!(code(made.map(|_| ())), "CONFLICT");
    hooks.world.close().await;
}
