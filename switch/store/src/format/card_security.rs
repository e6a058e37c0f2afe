//! What cards are verified by, and what is counted of them, as it is stored: in records, in
//! snapshots, and in the columns of tables that hold them whole. It owns those shapes both ways.
//! There is no key in them, no PIN, and no value of a card (W-9): a PIN reference is none of these.

use std::sync::Arc;

use prost::Message;
use switch_domain::{
    AsciiText, CardCounters, CardId, CardReferences, CardScript, CardSecurityTerms, ChipCounter,
    ChipFacts, Circumstances, CounterEffect, CounterRules, Event, Expiry, ExpiryOrder, KeyLabel,
    LowerCounter, MinorUnits, NeededChecks, PinMethod, PinReference, PlasticInForce, ScriptKind,
    ScriptStanding, SecurityKeys, ServiceCode, Timestamp,
};

use super::read::{Read, amount, illegal, narrow, text};
use super::{FormatError, RecordFault};

/// What a card's values are compared with.
#[derive(Clone, PartialEq, Message)]
pub(super) struct References {
    #[prost(uint32, tag = "1")]
    version: u32,
    /// Absent where it is not known.
    #[prost(uint32, optional, tag = "2")]
    service_code: Option<u32>,
    #[prost(uint32, tag = "3")]
    sequence: u32,
    #[prost(uint32, tag = "4")]
    code_generation: u32,
    /// Digits of a PIN reference; empty where no PIN was set.
    #[prost(bytes = "vec", tag = "5")]
    pin: Vec<u8>,
    /// Of a verification value; an offset has none.
    #[prost(uint32, optional, tag = "6")]
    pin_key: Option<u32>,
    /// Plastic with a lower sequence number was renewed.
    #[prost(uint32, tag = "7")]
    plastic_since: u32,
    /// Plastic with this one waits for its activation.
    #[prost(uint32, optional, tag = "8")]
    plastic_awaited: Option<u32>,
}

/// A card that was renewed.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Renewed {
    #[prost(int64, tag = "1")]
    card: i64,
    /// YYMM.
    #[prost(uint32, tag = "2")]
    expiry: u32,
    #[prost(message, optional, tag = "3")]
    references: Option<References>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ReferencesChanged {
    #[prost(int64, tag = "1")]
    card: i64,
    #[prost(message, optional, tag = "2")]
    references: Option<References>,
}

/// What is counted of a card.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Counters {
    #[prost(int64, tag = "1")]
    card: i64,
    #[prost(uint32, tag = "2")]
    wrong_pins: u32,
    #[prost(uint32, tag = "3")]
    forgiven_pins: u32,
    #[prost(sint64, repeated, tag = "4")]
    wrong_codes: Vec<i64>,
    #[prost(sint64, tag = "5")]
    forgiven_codes: i64,
    #[prost(message, repeated, tag = "6")]
    chips: Vec<Chip>,
    /// Of a record alone: it locks the card.
    #[prost(bool, tag = "7")]
    locks: bool,
    /// The last command for a chip.
    #[prost(message, optional, tag = "40")]
    script: Option<Script>,
    /// New PINs that its chip does not have by itself, and how many of them were used with it.
    #[prost(uint32, tag = "41")]
    chip_pins: u32,
    #[prost(uint32, tag = "42")]
    chip_pins_used: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Script {
    /// From 1, in the order of the domain's list.
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(uint32, tag = "2")]
    sequence: u32,
    #[prost(uint32, tag = "3")]
    atc: u32,
    /// Likewise.
    #[prost(uint32, tag = "4")]
    standing: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Chip {
    #[prost(uint32, tag = "1")]
    sequence: u32,
    #[prost(uint32, tag = "2")]
    highest: u32,
    #[prost(fixed64, tag = "3")]
    used: u64,
}

/// How a programme's cards are verified.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Terms {
    #[prost(string, tag = "1")]
    cvk: String,
    #[prost(string, repeated, tag = "2")]
    cvk2: Vec<String>,
    #[prost(string, tag = "3")]
    pvk: String,
    #[prost(string, tag = "4")]
    imk_ac: String,
    #[prost(string, tag = "5")]
    imk_smi: String,
    #[prost(string, tag = "6")]
    imk_smc: String,
    /// 0 none, 1 by verification value, 2 by offset.
    #[prost(uint32, tag = "7")]
    pin: u32,
    #[prost(string, tag = "8")]
    decimalisation: String,
    #[prost(uint32, tag = "9")]
    pin_length: u32,
    #[prost(string, repeated, tag = "10")]
    profiles: Vec<String>,
    #[prost(bool, tag = "11")]
    month_first: bool,
    /// PIN, stripe, chip value, code, cryptogram: a byte for each channel, a bit for each entry.
    #[prost(fixed32, repeated, tag = "12")]
    needed: Vec<u32>,
    #[prost(uint32, tag = "13")]
    pin_limit: u32,
    #[prost(uint32, tag = "14")]
    code_limit: u32,
    #[prost(bool, tag = "15")]
    takes_lower: bool,
    #[prost(uint32, tag = "16")]
    jump: u32,
    #[prost(bool, tag = "17")]
    declines_jump: bool,
    #[prost(sint64, optional, tag = "18")]
    fallback_floor: Option<i64>,
    #[prost(fixed32, tag = "19")]
    refused_facts: u32,
    #[prost(bool, tag = "20")]
    answers_alike: bool,
}

pub(super) fn write_references(references: &CardReferences) -> References {
    let pin = references.pin.as_ref();
    References {
        version: references.version,
        service_code: references.service_code.map(|code| u32::from(code.number())),
        sequence: u32::from(references.sequence),
        code_generation: u32::from(references.code_generation),
        pin: pin.map(|pin| pin.ascii().to_vec()).unwrap_or_default(),
        pin_key: pin.and_then(PinReference::key_index).map(u32::from),
        plastic_since: u32::from(references.plastic.since),
        plastic_awaited: references.plastic.awaited.map(u32::from),
    }
}

pub(super) fn read_references(stored: &References) -> Read<Box<CardReferences>> {
    let code = |number: u32| -> Read<ServiceCode> {
        let narrowed = narrow("service code", number)?;
        ServiceCode::new(narrowed).map_err(|_| illegal("service code", number))
    };
    let wrong = |_| illegal("PIN reference", format_args!("{} digits", stored.pin.len()));
    let pin = match (stored.pin.is_empty(), stored.pin_key) {
        (true, _) => None,
        (false, Some(index)) => {
            let index = narrow("PIN key", index)?;
            Some(PinReference::pvv(index, &stored.pin).map_err(wrong)?)
        }
        (false, None) => Some(PinReference::offset(&stored.pin).map_err(wrong)?),
    };
    Ok(Box::new(CardReferences {
        version: stored.version,
        service_code: stored.service_code.map(code).transpose()?,
        sequence: narrow("sequence number", stored.sequence)?,
        pin,
        code_generation: narrow("generation of codes", stored.code_generation)?,
        plastic: PlasticInForce {
            since: narrow("sequence number", stored.plastic_since)?,
            awaited: stored
                .plastic_awaited
                .map(|awaited| narrow("sequence number", awaited))
                .transpose()?,
        },
    }))
}

pub(super) fn write_renewed(card: CardId, expiry: Expiry, references: &CardReferences) -> Renewed {
    let (expiry, references) = (u32::from(expiry.yymm()), Some(write_references(references)));
    Renewed { card: card.0, expiry, references }
}

pub(super) fn read_renewed(stored: &Renewed) -> Read<Event> {
    let references = stored.references.as_ref().ok_or(RecordFault::Missing("references"))?;
    let references = read_references(references)?;
    let yymm = narrow("expiry", stored.expiry)?;
    let expiry = Expiry::from_yymm(yymm).map_err(|_| illegal("expiry", stored.expiry))?;
    Ok(Event::CardRenewed { card: CardId(stored.card), expiry, references })
}

pub(super) fn write_changed(card: CardId, references: &CardReferences) -> ReferencesChanged {
    ReferencesChanged { card: card.0, references: Some(write_references(references)) }
}

pub(super) fn read_changed(stored: &ReferencesChanged) -> Read<Event> {
    let references = stored.references.as_ref().ok_or(RecordFault::Missing("references"))?;
    let references = read_references(references)?;
    Ok(Event::CardReferencesChanged { card: CardId(stored.card), references })
}

pub(super) fn write_counters((card, one): &(CardId, CardCounters)) -> Counters {
    counters(*card, one, false)
}

fn counters(card: CardId, one: &CardCounters, locks: bool) -> Counters {
    let chip = |chip: &ChipCounter| Chip {
        sequence: u32::from(chip.sequence),
        highest: u32::from(chip.highest),
        used: chip.used,
    };
    Counters {
        card: card.0,
        wrong_pins: one.wrong_pins,
        forgiven_pins: one.forgiven_pins,
        wrong_codes: one.wrong_codes.iter().map(|at| at.0).collect(),
        forgiven_codes: one.forgiven_codes.0,
        chips: one.chips.iter().map(chip).collect(),
        locks,
        script: one.script.map(write_script),
        chip_pins: one.chip_pins,
        chip_pins_used: one.chip_pins_used,
    }
}

/// The place in a list, from 1.
fn number_of<T: PartialEq>(all: &[T], one: T) -> u32 {
    let place = all.iter().position(|other| *other == one).unwrap_or_default();
    u32::try_from(place).unwrap_or_default().saturating_add(1)
}

fn at_number<T: Copy>(all: &[T], what: &'static str, number: u32) -> Read<T> {
    let place = number.checked_sub(1).and_then(|place| usize::try_from(place).ok());
    place.and_then(|place| all.get(place).copied()).ok_or_else(|| illegal(what, number))
}

fn write_script(script: CardScript) -> Script {
    Script {
        kind: number_of(&ScriptKind::ALL, script.kind),
        sequence: u32::from(script.sequence),
        atc: u32::from(script.atc),
        standing: number_of(&ScriptStanding::ALL, script.standing),
    }
}

fn read_script(stored: &Script) -> Read<CardScript> {
    Ok(CardScript {
        kind: at_number(&ScriptKind::ALL, "kind of script", stored.kind)?,
        sequence: narrow("sequence number", stored.sequence)?,
        atc: narrow("transaction counter", stored.atc)?,
        standing: at_number(&ScriptStanding::ALL, "standing of a script", stored.standing)?,
    })
}

pub(super) fn read_counters(stored: &Counters) -> Read<(CardId, CardCounters)> {
    let chip = |chip: &Chip| -> Read<ChipCounter> {
        Ok(ChipCounter {
            sequence: narrow("sequence number", chip.sequence)?,
            highest: narrow("transaction counter", chip.highest)?,
            used: chip.used,
        })
    };
    let counters = CardCounters {
        wrong_pins: stored.wrong_pins,
        forgiven_pins: stored.forgiven_pins,
        wrong_codes: stored.wrong_codes.iter().map(|at| Timestamp(*at)).collect(),
        forgiven_codes: Timestamp(stored.forgiven_codes),
        chips: stored.chips.iter().map(chip).collect::<Read<_>>()?,
        script: stored.script.as_ref().map(read_script).transpose()?,
        chip_pins: stored.chip_pins,
        chip_pins_used: stored.chip_pins_used,
    };
    Ok((CardId(stored.card), counters))
}

pub(super) fn write_effect(effect: &CounterEffect) -> Counters {
    counters(effect.card, &effect.counters, effect.locks)
}

pub(super) fn read_effect(stored: &Counters) -> Read<Box<CounterEffect>> {
    let (card, counters) = read_counters(stored)?;
    Ok(Box::new(CounterEffect { card, counters, locks: stored.locks }))
}

pub(super) fn write_terms(terms: &CardSecurityTerms) -> Terms {
    let keys = &terms.keys;
    let (pin, decimalisation, pin_length) = match &terms.pin {
        None => (0, String::new(), 0),
        Some(PinMethod::Pvv) => (1, String::new(), 0),
        Some(PinMethod::Offset { decimalisation, length }) => {
            (2, String::from_utf8_lossy(decimalisation).into_owned(), u32::from(*length))
        }
    };
    let NeededChecks { pin: pins, stripe, chip_value, code, cryptogram } = terms.needed;
    Terms {
        cvk: keys.cvk.to_string(),
        cvk2: keys.cvk2.iter().map(ToString::to_string).collect(),
        pvk: keys.pvk.to_string(),
        imk_ac: keys.imk_ac.to_string(),
        imk_smi: keys.imk_smi.to_string(),
        imk_smc: keys.imk_smc.to_string(),
        pin,
        decimalisation,
        pin_length,
        profiles: terms.profiles.iter().map(ToString::to_string).collect(),
        month_first: terms.code_expiry == ExpiryOrder::MonthYear,
        needed: [pins, stripe, chip_value, code, cryptogram].map(Circumstances::bits).to_vec(),
        pin_limit: u32::from(terms.pin_limit),
        code_limit: u32::from(terms.code_limit),
        takes_lower: terms.counter.lower == LowerCounter::Take,
        jump: u32::from(terms.counter.jump),
        declines_jump: terms.counter.declines_jump,
        fallback_floor: Some(terms.fallback_floor.0),
        refused_facts: terms.refused_facts.bits(),
        answers_alike: terms.answers_alike,
    }
}

pub(super) fn read_terms(stored: &Terms) -> Read<Arc<CardSecurityTerms>> {
    let label = |name: &str| -> Read<KeyLabel> { text("name of a key", name) };
    let &[pins, stripe, chip_value, code, cryptogram] = stored.needed.as_slice() else {
        return Err(RecordFault::Missing("needed checks"));
    };
    let month_first = stored.month_first;
    Ok(Arc::new(CardSecurityTerms {
        keys: SecurityKeys {
            cvk: label(&stored.cvk)?,
            cvk2: stored.cvk2.iter().map(|name| label(name)).collect::<Read<_>>()?,
            pvk: label(&stored.pvk)?,
            imk_ac: label(&stored.imk_ac)?,
            imk_smi: label(&stored.imk_smi)?,
            imk_smc: label(&stored.imk_smc)?,
        },
        pin: pin_method(stored)?,
        profiles: stored
            .profiles
            .iter()
            .map(|name| -> Read<AsciiText<16>> { text("profile", name) })
            .collect::<Read<_>>()?,
        code_expiry: if month_first { ExpiryOrder::MonthYear } else { ExpiryOrder::YearMonth },
        needed: NeededChecks {
            pin: Circumstances::from_bits(pins),
            stripe: Circumstances::from_bits(stripe),
            chip_value: Circumstances::from_bits(chip_value),
            code: Circumstances::from_bits(code),
            cryptogram: Circumstances::from_bits(cryptogram),
        },
        pin_limit: narrow("PIN tries", stored.pin_limit)?,
        code_limit: narrow("code tries", stored.code_limit)?,
        counter: CounterRules {
            lower: if stored.takes_lower { LowerCounter::Take } else { LowerCounter::Decline },
            jump: narrow("jump", stored.jump)?,
            declines_jump: stored.declines_jump,
        },
        fallback_floor: MinorUnits(amount("fallback floor", stored.fallback_floor)?.0),
        refused_facts: ChipFacts::from_bits(stored.refused_facts),
        answers_alike: stored.answers_alike,
    }))
}

fn pin_method(stored: &Terms) -> Read<Option<PinMethod>> {
    Ok(match stored.pin {
        0 => None,
        1 => Some(PinMethod::Pvv),
        2 => {
            let digits = stored.decimalisation.as_bytes();
            let wrong = |_| illegal("decimalisation", &stored.decimalisation);
            let decimalisation = digits.try_into().map_err(wrong)?;
            let length = narrow("PIN length", stored.pin_length)?;
            Some(PinMethod::Offset { decimalisation, length })
        }
        other => return Err(illegal("PIN method", other)),
    })
}

/// A card's references as their column holds them.
pub(crate) fn encode_references(references: &CardReferences) -> Vec<u8> {
    write_references(references).encode_to_vec()
}

/// A card's references from their column.
pub(crate) fn decode_references(bytes: &[u8]) -> Result<Box<CardReferences>, FormatError> {
    read_references(&References::decode(bytes)?).map_err(FormatError::Snapshot)
}

/// What is counted of a card, as its column holds it.
pub(crate) fn encode_counters(card: CardId, one: &CardCounters) -> Vec<u8> {
    counters(card, one, false).encode_to_vec()
}

/// What is counted of a card, from its column.
pub(crate) fn decode_counters(bytes: &[u8]) -> Result<(CardId, CardCounters), FormatError> {
    read_counters(&Counters::decode(bytes)?).map_err(FormatError::Snapshot)
}

/// A programme's terms as their column holds them.
pub(crate) fn encode_terms(terms: &CardSecurityTerms) -> Vec<u8> {
    write_terms(terms).encode_to_vec()
}

/// A programme's terms from their column.
pub(crate) fn decode_terms(bytes: &[u8]) -> Result<Arc<CardSecurityTerms>, FormatError> {
    read_terms(&Terms::decode(bytes)?).map_err(FormatError::Snapshot)
}
