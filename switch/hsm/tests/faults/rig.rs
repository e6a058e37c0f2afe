//! Units, a client, and a command to ask with. It owns the patience of the tests.

use std::future::Future;
use std::time::{Duration, Instant};

use simulators::hsm::{HsmUnit, Settings as UnitSettings};
use switch_hsm::commands::Status;
use switch_hsm::{CallError, HsmClient, Settings};

/// The deadline of calls here.
pub(crate) const DEADLINE: Duration = Duration::from_millis(250);
/// For what takes no time but on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A unit on a free port.
pub(crate) async fn unit() -> HsmUnit {
    let address = ([127, 0, 0, 1], 0).into();
    HsmUnit::listen(address, UnitSettings { lmk: Some([0x5A; 32]), ..UnitSettings::default() })
        .await
        .expect("a port")
}

/// Settings of a client of these.
pub(crate) fn settings(units: &[&HsmUnit]) -> Settings {
    Settings {
        deadline: DEADLINE,
        first_wait: Duration::from_millis(10),
        longest_wait: Duration::from_millis(50),
        breaker_open: Duration::from_millis(100),
        health_interval: Duration::from_secs(60),
        lmk_check_value: units.first().map(|unit| check_value(unit)),
        ..Settings::new(units.iter().map(|unit| unit.address().to_string()))
    }
}

/// Of the local master key of a unit.
fn check_value(unit: &HsmUnit) -> [u8; 3] {
    let bytes = hex::decode(unit.check_value()).expect("hexadecimal digits");
    bytes.try_into().expect("three bytes")
}

/// A client all of whose connections are there.
pub(crate) async fn client(settings: Settings) -> HsmClient {
    let all = settings.units.len() * settings.connections;
    let client = HsmClient::start(settings);
    connections(&client, |up| up == all).await;
    client
}

/// Waits until so many connections can be used.
pub(crate) async fn connections(client: &HsmClient, enough: impl Fn(usize) -> bool) {
    let mut connections = client.connections();
    soon(connections.wait_for(|up| enough(*up))).await.expect("the client lives");
}

/// What should come about soon.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it takes too long")
}

/// Asks for the status: how it ended, and how long it took.
pub(crate) async fn ask(client: &HsmClient) -> (Result<(), CallError>, Duration) {
    let began = Instant::now();
    let answer = soon(client.call(&Status)).await.map(|_| ());
    (answer, began.elapsed())
}

/// Asks until it is answered well.
pub(crate) async fn until_good(client: &HsmClient) {
    soon(async {
        while client.call(&Status).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
