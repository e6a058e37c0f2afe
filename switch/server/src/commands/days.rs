//! Days as commands are told of them, UTC, and moments as they are printed.

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp as Moment;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use switch_domain::Timestamp;
use switch_store::Span;

/// A span of days, UTC.
#[derive(Clone, Debug, Args)]
pub struct Days {
    /// The first day, as 2026-11-26, UTC [default: a week ago]
    #[arg(long)]
    from: Option<Date>,
    /// The last day [default: today]
    #[arg(long)]
    to: Option<Date>,
    /// At most so many lines
    #[arg(long, default_value_t = 1_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) most: u32,
}

const USUAL_DAYS: i64 = 7;

impl Days {
    /// From the first moment of the first day to that of the day after the last.
    pub(super) fn span(&self) -> anyhow::Result<Span> {
        let today = Moment::now().to_zoned(TimeZone::UTC).date();
        let days = |count: i64| jiff::Span::new().days(count);
        let to = self.to.unwrap_or(today);
        let from = match self.from {
            Some(from) => from,
            None => to.checked_sub(days(USUAL_DAYS)).context("--to has no week before it")?,
        };
        if from > to {
            bail!("--from {from} is after --to {to}: give the earlier day first");
        }
        let after = to.tomorrow().with_context(|| format!("--to {to} has no day after it"))?;
        Ok(Span { from: first_moment(from)?, to: first_moment(after)? })
    }
}

fn first_moment(day: Date) -> anyhow::Result<Timestamp> {
    let zoned = day.to_zoned(TimeZone::UTC).with_context(|| format!("{day} has no beginning"))?;
    Ok(Timestamp(zoned.timestamp().as_microsecond()))
}

/// A moment as people write it, UTC.
pub(super) fn at(moment: Timestamp) -> String {
    Moment::from_microsecond(moment.0).map_or_else(|_| moment.0.to_string(), |at| at.to_string())
}
