//! The computations of cards against vectors of other implementations: those that the switch has to
//! meet too. Each group is named with its count; one that is missing fails.

use serde_json::Value;

use super::answer::{Expected, IssuerAnswer};
use super::cipher::Key;
use super::keys::TestKey;
use super::kind::{CardKind, card_key};
use super::pin_block::{pin_block_0, pin_block_4};
use super::script::{Effect, ScriptKeys, commands, effect};
use super::tlv;
use super::values::{card_value, pin_verification_value};

const VECTORS: &str = include_str!("../../../switch/security/tests/vectors/card-crypto.json");

fn group(name: &str, count: usize) -> Vec<Value> {
    let all: Value = serde_json::from_str(VECTORS).unwrap();
    let groups = all["groups"].as_array().unwrap();
    let group = groups.iter().find(|group| group["group"] == name).expect("the group is there");
    let rows = group["vectors"].as_array().unwrap().clone();
    assert_eq!(rows.len(), count, "{name}");
    println!("{name}: {count}");
    rows
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_else(|| panic!("no {name} in {object}"))
}

fn array<const N: usize>(object: &Value, name: &str) -> [u8; N] {
    hex::decode(text(object, name)).unwrap().try_into().unwrap()
}

fn key(object: &Value, name: &str) -> TestKey {
    TestKey::from_digits(text(object, name)).unwrap()
}

#[test]
fn chips_sign_and_judge_as_others_do() {
    for (name, kind) in [
        ("arqc_visa_cvn10", CardKind::Visa10),
        ("arqc_visa_cvn18", CardKind::Visa18),
        ("arqc_visa_cvn22", CardKind::Visa22),
        ("arqc_mchip_cvn10h", CardKind::MChip10),
        ("arqc_mchip_cvn15h", CardKind::MChip15),
    ] {
        let (mut met, mut long) = (0, 0);
        for row in group(name, 20) {
            let (given, expected) = (&row["in"], &row["out"]);
            let (pan, master) = (text(given, "pan"), key(given, "imk_ac"));
            let sequence = text(given, "psn").parse().unwrap();
            let of_card: Key = if pan.len() > 16 {
                assert!(card_key(&master, pan, sequence).is_err());
                long += 1;
                array(expected, "icc_mk")
            } else {
                card_key(&master, pan, sequence).unwrap()
            };
            assert_eq!(of_card, array(expected, "icc_mk"), "{}", row["id"]);
            let tags = &given["tags"];
            let counter = u16::from_be_bytes(array(tags, "9F36"));
            let session = kind.session_key(&of_card, counter, array(tags, "9F37"));
            let signed = hex::decode(text(given, "ac_data")).unwrap();
            let issuer_data = hex::decode(text(tags, "9F10")).unwrap();
            assert!(signed.ends_with(&kind.signed_issuer_data(&issuer_data)), "{}", row["id"]);
            let cryptogram = kind.cryptogram(&session, &signed);
            assert_eq!(cryptogram, array(expected, "arqc"), "{}", row["id"]);
            let expects = Expected { kind, key: kind.answer_key(&of_card, &session), cryptogram };
            let mut answer = Vec::new();
            let mut authentication = hex::decode(text(expected, "tag91")).unwrap();
            tlv::put(&mut answer, 0x91, &authentication);
            let judged = expects.judge(&answer);
            assert!(matches!(judged, IssuerAnswer::Right { .. }), "{} {judged:?}", row["id"]);
            obey(kind, of_card, &expects, counter, &row);
            authentication[0] ^= 1;
            let mut answer = vec![0x8A, 0x02, 0x30, 0x30];
            tlv::put(&mut answer, 0x91, &authentication);
            assert_eq!(expects.judge(&answer), IssuerAnswer::Wrong, "{}", row["id"]);
            met += 1;
        }
        assert_eq!(met, 20);
        println!("  of these with a card key that is not made here: {long}");
    }
}

/// The commands of a row do what they say, and nothing once a bit of them is another.
fn obey(kind: CardKind, cryptograms: Key, expects: &Expected, counter: u16, row: &Value) {
    let (given, expected) = (&row["in"], &row["out"]);
    let pan = text(given, "pan");
    if pan.len() > 16 {
        return;
    }
    let sequence = text(given, "psn").parse().unwrap();
    let own = |name| card_key(&key(given, name), pan, sequence).unwrap();
    let (integrity, confidentiality) = (own("imk_smi"), own("imk_smc"));
    let keys = ScriptKeys { integrity, confidentiality, cryptograms };
    let command = hex::decode(text(expected, "pin_change_apdu")).unwrap();
    let changed = Effect::PinChanged(text(given, "new_pin").to_owned());
    let mut template = Vec::new();
    tlv::put(&mut template, 0x86, &command);
    let mut answer = Vec::new();
    tlv::put(&mut answer, 0x72, &template);
    assert_eq!(commands(&answer), [command.as_slice()]);
    assert_eq!(effect(&keys, expects, counter, 0, &command), Some(changed), "{kind:?}");
    assert_eq!(effect(&keys, expects, counter, 1, &command), None);
    assert_eq!(effect(&keys, expects, counter.wrapping_add(1), 0, &command), None);
    for at in 0..command.len() {
        let mut other = command.clone();
        other[at] ^= 1;
        assert_eq!(effect(&keys, expects, counter, 0, &other), None, "{kind:?} {at}");
        assert_eq!(effect(&keys, expects, counter, 0, &command[..at]), None);
    }
}

#[test]
fn values_of_cards_are_those_of_others() {
    for (name, count) in [("cvv1", 24), ("cvv2", 24), ("icvv", 24), ("cvv_second_pass", 20)] {
        for row in group(name, count) {
            let given = &row["in"];
            let (pan, expiry) = (text(given, "pan"), text(given, "expiry"));
            let made = card_value(&key(given, "cvk"), pan, expiry, text(given, "service_code"));
            assert_eq!(made, text(&row["out"], "cvv"), "{}", row["id"]);
        }
    }
}

#[test]
fn values_of_pins_are_those_of_others() {
    for row in group("pvv", 30) {
        let given = &row["in"];
        let index = text(given, "pvki").parse().unwrap();
        let (pan, pin) = (text(given, "pan"), text(given, "pin"));
        let made = pin_verification_value(&key(given, "pvk"), pan, index, pin);
        assert_eq!(made, text(&row["out"], "pvv"), "{}", row["id"]);
    }
}

#[test]
fn pin_blocks_are_those_of_others() {
    // Of the zone keys that others take, the longer ones are none of these terminals'.
    let (mut short, mut long) = (0, 0);
    for row in group("pinblock_tdes", 24) {
        let given = &row["in"];
        let whole = text(given, "zpk").len() == 32;
        if given["format"] == 0 && whole {
            let made = pin_block_0(&key(given, "zpk"), text(given, "pan"), text(given, "pin"));
            assert_eq!(made, array(&row["out"], "block"), "{}", row["id"]);
            short += 1;
        }
    }
    for row in group("pinblock_iso4", 24) {
        let given = &row["in"];
        if text(given, "key").len() == 32 {
            let (pan, pin) = (text(given, "pan"), text(given, "pin"));
            let made = pin_block_4(&key(given, "key"), pan, pin, array(given, "random"));
            assert_eq!(made, array(&row["out"], "block"), "{}", row["id"]);
            long += 1;
        }
    }
    println!(
        "  of format 0 under two keys of DES: {short}; of format 4 under AES of 128 bits: {long}"
    );
    assert!(short > 0 && long > 0);
}
