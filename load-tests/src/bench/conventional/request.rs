//! A message as the conventional server needs it. It owns which fields must be there; what they may
//! hold is the checks' affair.

use codecs::iso8583::{Message, ValueError};

use super::fill::token;

/// An authorization request.
pub(crate) struct Asked {
    pub(crate) token: i64,
    pub(crate) expiry: i16,
    pub(crate) amount: i64,
    pub(crate) currency: i16,
    pub(crate) stan: i32,
    pub(crate) rrn: String,
    pub(crate) local_time: i64,
    pub(crate) terminal: String,
    pub(crate) acquirer: String,
    pub(crate) mcc: i16,
    pub(crate) entry_mode: i16,
    pub(crate) merchant: String,
}

/// A reversal.
pub(crate) struct Reversal {
    pub(crate) token: i64,
    /// DE11 of the original, by DE90.
    pub(crate) stan: i32,
    pub(crate) rrn: String,
    pub(crate) terminal: String,
    pub(crate) acquirer: String,
}

/// A field that cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable;

impl From<ValueError> for Unreadable {
    fn from(_: ValueError) -> Unreadable {
        Unreadable
    }
}

/// Reads an authorization request.
pub(crate) fn authorization(message: &Message<'_>) -> Result<Asked, Unreadable> {
    let small = |field| i16::try_from(message.number(field)?).map_err(|_| Unreadable);
    let date = message.number(13)?;
    let time = message.number(12)?;
    Ok(Asked {
        token: token(message.number(2)?),
        expiry: small(14)?,
        amount: i64::try_from(message.number(4)?).map_err(|_| Unreadable)?,
        currency: small(49)?,
        stan: i32::try_from(message.number(11)?).map_err(|_| Unreadable)?,
        rrn: text(message, 37)?,
        local_time: i64::try_from(date * 1_000_000 + time).map_err(|_| Unreadable)?,
        terminal: text(message, 41)?,
        acquirer: text(message, 32)?,
        mcc: small(18)?,
        entry_mode: small(22)?,
        merchant: text(message, 42)?,
    })
}

/// Reads a reversal.
pub(crate) fn reversal(message: &Message<'_>) -> Result<Reversal, Unreadable> {
    let mut original = [0; 42];
    let digits = message.digits(90, &mut original)?;
    let stan = digits.get(4..10).and_then(|digits| std::str::from_utf8(digits).ok());
    Ok(Reversal {
        token: token(message.number(2)?),
        stan: stan.and_then(|digits| digits.parse().ok()).ok_or(Unreadable)?,
        rrn: text(message, 37)?,
        terminal: text(message, 41)?,
        acquirer: text(message, 32)?,
    })
}

fn text(message: &Message<'_>, field: u8) -> Result<String, Unreadable> {
    let content = message.content(field).ok_or(Unreadable)?;
    Ok(std::str::from_utf8(content).map_err(|_| Unreadable)?.trim_end().to_owned())
}
