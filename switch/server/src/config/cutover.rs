//! When the business day of a link ends: a time of day, and how far that clock is from UTC. It owns
//! how both are written.

use serde::Deserialize;

const DAY_S: i32 = 86_400;

/// `"00:00"`, or `"22:30+02:00"` for a clock that is two hours ahead of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Cutover {
    /// Seconds from the day's own midnight UTC to its beginning.
    begins_s: i32,
}

impl Cutover {
    /// How long after midnight UTC of its date a business day begins, in seconds. Where the
    /// cut-over is at noon or later, the day begins on the evening before.
    #[must_use]
    pub const fn begins_s(self) -> i32 {
        self.begins_s
    }
}

impl TryFrom<String> for Cutover {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse(&text).ok_or_else(|| {
            format!(
                "{text:?} is no time of a cut-over: write \"22:30\" for UTC, or \"22:30+02:00\" \
                 for a clock that is two hours ahead of it"
            )
        })
    }
}

fn parse(text: &str) -> Option<Cutover> {
    let (time, offset) = text.split_at_checked(5)?;
    let time = seconds(time)?;
    let offset = match offset.split_at_checked(1) {
        None if offset.is_empty() => 0,
        Some(("+", offset)) => seconds(offset)?,
        Some(("-", offset)) => seconds(offset)?.checked_neg()?,
        _ => return None,
    };
    let begins = if time >= DAY_S / 2 { time.checked_sub(DAY_S)? } else { time };
    Some(Cutover { begins_s: begins.checked_sub(offset)? })
}

/// Of `hh:mm`.
fn seconds(text: &str) -> Option<i32> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |digits: &str, below: i32| {
        let plain = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        digits.parse::<i32>().ok().filter(|value| plain && *value < below)
    };
    let (hours, minutes) = (two(hours, 24)?, two(minutes, 60)?);
    hours.checked_mul(3_600)?.checked_add(minutes.checked_mul(60)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cutover_is_a_time_and_perhaps_how_far_it_is_from_utc() {
        for (text, expected) in [
            ("00:00", Some(0)),
            ("02:00", Some(7_200)),
            ("22:30", Some(-5_400)),
            ("22:30+02:00", Some(-12_600)),
            ("01:00+02:00", Some(-3_600)),
            ("23:00-05:00", Some(14_400)),
            ("24:00", None),
            ("2:00", None),
            ("02:60", None),
            ("02:00Z", None),
            ("02:00+2", None),
            ("+2:00", None),
            ("", None),
        ] {
            let read = Cutover::try_from(text.to_owned()).ok().map(Cutover::begins_s);
            assert_eq!(read, expected, "{text}");
        }
    }
}
