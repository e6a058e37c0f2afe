//! Moments and months a span away. It owns that none of them overflows.

use std::time::Duration;

use switch_domain::{Expiry, Timestamp};

pub(crate) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

pub(crate) fn after(now: Timestamp, span: Duration) -> Timestamp {
    Timestamp(now.0.saturating_add(micros(span)))
}

pub(crate) fn before(now: Timestamp, span: Duration) -> Timestamp {
    Timestamp(now.0.saturating_sub(micros(span)))
}

/// The last month of validity of a card that is good for so many months, the one of the moment
/// aside; none where there is no such month.
pub(crate) fn months_on(now: Timestamp, months: u32) -> Option<Expiry> {
    let (year, month) = now.year_and_month();
    let all = i64::from(year).checked_mul(12)?.checked_add(i64::from(month) - 1)?;
    let all = all.checked_add(i64::from(months))?;
    let yymm = all.div_euclid(12).rem_euclid(100) * 100 + all.rem_euclid(12) + 1;
    Expiry::from_yymm(u16::try_from(yymm).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_good_for_so_many_months() {
        let on = |text: &str, months| {
            let at: jiff::Timestamp = text.parse().expect("a moment");
            months_on(Timestamp(at.as_microsecond()), months).map(Expiry::yymm)
        };
        for (months, yymm) in [(0, 2611), (1, 2612), (2, 2701), (36, 2911), (120, 3611)] {
            assert_eq!(on("2026-11-27T23:00:00Z", months), Some(yymm), "{months}");
        }
        assert_eq!(on("2026-12-31T23:59:59Z", 1), Some(2701));
        assert_eq!(on("2028-01-31T00:00:00Z", 1), Some(2802));
    }
}
