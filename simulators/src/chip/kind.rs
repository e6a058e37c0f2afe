//! Kinds of chips and how each computes: what it says of itself, over what it signs and with which
//! key. Must be written from the published rules alone.

use anyhow::{Result, ensure};
use serde::Deserialize;

use super::cipher::{Block, Key, key_of, over, packed, retail_mac, triple};
use super::keys::TestKey;

/// A kind of chip.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CardKind {
    /// Visa, cryptogram version 10.
    #[serde(rename = "visa-10")]
    Visa10,
    /// Visa, cryptogram version 18.
    #[serde(rename = "visa-18")]
    Visa18,
    /// Visa, cryptogram version 22 (hexadecimal).
    #[serde(rename = "visa-22")]
    Visa22,
    /// M/Chip, cryptogram version 10 (hexadecimal).
    #[serde(rename = "mchip-10")]
    MChip10,
    /// M/Chip, cryptogram version 15 (hexadecimal).
    #[serde(rename = "mchip-15")]
    MChip15,
}

impl CardKind {
    /// Every one once.
    pub const ALL: [CardKind; 5] = [
        CardKind::Visa10,
        CardKind::Visa18,
        CardKind::Visa22,
        CardKind::MChip10,
        CardKind::MChip15,
    ];

    /// What the switch calls the profile of such cards.
    #[must_use]
    pub const fn profile(self) -> &'static str {
        match self {
            CardKind::Visa10 => "visa-10",
            CardKind::Visa18 => "visa-18",
            CardKind::Visa22 => "visa-22",
            CardKind::MChip10 => "mchip-10",
            CardKind::MChip15 => "mchip-15",
        }
    }

    pub(super) const fn is_visa(self) -> bool {
        matches!(self, CardKind::Visa10 | CardKind::Visa18 | CardKind::Visa22)
    }

    /// Application identifier (84).
    pub(super) const fn application(self) -> [u8; 7] {
        let scheme = if self.is_visa() { 0x03 } else { 0x04 };
        [0xA0, 0x00, 0x00, 0x00, scheme, 0x10, 0x10]
    }

    /// Issuer application data (9F10): first request, nothing gone wrong before.
    pub(super) fn issuer_data(self, counters: [u8; 8]) -> Vec<u8> {
        let results = [0xA0, 0x00, 0x00, 0x00, 0x00, 0x00];
        match self {
            CardKind::Visa10 => vec![0x06, 0x01, 0x0A, 0x03, 0xA0, 0x00, 0x00],
            CardKind::Visa18 => vec![0x06, 0x01, 0x12, 0x03, 0xA0, 0x00, 0x00],
            CardKind::Visa22 => {
                let mut data = vec![0x1F, 0x22, 0x01, 0xA0, 0x00, 0x00, 0x00, 0x00];
                data.resize(32, 0);
                data
            }
            CardKind::MChip10 | CardKind::MChip15 => {
                let version = if self == CardKind::MChip10 { 0x10 } else { 0x15 };
                [&[0x01, version][..], &results, &[0x00, 0x00], &counters].concat()
            }
        }
    }

    /// What of the issuer application data is signed.
    pub(super) fn signed_issuer_data(self, data: &[u8]) -> Vec<u8> {
        match self {
            CardKind::Visa10 => data.iter().skip(3).take(4).copied().collect(),
            CardKind::Visa18 | CardKind::Visa22 => data.to_vec(),
            CardKind::MChip10 => data.iter().skip(2).take(6).copied().collect(),
            CardKind::MChip15 => {
                let results = data.iter().skip(2).take(6);
                results.chain(data.iter().skip(10).take(8)).copied().collect()
            }
        }
    }

    /// The key of a cryptogram, from the card's, its counter and the terminal's number.
    pub(super) fn session_key(self, card: &Key, counter: u16, unpredictable: [u8; 4]) -> Key {
        let ([a, b], [e, f, g, h]) = (counter.to_be_bytes(), unpredictable);
        match self {
            CardKind::Visa10 => *card,
            CardKind::Visa18 | CardKind::Visa22 | CardKind::MChip15 => {
                diversified(card, [a, b, 0, 0, 0, 0, 0, 0])
            }
            CardKind::MChip10 => diversified(card, [a, b, 0, 0, e, f, g, h]),
        }
    }

    /// The cryptogram.
    pub(super) fn cryptogram(self, session: &Key, signed: &[u8]) -> Block {
        retail_mac(session, self != CardKind::Visa10, signed)
    }

    /// The key that the issuer's answer has.
    pub(super) fn answer_key(self, card: &Key, session: &Key) -> Key {
        if self == CardKind::MChip10 { *card } else { *session }
    }
}

/// EMV common session key.
pub(super) fn diversified(card: &Key, value: Block) -> Key {
    let [a, b, _, d, e, f, g, h] = value;
    key_of(triple(card, [a, b, 0xF0, d, e, f, g, h]), triple(card, [a, b, 0x0F, d, e, f, g, h]))
}

/// The card's key, by option A: options differ for numbers of more than sixteen digits alone.
pub(super) fn card_key(master: &TestKey, pan: &str, sequence: u8) -> Result<Key> {
    ensure!(pan.len() <= 16, "simulated chips have numbers of at most 16 digits");
    let all = format!("{:0>18}", format!("{pan}{sequence:02}"));
    let mut block = Block::default();
    let last = packed(&all).into_iter().skip(1);
    block.iter_mut().zip(last).for_each(|(slot, byte)| *slot = byte);
    Ok(key_of(triple(&master.0, block), triple(&master.0, over(block, [0xFF; 8]))))
}
