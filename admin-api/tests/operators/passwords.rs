//! Passwords: the first one, changes, and what may not be chosen.

use admin_api::NoSession;
use admin_api::operators::{OperatorSettings, Role};

use crate::desk::{Desk, Person, at, password, settings};

#[tokio::test]
async fn p_18_none_of_the_last_four_comes_back_and_a_change_ends_what_was_open() {
    let desk = Desk::new().await;
    let ada = desk.person("ada", Role::Manager).await;
    let mut opened = desk.signs_in(&ada, 60).await.expect("in");
    let beside = desk.signs_in(&ada, 90).await.expect("in twice");
    let mut current = ada.password.clone();
    for round in 1..=4 {
        let next = format!("another horse {round}");
        let change = (password(&current), password(&next));
        let changed = desk.operators.change_password(&opened.session, change, at(100)).await;
        let changed = changed.expect("changed");
        let before = desk.operators.session(&opened.token, at(100)).await;
        assert_eq!(before, Err(NoSession::Unknown));
        assert_eq!(changed.session.ends_at, opened.session.ends_at, "no longer than before");
        (opened, current) = (changed, next);
    }
    assert!(desk.operators.session(&beside.token, at(100)).await.is_err());
    let session = &opened.session;
    for (new, code) in [
        ("another horse 4", Some("INVALID_REQUEST")),
        ("another horse 1", Some("INVALID_REQUEST")),
        ("too short 1", Some("INVALID_REQUEST")),
        ("no digits at all", Some("INVALID_REQUEST")),
        ("my name is Ada 1", Some("INVALID_REQUEST")),
        // The fifth before.
        (ada.password.as_str(), None),
    ] {
        let change = (password(&current), password(new));
        let changed = desk.operators.change_password(session, change, at(101)).await;
        assert_eq!(changed.err().map(|problem| problem.code), code, "{new}");
    }
    desk.close().await;
}

#[tokio::test]
async fn p_18_a_first_password_is_changed_and_does_not_last() {
    let desk = Desk::new().await;
    let ada = Person::of(&desk.given("ada", Role::Admin).await);
    let opened = desk.signs_in(&ada, 71 * 3600).await.expect("in");
    assert!(opened.session.must_change);
    assert!(desk.signs_in(&ada, 73 * 3600).await.is_err());
    let listed = desk.operators.list(at(0)).await.expect("a list");
    assert!(listed[0].must_change);
    desk.close().await;
}

#[tokio::test]
async fn p_17_wrong_current_passwords_are_counted_with_the_others_and_end_the_sessions() {
    let desk = Desk::with(OperatorSettings { tries: 3, ..settings() }).await;
    let ada = desk.person("ada", Role::Manager).await;
    let opened = desk.signs_in(&ada, 60).await.expect("in");
    for _ in 0..3 {
        let change = (password("wrong horse 1234"), password("another horse 12"));
        let changed = desk.operators.change_password(&opened.session, change, at(61)).await;
        assert_eq!(changed.err().map(|problem| problem.code), Some("UNAUTHENTICATED"));
    }
    assert_eq!(desk.operators.session(&opened.token, at(62)).await, Err(NoSession::Unknown));
    assert!(desk.signs_in(&ada, 90).await.is_err(), "locked");
    desk.close().await;
}

#[tokio::test]
async fn p_19_what_is_kept_has_no_secret_in_it() {
    let desk = Desk::new().await;
    let ada = desk.person("ada", Role::Manager).await;
    let opened = desk.signs_in(&ada, 60).await.expect("in");
    let dump = desk.dump().await;
    let base32 = ada.uri.split("secret=").nth(1).expect("one").split('&').next().expect("text");
    for secret in [ada.password.as_str(), opened.token.expose(), base32] {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!dump.contains(secret) && !dump.contains(&hex));
    }
    assert!(dump.contains("ada"));
    desk.close().await;
}
