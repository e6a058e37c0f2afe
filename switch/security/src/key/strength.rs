//! What is no protection although it has the length of a key, and how strong a key is at most. It
//! owns both judgements; it never says anything of a key's bytes.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{InvalidKey, KeyCipher};

/// Bytes of a DES key.
pub(crate) const DES_KEY: usize = 8;

/// Bits that a search has to try, as PCI PIN annex C counts them: by the length of the key, parity
/// aside. Two-key triple DES stands below three-key, and all of DES below AES.
pub(crate) const fn strength(cipher: KeyCipher, bytes: usize) -> usize {
    match (cipher, bytes) {
        (KeyCipher::Des, _) => 56,
        (KeyCipher::Tdes, 16) => 80,
        (KeyCipher::Tdes, _) => 112,
        (KeyCipher::Aes, bytes) => bytes.saturating_mul(8),
    }
}

/// A DES key as it works: the lowest bit of each byte is parity, here odd.
pub(crate) fn with_odd_parity(byte: u8) -> u8 {
    let key = byte & 0xFE;
    key | u8::from(key.count_ones() & 1 == 0)
}

/// Whether every byte has odd parity.
pub(crate) fn has_odd_parity(key: &[u8]) -> bool {
    key.iter().fold(true, |odd, byte| odd & (*byte == with_odd_parity(*byte)))
}

/// Refuses keys of zeros, weak DES keys, and those in which a DES key comes twice.
pub(crate) fn refuse_weak(cipher: KeyCipher, key: &[u8]) -> Result<(), InvalidKey> {
    if cipher == KeyCipher::Aes {
        let zeros = key.iter().fold(0, |bits, byte| bits | byte) == 0;
        return if zeros { Err(InvalidKey::Weak) } else { Ok(()) };
    }
    let mut before: Vec<Zeroizing<[u8; DES_KEY]>> = Vec::with_capacity(2);
    for part in key.chunks_exact(DES_KEY) {
        // Compared as they work. The library's list has them odd.
        let mut odd = Zeroizing::new([0u8; DES_KEY]);
        for (slot, byte) in odd.iter_mut().zip(part) {
            *slot = with_odd_parity(*byte);
        }
        if des::weak_key_test(&*odd).is_err() {
            return Err(InvalidKey::Weak);
        }
        if before.iter().any(|before| bool::from(before.ct_eq(&*odd))) {
            return Err(InvalidKey::EqualParts);
        }
        before.push(odd);
    }
    Ok(())
}
