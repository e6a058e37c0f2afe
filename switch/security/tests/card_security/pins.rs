//! PINs by command: verified, changed, translated by the table of PCI PIN and by no other.

use proptest::prelude::{any, prop, prop_assert_eq, proptest};
use switch_domain::Pan;
use switch_security::{
    CardSecurity, DecimalisationTable, EncryptedPin, EncryptedPinBlock, GeneratePinReference,
    Ibm3624, InvalidKey, Key, KeyCipher, KeyHandle, KeyName, KeyUsage, PanPart, PinBlockFormat,
    PinMethod, PinReference, SecurityError, SoftwareModule, TranslatePin, VerifyPin,
};

use crate::rig::{FAR, Keys, PAN, PAST, block, encrypted, format_1, now, pan, verify_pvv};
use crate::vectors::{Vector, check_only};

const ONLINE: [PinBlockFormat; 4] =
    [PinBlockFormat::Iso0, PinBlockFormat::Iso1, PinBlockFormat::Iso3, PinBlockFormat::Iso4];
const PVK: [u8; 16] = *b"a PIN key of two";
const TDES: [u8; 16] = *b"a zone key, TDES";
const AES: [u8; 16] = *b"a zone key, AES.";
const OTHER_TDES: [u8; 16] = *b"another key TDES";

fn format(number: u8) -> PinBlockFormat {
    PinBlockFormat::from_number(number).expect("a format")
}

fn zone(format: PinBlockFormat) -> (KeyCipher, &'static [u8]) {
    if format == PinBlockFormat::Iso4 { (KeyCipher::Aes, &AES) } else { (KeyCipher::Tdes, &TDES) }
}

/// A block of format 0, made of one of format 1 by the module itself.
fn start(module: &SoftwareModule, zone: KeyHandle, seed: &EncryptedPinBlock) -> EncryptedPinBlock {
    let pin = EncryptedPin { block: seed, format: PinBlockFormat::Iso1, key: zone };
    let (pan, to) = (&pan(PAN), PinBlockFormat::Iso0);
    now(module.translate_pin(TranslatePin { pin, pan, to, to_key: zone })).expect("translated")
}

fn verified(vector: &Vector<'_>) {
    let (format, pan) = (format(vector.number("format")), pan(vector.text("pan").as_bytes()));
    let mut keys = Keys::default();
    let zone = keys.zone(format, &vector.bytes("zpk"));
    let ibm = vector.text("method") == "ibm3624";
    let key = keys.tdes(if ibm { KeyUsage::V1 } else { KeyUsage::V2 }, &vector.bytes("pvk"));
    let module = keys.module();
    let reference = if ibm {
        PinReference::offset(vector.text("offset").as_bytes())
    } else {
        let index = vector.text("pvki").parse().expect("an index");
        PinReference::pvv(index, vector.text("pvv").as_bytes())
    };
    let block = block(&vector.bytes("block"));
    let answer = now(module.verify_pin(VerifyPin {
        pin: EncryptedPin { block: &block, format, key: zone },
        pan: &pan,
        reference: &reference.expect("a reference"),
        key,
        ibm3624: Ibm3624::default(),
    }));
    let expected = match vector.expected("expect") {
        "ok" => Ok(()),
        _ => Err(SecurityError::Incorrect),
    };
    assert_eq!(answer, expected, "{}", vector.id());
}

/// The PIN is found again: by its PVV, which was made of the vector's block.
fn translated(vector: &Vector<'_>) {
    let (from, to) = (format(vector.number("from_format")), format(vector.number("to_format")));
    let pan = pan(vector.text("pan").as_bytes());
    let mut keys = Keys::default();
    let (in_key, pvk) = (keys.zone(from, &vector.bytes("key_in")), keys.tdes(KeyUsage::V2, &PVK));
    let to_key = keys.zone(to, &vector.bytes("key_out"));
    let module = keys.module();
    let come = block(&vector.bytes("block_in"));
    let pin = EncryptedPin { block: &come, format: from, key: in_key };
    let method = PinMethod::Pvv { key_index: 1 };
    let reference = GeneratePinReference { pin, pan: &pan, method, key: pvk };
    let reference = now(module.generate_pin_reference(reference)).expect("made");
    let made = now(module.translate_pin(TranslatePin { pin, pan: &pan, to, to_key }));
    let made = made.expect("translated");
    // Without chance in it the block is the vector's, byte for byte.
    if to == PinBlockFormat::Iso0 {
        assert_eq!(hex::encode_upper(made.bytes()), vector.expected("block_out"));
    }
    let theirs = block(&vector.expected_bytes("block_out"));
    for made in [&made, &theirs] {
        let pin = EncryptedPin { block: made, format: to, key: to_key };
        let same = verify_pvv(&module, pin, &pan, (&reference, pvk));
        assert_eq!(same, Ok(()), "{}", vector.id());
    }
}

#[test]
fn every_vector_of_pins_is_met_by_command() {
    // Clear PINs do not go through commands: `pin::vectors` has the other groups.
    check_only(&["pin_verify"], |_, vector| verified(vector));
    check_only(&["pin_translate"], |_, vector| translated(vector));
}

/// P-29: 5 x 5 formats, with the card's number and with another.
#[test]
fn pins_go_from_format_to_format_by_the_table_of_pci_pin() {
    let mut keys = Keys::default();
    let zones = PinBlockFormat::ALL.map(|format| keys.zone(format, zone(format).1));
    let pvk = keys.tdes(KeyUsage::V2, &PVK);
    let module = keys.module();
    // They differ where no letter of a filler stays one.
    let (own, other) = (pan(PAN), pan(b"9999991200800018"));
    let (seed, method) = (format_1(&TDES, "4271"), PinMethod::Pvv { key_index: 1 });
    let pin = EncryptedPin { block: &seed, format: PinBlockFormat::Iso1, key: zones[1] };
    let reference = GeneratePinReference { pin, pan: &own, method, key: pvk };
    let reference = now(module.generate_pin_reference(reference)).expect("made");
    let first = start(&module, zones[0], &seed);
    let allowed = |from: PinBlockFormat, to: PinBlockFormat| {
        ![1, 2].contains(&to.number()) && from != PinBlockFormat::Iso2
    };
    let mut count = [0, 0];
    for (from, from_key) in PinBlockFormat::ALL.into_iter().zip(zones) {
        let to_from = TranslatePin {
            pin: EncryptedPin { block: &first, format: format(0), key: zones[0] },
            pan: &own,
            to: from,
            to_key: from_key,
        };
        let come = match from.number() {
            // Nothing makes a block of format 2: any bytes will do.
            1 | 2 => block(seed.bytes()),
            _ => now(module.translate_pin(to_from)).expect("translated"),
        };
        for (to, to_key) in PinBlockFormat::ALL.into_iter().zip(zones) {
            for (pan, is_own) in [(&own, true), (&other, false)] {
                let pin = EncryptedPin { block: &come, format: from, key: from_key };
                let made = now(module.translate_pin(TranslatePin { pin, pan, to, to_key }));
                if !allowed(from, to) {
                    let refused = SecurityError::TranslationRefused { from, to };
                    assert_eq!(made.err(), Some(refused), "{from} to {to}");
                    count[0] += 1;
                    continue;
                }
                // Format 1 is bound to no number, and may be bound to any.
                if !is_own && from != PinBlockFormat::Iso1 {
                    assert_eq!(made.err(), Some(SecurityError::Incorrect), "{from} to {to}");
                    count[0] += 1;
                    continue;
                }
                count[1] += 1;
                let made = made.expect("translated");
                let pin = EncryptedPin { block: &made, format: to, key: to_key };
                let same = verify_pvv(&module, pin, &own, (&reference, pvk));
                assert_eq!(same.is_ok(), is_own, "{from} to {to}");
            }
        }
    }
    // 12 pairs are allowed with the own number, and 3 from format 1 with any.
    assert_eq!(count, [35, 15]);
}

#[test]
fn a_pin_that_is_changed_is_the_new_one_and_no_longer_the_old_one() {
    let table = DecimalisationTable::from_digits(b"9834125670982134").expect("a table");
    let offset = Ibm3624 { table, pad: 0x0D, ..Ibm3624::default() };
    for (usage, method) in [
        (KeyUsage::V2, PinMethod::Pvv { key_index: 3 }),
        (KeyUsage::V1, PinMethod::Ibm3624(offset)),
    ] {
        let mut keys = Keys::default();
        let (zone, pvk) = (keys.zone(format(0), &TDES), keys.tdes(usage, &PVK));
        let module = keys.module();
        let pan = pan(PAN);
        let blocks = [format_1(&TDES, "4271"), format_1(&TDES, "4272"), format_1(&TDES, "427155")];
        let pins =
            blocks.each_ref().map(|block| EncryptedPin { block, format: format(1), key: zone });
        for (number, pin) in pins.into_iter().enumerate() {
            let made = GeneratePinReference { pin, pan: &pan, method, key: pvk };
            let reference = now(module.generate_pin_reference(made)).expect("made");
            for (other, pin) in pins.into_iter().enumerate() {
                let command =
                    VerifyPin { pin, pan: &pan, reference: &reference, key: pvk, ibm3624: offset };
                let same = now(module.verify_pin(command));
                // Of a longer PIN a PVV knows the first four digits, by its definition.
                let first_four = usage == KeyUsage::V2 && number + other == 2 && number != other;
                assert_eq!(same.is_ok(), number == other || first_four, "{number} for {other}");
            }
        }
    }
}

/// C-25: whatever is wrong with a block, the answer is one and the same.
#[test]
fn nobody_learns_what_was_wrong_with_a_block() {
    let mut keys = Keys::default();
    let (zone, pvk) = (keys.zone(format(0), &TDES), keys.tdes(KeyUsage::V2, &PVK));
    let module = keys.module();
    let pan = pan(PAN);
    let reference = PinReference::pvv(1, b"1234").expect("a reference");
    // Control, length below and above, a digit that is none; formats 0, 1 and 3.
    let clear = [
        "0412340000000000",
        "9412340000000000",
        "0312340000000000",
        "0D12340000000000",
        "04A2340000000000",
        "14A2341111111111",
        "1312341111111111",
        "3412341111111111",
        "0000000000000000",
        "FFFFFFFFFFFFFFFF",
        "1412341111111111",
    ];
    for digits in clear {
        let come = encrypted(&TDES, digits);
        for format in [0, 1, 3].map(format) {
            let pin = EncryptedPin { block: &come, format, key: zone };
            let answer = verify_pvv(&module, pin, &pan, (&reference, pvk));
            assert_eq!(answer, Err(SecurityError::Incorrect), "{digits} as format {format}");
        }
    }
}

#[test]
fn what_can_be_no_pin_of_anybody_is_no_guess_either() {
    let mut keys = Keys::default();
    let (tdes, aes) = (keys.zone(format(0), &TDES), keys.zone(format(4), &AES));
    let (pvk, offset_key) = (keys.tdes(KeyUsage::V2, &PVK), keys.tdes(KeyUsage::V1, &PVK));
    let module = keys.module();
    let pan = pan(PAN);
    let reference = PinReference::pvv(1, b"1234").expect("a reference");
    for (number, length, key, good) in [
        (0, 8, tdes, true),
        (1, 8, tdes, true),
        (3, 8, tdes, true),
        (4, 16, aes, true),
        (0, 16, tdes, false),
        (4, 8, aes, false),
        (0, 8, aes, false),
        (4, 16, tdes, false),
    ] {
        let come = block(&vec![0x5A; length]);
        let pin = EncryptedPin { block: &come, format: format(number), key };
        let answer = verify_pvv(&module, pin, &pan, (&reference, pvk));
        let malformed = matches!(answer, Err(SecurityError::Malformed(_)));
        assert_eq!(malformed, !good, "format {number} of {length} bytes: {answer:?}");
    }
    let come = block(&[0x5A; 8]);
    let pin = EncryptedPin { block: &come, format: format(2), key: tdes };
    let answer = verify_pvv(&module, pin, &pan, (&reference, pvk));
    assert_eq!(answer, Err(SecurityError::FormatRefused(format(2))));
    // A table that would find natural PINs out, and a number without the digits asked for.
    let plain = DecimalisationTable::from_digits(b"0000000000000000").expect("a table");
    let wrong = [
        Ibm3624 { table: plain, ..Ibm3624::default() },
        Ibm3624 { pad: 16, ..Ibm3624::default() },
        Ibm3624 { validation: PanPart::BeforeCheckDigit { take: 16 }, ..Ibm3624::default() },
        Ibm3624 { validation: PanPart::FromLeft { skip: 2, take: 0 }, ..Ibm3624::default() },
        Ibm3624 { validation: PanPart::FromLeft { skip: 200, take: 200 }, ..Ibm3624::default() },
    ];
    let offset = PinReference::offset(b"1234").expect("a reference");
    let pin = EncryptedPin { block: &come, format: format(1), key: tdes };
    for ibm3624 in wrong {
        let command = VerifyPin { pin, pan: &pan, reference: &offset, key: offset_key, ibm3624 };
        let answer = now(module.verify_pin(command));
        assert!(matches!(answer, Err(SecurityError::Malformed(_))), "{ibm3624:?}: {answer:?}");
    }
}

/// P-28: a zone key of single DES is no key at all, however it is written.
#[test]
fn zone_keys_of_single_des_are_refused() {
    let half = *b"one half";
    let twice = [half, half].concat();
    let parity: Vec<u8> = half.iter().chain(half.map(|byte| byte ^ 1).iter()).copied().collect();
    let thrice = [half, half, half].concat();
    for (cipher, key) in [
        (KeyCipher::Des, half.to_vec()),
        (KeyCipher::Tdes, half.to_vec()),
        (KeyCipher::Tdes, twice),
        (KeyCipher::Tdes, parity),
        (KeyCipher::Tdes, thrice),
    ] {
        let refused = Key::new(KeyUsage::P0, cipher, &key).err().expect("refused");
        assert!(
            matches!(refused, InvalidKey::Length { .. } | InvalidKey::EqualParts),
            "{refused:?} for {} bytes",
            key.len(),
        );
    }
}

/// A zone key is followed by another, and later by one of AES: what comes under the one before is
/// read while that is taken, in whichever format it is.
#[test]
fn blocks_under_an_old_zone_key_are_read_while_it_is_taken() {
    for (until, taken) in [(FAR, true), (PAST, false)] {
        let mut keys = Keys::default();
        let name = KeyName::new("zone").expect("a name");
        keys.add_version(&name, KeyUsage::P0, KeyCipher::Tdes, &TDES, until);
        keys.add_version(&name, KeyUsage::P0, KeyCipher::Tdes, &OTHER_TDES, until);
        keys.add_version(&name, KeyUsage::P0, KeyCipher::Aes, &AES, until);
        let (zone, pvk) = (keys.find(&name, KeyUsage::P0), keys.tdes(KeyUsage::V2, &PVK));
        let module = keys.module();
        let pan = pan(PAN);
        let method = PinMethod::Pvv { key_index: 1 };
        let mut references = [TDES, OTHER_TDES].map(|key| {
            let block = format_1(&key, "4271");
            let pin = EncryptedPin { block: &block, format: format(1), key: zone };
            let command = GeneratePinReference { pin, pan: &pan, method, key: pvk };
            now(module.generate_pin_reference(command)).ok()
        });
        assert_eq!(references.iter().flatten().count(), if taken { 2 } else { 0 });
        if let [Some(one), Some(other)] = &mut references {
            assert!(one == other);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(
        bytes in prop::collection::vec(any::<u8>(), 16),
        digits in prop::collection::vec(b'0'..=b'9', 12..=19),
    ) {
        let mut keys = Keys::default();
        let zones = ONLINE.map(|format| keys.zone(format, zone(format).1));
        let pvk = keys.tdes(KeyUsage::V2, &PVK);
        let module = keys.module();
        let pan: Pan = pan(&digits);
        let reference = PinReference::pvv(1, b"1234").expect("a reference");
        for (format, key) in ONLINE.into_iter().zip(zones) {
            let block = block(&bytes[..format.bytes()]);
            let pin = EncryptedPin { block: &block, format, key };
            let answer = verify_pvv(&module, pin, &pan, (&reference, pvk));
            // One in ten thousand good blocks has this PVV, and few are good.
            let refused = answer.err().unwrap_or(SecurityError::Incorrect);
            prop_assert_eq!(refused, SecurityError::Incorrect);
        }
    }
}
