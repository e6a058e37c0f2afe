//! A key put together from components that different people hold (PCI PIN, requirement 6): each
//! alone says nothing of it. It owns that one wrong check value refuses them all.

use zeroize::Zeroizing;

use super::{CheckMethod, InvalidKey, Key, KeyCheckValue, KeyCipher, KeyUsage, MAX_KEY};

/// Why components make no key. Never shows a digit of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComponentError {
    /// Nothing was given.
    #[error("no component was given: write each on a line of its own, as hexadecimal digits")]
    None,
    /// Not `digits` or `digits check value`.
    #[error("component {0}: expected hexadecimal digits, and behind them its check value, if any")]
    Form(usize),
    /// All components are as long as the key.
    #[error("component {0} has another length than the first")]
    OtherLength(usize),
    /// A digit was mistaken.
    #[error("component {number} has check value {found}, not the one beside it: no key was made")]
    CheckValue {
        /// Which, from 1.
        number: usize,
        /// What its digits give.
        found: KeyCheckValue,
    },
    /// Together they are no key.
    #[error(transparent)]
    Key(#[from] InvalidKey),
}

/// The key whose components stand on the lines of `text`, each with its check value behind it where
/// one is known: their exclusive or. One component alone is the key. Empty lines and lines that
/// start with `#` say nothing.
///
/// # Errors
/// A line is no component, a check value is another, or the result is no such key.
pub fn combine(usage: KeyUsage, cipher: KeyCipher, text: &str) -> Result<Key, ComponentError> {
    let mut sum = Zeroizing::new([0u8; MAX_KEY]);
    let mut length = None;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    for (number, line) in (1usize..).zip(lines) {
        let form = ComponentError::Form(number);
        let mut words = line.split_whitespace();
        let (digits, check, rest) = (words.next().unwrap_or_default(), words.next(), words.next());
        let bytes = digits.len() >> 1;
        let mut room = Zeroizing::new([0u8; MAX_KEY]);
        let component = room.get_mut(..bytes).ok_or(form)?;
        hex::decode_to_slice(digits, component).map_err(|_| form)?;
        if rest.is_some() || bytes == 0 {
            return Err(form);
        }
        if *length.get_or_insert(bytes) != bytes {
            return Err(ComponentError::OtherLength(number));
        }
        if let Some(check) = check {
            let claimed = KeyCheckValue::parse(check).ok_or(form)?;
            let found = KeyCheckValue::of(cipher, CheckMethod::Cmac, component).ok_or(form)?;
            if found != claimed {
                return Err(ComponentError::CheckValue { number, found });
            }
        }
        sum.iter_mut().zip(&*component).for_each(|(slot, byte)| *slot ^= byte);
    }
    let key = sum.get(..length.ok_or(ComponentError::None)?).unwrap_or_default();
    Ok(Key::new(usage, cipher, key)?)
}
