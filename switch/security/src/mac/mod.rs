//! Message authentication codes: which algorithms there are, and how a code is made and verified
//! with a key of the ring. It owns the words; a code is only ever compared in constant time.

mod key_file;
mod machine;

use subtle::ConstantTimeEq;
use switch_domain::Timestamp;

use crate::key::{Function, Key, KeyError, KeyHandle, KeyRing, KeyUsage};
pub use key_file::{MacKeyFileError, MacKeys};
pub(crate) use machine::{Machine, machine};

/// Bytes of the longest code: a block of AES.
pub(crate) const MAX_MAC: usize = 16;

/// The fewest bytes of a code that are worth checking (ISO 16609).
pub const MIN_MAC: usize = 4;

/// How a code is made, and so what a key of codes is for.
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

    /// The usage of its keys.
    #[must_use]
    pub const fn usage(self) -> KeyUsage {
        match self {
            Self::CbcMac => KeyUsage::M1,
            Self::RetailMac => KeyUsage::M3,
            Self::Cmac => KeyUsage::M6,
        }
    }

    /// The one whose keys have this usage; `None` where they are not for codes.
    #[must_use]
    pub fn from_usage(usage: KeyUsage) -> Option<Self> {
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

/// Why there is no code, or why one is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacError {
    /// The key is not there, or not for that.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The code is not that of this message under this key, or has too few bytes.
    #[error("the code is not that of the message")]
    Incorrect,
}

/// The code over a message, with the active version of a key.
pub(crate) fn generate(
    ring: &KeyRing,
    key: KeyHandle,
    scheme: MacScheme,
    message: &[u8],
) -> Result<Mac, MacError> {
    let function = Function::GenerateMac(scheme.algorithm());
    code(ring.active(key, function)?, scheme, message)
}

/// Compares the code over a message with one that came. Only where it is not that of the active
/// version are those tried that are still taken: a peer may not have changed its key yet. The
/// number of the version that it was made with, and whether that is the active one.
pub(crate) fn verify(
    ring: &KeyRing,
    key: KeyHandle,
    scheme: MacScheme,
    message: &[u8],
    claimed: &[u8],
    now: impl FnOnce() -> Timestamp,
) -> Result<(u32, bool), MacError> {
    let function = Function::VerifyMac(scheme.algorithm());
    for (place, (version, key)) in ring.accepted(key, function, now)?.enumerate() {
        if code(key, scheme, message)?.begins_with(claimed) {
            return Ok((version, place == 0));
        }
    }
    Err(MacError::Incorrect)
}

fn code(key: &Key, scheme: MacScheme, message: &[u8]) -> Result<Mac, MacError> {
    // The ring gives keys of codes alone for codes.
    let machine = key.machine().ok_or(KeyError::UnknownHandle)?;
    Ok(machine.mac(scheme.padding(), message))
}
