//! A fault that the stand-in makes when told to. Must happen once, at the request it is set for, so
//! that a test can count it.

use std::time::Duration;

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misbehaviour {
    /// DE39 is 96 instead of what it ought to be.
    WrongResponseCode,
    /// A field is missing.
    Omit(u8),
    /// A digits field has another value.
    Change(u8),
    /// DE38 is that of the first approval of the same card.
    OldApprovalCode,
    /// There is no answer.
    Silence,
    /// The answer comes twice.
    Twice,
    /// The answer is of another class, 0210.
    WrongType,
    /// The answer is no ISO 8583 message.
    Garbage,
    /// The connection is closed.
    Close,
    /// The whole connection stands still for so long before this answer.
    StallFor(Duration),
}

/// Misbehaviour at one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The message type of the requests that are counted: `0100`, `0101`, `0400`, `0401`; and
    /// resends of the same type are counted as type `again`.
    pub at: &'static str,
    /// Which of them, from 0.
    pub nth: u64,
    /// What happens.
    pub what: Misbehaviour,
}
