//! What is old goes, a few at a time, behind the listeners of the management API: answers that were
//! kept, tokens that came, sessions and codes that are over, rates that nobody uses. It owns how
//! often.

use std::sync::Arc;
use std::time::Duration;

use admin_api::http::Rates;
use admin_api::{Answers, OpenedTokens, Problem, Users};
use metrics::counter;
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
    pub(super) tokens: OpenedTokens,
    /// For how long they are known.
    pub(super) tokens_known: Duration,
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
        old.round().await;
    }
}

impl Old {
    /// Everything that is old goes, each kind as far as one round goes.
    async fn round(&self) {
        let all = u64::from(AT_A_TIME);
        for _ in 0..ROUNDS {
            let gone = self.answers.forget(self.keep, AT_A_TIME).await;
            if !is_more("answers", gone.map(|gone| gone == all)) {
                break;
            }
        }
        for _ in 0..ROUNDS {
            let gone = self.tokens.forget(self.tokens_known, AT_A_TIME).await;
            if !is_more("tokens", gone.map(|gone| gone == all)) {
                break;
            }
        }
        for _ in 0..ROUNDS {
            let gone = self.users.remove_what_is_over(now()).await;
            if !is_more("sessions", gone.map(|gone| gone.is_more())) {
                break;
            }
        }
    }
}

/// Whether there is more of it now; where it failed there is a next round.
fn is_more(what: &'static str, more: Result<bool, Problem>) -> bool {
    more.unwrap_or_else(|problem| {
        failed(what, &problem);
        false
    })
}

fn failed(what: &'static str, problem: &Problem) {
    counter!("cardswitch_api_upkeep_errors_total", "what" => what).increment(1);
    tracing::warn!(what, %problem, "upkeep of the management API failed; it is tried again");
}
