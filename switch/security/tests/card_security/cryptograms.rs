//! Cryptograms and scripts by command: the vectors of chip cards under keys of the ring.

use switch_security::{
    CardSecurity, ChipData, DataElement, Decision, Decisions, EncryptedPin, KeyUsage,
    PinBlockFormat, ProfileName, ProtectScript, ScriptCommand, ScriptKeys, SecurityError, Verified,
    VerifyCryptogram,
};

use crate::rig::{Keys, format_1, now, pan};
use crate::vectors::{Vector, check_only};

const ZONE: [u8; 16] = *b"a zone key, TDES";

const GROUPS: [&str; 8] = [
    "arqc_visa_cvn10",
    "arqc_visa_cvn17",
    "arqc_visa_cvn18",
    "arqc_visa_cvn22",
    "arqc_mchip_cvn10h",
    "arqc_mchip_cvn11h",
    "arqc_mchip_cvn14h",
    "arqc_mchip_cvn15h",
];

fn profile(group: &str) -> ProfileName {
    let name = match group {
        "arqc_visa_cvn10" => "visa-10",
        "arqc_visa_cvn17" => "visa-17",
        "arqc_visa_cvn18" => "visa-18",
        "arqc_visa_cvn22" => "visa-22",
        "arqc_mchip_cvn10h" => "mchip-10",
        "arqc_mchip_cvn11h" => "mchip-11",
        "arqc_mchip_cvn14h" => "mchip-14",
        "arqc_mchip_cvn15h" => "mchip-15",
        other => panic!("nobody knows {other}"),
    };
    ProfileName::new(name).expect("a name")
}

fn two<const N: usize>(digits: &str) -> [u8; N] {
    hex::decode(digits).expect("hexadecimal").try_into().expect("as many bytes")
}

/// Tags and values of a vector.
fn tags(vector: &Vector<'_>) -> Vec<(u32, Vec<u8>)> {
    let tags = vector.input("tags").as_object().expect("tags").iter();
    tags.map(|(tag, value)| {
        let value = hex::decode(value.as_str().expect("text")).expect("hexadecimal");
        (u32::from_str_radix(tag, 16).expect("hexadecimal"), value)
    })
    .collect()
}

/// The answer to the cryptogram, or to one with another bit.
fn answer(
    name: ProfileName,
    vector: &Vector<'_>,
    answers: Option<Decisions>,
    bit: u8,
) -> Result<Verified, SecurityError> {
    let mut keys = Keys::default();
    let key = keys.tdes(KeyUsage::E0, &vector.bytes("imk_ac"));
    let module = keys.module();
    let tags = tags(vector);
    let elements: Vec<_> =
        tags.iter().map(|(tag, value)| DataElement { tag: *tag, value }).collect();
    let find = |tag| elements.iter().find(|element| element.tag == tag).expect("the tag").value;
    let mut cryptogram: [u8; 8] = find(0x9F26).try_into().expect("eight bytes");
    cryptogram[7] ^= bit;
    let chip = ChipData {
        atc: u16::from_be_bytes(find(0x9F36).try_into().expect("two bytes")),
        unpredictable_number: u32::from_be_bytes(find(0x9F37).try_into().expect("four bytes")),
        issuer_application_data: find(0x9F10),
        elements: &elements,
    };
    let pan = pan(vector.text("pan").as_bytes());
    let sequence = vector.text("psn").parse().expect("two digits");
    let command =
        VerifyCryptogram { profile: name, key, pan: &pan, sequence, chip, cryptogram, answers };
    now(module.verify_cryptogram(command))
}

fn change_pin(name: ProfileName, vector: &Vector<'_>) {
    let mut keys = Keys::default();
    let script_keys = ScriptKeys {
        integrity: keys.tdes(KeyUsage::E2, &vector.bytes("imk_smi")),
        confidentiality: keys.tdes(KeyUsage::E1, &vector.bytes("imk_smc")),
        cryptogram: keys.tdes(KeyUsage::E0, &vector.bytes("imk_ac")),
    };
    let zone = keys.zone(PinBlockFormat::Iso1, &ZONE);
    let module = keys.module();
    let new = format_1(&ZONE, vector.text("new_pin"));
    let new = EncryptedPin { block: &new, format: PinBlockFormat::Iso1, key: zone };
    let tags = tags(vector);
    let find = |tag| &tags.iter().find(|(other, _)| *other == tag).expect("the tag").1;
    let command = ProtectScript {
        profile: name,
        keys: script_keys,
        pan: &pan(vector.text("pan").as_bytes()),
        sequence: vector.text("psn").parse().expect("two digits"),
        atc: u16::from_be_bytes(find(0x9F36).as_slice().try_into().expect("two bytes")),
        cryptogram: find(0x9F26).as_slice().try_into().expect("eight bytes"),
        position: 0,
        command: ScriptCommand::ChangePin { new, current: None },
    };
    let script = now(module.protect_script(command)).expect("made");
    let expected = vector.expected("pin_change_apdu");
    assert_eq!(hex::encode_upper(script.bytes()), expected, "{}", vector.id());
}

#[test]
fn every_vector_of_cryptograms_is_met_by_command() {
    check_only(&["arqc_reject"], |_, vector| {
        let refused = answer(profile(vector.text("profile")), vector, None, 0);
        assert_eq!(refused, Err(SecurityError::Incorrect), "{}", vector.id());
    });
    // Derived keys do not leave the module: `emv` has the groups of them.
    check_only(&GROUPS, |group, vector| {
        let name = profile(group);
        let code = ["arc", "arpc_rc"].into_iter().find_map(|name| vector.optional(name));
        let decision = Decision {
            response_code: code.map_or([0; 2], two),
            status_update: vector.optional("csu").map_or([0; 4], two),
        };
        let other = Decision { response_code: *b"ZZ", status_update: *b"ZZZZ" };
        let answers = Decisions { approved: decision, declined: other };
        assert_eq!(answer(name, vector, None, 0), Ok(Verified::default()), "{}", vector.id());
        let wrong = answer(name, vector, Some(answers), 1);
        assert_eq!(wrong, Err(SecurityError::Incorrect), "{}", vector.id());
        let verified = answer(name, vector, Some(answers), 0).expect("right");
        if group == "arqc_visa_cvn17" {
            assert_eq!(verified, Verified::default());
            return;
        }
        // Data of the scheme's own in an answer is no part of the command.
        if vector.optional("proprietary_auth_data").is_none_or(str::is_empty) {
            let approved = verified.approved.expect("an answer");
            let expected = vector.expected("tag91");
            assert_eq!(hex::encode_upper(approved.bytes()), expected, "{}", vector.id());
        }
        assert_ne!(verified.approved, verified.declined, "{}", vector.id());
        assert!(verified.declined.is_some());
        change_pin(name, vector);
    });
}
