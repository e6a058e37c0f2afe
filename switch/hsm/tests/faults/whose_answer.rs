//! Whose answer is whose: what comes under a wrong header, twice or too late answers nobody.

use std::time::Duration;

use futures_util::future::join_all;
use simulators::hsm::{Fault, HsmUnit, Plan};
use switch_hsm::commands::{Echo, Status};
use switch_hsm::{CallError, HsmClient};

use super::rig::{DEADLINE, client, settings, soon, unit, until_good};

/// Asks for so many echoes at once, each its own, and holds that none gets another's. How many
/// were answered.
async fn echoes(client: &HsmClient, count: u8) -> usize {
    let asked = (0..count).map(|number| async move {
        let own = [number; 16];
        match client.call(&Echo(own)).await {
            Ok(back) => {
                assert_eq!(back, own, "an answer of another call");
                true
            }
            Err(_) => false,
        }
    });
    soon(join_all(asked)).await.into_iter().filter(|answered| *answered).count()
}

async fn one_connection() -> (HsmUnit, HsmClient) {
    let unit = unit().await;
    let mut settings = settings(&[&unit]);
    settings.connections = 1;
    let client = client(settings).await;
    (unit, client)
}

#[tokio::test]
async fn calls_on_one_connection_each_get_their_own_answer() {
    let (unit, client) = one_connection().await;
    assert_eq!(echoes(&client, 200).await, 200);
    assert!(unit.tally().commands_of("B2") >= 200);
}

#[tokio::test]
async fn a_wrong_header_answers_no_other_call() {
    for fault in [Fault::WrongHeader, Fault::Twice, Fault::WrongLetters, Fault::Half] {
        let (unit, client) = one_connection().await;
        unit.fail(Some(Plan::once(fault).to(*b"B2")));
        echoes(&client, 40).await;
        assert!(unit.tally().faults >= 1);
        unit.fail(None);
        until_good(&client).await;
        assert_eq!(echoes(&client, 40).await, 40, "{fault:?}");
    }
}

/// The answer to a status under the header of an echo: the letters tell, and both are asked again
/// or fail; neither takes it.
#[tokio::test]
async fn an_answer_under_the_header_of_another_command_answers_neither() {
    let (unit, client) = one_connection().await;
    unit.fail(Some(Plan::once(Fault::HeaderOfNext).to(*b"NO")));
    let (status, answered) = tokio::join!(client.call(&Status), echoes(&client, 1));
    assert!(status.is_err() && answered == 0, "{status:?}, {answered}");
    until_good(&client).await;
}

#[tokio::test]
async fn an_answer_that_comes_too_late_answers_nobody() {
    let (unit, client) = one_connection().await;
    let late = Fault::Late(DEADLINE * 2);
    unit.fail(Some(Plan::once(late).to(*b"B2")));
    let first = soon(client.call(&Echo([0xFF; 16]))).await;
    assert_eq!(first, Err(CallError::Deadline));
    until_good(&client).await;
    // Others are asked for on and on, until after it came or its connection was given up.
    let began = std::time::Instant::now();
    while began.elapsed() < DEADLINE * 4 {
        echoes(&client, 8).await;
    }
    assert_eq!(echoes(&client, 8).await, 8);
}

#[tokio::test]
async fn one_call_too_many_is_refused_at_once() {
    let unit = unit().await;
    let mut settings = settings(&[&unit]);
    settings.queue_limit = 4;
    settings.deadline = Duration::from_secs(10);
    let client = client(settings).await;
    unit.fail(Some(Plan::always(Fault::Hang).to(*b"NO")));
    let waiting: Vec<_> = (0..4).map(|_| tokio::spawn(client.call(&Status))).collect();
    soon(unit.until(|tally| tally.commands_of("NO") == 4)).await;
    assert_eq!(soon(client.call(&Status)).await, Err(CallError::Full));
    unit.die();
    for call in waiting {
        let answer = soon(call).await.expect("it ends");
        assert!(matches!(answer, Err(CallError::Lost | CallError::NoUnit)), "{answer:?}");
    }
}
