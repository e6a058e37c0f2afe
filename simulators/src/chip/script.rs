//! Commands of the issuer behind an answer (tags 71 and 72): whether a chip takes them, and what
//! they do to it. Must obey nothing that is not authenticated for this transaction.

use super::answer::Expected;
use super::cipher::{Block, Key, halves, key_of, over, retail_mac, triple_inverse};
use super::kind::{CardKind, diversified};
use super::tlv;

/// A chip's keys for commands.
pub(super) struct ScriptKeys {
    pub(super) integrity: Key,
    pub(super) confidentiality: Key,
    /// Its key for cryptograms: Visa's block of a PIN has a part of it.
    pub(super) cryptograms: Key,
}

/// What a command did to a chip.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    PinUnblocked,
    PinChanged(String),
}

/// The commands in field 55 of an answer, in order.
pub(super) fn commands(chip_data: &[u8]) -> Vec<&[u8]> {
    let templates = [0x71, 0x72].into_iter().filter_map(|tag| tlv::find(chip_data, tag));
    templates.flat_map(|template| tlv::find_all(template, 0x86)).collect()
}

/// What the command at this place does; `None` where the chip refuses it.
pub(super) fn effect(
    keys: &ScriptKeys,
    of: &Expected,
    counter: u16,
    place: usize,
    command: &[u8],
) -> Option<Effect> {
    let cryptogram = match of.kind {
        CardKind::MChip10 | CardKind::MChip15 => {
            u64::from_be_bytes(of.cryptogram).wrapping_add(place as u64).to_be_bytes()
        }
        CardKind::Visa10 | CardKind::Visa18 | CardKind::Visa22 if place > 0 => return None,
        CardKind::Visa10 | CardKind::Visa18 | CardKind::Visa22 => of.cryptogram,
    };
    let session = |key: &Key| match of.kind {
        CardKind::Visa10 | CardKind::Visa18 => counted(key, counter),
        _ => diversified(key, cryptogram),
    };
    let (header, behind) = command.split_at_checked(5)?;
    let (data, code) = behind.split_last_chunk::<8>()?;
    let message = [header, &counter.to_be_bytes(), &cryptogram, data].concat();
    let made = retail_mac(&session(&keys.integrity), true, &message);
    if made != *code || usize::from(*header.last()?) != behind.len() {
        return None;
    }
    match header {
        [0x84, 0x24, 0x00, 0x00, _] if data.is_empty() => Some(Effect::PinUnblocked),
        [0x84, 0x24, 0x00, 0x02, _] => {
            let block = block(of.kind, &session(&keys.confidentiality), &keys.cryptograms, data)?;
            Some(Effect::PinChanged(pin(block)?))
        }
        _ => None,
    }
}

/// Visa's session key of commands: the counter laid over the end of both halves.
fn counted(key: &Key, counter: u16) -> Key {
    let [left, right] = halves(key);
    let ([a, b], [c, d]) = (counter.to_be_bytes(), (!counter).to_be_bytes());
    let left = over(left, [0, 0, 0, 0, 0, 0, a, b]);
    key_of(left, over(right, [0, 0, 0, 0, 0, 0, c, d]))
}

/// The block of the new PIN, with a control nibble before it.
fn block(kind: CardKind, session: &Key, cryptograms: &Key, data: &[u8]) -> Option<Block> {
    if !kind.is_visa() {
        return Some(triple_inverse(session, data.try_into().ok()?));
    }
    let (first, second) = data.split_first_chunk::<8>()?;
    let first = triple_inverse(session, *first);
    let second = triple_inverse(session, second.try_into().ok()?);
    let [length, a, b, c, d, e, f, g] = first;
    let [h, padding @ ..] = second;
    let block = [a, b, c, d, e, f, g, h];
    if length != 8 || padding != [0x80, 0, 0, 0, 0, 0, 0] {
        return None;
    }
    let [[_, _, _, _, w, x, y, z], _] = halves(cryptograms);
    Some(match kind {
        CardKind::Visa22 => block,
        _ => over(block, [0, 0, 0, 0, w, x, y, z]),
    })
}

/// The digits of a PIN in a block.
fn pin(block: Block) -> Option<String> {
    let digits = hex::encode(block);
    let length = usize::from_str_radix(digits.get(1..2)?, 16).ok()?;
    let (pin, filler) = digits.get(2..)?.split_at_checked(length)?;
    let good = (4..=12).contains(&length) && pin.bytes().all(|digit| digit.is_ascii_digit());
    (good && filler.bytes().all(|digit| digit == b'f')).then(|| pin.to_owned())
}
