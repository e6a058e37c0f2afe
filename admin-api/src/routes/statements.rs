//! The statement of an account (SR-149): what was booked in a span of days. It owns its JSON, which
//! spans are taken, and the form of its cursor.

use axum::Json;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use switch_domain::Timestamp;
use switch_store::{BookedLine, BookedPosition, BookedSpan};
use utoipa::{IntoParams, ToSchema};

use super::Answered;
use super::accounts::{Owner, find};
use super::amounts::Money;
use super::served::{Management, written};
use crate::Problem;
use crate::http::{Cursor, now, page_limit};

/// The most days of a statement.
const DAYS: i32 = 366;

/// Which days, in UTC.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Period {
    /// The first day, `YYYY-MM-DD`.
    #[param(value_type = String, format = Date)]
    from: String,
    /// The last day; today where it is not said. At most 366 days, the first one counted.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<String>,
    /// How many entries at most, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `nextCursor` of the page before, of the same days.
    cursor: Option<String>,
}

/// What was booked at once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntryView {
    /// When it was decided, in UTC.
    #[schema(format = DateTime)]
    at: String,
    /// What it is: `settled`, `balance_credited`, `transfer_sent` and so on.
    kind: String,
    /// Above zero what came, below zero what went.
    amount: Money,
    /// What was in the account after it.
    ledger: Money,
}

/// What was booked to an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatementView {
    /// What was in the account before the first of these entries.
    opening: Money,
    /// What was booked, the oldest first.
    entries: Vec<EntryView>,
    /// What was in it after the last of them.
    closing: Money,
    /// Sent back as `cursor` it gives the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The span of whole days that somebody asks for, of so many at most; where its beginning is not
/// said it has as many.
pub(super) fn span(
    from: Option<&str>,
    to: Option<&str>,
    most: i32,
) -> Result<(Timestamp, Timestamp), Problem> {
    let day = |name: &str, text: &str| {
        let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
        date.ok_or_else(|| Problem::field(name, "a day as YYYY-MM-DD"))
    };
    let to = match to {
        Some(to) => day("to", to)?,
        None => today()?,
    };
    let from = match from {
        Some(from) => day("from", from)?,
        None => to.saturating_sub(jiff::Span::new().days(most.saturating_sub(1))),
    };
    let days = (to - from).get_days();
    if !(0..most).contains(&days) {
        return Err(Problem::field("to", format!("{most} days at most, and none before `from`")));
    }
    let behind = to.tomorrow().map_err(|_| Problem::field("to", "a day of this age"))?;
    Ok((begin(from)?, begin(behind)?))
}

fn begin(day: Date) -> Result<Timestamp, Problem> {
    let zoned = day.to_zoned(TimeZone::UTC);
    let zoned = zoned.map_err(|_| Problem::field("from", "a day of this age"))?;
    Ok(Timestamp(zoned.timestamp().as_microsecond()))
}

fn today() -> Result<Date, Problem> {
    let now = jiff::Timestamp::from_microsecond(now().0);
    let now = now.map_err(|error| Problem::internal("reading the clock", &error))?;
    Ok(now.to_zoned(TimeZone::UTC).date())
}

/// A page of a statement.
pub(super) async fn stated(
    this: &Management,
    owner: Owner,
    balance: &str,
    period: &Period,
) -> Answered<Json<StatementView>> {
    let balance = find(this, owner, balance).await?.balance;
    let (from, to) = span(Some(&period.from), period.to.as_deref(), DAYS)?;
    let after = match &period.cursor {
        None => BookedPosition::before(from),
        Some(cursor) => position(cursor, (from, to))?,
    };
    let most = page_limit(period.limit)?;
    let booked = this.services.booked(balance.id, BookedSpan { after, to }, most).await?;
    let money = |amount| Money::of(amount, balance.currency);
    let entry = |line: &BookedLine| EntryView {
        at: written(line.position.at),
        kind: line.kind.clone(),
        amount: money(line.amount),
        ledger: money(line.after),
    };
    let closing = booked.lines.last().map_or(booked.opening, |line| line.after);
    let last = booked.lines.last().filter(|_| booked.more).map(|line| line.position);
    Ok(Json(StatementView {
        opening: money(booked.opening),
        entries: booked.lines.iter().map(entry).collect(),
        closing: money(closing),
        next_cursor: last.map(cursor),
    }))
}

fn cursor(at: BookedPosition) -> String {
    Cursor((at.at.0, at.shard, at.seq, at.record)).text()
}

fn position(text: &str, (from, to): (Timestamp, Timestamp)) -> Result<BookedPosition, Problem> {
    let Cursor((at, shard, seq, record)) = Cursor::<(i64, i32, i64, i32)>::read(text)?;
    let position = BookedPosition { at: Timestamp(at), shard, seq, record };
    if position.at < from || position.at >= to {
        return Err(Problem::field("cursor", "it is of other days"));
    }
    Ok(position)
}
