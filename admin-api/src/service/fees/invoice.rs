//! The invoice of a month (issue 10): what a partner's customers were charged, and what the partner
//! pays, by programme, kind and way of taking it. It owns the sums, which are of the same rows that
//! accounts are shown, in one statement and so of one moment.

use jiff::civil::Date;
use sqlx::Row;
use sqlx::postgres::PgRow;
use switch_domain::{Amount, MinorUnits, PartnerId, ProgrammeId, Taken, Timestamp};
use switch_store::PgTimestamp;

use super::Fees;
use super::charged::{currency_of, taken_of};
use super::period::{begin, day_of};
use crate::Problem;

/// An account that the tables do not have yet has no programme for a moment; it is given as zero.
const SUMS: &str = "\
    SELECT coalesce(b.programme_id, 0) AS programme, f.event, f.taken, f.currency,
        count(*) FILTER (WHERE f.amount > 0) AS charged,
        count(*) FILTER (WHERE f.amount < 0) AS given_back, sum(f.amount)::int8 AS amount
    FROM fees_charged AS f LEFT JOIN balance AS b ON b.id = f.balance_id
    WHERE f.partner_id = $1 AND f.at >= $2 AND f.at < $3
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 4, 3, 2";

/// A month, by its name as `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvoiceMonth {
    first: Date,
}

impl InvoiceMonth {
    /// From its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let first: Date = format!("{name}-01").parse().ok()?;
        let month = Self { first };
        (month.name() == name).then_some(month)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> String {
        format!("{:04}-{:02}", self.first.year(), self.first.month())
    }

    /// From its beginning to its end.
    fn span(self) -> Option<(Timestamp, Timestamp)> {
        let end = self.first.checked_add(jiff::Span::new().months(1)).ok()?;
        begin(self.first).zip(begin(end))
    }

    /// Whether it has an end yet.
    fn is_over(self, now: Timestamp) -> bool {
        self.span().is_some_and(|(_, end)| end <= now)
    }
}

/// Fees of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceLine {
    /// Of which programme.
    pub programme: ProgrammeId,
    /// Its name.
    pub programme_name: String,
    /// What for, as fees are named.
    pub event: String,
    /// How they were taken.
    pub taken: Taken,
    /// How many were charged,
    pub charged: i64,
    /// and how many given back.
    pub given_back: i64,
    /// What they come to.
    pub amount: Amount,
}

/// An invoice.
#[derive(Clone, Debug)]
pub struct Invoice {
    /// Whose.
    pub partner: PartnerId,
    /// Its name.
    pub partner_name: String,
    /// Of which month.
    pub month: InvoiceMonth,
    /// Whether the month is over; where not, there will be more.
    pub is_whole: bool,
    /// When it was made.
    pub made: Timestamp,
    /// In the order of programmes, currencies, ways of taking and kinds.
    pub lines: Vec<InvoiceLine>,
}

impl Invoice {
    /// What all lines come to that were taken so, by currency, in the order of their codes.
    #[must_use]
    pub fn totals(&self, taken: Taken) -> Vec<Amount> {
        let mut totals: Vec<Amount> = Vec::new();
        for line in self.lines.iter().filter(|line| line.taken == taken) {
            let Amount { minor, currency } = line.amount;
            match totals.iter_mut().find(|total| total.currency == currency) {
                Some(total) => total.minor = MinorUnits(total.minor.0.saturating_add(minor.0)),
                None => totals.push(line.amount),
            }
        }
        totals.sort_by_key(|total| total.currency.alphabetic());
        totals
    }
}

impl Fees {
    /// The invoice of a partner for a month; of one that is not over what there is so far.
    ///
    /// # Errors
    /// `NOT_FOUND`: the partner, or a month that has not begun. The database.
    pub async fn invoice(
        &self,
        partner: PartnerId,
        month: InvoiceMonth,
        now: Timestamp,
    ) -> Result<Invoice, Problem> {
        let control = self.services.node.control();
        let found = control.partners.get(&partner).map(|one| one.name.to_string());
        drop(control);
        let partner_name = found.ok_or_else(|| Problem::not_found("there is no such partner"))?;
        let none = || Problem::not_found("the month has not begun");
        let (from, to) = month.span().ok_or_else(none)?;
        if day_of(now).is_none_or(|today| today < month.first) {
            return Err(none());
        }
        let rows = sqlx::query(SUMS).bind(partner.0).bind(PgTimestamp(from));
        let rows = rows.bind(PgTimestamp(to)).fetch_all(self.pool()).await?;
        let lines = rows.iter().map(|row| self.line(row)).collect::<Result<_, _>>()?;
        let is_whole = month.is_over(now);
        Ok(Invoice { partner, partner_name, month, is_whole, made: now, lines })
    }

    fn line(&self, row: &PgRow) -> Result<InvoiceLine, Problem> {
        let programme = ProgrammeId(row.try_get("programme")?);
        let control = self.services.node.control();
        let name = control.programmes.get(&programme).map(|one| one.name.to_string());
        Ok(InvoiceLine {
            programme,
            programme_name: name.unwrap_or_default(),
            event: row.try_get("event")?,
            taken: taken_of(&row.try_get::<String, _>("taken")?)?,
            charged: row.try_get("charged")?,
            given_back: row.try_get("given_back")?,
            amount: Amount {
                minor: MinorUnits(row.try_get("amount")?),
                currency: currency_of(row.try_get("currency")?)?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::InvoiceMonth;

    #[test]
    fn a_month_has_one_name() {
        for good in ["2026-11", "2026-01", "2028-02"] {
            assert_eq!(InvoiceMonth::named(good).map(InvoiceMonth::name).as_deref(), Some(good));
        }
        for bad in ["2026-13", "2026-1", "2026-00", "26-11", "2026-11-01", "", "202611", "x"] {
            assert_eq!(InvoiceMonth::named(bad), None, "{bad}");
        }
    }
}
