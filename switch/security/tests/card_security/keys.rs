//! One key, one use (K-07): each command with a key of each usage in each of its places.

use std::io::Write;
use std::sync::{Arc, Mutex};

use switch_security::{
    CardKeyOption, CardSecurity, CardValue, CardValueKind, ChipData, Cvc3Track, EncryptedPin,
    ExpiryOrder, GenerateCardValue, GeneratePinReference, Ibm3624, KeyCipher, KeyHandle, KeyUsage,
    PinBlockFormat, PinMethod, PinReference, ProfileName, ProtectScript, ScriptCommand, ScriptKeys,
    SecurityError, SoftwareModule, TranslatePin, VerifyCardValue, VerifyCryptogram, VerifyPin,
};

use crate::rig::{Keys, PAN, block, expiry, now, pan, service_code};

/// A command with one key of the test's choice, and good ones in its other places.
type Attempt = fn(&SoftwareModule, KeyHandle, &Good) -> Result<(), SecurityError>;

/// A key of each usage.
struct Good(Vec<(KeyUsage, KeyHandle)>);

impl Good {
    fn of(&self, usage: KeyUsage) -> KeyHandle {
        let found = self.0.iter().find(|(other, _)| *other == usage);
        found.expect("a key of each usage").1
    }
}

fn card_value(
    module: &SoftwareModule,
    key: KeyHandle,
    kind: CardValueKind<'_>,
) -> Result<(), SecurityError> {
    let (pan, expiry) = (pan(PAN), expiry());
    let made = now(module.generate_card_value(GenerateCardValue { key, pan: &pan, expiry, kind }));
    let claimed = CardValue::from_digits(b"12345").expect("digits");
    let command = VerifyCardValue { key, pan: &pan, expiry, kind, claimed: &claimed };
    let verified = now(module.verify_card_value(command));
    // Both ask the same of the key; a value that was made up is most likely another.
    assert_eq!(made.is_ok(), matches!(verified, Ok(()) | Err(SecurityError::Incorrect)));
    made.map(drop)
}

fn with_pin<T>(
    zone: KeyHandle,
    ask: impl FnOnce(EncryptedPin<'_>) -> Result<T, SecurityError>,
) -> Result<(), SecurityError> {
    let block = block(&[0x5A; 8]);
    let pin = EncryptedPin { block: &block, format: PinBlockFormat::Iso0, key: zone };
    match ask(pin) {
        // The block is noise: who says so has used the key.
        Ok(_) | Err(SecurityError::Incorrect) => Ok(()),
        Err(error) => Err(error),
    }
}

fn verify(
    module: &SoftwareModule,
    (zone, key): (KeyHandle, KeyHandle),
    reference: PinReference,
) -> Result<(), SecurityError> {
    let (pan, ibm3624) = (pan(PAN), Ibm3624::default());
    with_pin(zone, |pin| {
        now(module.verify_pin(VerifyPin { pin, pan: &pan, reference: &reference, key, ibm3624 }))
    })
}

fn generate(
    module: &SoftwareModule,
    (zone, key): (KeyHandle, KeyHandle),
    method: PinMethod,
) -> Result<(), SecurityError> {
    let pan = pan(PAN);
    with_pin(zone, |pin| {
        now(module.generate_pin_reference(GeneratePinReference { pin, pan: &pan, method, key }))
    })
}

fn translate(
    module: &SoftwareModule,
    zone: KeyHandle,
    to_key: KeyHandle,
) -> Result<(), SecurityError> {
    let (pan, to) = (pan(PAN), PinBlockFormat::Iso3);
    with_pin(zone, |pin| now(module.translate_pin(TranslatePin { pin, pan: &pan, to, to_key })))
}

fn cryptogram(module: &SoftwareModule, key: KeyHandle) -> Result<(), SecurityError> {
    let chip =
        ChipData { atc: 1, unpredictable_number: 2, issuer_application_data: &[], elements: &[] };
    let command = VerifyCryptogram {
        profile: ProfileName::new("visa-10").expect("a name"),
        key,
        pan: &pan(PAN),
        sequence: 0,
        chip,
        cryptogram: [0; 8],
        answers: None,
    };
    match now(module.verify_cryptogram(command)) {
        // No data: who says so has been given the key.
        Err(SecurityError::Malformed(_)) => Ok(()),
        other => other.map(drop),
    }
}

fn script(module: &SoftwareModule, keys: ScriptKeys) -> Result<(), SecurityError> {
    let command = ProtectScript {
        profile: ProfileName::new("visa-18").expect("a name"),
        keys,
        pan: &pan(PAN),
        sequence: 0,
        atc: 1,
        cryptogram: [0; 8],
        position: 0,
        command: ScriptCommand::UnblockPin,
    };
    now(module.protect_script(command)).map(drop)
}

fn script_keys(good: &Good) -> ScriptKeys {
    ScriptKeys {
        integrity: good.of(KeyUsage::E2),
        confidentiality: good.of(KeyUsage::E1),
        cryptogram: good.of(KeyUsage::E0),
    }
}

/// Each place of each command, with the one usage whose keys may stand there.
const PLACES: [(&str, KeyUsage, Attempt); 17] = [
    ("CVV", KeyUsage::C0, |module, key, _| {
        card_value(module, key, CardValueKind::Cvv { service_code: service_code(201) })
    }),
    ("iCVV", KeyUsage::C0, |module, key, _| card_value(module, key, CardValueKind::Icvv)),
    ("CVV2", KeyUsage::C0, |module, key, _| {
        card_value(module, key, CardValueKind::Cvv2 { order: ExpiryOrder::YearMonth })
    }),
    ("dCVV", KeyUsage::E4, |module, key, _| {
        let (service_code, card_key) = (service_code(201), CardKeyOption::A);
        card_value(module, key, CardValueKind::Dcvv { service_code, sequence: 0, card_key, atc: 1 })
    }),
    ("CVC3", KeyUsage::E4, |module, key, _| {
        let (card_key, track) = (CardKeyOption::A, Cvc3Track::Vector([1, 2]));
        let kind =
            CardValueKind::Cvc3 { sequence: 0, card_key, track, unpredictable_number: 1, atc: 1 };
        card_value(module, key, kind)
    }),
    ("PVV, zone", KeyUsage::P0, |module, key, good| {
        verify(module, (key, good.of(KeyUsage::V2)), PinReference::pvv(1, b"1234").expect("one"))
    }),
    ("PVV", KeyUsage::V2, |module, key, good| {
        verify(module, (good.of(KeyUsage::P0), key), PinReference::pvv(1, b"1234").expect("one"))
    }),
    ("offset", KeyUsage::V1, |module, key, good| {
        verify(module, (good.of(KeyUsage::P0), key), PinReference::offset(b"1234").expect("one"))
    }),
    ("make PVV", KeyUsage::V2, |module, key, good| {
        generate(module, (good.of(KeyUsage::P0), key), PinMethod::Pvv { key_index: 1 })
    }),
    ("make PVV, zone", KeyUsage::P0, |module, key, good| {
        generate(module, (key, good.of(KeyUsage::V2)), PinMethod::Pvv { key_index: 1 })
    }),
    ("make offset", KeyUsage::V1, |module, key, good| {
        generate(module, (good.of(KeyUsage::P0), key), PinMethod::Ibm3624(Ibm3624::default()))
    }),
    ("translate from", KeyUsage::P0, |module, key, good| {
        translate(module, key, good.of(KeyUsage::P0))
    }),
    ("translate to", KeyUsage::P0, |module, key, good| {
        translate(module, good.of(KeyUsage::P0), key)
    }),
    ("cryptogram", KeyUsage::E0, |module, key, _| cryptogram(module, key)),
    ("script code", KeyUsage::E2, |module, key, good| {
        script(module, ScriptKeys { integrity: key, ..script_keys(good) })
    }),
    ("script cipher", KeyUsage::E1, |module, key, good| {
        script(module, ScriptKeys { confidentiality: key, ..script_keys(good) })
    }),
    ("script PIN", KeyUsage::E0, |module, key, good| {
        script(module, ScriptKeys { cryptogram: key, ..script_keys(good) })
    }),
];

#[test]
fn each_place_of_a_command_takes_keys_of_one_usage_alone() {
    let mut keys = Keys::default();
    let mut number = 0u8;
    let all = KeyUsage::ALL.map(|usage| {
        number += 1;
        let mut key = *b"0 key of usage..";
        key[0] = number << 1;
        let cipher = if usage == KeyUsage::K1 { KeyCipher::Aes } else { KeyCipher::Tdes };
        (usage, keys.add(usage, cipher, &key))
    });
    let (module, good) = (keys.module(), Good(all.to_vec()));
    let mut tried = 0;
    for (name, wanted, attempt) in PLACES {
        for (usage, handle) in all {
            let answer = attempt(&module, handle, &good);
            match answer {
                Ok(()) => assert_eq!(usage, wanted, "{name}"),
                Err(SecurityError::UsageRefused { key, .. }) => {
                    assert_eq!(key, handle, "{name}");
                    assert_ne!(usage, wanted, "{name}");
                }
                Err(other) => panic!("{name} with {usage}: {other}"),
            }
            tried += 1;
        }
        let none = KeyHandle::new(999);
        let unknown = attempt(&module, none, &good);
        assert_eq!(unknown, Err(SecurityError::UnknownKey(none)), "{name}");
    }
    println!("{tried} pairs of {} places and {} usages", PLACES.len(), all.len());
}

#[test]
fn a_profile_that_is_not_known_is_said_by_name() {
    let mut keys = Keys::default();
    let key = keys.tdes(KeyUsage::E0, b"a key of usage E");
    let module = keys.module();
    let profile = ProfileName::new("no-such-profile").expect("a name");
    let chip =
        ChipData { atc: 1, unpredictable_number: 2, issuer_application_data: &[], elements: &[] };
    let command = VerifyCryptogram {
        profile,
        key,
        pan: &pan(PAN),
        sequence: 0,
        chip,
        cryptogram: [0; 8],
        answers: None,
    };
    let answer = now(module.verify_cryptogram(command));
    assert_eq!(answer.err(), Some(SecurityError::UnknownProfile(profile)));
    assert_eq!(now(module.health()), Ok(()));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("one thread").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// K-07: a refusal leaves an audit event, and nothing of card, PIN or value is in any event.
#[test]
fn a_refusal_is_logged_by_the_name_of_the_key_and_nothing_else_is_told() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let mut keys = Keys::default();
    let (pvk, zone) = (
        keys.tdes(KeyUsage::V2, b"a key for PVVs.."),
        keys.tdes(KeyUsage::P0, b"a key for zones."),
    );
    let module = keys.module();
    let reference = || PinReference::pvv(1, b"7391").expect("one");
    tracing::subscriber::with_default(subscriber, || {
        let kind = CardValueKind::Icvv;
        let refused = card_value(&module, pvk, kind);
        assert!(matches!(refused, Err(SecurityError::UsageRefused { .. })), "{refused:?}");
        assert_eq!(verify(&module, (zone, pvk), reference()), Ok(()));
    });
    let text = String::from_utf8(log.0.lock().expect("one thread").clone()).expect("text");
    for expected in ["audit", "key_refused", "key-1", "generate_card_value"] {
        assert!(text.contains(expected), "no {expected} in {text}");
    }
    let pan = std::str::from_utf8(PAN).expect("digits");
    for secret in [pan, "7391", "12345", "5a5a5a", "5A5A5A", "a key for"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
