//! Letting old records go. It owns nothing of which: a function of the database does, which the
//! ordinary role may call and which keeps a year at least; whoever has that role can remove no
//! more.

use sqlx::postgres::PgPool;
use switch_domain::Timestamp;
use switch_store::PgTimestamp;

use crate::Problem;

/// Lets records from before this moment go, the oldest first and at most so many; how many went.
///
/// # Errors
/// The database; or less than a year would be kept.
pub async fn let_go(pool: &PgPool, before: Timestamp, most: u32) -> Result<u64, Problem> {
    let most = i32::try_from(most).unwrap_or(i32::MAX);
    let going = sqlx::query_scalar::<_, i64>("SELECT let_audit_go($1, $2)");
    let gone = going.bind(PgTimestamp(before)).bind(most).fetch_one(pool).await?;
    let gone = u64::try_from(gone).unwrap_or_default();
    metrics::counter!("cardswitch_audit_let_go_total").increment(gone);
    Ok(gone)
}
