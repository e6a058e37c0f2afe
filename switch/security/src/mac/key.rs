//! One MAC key: its bytes while it lives, what it may be used for, and its check value. It never
//! shows the bytes, and refuses a key that is no protection.

use std::fmt;

use aes::{Aes128, Aes192, Aes256};
use cmac::{Cmac, KeyInit};
use des::cipher::{Array, BlockCipherEncrypt, BlockSizeUser};
use des::{Des, TdesEde2, TdesEde3};
use zeroize::Zeroizing;

use super::MacAlgorithm;

/// Bytes of the longest key.
pub(crate) const MAX_KEY: usize = 32;
const DES_KEY: usize = 8;
/// Bytes of a check value; more would give away more (PCI PIN).
const KCV: usize = 3;

/// The cipher of a MAC key, with the letters of ANSI X9.143 key blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MacCipher {
    /// `D`: DES with one key of 8 bytes. Broken by search: for peers that have nothing else.
    Des,
    /// `T`: triple DES, 16 or 24 bytes.
    Tdes,
    /// `A`: AES, 16, 24 or 32 bytes.
    Aes,
}

impl MacCipher {
    const ALL: [Self; 3] = [Self::Des, Self::Tdes, Self::Aes];

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
    pub(crate) fn of(cipher: MacCipher, key: &[u8]) -> Option<Self> {
        match (cipher, key.len()) {
            (MacCipher::Des, 8) => encrypted_zeros(&Des::new_from_slice(key).ok()?),
            (MacCipher::Tdes, 16) => encrypted_zeros(&TdesEde2::new_from_slice(key).ok()?),
            (MacCipher::Tdes, 24) => encrypted_zeros(&TdesEde3::new_from_slice(key).ok()?),
            (MacCipher::Aes, 16) => cmac_of_zeros(Cmac::<Aes128>::new_from_slice(key).ok()?),
            (MacCipher::Aes, 24) => cmac_of_zeros(Cmac::<Aes192>::new_from_slice(key).ok()?),
            (MacCipher::Aes, 32) => cmac_of_zeros(Cmac::<Aes256>::new_from_slice(key).ok()?),
            _ => None,
        }
    }
}

fn encrypted_zeros<C: BlockCipherEncrypt>(cipher: &C) -> Option<KeyCheckValue> {
    let mut block = Array::<u8, C::BlockSize>::default();
    cipher.encrypt_block(&mut block);
    block.first_chunk().copied().map(KeyCheckValue)
}

fn cmac_of_zeros<M: cmac::Mac + BlockSizeUser>(mut mac: M) -> Option<KeyCheckValue> {
    mac.update(&Array::<u8, M::BlockSize>::default());
    mac.finalize().into_bytes().first_chunk().copied().map(KeyCheckValue)
}

/// Why bytes are no MAC key. Says nothing of them but their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMacKey {
    /// No key of this cipher has so many bytes.
    #[error("a key of {bytes} bytes: {wanted}")]
    Length {
        /// How many there are.
        bytes: usize,
        /// What the algorithm takes.
        wanted: &'static str,
    },
    /// All zeros, or one of the DES keys that encrypt to themselves in turn.
    #[error("the key, or a DES key of it, is all zeros or one of the weak ones")]
    Weak,
    /// Triple DES with equal neighbours is no stronger than DES.
    #[error("two neighbouring DES keys of it are equal, and so it is no stronger than DES")]
    EqualParts,
}

/// A MAC key. It cannot be copied, is wiped on drop, and cannot be printed:
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<switch_security::MacKey>();
/// ```
pub struct MacKey {
    algorithm: MacAlgorithm,
    cipher: MacCipher,
    bytes: Zeroizing<[u8; MAX_KEY]>,
    length: usize,
    check_value: KeyCheckValue,
}

impl MacKey {
    /// From its bytes, which the caller wipes. The parity of DES keys is not looked at: peers
    /// differ in it, and the check value tells of a wrong digit.
    ///
    /// # Errors
    /// No key of this algorithm and cipher has this length, or it is a weak one.
    pub fn new(
        algorithm: MacAlgorithm,
        cipher: MacCipher,
        key: &[u8],
    ) -> Result<Self, InvalidMacKey> {
        let (lengths, wanted): (&[usize], _) = match (algorithm, cipher) {
            (MacAlgorithm::CbcMac, MacCipher::Des) => (&[8], "M1 with DES takes 8"),
            (MacAlgorithm::RetailMac, MacCipher::Tdes) => (&[16], "M3 takes 16, two DES keys"),
            (_, MacCipher::Tdes) => (&[16, 24], "triple DES takes 16 or 24"),
            (MacAlgorithm::CbcMac | MacAlgorithm::Cmac, MacCipher::Aes) => {
                (&[16, 24, 32], "AES takes 16, 24 or 32")
            }
            (MacAlgorithm::RetailMac, _) => (&[], "M3 goes with triple DES (T) alone"),
            (MacAlgorithm::Cmac, MacCipher::Des) => (&[], "M6 goes with T or A, not with DES"),
        };
        let length = key.len();
        let check_value = KeyCheckValue::of(cipher, key).filter(|_| lengths.contains(&length));
        let check_value = check_value.ok_or(InvalidMacKey::Length { bytes: length, wanted })?;
        refuse_weak(cipher, key)?;
        let mut bytes = Zeroizing::new([0; MAX_KEY]);
        for (slot, byte) in bytes.iter_mut().zip(key) {
            *slot = *byte;
        }
        Ok(Self { algorithm, cipher, bytes, length, check_value })
    }

    /// What it may be used for.
    #[must_use]
    pub const fn algorithm(&self) -> MacAlgorithm {
        self.algorithm
    }

    /// Its cipher.
    #[must_use]
    pub const fn cipher(&self) -> MacCipher {
        self.cipher
    }

    /// Its check value, which may be shown.
    #[must_use]
    pub const fn check_value(&self) -> KeyCheckValue {
        self.check_value
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

fn refuse_weak(cipher: MacCipher, key: &[u8]) -> Result<(), InvalidMacKey> {
    if cipher == MacCipher::Aes {
        let zeros = key.iter().fold(0, |bits, byte| bits | byte) == 0;
        return if zeros { Err(InvalidMacKey::Weak) } else { Ok(()) };
    }
    let mut before = None;
    for part in key.chunks_exact(DES_KEY) {
        // Compared as they work: the lowest bit of each byte is parity. The list has it odd.
        let mut odd = Zeroizing::new([0u8; DES_KEY]);
        for (slot, byte) in odd.iter_mut().zip(part) {
            let key = byte & 0xFE;
            *slot = key | u8::from(key.count_ones() & 1 == 0);
        }
        if des::weak_key_test(&*odd).is_err() {
            return Err(InvalidMacKey::Weak);
        }
        if before.replace(odd.clone()).is_some_and(|before| *before == *odd) {
            return Err(InvalidMacKey::EqualParts);
        }
    }
    Ok(())
}
