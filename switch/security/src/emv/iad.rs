//! Where things stand in issuer application data (tag 9F10), whose inside is each scheme's own. It
//! owns the reading by a profile's layout, and never reads past what came.

/// Some bytes of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IadPart {
    /// The first of them, from 0.
    pub from: u8,
    /// How many.
    pub length: u8,
}

impl IadPart {
    /// These bytes; `None` where there are not so many.
    #[must_use]
    pub fn of<'a>(&self, iad: &'a [u8]) -> Option<&'a [u8]> {
        iad.get(usize::from(self.from)..)?.get(..usize::from(self.length))
    }
}

/// The layout of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IadLayout {
    /// Fewest and most bytes.
    pub lengths: (u8, u8),
    /// What the first byte must be, where it is no value of the card's own.
    pub first: Option<u8>,
    /// Where the cryptogram version number stands.
    pub version_at: u8,
    /// Where the index of the derivation key stands.
    pub key_index_at: u8,
    /// The card verification results.
    pub results: IadPart,
}

impl IadLayout {
    /// Whether data may be of this layout.
    #[must_use]
    pub fn fits(&self, iad: &[u8]) -> bool {
        let (fewest, most) = self.lengths;
        (usize::from(fewest)..=usize::from(most)).contains(&iad.len())
            && self.first.is_none_or(|first| iad.first() == Some(&first))
    }

    pub(super) fn version(&self, iad: &[u8]) -> Option<u8> {
        iad.get(usize::from(self.version_at)).copied()
    }
}
