//! Where the verification of a corporation (KYB) stands, and where operators may move it (SR-036,
//! It owns the table of moves; it knows no database and no clock.

/// Where a verification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KybState {
    /// It waits for its documents, or for somebody to look at them.
    Pending,
    /// The company is what it says: it may have accounts and cards.
    Approved,
    /// It was not shown, or is not wanted; it can be looked at again.
    Rejected,
    /// Something has to be found out first: nothing new is made meanwhile.
    OnHold,
}

/// Why a move is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMove {
    /// From here there is no way there.
    #[error("a corporation does not go from {} to {}", .0.name(), .1.name())]
    NoWay(KybState, KybState),
    /// There is nothing that it could have been decided by.
    #[error("a corporation without a document is not approved")]
    NoDocument,
}

impl KybState {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Approved, Self::Rejected, Self::OnHold];

    /// As in tables and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
            Self::OnHold => "ON_HOLD",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Whether an operator may move a verification, of a corporation that has documents or none.
///
/// # Errors
/// Why not.
pub const fn judge(from: KybState, to: KybState, has_documents: bool) -> Result<(), NoMove> {
    use KybState::{Approved, OnHold, Pending, Rejected};
    match (from, to) {
        (Pending, Approved) if !has_documents => Err(NoMove::NoDocument),
        // Who has accounts is put on hold before anything else is decided of it. A hold is ended
        // before anybody approves: who had not seen it does not override it.
        (Pending, Approved | Rejected | OnHold)
        | (OnHold, Pending | Rejected)
        | (Approved, OnHold)
        | (Rejected, Pending) => Ok(()),
        _ => Err(NoMove::NoWay(from, to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every move that there is; all others are refused.
    const MOVES: &[(&str, &str)] = &[
        ("PENDING", "APPROVED"),
        ("PENDING", "REJECTED"),
        ("PENDING", "ON_HOLD"),
        ("ON_HOLD", "PENDING"),
        ("ON_HOLD", "REJECTED"),
        ("APPROVED", "ON_HOLD"),
        ("REJECTED", "PENDING"),
    ];

    // covers: SR-036
    #[test]
    fn every_move_is_made_or_refused_as_the_table_says_and_none_approves_without_a_document() {
        let mut seen = 0;
        for from in KybState::ALL {
            for to in KybState::ALL {
                let is_move = MOVES.contains(&(from.name(), to.name()));
                let expected = if is_move { Ok(()) } else { Err(NoMove::NoWay(from, to)) };
                assert_eq!(judge(from, to, true), expected, "{from:?} {to:?}");
                let bare = match (is_move, to) {
                    (true, KybState::Approved) => Err(NoMove::NoDocument),
                    _ => expected,
                };
                assert_eq!(judge(from, to, false), bare, "{from:?} {to:?} without documents");
                seen += 1;
            }
            assert_eq!(KybState::named(from.name()), Some(from));
        }
        assert_eq!((seen, KybState::named("approved")), (16, None));
    }
}
