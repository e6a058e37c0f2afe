//! What a clock on a wall says, and in which part of a window a moment is. It owns the numbers of
//! parts, which are stored and never change their meaning. The rules of time zones come with the
//! program; a zone that they do not have (it had them when the control was made) counts as UTC.

use jiff::Timestamp as JiffTimestamp;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};
use switch_domain::{AsciiText, LocalMoment, Part, Timestamp, Window, ZoneName};

/// A part of a window, and the oldest that counts together with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) part: Part,
    pub(crate) oldest: Part,
}

impl Span {
    /// A part that counts by itself.
    const fn alone(part: i64) -> Self {
        Self { part: Part(part), oldest: Part(part) }
    }
}

const HOUR_US: i64 = 3_600_000_000;

/// Whether there is such a zone.
pub(crate) fn is_zone(name: &ZoneName) -> bool {
    TimeZone::get(name.as_str()).is_ok()
}

/// The part of a window that a moment is in; `None` where nothing is counted over time.
pub(crate) fn span(window: &Window, now: Timestamp) -> Option<Span> {
    let date = |zone: &ZoneName| local(zone, now).date();
    Some(match window {
        Window::Transaction => return None,
        Window::Lifetime => Span::alone(0),
        Window::Rolling(hours) => {
            let grain = i64::from(*hours).saturating_mul(HOUR_US) / Window::PARTS;
            let part = now.0.div_euclid(grain.max(1));
            Span { part: Part(part), oldest: Part(part.saturating_sub(Window::PARTS)) }
        }
        Window::Day(zone) => Span::alone(day(date(zone))),
        Window::Week(zone) => {
            let date = date(zone);
            let since_monday = i64::from(date.weekday().to_monday_zero_offset());
            Span::alone(day(date).saturating_sub(since_monday))
        }
        Window::Month(zone) => {
            let date = date(zone);
            let months = i64::from(date.year()).saturating_mul(12);
            Span::alone(months.saturating_add(i64::from(date.month())))
        }
        Window::Year(zone) => Span::alone(i64::from(date(zone).year())),
    })
}

/// The part in which what is bought at one merchant counts: 63 bits of a hash of its name.
pub(crate) fn merchant(id: &AsciiText<35>) -> Part {
    let hash: [u8; 32] = Sha256::digest(id.as_bytes()).into();
    let [a, b, c, d, e, f, g, h, ..] = hash;
    Part(i64::from_be_bytes([a, b, c, d, e, f, g, h]) & i64::MAX)
}

/// What a clock says in a zone.
pub(crate) fn moment(zone: &ZoneName, now: Timestamp) -> LocalMoment {
    let local = local(zone, now);
    let minute = i32::from(local.hour()).saturating_mul(60).saturating_add(local.minute().into());
    LocalMoment {
        weekday: u8::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0),
        minute: u16::try_from(minute).unwrap_or(0),
    }
}

fn local(zone: &ZoneName, now: Timestamp) -> jiff::civil::DateTime {
    let zone = TimeZone::get(zone.as_str()).unwrap_or(TimeZone::UTC);
    zone.to_datetime(JiffTimestamp::from_microsecond(now.0).unwrap_or_default())
}

/// Days since 1970.
fn day(date: jiff::civil::Date) -> i64 {
    let epoch = jiff::civil::Date::constant(1970, 1, 1);
    date.since(epoch).map_or(0, |span| i64::from(span.get_days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> ZoneName {
        AsciiText::new(name.as_bytes()).expect("a name")
    }

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<JiffTimestamp>().expect("a moment").as_microsecond())
    }

    #[test]
    fn days_turn_over_at_midnight_of_their_zone_on_every_day_of_the_year() {
        let madrid = Window::Day(zone("Europe/Madrid"));
        // Winter; the day of 23 hours; summer; the day of 25 hours.
        for (before, after) in [
            ("2026-01-10T22:59:59Z", "2026-01-10T23:00:00Z"),
            ("2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z"),
            ("2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"),
            ("2026-07-01T21:59:59Z", "2026-07-01T22:00:00Z"),
            ("2026-10-24T21:59:59Z", "2026-10-24T22:00:00Z"),
            ("2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"),
        ] {
            let of = |text| span(&madrid, at(text)).expect("a part").part.0;
            assert_eq!(of(before) + 1, of(after), "{before}");
        }
    }

    #[test]
    fn parts_are_numbered_as_they_are_stored() {
        let utc = zone("UTC");
        let now = at("2026-11-27T12:34:56Z");
        let of = |window: Window| span(&window, now).map(|span| (span.part.0, span.oldest.0));
        assert_eq!(of(Window::Transaction), None);
        assert_eq!(of(Window::Lifetime), Some((0, 0)));
        assert_eq!(of(Window::Day(utc)), Some((20_784, 20_784)));
        assert_eq!(of(Window::Week(utc)), Some((20_780, 20_780)), "Monday the 23rd");
        assert_eq!(of(Window::Month(utc)), Some((2026 * 12 + 11, 2026 * 12 + 11)));
        assert_eq!(of(Window::Year(utc)), Some((2026, 2026)));
        let hour = 20_784 * 24 + 12;
        assert_eq!(of(Window::Rolling(24)), Some((hour, hour - 24)));
        let minutes = (hour * 60 + 34) * 2 / 5;
        assert_eq!(of(Window::Rolling(1)), Some((minutes, minutes - 24)), "of 2.5 minutes");
    }

    #[test]
    fn a_wall_clock_knows_its_zone_and_one_that_is_none_is_utc() {
        let now = at("2026-11-27T23:30:00Z");
        let said = |name: &str| moment(&zone(name), now);
        assert_eq!(said("Europe/Madrid"), LocalMoment { weekday: 5, minute: 30 });
        assert_eq!(said("America/New_York"), LocalMoment { weekday: 4, minute: 18 * 60 + 30 });
        assert_eq!(said("Nowhere/Else"), LocalMoment { weekday: 4, minute: 23 * 60 + 30 });
        assert!(is_zone(&zone("Asia/Kathmandu")) && !is_zone(&zone("Nowhere/Else")));
    }

    #[test]
    fn merchants_have_parts_of_their_own() {
        let of = |id: &str| merchant(&AsciiText::new(id.as_bytes()).expect("a name"));
        assert_eq!(of("CORNER SHOP"), of("CORNER SHOP"));
        assert_ne!(of("CORNER SHOP"), of("CORNER SHOP 2"));
        assert!(of("CORNER SHOP").0 >= 0 && of("").0 >= 0);
    }
}
