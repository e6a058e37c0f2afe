//! Requests made from an earlier one: reversals, completions, increments and repeats; and those
//! about the link itself. Must take over from the original what the standard says identifies it.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;

use super::numbers::{Numbers, transmitted_at};
use crate::iso::Message;

/// DE70 of a network management request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NetworkCode {
    /// 001.
    SignOn,
    /// 002.
    SignOff,
    /// 301.
    Echo,
}

impl NetworkCode {
    /// Three digits.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            NetworkCode::SignOn => "001",
            NetworkCode::SignOff => "002",
            NetworkCode::Echo => "301",
        }
    }
}

/// The 0800.
///
/// # Errors
/// Never with numbers from a [`super::NumberSource`].
pub fn network_management(code: NetworkCode, numbers: &Numbers) -> Result<Message> {
    Message::new("0800")?
        .with(7, &numbers.transmitted)?
        .with(11, &numbers.stan)?
        .with(70, code.code())
}

/// What a reversal must know of the request that it takes back. As text: DE90, DE37, DE12 and DE13
/// with slashes between.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Original {
    /// DE90: message type, STAN, DE7, acquirer and forwarding institution, 42 digits.
    pub elements: String,
    /// DE37.
    pub rrn: String,
    /// DE12.
    pub local_time: String,
    /// DE13.
    pub local_date: String,
}

impl Original {
    /// Of a request that was sent.
    ///
    /// # Errors
    /// When it lacks one of DE7, 11, 12, 13, 32, 37.
    pub fn of(request: &Message) -> Result<Original> {
        let field = |number: u8| {
            request.text(number).with_context(|| format!("the original has no field {number}"))
        };
        let mti = request.mti();
        let (stan, sent, acquirer) = (field(11)?, field(7)?, field(32)?);
        Ok(Original {
            elements: format!("{mti}{stan}{sent}{acquirer:0>11}{:0>11}", ""),
            rrn: field(37)?.to_owned(),
            local_time: field(12)?.to_owned(),
            local_date: field(13)?.to_owned(),
        })
    }
}

impl fmt::Display for Original {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Original { elements, rrn, local_time, local_date } = self;
        write!(f, "{elements}/{rrn}/{local_time}/{local_date}")
    }
}

impl FromStr for Original {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Original> {
        let parts: Vec<_> = text.split('/').map(str::to_owned).collect();
        let Ok([elements, rrn, local_time, local_date]) = <[String; 4]>::try_from(parts) else {
            bail!("give DE90, DE37, DE12 and DE13 of the original with slashes between");
        };
        Ok(Original { elements, rrn, local_time, local_date })
    }
}

/// The 0400 that takes a whole request back: own STAN and DE7, everything else as the original had
/// it.
///
/// # Errors
/// When the request is not one that can be reversed.
pub fn reversal_of(request: &Message, original: &Original, numbers: &Numbers) -> Result<Message> {
    let can_be = ["01", "02"].iter().any(|class| request.mti().starts_with(class));
    ensure!(can_be, "only authorizations and financial messages are reversed");
    let mut reversal = Message::new("0400")?;
    reversal.copy_from(request, &[2, 3, 4, 18, 22, 25, 32, 41, 42, 43, 49]);
    if let (None, Some(track)) = (request.bytes(2), request.text(35)) {
        // The acquirer's host reverses by number: it may not keep a track.
        reversal.set(2, track.split(['=', 'D']).next().unwrap_or_default())?;
    }
    reversal.set(7, &numbers.transmitted)?;
    reversal.set(11, &numbers.stan)?;
    reversal.set(12, &original.local_time)?;
    reversal.set(13, &original.local_date)?;
    reversal.set(37, &original.rrn)?;
    reversal.set(90, &original.elements)?;
    Ok(reversal)
}

/// The same as an advice, 0420.
///
/// # Errors
/// As [`reversal_of`].
pub fn reversal_advice_of(
    request: &Message,
    original: &Original,
    numbers: &Numbers,
) -> Result<Message> {
    reversal_of(request, original, numbers)?.retyped("0420")
}

/// The reversal that leaves so much of a request, in minor units: DE95.
///
/// # Errors
/// As [`reversal_of`].
pub fn partial_reversal_of(
    request: &Message,
    original: &Original,
    numbers: &Numbers,
    standing: u64,
) -> Result<Message> {
    reversal_of(request, original, numbers)?.with(95, format!("{standing:012}{:030}", 0))
}

/// The 0220 that settles an authorization for so much: own STAN and times, its reference number,
/// and DE90.
///
/// # Errors
/// When the request is no authorization.
pub fn completion_of(
    request: &Message,
    original: &Original,
    numbers: &Numbers,
    minor: u64,
) -> Result<Message> {
    ensure!(request.mti().starts_with("01"), "only authorizations are completed");
    let mut completion = request.clone().retyped("0220")?;
    completion.set(4, minor.to_string())?;
    completion.set(7, &numbers.transmitted)?;
    completion.set(11, &numbers.stan)?;
    completion.set(12, &numbers.local_time)?;
    completion.set(13, &numbers.local_date)?;
    completion.set(37, &original.rrn)?;
    completion.set(90, &original.elements)?;
    Ok(completion)
}

/// The 0100 that adds so much to an authorization, in minor units: own STAN and times, its
/// reference number, and DE90.
///
/// # Errors
/// When the request is no authorization.
pub fn increment_of(
    request: &Message,
    original: &Original,
    numbers: &Numbers,
    minor: u64,
) -> Result<Message> {
    completion_of(request, original, numbers, minor)?.retyped("0100")
}

/// The same request with the repeat digit in its type and a new transmission time: 0101, 0401.
///
/// # Errors
/// When the request is a repeat already.
pub fn repeat_of(request: &Message, now: Timestamp) -> Result<Message> {
    let mti = request.mti();
    let first = mti.strip_suffix('0').with_context(|| format!("{mti} cannot be repeated"))?;
    let mut repeat = request.clone().retyped(&format!("{first}1"))?;
    repeat.set(7, transmitted_at(now))?;
    Ok(repeat)
}
