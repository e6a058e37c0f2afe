//! A block in force: a merchant that may try no more cards of a BIN for a while. It owns what is
//! known of one; it refuses nothing by itself.

use switch_domain::Timestamp;

use crate::Pair;
use crate::kind::Kind;

/// A block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Whom it is of.
    pub pair: Pair,
    /// For what.
    pub kind: Kind,
    /// How many of these there were.
    pub count: u32,
    /// The limit that this reached.
    pub limit: u32,
    /// When it began.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
    /// True where it refuses nothing, and only counts whom it would refuse.
    pub shadow: bool,
    /// Attempts that met it.
    pub met: u64,
}

/// What is to become of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is decided as any other.
    Free,
    /// The same; it would be refused if blocks were in force.
    Shadow,
    /// It is refused.
    Blocked,
}
