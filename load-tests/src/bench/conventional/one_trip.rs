//! An authorization, or a reversal, in a single round trip: one call of a function in the database.

use sqlx::{PgConnection, Row};

use super::answer::Saying;
use super::request::{Asked, Reversal};
use super::statements::{AUTHORIZE, REVERSE};

/// Decides and commits.
pub(crate) async fn authorize(
    connection: &mut PgConnection,
    asked: &Asked,
    approval: &str,
) -> Result<Saying, sqlx::Error> {
    let row = sqlx::query(AUTHORIZE)
        .bind(asked.token)
        .bind(asked.expiry)
        .bind(asked.amount)
        .bind(asked.currency)
        .bind(asked.stan)
        .bind(&asked.rrn)
        .bind(asked.local_time)
        .bind(&asked.terminal)
        .bind(&asked.acquirer)
        .bind(asked.mcc)
        .bind(asked.entry_mode)
        .bind(&asked.merchant)
        .bind(approval)
        .fetch_one(connection)
        .await?;
    Ok(Saying { code: row.try_get(0)?, approval: row.try_get(1)? })
}

/// Releases what is held, and commits.
pub(crate) async fn reverse(
    connection: &mut PgConnection,
    reversal: &Reversal,
) -> Result<Saying, sqlx::Error> {
    let code: String = sqlx::query_scalar(REVERSE)
        .bind(reversal.token)
        .bind(reversal.stan)
        .bind(&reversal.rrn)
        .bind(&reversal.terminal)
        .bind(&reversal.acquirer)
        .fetch_one(connection)
        .await?;
    Ok(Saying::plain(&code))
}
