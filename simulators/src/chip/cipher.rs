//! The ciphers of card algorithms over plain bytes. Must stay as literal as the standards: it is
//! here to be compared with, not to be fast.

use aes::Aes128;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2};

/// A block of DES.
pub(super) type Block = [u8; 8];
/// Two keys of DES, or one of AES.
pub(super) type Key = [u8; 16];

/// DES with one key.
pub(super) fn single(key: &[u8; 8], mut block: Block) -> Block {
    Des::new(key.into()).encrypt_block((&mut block).into());
    block
}

fn single_inverse(key: &[u8; 8], mut block: Block) -> Block {
    Des::new(key.into()).decrypt_block((&mut block).into());
    block
}

/// Triple DES with two keys.
pub(super) fn triple(key: &Key, mut block: Block) -> Block {
    TdesEde2::new(key.into()).encrypt_block((&mut block).into());
    block
}

/// The inverse of it.
pub(super) fn triple_inverse(key: &Key, mut block: Block) -> Block {
    TdesEde2::new(key.into()).decrypt_block((&mut block).into());
    block
}

/// AES of one block.
pub(super) fn aes(key: &Key, mut block: [u8; 16]) -> [u8; 16] {
    Aes128::new(key.into()).encrypt_block((&mut block).into());
    block
}

/// The two keys of a pair.
pub(super) fn halves(key: &Key) -> [[u8; 8]; 2] {
    let [a, b, c, d, e, f, g, h, right @ ..] = *key;
    [[a, b, c, d, e, f, g, h], right]
}

/// Two blocks as a key, each byte with odd parity.
pub(super) fn key_of(left: Block, right: Block) -> Key {
    let mut key = Key::default();
    for (slot, byte) in key.iter_mut().zip(left.into_iter().chain(right)) {
        *slot = if byte.count_ones() % 2 == 0 { byte ^ 1 } else { byte };
    }
    key
}

/// One laid over the other.
pub(super) fn over<const N: usize>(mut bytes: [u8; N], other: [u8; N]) -> [u8; N] {
    bytes.iter_mut().zip(other).for_each(|(slot, byte)| *slot ^= byte);
    bytes
}

/// Retail MAC (ISO/IEC 9797-1 algorithm 3), after padding: with 80 and zeros, or zeros alone.
pub(super) fn retail_mac(key: &Key, mark: bool, message: &[u8]) -> Block {
    let mut padded = message.to_vec();
    if mark {
        padded.push(0x80);
    }
    while padded.is_empty() || !padded.len().is_multiple_of(8) {
        padded.push(0);
    }
    let [left, right] = halves(key);
    let (blocks, _) = padded.as_chunks::<8>();
    let chained =
        blocks.iter().fold(Block::default(), |state, block| single(&left, over(state, *block)));
    single(&left, single_inverse(&right, chained))
}

/// Decimal digits, two to a byte; an odd one is filled from the left.
pub(super) fn packed(digits: &str) -> Vec<u8> {
    let filled =
        if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("0{digits}") };
    let values: Vec<u8> = filled.bytes().map(|digit| digit & 0x0F).collect();
    values.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}
