//! What spend controls declined in a span of time, and what those in shadow would have: sums by
//! control, by day and by category of merchant. It owns the questions and judges nothing.

use sqlx::postgres::PgRow;
use sqlx::{Connection, Row};
use switch_domain::{ControlId, SpendControl};

use crate::error::StoreError;
use crate::format::decode_control;
use crate::ledger::Span;
use crate::load::row::{Named, each};
use crate::pg_timestamp::PgTimestamp;
use crate::store::{SNAPSHOT, Store};

/// What one control declined, or would have, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlLine {
    /// The control.
    pub control: ControlId,
    /// True where it was in shadow when it said so, and declined nothing.
    pub shadow: bool,
    /// Numeric code.
    pub currency: i16,
    /// Of which day, UTC, and of which category of merchant; of all where neither is there.
    pub part: ReportPart,
    /// How many, and what was asked for with them, in minor units.
    pub all: CountAndAmount,
    /// Those among them that were granted all the same: of a control in shadow what it would have
    /// changed, of one in force the advices.
    pub granted: CountAndAmount,
}

/// Of what a line is the sum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportPart {
    /// The whole span.
    Whole,
    /// A day, UTC.
    Day(String),
    /// A category of merchants.
    Category(u16),
}

/// How many, and how much together, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountAndAmount {
    /// How many.
    pub count: i64,
    /// The sum.
    pub amount: i128,
}

/// A report.
#[derive(Clone, Debug)]
pub struct ControlReport {
    /// Of each control the whole span first, then days, then categories.
    pub lines: Vec<ControlLine>,
    /// True where there are more lines than were asked for.
    pub more: bool,
    /// Every control that is named in a line and still there, and every one in shadow.
    pub controls: Vec<SpendControl>,
}

const DOING: &str = "reading what controls declined";

/// Days before categories before nothing: the whole of each control comes first and is never cut.
const LINES: &str = "
    SELECT control, shadow, currency, day::text AS day, mcc, count(*) AS count,
        sum(requested)::text AS amount, count(*) FILTER (WHERE granted) AS granted_count,
        coalesce(sum(requested) FILTER (WHERE granted), 0)::text AS granted_amount
    FROM (
        SELECT control, shadow, currency, requested, mcc,
            (decided_at AT TIME ZONE 'UTC')::date AS day,
            reason IN ('approved', 'approved_partially')
                OR coalesce(stand_in IN ('agreed', 'forced'), false) AS granted
        FROM (
            SELECT declined_by AS control, false AS shadow, currency, requested::numeric, mcc,
                decided_at, reason, stand_in
            FROM card_authorization
            WHERE declined_by IS NOT NULL AND decided_at >= $1 AND decided_at < $2
            UNION ALL
            SELECT unnest(would_decline), true, currency, requested::numeric, mcc,
                decided_at, reason, stand_in
            FROM card_authorization
            WHERE would_decline IS NOT NULL AND decided_at >= $1 AND decided_at < $2
        ) AS said
        WHERE $3::int8 IS NULL OR control = $3
    ) AS line
    GROUP BY GROUPING SETS ((control, shadow, currency), (control, shadow, currency, day),
        (control, shadow, currency, mcc))
    ORDER BY grouping(day) + grouping(mcc) DESC, control, shadow, currency, grouping(day), day, mcc
    LIMIT $4";

const CONTROLS: &str = "
    SELECT id, terms FROM spend_control
    WHERE id = ANY($1) OR (shadow AND ($2::int8 IS NULL OR id = $2)) ORDER BY id";

impl Store {
    /// What controls declined in a span of time, or would have; of one of them where it is named.
    /// At most so many lines. Goes through those days: there is no index for it.
    ///
    /// # Errors
    /// A control that this version cannot read; PostgreSQL.
    pub async fn control_report(
        &self,
        span: Span,
        control: Option<ControlId>,
        most: u32,
    ) -> Result<ControlReport, StoreError> {
        let database = StoreError::database;
        let mut connection = self.connection().await.map_err(database(DOING))?;
        let mut tx = connection.begin_with(SNAPSHOT).await.map_err(database(DOING))?;
        let rows = sqlx::query(LINES)
            .bind(PgTimestamp(span.from))
            .bind(PgTimestamp(span.to))
            .bind(control.map(|id| id.0))
            .bind(i64::from(most).saturating_add(1))
            .fetch_all(&mut *tx)
            .await
            .map_err(database(DOING))?;
        let lines: Result<Vec<_>, _> = rows.iter().map(line).collect();
        let mut lines = lines.map_err(database(DOING))?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let more = lines.len() > most;
        lines.truncate(most);
        let mut named: Vec<i64> = lines.iter().map(|line| line.control.0).collect();
        named.dedup();
        let query = sqlx::query(CONTROLS).bind(named).bind(control.map(|id| id.0));
        let controls = each(&mut tx, query, |row| {
            let row = Named::new("spend_control", row, "id")?;
            decode_control(row.get("terms")?).map_err(|fault| row.illegal("terms", fault))
        })
        .await?;
        tx.rollback().await.map_err(database(DOING))?;
        lines.sort_by_key(|line| (line.control, line.shadow, line.currency, line.part.clone()));
        Ok(ControlReport { lines, more, controls })
    }
}

fn line(row: &PgRow) -> Result<ControlLine, sqlx::Error> {
    let day: Option<String> = row.try_get("day")?;
    let mcc: Option<i32> = row.try_get("mcc")?;
    let part = match (day, mcc) {
        (Some(day), _) => ReportPart::Day(day),
        (None, Some(mcc)) => ReportPart::Category(u16::try_from(mcc).unwrap_or(u16::MAX)),
        (None, None) => ReportPart::Whole,
    };
    let both = |count, amount| {
        let amount = crate::books::number(row, amount)?;
        Ok::<_, sqlx::Error>(CountAndAmount { count: row.try_get(count)?, amount })
    };
    Ok(ControlLine {
        control: ControlId(row.try_get("control")?),
        shadow: row.try_get("shadow")?,
        currency: row.try_get("currency")?,
        part,
        all: both("count", "amount")?,
        granted: both("granted_count", "granted_amount")?,
    })
}
