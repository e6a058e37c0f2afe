//! A field that is well formed and still says nothing: absent, or outside what it can mean. It owns
//! how that is told to the peer and to the log; it never carries a field's content.

use codecs::iso8583::{ErrorCode, Message, ValueError, error_set};
use switch_domain::AsciiText;

/// The field at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FieldFault {
    /// It must be there.
    #[error("field {0} is absent, and this message type needs it")]
    Absent(u8),
    /// It means nothing.
    #[error("field {field} is not {wanted}")]
    Invalid {
        /// Which.
        field: u8,
        /// What it should be.
        wanted: &'static str,
    },
}

impl FieldFault {
    pub(crate) const fn field(self) -> u8 {
        match self {
            Self::Absent(field) | Self::Invalid { field, .. } => field,
        }
    }

    /// The field in the form of the message error indicator.
    pub(crate) fn error_set(self) -> String {
        match self {
            Self::Absent(field) => error_set(field, ErrorCode::Missing),
            Self::Invalid { field, .. } => error_set(field, ErrorCode::Value),
        }
    }

    /// At most 25 characters for the additional response data of an answer.
    pub(crate) fn answer_text(self) -> String {
        match self {
            Self::Absent(field) => format!("FIELD {field} ABSENT"),
            Self::Invalid { field, .. } => format!("FIELD {field} INVALID"),
        }
    }
}

/// A number that must be there.
pub(super) fn number(
    message: &Message<'_>,
    field: u8,
    wanted: &'static str,
) -> Result<u64, FieldFault> {
    message.number(field).map_err(|error| match error {
        ValueError::Absent(_) => FieldFault::Absent(field),
        _ => FieldFault::Invalid { field, wanted },
    })
}

/// A number that may be absent.
pub(super) fn optional_number(
    message: &Message<'_>,
    field: u8,
    wanted: &'static str,
) -> Result<Option<u64>, FieldFault> {
    if message.has(field) { number(message, field, wanted).map(Some) } else { Ok(None) }
}

/// Short text that may be absent, without the spaces that pad it.
pub(super) fn text<const N: usize>(
    message: &Message<'_>,
    field: u8,
) -> Result<AsciiText<N>, FieldFault> {
    match message.text(field) {
        Err(ValueError::Absent(_)) => Ok(AsciiText::EMPTY),
        Ok(text) => AsciiText::new(text.as_bytes())
            .map_err(|_| FieldFault::Invalid { field, wanted: "short printable text" }),
        Err(_) => Err(FieldFault::Invalid { field, wanted: "text" }),
    }
}
