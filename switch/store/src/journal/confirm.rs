//! Whether a commit was waited for in full (W-5). With synchronous replication PostgreSQL reports
//! success, and a warning beside it, when the wait for the standby was cancelled; and a row that is
//! found to be ours after an unknown outcome may never have been waited for at all. In both cases
//! a later commit that goes through cleanly tells: a standby that has it has everything before it.
//! It owns that second look, and must never take a warning for good news.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::PgConnection;
use tracing::dispatcher::{self, Dispatch};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::{Appended, JournalRow};

/// Where the driver tells what the server said besides its results.
const NOTICES: &str = "sqlx::postgres::notice";

/// Writes nothing but its own commit, which is waited for like any other.
const BARRIER: &str = "SELECT pg_logical_emit_message(true, 'cardswitch', '')";

/// Listens to what the server says while an attempt runs. The driver hands notices to nobody but
/// the log, so it is there that they are overheard; everything is passed on to the log itself.
#[derive(Debug)]
pub(super) struct Notices {
    warned: Arc<AtomicBool>,
    dispatch: Dispatch,
}

impl Notices {
    /// A listener before the log that is in force.
    pub(super) fn new() -> Self {
        let warned = Arc::new(AtomicBool::new(false));
        let log = dispatcher::get_default(Clone::clone);
        let dispatch = Dispatch::new(Overhear { warned: Arc::clone(&warned), log });
        Self { warned, dispatch }
    }

    /// What an attempt has to run under to be listened to.
    pub(super) fn dispatch(&self) -> Dispatch {
        self.dispatch.clone()
    }

    /// Whether the server has warned since it was asked last. No statement of an append gives
    /// cause for a warning of its own, and the text is in the server's language: any will do.
    pub(super) fn take_warning(&self) -> bool {
        self.warned.swap(false, Ordering::AcqRel)
    }
}

/// Makes sure of a row that is in the journal: commits something later, and looks once more over
/// the same connection, for a later commit on another server says nothing of this row. `None` where
/// nothing is sure yet.
pub(super) async fn confirm(
    connection: &mut PgConnection,
    row: &JournalRow,
    notices: &Notices,
) -> Result<Option<Appended>, sqlx::Error> {
    notices.take_warning();
    metrics::counter!("cardswitch_journal_barriers_total").increment(1);
    sqlx::query(BARRIER).execute(&mut *connection).await?;
    if notices.take_warning() {
        return Ok(None);
    }
    super::append::look(connection, row).await
}

struct Overhear {
    warned: Arc<AtomicBool>,
    log: Dispatch,
}

fn is_warning(metadata: &Metadata<'_>) -> bool {
    metadata.target() == NOTICES && *metadata.level() <= Level::WARN
}

impl Subscriber for Overhear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_warning(metadata) || self.log.enabled(metadata)
    }

    /// What the log wants beyond warnings it says for itself.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn event(&self, event: &Event<'_>) {
        if is_warning(event.metadata()) {
            self.warned.store(true, Ordering::Release);
        }
        if self.log.enabled(event.metadata()) {
            self.log.event(event);
        }
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.log.new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.log.record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.log.record_follows_from(span, follows);
    }

    fn enter(&self, span: &Id) {
        self.log.enter(span);
    }

    fn exit(&self, span: &Id) {
        self.log.exit(span);
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.log.clone_span(span)
    }

    fn try_close(&self, span: Id) -> bool {
        self.log.try_close(span)
    }
}
