//! What was charged to an account, as the shards have it in the tables. It owns pages of that, the
//! latest first.

use sqlx::Row;
use sqlx::postgres::PgRow;
use switch_domain::{Amount, BalanceId, Currency, MinorUnits, Taken, Timestamp};
use switch_store::PgTimestamp;

use super::Fees;
use crate::Problem;

const OF_BALANCE: &str = "\
    SELECT shard, seq, idx, line, at, card_id, event, amount, currency, taken, reference,
        authorization_id
    FROM fees_charged WHERE balance_id = $1 AND ($8 OR taken = 'at_once')
        AND ($2::timestamptz IS NULL OR (at, shard, seq, idx, line) < ($2, $3, $4, $5, $6))
    ORDER BY at DESC, shard DESC, seq DESC, idx DESC, line DESC LIMIT $7";

/// Where a fee stands among those of an account: when, and which line of the journal.
pub type ChargedPage = (i64, i32, i64, i32, i16);

/// A fee that was charged, or given back.
#[derive(Clone, Debug)]
pub struct ChargedFee {
    /// Where it stands.
    pub place: ChargedPage,
    /// When.
    pub at: Timestamp,
    /// The card, where it is of one.
    pub card: Option<i64>,
    /// What for, as fees are named.
    pub event: String,
    /// How much; below zero where it was given back.
    pub amount: Amount,
    /// How.
    pub taken: Taken,
    /// What it was called; nothing for a purchase.
    pub reference: String,
    /// The authorization that it is of.
    pub authorization: Option<i64>,
}

impl Fees {
    /// Fees of an account before this one, the latest first; one more than asked for, where there
    /// are more. What was charged a moment ago may not be there. Those that the partner pays are
    /// told where that is wanted.
    ///
    /// # Errors
    /// The database.
    pub async fn charged_to(
        &self,
        balance: BalanceId,
        behind: Option<ChargedPage>,
        (most, with_invoiced): (u32, bool),
    ) -> Result<Vec<ChargedFee>, Problem> {
        let (at, shard, seq, idx, line) = behind.unwrap_or_default();
        let rows = sqlx::query(OF_BALANCE)
            .bind(balance.0)
            .bind(behind.map(|_| PgTimestamp(Timestamp(at))))
            .bind(shard)
            .bind(seq)
            .bind(idx)
            .bind(line)
            .bind(i64::from(most).saturating_add(1))
            .bind(with_invoiced)
            .fetch_all(self.pool())
            .await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &PgRow) -> Result<ChargedFee, Problem> {
    let at = row.try_get::<PgTimestamp, _>("at")?.0;
    let currency = currency_of(row.try_get("currency")?)?;
    Ok(ChargedFee {
        place: (
            at.0,
            row.try_get("shard")?,
            row.try_get("seq")?,
            row.try_get("idx")?,
            row.try_get("line")?,
        ),
        at,
        card: row.try_get("card_id")?,
        event: row.try_get("event")?,
        amount: Amount { minor: MinorUnits(row.try_get("amount")?), currency },
        taken: taken_of(&row.try_get::<String, _>("taken")?)?,
        reference: row.try_get("reference")?,
        authorization: row.try_get("authorization_id")?,
    })
}

pub(super) fn currency_of(code: i16) -> Result<Currency, Problem> {
    let code = u16::try_from(code).unwrap_or_default();
    let unknown = |error| Problem::internal("reading a fee", &error);
    Currency::from_numeric(code).map_err(unknown)
}

pub(super) fn taken_of(name: &str) -> Result<Taken, Problem> {
    match name {
        "at_once" => Ok(Taken::AtOnce),
        "invoiced" => Ok(Taken::Invoiced),
        _ => Err(Problem::internal("reading a fee", &"a word that nobody wrote")),
    }
}
