//! The table of faults: a row for each kind. It owns names and figures; how a fault is made stands
//! in `run/faults`.

use crate::checker::Unanswered;
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
    /// Each wait for the write-ahead log takes so many milliseconds, for a while.
    SlowDisk { each: (u64, u64), millis: (u64, u64) },
    /// So many waits for the write-ahead log fail.
    FailingDisk { times: u32 },
    /// A bit of a table with money turns over while PostgreSQL is down.
    TurnedBit,
    /// The switch's wall clock jumps by one of these numbers of seconds, and back after a while.
    ClockJumps { seconds: &'static [i64], millis: (u64, u64) },
    /// The switch's wall clock drifts and leaps a second.
    ClockDrifts { millis: (u64, u64) },
    /// The way to PostgreSQL is disturbed so often, or for so long.
    Database { what: Disturbance, times: usize, millis: (u64, u64) },
    /// Frames of the client are tampered with so often.
    Links { trick: Trick, times: usize },
    /// Reversals come before what they reverse.
    ReversalsFirst { millis: (u64, u64) },
    /// The way to PostgreSQL is disturbed, and then the switch is killed.
    KillInOutage { what: Disturbance },
    /// The switch ends at its fail point, by itself; the client does something for it.
    FailPoint { with: Option<Trick> },
    /// The switch is ended, and ends at the fail point when it is started again.
    FailPointAtStart { point: &'static str, after: (u64, u64) },
    /// It ends at a fail point in the middle of its migrations too, on an empty database.
    FailPointInMigration { point: &'static str, after: (u64, u64) },
    /// The keys of card numbers are rotated beside it, and that ends at its fail point.
    FailPointInVault,
    /// It is told to stop, and ends at its fail point while it does.
    FailPointAtStop,
    /// Something panics at the fail point, and the switch goes on or ends.
    Panic { ends: bool },
    /// So many of the others, drawn at random, one after the other.
    Soak { faults: usize },
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
    pub(crate) unanswered: Unanswered,
    pub(crate) put_in: PutIn,
}

/// What the switch is started with besides: it must be built with the feature for it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PutIn {
    Nothing,
    /// A fail point, what it does, and the how manieth time it does it.
    Point {
        point: &'static str,
        action: &'static str,
        after: (u64, u64),
    },
    /// A bug, and the rules, by how their names begin, of which the checker must find one broken.
    Bug {
        bug: &'static str,
        rules: &'static [&'static str],
    },
    /// Nothing at first, but a fail point later.
    PointLater,
}

impl PutIn {
    /// The environment variable that is looked for, which stands in a binary that has the feature.
    pub(crate) const fn variable(&self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Point { .. } | Self::PointLater => Some(FAIL_POINT),
            Self::Bug { .. } => Some(DELIBERATE_BUG),
        }
    }
}

/// Names a fail point.
pub(crate) const FAIL_POINT: &str = "CARDSWITCH_FAIL_POINT";
/// Names a bug.
const DELIBERATE_BUG: &str = "CARDSWITCH_DELIBERATE_BUG";

impl Kind {
    /// Whether the switch's wall clock is set.
    pub(crate) const fn sets_the_clock(&self) -> bool {
        matches!(self.fault, Fault::ClockJumps { .. } | Fault::ClockDrifts { .. })
    }

    /// Whether something must be preloaded into PostgreSQL or the switch.
    pub(crate) const fn needs_the_shim(&self) -> bool {
        let disk = matches!(self.fault, Fault::SlowDisk { .. } | Fault::FailingDisk { .. });
        disk || self.sets_the_clock()
    }

    /// What the switch is started with besides.
    pub(crate) fn environment(&self, seed: u64) -> Vec<(String, String)> {
        match self.put_in {
            PutIn::Nothing | PutIn::PointLater => Vec::new(),
            PutIn::Point { point, action, after: (low, high) } => {
                let after = low + seed % (high - low + 1);
                vec![(FAIL_POINT.into(), format!("{point}:{action}:after={after}"))]
            }
            PutIn::Bug { bug, .. } => vec![(DELIBERATE_BUG.into(), bug.into())],
        }
    }

    /// Rules of which one must be found broken, where a bug was put in.
    pub(crate) const fn must_break(&self) -> Option<&'static [&'static str]> {
        match self.put_in {
            PutIn::Bug { rules, .. } => Some(rules),
            _ => None,
        }
    }
}

/// Of the switch's process.
const fn process(name: &'static str, survival: Survival, fault: Fault) -> Kind {
    Kind { name, fault, survival, unanswered: Unanswered::Any, put_in: PutIn::Nothing }
}

/// Of PostgreSQL, or of the way there: survived without a restart of the switch.
const fn database(name: &'static str, fault: Fault) -> Kind {
    process(name, Survival::Survives, fault)
}

/// Of the way to the database.
const fn way(name: &'static str, what: Disturbance, times: usize, millis: (u64, u64)) -> Kind {
    database(name, Fault::Database { what, times, millis })
}

/// Of the links: every whole request on a living link is answered all the same.
const fn link(name: &'static str, trick: Trick, times: usize) -> Kind {
    let fault = Fault::Links { trick, times };
    Kind { unanswered: Unanswered::None, ..database(name, fault) }
}

/// Every kind, in the order of the report.
pub(crate) fn all() -> Vec<Kind> {
    use Survival::{Ends, Survives};
    let mut kinds = vec![
        process("switch-kill", Ends, Fault::KillSwitch),
        process("outage-and-kill", Ends, Fault::KillInOutage { what: Disturbance::BlackHole }),
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
    kinds.extend(lies());
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
            unanswered: Unanswered::None,
            ..database("reversals-first", Fault::ReversalsFirst { millis: (300, 600) })
        },
        link("glued-frames", Trick::Glued { count: 12 }, 12),
        link("garbage-frame", Trick::Garbage { length: 90 }, 12),
        link("hostile-length", Trick::HostileLength, 6),
    ]);
    kinds.extend(fail_points());
    kinds.push(database("soak", Fault::Soak { faults: 2 }));
    kinds.extend(bugs());
    kinds
}

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Disks and clocks that do not do what they should. A clock that jumps costs approvals, and never
/// an answer: deadlines go by another.
fn lies() -> [Kind; 6] {
    let clock = |name, fault| Kind { unanswered: Unanswered::None, ..database(name, fault) };
    let jumps = |seconds| Fault::ClockJumps { seconds, millis: (200, 1_000) };
    let slow = Fault::SlowDisk { each: (100, 2_000), millis: (2_000, 4_000) };
    [
        database("fsync-slow", slow),
        database("fsync-fails", Fault::FailingDisk { times: 2 }),
        process("bit-turned", Survival::Ends, Fault::TurnedBit),
        clock("clock-ahead", jumps(&[HOUR, DAY])),
        clock("clock-behind", jumps(&[-HOUR, -DAY])),
        clock("clock-drifts", Fault::ClockDrifts { millis: (800, 1_600) }),
    ]
}

/// It ends at a fail point that load reaches.
const fn point(name: &'static str, point: &'static str, after: (u64, u64)) -> Kind {
    let put_in = PutIn::Point { point, action: "abort", after };
    Kind { put_in, ..process(name, Survival::Ends, Fault::FailPoint { with: None }) }
}

/// The kill points of the fault matrix. Counts are such that enough was approved before.
fn fail_points() -> Vec<Kind> {
    let later =
        |name, fault| Kind { put_in: PutIn::PointLater, ..process(name, Survival::Ends, fault) };
    let stop = |name, point| Kind {
        put_in: PutIn::Point { point, action: "stop", after: (40, 90) },
        ..process(name, Survival::Ends, Fault::PausedOwner { at: Some(point) })
    };
    let panic = |name, point, unanswered| Kind {
        put_in: PutIn::Point { point, action: "panic", after: (450, 900) },
        unanswered,
        ..database(name, Fault::Panic { ends: false })
    };
    vec![
        Kind {
            fault: Fault::FailPoint { with: Some(Trick::Trickle) },
            ..point("K1-frame-incomplete", "K1", (60, 600))
        },
        point("K2-frame-parsed", "K2", (450, 900)),
        point("K3-repeat-answered", "K3", (30, 80)),
        point("K4-applied", "K4", (450, 900)),
        point("K5-queued", "K5", (450, 900)),
        point("K6-append-sent", "K6", (30, 80)),
        point("K7-row-sent", "K7", (30, 80)),
        point("K8-append-unanswered", "K8", (30, 80)),
        point("K9-committed", "K9", (30, 80)),
        point("K10-reply-half-written", "K10", (120, 300)),
        point("K11-reply-written", "K11", (120, 300)),
        later("K12-start-up", Fault::FailPointAtStart { point: "K12", after: (1, 3) }),
        Kind {
            put_in: PutIn::Point { point: "K13", action: "abort", after: (1, 1) },
            ..process("K13-drain", Survival::Ends, Fault::FailPointAtStop)
        },
        later("K14-migration", Fault::FailPointInMigration { point: "K14", after: (1, 5) }),
        Kind {
            put_in: PutIn::PointLater,
            ..process("K19-vault-rotation", Survival::Survives, Fault::FailPointInVault)
        },
        stop("paused-owner-at-K7", "K7"),
        stop("paused-owner-at-K8", "K8"),
        panic("panic-reading", "K2", Unanswered::None),
        panic("panic-deciding", "Deciding", Unanswered::One),
        Kind {
            fault: Fault::Panic { ends: true },
            survival: Survival::Ends,
            ..panic("panic-applying", "Applying", Unanswered::Any)
        },
    ]
}

/// Bugs, each with a fault that brings it to light. What counts is that the checker finds them.
fn bugs() -> Vec<Kind> {
    use Survival::{Ends, Survives};
    let bug = |name, bug, rules, survival, fault| Kind {
        put_in: PutIn::Bug { bug, rules },
        ..process(name, survival, fault)
    };
    let stop = Fault::TerminateSwitch;
    let outage = Fault::KillInOutage { what: Disturbance::CutBeforeAppend };
    let pause = Fault::PausedOwner { at: None };
    let hole =
        Fault::Database { what: Disturbance::BlackHole, times: usize::MAX, millis: (2_200, 2_800) };
    vec![
        bug("bug-answer-before-commit", "answer-before-commit", &["I1 "], Ends, outage),
        bug("bug-fence-off", "fence-off", &["I9 fenced process approved"], Ends, pause),
        bug("bug-void-forgotten", "void-forgotten", &["I10 "], Survives, hole),
        bug("bug-repeat-applied-twice", "repeat-applied-twice", &["I2 "], Ends, stop),
        bug("bug-reversal-released-twice", "reversal-released-twice", &["I7 "], Ends, stop),
        bug("bug-projector-skips-row", "projector-skips-row", &["I1 ", "I6 "], Ends, stop),
    ]
}
