//! What a message presents of its card and its holder, for verification: tracks, printed code, PIN
//! block, chip data. It owns where each stands; all of it is wiped when dropped, none of it can be
//! printed, and it lives no longer than verification does.

mod chip;
mod chip_answer;
mod pin;
mod track;

use codecs::iso8583::{CardCodeForm, Message, ValueError};
use switch_domain::Pan;
use switch_security::CardValue;
use zeroize::Zeroizing;

pub(crate) use chip::{ChipFault, PresentedChip};
pub(crate) use chip_answer::ChipAnswer;
pub use pin::PinRule;
pub(crate) use pin::PresentedPin;
pub(crate) use track::Track;

const PAN: u8 = 2;
const SEQUENCE: u8 = 23;
const TRACK2: u8 = 35;
const TRACK1: u8 = 45;
const CHIP_DATA: u8 = 55;
/// Bytes of a field 55 that is looked at: one more than may be.
const CHIP_ROOM: usize = 256;

/// All that a message presents.
pub(crate) struct Presented {
    /// By DE2 where that is there, else by a track.
    pub(crate) pan: Pan,
    pub(crate) track: Option<PresentedTrack>,
    /// The code that is printed on the card; an error where no such digits stand there.
    pub(crate) code: Option<Result<CardValue, ()>>,
    /// An error where it can be no PIN block of this link.
    pub(crate) pin: Option<Result<PresentedPin, ()>>,
    /// The same of the one that the holder wants instead.
    pub(crate) new_pin: Option<Result<PresentedPin, ()>>,
    pub(crate) chip: Option<Result<PresentedChip, ChipFault>>,
    /// DE23.
    pub(crate) sequence: Option<u8>,
}

/// A track, and which of the two.
pub(crate) struct PresentedTrack {
    pub(crate) track: Track,
    /// Track 1, read since track 2 is not there.
    pub(crate) is_first: bool,
}

impl Presented {
    /// Reads it of a message that was translated; `None` where it names no card.
    pub(crate) fn read(message: &Message<'_>, rule: &PinRule) -> Option<Self> {
        let chip = chip(message);
        let track = track(message).or_else(|| {
            let of_chip = chip.as_ref()?.as_ref().ok()?.track2()?;
            Some(PresentedTrack { track: Track::from_chip(of_chip)?, is_first: false })
        });
        let pan = number(message).or_else(|| track.as_ref().map(|read| read.track.pan.clone()))?;
        Some(Self {
            pan,
            track,
            code: code(message),
            pin: pin::pin(message, rule),
            new_pin: pin::new_pin(message, rule),
            chip,
            sequence: sequence(message),
        })
    }
}

fn number(message: &Message<'_>) -> Option<Pan> {
    let mut room = Zeroizing::new([0; Pan::MAX_DIGITS]);
    Pan::from_digits(message.digits(PAN, &mut *room).ok()?).ok()
}

/// Track 2, else track 1.
fn track(message: &Message<'_>) -> Option<PresentedTrack> {
    let second = message.text(TRACK2).ok();
    if let Some(track) = second.and_then(|track| Track::from_track2(track.as_bytes())) {
        return Some(PresentedTrack { track, is_first: false });
    }
    let first = message.text(TRACK1).ok()?;
    let track = Track::from_track1(first.as_bytes())?;
    Some(PresentedTrack { track, is_first: true })
}

fn code(message: &Message<'_>) -> Option<Result<CardValue, ()>> {
    let mut room = Zeroizing::new([0; CardCodeForm::LONGEST]);
    let code = message.card_code(&mut room)?;
    Some(CardValue::from_digits(code).ok_or(()))
}

fn chip(message: &Message<'_>) -> Option<Result<PresentedChip, ChipFault>> {
    let mut room = Zeroizing::new([0; CHIP_ROOM]);
    match message.bytes(CHIP_DATA, &mut *room) {
        Ok(bytes) => Some(PresentedChip::read(bytes)),
        Err(ValueError::Absent(_)) => None,
        Err(_) => Some(Err(ChipFault::Unreadable)),
    }
}

fn sequence(message: &Message<'_>) -> Option<u8> {
    let number = message.number(SEQUENCE).ok()?;
    u8::try_from(number).ok().filter(|number| *number <= 99)
}
