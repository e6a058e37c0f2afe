//! Blocks of versions A and C, whose two keys are variants of the one that protects them. It owns
//! how they are opened, for peers that have nothing newer; none is ever made here.

use zeroize::Zeroizing;

use super::{BlockVersion, KeyBlockError, binding};
use crate::block_cipher::TripleDes;
use crate::des_pair::BLOCK;
use crate::key::{Key, KeyCipher, MAX_KEY};

const ENCRYPTION: u8 = b'E';
const AUTHENTICATION: u8 = b'M';

/// The content of a block whose code is right: the code is of header and ciphertext here.
pub(super) fn open(
    protection: &Key,
    version: BlockVersion,
    head: &str,
    content: &[u8],
    code: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyBlockError> {
    let unfit = || KeyBlockError::ProtectionCipher { version };
    if protection.cipher() != KeyCipher::Tdes {
        return Err(unfit());
    }
    let authentication = variant(protection, AUTHENTICATION).ok_or_else(unfit)?;
    let mut state = [0; BLOCK];
    for block in head.as_bytes().chunks(BLOCK).chain(content.chunks(BLOCK)) {
        state.iter_mut().zip(block).for_each(|(slot, byte)| *slot ^= byte);
        state = authentication.encrypt(state);
    }
    let ours = state.get(..version.code_bytes()).unwrap_or_default();
    if !binding::same(ours, code) {
        return Err(KeyBlockError::NotAuthentic);
    }
    let encryption = variant(protection, ENCRYPTION).ok_or_else(unfit)?;
    let mut before: [u8; BLOCK] = head.as_bytes().first_chunk().copied().unwrap_or_default();
    let mut clear = Zeroizing::new(Vec::with_capacity(content.len()));
    for block in content.chunks(BLOCK) {
        let block: [u8; BLOCK] = block.try_into().map_err(|_| KeyBlockError::NotAuthentic)?;
        let opened = Zeroizing::new(encryption.decrypt(block));
        clear.extend(opened.iter().zip(before).map(|(byte, before)| byte ^ before));
        before = block;
    }
    Ok(clear)
}

fn variant(protection: &Key, letter: u8) -> Option<TripleDes> {
    let mut room = Zeroizing::new([0; MAX_KEY]);
    let key = room.get_mut(..protection.length())?;
    key.iter_mut().zip(protection.bytes()).for_each(|(slot, byte)| *slot = byte ^ letter);
    TripleDes::new(key)
}
