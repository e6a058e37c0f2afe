//! What other implementations make of the same cards.

use switch_domain::{Expiry, Pan};

use super::{cvc3, cvv, cvv2, dcvv, icvv, matches_cvc3};
use crate::des_pair::DesPair;
use crate::emv::{CardKeyOption, ChipCard, DerivedKey, derive_card_key};
use crate::vectors::{CARD_VALUES, Vector, check_groups, check_published};
use crate::{CardValue, Cvc3Track, ExpiryOrder, SecurityError, ServiceCode};

fn pair(key: &[u8]) -> DesPair {
    DesPair::new(key).expect("two DES keys")
}

fn pan_of(vector: &Vector<'_>) -> Pan {
    Pan::from_digits(vector.text("pan").as_bytes()).expect("a card number")
}

fn code_of(vector: &Vector<'_>) -> ServiceCode {
    let number = vector.text("service_code").parse().expect("digits");
    ServiceCode::new(number).expect("a service code")
}

/// The expiry, and the order in which the vector has it.
fn expiry_of(vector: &Vector<'_>) -> (Expiry, ExpiryOrder) {
    let digits = vector.text("expiry");
    let (first, second) = digits.split_at(2);
    let (yymm, order) = match vector.optional("expiry_format") {
        Some("MMYY") => (format!("{second}{first}"), ExpiryOrder::MonthYear),
        Some("YYMM") | None => (digits.to_owned(), ExpiryOrder::YearMonth),
        Some(other) => panic!("{}: expiry as {other}", vector.id()),
    };
    (Expiry::from_yymm(yymm.parse().expect("digits")).expect("a month"), order)
}

fn shown(value: &CardValue) -> &str {
    std::str::from_utf8(value.digits_for_card()).expect("digits")
}

fn counter(vector: &Vector<'_>) -> u16 {
    u16::from_be_bytes(vector.bytes("atc").try_into().expect("two bytes"))
}

fn fixed(group: &str, vector: &Vector<'_>) {
    let key = pair(&vector.bytes("cvk"));
    let (pan, (expiry, order)) = (pan_of(vector), expiry_of(vector));
    let made = match group {
        "cvv2" => cvv2(&key, &pan, expiry, order),
        "icvv" => icvv(&key, &pan, expiry),
        _ => cvv(&key, &pan, expiry, code_of(vector)),
    };
    let code = match group {
        "cvv2" => ServiceCode::PRINTED,
        "icvv" => ServiceCode::CHIP,
        _ => code_of(vector),
    };
    assert_eq!(code, code_of(vector), "{}", vector.id());
    assert!(group == "cvv2" || order == ExpiryOrder::YearMonth, "{}", vector.id());
    assert_eq!(shown(&made.expect("made")), vector.expected("cvv"), "{}", vector.id());
}

fn contactless_visa(card_key: &DesPair, vector: &Vector<'_>) {
    let (expiry, _) = expiry_of(vector);
    let made = dcvv(card_key, &pan_of(vector), expiry, code_of(vector), counter(vector));
    assert_eq!(shown(&made.expect("made")), vector.expected("dcvv"), "{}", vector.id());
}

fn contactless_mastercard(card_key: &DesPair, track: Cvc3Track<'_>, vector: &Vector<'_>) -> String {
    let un = u32::from_be_bytes(vector.bytes("un").try_into().expect("four bytes"));
    let whole = cvc3(card_key, track, un, counter(vector)).expect("made");
    let all = shown(&whole).to_owned();
    for length in 1..=5 {
        let last = CardValue::from_digits(&all.as_bytes()[5 - length..]).expect("digits");
        assert_eq!(matches_cvc3(&whole, &last).is_ok(), length >= 3, "{}", vector.id());
        let mut wrong = last.digits_for_card().to_vec();
        wrong[length - 1] = b'0' + (wrong[length - 1] - b'0' + 1) % 10;
        let wrong = CardValue::from_digits(&wrong).expect("digits");
        let refused = matches_cvc3(&whole, &wrong).expect_err("another");
        assert_eq!(refused == SecurityError::Incorrect, length >= 3, "{}", vector.id());
    }
    all
}

#[test]
fn every_vector_of_card_values_is_met() {
    check_groups(&CARD_VALUES, |group, vector| match group {
        "cvv1" | "cvv2" | "icvv" | "cvv_second_pass" => fixed(group, vector),
        "dcvv" => contactless_visa(&pair(&vector.expected_bytes("icc_mk")), vector),
        "cvc3" => {
            let key = pair(&vector.expected_bytes("icc_mk"));
            let track = vector.bytes("track_template");
            let iv = vector.expected_bytes("iv_cvc3").try_into().expect("two bytes");
            for track in [Cvc3Track::Template(&track), Cvc3Track::Vector(iv)] {
                let whole = contactless_mastercard(&key, track, vector);
                assert_eq!(whole, vector.expected("cvc3_5"), "{}", vector.id());
                assert_eq!(whole[2..], *vector.expected("cvc3_3"), "{}", vector.id());
            }
        }
        other => panic!("nobody checks {other}"),
    });
}

/// The key of the card, under a master key that no ring takes: its halves are equal.
fn of_card(vector: &Vector<'_>) -> DerivedKey {
    let option = if vector.id().contains("option B") { CardKeyOption::B } else { CardKeyOption::A };
    let sequence = vector.text("psn").parse().expect("two digits");
    let card = ChipCard { pan: &pan_of(vector), sequence };
    derive_card_key(option, &pair(&vector.bytes("imk")), &card).expect("a key")
}

#[test]
fn published_values_join_the_vectors_of_card_values() {
    check_published(&CARD_VALUES, |name, vector| match name {
        "CVC3" => {
            let track = vector.bytes("track");
            let track = Cvc3Track::Template(&track);
            let whole = contactless_mastercard(of_card(vector).cipher(), track, vector);
            assert_eq!(whole, vector.expected("cvc3"));
        }
        "CVC3, IVCVC3 CD76" => {
            let track = Cvc3Track::Vector(vector.bytes("iv").try_into().expect("two bytes"));
            let whole = contactless_mastercard(of_card(vector).cipher(), track, vector);
            assert_eq!(whole, vector.expected("cvc3"));
        }
        "dCVV option A" | "dCVV option B 19 digits" => {
            contactless_visa(of_card(vector).cipher(), vector);
        }
        _ => fixed(name, vector),
    });
}

#[test]
fn a_counter_with_letters_has_no_dcvv() {
    let (key, expiry) = (pair(&[7; 16]), Expiry::from_yymm(3001).expect("a month"));
    let pan = Pan::from_digits(b"9999991200000018").expect("a card number");
    for (atc, good) in [(0x1234, true), (0x9999, true), (0x123A, false), (0xA000, false)] {
        assert_eq!(dcvv(&key, &pan, expiry, ServiceCode::CHIP, atc).is_ok(), good, "{atc:X}");
    }
}
