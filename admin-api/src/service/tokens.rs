//! Tokens of encrypted requests that were opened, and the call that each came with first (J-05). It
//! owns that a token is part of one call: its sender may send the same request again, and whoever
//! captured it can put it into no other. What a call is, is `http`'s affair.

use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::postgres::PgPool;

use crate::Problem;

/// Digest of a caller, a method and a path.
pub(crate) type Call = [u8; 32];

/// What is there already stays as it is, and is told.
const FIRST: &str = "\
    INSERT INTO opened_token AS known (digest, call) VALUES ($1, $2)
    ON CONFLICT (digest) DO UPDATE SET call = known.call RETURNING call = $2";

/// Of a few at a time: nobody waits for it.
const FORGET: &str = "\
    DELETE FROM opened_token WHERE digest IN (
        SELECT digest FROM opened_token
        WHERE at < clock_timestamp() - $1 * interval '1 second'
        ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)";

/// The tokens that are known.
#[derive(Clone, Debug)]
pub struct OpenedTokens(PgPool);

impl OpenedTokens {
    /// Of this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Whether a token that opens belongs to this call: it came with it first, or comes first now.
    ///
    /// # Errors
    /// The database: then nobody knows, and it is not taken.
    pub(crate) async fn belongs(&self, token: &str, call: &Call) -> Result<bool, Problem> {
        // There is one text of a token: no part of it can be written otherwise.
        let digest = Sha256::digest(token);
        let first = sqlx::query_scalar(FIRST).bind(digest.as_slice()).bind(call.as_slice());
        Ok(first.fetch_one(&self.0).await?)
    }

    /// Forgets tokens that came before this, at most so many. How many there were.
    ///
    /// # Errors
    /// The database.
    pub async fn forget(&self, older_than: Duration, most: u32) -> Result<u64, Problem> {
        let seconds = i64::try_from(older_than.as_secs()).unwrap_or(i64::MAX);
        let done = sqlx::query(FORGET).bind(seconds).bind(i64::from(most));
        Ok(done.execute(&self.0).await?.rows_affected())
    }
}
