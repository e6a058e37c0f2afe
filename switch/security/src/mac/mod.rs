//! Message authentication codes: which algorithms there are, and the keys they work with. It owns
//! the words; a key's bytes never leave `key`, and a code is only ever compared in constant time.

mod components;
mod key;
mod key_file;
mod machine;
mod ring;

use subtle::ConstantTimeEq;

pub use components::{ComponentError, combine};
pub use key::{InvalidMacKey, KeyCheckValue, MacCipher, MacKey};
pub use key_file::{MacKeyFileError, MacKeyName, MacKeys, NamedMacKey};
pub(crate) use ring::MacRing;
pub use ring::{MacError, MacKeyHandle};

/// Bytes of the longest code: a block of AES.
pub(crate) const MAX_MAC: usize = 16;

/// The fewest bytes of a code that are worth checking (ISO 16609).
pub const MIN_MAC: usize = 4;

/// What a MAC key is for; one key, one use. The names are the usages of ANSI X9.143 key blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MacAlgorithm {
    /// `M1`: ISO/IEC 9797-1 algorithm 1, CBC-MAC, with DES, triple DES or AES.
    CbcMac,
    /// `M3`: ISO/IEC 9797-1 algorithm 3, retail MAC (ANSI X9.19): two DES keys.
    RetailMac,
    /// `M6`: CMAC (NIST SP 800-38B; ISO/IEC 9797-1 algorithm 5), with triple DES or AES.
    Cmac,
}

impl MacAlgorithm {
    const ALL: [Self; 3] = [Self::CbcMac, Self::RetailMac, Self::Cmac];

    /// The usage of X9.143.
    #[must_use]
    pub const fn usage(self) -> &'static str {
        match self {
            Self::CbcMac => "M1",
            Self::RetailMac => "M3",
            Self::Cmac => "M6",
        }
    }

    /// From the usage of X9.143.
    #[must_use]
    pub fn from_usage(usage: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.usage() == usage)
    }
}

/// How the last block of a message is filled up (ISO/IEC 9797-1 clause 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MacPadding {
    /// Method 1: with zeros, as few as may be; an empty message is one block of them.
    Zeros,
    /// Method 2: with a bit that is set, then zeros; there is always such a bit.
    OneThenZeros,
}

/// An algorithm with all that it leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MacScheme {
    /// CBC-MAC with this padding.
    CbcMac(MacPadding),
    /// Retail MAC with this padding.
    RetailMac(MacPadding),
    /// CMAC, which has a padding of its own.
    Cmac,
}

impl MacScheme {
    /// The algorithm.
    #[must_use]
    pub const fn algorithm(self) -> MacAlgorithm {
        match self {
            Self::CbcMac(_) => MacAlgorithm::CbcMac,
            Self::RetailMac(_) => MacAlgorithm::RetailMac,
            Self::Cmac => MacAlgorithm::Cmac,
        }
    }

    pub(crate) const fn padding(self) -> MacPadding {
        match self {
            Self::CbcMac(padding) | Self::RetailMac(padding) => padding,
            Self::Cmac => MacPadding::OneThenZeros,
        }
    }
}

/// A code over a message, as long as the cipher's block: 8 bytes, or 16 of AES. It goes on the wire
/// shortened from the right.
#[derive(Clone, Copy)]
pub struct Mac {
    bytes: [u8; MAX_MAC],
    length: usize,
}

impl Mac {
    pub(crate) fn new(block: &[u8]) -> Self {
        let mut bytes = [0; MAX_MAC];
        let length = block.len().min(MAX_MAC);
        for (slot, byte) in bytes.iter_mut().zip(block) {
            *slot = *byte;
        }
        Self { bytes, length }
    }

    /// The first bytes of it; `None` where it has fewer.
    #[must_use]
    pub fn shortened(&self, bytes: usize) -> Option<&[u8]> {
        self.bytes.get(..self.length)?.get(..bytes)
    }

    /// Whether it begins with these bytes: [`MIN_MAC`] of them at least, and no more than it has.
    /// Takes the same time whatever they are.
    pub(crate) fn begins_with(&self, claimed: &[u8]) -> bool {
        let Some(ours) = self.shortened(claimed.len()) else { return false };
        claimed.len() >= MIN_MAC && bool::from(ours.ct_eq(claimed))
    }
}
