//! Where the card number of a message comes from: DE2, or the track in DE35, or that in DE45. It
//! owns what happens when more than one is there; the digits are in a `Pan` or wiped when it
//! returns.

use codecs::iso8583::{Message, ValueError};
use switch_domain::{Expiry, Pan};
use zeroize::Zeroizing;

use super::FieldFault;
use super::fault::optional_number;
use crate::presented::Track;

const PAN: u8 = 2;
const EXPIRY: u8 = 14;
const TRACK2: u8 = 35;
const TRACK1: u8 = 45;

/// The card as a message names it.
pub(super) struct CardSource {
    /// By DE2 where that is there, else by the track.
    pub(super) pan: Pan,
    /// True when DE2 and the track name different cards.
    pub(super) numbers_differ: bool,
    /// By the track.
    pub(super) track_expiry: Option<Expiry>,
}

/// Reads the card number.
pub(super) fn card_source(message: &Message<'_>) -> Result<CardSource, FieldFault> {
    let keyed = number(message)?;
    let track = track(message)?;
    let (track_pan, track_expiry) = match track {
        Some(track) => (Some(track.pan), track.expiry),
        None => (None, None),
    };
    let numbers_differ = matches!((&keyed, &track_pan), (Some(a), Some(b)) if a != b);
    let pan = keyed.or(track_pan).ok_or(FieldFault::Absent(PAN))?;
    Ok(CardSource { pan, numbers_differ, track_expiry })
}

/// DE14.
pub(super) fn named_expiry(message: &Message<'_>) -> Result<Option<Expiry>, FieldFault> {
    let wanted = "a month, YYMM";
    let Some(yymm) = optional_number(message, EXPIRY, wanted)? else { return Ok(None) };
    let expiry = u16::try_from(yymm).ok().and_then(|yymm| Expiry::from_yymm(yymm).ok());
    expiry.map(Some).ok_or(FieldFault::Invalid { field: EXPIRY, wanted })
}

fn number(message: &Message<'_>) -> Result<Option<Pan>, FieldFault> {
    let wrong = FieldFault::Invalid { field: PAN, wanted: "a card number of 12 to 19 digits" };
    let mut room = Zeroizing::new([0; Pan::MAX_DIGITS]);
    match message.digits(PAN, &mut *room) {
        Ok(digits) => Pan::from_digits(digits).map(Some).map_err(|_| wrong),
        Err(ValueError::Absent(_)) => Ok(None),
        Err(_) => Err(wrong),
    }
}

/// Track 2, else track 1.
fn track(message: &Message<'_>) -> Result<Option<Track>, FieldFault> {
    let second = one_track(message, TRACK2, "track 2 of ISO/IEC 7813", Track::from_track2)?;
    match second {
        Some(track) => Ok(Some(track)),
        None => one_track(message, TRACK1, "track 1 of ISO/IEC 7813, format B", Track::from_track1),
    }
}

fn one_track(
    message: &Message<'_>,
    field: u8,
    wanted: &'static str,
    read: fn(&[u8]) -> Option<Track>,
) -> Result<Option<Track>, FieldFault> {
    let wrong = FieldFault::Invalid { field, wanted };
    match message.text(field) {
        Ok(track) => read(track.as_bytes()).map(Some).ok_or(wrong),
        Err(ValueError::Absent(_)) => Ok(None),
        Err(_) => Err(wrong),
    }
}
