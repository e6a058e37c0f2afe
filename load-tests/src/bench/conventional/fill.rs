//! The conventional server's data: partners, customers, balances and cards, as many as the switch
//! has. Must leave every card with more money than any bench spends.

use anyhow::Result;
use sqlx::PgConnection;

use super::statements::SCHEMA;
use crate::bench::subject::cards::Population;
use crate::bench::wire::request::EXPIRY;

/// The number of the first card; its last digit is not checked by anybody here.
const FIRST_PAN: u64 = 9_999_900_000_000_000;
/// Balances of one customer, as with the switch.
const BALANCES_OF_A_CUSTOMER: u64 = 100;
/// Of each card and of each deposit, minor units.
const FUNDS: i64 = 100_000_000;
const DEPOSIT: i64 = 1_000_000_000_000;

/// The number of a card. Numbers are evenly spaced, so that pgbench can make them too.
pub(crate) const fn pan(index: u64) -> u64 {
    FIRST_PAN + index * 10
}

/// The seed of [`token`], for pgbench.
pub(crate) const fn token_seed() -> u64 {
    8583
}

/// The hash by which a card is found: pgbench's `hash_fnv1a`, so that its scripts find the same
/// cards. A keyed hash of a card number that deserves the name would cost the server more.
pub(crate) fn token(pan: u64) -> i64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ token_seed();
    let hash = pan
        .to_le_bytes()
        .iter()
        .fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    hash.cast_signed()
}

/// Makes the tables and fills them.
pub(crate) async fn fill(connection: &mut PgConnection, population: Population) -> Result<()> {
    sqlx::raw_sql(SCHEMA).execute(&mut *connection).await?;
    let partners = i32::try_from(population.partners)?;
    let cards = i64::try_from(population.cards)?;
    let customers = cards / i64::try_from(BALANCES_OF_A_CUSTOMER)? + 1;
    sqlx::query("INSERT INTO deposit (id, level) SELECT id, $2 FROM generate_series(0, $1 - 1) id")
        .bind(partners)
        .bind(DEPOSIT)
        .execute(&mut *connection)
        .await?;
    sqlx::query("INSERT INTO customer (id) SELECT generate_series(0, $1)")
        .bind(customers)
        .execute(&mut *connection)
        .await?;
    let balances = "INSERT INTO balance (id, customer_id, currency, ledger) \
        SELECT id, id / $2, 978, $3 FROM generate_series(0, $1 - 1) id";
    sqlx::query(balances)
        .bind(cards)
        .bind(i64::try_from(BALANCES_OF_A_CUSTOMER)?)
        .bind(FUNDS)
        .execute(&mut *connection)
        .await?;
    let tokens: Vec<i64> = (0..population.cards as u64).map(|index| token(pan(index))).collect();
    let issued = "INSERT INTO card (token, id, balance_id, deposit_id, expiry) \
        SELECT token, place - 1, place - 1, (place - 1) / $4 % $2, $3 \
        FROM unnest($1) WITH ORDINALITY AS cards (token, place)";
    sqlx::query(issued)
        .bind(tokens)
        .bind(i64::from(partners))
        .bind(EXPIRY.parse::<i16>()?)
        .bind(i64::try_from(BALANCES_OF_A_CUSTOMER)?)
        .execute(&mut *connection)
        .await?;
    sqlx::raw_sql("VACUUM ANALYZE").execute(connection).await?;
    Ok(())
}
