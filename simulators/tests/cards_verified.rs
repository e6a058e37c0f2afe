//! Simulated cards before the switch's own software module: what they compute is what it verifies,
//! what is wrong on purpose is refused, and its answers and commands are what chips believe and
//! obey. Neither side shares a computation with the other.

use codecs::emv::TlvList;
use simulators::chip::{
    CardFacts, CardKind, Flaw, IssuerAnswer, Sale, Signed, SimulatedCard, TestKey, TestKeys,
    pin_block_0,
};
use simulators::demo_file::TestPan;
use switch_domain::{Expiry, Pan, Timestamp};
use switch_security::{
    CardSecurity, CardValue, CardValueKind, ChipData, CryptogramProfile, DataElement, EncryptedPin,
    EncryptedPinBlock, ExpiryOrder, GeneratePinReference, Ibm3624, Key, KeyCipher, KeyHandle,
    KeyName, KeyRing, KeyUsage, NamedKey, PanKeys, PinBlockFormat, PinMethod, PinReference,
    ProfileName, ProtectScript, Reply, Script, ScriptCommand, ScriptKeys, SecurityError,
    ServiceCode, SoftwareModule, Verified, VerifyCardValue, VerifyCryptogram, VerifyPin,
};

const PAN: &str = "9999991200000018";
const SALE: Sale = Sale {
    minor: 4250,
    other_minor: 0,
    currency: 978,
    country: 470,
    date: [26, 11, 27],
    kind: 0,
    unpredictable: [0xDE, 0xAD, 0xBE, 0xEF],
    with_pin: true,
};

/// The issuer's side: its module, and what the module calls its keys.
struct Issuer {
    module: SoftwareModule,
    pan: Pan,
    cryptograms: KeyHandle,
    scripts: ScriptKeys,
    card_values: KeyHandle,
    card_codes: KeyHandle,
    pin_values: KeyHandle,
    zone: KeyHandle,
    aes_zone: KeyHandle,
}

fn taken(ring: &mut KeyRing, name: &str, usage: KeyUsage, cipher: KeyCipher, key: &TestKey) {
    let bytes = hex::decode(key.digits()).expect("hexadecimal");
    let key = Key::new(usage, cipher, &bytes).expect("a key");
    let name = KeyName::new(name).expect("a name");
    let number = ring.add(NamedKey { name: name.clone(), key }, Timestamp(0)).expect("room");
    ring.activate(&name, number, Timestamp(0)).expect("pending until now");
}

impl Issuer {
    fn with(keys: &TestKeys) -> Issuer {
        let mut ring = KeyRing::default();
        let pin_values = TestKeys::from_seed(99).zone;
        let all = [
            ("ac", KeyUsage::E0, KeyCipher::Tdes, &keys.cryptograms),
            ("smi", KeyUsage::E2, KeyCipher::Tdes, &keys.script_integrity),
            ("smc", KeyUsage::E1, KeyCipher::Tdes, &keys.script_confidentiality),
            ("cvk", KeyUsage::C0, KeyCipher::Tdes, &keys.card_values),
            ("cvk2", KeyUsage::C0, KeyCipher::Tdes, &keys.card_codes),
            ("pvk", KeyUsage::V2, KeyCipher::Tdes, &pin_values),
            ("zone", KeyUsage::P0, KeyCipher::Tdes, &keys.zone),
            ("aes-zone", KeyUsage::P0, KeyCipher::Aes, &keys.aes_zone),
        ];
        for (name, usage, cipher, key) in all {
            taken(&mut ring, name, usage, cipher, key);
        }
        let found = all.map(|(name, usage, ..)| {
            ring.find(&KeyName::new(name).expect("a name"), usage).expect("taken")
        });
        let [cryptograms, integrity, confidentiality, card_values, card_codes, ..] = found;
        let [.., pin_values, zone, aes_zone] = found;
        let module = SoftwareModule::new(&PanKeys::generate().expect("keys")).expect("a module");
        Issuer {
            module: module.with_keys(ring),
            pan: Pan::from_digits(PAN.as_bytes()).expect("a number"),
            cryptograms,
            scripts: ScriptKeys { integrity, confidentiality, cryptogram: cryptograms },
            card_values,
            card_codes,
            pin_values,
            zone,
            aes_zone,
        }
    }

    /// Reads DE55 as the switch does, and has it verified; answers as it would be answered.
    fn verify(&self, kind: CardKind, signed: &Signed) -> Result<Verified, SecurityError> {
        let list = TlvList::parse(&signed.chip_data).expect("BER-TLV");
        let elements: Vec<_> = list
            .iter()
            .map(|one| DataElement { tag: one.tag.number(), value: one.value })
            .collect();
        let value = |tag| elements.iter().find(|one| one.tag == tag).expect("the tag").value;
        let profile = CryptogramProfile::named(kind.profile()).expect("a profile");
        assert!(profile.made(value(0x9F10)) && profile.facts(value(0x9F10)).is_empty());
        now(self.module.verify_cryptogram(VerifyCryptogram {
            profile: ProfileName::new(profile.name).expect("a name"),
            key: self.cryptograms,
            pan: &self.pan,
            sequence: 1,
            chip: ChipData {
                atc: u16::from_be_bytes(value(0x9F36).try_into().expect("two bytes")),
                unpredictable_number: u32::from_be_bytes(
                    value(0x9F37).try_into().expect("four bytes"),
                ),
                issuer_application_data: value(0x9F10),
                elements: &elements,
            },
            cryptogram: cryptogram(signed),
            answers: Some(profile.decisions(*b"00", *b"05")),
        }))
    }

    fn card_value(
        &self,
        key: KeyHandle,
        kind: CardValueKind<'_>,
        digits: &str,
    ) -> Result<(), SecurityError> {
        let claimed = &CardValue::from_digits(digits.as_bytes()).expect("digits");
        let expiry = Expiry::from_yymm(2912).expect("a month");
        let pan = &self.pan;
        now(self.module.verify_card_value(VerifyCardValue { key, pan, expiry, kind, claimed }))
    }

    fn entered<'a>(&self, block: &'a EncryptedPinBlock) -> EncryptedPin<'a> {
        if block.bytes().len() == 8 {
            EncryptedPin { block, format: PinBlockFormat::Iso0, key: self.zone }
        } else {
            EncryptedPin { block, format: PinBlockFormat::Iso4, key: self.aes_zone }
        }
    }

    fn verify_pin(&self, reference: &PinReference, block: &[u8]) -> Result<(), SecurityError> {
        let block = EncryptedPinBlock::new(block).expect("a block");
        let (pin, pan, key) = (self.entered(&block), &self.pan, self.pin_values);
        let ibm3624 = Ibm3624::default();
        now(self.module.verify_pin(VerifyPin { pin, pan, reference, key, ibm3624 }))
    }

    fn script(&self, kind: CardKind, signed: &Signed, command: ScriptCommand<'_>) -> Script {
        let made = now(self.module.protect_script(ProtectScript {
            profile: ProfileName::new(kind.profile()).expect("a name"),
            keys: self.scripts,
            pan: &self.pan,
            sequence: 1,
            atc: signed.counter,
            cryptogram: cryptogram(signed),
            position: 0,
            command,
        }));
        made.expect("a script")
    }
}

/// The software module has its answer at once.
fn now<T>(reply: Reply<'_, T>) -> Result<T, SecurityError> {
    reply.now().unwrap_or_else(|_| panic!("it is on its way"))
}

fn cryptogram(signed: &Signed) -> [u8; 8] {
    // It comes first: 9F26, eight bytes.
    signed.chip_data[3..11].try_into().expect("eight bytes")
}

fn card(keys: &TestKeys, kind: CardKind) -> SimulatedCard {
    let facts = CardFacts {
        pan: TestPan::new(PAN.to_owned()),
        expiry: "2912".to_owned(),
        service_code: "201".to_owned(),
        sequence: 1,
        pin: "4728".to_owned(),
        kind,
    };
    SimulatedCard::personalised(keys, facts).expect("a card")
}

fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).expect("short");
    [&[tag, length], value].concat()
}

#[test]
fn what_a_chip_signs_is_verified_and_it_believes_the_answer() {
    let keys = TestKeys::from_seed(1);
    let issuer = Issuer::with(&keys);
    for kind in CardKind::ALL {
        let mut card = card(&keys, kind);
        let mut before: Option<Verified> = None;
        for _ in 0..3 {
            let signed = card.sign(&SALE, None);
            let verified = issuer.verify(kind, &signed).expect("it is the card's");
            for (answer, approved) in [(verified.approved, true), (verified.declined, false)] {
                let answer = element(0x91, answer.expect("an answer").bytes());
                let judged = signed.judge_chip_data(&answer);
                assert_eq!(judged, IssuerAnswer::Right { approved }, "{kind:?}");
            }
            // The answer to another transaction of the same card is none.
            if let Some(before) = before.replace(verified) {
                let answer = element(0x91, before.approved.expect("an answer").bytes());
                assert_eq!(signed.judge_chip_data(&answer), IssuerAnswer::Wrong, "{kind:?}");
            }
        }
    }
}

#[test]
fn what_is_wrong_with_a_cryptogram_is_refused_and_nothing_else() {
    let keys = TestKeys::from_seed(2);
    let issuer = Issuer::with(&keys);
    let other = Issuer::with(&TestKeys::from_seed(3));
    for kind in CardKind::ALL {
        let mut card = card(&keys, kind);
        let first = card.sign(&SALE, None);
        assert_eq!(other.verify(kind, &first), Err(SecurityError::Incorrect));
        for flaw in Flaw::ALL {
            let verified = issuer.verify(kind, &card.sign(&SALE, Some(flaw)));
            match flaw {
                Flaw::AlteredAmount | Flaw::Cryptogram => {
                    assert_eq!(verified, Err(SecurityError::Incorrect), "{kind:?} {flaw:?}");
                }
                _ => assert!(verified.is_ok(), "{kind:?} {flaw:?} {verified:?}"),
            }
        }
    }
}

#[test]
fn values_of_stripe_chip_and_print_are_those_of_the_card() {
    let keys = TestKeys::from_seed(4);
    let (issuer, mut card) = (Issuer::with(&keys), card(&keys, CardKind::Visa18));
    let service_code = ServiceCode::new(201).expect("three digits");
    let stripe = CardValueKind::Cvv { service_code };
    let printed = CardValueKind::Cvv2 { order: ExpiryOrder::YearMonth };
    let value = |track: &str| track[track.len() - 3..].to_owned();
    for flaw in [None].into_iter().chain(Flaw::ALL.map(Some)) {
        let of_track = (flaw == Some(Flaw::TrackValue)).then_some(SecurityError::Incorrect);
        let of_print = (flaw == Some(Flaw::Code)).then_some(SecurityError::Incorrect);
        let digits = value(&card.stripe(flaw));
        assert_eq!(issuer.card_value(issuer.card_values, stripe, &digits).err(), of_track);
        let digits = value(&card.sign(&SALE, flaw).track);
        let verified = issuer.card_value(issuer.card_values, CardValueKind::Icvv, &digits);
        assert_eq!(verified.err(), of_track);
        let verified = issuer.card_value(issuer.card_codes, printed, &card.code(flaw));
        assert_eq!(verified.err(), of_print);
    }
}

#[test]
fn the_pin_in_either_block_is_the_holders() {
    let keys = TestKeys::from_seed(5);
    let (issuer, card) = (Issuer::with(&keys), card(&keys, CardKind::MChip10));
    let block = EncryptedPinBlock::new(&card.pin_block_0(None)).expect("a block");
    let (pin, pan, key) = (issuer.entered(&block), &issuer.pan, issuer.pin_values);
    let method = PinMethod::Pvv { key_index: 1 };
    let made = issuer.module.generate_pin_reference(GeneratePinReference { pin, pan, method, key });
    let reference = now(made).expect("a reference");
    for flaw in [None].into_iter().chain(Flaw::ALL.map(Some)) {
        let wrong = (flaw == Some(Flaw::Pin)).then_some(SecurityError::Incorrect);
        assert_eq!(issuer.verify_pin(&reference, &card.pin_block_0(flaw)).err(), wrong);
        assert_eq!(issuer.verify_pin(&reference, &card.pin_block_4(flaw, [7; 8])).err(), wrong);
    }
}

#[test]
fn a_chip_obeys_the_issuers_commands_and_no_others() {
    let keys = TestKeys::from_seed(6);
    let issuer = Issuer::with(&keys);
    for kind in CardKind::ALL {
        let mut card = card(&keys, kind);
        let (first, second) = (card.sign(&SALE, None), card.sign(&SALE, None));
        let unblock = issuer.script(kind, &second, ScriptCommand::UnblockPin);
        let template = |script: &Script| element(0x72, &element(0x86, script.bytes()));
        assert_eq!(card.obey(&first, &template(&unblock)), (0, 1), "{kind:?}");
        assert_eq!(card.obey(&second, &template(&unblock)), (1, 1), "{kind:?}");

        let block = EncryptedPinBlock::new(&pin_block_0(&keys.zone, PAN, "864209")).expect("one");
        let new = issuer.entered(&block);
        let change = issuer.script(kind, &second, ScriptCommand::ChangePin { new, current: None });
        let mut spoilt = template(&change);
        *spoilt.last_mut().expect("a code") ^= 1;
        assert_eq!(card.obey(&second, &spoilt), (0, 1), "{kind:?}");
        assert_eq!(card.facts().pin, "4728");
        assert_eq!(card.obey(&second, &template(&change)), (1, 1), "{kind:?}");
        assert_eq!(card.facts().pin, "864209", "{kind:?}");
        // The next message says that all of them were performed (9F5B).
        let told = card.sign(&SALE, None).chip_data;
        assert!(told.ends_with(&[0x9F, 0x5B, 5, 0x20, 0, 0, 0, 0]));
        assert_eq!(card.obey(&second, &[]), (0, 0));
        assert!(!card.sign(&SALE, None).chip_data.ends_with(&[0x9F, 0x5B, 5, 0x20, 0, 0, 0, 0]));
    }
}
