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
    /// This status, and a body of which nothing comes.
    Open(u16),
    /// Nothing, ever.
    Hang,
    /// The connection ends.
    Cut,
}
