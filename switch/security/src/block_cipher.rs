//! Triple DES of two or three keys, and AES of three lengths, scheduled once. It owns which length
//! makes which; schedules are wiped on drop.

use aes::{Aes128, Aes192, Aes256};
use des::TdesEde3;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use crate::des_pair::{Block, DesPair};

/// Triple DES with two or three keys.
pub(crate) enum TripleDes {
    Pair(DesPair),
    Three(TdesEde3),
}

impl TripleDes {
    /// Of a key of 16 or 24 bytes.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => DesPair::new(key).map(Self::Pair),
            24 => TdesEde3::new_from_slice(key).ok().map(Self::Three),
            _ => None,
        }
    }

    pub(crate) fn encrypt(&self, mut block: Block) -> Block {
        match self {
            Self::Pair(pair) => pair.encrypt(block),
            Self::Three(three) => {
                three.encrypt_block((&mut block).into());
                block
            }
        }
    }

    pub(crate) fn decrypt(&self, mut block: Block) -> Block {
        match self {
            Self::Pair(pair) => pair.decrypt(block),
            Self::Three(three) => {
                three.decrypt_block((&mut block).into());
                block
            }
        }
    }
}

/// AES with any of its three lengths.
pub(crate) enum Aes {
    Short(Aes128),
    Middle(Aes192),
    Long(Aes256),
}

impl Aes {
    /// Of a key of 16, 24 or 32 bytes.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128::new_from_slice(key).ok().map(Self::Short),
            24 => Aes192::new_from_slice(key).ok().map(Self::Middle),
            32 => Aes256::new_from_slice(key).ok().map(Self::Long),
            _ => None,
        }
    }

    pub(crate) fn encrypt(&self, mut block: [u8; 16]) -> [u8; 16] {
        match self {
            Self::Short(key) => key.encrypt_block((&mut block).into()),
            Self::Middle(key) => key.encrypt_block((&mut block).into()),
            Self::Long(key) => key.encrypt_block((&mut block).into()),
        }
        block
    }

    pub(crate) fn decrypt(&self, mut block: [u8; 16]) -> [u8; 16] {
        match self {
            Self::Short(key) => key.decrypt_block((&mut block).into()),
            Self::Middle(key) => key.decrypt_block((&mut block).into()),
            Self::Long(key) => key.decrypt_block((&mut block).into()),
        }
        block
    }
}
