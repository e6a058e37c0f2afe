//! Reading the audit, a page at a time. It owns the order: the latest first. Whether the chain is
//! whole is `verify`'s affair.

use sqlx::Row;
use sqlx::postgres::{PgPool, PgRow};

use super::chain::entry_of;
use super::entry::Entry;
use crate::Problem;

const PAGE: &str = "\
    SELECT number, (extract(epoch FROM at) * 1000000)::int8 AS at, actor, act, outcome, origin,
        object, request_id, code
    FROM audit_chain
    WHERE number < $1 AND ($2::text IS NULL OR request_id = $2) ORDER BY number DESC LIMIT $3";

/// The records, to be read.
#[derive(Clone, Debug)]
pub struct AuditLog(PgPool);

impl AuditLog {
    /// Of this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Records before this one, the latest first, each with its number; of one request where one is
    /// named.
    ///
    /// # Errors
    /// The database; or a record is none of ours.
    pub async fn page(
        &self,
        before: Option<i64>,
        request: Option<&str>,
        most: u32,
    ) -> Result<Vec<(i64, Entry)>, Problem> {
        let page = sqlx::query(PAGE).bind(before.unwrap_or(i64::MAX)).bind(request);
        let rows = page.bind(i64::from(most)).fetch_all(&self.0).await?;
        let broken = || Problem::internal("reading the audit", &"a record has another form");
        let read = |row: &PgRow| Ok((row.try_get("number")?, entry_of(row)?.ok_or_else(broken)?));
        rows.iter().map(read).collect()
    }
}
