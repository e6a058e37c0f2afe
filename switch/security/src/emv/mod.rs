//! Cryptograms of chip cards (EMV Book 2): what is verified of a card, what it is answered with,
//! and commands to it. It owns the algorithms and the table of what each kind of card does
//! (`profiles`); it reads no TLV, knows no key by name, and judges no transaction.

mod answer;
#[cfg(test)]
mod any_input;
mod card_key;
mod chip_data;
mod cryptogram;
mod iad;
mod profile;
mod profiles;
#[cfg(test)]
mod published;
mod reports;
mod retail_mac;
mod script;
mod session_key;
#[cfg(test)]
mod vectors;

pub use answer::{AnswerForm, AnswerKey, AnswerMethod};
pub use card_key::CardKeyOption;
pub use chip_data::Element;
pub use iad::{IadLayout, IadPart};
pub use profile::{CardScheme, CryptogramProfile};
pub use reports::Report;
pub use script::{NewPinBlock, NextCommand, PinEncryption, ScriptMethod, ScriptSession};
pub use session_key::SessionMethod;

pub(crate) use card_key::{ChipCard, DerivedKey, derive as derive_card_key};
pub(crate) use cryptogram::verify;
pub(crate) use script::{CardCommand, MasterKeys, Occasion, protect};

/// Bytes of an application cryptogram (tag 9F26).
const CRYPTOGRAM: usize = 8;

/// Why nothing came of it. Says nothing of keys, numbers or what would have been right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmvError {
    /// The cryptogram is another than the card would have made.
    Incorrect,
    /// A data element is not there or has a wrong size, or the sequence number or the PIN is none.
    Malformed,
    /// Cards of this profile take no such command.
    NotOffered,
}
