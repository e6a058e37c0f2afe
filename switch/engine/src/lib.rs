//! Decides. A pure function of its inputs: state, command, pool headroom and the time, which all
//! come from the caller. It owns the order of checks, the matching of repeats and reversals, and
//! which part of a record counts when. It never does I/O, reads a clock, draws a random number,
//! touches an atomic, or knows an ISO 8583 field number. A refusal is a decision, not an error.
//!
//! The cycle, run by `switch-shard` (rule W-14 of the durable core):
//!
//! 1. [`State::decide`] looks and answers, with at most one record; nothing changes.
//! 2. [`State::apply_decided`] applies what restricts: holds, locks, counters, remembered answers.
//! 3. The record is committed to the journal.
//! 4. [`State::apply_committed`] applies what relaxes: releases, credits, unlocks, new cards.
//!
//! Replay runs 2 and 4 for each record and nothing else, so memory follows from records alone.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod advise;
mod authorize;
mod backtest;
mod calendar;
mod checks;
mod command;
mod complete;
mod controls;
mod convert;
mod expire;
mod fees;
mod increment;
mod manage;
mod movements;
mod outcome;
mod partial;
mod reverse;
mod state;
mod transfer;
mod verification;
mod void;

pub use backtest::{Backtest, Hindsight, PastAuthorization, PastChange, days_that_count};
pub use checks::{CHECK_NAMES, check_name, check_order, verifies};
pub use command::{Act, Advise, Authorize, Command, Increment, Manage, Original, Reverse, Terms};
pub use controls::used_now;
pub use manage::ControlLimits;
pub use outcome::{
    AccountAmounts, Answer, Decision, Headroom, HoldEnd, Outcome, PartOf, PoolTake, Refusal,
};
pub use state::{BookFault, Broken, Difference, OpenTransfer, State};
pub use transfer::judge_target;

use switch_domain::Timestamp;

impl State {
    /// Decides one command. Reads the state and changes nothing.
    ///
    /// `now` is at least the time of the last journalled record (W-16). `headroom` tells what a
    /// pool has left at this moment; the caller takes from the pool what the outcome asks for, and
    /// decides again if another shard was faster (W-15).
    #[must_use]
    pub fn decide(&self, command: &Command, headroom: &dyn Headroom, now: Timestamp) -> Outcome {
        let mut outcome = match command {
            Command::Authorize(request) => authorize::decide(self, request, headroom, now),
            Command::Advise(advice) => advise::decide(self, advice, headroom, now),
            Command::Reverse(request) => reverse::decide(self, request, now),
            Command::Void { authorization, reason } => {
                void::decide(self, *authorization, *reason, now)
            }
            Command::Expire(hold) => expire::decide(self, hold, now),
            Command::Manage(manage) => manage::decide(self, manage, headroom, now),
            Command::Receive { transfer, settled_below } => {
                transfer::receive(self, transfer, *settled_below, now)
            }
            Command::Close { transfer, outcome } => transfer::close(self, *transfer, *outcome, now),
        };
        if let Some(record) = &mut outcome.record {
            controls::follow(self, record);
        }
        outcome
    }
}
