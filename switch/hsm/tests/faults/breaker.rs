//! The breaker: after failures in a row a unit is left alone, and an echo brings it back.

use std::time::Duration;

use simulators::hsm::{Fault, Plan};
use switch_hsm::CallError;

use super::rig::{ask, client, settings, soon, unit, until_good};

#[tokio::test]
async fn it_opens_after_failures_in_a_row_and_closes_after_a_good_echo() {
    let unit = unit().await;
    let mut settings = settings(&[&unit]);
    settings.breaker_failures = 3;
    settings.breaker_open = Duration::from_millis(150);
    let client = client(settings).await;
    unit.fail(Some(Plan::always(Fault::Code(*b"68")).to(*b"NO")));
    for _ in 0..3 {
        assert_eq!(ask(&client).await.0, Err(CallError::Lost));
    }
    let before = unit.tally().commands_of("NO");
    assert_eq!(ask(&client).await.0, Err(CallError::NoUnit));
    assert_eq!(unit.tally().commands_of("NO"), before, "it is left alone");
    unit.fail(None);
    let echoes = unit.tally().commands_of("B2");
    soon(unit.until(|tally| tally.commands_of("B2") > echoes)).await;
    until_good(&client).await;
}

#[tokio::test]
async fn it_stays_open_while_echoes_fail() {
    let unit = unit().await;
    let mut settings = settings(&[&unit]);
    settings.breaker_failures = 2;
    settings.breaker_open = Duration::from_millis(30);
    settings.connections = 1;
    let client = client(settings).await;
    unit.fail(Some(Plan::always(Fault::Code(*b"13")).to(*b"NO")));
    for _ in 0..2 {
        assert!(ask(&client).await.0.is_err());
    }
    unit.fail(Some(Plan::always(Fault::Code(*b"13")).to(*b"B2")));
    for _ in 0..3 {
        let echoes = unit.tally().commands_of("B2");
        soon(unit.until(|tally| tally.commands_of("B2") > echoes)).await;
        assert_eq!(ask(&client).await.0, Err(CallError::NoUnit));
    }
    unit.fail(None);
    until_good(&client).await;
}

/// Nobody calls, and the unit hangs: the next echo finds out.
#[tokio::test]
async fn an_idle_unit_that_hangs_is_found_out() {
    let unit = unit().await;
    let mut settings = settings(&[&unit]);
    settings.health_interval = Duration::from_millis(50);
    settings.breaker_failures = 1;
    let client = client(settings).await;
    unit.fail(Some(Plan::always(Fault::Hang).to(*b"B2")));
    let connected = unit.tally().connected;
    soon(unit.until(|tally| tally.connected > connected)).await;
    unit.fail(None);
    until_good(&client).await;
}
