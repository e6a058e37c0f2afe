//! The table of faults: a row for each kind. It owns names and figures; how a fault is made stands
//! in `run/faults`.

use crate::proxy::{Disturbance, Trick};

/// What happens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// `kill -9` of the switch.
    KillSwitch,
    /// SIGSTOP, and SIGCONT after some milliseconds.
    PauseSwitch { millis: (u64, u64) },
    /// SIGTERM under load, and a start.
    TerminateSwitch,
    /// Ended and started again, so often, by turns kindly and not.
    RestartLoop { times: u32 },
    /// Another switch on the same database is refused.
    SecondProcess,
    /// Another switch takes over while the first serves.
    ForcedTakeover,
    /// The owner is paused, taken over, and woken with load waiting; at a fail point or anywhere.
    PausedOwner { at: Option<&'static str> },
    /// `kill -9` of the back end that appends, which restarts all of PostgreSQL.
    KillBackEnd,
    /// `pg_terminate_backend` of the back end that appends.
    TerminateBackEnd,
    /// A signal to the postmaster: KILL, QUIT (`-m immediate`) or INT (`-m fast`); then a start.
    EndPostmaster { signal: &'static str },
    /// SIGSTOP of the postmaster while connections break, so that no new ones are made.
    PausePostmaster { millis: (u64, u64) },
    /// SIGSTOP of all the switch's back ends.
    PauseBackEnds { millis: (u64, u64) },
    /// The connection that holds the ownership lock is ended.
    EndLockConnection,
    /// Another session holds the journal table.
    LockJournal { millis: (u64, u64) },
    /// The volume of PostgreSQL is full for a while.
    FullDisk { millis: (u64, u64) },
    /// The way to PostgreSQL is disturbed so often, or for so long.
    Database { what: Disturbance, times: usize, millis: (u64, u64) },
    /// Frames of the client are tampered with so often.
    Links { trick: Trick, times: usize },
    /// Reversals come before what they reverse.
    ReversalsFirst { millis: (u64, u64) },
}

/// Whether the switch must live on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Survival {
    /// It must: that it is started again would be an operator's act.
    Survives,
    /// It ends, and is started again.
    Ends,
}

/// A row.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) fault: Fault,
    pub(crate) survival: Survival,
    /// PostgreSQL or the process is disturbed: a request may go unanswered while its link lives.
    pub(crate) silence_allowed: bool,
}

impl Kind {
    /// What the switch is started with besides.
    pub(crate) fn environment(&self, _seed: u64) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// Of the switch's process.
const fn process(name: &'static str, survival: Survival, fault: Fault) -> Kind {
    Kind { name, fault, survival, silence_allowed: true }
}

/// Of PostgreSQL, or of the way there: survived without a restart of the switch.
const fn database(name: &'static str, fault: Fault) -> Kind {
    Kind { name, fault, survival: Survival::Survives, silence_allowed: true }
}

/// Of the way to the database.
const fn way(name: &'static str, what: Disturbance, times: usize, millis: (u64, u64)) -> Kind {
    database(name, Fault::Database { what, times, millis })
}

/// Of the links: every whole request on a living link is answered all the same.
const fn link(name: &'static str, trick: Trick, times: usize) -> Kind {
    let fault = Fault::Links { trick, times };
    Kind { name, fault, survival: Survival::Survives, silence_allowed: false }
}

/// Every kind, in the order of the report.
pub(crate) fn all() -> Vec<Kind> {
    use Survival::{Ends, Survives};
    let mut kinds = vec![
        process("switch-kill", Ends, Fault::KillSwitch),
        process("switch-pause", Survives, Fault::PauseSwitch { millis: (300, 1_800) }),
        process("switch-terminate", Ends, Fault::TerminateSwitch),
        process("restart-loop", Ends, Fault::RestartLoop { times: 3 }),
        process("second-process", Survives, Fault::SecondProcess),
        process("forced-takeover", Ends, Fault::ForcedTakeover),
        process("paused-owner", Ends, Fault::PausedOwner { at: None }),
        database("back-end-kill", Fault::KillBackEnd),
        database("back-end-terminate", Fault::TerminateBackEnd),
        database("postmaster-kill", Fault::EndPostmaster { signal: "KILL" }),
        database("postgres-immediate", Fault::EndPostmaster { signal: "QUIT" }),
        database("postgres-fast", Fault::EndPostmaster { signal: "INT" }),
        database("postmaster-pause", Fault::PausePostmaster { millis: (1_000, 3_000) }),
        database("back-ends-pause", Fault::PauseBackEnds { millis: (1_000, 3_000) }),
        database("lock-connection", Fault::EndLockConnection),
        database("journal-locked", Fault::LockJournal { millis: (1_500, 4_000) }),
        database("disk-full", Fault::FullDisk { millis: (500, 2_000) }),
    ];
    kinds.extend([
        way("cut-after-append", Disturbance::CutAfterAppend, 3, (0, 0)),
        way("cut-at-append", Disturbance::CutAtAppend, 3, (0, 0)),
        way("cut-before-append", Disturbance::CutBeforeAppend, 3, (0, 0)),
        way("cut-after-commit", Disturbance::CutAfterCommit, 3, (0, 0)),
        way("answers-delayed", Disturbance::Delay(150), usize::MAX, (1_000, 2_000)),
        way("throttled", Disturbance::Throttle(512), usize::MAX, (1_000, 2_000)),
        way("half-open", Disturbance::BlackHole, usize::MAX, (500, 3_000)),
        way("half-open-long", Disturbance::BlackHole, usize::MAX, (5_200, 6_500)),
        way("reset-towards", Disturbance::ResetAfter { bytes: 0, towards: true }, 2, (0, 0)),
        way("reset-from", Disturbance::ResetAfter { bytes: 0, towards: false }, 2, (0, 0)),
    ]);
    kinds.extend([
        link("half-frames", Trick::HalfThenSilence, 3),
        link("one-byte-at-a-time", Trick::Trickle, 40),
        link("request-resets", Trick::CutRequests { from: 0, reset: true }, 24),
        link("request-ends", Trick::CutRequests { from: 0, reset: false }, 24),
        link("reply-resets", Trick::CutReplies { from: 0 }, 12),
        link("duplicates", Trick::Copies { times: 3, elsewhere: false }, 40),
        link("duplicates-elsewhere", Trick::Copies { times: 4, elsewhere: true }, 40),
        link("late", Trick::Late { millis: 1_700 }, 3),
        link("reordered", Trick::Overtaken { by: 3 }, 40),
        Kind {
            name: "reversals-first",
            fault: Fault::ReversalsFirst { millis: (300, 600) },
            survival: Survives,
            silence_allowed: false,
        },
        link("glued-frames", Trick::Glued { count: 12 }, 12),
        link("garbage-frame", Trick::Garbage { length: 90 }, 12),
        link("hostile-length", Trick::HostileLength, 6),
    ]);
    kinds
}
