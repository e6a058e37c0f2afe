//! Whether a key may leave in another block. It owns the order of the three: who takes a key in may
//! hold it closer than it came, never looser.

/// How far a key may go, with the letters of X9.143; later ones let it go further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exportability {
    /// `N`: it stays.
    Never,
    /// `S`: in a key block, under a key that is trusted for that.
    Sensitive,
    /// `E`: in any form.
    Exportable,
}

impl Exportability {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Never, Self::Sensitive, Self::Exportable];

    /// The letter of X9.143.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Never => "N",
            Self::Sensitive => "S",
            Self::Exportable => "E",
        }
    }

    /// From the letter of X9.143.
    #[must_use]
    pub fn from_letter(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.letter() == letter)
    }
}
