//! The periods for which cards are charged (SR-242): days, weeks that begin on Monday, and months,
//! all in UTC. It owns where one begins and ends; nobody is charged here.

use jiff::Span;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use switch_domain::{FeeEvent, Timestamp};

/// What is charged for periods, in the order in which it is.
pub(super) const PERIODIC: [FeeEvent; 4] =
    [FeeEvent::CardDaily, FeeEvent::CardWeekly, FeeEvent::CardMonthly, FeeEvent::CardDormant];

/// A period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    /// What is charged for it.
    pub(super) event: FeeEvent,
    /// Its first day.
    pub(super) first: Date,
    /// The first day behind it.
    pub(super) end: Date,
}

impl Period {
    /// The one that a day is in; none for what is charged for no period, and at the end of time.
    pub(super) fn around(event: FeeEvent, day: Date) -> Option<Self> {
        let (first, span) = match event {
            FeeEvent::CardDaily => (day, Span::new().days(1)),
            FeeEvent::CardWeekly => {
                let since_monday = day.weekday().to_monday_zero_offset();
                let monday = day.checked_sub(Span::new().days(since_monday)).ok()?;
                (monday, Span::new().days(7))
            }
            FeeEvent::CardMonthly | FeeEvent::CardDormant => {
                (day.first_of_month(), Span::new().months(1))
            }
            _ => return None,
        };
        Some(Self { event, first, end: first.checked_add(span).ok()? })
    }

    /// The last one that was over when this day began.
    pub(super) fn over(event: FeeEvent, today: Date) -> Option<Self> {
        let around = Self::around(event, today)?;
        Self::around(event, around.first.yesterday().ok()?)
    }

    /// The one behind it.
    pub(super) fn next(self) -> Option<Self> {
        Self::around(self.event, self.end)
    }

    /// The moment at which it is over.
    pub(super) fn ends(self) -> Option<Timestamp> {
        begin(self.end)
    }

    /// What a fee for it is called: `card_monthly 2026-11-01`.
    pub(super) fn reference(self) -> String {
        format!("{} {}", self.event.name(), self.first)
    }
}

/// When a day begins.
pub(super) fn begin(day: Date) -> Option<Timestamp> {
    let zoned = day.to_zoned(TimeZone::UTC).ok()?;
    Some(Timestamp(zoned.timestamp().as_microsecond()))
}

/// The day of a moment.
pub(super) fn day_of(at: Timestamp) -> Option<Date> {
    let at = jiff::Timestamp::from_microsecond(at.0).ok()?;
    Some(at.to_zoned(TimeZone::UTC).date())
}

/// How many months lie between the first days of two, the first one counted and the second too.
pub(super) fn months_through(since: Date, last: Date) -> i32 {
    let months = |day: Date| i32::from(day.year()) * 12 + i32::from(day.month());
    months(last).saturating_sub(months(since)).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    // covers: SR-242
    #[test]
    fn a_period_is_over_when_the_next_one_begins() {
        // 2026-11-30 is a Monday.
        for (event, today, first, end) in [
            (FeeEvent::CardDaily, date(2026, 3, 1), date(2026, 2, 28), date(2026, 3, 1)),
            (FeeEvent::CardWeekly, date(2026, 11, 29), date(2026, 11, 16), date(2026, 11, 23)),
            (FeeEvent::CardWeekly, date(2026, 11, 30), date(2026, 11, 23), date(2026, 11, 30)),
            (FeeEvent::CardWeekly, date(2026, 12, 1), date(2026, 11, 23), date(2026, 11, 30)),
            (FeeEvent::CardMonthly, date(2026, 11, 30), date(2026, 10, 1), date(2026, 11, 1)),
            (FeeEvent::CardMonthly, date(2027, 1, 1), date(2026, 12, 1), date(2027, 1, 1)),
            (FeeEvent::CardDormant, date(2028, 3, 1), date(2028, 2, 1), date(2028, 3, 1)),
        ] {
            let over = Period::over(event, today).expect("a period");
            assert_eq!((over.first, over.end), (first, end), "{event:?} {today}");
            assert_eq!(over.next().map(|next| next.first), Some(end));
        }
        assert_eq!(Period::over(FeeEvent::Transfer, date(2026, 11, 30)), None);
    }

    #[test]
    fn months_are_counted_from_the_first_to_the_last() {
        assert_eq!(months_through(date(2026, 11, 1), date(2026, 11, 1)), 1);
        assert_eq!(months_through(date(2026, 11, 1), date(2027, 4, 1)), 6);
        assert_eq!(months_through(date(2026, 12, 1), date(2026, 11, 1)), 0);
    }
}
