//! Every EMV group of the vectors: card keys, session keys, cryptograms that are right and ones
//! that are not, answers, commands.

use std::collections::BTreeMap;

use switch_domain::Pan;

use super::card_key::{DerivedKey, derive};
use super::session_key::{SessionMethod, visa_exclusive_or};
use super::{
    CardCommand, CardKeyOption, ChipCard, CryptogramProfile, EmvError, MasterKeys, Occasion,
    protect, verify,
};
use crate::card_security::{ChipData, DataElement, Decision};
use crate::des_pair::DesPair;
use crate::vectors::{CRYPTOGRAMS, Vector, check_groups};

pub(super) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap()
}

pub(super) fn master(vector: &Vector<'_>, name: &str) -> DesPair {
    DesPair::new(&vector.bytes(name)).unwrap()
}

pub(super) fn shown(key: &DerivedKey) -> String {
    hex::encode_upper([*key.left(), *key.right()].concat())
}

/// The card of a vector.
pub(super) struct Holder {
    pan: Pan,
    sequence: u8,
}

impl Holder {
    pub(super) fn of(vector: &Vector<'_>) -> Self {
        let pan = Pan::from_digits(vector.text("pan").as_bytes()).unwrap();
        Self { pan, sequence: vector.text("psn").parse().unwrap() }
    }

    pub(super) fn card(&self) -> ChipCard<'_> {
        ChipCard { pan: &self.pan, sequence: self.sequence }
    }
}

/// The values of a vector's tags.
struct Tags(BTreeMap<u32, Vec<u8>>);

impl Tags {
    fn of(vector: &Vector<'_>) -> Self {
        let tags = vector.input("tags").as_object().unwrap().iter();
        let read = |(tag, value): (&String, &serde_json::Value)| {
            let tag = u32::from_str_radix(tag, 16).unwrap();
            (tag, hex::decode(value.as_str().unwrap()).unwrap())
        };
        Self(tags.map(read).collect())
    }

    fn elements(&self) -> Vec<DataElement<'_>> {
        self.0.iter().map(|(tag, value)| DataElement { tag: *tag, value }).collect()
    }

    /// What a command has of them.
    fn chip<'a>(&'a self, elements: &'a [DataElement<'a>]) -> ChipData<'a> {
        ChipData {
            atc: u16::from_be_bytes(array(&self.0[&0x9F36])),
            unpredictable_number: u32::from_be_bytes(array(&self.0[&0x9F37])),
            issuer_application_data: &self.0[&0x9F10],
            elements,
        }
    }

    fn cryptogram(&self) -> [u8; 8] {
        array(&self.0[&0x9F26])
    }
}

/// The profile that a group is of.
fn profile(group: &str) -> &'static CryptogramProfile {
    let name = match group {
        "arqc_visa_cvn10" => "visa-10",
        "arqc_visa_cvn17" => "visa-17",
        "arqc_visa_cvn18" => "visa-18",
        "arqc_visa_cvn22" => "visa-22",
        "arqc_mchip_cvn10h" => "mchip-10",
        "arqc_mchip_cvn11h" => "mchip-11",
        "arqc_mchip_cvn14h" => "mchip-14",
        "arqc_mchip_cvn15h" => "mchip-15",
        other => panic!("nobody checks {other}"),
    };
    CryptogramProfile::named(name).unwrap()
}

fn card_key(option: CardKeyOption, vector: &Vector<'_>) {
    let made = derive(option, &master(vector, "imk"), &Holder::of(vector).card()).unwrap();
    assert_eq!(shown(&made), vector.expected("icc_mk"), "{}", vector.id());
}

fn session_keys(vector: &Vector<'_>) {
    let [left, right]: [[u8; 8]; 2] = {
        let of_card = vector.bytes("icc_mk");
        let (left, right) = of_card.split_at(8);
        [array(left), array(right)]
    };
    let of_card = DerivedKey::of_halves(left, right);
    let counter = u16::from_be_bytes(array(&vector.bytes("atc")));
    let number = u32::from_be_bytes(array(&vector.bytes("un")));
    for (method, name) in [
        (SessionMethod::Common, "emv_common"),
        (SessionMethod::MastercardSkd, "mastercard_skd"),
        (SessionMethod::Emv2000Tree, "emv2000_tree"),
    ] {
        let made = method.derive(&of_card, counter, number).unwrap();
        assert_eq!(shown(&made), vector.expected(name), "{} {name}", vector.id());
    }
    let made = visa_exclusive_or(&of_card, counter);
    assert_eq!(shown(&made), vector.expected("visa_sm"), "{}", vector.id());
}

/// All that a vector of a profile says.
fn transaction(profile: &CryptogramProfile, vector: &Vector<'_>) {
    let (holder, tags, id) = (Holder::of(vector), Tags::of(vector), vector.id());
    let elements = tags.elements();
    let chip = tags.chip(&elements);
    let found = CryptogramProfile::of_issuer_data(profile.scheme, chip.issuer_application_data);
    assert_eq!(found.unwrap().name, profile.name);
    let message: Vec<u8> = profile.message(&chip).unwrap().collect();
    assert_eq!(hex::encode_upper(message), vector.text("ac_data"), "{id}");

    let imk_ac = master(vector, "imk_ac");
    let of_card = derive(profile.card_key, &imk_ac, &holder.card()).unwrap();
    assert_eq!(shown(&of_card), vector.expected("icc_mk"), "{id}");
    let session = profile.session.derive(&of_card, chip.atc, chip.unpredictable_number);
    if let Some(session) = session {
        assert_eq!(shown(&session), vector.expected("sk_ac"), "{id}");
    }

    let proof = verify(profile, &imk_ac, &holder.card(), &chip, tags.cryptogram()).unwrap();
    let read = |name| vector.optional(name).map(|digits| hex::decode(digits).unwrap());
    let response_code = read("arc").or_else(|| read("arpc_rc"));
    let decision = Decision {
        response_code: response_code.map_or([0; 2], |code| array(&code)),
        status_update: read("csu").map_or([0; 4], |status| array(&status)),
    };
    let answer = proof.answer(&decision, &read("proprietary_auth_data").unwrap_or_default());
    if profile.answer.is_none() {
        assert_eq!((answer, profile.script), (Ok(None), None));
        return;
    }
    let answer = answer.unwrap().unwrap();
    assert_eq!(hex::encode_upper(answer.bytes()), vector.expected("tag91"), "{id}");

    let occasion = Occasion { atc: chip.atc, cryptogram: tags.cryptogram(), position: 0 };
    let keys = ["imk_smi", "imk_smc"].map(|name| master(vector, name));
    let [integrity, confidentiality] = &keys;
    let keys = MasterKeys { integrity, confidentiality, cryptogram: &imk_ac };
    let new = vector.text("new_pin").as_bytes();
    let unblock = format!("8418000008{}", vector.expected("unblock_mac"));
    for (command, wanted) in [
        (CardCommand::UnblockApplication, unblock.as_str()),
        (CardCommand::ChangePin { new, current: None }, vector.expected("pin_change_apdu")),
    ] {
        let script = protect(profile, &keys, &holder.card(), occasion, &command).unwrap();
        assert_eq!(hex::encode_upper(script.bytes()), wanted, "{id}");
    }
}

/// Whatever is changed, the cryptogram is refused; and for that alone: what the card would have
/// made of the changed data is taken.
fn changed(vector: &Vector<'_>) {
    let profile = profile(vector.text("profile"));
    let (holder, tags) = (Holder::of(vector), Tags::of(vector));
    let elements = tags.elements();
    let verify = |claimed| {
        let master = master(vector, "imk_ac");
        verify(profile, &master, &holder.card(), &tags.chip(&elements), claimed).err()
    };
    assert_eq!(verify(tags.cryptogram()), Some(EmvError::Incorrect), "{}", vector.id());
    assert_eq!(verify(array(&vector.expected_bytes("computed"))), None, "{}", vector.id());
}

#[test]
fn every_vector_of_cryptograms_is_met() {
    check_groups(&CRYPTOGRAMS, |group, vector| match group {
        "emv_mk_a" => card_key(CardKeyOption::A, vector),
        "emv_mk_b" => card_key(CardKeyOption::B, vector),
        "emv_session_keys" => session_keys(vector),
        "arqc_reject" => changed(vector),
        other => transaction(profile(other), vector),
    });
}
