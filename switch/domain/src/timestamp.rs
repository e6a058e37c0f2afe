//! A moment in UTC. It owns the count of microseconds and the calendar month they fall in; it never
//! reads a clock.

/// Microseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

impl Timestamp {
    /// From whole seconds since 1970.
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// This moment less so many microseconds.
    #[must_use]
    pub const fn minus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_sub(micros))
    }

    /// Calendar year and month (1 to 12) in UTC, by the proleptic Gregorian calendar.
    #[must_use]
    pub const fn year_and_month(self) -> (i32, u8) {
        let (year, month, _) = self.date();
        (year, month)
    }

    /// The same with the day of the month (1 to 31).
    #[must_use]
    #[allow(clippy::arithmetic_side_effects)] // bounded: i64 micros are about 292,000 years
    pub const fn date(self) -> (i32, u8, u8) {
        // Days are counted from 1 March of year 0, so that the leap day ends a year.
        let days = self.0.div_euclid(MICROS_PER_SECOND).div_euclid(SECONDS_PER_DAY) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        (year as i32, month as u8, day as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_turn_where_the_calendar_says() {
        for (seconds, expected) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (951_782_400, (2000, 2, 29)),
            (951_868_800, (2000, 3, 1)),
            (1_796_083_199, (2026, 11, 30)), // its last second
            (1_796_083_200, (2026, 12, 1)),
            (1_798_761_600, (2027, 1, 1)),
        ] {
            let at = Timestamp::from_unix_seconds(seconds);
            assert_eq!(at.date(), expected);
            assert_eq!(at.year_and_month(), (expected.0, expected.1));
        }
    }
}
