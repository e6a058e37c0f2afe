//! What was spent with each card in a month, for the monthly fee that is waived from some amount on
//! (SR-249). It owns how that is summed up: a day after the other, each in one transaction with how
//! far it has come, so that a day counts once however often a run is cut off.

use jiff::civil::Date;
use sqlx::{PgConnection, Row};
use switch_store::PgTimestamp;

use super::Fees;
use super::period::{Period, begin};
use crate::Problem;

/// What was authorized and stands, or more that was cleared, less what was given back. What adds to
/// an earlier authorization stands in the totals of that one.
const ADD: &str = "\
    INSERT INTO fee_spend AS sum (card_id, amount)
    SELECT card_id, sum(greatest(greatest(authorized + incremented - reversed, cleared) - refunded,
        0))::int8
    FROM card_authorization
    WHERE decided_at >= $1 AND decided_at < $2 AND card_id IS NOT NULL AND completes_id IS NULL
    GROUP BY card_id
    ON CONFLICT (card_id) DO UPDATE SET amount = sum.amount + excluded.amount";

const FAR: &str = "\
    SELECT coalesce(spend_until, first_day)::text AS until, spend_until IS NULL AS is_first
    FROM fee_period WHERE event = $1 AND first_day = $2::text::date AND done_at IS NULL FOR UPDATE";

const MOVE: &str = "\
    UPDATE fee_period SET spend_until = $3::text::date
    WHERE event = $1 AND first_day = $2::text::date";

impl Fees {
    /// Sums up the month.
    pub(super) async fn sum_up(&self, month: Period) -> Result<(), Problem> {
        while self.sum_up_a_day(month).await? {}
        Ok(())
    }

    /// The next day; false where there is none left.
    async fn sum_up_a_day(&self, month: Period) -> Result<bool, Problem> {
        let name = month.event.name();
        let mut transaction = self.pool().begin().await?;
        let far = sqlx::query(FAR).bind(&name).bind(month.first.to_string());
        let Some(row) = far.fetch_optional(&mut *transaction).await? else { return Ok(false) };
        let day: Date = row.try_get::<String, _>("until")?.parse().map_err(|_| no_day())?;
        if row.try_get("is_first")? {
            // What another month left behind.
            sqlx::query("DELETE FROM fee_spend").execute(&mut *transaction).await?;
        }
        if day >= month.end {
            return Ok(false);
        }
        let next = day.tomorrow().map_err(|_| no_day())?;
        add(&mut transaction, day, next).await?;
        let moved = sqlx::query(MOVE).bind(&name).bind(month.first.to_string());
        moved.bind(next.to_string()).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

async fn add(connection: &mut PgConnection, day: Date, next: Date) -> Result<(), Problem> {
    let (from, to) = begin(day).zip(begin(next)).ok_or_else(no_day)?;
    sqlx::query(ADD).bind(PgTimestamp(from)).bind(PgTimestamp(to)).execute(connection).await?;
    Ok(())
}

fn no_day() -> Problem {
    Problem::internal("counting days", &"there is no such day")
}
