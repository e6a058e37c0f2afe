//! Demo traffic: an open loop of purchases, reversals and repeats over all test cards, each answer
//! checked.

mod check;
mod drive;
mod latency;
mod pace;
mod plan;
mod progress;
mod report;
mod request;
mod table;
mod tally;

pub use drive::{Options, drive};
pub use latency::{Latencies, Latency};
pub use pace::{Schedule, Slot, run_pacer};
pub use progress::Progress;
pub use report::Report;
pub use table::table;
pub use tally::Outcome;
