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
    /// 102 and 103, of an estimate: its amount takes the place of what was authorized before.
    Replacement { estimated: bool },
    /// 106 and 107, of an estimate: its amount comes on top of what was authorized before.
    Supplementary { estimated: bool },
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
            Some(code @ (102 | 103)) => Self::Replacement { estimated: code == 103 },
            Some(code @ (106 | 107)) => Self::Supplementary { estimated: code == 107 },
            Some(108) => Self::Inquiry,
            Some(201 | 202) => Self::Completion,
            Some(_) => Self::Unknown,
        }
    }

    /// Whether the amount is an estimate.
    pub(super) const fn is_estimated(self) -> bool {
        match self {
            Self::Estimated => true,
            Self::Replacement { estimated } | Self::Supplementary { estimated } => estimated,
            Self::Original | Self::Inquiry | Self::Completion | Self::Unknown => false,
        }
    }

    /// What it does to the amount that was authorized before, if it is about that.
    pub(super) const fn changes(self) -> Option<Change> {
        match self {
            Self::Replacement { .. } => Some(Change::InPlace),
            Self::Supplementary { .. } => Some(Change::OnTop),
            _ => None,
        }
    }

    /// Whether it is done for a class of message: what was authorized is settled by a financial
    /// one.
    pub(super) const fn fits(self, class: MessageClass) -> bool {
        match self {
            Self::Original => true,
            Self::Estimated
            | Self::Inquiry
            | Self::Replacement { .. }
            | Self::Supplementary { .. } => !class.is_financial(),
            Self::Completion => class.is_financial(),
            Self::Unknown => false,
        }
    }
}

/// What an increment does to the amount that was authorized before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Its amount is added.
    OnTop,
    /// Its amount is the new one.
    InPlace,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_whether_an_authorization_stands_for_itself() {
        let rows = [
            (None, None, false, true),
            (Some(100), None, false, true),
            (Some(101), None, true, true),
            (Some(102), Some(Change::InPlace), false, true),
            (Some(103), Some(Change::InPlace), true, true),
            (Some(104), None, false, false),
            (Some(106), Some(Change::OnTop), false, true),
            (Some(107), Some(Change::OnTop), true, true),
            (Some(108), None, false, true),
            (Some(201), None, false, false),
        ];
        for (code, change, estimated, fits) in rows {
            let function = Function::of(code);
            let told = (function.changes(), function.is_estimated());
            assert_eq!(told, (change, estimated), "{code:?}");
            assert_eq!(function.fits(MessageClass::AuthorizationRequest), fits, "{code:?}");
            assert_eq!(function.fits(MessageClass::AuthorizationAdvice), fits, "{code:?}");
            let settles = matches!(code, None | Some(100 | 201));
            assert_eq!(function.fits(MessageClass::FinancialRequest), settles, "{code:?}");
            assert_eq!(function.fits(MessageClass::FinancialAdvice), settles, "{code:?}");
        }
    }
}
