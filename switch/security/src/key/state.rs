//! Where a version of a key stands in its life (PCI DSS 3.7): pending, active, old, destroyed. It
//! owns the order of these; who moves a key on is the ring's affair.

use switch_domain::Timestamp;

/// Where a version of a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Known, and nothing is made with it yet. What comes under it is taken: its other holder has
    /// begun to use it.
    Pending,
    /// The one that new codes, values and cryptograms are made with.
    Active,
    /// Another is active: what was made with this one is still taken, until then.
    Old {
        /// From when on it is not.
        until: Timestamp,
    },
    /// Wiped; that it was there is all that is known.
    Destroyed,
}

impl KeyState {
    /// As lists call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Old { .. } => "old",
            Self::Destroyed => "destroyed",
        }
    }
}
