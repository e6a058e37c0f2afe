//! When sessions end.

use admin_api::NoSession;
use admin_api::operators::{OperatorSettings, Role, Which};

use crate::desk::{Desk, MINUTES, at, settings};

#[tokio::test]
async fn p_16_a_session_ends_after_a_quarter_of_an_hour_without_use() {
    let desk = Desk::new().await;
    let ada = desk.person("ada", Role::Manager).await;
    let opened = desk.signs_in(&ada, 60).await.expect("in");
    let ask = |seconds| desk.operators.session(&opened.token, at(60 + seconds));
    let session = ask(14 * MINUTES + 59).await.expect("it goes on");
    assert_eq!((session.name.as_str(), session.role), ("ada", Role::Manager));
    assert!(ask(29 * MINUTES).await.is_ok(), "from the last use on");
    assert_eq!(ask(44 * MINUTES + 1).await, Err(NoSession::Expired));
    assert_eq!(ask(44 * MINUTES + 1).await, Err(NoSession::Unknown), "it is gone");
    desk.close().await;
}

#[tokio::test]
async fn p_16_a_session_ends_in_the_end_however_it_is_used() {
    let desk = Desk::new().await;
    let ada = desk.person("ada", Role::Manager).await;
    let opened = desk.signs_in(&ada, 60).await.expect("in");
    for minute in (10..720).step_by(10) {
        let used = desk.operators.session(&opened.token, at(60 + minute * MINUTES)).await;
        assert!(used.is_ok(), "{minute}");
    }
    let over = desk.operators.session(&opened.token, at(60 + 720 * MINUTES)).await;
    assert_eq!(over, Err(NoSession::Expired));
    desk.close().await;
}

#[tokio::test]
async fn sessions_are_few_and_end_when_they_are_ended() {
    let desk = Desk::with(OperatorSettings { sessions_most: 2, ..settings() }).await;
    let ada = desk.person("ada", Role::Manager).await;
    let mut opened = Vec::new();
    for step in 1..=3 {
        opened.push(desk.signs_in(&ada, step * 30).await.expect("in"));
    }
    let alive = async |one: usize| desk.operators.session(&opened[one].token, at(91)).await;
    assert_eq!(alive(0).await, Err(NoSession::Unknown), "the oldest made room");
    let last = alive(2).await.expect("it goes on");
    desk.operators.sign_out(&last).await.expect("out");
    assert_eq!(alive(2).await, Err(NoSession::Unknown));
    assert!(alive(1).await.is_ok());
    desk.close().await;
}

#[tokio::test]
async fn blocking_resetting_and_another_role_end_all_sessions_at_once() {
    let desk = Desk::new().await;
    let (ada, id) = (desk.person("ada", Role::Manager).await, Which::Name("ada"));
    for (step, what) in (1..).zip(["role", "block", "reset"]) {
        let opened = desk.signs_in(&ada, step * 30).await.expect("in");
        let operators = &desk.operators;
        match what {
            "role" => operators.set_role(id, Role::Employee, None).await.expect("done"),
            "block" => {
                operators.block(id, None).await.expect("done");
                operators.unblock(id, None, at(step * 30)).await.expect("done");
            }
            _ => drop(operators.reset(id, None, at(step * 30)).await.expect("done")),
        }
        let after = operators.session(&opened.token, at(step * 30)).await;
        assert_eq!(after, Err(NoSession::Unknown), "{what}");
    }
    // What was before the reset opens nothing.
    assert!(desk.signs_in(&ada, 120).await.is_err());
    desk.close().await;
}
