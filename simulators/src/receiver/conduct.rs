//! How a receiver answers. Must be decided by what it was told alone.

/// What is done with a message, once it came whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// This status, and a few words.
    Status(u16),
    /// This status, and not to come again for so many seconds.
    RetryAfter(u16, u32),
    /// To ask elsewhere.
    Redirect(String),
    /// 200, and a body that does not end.
    Endless,
    /// Nothing, ever.
    Hang,
    /// The connection ends.
    Cut,
}
