//! What is old goes, a few at a time, behind the listeners of the management API: answers that were
//! kept, sessions and codes that are over, rates that nobody uses. It owns how often.

use std::sync::Arc;
use std::time::Duration;

use admin_api::http::Rates;
use admin_api::{Answers, Problem, Users};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::clock::now;

const EVERY: Duration = Duration::from_secs(60);
/// Answers that are forgotten in one statement, and statements of one round.
const AT_A_TIME: u32 = 1_000;
const ROUNDS: u32 = 100;

/// What may be old.
pub(super) struct Old {
    pub(super) answers: Answers,
    /// For how long answers are kept.
    pub(super) keep: Duration,
    pub(super) rates: Arc<Rates>,
    pub(super) users: Users,
}

/// Goes on until stopped.
pub(super) async fn upkeep(old: Old, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        old.rates.shrink();
        for _ in 0..ROUNDS {
            let gone = old.answers.forget(old.keep, AT_A_TIME).await;
            if !is_more("answers", gone.map(|gone| gone == u64::from(AT_A_TIME))) {
                break;
            }
        }
        for _ in 0..ROUNDS {
            let gone = old.users.remove_what_is_over(now()).await;
            if !is_more("sessions", gone.map(|gone| gone.is_more())) {
                break;
            }
        }
    }
}

/// Whether there is more of it now; where it failed there is a next round.
fn is_more(what: &str, more: Result<bool, Problem>) -> bool {
    more.unwrap_or_else(|problem| {
        tracing::warn!(%problem, "old {what} cannot be removed; tried again");
        false
    })
}
