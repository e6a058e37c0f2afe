//! What surrounds a message in the tests of its translation: one link, no card, no tolerance.

use switch_domain::{CardId, Channel, Fingerprint, LinkId, Pan, Tolerance};

use super::Surroundings;

/// A link whose network converts, or does not.
pub(super) struct Around {
    pub(super) converts: bool,
}

impl Surroundings for Around {
    fn link(&self) -> LinkId {
        LinkId(7)
    }

    fn fingerprint(&self, _: &Pan) -> Fingerprint {
        Fingerprint([7; 16])
    }

    fn find(&self, _: &Fingerprint) -> Option<CardId> {
        None
    }

    fn tolerance(&self, _: u16, _: Channel) -> Tolerance {
        Tolerance::default()
    }

    fn network_converts(&self) -> bool {
        self.converts
    }
}
