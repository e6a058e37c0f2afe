//! DE24 of the editions of 1993 and 2003: what a message is for. In 1987 it names a network, and is
//! not looked at.

use codecs::iso8583::{Message, Version};

use super::FieldFault;
use super::fault::optional_number;

const FUNCTION: u8 = 24;

/// The code, where the edition has one and the message too.
pub(super) fn function_code(message: &Message<'_>) -> Result<Option<u64>, FieldFault> {
    match message.dialect().version() {
        Version::V1987 => Ok(None),
        Version::V1993 | Version::V2003 => {
            optional_number(message, FUNCTION, "a function code of three digits")
        }
    }
}

/// An original authorization, its amount accurate or estimated; nothing else is done yet.
pub(super) const fn is_authorization(code: Option<u64>) -> bool {
    matches!(code, None | Some(100 | 101))
}

/// What a reversal takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reversed {
    Whole,
    Part,
    Unknown,
}

/// 400 is a full reversal, 401 one of a part.
pub(super) const fn reversed(code: Option<u64>) -> Reversed {
    match code {
        None | Some(400) => Reversed::Whole,
        Some(401) => Reversed::Part,
        Some(_) => Reversed::Unknown,
    }
}
