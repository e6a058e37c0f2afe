//! Cryptograms, answers, keys and commands that other projects print, where a file of them is at
//! hand.

use std::collections::HashMap;

use super::answer::authenticate;
use super::card_key::{DerivedKey, derive};
use super::cryptogram::Proof;
use super::retail_mac::retail_mac;
use super::session_key::SessionMethod;
use super::vectors::{Holder, array, master};
use super::{
    AnswerForm, CardCommand, CardKeyOption, CryptogramProfile, MasterKeys, Occasion, protect,
    verify,
};
use crate::card_security::{ChipData, DataElement, Decision};
use crate::mac::MacPadding;
use crate::vectors::{CRYPTOGRAMS, Vector, check_published};

/// The key that a name speaks of.
fn key(name: &str, vector: &Vector<'_>) -> DerivedKey {
    let option = if name.contains("option B") { CardKeyOption::B } else { CardKeyOption::A };
    let of_card = derive(option, &master(vector, "imk"), &Holder::of(vector).card()).unwrap();
    let method = if name.contains("CSK") {
        SessionMethod::Common
    } else if name.contains("SKD") {
        SessionMethod::MastercardSkd
    } else {
        return of_card;
    };
    let counter = u16::from_be_bytes(array(&vector.bytes("atc")));
    method.derive(&of_card, counter, u32::from_be_bytes(array(&vector.bytes("un")))).unwrap()
}

/// A cryptogram over bytes as they stand, by any session key and padding.
fn cryptogram(name: &str, vector: &Vector<'_>) {
    let zeros = name.contains("zero pad");
    let padding = if zeros { MacPadding::Zeros } else { MacPadding::OneThenZeros };
    let made = retail_mac(key(name, vector).cipher(), padding, vector.bytes("data").into_iter());
    assert_eq!(hex::encode_upper(made), vector.expected("arqc"), "{name}");
}

/// An answer of either method under any key.
fn answer(name: &str, vector: &Vector<'_>) {
    let read = |name| vector.optional(name).map(|digits| hex::decode(digits).unwrap());
    let (approved, declined) = ([0; 4], [0; 4]);
    let (decision, form) = if let Some(status) = read("csu") {
        let decision = Decision { response_code: [0; 2], status_update: array(&status) };
        (decision, AnswerForm::StatusUpdate { approved, declined })
    } else {
        let response_code = array(&vector.bytes("rc"));
        (Decision { response_code, status_update: [0; 4] }, AnswerForm::ResponseCode)
    };
    let cryptogram = array(&vector.bytes("arqc"));
    let made = authenticate(form, &key(name, vector), cryptogram, &decision, &[]).unwrap();
    let arpc = vector.expected_bytes("arpc");
    assert_eq!(made.bytes().get(..arpc.len()), Some(arpc.as_slice()), "{name}");
}

/// The first two bytes of zeros encrypted under a card's key.
fn check_value(option: CardKeyOption, vector: &Vector<'_>, master_name: &str, wanted: &str) {
    let holder = Holder::of(vector);
    let made = derive(option, &master(vector, master_name), &holder.card()).unwrap();
    let zeros = made.cipher().encrypt([0; 8]);
    assert_eq!(hex::encode_upper(&zeros[..2]), vector.expected(wanted), "{}", vector.id());
}

/// The elements of a published transaction, out of the bytes that its cryptogram is made over.
fn elements(data: &[u8]) -> Vec<DataElement<'_>> {
    let lengths = [
        (0x9F02, 6),
        (0x9F03, 6),
        (0x9F1A, 2),
        (0x95, 5),
        (0x5F2A, 2),
        (0x9A, 3),
        (0x9C, 1),
        (0x9F37, 4),
        (0x82, 2),
        (0x9F36, 2),
    ];
    let mut rest = data;
    let mut take = |(tag, length)| {
        let (value, behind) = rest.split_at(length);
        rest = behind;
        DataElement { tag, value }
    };
    lengths.into_iter().map(&mut take).collect()
}

type Right = HashMap<&'static str, ([u8; 8], Proof)>;

/// What a hardware module made of one transaction under a profile.
fn transaction(number: &'static str, what: &str, vector: &Vector<'_>, right: &mut Right) {
    let profile = CryptogramProfile::named(&format!("visa-{number}")).unwrap();
    let (holder, data) = (Holder::of(vector), vector.bytes("data_without_iad"));
    let elements = elements(&data);
    let iad = if number == "10" { "06010A03A06010" } else { "06011203A0B800" };
    let iad = hex::decode(iad).unwrap();
    let chip = ChipData {
        atc: u16::from_be_bytes(array(&vector.bytes("atc"))),
        unpredictable_number: u32::from_be_bytes(array(elements[7].value)),
        issuer_application_data: &iad,
        elements: &elements,
    };
    let keys = ["imk_smi", "imk_smc", "imk_ac"].map(|name| master(vector, name));
    let [integrity, confidentiality, imk_ac] = &keys;
    if what.starts_with("ARQC") {
        let claimed = array(&vector.expected_bytes("arqc"));
        let proof = verify(profile, imk_ac, &holder.card(), &chip, claimed);
        right.insert(number, (claimed, proof.unwrap_or_else(|why| panic!("{what}: {why:?}"))));
        return;
    }
    // The command of version 22 goes with the cryptogram of version 18.
    let (cryptogram, proof) = &right[if number == "22" { "18" } else { number }];
    if what.starts_with("ARPC") {
        let decision = Decision { response_code: *b"00", status_update: [0; 4] };
        let answer = proof.answer(&decision, &[]).unwrap().unwrap();
        assert!(answer.bytes().starts_with(&vector.expected_bytes("arpc")), "{}", vector.id());
        return;
    }
    let (command, wanted) = if what.starts_with("unblock") {
        (CardCommand::UnblockApplication, format!("8418000008{}", vector.expected("mac")))
    } else {
        let change = CardCommand::ChangePin { new: b"9999", current: None };
        (change, vector.expected("apdu").to_owned())
    };
    let keys = MasterKeys { integrity, confidentiality, cryptogram: imk_ac };
    let occasion = Occasion { atc: chip.atc, cryptogram: *cryptogram, position: 0 };
    let script = protect(profile, &keys, &holder.card(), occasion, &command).unwrap();
    assert_eq!(hex::encode_upper(script.bytes()), wanted, "{}", vector.id());
}

#[test]
fn every_published_vector_of_cryptograms_is_met() {
    let mut right = Right::new();
    check_published(&CRYPTOGRAMS, |name, vector| {
        if name.starts_with("ARQC") {
            cryptogram(name, vector);
        } else if name.starts_with("ARPC") {
            answer(name, vector);
        } else if name == "card master key KCVs" {
            for (master, wanted) in [("imk_ac", "ac"), ("imk_smi", "smi"), ("imk_smc", "smc")] {
                check_value(CardKeyOption::A, vector, master, wanted);
            }
        } else if name.starts_with("option A") {
            check_value(CardKeyOption::A, vector, "imk", "kcv");
        } else if name.starts_with("option B") {
            check_value(CardKeyOption::B, vector, "imk", "kcv");
        } else if let Some(what) = name.strip_prefix("CVN 10 ") {
            transaction("10", what, vector, &mut right);
        } else if let Some(what) = name.strip_prefix("CVN 18 ") {
            transaction("18", what, vector, &mut right);
        } else if let Some(what) = name.strip_prefix("CVN 22 ") {
            transaction("22", what, vector, &mut right);
        } else {
            panic!("nobody checks {name}");
        }
    });
}
