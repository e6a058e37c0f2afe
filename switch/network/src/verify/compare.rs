//! What the chip's data and the fields of the message both say, held against each other (E-03). It
//! owns which fields stand for which objects; whether a difference matters is the link's and the
//! engine's affair. What one of the two does not say is no difference.

use codecs::iso8583::Version;
use switch_domain::{ChipDifference, ChipDifferences, MessageFacts};
use switch_shard::Authorize;

use crate::presented::{Presented, PresentedChip, Track};

/// Room for hhmmss behind a date.
const TIME_RANGE: u64 = 1_000_000;
/// Room for month and day behind a year; for year, month and day behind a century.
const YEAR_RANGE: u64 = 10_000;
const CENTURY_RANGE: u64 = 1_000_000;

/// Where the two differ.
pub(super) fn differences(
    chip: &PresentedChip,
    presented: &Presented,
    request: &Authorize,
    version: Version,
) -> ChipDifferences {
    let facts = &request.facts;
    let minor = u64::try_from(request.amount.minor.0).ok();
    let currency = Some(u64::from(request.amount.currency.numeric()));
    let country = facts.country.map(|country| u64::from(country.numeric()));
    let sequence = presented.sequence;
    let rows = [
        (ChipDifference::Amount, chip.amount() != minor),
        (ChipDifference::Currency, chip.currency() != currency),
        (ChipDifference::Date, day(facts, version).is_some_and(|day| !is_day(chip, day, version))),
        (ChipDifference::Country, country.is_some() && chip.country() != country),
        (ChipDifference::Sequence, is_other(chip.sequence(), sequence)),
        (ChipDifference::Track, track_differs(chip, presented, request)),
    ];
    rows.into_iter().filter(|(_, differs)| *differs).map(|(one, _)| one).collect()
}

/// The day of the message at the terminal: MMDD in 1987, with the year in later editions.
fn day(facts: &MessageFacts, version: Version) -> Option<u64> {
    let day = facts.key.local_time / TIME_RANGE;
    let day = if version == Version::V2003 { day % CENTURY_RANGE } else { day };
    (day != 0).then_some(day)
}

fn is_day(chip: &PresentedChip, day: u64, version: Version) -> bool {
    let of_chip = chip.day();
    match version {
        Version::V1987 => of_chip.map(|of_chip| of_chip % YEAR_RANGE) == Some(day),
        Version::V1993 | Version::V2003 => of_chip == Some(day),
    }
}

fn is_other<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}

/// Card number, expiry and service code of the chip's own track, against the message's.
fn track_differs(chip: &PresentedChip, presented: &Presented, request: &Authorize) -> bool {
    let Some(of_chip) = chip.track2() else { return false };
    // One that is none is another than any.
    let Some(of_chip) = Track::from_chip(of_chip) else { return true };
    let track = presented.track.as_ref().map(|read| &read.track);
    of_chip.pan != presented.pan
        || is_other(of_chip.expiry, request.expiry)
        || is_other(of_chip.service_code, track.and_then(|track| track.service_code))
}
