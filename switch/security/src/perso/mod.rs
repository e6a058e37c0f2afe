//! The file that goes to a personalisation bureau: which cards to make, with all that stands on
//! them. It owns the words and limits of it; `record` has what is in a record, `file` the container
//! around the records, `seal` how both are protected. Its bytes stand in docs/personalisation.md.
//! It never writes a file, and nothing of a record can be printed.

mod file;
mod record;
mod seal;

use switch_domain::Timestamp;
use zeroize::Zeroizing;

use crate::SecurityError;
use crate::key::{KeyCheckValue, KeyError, KeyName};

pub use file::PersoFile;
pub use record::{Delivery, DeliveryWay, PersoPin, PersoRecord};

/// A run of personalisation: what is written in clear at the head of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersoRun {
    /// Names the run and its file; no two runs have the same.
    pub id: [u8; 16],
    /// When it was put together.
    pub made: Timestamp,
    /// The zone key (`P0`) of the PIN blocks in it, by the name that both sides have for it; `None`
    /// where no card gets a PIN.
    pub pin_key: Option<KeyName>,
}

/// The most records of a file.
pub const MOST_PERSO_RECORDS: usize = 10_000;

/// Makes files for the bureau: the module that has the exchange key.
pub trait BureauExchange: Send + Sync {
    /// A file of these cards, under the active version of the exchange key (`D0`, AES-256) of this
    /// name. Each number that goes out leaves an audit event.
    ///
    /// # Errors
    /// There is no such key, or it is unfit; there are no records, or too many, or one is
    /// malformed.
    fn seal_perso_file(
        &self,
        key: &KeyName,
        run: &PersoRun,
        records: &[PersoRecord],
    ) -> Result<Vec<u8>, PersoError>;
}

/// Why no file was made. Says nothing of what is in it.
#[derive(Debug, thiserror::Error)]
pub enum PersoError {
    /// There is no such key, or it is for something else.
    #[error("the bureau's exchange key: {0}")]
    Key(#[from] KeyError),
    /// Another cipher or length.
    #[error("the bureau's exchange key is not AES of 32 bytes")]
    KeyUnfit,
    /// None, or more than a file has.
    #[error("a file has 1 to {MOST_PERSO_RECORDS} records, not {0}")]
    Records(usize),
    /// An element of a record is too long, or has characters that it cannot have.
    #[error("record {record}: {element} cannot be written")]
    Element {
        /// Which record, from 0.
        record: usize,
        /// Which element.
        element: &'static str,
    },
    /// The random generator or the cipher failed.
    #[error("the file cannot be encrypted: {0}")]
    Cipher(SecurityError),
}

/// Why a file is not taken. Says nothing of what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersoFault {
    /// Too short, another beginning, another version, or another length than its head says.
    #[error("this is no personalisation file: {0}")]
    NotOne(&'static str),
    /// It is under another key.
    #[error("the file is under the key with check value {found}, and this one has {ours}")]
    OtherKey {
        /// By the file.
        found: KeyCheckValue,
        /// Of the key at hand.
        ours: KeyCheckValue,
    },
    /// The key at hand opens no such files.
    #[error("a key that opens such files is AES of 32 bytes for data (D0)")]
    KeyUnfit,
    /// Something of it was changed, moved, left out or added.
    #[error("the file does not open: something of it is not as it was written")]
    NotAuthentic,
    /// It was written with the key, and wrongly.
    #[error("record {record}: {element} is missing, out of place or malformed")]
    Record {
        /// Which record, from 0.
        record: usize,
        /// Which element.
        element: &'static str,
    },
}

/// A text about a person on its way to the bureau: wiped on drop, and it cannot be printed:
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<switch_security::PersoText>();
/// ```
///
/// ```compile_fail
/// fn show<T: std::fmt::Display>() {}
/// show::<switch_security::PersoText>();
/// ```
pub struct PersoText(Zeroizing<String>);

impl PersoText {
    /// Takes a text over. Whether it fits its place is judged when it is written there.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for who makes or sends the card.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use switch_domain::{Expiry, Pan, ServiceCode};

    use super::*;
    use crate::card_security::{CardValue, EncryptedPinBlock, PinBlockFormat};

    pub(super) fn run() -> PersoRun {
        let pin_key = KeyName::new("bureau-pins");
        PersoRun { id: [3; 16], made: Timestamp(1_795_000_000_000_000), pin_key }
    }

    /// A card of the test series, and where it goes.
    pub(super) fn record(reference: u8) -> PersoRecord {
        let text = |text: &str| PersoText::new(text.to_owned());
        let value = |digits: &[u8]| CardValue::from_digits(digits);
        PersoRecord {
            reference: [reference; 16],
            pan: Pan::from_digits(b"9999991200000010").expect("a number"),
            expiry: Expiry::from_yymm(3012).expect("a month"),
            service_code: ServiceCode::new(201).expect("three digits"),
            sequence: 1,
            holder: text("ADA LOVELACE"),
            cvv: value(b"123"),
            icvv: value(b"456"),
            cvv2: value(b"789"),
            pin: EncryptedPinBlock::new(&[5; 8])
                .map(|block| PersoPin { format: PinBlockFormat::Iso0, block }),
            delivery: Delivery {
                way: DeliveryWay::Courier,
                addressee: text("Ada Lovelace"),
                street: text("Große Straße 1"),
                city: text("Łódź"),
                postal_code: text("90-001"),
                country: text("PL"),
                phone: Some(text("+48123456789")),
            },
        }
    }
}
