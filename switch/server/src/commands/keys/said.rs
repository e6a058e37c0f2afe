//! How keys are described on the command line: by the letters of key blocks, and ciphers by name.

use std::str::FromStr;

use clap::ValueEnum;
use switch_security::{Exportability, KeyCipher, KeyMode, KeyUsage};

/// What a key is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage(pub(super) KeyUsage);

impl FromStr for Usage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        KeyUsage::from_code(text).map(Self).ok_or_else(|| {
            let known = KeyUsage::ALL.map(|usage| format!("{usage} ({})", usage.words()));
            format!("one of {}", known.join(", "))
        })
    }
}

/// Which way round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode(pub(super) KeyMode);

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = "B both ways, C make and verify, D decrypt, E encrypt, G make, N any, \
                     V verify, X derive";
        KeyMode::from_letter(text).map(Self).ok_or_else(|| known.to_owned())
    }
}

/// How far it may go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exportable(pub(super) Exportability);

impl FromStr for Exportable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = "E in any form, S in key blocks, N nowhere";
        Exportability::from_letter(text).map(Self).ok_or_else(|| known.to_owned())
    }
}

/// The cipher of a key.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Cipher {
    /// One DES key, for codes of peers that have nothing else
    Des,
    /// Two or three DES keys
    Tdes,
    /// 128, 192 or 256 bits
    Aes,
}

impl From<Cipher> for KeyCipher {
    fn from(cipher: Cipher) -> Self {
        match cipher {
            Cipher::Des => Self::Des,
            Cipher::Tdes => Self::Tdes,
            Cipher::Aes => Self::Aes,
        }
    }
}

/// A cipher in words.
pub(super) const fn cipher_words(cipher: KeyCipher) -> &'static str {
    match cipher {
        KeyCipher::Des => "DES",
        KeyCipher::Tdes => "triple DES",
        KeyCipher::Aes => "AES",
    }
}
