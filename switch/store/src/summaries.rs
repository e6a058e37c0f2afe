//! Summaries of the pages of history (migration 58). It owns that they are made a few at a time,
//! behind those who write; who reads by them is `decided` and `explain`.

use crate::error::StoreError;
use crate::store::Store;

const SUMMARIZE: &str = "SELECT done, waiting FROM summarize_history($1)";

/// What became of a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summarized {
    /// Ranges of pages that have a summary now.
    pub done: u64,
    /// Whole ranges that have none yet.
    pub waiting: u64,
}

impl Store {
    /// Makes summaries of the pages of history that were filled since, of at most so many ranges,
    /// the newest days first.
    ///
    /// # Errors
    /// PostgreSQL; a lock that somebody does not let go within two seconds.
    pub async fn summarize_history(&self, most: u32) -> Result<Summarized, StoreError> {
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        let (done, waiting): (i64, i64) = sqlx::query_as(SUMMARIZE)
            .bind(most)
            .fetch_one(self.pool())
            .await
            .map_err(StoreError::database("summarising history"))?;
        let count = |count: i64| u64::try_from(count).unwrap_or(0);
        Ok(Summarized { done: count(done), waiting: count(waiting) })
    }
}
