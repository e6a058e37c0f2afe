//! Cryptograms and issuer scripts in commands. It owns their words; what goes into a cryptogram and
//! in which order is the profile's, which is named here and never described.

use std::fmt;

use switch_domain::Pan;

use super::{EncryptedPin, KeyHandle};

/// Whether a cryptogram is that of the card, and what the issuer answers to it.
#[derive(Clone, Copy)]
pub struct VerifyCryptogram<'a> {
    /// How the card computes.
    pub profile: ProfileName,
    /// The issuer master key for cryptograms (`E0`).
    pub key: KeyHandle,
    /// The card.
    pub pan: &'a Pan,
    /// The PAN sequence number, 0 to 99.
    pub sequence: u8,
    /// What the card computed over.
    pub chip: ChipData<'a>,
    /// What it came to (tag 9F26).
    pub cryptogram: [u8; 8],
    /// The decisions that an answer is to be made for; `None` where none is wanted. A cryptogram
    /// that is not the card's never gets one.
    pub answers: Option<Decisions>,
}

/// What a chip card and its terminal said of a transaction.
#[derive(Clone, Copy)]
pub struct ChipData<'a> {
    /// The counter of the card (tag 9F36).
    pub atc: u16,
    /// The terminal's unpredictable number (tag 9F37).
    pub unpredictable_number: u32,
    /// What the card says to its issuer (tag 9F10), with the version of the cryptogram in it.
    pub issuer_application_data: &'a [u8],
    /// All else, by tag, in any order. The three above need not be repeated here, and count.
    pub elements: &'a [DataElement<'a>],
}

impl<'a> ChipData<'a> {
    /// The value of this tag among the elements.
    #[must_use]
    pub fn element(&self, tag: u32) -> Option<&'a [u8]> {
        self.elements.iter().find(|element| element.tag == tag).map(|element| element.value)
    }
}

/// One data element of a chip, as it came.
#[derive(Clone, Copy)]
pub struct DataElement<'a> {
    /// Its tag, as `0x9F02`.
    pub tag: u32,
    /// Its value.
    pub value: &'a [u8],
}

/// What an answer binds, by what is decided: the decision is not known yet when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decisions {
    /// Where the transaction is approved.
    pub approved: Decision,
    /// Where it is declined.
    pub declined: Decision,
}

/// What the card is told of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The authorization response code (tag 8A), which an ARPC of method 1 binds.
    pub response_code: [u8; 2],
    /// The card status update, which an ARPC of method 2 binds.
    pub status_update: [u8; 4],
}

/// A cryptogram is the card's; and what the issuer answers, by what is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Verified {
    /// Where it is approved; `None` where no answer was asked for, or the profile has none.
    pub approved: Option<IssuerAuthentication>,
    /// Where it is declined.
    pub declined: Option<IssuerAuthentication>,
}

/// Issuer authentication data (tag 91): the ARPC with what it binds, 8 to 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IssuerAuthentication {
    bytes: [u8; Self::MAX_BYTES],
    length: u8,
}

impl IssuerAuthentication {
    /// Bytes of the longest, by EMV.
    pub const MAX_BYTES: usize = 16;

    /// From 8 to 16 bytes; `None` of fewer or more.
    #[must_use]
    pub fn new(value: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::MAX_BYTES];
        let length = u8::try_from(value.len()).ok().filter(|length| *length >= 8)?;
        bytes.get_mut(..value.len())?.copy_from_slice(value);
        Some(Self { bytes, length })
    }

    /// The value of tag 91.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl fmt::Debug for IssuerAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuerAuthentication(")?;
        self.bytes().iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
        f.write_str(")")
    }
}

/// The name of a cryptogram profile: 1 to 16 lower-case letters, digits and dashes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProfileName {
    ascii: [u8; Self::MAX_BYTES],
}

impl ProfileName {
    /// Characters of the longest.
    pub const MAX_BYTES: usize = 16;

    /// From its text; `None` of anything else.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let good = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if name.is_empty() || !name.as_bytes().iter().all(good) {
            return None;
        }
        let mut ascii = [0; Self::MAX_BYTES];
        ascii.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        Some(Self { ascii })
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = std::str::from_utf8(&self.ascii).unwrap_or_default();
        text.trim_end_matches('\0')
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProfileName({self})")
    }
}

/// A script command for a card, to be protected as its profile says.
#[derive(Clone, Copy)]
pub struct ProtectScript<'a> {
    /// How the card computes.
    pub profile: ProfileName,
    /// The issuer's keys that it takes.
    pub keys: ScriptKeys,
    /// The card.
    pub pan: &'a Pan,
    /// The PAN sequence number, 0 to 99.
    pub sequence: u8,
    /// The counter of the card in the transaction that the script goes with.
    pub atc: u16,
    /// The cryptogram of that transaction.
    pub cryptogram: [u8; 8],
    /// Which command of that transaction's scripts it is, from 0: no two are protected alike.
    pub position: u8,
    /// What the card is to do.
    pub command: ScriptCommand<'a>,
}

/// The issuer master keys of scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptKeys {
    /// For authentication codes (`E2`).
    pub integrity: KeyHandle,
    /// For encryption (`E1`).
    pub confidentiality: KeyHandle,
    /// For cryptograms (`E0`): some profiles bind a new PIN to the card's own key.
    pub cryptogram: KeyHandle,
}

/// What a script makes a card do.
#[derive(Clone, Copy)]
pub enum ScriptCommand<'a> {
    /// Its PIN is no longer blocked, and its tries are all there again.
    UnblockPin,
    /// Its offline PIN becomes this one, and is no longer blocked.
    ChangePin {
        /// The new PIN, as it came.
        new: EncryptedPin<'a>,
        /// The one it has now, where the profile hides the new one under it.
        current: Option<EncryptedPin<'a>>,
    },
}

/// A command as the card takes it (the value of tag 86): header, data and authentication code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Script {
    bytes: [u8; Self::MAX_BYTES],
    length: u8,
}

impl Script {
    /// Bytes of the longest that there is.
    pub const MAX_BYTES: usize = 64;

    /// From its bytes; `None` of none or too many.
    #[must_use]
    pub fn new(command: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::MAX_BYTES];
        let length = u8::try_from(command.len()).ok().filter(|length| *length > 0)?;
        bytes.get_mut(..command.len())?.copy_from_slice(command);
        Some(Self { bytes, length })
    }

    /// The value of tag 86.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_profiles_are_short_and_plain() {
        for good in ["a", "visa-cvn18", "0123456789abcdef"] {
            assert_eq!(ProfileName::new(good).expect("a name").to_string(), good);
        }
        for wrong in ["", "Visa", "visa 18", "0123456789abcdefg", "visa\0"] {
            assert_eq!(ProfileName::new(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_goes_to_the_card_has_the_lengths_of_emv() {
        for length in 0..200 {
            let bytes = vec![7; length];
            let answer = IssuerAuthentication::new(&bytes);
            assert_eq!(answer.is_some(), (8..=16).contains(&length), "{length}");
            assert!(answer.is_none_or(|answer| answer.bytes() == bytes));
            let script = Script::new(&bytes);
            assert_eq!(script.is_some(), (1..=64).contains(&length), "{length}");
            assert!(script.is_none_or(|script| script.bytes() == bytes));
        }
    }
}
