//! Two DES keys, scheduled once, as card algorithms use them: alone, or as triple DES. It owns the
//! two ways; which of them an algorithm takes is the algorithm's. The schedules are wiped on drop.

use des::Des;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

/// Bytes of a block, and of one of the two keys.
pub(crate) const BLOCK: usize = 8;

/// A block of DES.
pub(crate) type Block = [u8; BLOCK];

/// A double-length key: A and B of card verification, left and right half of everything else.
pub(crate) struct DesPair {
    left: Des,
    right: Des,
}

impl DesPair {
    /// Of a key of 16 bytes; `None` of any other length.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        let (left, right) = key.split_at_checked(BLOCK)?;
        let right = Des::new_from_slice(right).ok()?;
        Some(Self { left: Des::new_from_slice(left).ok()?, right })
    }

    /// Of its two halves.
    pub(crate) fn of_halves(left: &Block, right: &Block) -> Self {
        Self { left: Des::new(left.into()), right: Des::new(right.into()) }
    }

    /// Encrypts with the left key alone.
    pub(crate) fn encrypt_left(&self, mut block: Block) -> Block {
        self.left.encrypt_block((&mut block).into());
        block
    }

    /// Triple DES: encrypts left, decrypts right, encrypts left.
    pub(crate) fn encrypt(&self, mut block: Block) -> Block {
        self.left.encrypt_block((&mut block).into());
        self.right.decrypt_block((&mut block).into());
        self.left.encrypt_block((&mut block).into());
        block
    }

    /// The inverse of [`Self::encrypt`].
    pub(crate) fn decrypt(&self, mut block: Block) -> Block {
        self.left.decrypt_block((&mut block).into());
        self.right.encrypt_block((&mut block).into());
        self.left.decrypt_block((&mut block).into());
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_check_value_is_the_beginning_of_zeros_encrypted() {
        let key = hex::decode("0123456789ABCDEFFEDCBA9876543210").unwrap();
        let pair = DesPair::new(&key).unwrap();
        let zeros = pair.encrypt([0; BLOCK]);
        assert_eq!(hex::encode_upper(&zeros[..3]), "08D7B4");
        assert_eq!(pair.decrypt(zeros), [0; BLOCK]);
        assert!(DesPair::new(&key[..8]).is_none());
    }
}
