//! The MAC of EMV (Book 2 annex A1.2.1: ISO/IEC 9797-1 algorithm 3) over bytes that lie in several
//! places. It owns the chaining and the padding, and allocates nothing.

use crate::des_pair::{BLOCK, Block, DesPair};
use crate::mac::MacPadding;

/// The bit that padding method 2 sets behind the message.
const ONE_BIT: u8 = 0x80;

/// The whole code, eight bytes.
pub(super) fn retail_mac(
    key: &DesPair,
    padding: MacPadding,
    message: impl Iterator<Item = u8>,
) -> Block {
    let marker = (padding == MacPadding::OneThenZeros).then_some(ONE_BIT);
    let mut state = Block::default();
    let mut filled = 0usize;
    for byte in message.chain(marker) {
        if filled == BLOCK {
            state = key.encrypt_left(state);
            filled = 0;
        }
        if let Some(slot) = state.get_mut(filled) {
            *slot ^= byte;
        }
        filled = filled.saturating_add(1);
    }
    // The last block goes through both keys, and so through triple DES.
    key.encrypt(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_annex_of_the_standard_is_met_however_the_message_lies() {
        let key = hex::decode("0123456789ABCDEFFEDCBA9876543210").unwrap();
        let key = DesPair::new(&key).unwrap();
        let message = b"Now is the time for all ";
        for (padding, code) in [
            (MacPadding::Zeros, "A1C72E74EA3FA9B6"),
            (MacPadding::OneThenZeros, "E9086230CA3BE796"),
        ] {
            let made = retail_mac(&key, padding, message.iter().copied());
            assert_eq!(hex::encode_upper(made), code);
        }
    }
}
