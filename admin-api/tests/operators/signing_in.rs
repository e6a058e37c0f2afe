//! Who gets in, and what the others learn: nothing.

use admin_api::operators::{Role, SignIn, TypedCode};
use zeroize::Zeroizing;

use crate::code::code_at;
use crate::desk::{DAYS, Desk, LOCK, MINUTES, NOON, at, password, told};

#[tokio::test]
async fn p_20_both_factors_or_nothing_and_no_code_twice_and_no_word_of_which_was_wrong() {
    let desk = Desk::new().await;
    let ada = desk.person("ada", Role::Employee).await;
    let blocked = desk.person("bob", Role::Employee).await;
    desk.operators.block(admin_api::operators::Which::Id(blocked.id), None).await.expect("done");
    let code = code_at(&ada.uri, NOON + 60);
    let (name, right) = (ada.name.as_str(), ada.password.as_str());
    let long = "a".repeat(5_000);
    let mut answers = Vec::new();
    for (name, typed, code) in [
        (name, "wrong horse 7 of x", code.as_str()),
        (name, right, "000000"),
        (name, right, ""),
        (name, "", code.as_str()),
        (name, &long, code.as_str()),
        ("nobody", right, code.as_str()),
        ("", right, code.as_str()),
        ("ADA", right, code.as_str()),
        // The code of noon was taken when she was let in for the first time.
        (name, right, &code_at(&ada.uri, NOON)),
        (name, right, &code_at(&ada.uri, NOON + 120)),
        (blocked.name.as_str(), blocked.password.as_str(), &code_at(&blocked.uri, NOON + 60)),
    ] {
        let seconds = if code == code_at(&ada.uri, NOON) { 29 } else { 60 };
        answers.push(told(desk.tries((name, typed, code), seconds).await));
    }
    assert!(answers.iter().all(|answer| answer == &answers[0] && answer.0 == "UNAUTHENTICATED"));
    let opened = desk.tries((name, right, &code), 60).await.expect("in");
    assert_eq!((opened.session.operator, opened.session.role), (ada.id, Role::Employee));
    assert_eq!(told(desk.tries((name, right, &code), 60).await), answers[0], "taken once");
    desk.close().await;
}

#[tokio::test]
async fn p_20_the_same_code_from_two_at_once_lets_one_in() {
    let desk = Desk::new().await;
    let ada = desk.person("ada", Role::Employee).await;
    let (one, other) = tokio::join!(desk.signs_in(&ada, 60), desk.signs_in(&ada, 60));
    assert_eq!(u8::from(one.is_ok()) + u8::from(other.is_ok()), 1);
    desk.close().await;
}

#[tokio::test]
async fn p_17_ten_wrong_tries_lock_for_half_an_hour_over_a_restart() {
    let desk = Desk::new().await;
    let ada = desk.person("ada", Role::Employee).await;
    for _ in 0..10 {
        told(desk.tries((&ada.name, "wrong horse 7", "123456"), 60).await);
    }
    told(desk.signs_in(&ada, 60).await);
    let listed = desk.operators.list(at(60)).await.expect("a list");
    assert_eq!(listed[0].state.name(), "LOCKED");
    let still = 60 + i64::try_from(LOCK.as_secs()).expect("short") - 1;
    let code = code_at(&ada.uri, NOON + still);
    let code = TypedCode::new(Zeroizing::new(code));
    let asks = SignIn { name: ada.name.clone(), password: password(&ada.password), code };
    told(desk.again().sign_in(asks, at(still)).await);
    assert!(desk.signs_in(&ada, still + 1).await.is_ok());
    // Counted anew from there on: nine are forgiven by one that is right.
    for _ in 0..9 {
        told(desk.tries((&ada.name, "wrong horse 7", "123456"), still + 31).await);
    }
    assert!(desk.signs_in(&ada, still + 31).await.is_ok());
    desk.close().await;
}

#[tokio::test]
async fn p_17_no_more_are_looked_at_than_there_are_tries_however_many_come_at_once() {
    let desk = Desk::new().await;
    let ada = desk.person("ada", Role::Employee).await;
    let wrong = || desk.tries((&ada.name, "wrong horse 7", "123456"), 60);
    let results = futures_util::future::join_all((0..40).map(|_| wrong())).await;
    assert!(results.iter().all(Result::is_err));
    // Those that were not looked at were tried at nobody: both are counted.
    let looked_at = desk.count("SELECT tries::int8 FROM operator").await;
    assert_eq!(looked_at, 10);
    assert_eq!(desk.count("SELECT tries FROM operator_nobody").await, 30);
    told(desk.signs_in(&ada, 60).await);
    desk.close().await;
}

/// A key file that is made anew where the old one was lost would let nobody in: it is said.
#[tokio::test]
async fn a_switch_with_another_key_says_so_instead_of_letting_nobody_in() {
    let desk = Desk::new().await;
    let foreign = desk.with_another_key();
    foreign.require_our_key().await.expect("there are no operators");
    let ada = desk.person("ada", Role::Employee).await;
    let refused = foreign.require_our_key().await.expect_err("another key");
    assert_eq!(refused.code, "CONFLICT");
    assert!(refused.detail.contains(&ada.id.to_string()), "{}", refused.detail);
    desk.again().require_our_key().await.expect("it is ours");
    desk.close().await;
}

#[tokio::test]
async fn p_15_who_was_not_here_for_ninety_days_is_let_in_by_another_alone() {
    let desk = Desk::new().await;
    let ada = desk.person("ada", Role::Employee).await;
    assert!(desk.signs_in(&ada, 90 * DAYS - 60).await.is_ok());
    let late = 180 * DAYS;
    told(desk.signs_in(&ada, late).await);
    let listed = desk.operators.list(at(late)).await.expect("a list");
    assert_eq!(listed[0].state.name(), "UNSEEN");
    let which = admin_api::operators::Which::Name("ada");
    desk.operators.unblock(which, None, at(late)).await.expect("let in");
    assert!(desk.signs_in(&ada, late + MINUTES).await.is_ok());
    desk.close().await;
}
