//! What a card's cryptogram is made over, element by element. It owns how long each must be; which
//! elements, and in which order, is the profile's.

use super::IadPart;
use crate::card_security::ChipData;

/// Bytes that issuer application data may have (EMV Book 3 annex A).
const MOST_ISSUER_DATA: usize = 32;

/// One of the things that a cryptogram is made over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// The value of this tag, which has so many bytes.
    Tag {
        /// As `0x9F02`.
        tag: u32,
        /// How many bytes it has.
        length: u8,
        /// Whether zeros stand for it where it did not come.
        may_lack: bool,
    },
    /// 9F37, the terminal's unpredictable number.
    UnpredictableNumber,
    /// 9F36, the counter of the card.
    Counter,
    /// All of 9F10.
    IssuerData,
    /// Some bytes of 9F10.
    PartOfIssuerData(IadPart),
}

/// The bytes of an element: such as are numbers in a command have room here.
pub(super) enum Bytes<'a> {
    Came(&'a [u8]),
    Number([u8; 4], usize),
    Zeros(usize),
}

impl Bytes<'_> {
    /// One after the other. Every form is gone through alike, so that nothing is allocated.
    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        let (came, number, zeros) = match self {
            Self::Came(came) => (came, ([0; 4], 0), 0),
            Self::Number(bytes, length) => (&[][..], (bytes, length), 0),
            Self::Zeros(length) => (&[][..], ([0; 4], 0), length),
        };
        let numbers = number.0.into_iter().take(number.1);
        came.iter().copied().chain(numbers).chain(std::iter::repeat_n(0, zeros))
    }
}

impl Element {
    /// Its bytes; `None` where they did not come, or not so many as it has.
    pub(super) fn of<'a>(self, chip: &ChipData<'a>) -> Option<Bytes<'a>> {
        let issuer_data = chip.issuer_application_data;
        Some(match self {
            Self::Tag { tag, length, may_lack } => match chip.element(tag) {
                Some(value) if value.len() == usize::from(length) => Bytes::Came(value),
                None if may_lack => Bytes::Zeros(usize::from(length)),
                _ => return None,
            },
            Self::UnpredictableNumber => Bytes::Number(chip.unpredictable_number.to_be_bytes(), 4),
            Self::Counter => {
                let [high, low] = chip.atc.to_be_bytes();
                Bytes::Number([high, low, 0, 0], 2)
            }
            Self::IssuerData if issuer_data.len() <= MOST_ISSUER_DATA => Bytes::Came(issuer_data),
            Self::IssuerData => return None,
            Self::PartOfIssuerData(part) => Bytes::Came(part.of(issuer_data)?),
        })
    }
}
