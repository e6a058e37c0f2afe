//! Check values: what tells keys apart and may be shown. It owns how many bytes that is, and the
//! two ways of AES, which nobody can tell apart by looking.

use std::fmt;

use super::KeyCipher;
use crate::block_cipher::{Aes, TripleDes};
use cmac::{Cmac, KeyInit};
use des::Des;
use des::cipher::{Array, BlockCipherEncrypt, BlockSizeUser};

/// Bytes of a check value; more would give away more (PCI PIN).
const KCV: usize = 3;

/// Which check value of an AES key is meant. Of DES keys there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CheckMethod {
    /// Of AES keys a CMAC over a block of zeros (X9.143).
    #[default]
    Cmac,
    /// Of AES keys a block of zeros encrypted, as with DES: the old way, of peers that say so.
    EncryptedZeros,
}

/// Three bytes that tell a key from others without revealing it: of zeros encrypted (DES), of a
/// CMAC over a block of zeros (AES).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyCheckValue([u8; KCV]);

impl fmt::Display for KeyCheckValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for KeyCheckValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyCheckValue({self})")
    }
}

impl KeyCheckValue {
    /// From six hexadecimal digits, of either case.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        let mut bytes = [0; KCV];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// Of these bytes as a key of this cipher; `None` where the length is none of its own.
    pub(crate) fn of(cipher: KeyCipher, method: CheckMethod, key: &[u8]) -> Option<Self> {
        match cipher {
            KeyCipher::Des => {
                let mut block = Array::<u8, <Des as BlockSizeUser>::BlockSize>::default();
                Des::new_from_slice(key).ok()?.encrypt_block(&mut block);
                Self::beginning(&block)
            }
            KeyCipher::Tdes => Self::beginning(&TripleDes::new(key)?.encrypt([0; 8])),
            KeyCipher::Aes if method == CheckMethod::EncryptedZeros => {
                Self::beginning(&Aes::new(key)?.encrypt([0; 16]))
            }
            KeyCipher::Aes => match key.len() {
                16 => cmac_of_zeros(Cmac::<aes::Aes128>::new_from_slice(key).ok()?),
                24 => cmac_of_zeros(Cmac::<aes::Aes192>::new_from_slice(key).ok()?),
                32 => cmac_of_zeros(Cmac::<aes::Aes256>::new_from_slice(key).ok()?),
                _ => None,
            },
        }
    }

    fn beginning(block: &[u8]) -> Option<Self> {
        block.first_chunk().copied().map(Self)
    }
}

fn cmac_of_zeros<M: cmac::Mac + BlockSizeUser>(mut mac: M) -> Option<KeyCheckValue> {
    mac.update(&Array::<u8, M::BlockSize>::default());
    KeyCheckValue::beginning(&mac.finalize().into_bytes())
}
