//! What a message presents of card and holder is verified before it is submitted: what is asked for
//! which way of reading, what is found, what the chip is told, and what happens while a module is
//! waited for.

use std::sync::Arc;
use std::time::Duration;

use switch_domain::{
    AsciiText, CardId, CardReferences, CardSecurityTerms, ChipDifference, ChipFact, CryptogramType,
    Evidence, Expiry, Finding, Fingerprint, Pan, PinMethod, PinReference, Reason, SecurityKeys,
    Unverified,
};
use switch_network::{CardCheckRules, CardChecks, PinRule, UnusableChip, Waits};
use switch_security::PinBlockFormat;
use switch_shard::{CardReference, Command};
use tokio::sync::Semaphore;

use crate::rig::{
    CRYPTOGRAM, DIALECTS, Draft, Keys, Module, PIN_BLOCK, Pace, Rig, TOLD, VALUE, approved,
    declined, security,
};

const CARD: &[u8] = b"9999991200000018";

pub(crate) fn card() -> Fingerprint {
    security().fingerprint(&Pan::from_digits(CARD).expect("a PAN"))
}

pub(crate) fn text<const N: usize>(value: &str) -> AsciiText<N> {
    AsciiText::new(value.as_bytes()).expect("short text")
}

/// What the card is compared with: everything is on file, and every key is there.
pub(crate) fn reference() -> CardReference {
    let keys = SecurityKeys {
        cvk: text("cvk"),
        cvk2: vec![text("cvk-printed")],
        pvk: text("pvk"),
        imk_ac: text("imk"),
        ..SecurityKeys::default()
    };
    let terms = CardSecurityTerms {
        keys,
        pin: Some(PinMethod::Pvv),
        profiles: vec![text("mchip-10"), text("visa-10")],
        ..CardSecurityTerms::default()
    };
    CardReference {
        card: CardId(1),
        references: Arc::new(CardReferences {
            version: 7,
            pin: Some(PinReference::pvv(1, b"1234").expect("a reference")),
            ..CardReferences::default()
        }),
        expiry: Expiry::from_yymm(2912).expect("a month"),
        terms: Arc::new(terms),
        tries_exceeded: false,
    }
}

pub(crate) fn rules() -> CardCheckRules {
    let formats = vec![PinBlockFormat::Iso0, PinBlockFormat::Iso3];
    let pin = PinRule { key: "zpk".into(), others: Vec::new(), formats };
    CardCheckRules { pin, ..CardCheckRules::default() }
}

/// A link that verifies the card by this module and these rules.
fn rig(dialect: &str, module: &Module, rules: CardCheckRules, waits: Option<Waits>) -> Rig {
    let checks =
        CardChecks { module: Arc::new(module.clone()), keys: Arc::new(Keys), waits, rules };
    let rig = Rig::with(dialect, |config| config.card_checks = Some(Arc::new(checks)));
    rig.script.verify(card(), reference());
    rig
}

fn at_once() -> (Rig, Module) {
    let module = Module::new(Pace::AtOnce);
    (rig("iso87-ascii", &module, rules(), None), module)
}

/// The evidence with which the next message is submitted.
async fn evidence(rig: &Rig, draft: Draft) -> Option<Evidence> {
    let mut peer = rig.connect().await;
    peer.send(&draft).await;
    peer.answer().await;
    match rig.script.commands().pop()? {
        Command::Authorize(request) => request.evidence.map(|evidence| *evidence),
        Command::Advise(advice) => advice.request.evidence.map(|evidence| *evidence),
        _ => None,
    }
}

/// The data of a chip that says what the request says: 12.50 euros on 23 November.
pub(crate) fn chip(counter: u16, cryptogram: [u8; 8], changed: &[(&str, &str)]) -> Vec<u8> {
    let cryptogram = hex::encode(cryptogram);
    let counter = format!("{counter:04x}");
    let mut objects = vec![
        ("9f26", cryptogram.as_str()),
        ("9f27", "80"),
        ("9f10", "06010a03a00000"),
        ("9f37", "deadbeef"),
        ("9f36", counter.as_str()),
        ("95", "0000048000"),
        ("9a", "261123"),
        ("9c", "00"),
        ("9f02", "000000001250"),
        ("9f03", "000000000000"),
        ("5f2a", "0978"),
        ("82", "3800"),
        ("9f1a", "0724"),
    ];
    for (tag, value) in changed {
        objects.retain(|(other, _)| other != tag);
        if !value.is_empty() {
            objects.push((tag, value));
        }
    }
    let object = |(tag, value): &(&str, &str)| format!("{tag}{:02x}{value}", value.len() / 2);
    hex::decode(objects.iter().map(object).collect::<String>()).expect("digits")
}

fn track(value: &str) -> String {
    format!("9999991200000018=291220100000{value}")
}

fn without_card(draft: Draft) -> Draft {
    draft.set(22, "012").set(25, "59")
}

#[tokio::test]
async fn what_is_asked_for_follows_from_how_the_card_was_read() {
    for dialect in DIALECTS {
        let module = Module::new(Pace::AtOnce);
        let rig = rig(dialect, &module, rules(), None);
        let request = || rig.request(1);
        let rows: [(Draft, &[&str]); 9] = [
            (request().set(22, "901").set(35, &track("737")), &["cvv 201 2912 under #1"]),
            (request().set(22, "021").set(35, &track("737")), &["cvv 201 2912 under #1"]),
            (
                request().set(22, "901").set(45, "B9999991200000018^DOE/JANE^291220100000737"),
                &["cvv 201 2912 under #1"],
            ),
            (request().set(22, "051").set(35, &track("737")), &["icvv 2912 under #1"]),
            (request().set(22, "071").set(35, &track("737")), &["icvv 2912 under #1"]),
            (without_card(request()).set(126, "737"), &["cvv2 2912 under #1"]),
            (request().binary(52, &PIN_BLOCK), &["pin 0 under #4 and #2"]),
            (
                request().binary(55, &chip(3, CRYPTOGRAM, &[])).set(23, "007"),
                &["visa-10 sequence 7 at 3 answered"],
            ),
            (
                request().binary(55, &chip(3, CRYPTOGRAM, &[("5f34", "02")])).set(23, "002"),
                &["visa-10 sequence 2 at 3 answered"],
            ),
        ];
        for (draft, asked) in rows {
            let found = evidence(&rig, draft).await.expect("verified");
            assert_eq!(module.asked(), asked, "{dialect}");
            assert_eq!(found.references, 7);
        }
        // A card of whose programme nothing is verified.
        let other = rig.request(2).set(2, "9999991200000026").set(126, "737");
        assert_eq!(evidence(&rig, other).await, None);
        assert!(module.asked().is_empty());
    }
}

#[tokio::test]
async fn what_is_found_goes_with_the_request() {
    let (rig, _) = at_once();
    let request = || rig.request(1);
    let found = evidence(&rig, request()).await.expect("verified");
    assert_eq!(found, Evidence { references: 7, ..Evidence::default() }, "nothing presented");
    for (value, finding) in [(VALUE, Finding::Matched), ("738", Finding::Mismatched)] {
        let found = evidence(&rig, request().set(22, "901").set(35, &track(value))).await;
        let found = found.expect("verified");
        assert_eq!((found.stripe, found.fallback), (finding, true));
        let found = evidence(&rig, request().set(22, "021").set(35, &track(value))).await;
        assert!(!found.expect("verified").fallback);
        let plain = track(value).replace("=2912201", "=2912101");
        let found = evidence(&rig, request().set(22, "901").set(35, &plain)).await;
        assert!(!found.expect("verified").fallback, "a card without a chip");
        let found = evidence(&rig, without_card(request()).set(126, value)).await;
        assert_eq!(found.expect("verified").code, finding);
    }
    for (block, finding) in [(PIN_BLOCK, Finding::Matched), ([9; 8], Finding::Mismatched)] {
        let found = evidence(&rig, request().binary(52, &block)).await.expect("verified");
        assert_eq!(found.pin, finding);
    }
    // A track without room for a value, and a code that is none.
    let short = evidence(&rig, request().set(22, "901").set(35, &track(""))).await;
    assert_eq!(short.expect("verified").stripe, Finding::Absent);
    let letters = evidence(&rig, without_card(request()).set(126, "7x7")).await;
    let malformed = Finding::Unverified(Unverified::Malformed);
    assert_eq!(letters.expect("verified").code, malformed);
}

#[tokio::test]
async fn a_chip_is_compared_with_the_message() {
    let (rig, _) = at_once();
    let row = |changed: &[(&str, &str)]| {
        rig.request(1).set(23, "001").set(19, "724").binary(55, &chip(3, CRYPTOGRAM, changed))
    };
    let said = async |draft| evidence(&rig, draft).await.and_then(|found| found.chip).expect("one");
    let same = said(row(&[])).await;
    assert_eq!((same.atc, same.sequence, same.cryptogram), (3, 1, Finding::Matched));
    assert_eq!(same.kind, CryptogramType::Request);
    assert_eq!(same.facts.iter().collect::<Vec<_>>(), []);
    let differing = [
        (("9f02", "000000001251"), ChipDifference::Amount),
        (("5f2a", "0840"), ChipDifference::Currency),
        (("9a", "261124"), ChipDifference::Date),
        (("9f1a", "0056"), ChipDifference::Country),
        (("5f34", "02"), ChipDifference::Sequence),
        (("57", "9999991200000026d2912201000007370f"), ChipDifference::Track),
        (("57", "9999991200000018d3012201000007370f"), ChipDifference::Track),
    ];
    assert!(same.differs.is_empty(), "{:?}", same.differs);
    for (change, difference) in differing {
        let chip = said(row(&[change])).await;
        assert_eq!(chip.differs.iter().collect::<Vec<_>>(), [difference], "{change:?}");
        assert!(chip.tolerated.is_empty());
    }
    let reported = said(row(&[("95", "0000a00000"), ("9f10", "06010a03a20000")])).await;
    let facts = [
        ChipFact::CardholderVerificationFailed,
        ChipFact::OfflinePinTriesExceeded,
        ChipFact::OfflinePinFailed,
    ];
    assert_eq!(reported.facts.iter().collect::<Vec<_>>(), facts);
    let certificate = said(row(&[("9f27", "40")])).await;
    assert_eq!(certificate.kind, CryptogramType::Certificate);
}

#[tokio::test]
async fn what_cannot_be_verified_says_why() {
    let (rig, module) = at_once();
    let unverified = |why| Finding::Unverified(why);
    let pin = || rig.request(1).binary(52, &PIN_BLOCK);
    let chip_of = |data: &[u8]| rig.request(1).binary(55, data);
    let cryptogram = async |draft| {
        let found = evidence(&rig, draft).await.expect("verified");
        found.chip.expect("a chip").cryptogram
    };
    let mut cut = chip(3, CRYPTOGRAM, &[]);
    cut.pop();
    assert_eq!(cryptogram(chip_of(&cut)).await, unverified(Unverified::Malformed));
    let incomplete = chip(3, CRYPTOGRAM, &[("9f37", "")]);
    assert_eq!(cryptogram(chip_of(&incomplete)).await, unverified(Unverified::Malformed));
    let stranger = chip(3, CRYPTOGRAM, &[("9f10", "06017703a00000")]);
    assert_eq!(cryptogram(chip_of(&stranger)).await, unverified(Unverified::UnknownProfile));
    let code = rig.metric("cardswitch_link_unverified_total", "unknown_profile");
    assert!((code - 1.0).abs() < f64::EPSILON, "{code}");

    let mut other = reference();
    Arc::make_mut(&mut other.references).pin = None;
    rig.script.verify(card(), other);
    let found = evidence(&rig, pin()).await.expect("verified");
    assert_eq!(found.pin, unverified(Unverified::NoReference));
    let mut other = reference();
    other.tries_exceeded = true;
    rig.script.verify(card(), other);
    let found = evidence(&rig, pin()).await.expect("verified");
    assert_eq!(found.pin, unverified(Unverified::Skipped));
    let mut other = reference();
    let mut terms = CardSecurityTerms::clone(&other.terms);
    terms.keys = SecurityKeys::default();
    other.terms = Arc::new(terms);
    rig.script.verify(card(), other);
    module.asked();
    let all = pin().set(22, "901").set(35, &track("737")).set(126, "737");
    let all = all.binary(55, &chip(3, CRYPTOGRAM, &[]));
    let found = evidence(&rig, all).await.expect("verified");
    let no_key = unverified(Unverified::NoKey);
    assert_eq!((found.pin, found.stripe, found.code), (no_key, no_key, no_key));
    assert_eq!(found.chip.map(|chip| chip.cryptogram), Some(no_key));
    assert!(module.asked().is_empty(), "nobody is asked without a key");
}

#[tokio::test]
async fn a_pin_block_that_the_link_does_not_take_is_no_guess() {
    let format_4 = PinRule { formats: vec![PinBlockFormat::Iso4], ..rules().pin };
    for (pin, why) in [(format_4, Unverified::Malformed), (PinRule::default(), Unverified::NoKey)] {
        let module = Module::new(Pace::AtOnce);
        let rules = CardCheckRules { pin, ..CardCheckRules::default() };
        let rig = rig("iso87-bcd", &module, rules, None);
        let found = evidence(&rig, rig.request(1).binary(52, &PIN_BLOCK)).await;
        assert_eq!(found.expect("verified").pin, Finding::Unverified(why));
        assert!(module.asked().is_empty());
    }
}

#[tokio::test]
async fn chip_data_that_cannot_be_used_are_a_format_error_where_the_link_wants_that() {
    let module = Module::new(Pace::AtOnce);
    let rules = CardCheckRules { unusable_chip: UnusableChip::FormatError, ..rules() };
    let rig = rig("iso87-ascii", &module, rules, None);
    let mut peer = rig.connect().await;
    let incomplete = chip(3, CRYPTOGRAM, &[("9f36", "")]);
    peer.send(&rig.request(1).binary(55, &incomplete)).await;
    let answer = peer.answer().await;
    assert_eq!((answer.text(39).as_str(), answer.text(44).as_str()), ("30", "FIELD 55 INVALID"));
    assert!(rig.script.commands().is_empty());
}

#[tokio::test]
async fn a_chip_is_told_what_was_decided_where_its_cryptogram_is_right() {
    for dialect in DIALECTS {
        let module = Module::new(Pace::AtOnce);
        let rig = rig(dialect, &module, rules(), None);
        let mut peer = rig.connect().await;
        let told = |code: &str, byte: u8| {
            format!("8a02{}9110{}", hex::encode(code), hex::encode([byte; 16]))
        };
        peer.send(&rig.request(1).binary(55, &chip(3, CRYPTOGRAM, &[]))).await;
        let answer = peer.answer().await;
        assert_eq!(answer.text(39), "00");
        assert_eq!(answer.hex(55), Some(told("00", TOLD[0])), "{dialect}");
        rig.script.hand_over();
        peer.send(&rig.request(2).binary(55, &chip(4, CRYPTOGRAM, &[]))).await;
        let submission = rig.script.next().await;
        submission.reply.send(declined(Reason::InsufficientFunds));
        let answer = peer.answer().await;
        assert_eq!(answer.text(39), "51");
        assert_eq!(answer.hex(55), Some(told("05", TOLD[1])), "{dialect}");
        // A wrong cryptogram, one that asks for nothing, and an advice get none.
        for draft in [
            rig.request(3).binary(55, &chip(5, [0; 8], &[])),
            rig.request(4).binary(55, &chip(6, CRYPTOGRAM, &[("9f27", "40")])),
            rig.advice(5, "00").binary(55, &chip(7, CRYPTOGRAM, &[])),
        ] {
            peer.send(&draft).await;
            rig.script.next().await.reply.send(approved(3));
            assert_eq!(peer.answer().await.hex(55), None, "{dialect}");
        }
    }
}

#[tokio::test]
async fn while_one_message_waits_for_the_module_others_go_on() {
    let leave = Arc::new(Semaphore::new(0));
    let module = Module::new(Pace::Later(Arc::clone(&leave)));
    let waits = Waits { deadline: Duration::from_secs(60), most: 2 };
    let rig = rig("iso87-ascii", &module, rules(), Some(waits));
    let mut peer = rig.connect().await;
    let with_pin = |stan| rig.request(stan).binary(52, &PIN_BLOCK);
    peer.send(&with_pin(1)).await;
    // Nothing is asked of the module for the second; the third waits, and the fourth may not.
    peer.send(&rig.request(2).set(2, "9999991200000026")).await;
    assert_eq!(peer.answer().await.text(11), "000002");
    peer.send(&with_pin(3)).await;
    peer.send(&with_pin(4)).await;
    assert_eq!(peer.answer().await.text(11), "000004");
    let pins = |commands: Vec<Command>| {
        let pin = |command: &Command| match command {
            Command::Authorize(request) => request.evidence.as_ref().map(|found| found.pin),
            _ => None,
        };
        commands.iter().map(pin).collect::<Vec<_>>()
    };
    let late = Finding::Unverified(Unverified::Unavailable);
    assert_eq!(pins(rig.script.commands()), [None, Some(late)]);
    assert!((rig.metric("cardswitch_link_verifying", "") - 2.0).abs() < f64::EPSILON);
    leave.add_permits(2);
    peer.answer().await;
    peer.answer().await;
    assert_eq!(pins(rig.script.commands()), [Some(Finding::Matched); 2]);
    rig.until(|rig| rig.metric("cardswitch_link_verifying", "") < 0.5).await;
}

#[tokio::test]
async fn who_is_not_answered_in_time_goes_on_without() {
    let module = Module::new(Pace::Later(Arc::new(Semaphore::new(0))));
    let waits = Waits { deadline: Duration::from_millis(20), most: 8 };
    let rig = rig("iso87-bcd", &module, rules(), Some(waits));
    let draft = rig.request(1).binary(52, &PIN_BLOCK).set(22, "051");
    let found = evidence(&rig, draft.binary(55, &chip(3, CRYPTOGRAM, &[]))).await;
    let found = found.expect("verified");
    let late = Finding::Unverified(Unverified::Unavailable);
    assert_eq!((found.pin, found.chip.map(|chip| chip.cryptogram)), (late, Some(late)));
    assert_eq!((found.stripe, found.code), (Finding::Absent, Finding::Absent));
}
