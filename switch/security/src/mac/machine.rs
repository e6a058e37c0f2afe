//! The algorithms over a message, keyed once: key schedules are made when a key is loaded, not when
//! a message comes. It owns the chaining and the padding; the ciphers and CMAC are the libraries'.

use aes::{Aes128, Aes192, Aes256};
use cmac::{Cmac, KeyInit};
use des::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt};
use des::{Des, TdesEde2, TdesEde3};

use super::{Mac, MacPadding};
use crate::key::{KeyCipher, KeyUsage};

/// The bit that method 2 sets behind the message.
const ONE_BIT: u8 = 0x80;
const HALF: usize = 8;

/// A keyed algorithm.
pub(crate) type Machine = Box<dyn Keyed>;

pub(crate) trait Keyed: Send + Sync {
    /// The code over a message. Nothing is allocated.
    fn mac(&self, padding: MacPadding, message: &[u8]) -> Mac;
}

/// The machine of a key; `None` for what [`crate::Key::new`] lets nobody make.
pub(crate) fn machine(usage: KeyUsage, cipher: KeyCipher, bytes: &[u8]) -> Option<Machine> {
    Some(match (usage, cipher, bytes.len()) {
        (KeyUsage::M1, KeyCipher::Des, 8) => cbc::<Des>(bytes)?,
        (KeyUsage::M1, KeyCipher::Tdes, 16) => cbc::<TdesEde2>(bytes)?,
        (KeyUsage::M1, KeyCipher::Tdes, 24) => cbc::<TdesEde3>(bytes)?,
        (KeyUsage::M1, KeyCipher::Aes, 16) => cbc::<Aes128>(bytes)?,
        (KeyUsage::M1, KeyCipher::Aes, 24) => cbc::<Aes192>(bytes)?,
        (KeyUsage::M1, KeyCipher::Aes, 32) => cbc::<Aes256>(bytes)?,
        (KeyUsage::M3, KeyCipher::Tdes, 16) => {
            let (first, second) = bytes.split_at_checked(HALF)?;
            let first = Des::new_from_slice(first).ok()?;
            Box::new(Retail { first, second: Des::new_from_slice(second).ok()? })
        }
        (KeyUsage::M6, KeyCipher::Tdes, 16) => by_cmac::<Cmac<TdesEde2>>(bytes)?,
        (KeyUsage::M6, KeyCipher::Tdes, 24) => by_cmac::<Cmac<TdesEde3>>(bytes)?,
        (KeyUsage::M6, KeyCipher::Aes, 16) => by_cmac::<Cmac<Aes128>>(bytes)?,
        (KeyUsage::M6, KeyCipher::Aes, 24) => by_cmac::<Cmac<Aes192>>(bytes)?,
        (KeyUsage::M6, KeyCipher::Aes, 32) => by_cmac::<Cmac<Aes256>>(bytes)?,
        _ => return None,
    })
}

fn cbc<C>(key: &[u8]) -> Option<Machine>
where
    C: BlockCipherEncrypt + KeyInit + Send + Sync + 'static,
{
    Some(Box::new(ByCbc(C::new_from_slice(key).ok()?)))
}

fn by_cmac<M>(key: &[u8]) -> Option<Machine>
where
    M: cmac::Mac + KeyInit + Clone + Send + Sync + 'static,
{
    Some(Box::new(ByCmac(<M as KeyInit>::new_from_slice(key).ok()?)))
}

/// Algorithm 1.
struct ByCbc<C>(C);

impl<C: BlockCipherEncrypt + Send + Sync> Keyed for ByCbc<C> {
    fn mac(&self, padding: MacPadding, message: &[u8]) -> Mac {
        Mac::new(&chain(&self.0, padding, message))
    }
}

/// Algorithm 3: algorithm 1 with the first key, and its last block once more through the second.
struct Retail {
    first: Des,
    second: Des,
}

impl Keyed for Retail {
    fn mac(&self, padding: MacPadding, message: &[u8]) -> Mac {
        let mut block = chain(&self.first, padding, message);
        self.second.decrypt_block(&mut block);
        self.first.encrypt_block(&mut block);
        Mac::new(&block)
    }
}

struct ByCmac<M>(M);

impl<M: cmac::Mac + Clone + Send + Sync> Keyed for ByCmac<M> {
    fn mac(&self, _: MacPadding, message: &[u8]) -> Mac {
        let mut mac = self.0.clone();
        mac.update(message);
        Mac::new(&mac.finalize().into_bytes())
    }
}

/// The last block of CBC encryption from a block of zeros (ISO/IEC 9797-1 clause 7.1).
fn chain<C: BlockCipherEncrypt>(
    cipher: &C,
    padding: MacPadding,
    message: &[u8],
) -> Array<u8, C::BlockSize> {
    let mut state = Array::<u8, C::BlockSize>::default();
    let mut blocks = message.chunks_exact(C::block_size());
    for block in &mut blocks {
        state.iter_mut().zip(block).for_each(|(slot, byte)| *slot ^= byte);
        cipher.encrypt_block(&mut state);
    }
    let rest = blocks.remainder();
    let whole = rest.is_empty() && !message.is_empty();
    if whole && padding == MacPadding::Zeros {
        return state;
    }
    state.iter_mut().zip(rest).for_each(|(slot, byte)| *slot ^= byte);
    if padding == MacPadding::OneThenZeros
        && let Some(slot) = state.get_mut(rest.len())
    {
        *slot ^= ONE_BIT;
    }
    cipher.encrypt_block(&mut state);
    state
}
