//! Why a field could not be written. Must never show the value.

use std::sync::Arc;

/// The fault itself.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EncodeFault {
    /// The dialect has no such field.
    #[error("the dialect does not define it")]
    Undefined,
    /// The value is longer than the field; it is never cut.
    #[error("the value has length {length}, the most is {max}")]
    TooLong {
        /// Length of the value.
        length: usize,
        /// Length of the field.
        max: usize,
    },
    /// The value is shorter than a fixed field that is not padded.
    #[error("the value has length {length}, it must be {needed}")]
    TooShort {
        /// Length of the value.
        length: usize,
        /// Length of the field.
        needed: usize,
    },
    /// A character that may not stand in a field of this type.
    #[error("character {position} of the value is not one of: {expected}")]
    Character {
        /// Position of the character, from 1.
        position: usize,
        /// What it must be, in words.
        expected: &'static str,
    },
    /// Text was given for a binary field.
    #[error("it is binary and takes bytes, not text")]
    Binary,
    /// Bytes were given for a field of text or digits.
    #[error("it takes text, not bytes")]
    NotBinary,
    /// The field to copy is written differently in the other message's dialect.
    #[error("the message copied from writes it in another form")]
    OtherDialect,
    /// The fields encoded earlier have no room for this one.
    #[error("it is not one of those that were left for later")]
    NotInGap,
    /// The message is to end with an authentication code, and no field behind its others takes one.
    #[error("no field behind the others carries an authentication code")]
    NoRoomForMac,
    /// The message becomes longer than any can be.
    #[error("the message becomes longer than {max} bytes")]
    MessageTooLong {
        /// Bytes allowed.
        max: usize,
    },
}

/// A field that could not be written. The message is as it was before.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("field {field} ({name}) cannot be written: {fault}")]
pub struct EncodeError {
    pub(super) field: u8,
    pub(super) name: Arc<str>,
    pub(super) fault: EncodeFault,
}

impl EncodeError {
    /// Field number.
    #[must_use]
    pub const fn field(&self) -> u8 {
        self.field
    }

    /// The fault.
    #[must_use]
    pub const fn fault(&self) -> &EncodeFault {
        &self.fault
    }
}
