//! Exchange rates in force, from their table: rows of the control shard.

use sqlx::PgConnection;
use switch_domain::{Currency, ExchangeRate, ShardId};

use super::row::{Named, each};
use crate::error::StoreError;
use crate::pg_timestamp::PgTimestamp;

const RATES: &str = "\
    SELECT from_currency, to_currency, rate::text AS rate, source, at, as_of_seq
    FROM exchange_rate WHERE shard = $1 ORDER BY from_currency, to_currency";

pub(super) async fn rates(
    tx: &mut PgConnection,
    shard: ShardId,
) -> Result<Vec<ExchangeRate>, StoreError> {
    each(tx, sqlx::query(RATES).bind(i32::from(shard.0)), |row| {
        let row = Named::new("exchange_rate", row, "as_of_seq")?;
        let at: PgTimestamp = row.get("at")?;
        let rate: &str = row.get("rate")?;
        Ok(ExchangeRate {
            from: currency(&row, "from_currency")?,
            to: currency(&row, "to_currency")?,
            rate: rate.parse().map_err(|_| row.illegal("rate", rate))?,
            source: row.text("source")?,
            at: at.0,
        })
    })
    .await
}

fn currency(row: &Named<'_>, column: &'static str) -> Result<Currency, StoreError> {
    let code: u16 = row.narrow::<i16, u16>(column)?;
    Currency::from_numeric(code).map_err(|_| row.illegal(column, code))
}
