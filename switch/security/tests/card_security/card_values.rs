//! Card values by command: those of other implementations are taken, and no others.

use switch_domain::Expiry;
use switch_security::{
    CardKeyOption, CardSecurity, CardValue, CardValueKind, Cvc3Track, ExpiryOrder,
    GenerateCardValue, KeyUsage, SecurityError, VerifyCardValue,
};

use crate::rig::{Keys, PAN, expiry, now, pan, service_code};
use crate::vectors::{CARD_VALUES, Vector, check_groups};

fn value(digits: &str) -> CardValue {
    CardValue::from_digits(digits.as_bytes()).expect("digits")
}

/// Made as expected, verified, and another one refused.
fn assert_value(
    usage: KeyUsage,
    key: &[u8],
    card: CardValueKind<'_>,
    vector: &Vector<'_>,
    is: &str,
) {
    let mut keys = Keys::default();
    let key = keys.tdes(usage, key);
    let module = keys.module();
    let pan = pan(vector.text("pan").as_bytes());
    let yymm = vector.optional("expiry").map_or(3012, |digits| {
        let (first, second) = digits.split_at(2);
        let month_first = vector.optional("expiry_format") == Some("MMYY");
        let both = if month_first { format!("{second}{first}") } else { digits.to_owned() };
        both.parse().expect("digits")
    });
    let expiry = Expiry::from_yymm(yymm).expect("a month");
    let made = GenerateCardValue { key, pan: &pan, expiry, kind: card };
    let made = now(module.generate_card_value(made)).expect("made");
    assert!(made.matches(&value(is)), "{}", vector.id());
    let verify = |claimed: &CardValue| {
        now(module.verify_card_value(VerifyCardValue {
            key,
            pan: &pan,
            expiry,
            kind: card,
            claimed,
        }))
    };
    assert_eq!(verify(&made), Ok(()), "{}", vector.id());
    for place in 0..is.len() {
        let mut wrong = is.as_bytes().to_vec();
        wrong[place] = b'0' + (wrong[place] - b'0' + 1) % 10;
        let wrong = CardValue::from_digits(&wrong).expect("digits");
        assert_eq!(verify(&wrong), Err(SecurityError::Incorrect), "{}", vector.id());
    }
}

fn option_of(vector: &Vector<'_>) -> CardKeyOption {
    // Who names none has numbers short enough for both to be one.
    match vector.optional("mk_option") {
        Some("B") => CardKeyOption::B,
        _ => CardKeyOption::A,
    }
}

fn counter(vector: &Vector<'_>) -> u16 {
    u16::from_be_bytes(vector.bytes("atc").try_into().expect("two bytes"))
}

fn sequence(vector: &Vector<'_>) -> u8 {
    vector.text("psn").parse().expect("two digits")
}

fn code_of(vector: &Vector<'_>) -> switch_domain::ServiceCode {
    service_code(vector.text("service_code").parse().expect("digits"))
}

fn dynamic_visa(vector: &Vector<'_>) {
    let kind = CardValueKind::Dcvv {
        service_code: code_of(vector),
        sequence: sequence(vector),
        card_key: option_of(vector),
        atc: counter(vector),
    };
    assert_value(KeyUsage::E4, &vector.bytes("imk"), kind, vector, vector.expected("dcvv"));
}

fn dynamic_mastercard(key: &str, track: Cvc3Track<'_>, vector: &Vector<'_>, is: &str) {
    let kind = CardValueKind::Cvc3 {
        sequence: sequence(vector),
        card_key: option_of(vector),
        track,
        unpredictable_number: u32::from_be_bytes(vector.bytes("un").try_into().expect("four")),
        atc: counter(vector),
    };
    assert_value(KeyUsage::E4, &vector.bytes(key), kind, vector, is);
}

#[test]
fn every_vector_of_card_values_is_met_by_command() {
    check_groups(&CARD_VALUES, |group, vector| {
        let order = match vector.optional("expiry_format") {
            Some("MMYY") => ExpiryOrder::MonthYear,
            _ => ExpiryOrder::YearMonth,
        };
        let kind = match group {
            "cvv1" | "cvv_second_pass" => CardValueKind::Cvv { service_code: code_of(vector) },
            "icvv" => CardValueKind::Icvv,
            "cvv2" => CardValueKind::Cvv2 { order },
            "dcvv" => return dynamic_visa(vector),
            "cvc3" => {
                let track = vector.bytes("track_template");
                let track = Cvc3Track::Template(&track);
                return dynamic_mastercard("imk_cvc3", track, vector, vector.expected("cvc3_5"));
            }
            other => panic!("nobody checks {other}"),
        };
        assert_value(KeyUsage::C0, &vector.bytes("cvk"), kind, vector, vector.expected("cvv"));
    });
}

#[test]
fn each_kind_of_value_is_another_and_a_shorter_one_is_none() {
    let mut keys = Keys::default();
    let key =
        keys.tdes(KeyUsage::C0, &[0x1C, 0x2F, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    let module = keys.module();
    let (pan, expiry) = (pan(PAN), expiry());
    let kinds = [
        CardValueKind::Cvv { service_code: service_code(201) },
        CardValueKind::Icvv,
        CardValueKind::Cvv2 { order: ExpiryOrder::YearMonth },
        CardValueKind::Cvv2 { order: ExpiryOrder::MonthYear },
    ];
    for (number, kind) in kinds.into_iter().enumerate() {
        let made = GenerateCardValue { key, pan: &pan, expiry, kind };
        let claimed = &now(module.generate_card_value(made)).expect("made");
        for (other, kind) in kinds.into_iter().enumerate() {
            let verify = VerifyCardValue { key, pan: &pan, expiry, kind, claimed };
            let same = now(module.verify_card_value(verify));
            assert_eq!(same.is_ok(), number == other, "{number} for {other}");
        }
        // The right digits, but not all of them, or with one more behind.
        let digits = std::str::from_utf8(claimed.digits_for_card()).expect("digits");
        for cut in [value(&digits[..2]), value(&digits[..1]), value(&format!("{digits}0"))] {
            let verify = VerifyCardValue { key, pan: &pan, expiry, kind, claimed: &cut };
            let refused = now(module.verify_card_value(verify));
            assert_eq!(refused, Err(SecurityError::Incorrect));
        }
    }
}
