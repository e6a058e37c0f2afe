//! Keys made ready for their cipher, once when a key is loaded and not when a message comes. It
//! owns which form a usage works with; the ciphers stand in `block_cipher`.

use super::{KeyCipher, KeyUsage};
use crate::block_cipher::{Aes, TripleDes};
use crate::mac::{Machine, machine};

/// A key as its usage works with it.
pub(crate) enum Schedule {
    /// Of authentication codes.
    Mac(Machine),
    /// Anything else of triple DES.
    Tdes(Box<TripleDes>),
    /// Anything else of AES.
    Aes(Box<Aes>),
}

impl Schedule {
    /// `None` for what no key of this usage is.
    pub(crate) fn new(usage: KeyUsage, cipher: KeyCipher, key: &[u8]) -> Option<Self> {
        match (usage, cipher) {
            (KeyUsage::M1 | KeyUsage::M3 | KeyUsage::M6, _) => {
                machine(usage, cipher, key).map(Self::Mac)
            }
            (_, KeyCipher::Tdes) => Some(Self::Tdes(Box::new(TripleDes::new(key)?))),
            (_, KeyCipher::Aes) => Some(Self::Aes(Box::new(Aes::new(key)?))),
            (_, KeyCipher::Des) => None,
        }
    }
}
