//! Key blocks: keys on their way between two that share a key for it (ANSI X9.143, TR-31). It owns
//! how a block is made and opened, and what is refused of one that opens; it never hands out the
//! bytes of a key, only the key. [`zone`] has the form from before there were key blocks.

mod binding;
mod header;
mod legacy;
mod policy;
#[cfg(test)]
mod tests;
mod zone;

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::key::{
    Exportability, Function, InvalidKey, Key, KeyCipher, KeyMode, KeyUsage, NoRandomness,
    SecretBytes,
};

pub use header::{BlockVersion, KeyBlockHeader, OptionalBlock};
pub use policy::ImportPolicy;
pub use zone::{KeyCryptogram, export_cryptogram, import_cryptogram};

/// Why a key block is not made, not opened, or not taken. Says nothing of the key inside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyBlockError {
    /// It is no key block.
    #[error("character {at} of the key block: expected {expected}")]
    Form {
        /// Which, from 1.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// A or C, which bind the header to the key too loosely.
    #[error(
        "key blocks of version {} are refused: ask the peer for B (triple DES) or D (AES), or take \
         it in as a legacy block",
        .0.letter()
    )]
    Legacy(BlockVersion),
    /// The length is not that of the text.
    #[error("the key block says that it has {stated} characters, and has {found}")]
    Length {
        /// What it says.
        stated: usize,
        /// What it has.
        found: usize,
    },
    /// The code over header and key is another.
    #[error("the key block was changed, or is under another key")]
    NotAuthentic,
    /// What is inside is no key of the length that it states.
    #[error("what is inside the key block is no key")]
    Content,
    /// The key that is to protect it is not for that.
    #[error("a key for {usage} with mode {mode} was asked to {function}: refused")]
    Protection {
        /// What it is for.
        usage: KeyUsage,
        /// Which way round.
        mode: KeyMode,
        /// What it was asked.
        function: Function,
    },
    /// Blocks of this version are under a key of the other cipher.
    #[error(
        "key blocks of version {} are under a key of cipher {}",
        version.letter(),
        version.cipher().letter()
    )]
    ProtectionCipher {
        /// The version.
        version: BlockVersion,
    },
    /// It is for something else than what it is to be taken for.
    #[error("the key is for {found} ({}), and is to be taken for {wanted}", found.words())]
    Usage {
        /// What it is for.
        found: KeyUsage,
        /// What it is to be for.
        wanted: KeyUsage,
    },
    /// It may not be used as it must be.
    #[error("the key may be used with mode {found}, and is to be taken with mode {wanted}")]
    Mode {
        /// Which way round it may be used.
        found: KeyMode,
        /// Which way round it is to be used.
        wanted: KeyMode,
    },
    /// Whoever made the block lets it go further than is wanted here.
    #[error(
        "the key may be exported as {}, and {} is the most that is taken",
        found.letter(),
        loosest.letter()
    )]
    Exportability {
        /// What the block says.
        found: Exportability,
        /// The most that is taken.
        loosest: Exportability,
    },
    /// A chain is as strong as its weakest part.
    #[error("a key of {carried} bits is protected by one of {protection}: it would be no stronger")]
    WeakerProtection {
        /// Bits of the key inside.
        carried: usize,
        /// Bits of the key that protects it.
        protection: usize,
    },
    /// A byte of a DES key has even parity, where odd is asked for.
    #[error("a byte of the DES key has even parity: a digit was mistaken, or the peer sets none")]
    Parity,
    /// The check value beside it is another.
    #[error("the key has another check value than the one beside it")]
    CheckValue,
    /// No key of bytes like these.
    #[error(transparent)]
    Key(#[from] InvalidKey),
    /// More optional blocks than a header has room for.
    #[error("the header of a key block has no room for so much")]
    NoRoom,
    /// Its exportability does not let it leave.
    #[error("the key may not be exported ({})", .0.letter())]
    NotExportable(Exportability),
    /// The random generator failed.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Most characters of a block that is read: a key, and a few hundred of optional blocks.
pub(crate) const MAX_BLOCK: usize = 1024;

/// Puts a key into a block for a peer.
///
/// # Errors
/// As [`wrap`]; the key may not leave.
pub fn export_block(protection: &Key, key: &Key) -> Result<String, KeyBlockError> {
    if key.exportability() == Exportability::Never {
        return Err(KeyBlockError::NotExportable(key.exportability()));
    }
    wrap(protection, key, Vec::new())
}

/// Puts a key into a block under another: version D under an AES key, B under triple DES. The
/// block says how long the longest key of its cipher is, not how long this one is.
///
/// # Errors
/// The key that is to protect it is not for that, or is weaker.
pub(crate) fn wrap(
    protection: &Key,
    key: &Key,
    optional: Vec<OptionalBlock>,
) -> Result<String, KeyBlockError> {
    may(protection, Function::WrapKeyBlock)?;
    let version = match protection.cipher() {
        KeyCipher::Aes => BlockVersion::D,
        KeyCipher::Tdes | KeyCipher::Des => BlockVersion::B,
    };
    policy::refuse_weaker(protection, key)?;
    let header = KeyBlockHeader {
        version,
        usage: key.usage(),
        cipher: key.cipher(),
        mode: key.mode(),
        number: *b"00",
        exportability: key.exportability(),
        optional,
    };
    let fill = |room: &mut [u8]| rand::fill(room).map_err(|_| NoRandomness);
    seal(protection, &header, key.bytes(), fill)
}

/// A key out of a block, if it is what the policy wants.
///
/// # Errors
/// It is no block, was changed, is under another key, or is refused by the policy.
pub fn unwrap(
    protection: &Key,
    block: &str,
    policy: &ImportPolicy,
) -> Result<(Key, KeyBlockHeader), KeyBlockError> {
    may(protection, Function::UnwrapKeyBlock)?;
    let (header, bytes) = open(protection, block, policy.legacy)?;
    let key = policy.judge(protection, &header, &bytes)?;
    Ok((key, header))
}

fn may(protection: &Key, function: Function) -> Result<(), KeyBlockError> {
    let (usage, mode) = (protection.usage(), protection.mode());
    if function.permits(usage, mode) {
        Ok(())
    } else {
        Err(KeyBlockError::Protection { usage, mode, function })
    }
}

/// The block of these bytes, filled up by `fill`.
fn seal(
    protection: &Key,
    header: &KeyBlockHeader,
    key: &[u8],
    fill: impl FnOnce(&mut [u8]) -> Result<(), NoRandomness>,
) -> Result<String, KeyBlockError> {
    let version = header.version;
    let binding = binding::Binding::new(version, protection)?;
    let bits = u16::try_from(key.len().saturating_mul(8)).map_err(|_| KeyBlockError::NoRoom)?;
    let clear = binding::clear_length(version, header.cipher);
    let text = header.to_text(clear.saturating_add(version.code_bytes()))?;
    let mut message = Zeroizing::new(Vec::with_capacity(text.len().saturating_add(clear)));
    message.extend(text.as_bytes());
    message.extend(bits.to_be_bytes());
    message.extend(key);
    let used = message.len();
    message.resize(text.len().saturating_add(clear), 0);
    fill(message.get_mut(used..).unwrap_or_default())?;
    let code = binding.code(&message);
    let content = message.get_mut(text.len()..).unwrap_or_default();
    binding.encrypt(&code, content);
    let mut block = text;
    block.push_str(&hex::encode_upper(content));
    block.push_str(&hex::encode_upper(code));
    Ok(block)
}

/// Header and bytes of a block whose code is right.
fn open(
    protection: &Key,
    block: &str,
    legacy: bool,
) -> Result<(KeyBlockHeader, SecretBytes), KeyBlockError> {
    let (header, head) = KeyBlockHeader::parse(block)?;
    let version = header.version;
    if version.is_legacy() && !legacy {
        return Err(KeyBlockError::Legacy(version));
    }
    let at = head.len().saturating_add(1);
    let digits = block.get(head.len()..).unwrap_or_default();
    let upper = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    // In one case alone: a block that was changed is another block.
    let expected =
        "pairs of hexadecimal digits with capital letters, in whole blocks of the cipher";
    let form = KeyBlockError::Form { at, expected };
    let raw = if digits.bytes().all(upper) { hex::decode(digits).ok() } else { None };
    let raw = raw.ok_or_else(|| form.clone())?;
    let code_at = raw.len().checked_sub(version.code_bytes()).ok_or_else(|| form.clone())?;
    let (content, code) = raw.split_at_checked(code_at).ok_or_else(|| form.clone())?;
    if content.is_empty() || content.len().checked_rem(version.block_bytes()) != Some(0) {
        return Err(form);
    }
    let clear = if version.is_legacy() {
        legacy::open(protection, version, head, content, code)?
    } else {
        let binding = binding::Binding::new(version, protection)?;
        let mut message = Zeroizing::new(Vec::with_capacity(block.len()));
        message.extend(head.as_bytes());
        message.extend(content);
        binding.decrypt(code, message.get_mut(head.len()..).unwrap_or_default());
        if !binding::same(&binding.code(&message), code) {
            return Err(KeyBlockError::NotAuthentic);
        }
        Zeroizing::new(message.get(head.len()..).unwrap_or_default().to_vec())
    };
    Ok((header, key_of(&clear)?))
}

/// The bytes that a content states: two bytes of length in bits, the key, and what fills it up.
fn key_of(clear: &[u8]) -> Result<SecretBytes, KeyBlockError> {
    let (bits, rest) = clear.split_first_chunk::<2>().ok_or(KeyBlockError::Content)?;
    let bits = usize::from(u16::from_be_bytes(*bits));
    let whole = bits.checked_rem(8) == Some(0);
    let key = rest.get(..bits >> 3).filter(|key| whole && !key.is_empty());
    key.and_then(SecretBytes::new).ok_or(KeyBlockError::Content)
}
