//! Keys that everybody knows: those of examples and test hosts (PCI DSS 6.5.6). It owns their list;
//! whether one is refused is its caller's affair.

use zeroize::Zeroizing;

use super::strength::with_odd_parity;
use super::{KeyCipher, MAX_KEY};

/// Keys that standards print as examples, and that no rule below finds.
const PRINTED: [&str; 6] = [
    // ASC X9 TR-31 and X9.143: the keys that protect the example blocks, and the one inside.
    "DD7515F2BFC17F85CE48F3CA25CB21F6",
    "1D22BF32387C600AD97F9B97A51311AC",
    "88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6",
    "3F419E1CB7079442AA37474C2EFBF8B8",
    // NIST SP 800-38A and RFC 4493; SP 800-38B.
    "2B7E151628AED2A6ABF7158809CF4F3C",
    "8AA83BF8CBDA10620BC1BF19FBB6CD58BC313D4A371CA8B5",
];

/// The longest beginning that repeats: `12345678` and the like.
const PERIOD: usize = 4;

/// Whether this is a key of examples: digits that count up or down, a few bytes over and over, or
/// one that a standard prints. DES keys are known in any parity.
pub(crate) fn is_well_known(cipher: KeyCipher, key: &[u8]) -> bool {
    let as_it_works = |byte: &u8| match cipher {
        KeyCipher::Aes => *byte,
        KeyCipher::Des | KeyCipher::Tdes => with_odd_parity(*byte),
    };
    let same = |one: &u8, other: &u8| as_it_works(one) == as_it_works(other);
    let repeats = key.iter().zip(key.iter().skip(PERIOD)).all(|(one, other)| same(one, other));
    let printed = PRINTED.iter().any(|known| {
        let mut room = Zeroizing::new([0; MAX_KEY]);
        let known = room
            .get_mut(..known.len() >> 1)
            .filter(|room| room.len() == key.len())
            .and_then(|room| hex::decode_to_slice(known, room).ok().map(|()| &*room));
        known.is_some_and(|known| known.iter().zip(key).all(|(one, other)| same(one, other)))
    });
    repeats || counts_by_bytes(key) || counts_by_digits(cipher, key) || printed
}

/// `000102...`, or down.
fn counts_by_bytes(key: &[u8]) -> bool {
    let step = |by: u8| {
        key.iter().zip(key.iter().skip(1)).all(|(one, next)| next.wrapping_sub(*one) == by)
    };
    step(1) || step(0xFF)
}

/// `0123...`, up and down and the same digit over again, as in `0123456789ABCDEFFEDCBA9876543210`.
/// The lowest bit of a DES key's byte is parity, so that its second digit may be one off.
fn counts_by_digits(cipher: KeyCipher, key: &[u8]) -> bool {
    let near = |one: u8, next: u8| matches!(next.wrapping_sub(one) & 0x0F, 0 | 1 | 0x0F);
    let mut before = None;
    key.iter().all(|byte| {
        let (high, low) = (byte >> 4, byte & 0x0F);
        let lows = if cipher == KeyCipher::Aes { [low, low] } else { [low & 0x0E, low | 1] };
        let inside = lows.iter().any(|low| near(high, *low));
        let between = before.is_none_or(|lows: [u8; 2]| lows.iter().any(|low| near(*low, high)));
        before = Some(lows);
        inside && between
    })
}
