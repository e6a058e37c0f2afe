//! PINs by EC, EA, CC, JE, FW, BK, DG, DE, BA and JG.

use serde_json::Value;
use simulators::hsm::Settings as UnitSettings;
use switch_domain::Pan;
use switch_hsm::commands::{PinBlock, PinFormat, PinKey, PinToLmk, PvvOfLmkPin};
use switch_security::{
    CardSecurity, ChosenPin, DecimalisationTable, EncryptPin, EncryptedPin, EncryptedPinBlock,
    GeneratePinReference, Ibm3624, KeyCipher, KeyUsage, PanPart, PinBlockFormat, PinMethod,
    PinReference, SecurityError, TranslatePin, VerifyPin,
};

use super::rig::{Rig, bytes, group, pan, text};

fn format(vector: &Value, field: &str) -> PinBlockFormat {
    let number = vector["in"][field].as_u64().and_then(|number| u8::try_from(number).ok());
    number.and_then(PinBlockFormat::from_number).expect("a format")
}

fn cipher(format: PinBlockFormat) -> KeyCipher {
    if format == PinBlockFormat::Iso4 { KeyCipher::Aes } else { KeyCipher::Tdes }
}

fn block(vector: &Value, field: &str) -> EncryptedPinBlock {
    EncryptedPinBlock::new(&bytes(vector, field)).expect("a block")
}

/// The usual twelve digits and zeros.
fn ibm3624(vector: &Value) -> Ibm3624 {
    let table = text(vector, "decimalisation_table").as_bytes();
    let table = DecimalisationTable::from_digits(table).expect("a table");
    Ibm3624 { validation: PanPart::BeforeCheckDigit { take: 12 }, pad: 0, table }
}

fn reference(vector: &Value) -> PinReference {
    if vector["in"]["method"] == "pvv" {
        let key_index = text(vector, "pvki").parse().expect("a digit");
        return PinReference::pvv(key_index, text(vector, "pvv").as_bytes()).expect("a value");
    }
    PinReference::offset(text(vector, "offset").as_bytes()).expect("an offset")
}

#[tokio::test]
async fn pins_are_verified_as_in_the_vectors() {
    let rig = Rig::new().await;
    let vectors = group("pin_verify");
    for vector in &vectors {
        let (format, pan, block) = (format(vector, "format"), pan(vector), block(vector, "block"));
        let by_value = vector["in"]["method"] == "pvv";
        let usage = if by_value { KeyUsage::V2 } else { KeyUsage::V1 };
        let zone = (KeyUsage::P0, cipher(format), bytes(vector, "zpk"));
        let pvk = (usage, KeyCipher::Tdes, bytes(vector, "pvk"));
        let (module, keys) = rig.module([zone, pvk]).await;
        let pin = EncryptedPin { block: &block, format, key: keys[0] };
        let ibm3624 = if by_value { Ibm3624::default() } else { ibm3624(vector) };
        let reference = reference(vector);
        let command = VerifyPin { pin, pan: &pan, reference: &reference, key: keys[1], ibm3624 };
        let expected = match text(vector, "expect") {
            "ok" => Ok(()),
            _ => Err(SecurityError::Incorrect),
        };
        assert_eq!(module.verify_pin(command).await, expected, "{vector}");
        if expected.is_ok() {
            makes_its_own_reference(&module, pin, &pan, &reference, keys[1], ibm3624).await;
        }
    }
    println!("pin_verify: {}", vectors.len());
}

/// What is made of a PIN that is right verifies it, and is what was on file.
async fn makes_its_own_reference(
    module: &switch_hsm::HsmModule,
    pin: EncryptedPin<'_>,
    pan: &Pan,
    reference: &PinReference,
    key: switch_security::KeyHandle,
    ibm3624: Ibm3624,
) {
    let method = match reference {
        PinReference::Pvv { key_index, .. } => PinMethod::Pvv { key_index: *key_index },
        PinReference::Offset { .. } => PinMethod::Ibm3624(ibm3624),
    };
    let command = GeneratePinReference { pin, pan, method, key };
    let made = module.generate_pin_reference(command).await.expect("made");
    assert!(made == *reference, "another reference");
}

#[tokio::test]
async fn pins_are_carried_over_as_in_the_vectors() {
    let rig = Rig::new().await;
    let vectors = group("pin_translate");
    for vector in &vectors {
        let (from, to) = (format(vector, "from_format"), format(vector, "to_format"));
        let source = (KeyUsage::P0, cipher(from), bytes(vector, "key_in"));
        let target = (KeyUsage::P0, cipher(to), bytes(vector, "key_out"));
        let (module, keys) = rig.module([source, target]).await;
        let (pan, block) = (pan(vector), block(vector, "block_in"));
        let pin = EncryptedPin { block: &block, format: from, key: keys[0] };
        let command = TranslatePin { pin, pan: &pan, to, to_key: keys[1] };
        let made = module.translate_pin(command).await.expect("carried over");
        // Fillers are by chance in formats 3 and 4; format 0 has none.
        if to == PinBlockFormat::Iso0 {
            assert_eq!(made.bytes(), bytes(vector, "block_out"), "{vector}");
        } else {
            assert_eq!(made.bytes().len(), to.bytes());
        }
        let pin = EncryptedPin { block: &made, format: to, key: keys[1] };
        let loosened = TranslatePin { pin, pan: &pan, to: PinBlockFormat::Iso1, to_key: keys[1] };
        let refused = SecurityError::TranslationRefused { from: to, to: PinBlockFormat::Iso1 };
        assert_eq!(module.translate_pin(loosened).await.err(), Some(refused));
    }
    println!("pin_translate: {}", vectors.len());
}

#[tokio::test]
async fn a_pin_under_the_units_own_key_has_the_same_value() {
    let rig = Rig::new().await;
    let client = rig.client().await;
    let vectors = group("pin_verify");
    let by_value = |vector: &&Value| {
        vector["in"]["method"] == "pvv"
            && vector["out"]["expect"] == "ok"
            && vector["in"]["format"] == 0
    };
    for vector in vectors.iter().filter(by_value) {
        let zone = rig.key(KeyUsage::P0, KeyCipher::Tdes, &bytes(vector, "zpk"));
        let pvk = rig.key(KeyUsage::V2, KeyCipher::Tdes, &bytes(vector, "pvk"));
        let (pan, block) = (pan(vector), bytes(vector, "block"));
        let key = PinKey::Zone(&zone);
        let pin = PinBlock { key, block: &block, format: PinFormat::Iso0, pan: &pan };
        let own = client.call(&PinToLmk(pin)).await.expect("under the unit's own key");
        let index = text(vector, "pvki").parse().expect("a digit");
        let made = PvvOfLmkPin { key: &pvk, pin: &own, pan: &pan, index };
        let made = client.call(&made).await.expect("made");
        assert_eq!(made, text(vector, "pvv").as_bytes(), "{vector}");
    }
}

/// A PIN in clear verifies, in every format that is bound to a card, against what was made of it.
#[tokio::test]
async fn a_pin_in_clear_becomes_a_block_that_holds_it() {
    let rig = Rig::with(UnitSettings { clear_pins: true, pin_length: 13, ..Default::default() });
    let rig = rig.await;
    let pan = Pan::from_digits(b"9999991234567894").expect("a card number");
    let one = 0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210_u128.to_be_bytes().to_vec();
    let other = 0xFEDC_BA98_7654_3210_0123_4567_89AB_CDEF_u128.to_be_bytes().to_vec();
    let formats = [PinBlockFormat::Iso0, PinBlockFormat::Iso3, PinBlockFormat::Iso4];
    for (format, digits) in formats.into_iter().zip(["8264", "271828", "271828182845"]) {
        let pin = ChosenPin::from_ascii(digits.as_bytes()).expect("a PIN");
        let zone = (KeyUsage::P0, cipher(format), one.clone());
        let pvk = (KeyUsage::V1, KeyCipher::Tdes, other.clone());
        let (module, keys) = rig.module([zone, pvk]).await;
        let module = module.telling_clear_pins(13);
        let encrypt = |format| EncryptPin { pin: &pin, pan: &pan, format, key: keys[0] };
        let block = module.encrypt_pin(encrypt(format)).await.expect("encrypted");
        assert_eq!(block.bytes().len(), format.bytes());
        // The offset of a PIN is as long as it is, and another PIN has another.
        let held = EncryptedPin { block: &block, format, key: keys[0] };
        let method = PinMethod::Ibm3624(Ibm3624::default());
        let command = GeneratePinReference { pin: held, pan: &pan, method, key: keys[1] };
        let reference = module.generate_pin_reference(command).await.expect("made");
        assert_eq!(reference.ascii().len(), digits.len());
        let other = ChosenPin::from_ascii(b"1357").expect("a PIN");
        let other = module.encrypt_pin(EncryptPin { pin: &other, ..encrypt(format) });
        let other = other.await.expect("encrypted");
        for (block, expected) in [(&block, Ok(())), (&other, Err(SecurityError::Incorrect))] {
            let pin = EncryptedPin { block, format, key: keys[0] };
            let (reference, ibm3624) = (&reference, Ibm3624::default());
            let command = VerifyPin { pin, pan: &pan, reference, key: keys[1], ibm3624 };
            assert_eq!(module.verify_pin(command).await, expected, "{format}");
        }
        for refused in [PinBlockFormat::Iso1, PinBlockFormat::Iso2] {
            let said = module.encrypt_pin(encrypt(refused)).await.err();
            assert_eq!(said, Some(SecurityError::FormatRefused(refused)));
        }
    }
}
