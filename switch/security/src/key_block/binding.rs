//! How a block of versions B and D binds its header to its key: two keys derived from the one that
//! protects it, one for the code over both, one for the encryption, whose vector is the code
//! (X9.143 clause 7). It owns derivation, code and chaining; the ciphers are the libraries'.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{BlockVersion, KeyBlockError};
use crate::block_cipher::{Aes, TripleDes};
use crate::key::{Key, KeyCipher, KeyUsage, SecretBytes};
use crate::mac::{MacPadding, Machine, machine};

/// What a derived key is for.
const ENCRYPTION: u8 = 0;
const AUTHENTICATION: u8 = 1;

enum Cipher {
    Tdes(TripleDes),
    Aes(Aes),
}

/// The two keys of a block.
pub(super) struct Binding {
    version: BlockVersion,
    cipher: Cipher,
    authentication: Machine,
}

impl Binding {
    pub(super) fn new(version: BlockVersion, protection: &Key) -> Result<Self, KeyBlockError> {
        let unfit = KeyBlockError::ProtectionCipher { version };
        if protection.cipher() != version.cipher() {
            return Err(unfit);
        }
        let derived = |purpose| derive(protection, purpose).ok_or_else(|| unfit.clone());
        let (encryption, authentication) = (derived(ENCRYPTION)?, derived(AUTHENTICATION)?);
        let cipher = match version.cipher() {
            KeyCipher::Aes => Aes::new(encryption.as_slice()).map(Cipher::Aes),
            _ => TripleDes::new(encryption.as_slice()).map(Cipher::Tdes),
        };
        let authentication = authentication.as_slice();
        let authentication = machine(KeyUsage::M6, version.cipher(), authentication);
        Ok(Self {
            version,
            cipher: cipher.ok_or_else(|| unfit.clone())?,
            authentication: authentication.ok_or(unfit)?,
        })
    }

    /// The code over header and content.
    pub(super) fn code(&self, message: &[u8]) -> Vec<u8> {
        let code = self.authentication.mac(MacPadding::OneThenZeros, message);
        code.shortened(self.version.code_bytes()).unwrap_or_default().to_vec()
    }

    /// Encrypts whole blocks where they stand.
    pub(super) fn encrypt(&self, vector: &[u8], content: &mut [u8]) {
        let mut before = Zeroizing::new(vector.to_vec());
        for block in content.chunks_exact_mut(self.version.block_bytes()) {
            mix(block, &before);
            self.one(block, true);
            before.copy_from_slice(block);
        }
    }

    /// Decrypts whole blocks where they stand.
    pub(super) fn decrypt(&self, vector: &[u8], content: &mut [u8]) {
        let mut before = vector.to_vec();
        for block in content.chunks_exact_mut(self.version.block_bytes()) {
            let cipher = block.to_vec();
            self.one(block, false);
            mix(block, &before);
            before = cipher;
        }
    }

    fn one(&self, block: &mut [u8], encrypt: bool) {
        match &self.cipher {
            Cipher::Tdes(key) if encrypt => in_place(block, |block| key.encrypt(block)),
            Cipher::Tdes(key) => in_place(block, |block| key.decrypt(block)),
            Cipher::Aes(key) if encrypt => in_place(block, |block| key.encrypt(block)),
            Cipher::Aes(key) => in_place(block, |block| key.decrypt(block)),
        }
    }
}

/// Bytes of length, key and filling: as for the longest key of the cipher, in whole blocks.
pub(super) const fn clear_length(version: BlockVersion, cipher: KeyCipher) -> usize {
    let longest: usize = match cipher {
        KeyCipher::Des | KeyCipher::Tdes => 24,
        KeyCipher::Aes => 32,
    };
    longest.saturating_add(2).next_multiple_of(version.block_bytes())
}

/// Whether two codes are the same, in constant time.
pub(super) fn same(ours: &[u8], theirs: &[u8]) -> bool {
    bool::from(ours.ct_eq(theirs))
}

fn in_place<const N: usize>(block: &mut [u8], by: impl FnOnce([u8; N]) -> [u8; N]) {
    if let Some(chunk) = block.first_chunk_mut::<N>() {
        *chunk = by(*chunk);
    }
}

fn mix(block: &mut [u8], with: &[u8]) {
    block.iter_mut().zip(with).for_each(|(slot, byte)| *slot ^= byte);
}

/// A key as long as the one that protects, by CMAC in counter mode (SP 800-108): counter, purpose,
/// separator, algorithm, bits.
fn derive(protection: &Key, purpose: u8) -> Option<SecretBytes> {
    let (cipher, length) = (protection.cipher(), protection.length());
    let algorithm = match (cipher, length) {
        (KeyCipher::Tdes, 16) => 0,
        (KeyCipher::Tdes, 24) => 1,
        (KeyCipher::Aes, 16) => 2,
        (KeyCipher::Aes, 24) => 3,
        (KeyCipher::Aes, 32) => 4,
        _ => return None,
    };
    let [high, low] = u16::try_from(length.checked_mul(8)?).ok()?.to_be_bytes();
    let machine = machine(KeyUsage::M6, cipher, protection.bytes())?;
    let mut room = SecretBytes::new(protection.bytes())?;
    let block = if cipher == KeyCipher::Aes { 16 } else { 8 };
    let pieces = room.as_mut_slice().chunks_mut(block);
    for (counter, piece) in (1u8..).zip(pieces) {
        let input = [counter, 0, purpose, 0, 0, algorithm, high, low];
        let output = machine.mac(MacPadding::OneThenZeros, &input);
        let output = output.shortened(piece.len())?;
        piece.copy_from_slice(output);
    }
    Some(room)
}
