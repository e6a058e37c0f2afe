//! The cipher that a key is of. It owns the letters of key blocks; how strong a key is stands in
//! `strength`.

/// The cipher of a key, with the letters of ANSI X9.143 key blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyCipher {
    /// `D`: DES with one key of 8 bytes. Broken by search: for codes of peers that have nothing
    /// else.
    Des,
    /// `T`: triple DES, 16 or 24 bytes.
    Tdes,
    /// `A`: AES, 16, 24 or 32 bytes.
    Aes,
}

impl KeyCipher {
    /// Every cipher.
    pub const ALL: [Self; 3] = [Self::Des, Self::Tdes, Self::Aes];

    /// The letter of X9.143.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Des => "D",
            Self::Tdes => "T",
            Self::Aes => "A",
        }
    }

    /// From the letter of X9.143.
    #[must_use]
    pub fn from_letter(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.letter() == letter)
    }
}
