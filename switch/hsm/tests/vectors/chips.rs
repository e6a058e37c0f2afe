//! Cryptograms, answers and codes of scripts by KQ, KW, KU and KY.

use serde_json::Value;
use simulators::chip::{TestKey, TestKeys, pin_block_0};
use switch_domain::Timestamp;
use switch_security::{
    CardSecurity, ChipData, DataElement, Decision, Decisions, EncryptedPin, EncryptedPinBlock, Key,
    KeyCipher, KeyHandle, KeyName, KeyRing, KeyUsage, NamedKey, PanKeys, PinBlockFormat,
    ProfileName, ProtectScript, ScriptCommand, ScriptKeys, SecurityError, SoftwareModule,
    VerifyCryptogram,
};

use super::rig::{Rig, bytes, group, pan, text};

/// Groups, and the profiles that they are of.
const GROUPS: [(&str, &str); 8] = [
    ("arqc_visa_cvn10", "visa-10"),
    ("arqc_visa_cvn17", "visa-17"),
    ("arqc_visa_cvn18", "visa-18"),
    ("arqc_visa_cvn22", "visa-22"),
    ("arqc_mchip_cvn10h", "mchip-10"),
    ("arqc_mchip_cvn11h", "mchip-11"),
    ("arqc_mchip_cvn14h", "mchip-14"),
    ("arqc_mchip_cvn15h", "mchip-15"),
];

fn tag(vector: &Value, tag: &str) -> Vec<u8> {
    hex::decode(vector["in"]["tags"][tag].as_str().expect("a tag")).expect("hexadecimal digits")
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("so many bytes")
}

/// All tags of a vector, as numbers.
fn tags(vector: &Value) -> Vec<(u32, Vec<u8>)> {
    let tags = vector["in"]["tags"].as_object().expect("tags");
    let number = |tag: &str| u32::from_str_radix(tag, 16).expect("a tag");
    tags.keys().map(|name| (number(name), tag(vector, name))).collect()
}

fn decisions(vector: &Value) -> Option<Decisions> {
    let given = |field: &str| vector["in"][field].as_str().map(|_| bytes(vector, field));
    let code = given("arpc_rc").or_else(|| given("arc"));
    let decision = match (code, given("csu")) {
        (Some(code), _) => Decision { response_code: array(&code), status_update: [0; 4] },
        (None, Some(status)) => Decision { response_code: [0; 2], status_update: array(&status) },
        (None, None) => return None,
    };
    Some(Decisions { approved: decision, declined: decision })
}

#[tokio::test]
async fn cryptograms_answers_and_codes_are_those_of_the_vectors() {
    let rig = Rig::new().await;
    let zone = TestKeys::from_seed(42).zone;
    for (name, profile) in GROUPS {
        let vectors = group(name);
        for vector in &vectors {
            let master = |usage, field: &str| (usage, KeyCipher::Tdes, bytes(vector, field));
            let keys = [
                master(KeyUsage::E0, "imk_ac"),
                master(KeyUsage::E2, "imk_smi"),
                master(KeyUsage::E1, "imk_smc"),
                (KeyUsage::P0, KeyCipher::Tdes, clear(&zone)),
            ];
            let (module, keys) = rig.module(keys).await;
            let (pan, tags) = (pan(vector), tags(vector));
            let elements: Vec<DataElement<'_>> =
                tags.iter().map(|(tag, value)| DataElement { tag: *tag, value }).collect();
            let issuer_data = tag(vector, "9F10");
            let chip = ChipData {
                atc: u16::from_be_bytes(array(&tag(vector, "9F36"))),
                unpredictable_number: u32::from_be_bytes(array(&tag(vector, "9F37"))),
                issuer_application_data: &issuer_data,
                elements: &elements,
            };
            let profile = ProfileName::new(profile).expect("a name");
            let sequence = text(vector, "psn").parse().expect("two digits");
            let cryptogram = array(&bytes(vector, "arqc"));
            let command = VerifyCryptogram {
                profile,
                key: keys[0],
                pan: &pan,
                sequence,
                chip,
                cryptogram,
                answers: decisions(vector),
            };
            let proprietary = text_or_empty(vector, "proprietary_auth_data");
            let verified = module.verify_cryptogram(command).await.expect("the card's");
            if vector["out"]["tag91"].is_string() && proprietary.is_empty() {
                let made = verified.approved.expect("an answer");
                assert_eq!(made.bytes(), bytes(vector, "tag91"), "{vector}");
                assert_eq!(verified.declined, verified.approved);
            }
            let mut other = cryptogram;
            other[7] ^= 1;
            let wrong = VerifyCryptogram { cryptogram: other, ..command };
            let answer = module.verify_cryptogram(wrong).await;
            assert_eq!(answer, Err(SecurityError::Incorrect));
            if vector["out"]["unblock_mac"].is_string() {
                let [cryptogram_key, integrity, confidentiality] = [keys[0], keys[1], keys[2]];
                let keys_of_zone = keys[3];
                let keys = ScriptKeys { integrity, confidentiality, cryptogram: cryptogram_key };
                let command = ProtectScript {
                    profile,
                    keys,
                    pan: &pan,
                    sequence,
                    atc: chip.atc,
                    cryptogram,
                    position: 0,
                    command: ScriptCommand::UnblockPin,
                };
                commands(&module, command, (&zone, keys_of_zone), vector).await;
            }
        }
        println!("{name}: {}", vectors.len());
    }
}

fn text_or_empty<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector["in"][field].as_str().unwrap_or_default()
}

fn clear(key: &TestKey) -> Vec<u8> {
    hex::decode(key.digits()).expect("digits")
}

/// The vectors have no code of these commands: the software module, which is held to them by
/// others, says what they are.
async fn commands(
    module: &switch_hsm::HsmModule,
    command: ProtectScript<'_>,
    (zone, zone_handle): (&TestKey, KeyHandle),
    vector: &Value,
) {
    let mut ring = KeyRing::default();
    let mut handle = |usage, name: &str, clear: &[u8]| {
        let name = KeyName::new(name).expect("a name");
        let key = Key::new(usage, KeyCipher::Tdes, clear).expect("a key");
        let version = ring.add(NamedKey { name: name.clone(), key }, Timestamp(0)).expect("added");
        ring.activate(&name, version, Timestamp(0)).expect("activated");
        ring.find(&name, usage).expect("found")
    };
    let keys = ScriptKeys {
        integrity: handle(KeyUsage::E2, "imk-smi", &bytes(vector, "imk_smi")),
        confidentiality: handle(KeyUsage::E1, "imk-smc", &bytes(vector, "imk_smc")),
        cryptogram: handle(KeyUsage::E0, "imk-ac", &bytes(vector, "imk_ac")),
    };
    let software_zone = handle(KeyUsage::P0, "zpk", &clear(zone));
    let software = SoftwareModule::new(&PanKeys::generate().expect("keys")).expect("a module");
    let software = software.with_keys(ring);
    for pin in [None, Some("4711"), Some("739105")] {
        let block = pin_block_0(zone, text(vector, "pan"), pin.unwrap_or("0000"));
        let block = EncryptedPinBlock::new(&block).expect("a block");
        let under = |key| match pin {
            None => ScriptCommand::UnblockPin,
            Some(_) => {
                let new = EncryptedPin { block: &block, format: PinBlockFormat::Iso0, key };
                ScriptCommand::ChangePin { new, current: None }
            }
        };
        let of_software = ProtectScript { keys, command: under(software_zone), ..command };
        let expected = software.protect_script(of_software).await.expect("made");
        let of_unit = ProtectScript { command: under(zone_handle), ..command };
        match module.protect_script(of_unit).await {
            Ok(script) => assert_eq!(script.bytes(), expected.bytes(), "{pin:?}: {vector}"),
            // KU has no field for longer numbers (docs/hsm.md).
            Err(SecurityError::Prohibited(_)) => assert!(command.pan.length() > 16, "{vector}"),
            Err(error) => panic!("{pin:?}: {error}: {vector}"),
        }
    }
}
