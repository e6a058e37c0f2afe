//! CVV, CVV2 and iCVV by CW and CY.

use switch_domain::Expiry;
use switch_security::{
    CardSecurity, CardValue, CardValueKind, ExpiryOrder, GenerateCardValue, KeyCipher, KeyUsage,
    SecurityError, ServiceCode, VerifyCardValue,
};

use super::rig::{Rig, bytes, group, pan, text};

#[tokio::test]
async fn card_values_are_those_of_the_vectors() {
    let rig = Rig::new().await;
    for name in ["cvv1", "cvv2", "icvv", "cvv_second_pass"] {
        let vectors = group(name);
        for vector in &vectors {
            let cvk = (KeyUsage::C0, KeyCipher::Tdes, bytes(vector, "cvk"));
            let (module, keys) = rig.module([cvk]).await;
            let digits: u16 = text(vector, "expiry").parse().expect("digits");
            let turned = vector["in"]["expiry_format"] == "MMYY";
            let yymm = if turned { digits % 100 * 100 + digits / 100 } else { digits };
            let expiry = Expiry::from_yymm(yymm).expect("a month");
            let code = text(vector, "service_code").parse().expect("digits");
            let service_code = ServiceCode::new(code).expect("a service code");
            let kind = match name {
                "icvv" => CardValueKind::Icvv,
                "cvv2" if turned => CardValueKind::Cvv2 { order: ExpiryOrder::MonthYear },
                "cvv2" => CardValueKind::Cvv2 { order: ExpiryOrder::YearMonth },
                _ => CardValueKind::Cvv { service_code },
            };
            let (key, pan) = (keys[0], pan(vector));
            let made = GenerateCardValue { key, pan: &pan, expiry, kind };
            let made = module.generate_card_value(made).await.expect("made");
            assert_eq!(made.digits_for_card(), text(vector, "cvv").as_bytes(), "{vector}");
            let verify = |claimed| VerifyCardValue { key, pan: &pan, expiry, kind, claimed };
            assert_eq!(module.verify_card_value(verify(&made)).await, Ok(()));
            let mut other = made.digits_for_card().to_vec();
            other[2] = b'0' + (other[2] - b'0' + 1) % 10;
            let other = CardValue::from_digits(&other).expect("digits");
            let answer = module.verify_card_value(verify(&other)).await;
            assert_eq!(answer, Err(SecurityError::Incorrect));
        }
        println!("{name}: {}", vectors.len());
    }
}

#[tokio::test]
async fn a_key_for_something_else_is_refused_here_and_by_the_unit() {
    let rig = Rig::new().await;
    let clear = bytes(&group("cvv1")[0], "cvk");
    let (module, keys) = rig.module([(KeyUsage::V2, KeyCipher::Tdes, clear.clone())]).await;
    let pan = pan(&group("cvv1")[0]);
    let expiry = Expiry::from_yymm(2912).expect("a month");
    let make = |key| GenerateCardValue { key, pan: &pan, expiry, kind: CardValueKind::Icvv };
    let refused = module.generate_card_value(make(keys[0])).await.err();
    assert!(matches!(refused, Some(SecurityError::UsageRefused { .. })), "{refused:?}");
    // One that is named for the right use and is under the unit's own key for another.
    let wrong = rig.key(KeyUsage::V2, KeyCipher::Tdes, &clear);
    let command = switch_hsm::commands::GenerateCvv {
        key: &wrong,
        pan: &pan,
        expiry: *b"2912",
        service_code: *b"999",
    };
    let answer = rig.client().await.call(&command).await;
    let code = switch_hsm::ErrorCode::read(*b"28").expect("a code");
    assert_eq!(answer, Err(switch_hsm::CallError::Refused(code)));
}
