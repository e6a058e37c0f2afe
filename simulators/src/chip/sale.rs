//! What a terminal tells a chip of a transaction. Must be what the message says of it too.

use anyhow::{Context, Result};

use super::cipher::packed;
use crate::iso::Message;

/// A transaction, before the chip has signed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sale {
    /// For how much, in minor units.
    pub minor: u64,
    /// Of which cash back.
    pub other_minor: u64,
    /// ISO 4217 number of the currency.
    pub currency: u16,
    /// ISO 3166 number of the terminal's country.
    pub country: u16,
    /// Year of the century, month, day: at the terminal.
    pub date: [u8; 3],
    /// The first two digits of DE3.
    pub kind: u8,
    /// What the terminal chose by chance.
    pub unpredictable: [u8; 4],
    /// Whether the holder entered a PIN for the issuer to verify.
    pub with_pin: bool,
}

impl Sale {
    /// What a message asks for, in this year of the century and country.
    ///
    /// # Errors
    /// When the message lacks one of DE3, 4, 13 and 49.
    pub fn of(message: &Message, year: u8, country: u16, unpredictable: [u8; 4]) -> Result<Sale> {
        let number = |field: u8, digits: std::ops::Range<usize>| {
            let text = message.text(field).and_then(|text| text.get(digits));
            let number = text.and_then(|text| text.parse::<u64>().ok());
            number.with_context(|| format!("a chip signs field {field}, which is not there"))
        };
        let small = |field, digits| u8::try_from(number(field, digits)?).context("two digits");
        Ok(Sale {
            minor: number(4, 0..12)?,
            other_minor: 0,
            currency: u16::try_from(number(49, 0..3)?)?,
            country,
            date: [year, small(13, 0..2)?, small(13, 2..4)?],
            kind: small(3, 0..2)?,
            unpredictable,
            with_pin: message.bytes(52).is_some(),
        })
    }

    /// Its elements by tag, but for those of the chip, in the order in which a chip signs them.
    pub(super) fn elements(&self) -> [(u16, Vec<u8>); 8] {
        let [year, month, day] = self.date;
        // The amount is above the floor limit, so that the terminal went online; an online PIN.
        let results = [0x00, 0x00, if self.with_pin { 0x04 } else { 0x00 }, 0x80, 0x00];
        [
            (0x9F02, packed(&format!("{:012}", self.minor))),
            (0x9F03, packed(&format!("{:012}", self.other_minor))),
            (0x9F1A, packed(&format!("{:04}", self.country))),
            (0x95, results.to_vec()),
            (0x5F2A, packed(&format!("{:04}", self.currency))),
            (0x9A, packed(&format!("{year:02}{month:02}{day:02}"))),
            (0x9C, packed(&format!("{:02}", self.kind))),
            (0x9F37, self.unpredictable.to_vec()),
        ]
    }
}
