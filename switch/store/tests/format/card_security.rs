//! Any terms of verification, references and counters of a card, and evidence.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use switch_domain::{
    AsciiText, CardCounters, CardId, CardReferences, CardScript, CardSecurityTerms, Chip,
    ChipCounter, ChipDifferences, ChipFacts, Circumstances, CounterEffect, CounterRules,
    CryptogramType, Event, Evidence, Expiry, ExpiryOrder, Finding, LowerCounter, MinorUnits,
    NeededChecks, PinMethod, PinReference, PlasticInForce, ScriptKind, ScriptStanding,
    SecurityKeys, ServiceCode, Timestamp, Unverified,
};

use crate::arbitrary::text;

fn finding() -> impl Strategy<Value = Finding> {
    let known = [Finding::Absent, Finding::Matched, Finding::Mismatched].into_iter();
    select(known.chain(Unverified::ALL.map(Finding::Unverified)).collect::<Vec<_>>())
}

pub(crate) fn evidence() -> impl Strategy<Value = Evidence> {
    let kind =
        select(vec![CryptogramType::Request, CryptogramType::Certificate, CryptogramType::Refusal]);
    let chip = (any::<u16>(), any::<u8>(), finding(), kind, any::<[u32; 3]>()).prop_map(
        |(atc, sequence, cryptogram, kind, [differs, tolerated, facts])| Chip {
            atc,
            sequence,
            cryptogram,
            kind,
            differs: ChipDifferences::from_bits(differs),
            tolerated: ChipDifferences::from_bits(tolerated),
            facts: ChipFacts::from_bits(facts),
        },
    );
    let findings = (finding(), finding(), finding(), finding(), finding());
    (any::<u32>(), findings, option::of(chip), any::<bool>()).prop_map(
        |(references, (stripe, code, pin, new_pin, script), chip, fallback)| Evidence {
            references,
            stripe,
            code,
            pin,
            new_pin,
            script,
            chip,
            fallback,
        },
    )
}

fn pin_reference() -> impl Strategy<Value = PinReference> {
    prop_oneof![
        (0..10_u8, "[0-9]{4}").prop_map(|(index, digits)| PinReference::pvv(
            index,
            digits.as_bytes()
        )
        .expect("one")),
        "[0-9]{4,12}".prop_map(|digits| PinReference::offset(digits.as_bytes()).expect("one")),
    ]
}

pub(crate) fn references() -> impl Strategy<Value = CardReferences> {
    let code = option::of((0..1000_u16).prop_map(|n| ServiceCode::new(n).expect("three digits")));
    let plastic = (any::<u8>(), any::<Option<u8>>());
    let plastic = plastic.prop_map(|(since, awaited)| PlasticInForce { since, awaited });
    (any::<u32>(), code, any::<[u8; 2]>(), option::of(pin_reference()), plastic).prop_map(
        |(version, service_code, [sequence, code_generation], pin, plastic)| CardReferences {
            version,
            service_code,
            sequence,
            pin,
            code_generation,
            plastic,
        },
    )
}

pub(crate) fn counters() -> impl Strategy<Value = (CardId, CardCounters)> {
    let chip = any::<(u8, u16, u64)>().prop_map(|(sequence, highest, used)| ChipCounter {
        sequence,
        highest,
        used,
    });
    let codes = vec(any::<i64>().prop_map(Timestamp), 0..4);
    let (kinds, standings) = (ScriptKind::ALL.to_vec(), ScriptStanding::ALL.to_vec());
    let script = (select(kinds), any::<(u8, u16)>(), select(standings));
    let script = option::of(script.prop_map(|(kind, (sequence, atc), standing)| CardScript {
        kind,
        sequence,
        atc,
        standing,
    }));
    (any::<i64>(), any::<[u32; 4]>(), codes, any::<i64>(), vec(chip, 0..3), script).prop_map(
        |(card, counts, wrong_codes, forgiven, chips, script)| {
            let [wrong_pins, forgiven_pins, chip_pins, chip_pins_used] = counts;
            let counters = CardCounters {
                wrong_pins,
                forgiven_pins,
                wrong_codes,
                forgiven_codes: Timestamp(forgiven),
                chips,
                script,
                chip_pins,
                chip_pins_used,
            };
            (CardId(card), counters)
        },
    )
}

pub(crate) fn effect() -> impl Strategy<Value = CounterEffect> {
    (counters(), any::<bool>()).prop_map(|((card, counters), locks)| CounterEffect {
        card,
        counters,
        locks,
    })
}

pub(crate) fn terms() -> impl Strategy<Value = Arc<CardSecurityTerms>> {
    let label = || text::<32>();
    let keys = ([label(), label(), label(), label(), label()], vec(label(), 0..3));
    let offset = ("[0-9]{16}", 4..13_u8).prop_map(|(digits, length)| {
        let decimalisation = digits.as_bytes().try_into().expect("sixteen");
        PinMethod::Offset { decimalisation, length }
    });
    let pin = option::of(prop_oneof![Just(PinMethod::Pvv), offset]);
    let profiles = vec(text::<16>(), 0..3);
    let numbers = (any::<[u8; 2]>(), any::<u16>(), any::<i64>(), any::<u32>());
    (keys, pin, profiles, any::<[u32; 5]>(), numbers, any::<[bool; 4]>()).prop_map(
        |(keys, pin, profiles, needed, numbers, flags)| {
            let ([cvk, pvk, imk_ac, imk_smi, imk_smc], cvk2) = keys;
            let [pins, stripe, chip_value, code, cryptogram] = needed.map(Circumstances::from_bits);
            let ([pin_limit, code_limit], jump, floor, facts) = numbers;
            let [month_first, takes_lower, declines_jump, answers_alike] = flags;
            let profiles: Vec<AsciiText<16>> = profiles;
            Arc::new(CardSecurityTerms {
                keys: SecurityKeys { cvk, cvk2, pvk, imk_ac, imk_smi, imk_smc },
                pin,
                profiles,
                code_expiry: match month_first {
                    true => ExpiryOrder::MonthYear,
                    false => ExpiryOrder::YearMonth,
                },
                needed: NeededChecks { pin: pins, stripe, chip_value, code, cryptogram },
                pin_limit,
                code_limit,
                counter: CounterRules {
                    lower: if takes_lower { LowerCounter::Take } else { LowerCounter::Decline },
                    jump,
                    declines_jump,
                },
                fallback_floor: MinorUnits(floor),
                refused_facts: ChipFacts::from_bits(facts),
                answers_alike,
            })
        },
    )
}

pub(crate) fn events() -> impl Strategy<Value = Event> {
    let changed = (any::<i64>(), references()).prop_map(|(card, references)| {
        Event::CardReferencesChanged { card: CardId(card), references: Box::new(references) }
    });
    let renewed = (any::<i64>(), 0_u16..=99, 1_u16..=12, references()).prop_map(
        |(card, year, month, references)| Event::CardRenewed {
            card: CardId(card),
            expiry: Expiry::from_yymm(year * 100 + month).expect("a month"),
            references: Box::new(references),
        },
    );
    prop_oneof![changed, renewed]
}
