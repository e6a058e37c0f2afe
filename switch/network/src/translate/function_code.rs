//! DE24 of the editions of 1993 and 2003: what a message is for. In 1987 it names a network, and is
//! not looked at.

use codecs::iso8583::{Message, Version};
use switch_domain::MessageClass;

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

/// What a request or an advice is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// 100, 200, or not said: it stands for itself.
    Original,
    /// 101: an authorization whose amount is an estimate.
    Estimated,
    /// 108: an inquiry.
    Inquiry,
    /// 201 and 202: it settles what was authorized before, for the same amount or another.
    Completion,
    /// Anything else; not done.
    Unknown,
}

impl Function {
    pub(super) const fn of(code: Option<u64>) -> Self {
        match code {
            None | Some(100 | 200) => Self::Original,
            Some(101) => Self::Estimated,
            Some(108) => Self::Inquiry,
            Some(201 | 202) => Self::Completion,
            Some(_) => Self::Unknown,
        }
    }

    /// Whether it is done for a class of message: a completion tells what has happened, and comes
    /// as an advice.
    pub(super) const fn fits(self, class: MessageClass) -> bool {
        match self {
            Self::Original => true,
            Self::Estimated | Self::Inquiry => !class.is_financial(),
            Self::Completion => matches!(class, MessageClass::FinancialAdvice),
            Self::Unknown => false,
        }
    }
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
