//! What a command asks of the allocator: nothing, for all that an authorization needs.

use allocation_counter::measure;
use switch_security::{
    CardKeyOption, CardSecurity, CardValue, CardValueKind, ChipData, Cvc3Track, DataElement,
    EncryptedPin, ExpiryOrder, Ibm3624, KeyUsage, PinBlockFormat, PinReference, ProfileName,
    TranslatePin, VerifyCardValue, VerifyCryptogram, VerifyPin,
};

use crate::rig::{Keys, PAN, block, expiry, now, pan, service_code};

const KEY: [u8; 16] = *b"one of many keys";

/// Does it twice, the second time beside a counter.
fn assert_none<T>(what: &str, mut work: impl FnMut() -> T) {
    work();
    let counted = measure(|| {
        std::hint::black_box(work());
    });
    assert_eq!(counted.count_total, 0, "{what}");
}

#[test]
fn a_counter_is_at_work() {
    assert_eq!(measure(|| drop(std::hint::black_box(vec![0u8; 100]))).bytes_max, 100);
}

#[test]
fn verifying_and_translating_pins_allocates_nothing() {
    let mut keys = Keys::default();
    let zones = PinBlockFormat::ALL.map(|format| keys.zone(format, &KEY));
    let (v1, v2) = (keys.tdes(KeyUsage::V1, &KEY), keys.tdes(KeyUsage::V2, &KEY));
    let (module, pan) = (keys.module(), pan(PAN));
    let references = [
        (PinReference::pvv(1, b"1234").expect("a reference"), v2),
        (PinReference::offset(b"1234").expect("a reference"), v1),
    ];
    for (format, key) in PinBlockFormat::ALL.into_iter().zip(zones) {
        let block = block(&vec![0x5A; format.bytes()]);
        let pin = EncryptedPin { block: &block, format, key };
        for (reference, key) in &references {
            let ibm3624 = Ibm3624::default();
            let command = VerifyPin { pin, pan: &pan, reference, key: *key, ibm3624 };
            assert_none("a PIN", || now(module.verify_pin(command)));
        }
        for (to, to_key) in PinBlockFormat::ALL.into_iter().zip(zones) {
            let command = TranslatePin { pin, pan: &pan, to, to_key };
            assert_none("a translation", || now(module.translate_pin(command)));
        }
    }
}

#[test]
fn verifying_card_values_allocates_nothing() {
    let mut keys = Keys::default();
    let (fixed, dynamic) = (keys.tdes(KeyUsage::C0, &KEY), keys.tdes(KeyUsage::E4, &KEY));
    let (module, pan, expiry) = (keys.module(), pan(PAN), expiry());
    let claimed = CardValue::from_digits(b"123").expect("digits");
    let (service_code, card_key) = (service_code(201), CardKeyOption::B);
    let track = Cvc3Track::Template(&[0x5A; 19]);
    for (key, kind) in [
        (fixed, CardValueKind::Cvv { service_code }),
        (fixed, CardValueKind::Icvv),
        (fixed, CardValueKind::Cvv2 { order: ExpiryOrder::MonthYear }),
        (dynamic, CardValueKind::Dcvv { service_code, sequence: 1, card_key, atc: 1 }),
        (
            dynamic,
            CardValueKind::Cvc3 { sequence: 1, card_key, track, unpredictable_number: 1, atc: 1 },
        ),
    ] {
        let command = VerifyCardValue { key, pan: &pan, expiry, kind, claimed: &claimed };
        assert_none("a card value", || now(module.verify_card_value(command)));
    }
}

#[test]
fn verifying_cryptograms_allocates_nothing() {
    let mut keys = Keys::default();
    let key = keys.tdes(KeyUsage::E0, &KEY);
    let (module, pan) = (keys.module(), pan(PAN));
    let element = |tag, value| DataElement { tag, value };
    let elements = [
        element(0x9F02, &[0; 6]),
        element(0x9F03, &[0; 6]),
        element(0x9F1A, &[0; 2]),
        element(0x95, &[0; 5]),
        element(0x5F2A, &[0; 2]),
        element(0x9A, &[0; 3]),
        element(0x9C, &[0; 1]),
        element(0x82, &[0; 2]),
    ];
    for (name, issuer_data) in [
        ("visa-10", &[6, 1, 0x0A, 3, 0, 0, 0][..]),
        ("visa-18", &[6, 1, 0x12, 3, 0, 0, 0]),
        ("mchip-11", &[1, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ] {
        let chip = ChipData {
            atc: 1,
            unpredictable_number: 2,
            issuer_application_data: issuer_data,
            elements: &elements,
        };
        let profile = ProfileName::new(name).expect("a name");
        let command = VerifyCryptogram {
            profile,
            key,
            pan: &pan,
            sequence: 0,
            chip,
            cryptogram: [0; 8],
            answers: None,
        };
        let wrong = now(module.verify_cryptogram(command));
        assert_eq!(wrong, Err(switch_security::SecurityError::Incorrect), "{name}");
        assert_none(name, || now(module.verify_cryptogram(command)));
    }
}
