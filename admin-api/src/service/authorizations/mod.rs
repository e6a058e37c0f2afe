//! What was decided of cards and accounts, and how (SR-149): read from the tables, which follow the
//! journal. It owns how much of that is read at a time and in which time, so that no history,
//! however long, takes the database from others; whose card it is, the routes have found out
//! before.

mod places;
pub mod words;

use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, histogram};
use switch_domain::{AuthorizationId, CardId};
use switch_store::{Decided, DecidedOf, DecidedSpan, Explained, Explaining, Store, StoreError};
use tokio::time::Instant;

use self::places::{Places, Reading};
use crate::Problem;

pub use places::Asker;

/// Describes the metrics of this file to the installed recorder.
pub fn describe() {
    metrics::describe_counter!(
        "cardswitch_history_reads_total",
        "Readings of authorizations over the API, by how they ended: whole, short, late, refused"
    );
    metrics::describe_histogram!(
        "cardswitch_history_read_seconds",
        "How long a reading of authorizations took"
    );
}

/// Limits of reading.
#[derive(Clone, Copy, Debug)]
pub struct HistorySettings {
    /// For one reading.
    pub patience: Duration,
    /// Readings at a time, of all but operators.
    pub at_once: u32,
    /// Events of one authorization.
    pub events: u32,
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self { patience: Duration::from_secs(5), at_once: 4, events: 200 }
    }
}

/// The service. Cloning gives another handle.
#[derive(Clone, Debug)]
pub struct Authorizations {
    store: Store,
    settings: HistorySettings,
    places: Arc<Places>,
}

impl Authorizations {
    /// Over the tables.
    #[must_use]
    pub fn new(store: Store, settings: HistorySettings) -> Self {
        let at_once = usize::try_from(settings.at_once).unwrap_or(usize::MAX);
        Self { store, settings, places: Arc::new(Places::new(at_once)) }
    }

    /// A page of what was decided of a card or an account, the latest first. It may be short, even
    /// empty, where its time was over, and says then where to go on.
    ///
    /// # Errors
    /// `HISTORY_TIMEOUT`: not one day could be read. `OVERLOADED`: too many read, or the same one
    /// does already.
    pub async fn page(
        &self,
        asker: Asker,
        of: DecidedOf,
        span: DecidedSpan,
        most: u32,
    ) -> Result<Decided, Problem> {
        let began = Instant::now();
        let _reading = self.reading(asker)?;
        let read = self.store.decided(of, span, most, self.settings.patience).await;
        let page = read.map_err(failed)?;
        let whole = |page: &Decided| page.next.is_none() || page.lines.len() >= most as usize;
        let ended = match &page {
            Some(page) if whole(page) => "whole",
            Some(_) => "short",
            None => "late",
        };
        note(ended, began);
        page.ok_or_else(late)
    }

    /// One authorization of a card, and all that came of it.
    ///
    /// # Errors
    /// `NOT_FOUND`: the card has none of that name, or its day is kept no longer.
    /// `HISTORY_TIMEOUT`. `OVERLOADED`.
    pub async fn one(
        &self,
        asker: Asker,
        card: CardId,
        name: &str,
    ) -> Result<Box<Explained>, Problem> {
        let none = || Problem::not_found("there is no such authorization");
        let id = name.parse().ok().filter(|id: &i64| *id > 0 && id.to_string() == name);
        let id = AuthorizationId(id.ok_or_else(none)?);
        let began = Instant::now();
        let _reading = self.reading(asker)?;
        let HistorySettings { patience, events, .. } = self.settings;
        let told = self.store.explain_of_card((card, id), events, patience).await;
        let told = told.map_err(failed)?;
        note(if matches!(told, Explaining::Late) { "late" } else { "whole" }, began);
        match told {
            Explaining::Told(one) => Ok(one),
            Explaining::None => Err(none()),
            Explaining::Late => Err(late()),
        }
    }

    fn reading(&self, asker: Asker) -> Result<Reading, Problem> {
        self.places.take(asker).ok_or_else(|| {
            counter!("cardswitch_history_reads_total", "ended" => "refused").increment(1);
            let what = "too many read authorizations just now, or you do already: try again";
            Problem::new("OVERLOADED", what)
        })
    }
}

fn note(ended: &'static str, began: Instant) {
    counter!("cardswitch_history_reads_total", "ended" => ended).increment(1);
    histogram!("cardswitch_history_read_seconds").record(began.elapsed().as_secs_f64());
}

fn late() -> Problem {
    let what = "these authorizations could not be read in time: ask for fewer days, or again later";
    Problem::new("HISTORY_TIMEOUT", what)
}

/// A failure of the store, whose connections may all be in use.
fn failed(error: StoreError) -> Problem {
    match error {
        StoreError::Database { source, .. } => source.into(),
        other => Problem::internal("reading authorizations", &other),
    }
}
