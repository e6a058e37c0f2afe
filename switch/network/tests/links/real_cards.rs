//! Cards that compute by themselves, verified by the software module over a link: what is right
//! matches and gets an answer that the chip takes; each thing that is wrong on purpose is found to
//! be that, and nothing of a card stands in any log.

use std::sync::Arc;

use simulators::chip::{CardFacts, CardKind, Flaw, IssuerAnswer, Sale, SimulatedCard, TestKeys};
use simulators::demo_file::TestPan;
use switch_domain::{
    AsciiText, CardId, CardReferences, CardSecurityTerms, ChipDifference, Evidence, Expiry,
    Finding, Pan, PinMethod, SecurityKeys, Timestamp, Unverified,
};
use switch_network::{CardCheckRules, CardChecks, PinRule};
use switch_security::{
    CardSecurity, EncryptedPin, EncryptedPinBlock, GeneratePinReference, Key, KeyCipher, KeyName,
    KeyRing, KeyUsage, NamedKey, PanKeys, PinBlockFormat, SoftwareModule,
};
use switch_shard::{CardReference, Command};

use crate::rig::{Answer, Draft, Log, Peer, Rig, security};

const CARD: &str = "9999991200000018";
const PIN: &str = "8264";

fn text<const N: usize>(value: &str) -> AsciiText<N> {
    AsciiText::new(value.as_bytes()).expect("short text")
}

/// The keys of the programme that the switch has; without those of the names left out.
fn ring(keys: &TestKeys, left_out: &[&str]) -> KeyRing {
    let pvk = "5D1A6E3C9B47F0288C4E7A15D2936BF1";
    let all = [
        ("cvk", KeyUsage::C0, keys.card_values.digits()),
        ("cvk2", KeyUsage::C0, keys.card_codes.digits()),
        ("pvk", KeyUsage::V2, pvk.to_owned()),
        ("zpk", KeyUsage::P0, keys.zone.digits()),
        ("imk", KeyUsage::E0, keys.cryptograms.digits()),
    ];
    let mut ring = KeyRing::default();
    for (name, usage, digits) in all.iter().filter(|(name, ..)| !left_out.contains(name)) {
        let name = KeyName::new(name).expect("a name");
        let bytes = hex::decode(digits).expect("digits");
        let key = Key::new(*usage, KeyCipher::Tdes, &bytes).expect("a key");
        let named = NamedKey { name: name.clone(), key };
        let number = ring.add(named, Timestamp(1)).expect("room");
        ring.activate(&name, number, Timestamp(1)).expect("pending");
    }
    ring
}

/// A card, and a link that verifies it.
struct Stage {
    rig: Rig,
    peer: Peer,
    card: SimulatedCard,
    stan: u32,
}

impl Stage {
    async fn with(kind: CardKind, left_out: &[&str]) -> Self {
        let keys = TestKeys::from_seed(42);
        let facts = CardFacts {
            pan: TestPan::new(CARD.into()),
            expiry: "2912".into(),
            service_code: "201".into(),
            sequence: 1,
            pin: PIN.into(),
            kind,
        };
        let card = SimulatedCard::personalised(&keys, facts).expect("a card");
        let reference = reference(&keys, &card);
        let ring = ring(&keys, left_out);
        let pan_keys = PanKeys::generate().expect("keys");
        let module = SoftwareModule::new(&pan_keys).expect("a module").with_keys(ring.clone());
        let formats = vec![PinBlockFormat::Iso0];
        let pin = PinRule { key: "zpk".into(), others: Vec::new(), formats };
        let checks = CardChecks {
            module: Arc::new(module),
            keys: Arc::new(ring),
            waits: None,
            rules: CardCheckRules { pin, ..CardCheckRules::default() },
        };
        let rig = Rig::with("iso87-ascii", |config| config.card_checks = Some(Arc::new(checks)));
        let pan = Pan::from_digits(CARD.as_bytes()).expect("a PAN");
        rig.script.verify(security().fingerprint(&pan), reference);
        let peer = rig.connect().await;
        Self { rig, peer, card, stan: 0 }
    }

    fn request(&mut self) -> Draft {
        self.stan += 1;
        self.rig.request(self.stan)
    }

    /// Sends it; with what evidence it was submitted, and the answer.
    async fn ask(&mut self, draft: &Draft) -> (Evidence, Answer) {
        let answer = self.peer.ask(draft).await;
        let Some(Command::Authorize(request)) = self.rig.script.commands().pop() else {
            panic!("an authorization")
        };
        (*request.evidence.expect("verified"), answer)
    }

    /// A chip purchase with the PIN, and what the chip makes of the answer.
    async fn purchase(&mut self, flaw: Option<Flaw>) -> (Evidence, IssuerAnswer) {
        let sale = Sale {
            minor: 1250,
            other_minor: 0,
            currency: 978,
            country: 724,
            date: [26, 11, 23],
            kind: 0,
            unpredictable: [1, 2, 3, 4],
            with_pin: true,
        };
        let signed = self.card.sign(&sale, flaw);
        let block = self.card.pin_block_0(flaw);
        let draft = self.request().set(23, &signed.sequence).set(35, &signed.track);
        let draft = draft.binary(52, &block).binary(55, &signed.chip_data);
        let (evidence, answer) = self.ask(&draft).await;
        let told = answer.hex(55).map(|told| hex::decode(told).expect("digits"));
        (evidence, signed.judge_chip_data(&told.unwrap_or_default()))
    }
}

/// What the issuer has of the card: the PIN's value was made when it was set.
fn reference(keys: &TestKeys, card: &SimulatedCard) -> CardReference {
    let ring = ring(keys, &[]);
    let pan_keys = PanKeys::generate().expect("keys");
    let find =
        |name: &str, usage| ring.find(&KeyName::new(name).expect("a name"), usage).expect("a key");
    let (zone, key) = (find("zpk", KeyUsage::P0), find("pvk", KeyUsage::V2));
    let module = SoftwareModule::new(&pan_keys).expect("a module").with_keys(ring.clone());
    let block = EncryptedPinBlock::new(&card.pin_block_0(None)).expect("a block");
    let pan = Pan::from_digits(CARD.as_bytes()).expect("a PAN");
    let made = module.generate_pin_reference(GeneratePinReference {
        pin: EncryptedPin { block: &block, format: PinBlockFormat::Iso0, key: zone },
        pan: &pan,
        method: switch_security::PinMethod::Pvv { key_index: 1 },
        key,
    });
    let pin = made.now().unwrap_or_else(|_| panic!("at once")).expect("a reference");
    let keys = SecurityKeys {
        cvk: text("cvk"),
        cvk2: vec![text("cvk2")],
        pvk: text("pvk"),
        imk_ac: text("imk"),
        ..SecurityKeys::default()
    };
    let profiles = CardKind::ALL.iter().map(|kind| text(kind.profile())).collect();
    let terms = CardSecurityTerms {
        keys,
        pin: Some(PinMethod::Pvv),
        profiles,
        ..CardSecurityTerms::default()
    };
    CardReference {
        card: CardId(1),
        references: Arc::new(CardReferences {
            pin: Some(pin),
            sequence: 1,
            ..CardReferences::default()
        }),
        expiry: Expiry::from_yymm(2912).expect("a month"),
        terms: Arc::new(terms),
        tries_exceeded: false,
    }
}

#[tokio::test]
async fn what_is_right_matches_and_the_chip_takes_the_answer() {
    for kind in CardKind::ALL {
        let mut stage = Stage::with(kind, &[]).await;
        let (found, judged) = stage.purchase(None).await;
        let chip = found.chip.expect("a chip");
        assert_eq!((found.pin, found.stripe), (Finding::Matched, Finding::Matched), "{kind:?}");
        assert_eq!((chip.cryptogram, chip.atc), (Finding::Matched, 1), "{kind:?}");
        assert!(chip.differs.is_empty() && chip.facts.is_empty(), "{kind:?}: {chip:?}");
        assert_eq!(judged, IssuerAnswer::Right { approved: true }, "{kind:?}");
        let stripe = stage.card.stripe(None);
        let draft = stage.request().set(22, "901").set(35, &stripe);
        assert_eq!(stage.ask(&draft).await.0.stripe, Finding::Matched);
        let code = stage.card.code(None);
        let draft = stage.request().set(22, "012").set(25, "59").set(126, &code);
        assert_eq!(stage.ask(&draft).await.0.code, Finding::Matched);
        // The stripe's value in a chip's track is a chip that was copied (C-03).
        let draft = stage.request().set(35, &stripe);
        assert_eq!(stage.ask(&draft).await.0.stripe, Finding::Mismatched);
    }
}

#[tokio::test]
async fn each_thing_that_is_wrong_is_found() {
    for kind in CardKind::ALL {
        let mut stage = Stage::with(kind, &[]).await;
        let (matched, mismatched) = (Finding::Matched, Finding::Mismatched);
        for (flaw, pin, stripe, cryptogram) in [
            (Flaw::Pin, mismatched, matched, matched),
            (Flaw::TrackValue, matched, mismatched, matched),
            (Flaw::Cryptogram, matched, matched, mismatched),
            (Flaw::AlteredAmount, matched, matched, mismatched),
            (Flaw::OtherAmount, matched, matched, matched),
        ] {
            let (found, judged) = stage.purchase(Some(flaw)).await;
            let chip = found.chip.expect("a chip");
            let all = (found.pin, found.stripe, chip.cryptogram);
            assert_eq!(all, (pin, stripe, cryptogram), "{kind:?} {flaw:?}");
            // A wrong cryptogram never gets an answer (E-02).
            assert_eq!(
                judged == IssuerAnswer::Absent,
                cryptogram == mismatched,
                "{kind:?} {flaw:?}"
            );
            let differs: Vec<_> = chip.differs.iter().collect();
            let other = flaw == Flaw::OtherAmount;
            assert_eq!(differs, if other { vec![ChipDifference::Amount] } else { vec![] });
        }
        let before = stage.card.counter();
        let (found, _) = stage.purchase(Some(Flaw::ReplayedCounter)).await;
        assert_eq!(found.chip.map(|chip| chip.atc), Some(before), "for the engine to see");
        let code = stage.card.code(Some(Flaw::Code));
        let draft = stage.request().set(22, "012").set(25, "59").set(126, &code);
        assert_eq!(stage.ask(&draft).await.0.code, mismatched);
        let stripe = stage.card.stripe(Some(Flaw::TrackValue));
        let draft = stage.request().set(22, "901").set(35, &stripe);
        assert_eq!(stage.ask(&draft).await.0.stripe, mismatched);
    }
}

#[tokio::test]
async fn without_its_key_a_thing_is_unverified_and_the_chip_is_told_nothing() {
    let no_key = Finding::Unverified(Unverified::NoKey);
    for (left_out, expected) in [
        ("pvk", (no_key, Finding::Matched, Finding::Matched)),
        ("zpk", (no_key, Finding::Matched, Finding::Matched)),
        ("cvk", (Finding::Matched, no_key, Finding::Matched)),
        ("imk", (Finding::Matched, Finding::Matched, no_key)),
    ] {
        let mut stage = Stage::with(CardKind::Visa18, &[left_out]).await;
        let (found, judged) = stage.purchase(None).await;
        let cryptogram = found.chip.expect("a chip").cryptogram;
        assert_eq!((found.pin, found.stripe, cryptogram), expected, "{left_out}");
        assert_eq!(judged == IssuerAnswer::Absent, left_out == "imk", "{left_out}");
    }
}

#[tokio::test]
async fn the_same_message_gets_the_same_answer_and_no_log_has_anything_of_the_card() {
    let mut stage = Stage::with(CardKind::Visa10, &[]).await;
    let sale = Sale {
        minor: 1250,
        other_minor: 0,
        currency: 978,
        country: 724,
        date: [26, 11, 23],
        kind: 0,
        unpredictable: [9, 8, 7, 6],
        with_pin: true,
    };
    let signed = stage.card.sign(&sale, None);
    let block = stage.card.pin_block_0(None);
    let draft = stage.request().set(23, &signed.sequence).set(35, &signed.track);
    let draft = draft.binary(52, &block).binary(55, &signed.chip_data);
    let first = stage.peer.ask(&draft).await;
    let again = stage.peer.ask(&draft.clone().raw_mti(b"0101").set(7, "1123091900")).await;
    assert!(first.hex(55).is_some());
    assert_eq!(first.hex(55), again.hex(55));
    let log = Log::of_this_process().text();
    let secrets = [
        CARD.to_owned(),
        signed.track.clone(),
        hex::encode(block),
        hex::encode_upper(block),
        hex::encode(&signed.chip_data),
        format!("{block:?}"),
    ];
    for secret in secrets {
        assert!(!log.contains(&secret), "a log has something of the card");
    }
}
