//! The closed loop: a fixed number of requests in flight, each answer followed by the next request.
//! It finds the most a switch can do; its latencies say nothing about any other rate, for it waits
//! whenever the switch does.

use std::time::Duration;

use anyhow::Result;
use simulators::acquirer::{Acquirer, NetworkCode};
use tokio::time::{Instant, sleep_until};

use crate::purchases::Purchases;
use crate::result::LoadResult;
use crate::run::Run;

/// How the loop runs.
#[derive(Clone, Copy, Debug)]
pub struct ClosedLoop {
    /// Requests in flight on each connection.
    pub window: u32,
    /// For how long new ones are sent.
    pub time: Duration,
    /// How long a request may go unanswered.
    pub patience: Duration,
}

/// Signs on, fills every connection's window, and keeps it full.
///
/// # Errors
/// When the link cannot be signed on or a request cannot be made; what happens later is counted.
pub async fn closed_loop(
    mut acquirer: Acquirer,
    purchases: Purchases,
    how: ClosedLoop,
) -> Result<LoadResult> {
    acquirer.network_management(NetworkCode::SignOn).await?;
    let end = Instant::now() + how.time;
    let mut run = Run::new(acquirer, purchases, how.patience);
    for _ in 0..how.window.max(1) {
        for connection in 0..run.acquirer.connections() {
            run.send(connection, Instant::now())?;
        }
    }
    loop {
        tokio::select! {
            biased;
            () = sleep_until(end) => break,
            arrival = run.acquirer.next_arrival() => {
                let Some(arrival) = arrival else { break };
                if let Some(connection) = run.take(arrival) {
                    run.send(connection, Instant::now())?;
                }
            }
        }
    }
    Ok(run.settle().await)
}
