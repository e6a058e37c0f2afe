//! What holds of any input: nothing panics, only the whole cryptogram of exactly what was signed is
//! taken, what is missing or has a wrong size is malformed, and verifying allocates nothing.

use allocation_counter::measure;
use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};
use switch_domain::Pan;

use super::card_key::derive;
use super::retail_mac::retail_mac;
use super::{
    CRYPTOGRAM, CardCommand, ChipCard, CryptogramProfile, Element, EmvError, MasterKeys, Occasion,
    protect, verify,
};
use crate::card_security::{ChipData, DataElement, Decision};
use crate::des_pair::DesPair;

const KEY: [u8; 16] = *b"\x01#Eg\x89\xab\xcd\xef\xfe\xdc\xba\x98vT2\x10";
const VALUE: [u8; 6] = [0x12; 6];

fn master() -> DesPair {
    DesPair::new(&KEY).unwrap()
}

fn pan(digits: &str) -> Pan {
    Pan::from_digits(digits.as_bytes()).unwrap()
}

/// Issuer application data that a profile is found by.
fn issuer_data(profile: &CryptogramProfile) -> Vec<u8> {
    let layout = profile.issuer_data;
    let mut iad = vec![layout.first.unwrap_or(1); usize::from(layout.lengths.0)];
    iad[usize::from(layout.version_at)] = profile.version;
    iad
}

/// Every element that a profile wants as a tag.
fn elements(profile: &CryptogramProfile) -> Vec<DataElement<'static>> {
    let all = profile.data.iter().copied().flatten();
    let tags = all.filter_map(|element| match element {
        Element::Tag { tag, length, .. } => {
            Some(DataElement { tag: *tag, value: &VALUE[..usize::from(*length)] })
        }
        _ => None,
    });
    tags.collect()
}

fn chip<'a>(iad: &'a [u8], elements: &'a [DataElement<'a>]) -> ChipData<'a> {
    let unpredictable_number = 0x1234_5678;
    ChipData { atc: 7, unpredictable_number, issuer_application_data: iad, elements }
}

/// What the card would make, by the profile's own rules.
fn cryptogram(profile: &CryptogramProfile, card: &ChipCard<'_>, chip: &ChipData<'_>) -> [u8; 8] {
    let of_card = derive(profile.card_key, &master(), card).unwrap();
    let of_session = profile.session.derive(&of_card, chip.atc, chip.unpredictable_number);
    let key = of_session.as_ref().unwrap_or(&of_card);
    retail_mac(key.cipher(), profile.padding, profile.message(chip).unwrap())
}

#[test]
fn each_profile_is_found_by_its_data_and_names_are_its_own() {
    for profile in CryptogramProfile::all() {
        let iad = issuer_data(profile);
        let found = CryptogramProfile::of_issuer_data(profile.scheme, &iad).unwrap();
        assert_eq!(found.name, profile.name);
        assert_eq!(CryptogramProfile::named(profile.name).unwrap().version, profile.version);
        assert!(profile.card_results(&iad).is_some() && profile.key_index(&iad).is_some());
        assert!(profile.card_results(&[]).is_none() && profile.key_index(&[]).is_none());
        // One byte fewer, or another version, is not its.
        assert!(!profile.made(&iad[1..]));
        let mut other = iad;
        other[usize::from(profile.issuer_data.version_at)] ^= 0x80;
        assert!(!profile.made(&other));
    }
    assert!(CryptogramProfile::named("visa-14").is_none());
}

#[test]
fn what_is_missing_or_has_a_wrong_size_is_malformed() {
    let (pan, master) = (pan("9999991200000018"), master());
    let card = ChipCard { pan: &pan, sequence: 1 };
    for profile in CryptogramProfile::all() {
        let (iad, all) = (issuer_data(profile), elements(profile));
        let claimed = cryptogram(profile, &card, &chip(&iad, &all));
        assert!(verify(profile, &master, &card, &chip(&iad, &all), claimed).is_ok());
        for (at, element) in all.iter().enumerate() {
            let mut fewer = all.clone();
            fewer.remove(at);
            let refused = verify(profile, &master, &card, &chip(&iad, &fewer), claimed).err();
            // Cash back may lack, and is zeros: then it is another amount than was signed.
            let lacks =
                if element.tag == 0x9F03 { EmvError::Incorrect } else { EmvError::Malformed };
            assert_eq!(refused, Some(lacks), "{} {:X}", profile.name, element.tag);
            for value in [&VALUE[..0], &VALUE[..element.value.len() - 1], &[0x12; 7]] {
                let mut other = all.clone();
                other[at].value = value;
                let refused = verify(profile, &master, &card, &chip(&iad, &other), claimed).err();
                assert_eq!(
                    refused,
                    Some(EmvError::Malformed),
                    "{} {:X}",
                    profile.name,
                    element.tag
                );
            }
        }
        let beyond = ChipCard { pan: &pan, sequence: 100 };
        let refused = verify(profile, &master, &beyond, &chip(&iad, &all), claimed).err();
        assert_eq!(refused, Some(EmvError::Malformed));
        let none = ChipData { issuer_application_data: &[], ..chip(&iad, &all) };
        let refused = verify(profile, &master, &card, &none, claimed).err();
        assert_eq!(refused, Some(EmvError::Malformed));
    }
}

#[test]
fn no_two_commands_behind_an_answer_are_protected_alike() {
    let (pan, key) = (pan("9999991200000018"), master());
    let card = ChipCard { pan: &pan, sequence: 1 };
    let keys = MasterKeys { integrity: &key, confidentiality: &key, cryptogram: &key };
    let occasion = |position| Occasion { atc: 7, cryptogram: [0xFF; CRYPTOGRAM], position };
    let made = |name: &str, position, command: &CardCommand<'_>| {
        let profile = CryptogramProfile::named(name).unwrap();
        protect(profile, &keys, &card, occasion(position), command)
    };
    let unblock = CardCommand::UnblockPin;
    let [first, second] = [0, 1].map(|position| made("mchip-10", position, &unblock).unwrap());
    assert!(first != second && first.bytes()[..5] == second.bytes()[..5]);
    assert_eq!(made("visa-18", 1, &unblock).err(), Some(EmvError::NotOffered));
    assert_eq!(made("visa-17", 0, &unblock).err(), Some(EmvError::NotOffered));

    // The present PIN is hidden under in Visa's block alone, and the command says so.
    let change = |current| CardCommand::ChangePin { new: b"123456", current };
    let without = made("visa-10", 0, &change(None)).unwrap();
    let with = made("visa-10", 0, &change(Some(b"4321"))).unwrap();
    assert_eq!((without.bytes()[3], with.bytes()[3]), (2, 1));
    assert!(without.bytes()[5..21] != with.bytes()[5..21]);
    let [without, with] =
        [None, Some(&b"4321"[..])].map(|current| made("visa-22", 0, &change(current)).unwrap());
    assert!(without == with);
    for wrong in [&b""[..], b"123", b"1234567890123", b"12a4"] {
        for change in [
            CardCommand::ChangePin { new: wrong, current: None },
            CardCommand::ChangePin { new: b"1234", current: Some(wrong) },
        ] {
            assert_eq!(made("visa-10", 0, &change).err(), Some(EmvError::Malformed));
        }
    }
}

#[test]
fn verifying_and_answering_allocate_nothing() {
    let master = master();
    // One number for each option.
    for pan in [pan("9999991200000018"), pan("9999991200000018000")] {
        let card = ChipCard { pan: &pan, sequence: 1 };
        for profile in CryptogramProfile::all() {
            let (iad, all) = (issuer_data(profile), elements(profile));
            let claimed = cryptogram(profile, &card, &chip(&iad, &all));
            let decision = Decision { response_code: *b"00", status_update: [0; 4] };
            let counted = measure(|| {
                let proof = verify(profile, &master, &card, &chip(&iad, &all), claimed);
                assert!(proof.is_ok_and(|proof| proof.answer(&decision, &[]).is_ok()));
            });
            assert_eq!(counted.count_total, 0, "{}", profile.name);
        }
    }
}

fn any_elements() -> impl Strategy<Value = Vec<(u32, Vec<u8>)>> {
    let known = [0x9F02, 0x9F03, 0x9F1A, 0x95, 0x5F2A, 0x9A, 0x9C, 0x82];
    let tag = prop_oneof![prop::sample::select(known.to_vec()), any::<u32>()];
    prop::collection::vec((tag, prop::collection::vec(any::<u8>(), 0..8)), 0..12)
}

proptest! {
    #[test]
    fn no_input_panics_and_none_is_right_by_chance(
        iad in prop::collection::vec(any::<u8>(), 0..40),
        all in any_elements(),
        digits in "[0-9]{12,19}",
        (sequence, atc, number, claimed) in any::<(u8, u16, u32, [u8; 8])>(),
        (new, current) in any::<(Vec<u8>, Option<Vec<u8>>)>(),
        proprietary in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let (master, pan) = (master(), pan(&digits));
        let card = ChipCard { pan: &pan, sequence };
        let all: Vec<_> = all.iter().map(|(tag, value)| DataElement { tag: *tag, value }).collect();
        for profile in CryptogramProfile::all() {
            let mut iad = iad.clone();
            // Some of the data are the profile's, so that there is something behind its beginning.
            if let (Some(first), Some(slot)) = (profile.issuer_data.first, iad.first_mut()) {
                *slot = first;
            }
            if let Some(slot) = iad.get_mut(usize::from(profile.issuer_data.version_at)) {
                *slot = profile.version;
            }
            let chip = ChipData {
                atc,
                unpredictable_number: number,
                issuer_application_data: &iad,
                elements: &all,
            };
            assert!(verify(profile, &master, &card, &chip, claimed).is_err());
            let keys = MasterKeys {
                integrity: &master,
                confidentiality: &master,
                cryptogram: &master,
            };
            let occasion = Occasion { atc, cryptogram: claimed, position: sequence };
            let change = CardCommand::ChangePin { new: &new, current: current.as_deref() };
            let made = protect(profile, &keys, &card, occasion, &change);
            assert!(made.is_err() || new.iter().all(u8::is_ascii_digit));
            let full = self::elements(profile);
            let iad = issuer_data(profile);
            let chip = ChipData { issuer_application_data: &iad, elements: &full, ..chip };
            let card = ChipCard { sequence: sequence % 100, ..card };
            let claimed = cryptogram(profile, &card, &chip);
            let proof = verify(profile, &master, &card, &chip, claimed);
            let decision = Decision { response_code: [1; 2], status_update: [2; 4] };
            let answer = proof.ok().map(|proof| proof.answer(&decision, &proprietary));
            let too_long = profile.answer.is_some() && proprietary.len() > 8;
            assert!(answer.is_some_and(|answer| answer.is_err() == too_long));
        }
    }
}
