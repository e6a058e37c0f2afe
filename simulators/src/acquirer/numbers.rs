//! The numbers and times that tell one transaction from another: STAN, RRN, DE7, DE12, DE13. Must
//! give no two transactions of a run the same set.

use jiff::Timestamp;
use jiff::tz::Offset;

/// The terminals stand one hour east of Greenwich, so that DE7 (UTC) and DE12 (local) differ.
const TERMINAL_OFFSET: Offset = Offset::constant(1);

/// The identifying fields of one transaction, each as on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Numbers {
    /// DE11, six digits.
    pub stan: String,
    /// DE37, twelve digits: last digit of the year, day of the year, hour, STAN.
    pub rrn: String,
    /// DE7, `MMDDhhmmss` in UTC.
    pub transmitted: String,
    /// DE12, `hhmmss` at the terminal.
    pub local_time: String,
    /// DE13, `MMDD` at the terminal.
    pub local_date: String,
}

/// Gives out numbers.
#[derive(Clone, Debug)]
pub struct NumberSource {
    next_stan: u32,
}

impl NumberSource {
    /// Starts at the milliseconds of the day, modulo a million: a run started after another one
    /// ends up with other numbers than it, without either remembering anything.
    #[must_use]
    pub fn starting_at(now: Timestamp) -> NumberSource {
        let stan = u32::try_from(now.as_millisecond().rem_euclid(1_000_000)).unwrap_or(0);
        NumberSource { next_stan: stan.max(1) }
    }

    /// The numbers of the next transaction, made at this time.
    pub fn next(&mut self, now: Timestamp) -> Numbers {
        let stan = format!("{:06}", self.next_stan);
        self.next_stan = if self.next_stan >= 999_999 { 1 } else { self.next_stan + 1 };
        let local = TERMINAL_OFFSET.to_datetime(now);
        Numbers {
            rrn: format!(
                "{}{:03}{:02}{stan}",
                local.year().rem_euclid(10),
                local.day_of_year(),
                local.hour()
            ),
            stan,
            transmitted: transmitted_at(now),
            local_time: format!("{:02}{:02}{:02}", local.hour(), local.minute(), local.second()),
            local_date: format!("{:02}{:02}", local.month(), local.day()),
        }
    }
}

/// DE7 for a message sent at this time.
pub(crate) fn transmitted_at(now: Timestamp) -> String {
    let utc = Offset::UTC.to_datetime(now);
    format!(
        "{:02}{:02}{:02}{:02}{:02}",
        utc.month(),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second()
    )
}
