//! Places where tests make a process end, or make it wrong: fail points at the kill points of the
//! fault matrix, and bugs that its checker must catch. Both are features that are off by default
//! and in no release; without them everything here is empty, and so are the places that call it.

/// A place where the process can be made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillPoint {
    /// Bytes of a frame were read, and it is not whole.
    K1,
    /// A frame was read and understood.
    K2,
    /// A repeat is about to be answered.
    K3,
    /// A record was applied in memory.
    K4,
    /// A message waits in the open batch.
    K5,
    /// A row is about to be sent.
    K6,
    /// A row was sent.
    K7,
    /// A row was sent, and PostgreSQL has had time to commit it; its answer was not taken.
    K8,
    /// A row is known to be committed; nothing was answered.
    K9,
    /// Half of what waits to be written to a peer was written.
    K10,
    /// Answers were written; nothing after that was done.
    K11,
    /// Some shards are loaded, and some are not.
    K12,
    /// What was taken is being finished, for a stop.
    K13,
    /// Some migrations are done, and some are not.
    K14,
    /// Records of a clearing file are noted and not submitted, or committed and not noted as such.
    K17,
    /// Rows of the vault are encrypted again and not committed, or committed and nothing after it.
    K19,
    /// A message is being decided.
    Deciding,
    /// A record is being applied in memory.
    Applying,
    /// A transfer's debit is committed, and it was carried nowhere.
    Debited,
}

/// A bug that can be put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Answers leave when the row is sent.
    AnswerBeforeCommit,
    /// A taken key counts as committed, and a lost lock as held.
    FenceOff,
    /// A late approval is declined without a void.
    VoidForgotten,
    /// A repeat is decided as another message.
    RepeatAppliedTwice,
    /// A second reversal gives back once more.
    ReversalReleasedTwice,
    /// A batch is left out of the tables now and then.
    ProjectorSkipsRow,
}

#[cfg(feature = "deliberate-bugs")]
pub use bugs::has;
#[cfg(feature = "fail-points")]
pub use points::{end_at, is_due, reach, sending};

/// Whether a bug was put in.
#[cfg(not(feature = "deliberate-bugs"))]
#[must_use]
#[inline(always)]
pub const fn has(_: Bug) -> bool {
    false
}

/// Ends the process here if it was asked to.
#[cfg(not(feature = "fail-points"))]
#[inline(always)]
pub const fn reach(_: KillPoint) {}

/// Whether the process is to end here, for a place that does something before.
#[cfg(not(feature = "fail-points"))]
#[must_use]
#[inline(always)]
pub const fn is_due(_: KillPoint) -> bool {
    false
}

/// Ends the process: this place is due, and what is done before it was done.
#[cfg(not(feature = "fail-points"))]
#[inline(always)]
pub const fn end_at(_: KillPoint) {}

/// A row on its way: once it was sent, `sent` is reached, and `unanswered` a moment later.
#[cfg(not(feature = "fail-points"))]
#[inline(always)]
pub fn sending<F: Future>(future: F, _: KillPoint, _: KillPoint) -> F {
    future
}

#[cfg(feature = "deliberate-bugs")]
mod bugs {
    use std::sync::OnceLock;

    use super::Bug;

    const VARIABLE: &str = "CARDSWITCH_DELIBERATE_BUG";

    /// Whether a bug was put in.
    #[must_use]
    pub fn has(bug: Bug) -> bool {
        static CHOSEN: OnceLock<Option<Bug>> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            let chosen = std::env::var(VARIABLE).ok()?;
            let bug = match chosen.as_str() {
                "answer-before-commit" => Bug::AnswerBeforeCommit,
                "fence-off" => Bug::FenceOff,
                "void-forgotten" => Bug::VoidForgotten,
                "repeat-applied-twice" => Bug::RepeatAppliedTwice,
                "reversal-released-twice" => Bug::ReversalReleasedTwice,
                "projector-skips-row" => Bug::ProjectorSkipsRow,
                _ => return None,
            };
            eprintln!("deliberate bug: {chosen}");
            Some(bug)
        }) == Some(bug)
    }
}

#[cfg(feature = "fail-points")]
mod points {
    use std::pin::pin;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::task::Poll;
    use std::time::Duration;

    use super::KillPoint;

    /// `K7:abort:after=250`: at the 250th time. `stop` instead of `abort` pauses, as SIGSTOP does;
    /// `panic` panics.
    const VARIABLE: &str = "CARDSWITCH_FAIL_POINT";
    /// PostgreSQL commits a row within this.
    const COMMITTED: Duration = Duration::from_millis(100);

    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Action {
        Abort,
        Stop,
        Panic,
    }

    struct Armed {
        point: String,
        action: Action,
        left: AtomicI64,
    }

    fn armed() -> Option<&'static Armed> {
        static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
        let read = || {
            let text = std::env::var(VARIABLE).ok()?;
            let mut parts = text.split(':');
            let point = parts.next()?.to_owned();
            let action = match parts.next()? {
                "stop" => Action::Stop,
                "panic" => Action::Panic,
                _ => Action::Abort,
            };
            let after = parts.next().and_then(|after| after.strip_prefix("after="));
            let left = after.and_then(|after| after.parse().ok()).unwrap_or(1);
            Some(Armed { point, action, left: AtomicI64::new(left) })
        };
        ARMED.get_or_init(read).as_ref()
    }

    /// Whether the process is to end here, for a place that does something before.
    #[must_use]
    pub fn is_due(point: KillPoint) -> bool {
        let Some(armed) = armed().filter(|armed| armed.point == format!("{point:?}")) else {
            return false;
        };
        armed.left.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Ends the process here if it was asked to.
    pub fn reach(point: KillPoint) {
        if is_due(point) {
            end_at(point);
        }
    }

    /// Ends the process: this place is due, and what is done before it was done.
    pub fn end_at(point: KillPoint) {
        match armed().map_or(Action::Abort, |armed| armed.action) {
            Action::Stop => {
                eprintln!("fail point {point:?}: paused");
                let pid = std::process::id().to_string();
                let _ = std::process::Command::new("kill").args(["-STOP", &pid]).status();
            }
            Action::Panic => std::panic::panic_any(format!("fail point {point:?}")),
            Action::Abort => {
                eprintln!("fail point {point:?}: ended");
                std::process::abort();
            }
        }
    }

    /// A row on its way: once it was sent, `sent` is reached, and `unanswered` a moment later.
    pub async fn sending<F: Future>(
        future: F,
        sent: KillPoint,
        unanswered: KillPoint,
    ) -> F::Output {
        let mut future = pin!(future);
        let first = std::future::poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Ready(None),
        });
        if let Some(output) = first.await {
            return output;
        }
        reach(sent);
        if is_due(unanswered) {
            tokio::time::sleep(COMMITTED).await;
            end_at(unanswered);
        }
        future.await
    }
}
