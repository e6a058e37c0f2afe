//! Whether the tables say of decisions what the journal does: what decided, what each check said,
//! which controls did. Memory keeps none of that, so that no comparison of states finds it. It owns
//! the wording of what differs, and repairs nothing.

use std::collections::BTreeMap;

use sqlx::Row;
use switch_domain::{Authorized, Event, Record};

use crate::error::StoreError;
use crate::format::{evidence_words, trace_numbers};
use crate::pg_timestamp::PgTimestamp;
use crate::store::Store;

/// What is kept of one decision: trace, the control that declined, those in shadow, what was found
/// out about card and holder.
type Kept = (Option<Vec<i64>>, Option<i64>, Option<Vec<i64>>, Option<String>);

const KEPT: &str = "
    SELECT id, trace, declined_by, would_decline, evidence
    FROM card_authorization JOIN UNNEST($1::int8[], $2::timestamptz[]) AS said (name, at)
        ON id = name AND decided_at = at";

const DOING: &str = "comparing decisions with the journal";

impl Store {
    /// Where the rows of the authorizations among these records, which the tables have, say
    /// something else of how they were decided. Those of days that are kept no longer say nothing.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn decisions_differ(&self, records: &[Record]) -> Result<Vec<String>, StoreError> {
        let made = records.iter().filter_map(|record| match &record.event {
            Event::Authorized(made) => Some((made.id.0, (PgTimestamp(record.at), kept(made)))),
            _ => None,
        });
        let journal: BTreeMap<i64, (PgTimestamp, Kept)> = made.collect();
        if journal.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(KEPT)
            .bind(journal.keys().copied().collect::<Vec<_>>())
            .bind(journal.values().map(|(at, _)| *at).collect::<Vec<_>>())
            .fetch_all(self.pool())
            .await
            .map_err(StoreError::database(DOING))?;
        let mut differ = Vec::new();
        for row in &rows {
            let read = || -> Result<(i64, Kept), sqlx::Error> {
                let said = (
                    row.try_get("trace")?,
                    row.try_get("declined_by")?,
                    row.try_get("would_decline")?,
                    row.try_get("evidence")?,
                );
                Ok((row.try_get("id")?, said))
            };
            let (id, tables) = read().map_err(StoreError::database(DOING))?;
            let Some((_, journal)) = journal.get(&id) else { continue };
            if *journal != tables {
                differ.push(format!(
                    "how authorization {id} was decided: {journal:?} in the journal, {tables:?} in \
                     card_authorization"
                ));
            }
        }
        Ok(differ)
    }
}

fn kept(made: &Authorized) -> Kept {
    let findings = made.findings.as_deref();
    let would = findings.map(|found| found.would_decline.iter().map(|id| id.0).collect::<Vec<_>>());
    (
        made.trace.as_deref().map(trace_numbers),
        findings.and_then(|found| found.declined_by).map(|id| id.0),
        would.filter(|would| !would.is_empty()),
        made.evidence.as_deref().map(evidence_words),
    )
}
