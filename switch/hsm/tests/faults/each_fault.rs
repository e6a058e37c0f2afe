//! Every fault of a unit, alone and beside a good one.

use std::time::Duration;

use simulators::hsm::{Fault, Plan};
use switch_hsm::{CallError, HsmClient};

use super::rig::{DEADLINE, ask, client, connections, settings, soon, unit, until_good};

/// The command that the faults strike.
const STATUS: [u8; 2] = *b"NO";

/// All but those after which the answer is good all the same.
const FAULTS: [Fault; 12] = [
    Fault::Hang,
    Fault::Half,
    Fault::WrongHeader,
    Fault::HeaderOfNext,
    Fault::WrongLetters,
    Fault::Code(*b"15"),
    Fault::Code(*b"68"),
    Fault::Code(*b"13"),
    Fault::Reset,
    Fault::TooLong,
    Fault::TooShort,
    Fault::Late(Duration::from_millis(1500)),
];

#[tokio::test]
async fn each_fault_ends_in_a_definite_answer_within_the_deadline() {
    for fault in FAULTS {
        let unit = unit().await;
        let client = client(settings(&[&unit])).await;
        unit.fail(Some(Plan::always(fault).to(STATUS)));
        let (answer, took) = ask(&client).await;
        let expected: &[CallError] = match fault {
            Fault::Hang | Fault::Half | Fault::HeaderOfNext | Fault::Late(_) => {
                &[CallError::Deadline]
            }
            Fault::Code(code) if &code == b"15" => {
                let code = switch_hsm::ErrorCode::read(code).expect("a code");
                assert_eq!(answer, Err(CallError::Refused(code)));
                &[CallError::Refused(code)]
            }
            _ => &[CallError::Lost],
        };
        assert!(expected.iter().any(|error| answer == Err(*error)), "{fault:?}: {answer:?}");
        // Real time on a shared machine: ten times the deadline is still no hang.
        assert!(took < DEADLINE * 10, "{fault:?} took {took:?}");
        unit.fail(None);
        until_good(&client).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_late_but_in_time_is_good() {
    let unit = unit().await;
    let client = client(settings(&[&unit])).await;
    for fault in [Fault::Late(Duration::from_millis(20)), Fault::MoreThanAsked] {
        // More than was asked for is no fault of a status: later models say more of themselves.
        unit.fail(Some(Plan::always(fault).to(STATUS)));
        assert_eq!(ask(&client).await.0, Ok(()), "{fault:?}");
    }
}

#[tokio::test]
async fn an_echo_with_more_than_was_sent_is_refused() {
    let unit = unit().await;
    let client = client(settings(&[&unit])).await;
    unit.fail(Some(Plan::always(Fault::MoreThanAsked).to(*b"B2")));
    let answer = soon(client.call(&switch_hsm::commands::Echo([7; 16]))).await;
    assert_eq!(answer, Err(CallError::Lost));
}

/// What can be asked again is asked again: the caller notices nothing.
#[tokio::test]
async fn beside_a_good_unit_a_fault_that_shows_at_once_costs_no_call() {
    for fault in FAULTS {
        let silent =
            matches!(fault, Fault::Hang | Fault::Half | Fault::HeaderOfNext | Fault::Late(_));
        if silent || fault == Fault::Code(*b"15") {
            continue; // only time shows the one; the other is the command's own fault
        }
        let (bad, good) = (unit().await, unit().await);
        let client = client(settings(&[&bad, &good])).await;
        bad.fail(Some(Plan::always(fault).to(STATUS)));
        for _ in 0..20 {
            assert_eq!(ask(&client).await.0, Ok(()), "{fault:?}");
        }
    }
}

/// A unit that says nothing costs the calls that it had, and then gets none.
#[tokio::test]
async fn beside_a_good_unit_a_silent_one_costs_no_more_calls_than_the_breaker_lets() {
    let (bad, good) = (unit().await, unit().await);
    let most = 3;
    let mut settings = settings(&[&bad, &good]);
    settings.breaker_failures = most;
    settings.breaker_open = Duration::from_secs(60);
    let client = client(settings).await;
    bad.fail(Some(Plan::always(Fault::Hang).to(STATUS)));
    // What the good unit is late with on a busy machine is not counted.
    for _ in 0..20 {
        let _ = ask(&client).await;
    }
    let given = bad.tally().commands_of("NO");
    assert!((1..=u64::from(most)).contains(&given), "the silent unit got {given} calls");
    assert!(good.tally().commands_of("NO") >= 17);
}

#[tokio::test]
async fn a_unit_with_another_master_key_is_not_used() {
    let unit = unit().await;
    let mut settings = settings(&[&unit]);
    settings.lmk_check_value = Some([1, 2, 3]);
    let client = HsmClient::start(settings);
    soon(unit.until(|tally| tally.commands_of("NC") >= 3)).await;
    assert_eq!(*client.connections().borrow(), 0);
    assert_eq!(ask(&client).await.0, Err(CallError::NoUnit));
}

#[tokio::test]
async fn a_dead_unit_is_known_at_once_and_comes_back_by_itself() {
    let unit = unit().await;
    let client = client(settings(&[&unit])).await;
    unit.die();
    connections(&client, |up| up == 0).await;
    assert_eq!(ask(&client).await.0, Err(CallError::NoUnit));
    unit.revive().await.expect("the port is free again");
    connections(&client, |up| up == 2).await;
    until_good(&client).await;
}

#[tokio::test]
async fn a_client_that_is_dropped_closes_its_connections() {
    let unit = unit().await;
    let client = client(settings(&[&unit])).await;
    assert_eq!(unit.tally().open, 2);
    drop(client);
    soon(unit.until(|tally| tally.open == 0)).await;
}
