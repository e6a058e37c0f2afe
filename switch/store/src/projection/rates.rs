//! Exchange rates in their table: the one in force of each pair of currencies.

use sqlx::PgConnection;
use switch_domain::ExchangeRate;

use super::chunk::{Change, Chunk};
use super::columns::currency;
use super::entities::expect_rows;
use crate::pg_timestamp::PgTimestamp;

const RATES: &str = "\
    INSERT INTO exchange_rate AS old (from_currency, to_currency, shard, rate, source, at,
        as_of_seq)
    SELECT from_currency, to_currency, $1, rate::numeric, source, at, seq
    FROM UNNEST($2::int2[], $3::int2[], $4::text[], $5::text[], $6::timestamptz[], $7::int8[])
        AS new (from_currency, to_currency, rate, source, at, seq)
    ON CONFLICT (from_currency, to_currency) DO UPDATE SET rate = excluded.rate,
        source = excluded.source, at = excluded.at, as_of_seq = excluded.as_of_seq
    WHERE old.as_of_seq < excluded.as_of_seq";

const NO_RATES: &str = "\
    DELETE FROM exchange_rate AS old
    USING UNNEST($1::int2[], $2::int2[]) AS gone (from_currency, to_currency)
    WHERE old.from_currency = gone.from_currency AND old.to_currency = gone.to_currency";

pub(super) async fn write(tx: &mut PgConnection, chunk: &Chunk) -> Result<(), sqlx::Error> {
    let known = |change: &Change<Option<ExchangeRate>>| change.what.map(|rate| (rate, change.seq));
    let rows: Vec<_> = chunk.rates.values().filter_map(known).collect();
    if !rows.is_empty() {
        let done = sqlx::query(RATES)
            .bind(i32::from(chunk.shard.0))
            .bind(rows.iter().map(|(one, _)| currency(one.from)).collect::<Vec<_>>())
            .bind(rows.iter().map(|(one, _)| currency(one.to)).collect::<Vec<_>>())
            .bind(rows.iter().map(|(one, _)| one.rate.to_string()).collect::<Vec<_>>())
            .bind(rows.iter().map(|(one, _)| one.source.to_string()).collect::<Vec<_>>())
            .bind(rows.iter().map(|(one, _)| PgTimestamp(one.at)).collect::<Vec<_>>())
            .bind(rows.iter().map(|(_, seq)| *seq).collect::<Vec<_>>())
            .execute(&mut *tx)
            .await?;
        expect_rows("exchange_rate", rows.len(), done.rows_affected());
    }
    let gone = chunk.rates.iter().filter(|(_, change)| change.what.is_none());
    let (from, to): (Vec<_>, Vec<_>) =
        gone.map(|((from, to), _)| (currency(*from), currency(*to))).unzip();
    if !from.is_empty() {
        sqlx::query(NO_RATES).bind(from).bind(to).execute(tx).await?;
    }
    Ok(())
}
