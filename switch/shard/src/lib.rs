//! Runs the engine: one thread of control for each shard, with a bounded queue before it and the
//! journal behind it. It owns batches, deadlines, voids, pool grants, the card directory, start and
//! audit. It never decides (that is `switch-engine`), never writes SQL (that is `switch-store`),
//! and sends no answer that moves money before its record is committed.

mod archive;
mod audit;
mod backtest;
mod batch;
mod clock;
mod clock_watch;
mod directory;
#[cfg(feature = "testing")]
mod in_memory;
mod mailbox;
mod manage_error;
mod metrics;
mod node;
mod pools;
mod reshard;
mod running;
mod settings;
#[cfg(feature = "testing")]
mod simulated;
mod start;
mod submission;
mod sweep;
mod worker;

pub use archive::{ArchiveError, ArchiveOptions, ArchivedRange, archive};
pub use audit::{AuditFrom, AuditReport, audit};
pub use backtest::{BacktestError, BacktestOf, BacktestReport, Listed, Sum, backtest};
pub use clock::WallClock;
pub use clock_watch::ClockFault;
pub use directory::{CardEntry, CardReference, Directory};
#[cfg(feature = "testing")]
pub use in_memory::start_in_memory;
pub use manage_error::ManageError;
pub use metrics::describe as describe_metrics;
pub use node::Node;
pub use reshard::{ReshardFailed, ReshardOptions, ReshardReport, reshard};
pub use running::{Fatal, Running, StoppedLate};
pub use settings::ShardSettings;
#[cfg(feature = "testing")]
pub use simulated::{both_states, start_simulated};
pub use start::{StartError, make_room, start};
pub use submission::{Admission, Reply, ReplyOutcome, ReplyTo, Submission};
pub use sweep::{HoldSweep, SweepError, SweepSettings, Swept};
pub use switch_engine::{
    AccountAmounts, Act, Advise, Authorize, CHECK_NAMES, Command, ControlLimits, Decision, HoldEnd,
    Increment, Manage, Original, PartOf, Refusal, Reverse, State, Terms, check_name, check_order,
    used_now, verifies,
};
pub use switch_store::{PROOF_LASTS, ProjectionSettings, TakeoverMode, fault_points};
