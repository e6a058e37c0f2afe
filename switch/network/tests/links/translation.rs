//! What the switch is asked: the fields of a message in the words of the engine.

use std::sync::Arc;

use codecs::iso8583::Dialect;
use switch_domain::{
    Acquirer, AsciiText, CardId, Channel, EntryMode, Expiry, LinkId, MessageClass, Pan, Reason,
};
use switch_shard::{Advise, Authorize, Command, Reverse};

use crate::rig::{DIALECTS, Draft, Rig, security};

const CARD: &[u8] = b"9999991200000018";

async fn authorize(rig: &Rig, draft: Draft) -> Authorize {
    rig.connect().await.ask(&draft).await;
    match rig.script.commands().pop() {
        Some(Command::Authorize(command)) => command,
        other => panic!("{other:?} instead of an authorization"),
    }
}

async fn advise(rig: &Rig, draft: Draft) -> Advise {
    let answer = rig.connect().await.ask(&draft).await;
    assert_eq!((answer.text(39), answer.text(38)), ("00".into(), "".into()));
    match rig.script.commands().pop() {
        Some(Command::Advise(command)) => command,
        other => panic!("{other:?} instead of an advice"),
    }
}

async fn reverse(rig: &Rig, draft: Draft) -> Reverse {
    rig.connect().await.ask(&draft).await;
    match rig.script.commands().pop() {
        Some(Command::Reverse(command)) => command,
        other => panic!("{other:?} instead of a reversal"),
    }
}

fn text<const N: usize>(text: &str) -> AsciiText<N> {
    AsciiText::new(text.as_bytes()).expect("short text")
}

#[tokio::test]
async fn a_purchase_says_what_its_fields_say() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let card = security().fingerprint(&Pan::from_digits(CARD).expect("a PAN"));
        rig.script.issue(card, CardId(4711));
        let command = authorize(&rig, rig.request(42)).await;
        let key = command.facts.key;
        assert_eq!(command.link, LinkId(7));
        assert_eq!(key.acquirer, Acquirer::Institution(text("12345")));
        assert_eq!(key.class, MessageClass::AuthorizationRequest);
        assert_eq!((key.stan, key.local_time), (42, 1_123_091_459));
        assert_eq!((key.terminal, key.rrn), (text("TERM0001"), text("632700000042")));
        assert_eq!(key.card, card);
        assert_eq!(command.facts.transmitted, 1_123_091_500);
        assert_eq!(command.facts.channel, Channel::Pos);
        assert_eq!(command.facts.entry, EntryMode::Chip);
        assert_eq!(command.facts.merchant.category, 5411);
        assert_eq!(command.facts.merchant.id, text("MERCHANT0000001"));
        assert_eq!((command.bin.0, command.card), (99_999_912, Some(CardId(4711))));
        assert_eq!(command.expiry.map(Expiry::yymm), Some(2912));
        assert_eq!(command.fault, None);
        assert_eq!((command.amount.minor.0, command.amount.currency.numeric()), (1250, 978));
    }
}

#[tokio::test]
async fn repeats_have_the_key_of_their_original_whatever_de7_and_the_connection() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let repeated = if dialect == "iso87-ascii" { &b"0101"[..] } else { &[0x01, 0x01] };
        let original = authorize(&rig, rig.request(42)).await.facts;
        let draft = rig.request(42).raw_mti(repeated).set(7, "1123091900");
        let repeat = authorize(&rig, draft).await.facts;
        assert_eq!(original.key, repeat.key);
        for other in [
            rig.request(43),
            rig.request(42).set(12, "091500"),
            rig.request(42).set(13, "1124"),
            rig.request(42).set(32, "54321"),
            rig.request(42).without(32),
            rig.request(42).set(37, "632700000000"),
            rig.request(42).set(41, "TERM0002"),
            rig.request(42).set(2, "9999991200000026"),
        ] {
            assert_ne!(original.key, authorize(&rig, other).await.facts.key);
        }
        let without = authorize(&rig, rig.request(42).without(32)).await.facts.key;
        assert_eq!(without.acquirer, Acquirer::Link(LinkId(7)));
    }
}

#[tokio::test]
async fn the_card_comes_from_either_source_and_two_that_differ_are_a_fault() {
    let same = "9999991200000018=29122011234";
    let other_card = "9999991200000026=29122011234";
    let other_month = "9999991200000018=30012011234";
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let rows: [(Draft, Option<u16>, Option<Reason>); 9] = [
            (rig.request(1), Some(2912), None),
            (rig.request(2).without(14), None, None),
            (rig.request(3).without(2).without(14).set(35, same), Some(2912), None),
            (rig.request(4).set(35, same), Some(2912), None),
            (rig.request(5).set(35, other_card), Some(2912), Some(Reason::PanSourcesDiffer)),
            (rig.request(6).set(35, other_month), Some(2912), Some(Reason::ExpiredCard)),
            (rig.request(7).without(14).set(35, other_month), Some(3001), None),
            (
                rig.request(8).without(2).without(14).set(35, "9999991200000018==2011234"),
                None,
                None,
            ),
            (
                rig.request(9).set(35, other_card).set(3, "210000"),
                Some(2912),
                Some(Reason::InvalidTransaction),
            ),
        ];
        let card = security().fingerprint(&Pan::from_digits(CARD).expect("a PAN"));
        for (draft, expiry, fault) in rows {
            let command = authorize(&rig, draft).await;
            let stan = command.facts.key.stan;
            assert_eq!(command.facts.key.card, card, "{dialect} {stan}");
            assert_eq!(command.expiry.map(Expiry::yymm), expiry, "{dialect} {stan}");
            assert_eq!(command.fault, fault, "{dialect} {stan}");
        }
    }
}

#[tokio::test]
async fn card_numbers_of_every_length_are_read() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        for length in 12..=19 {
            let digits = &"9999991234567890123"[..length];
            let pan = Pan::from_digits(digits.as_bytes()).expect("a PAN");
            let by_number = authorize(&rig, rig.request(1).set(2, digits)).await;
            let track = format!("{digits}=29122011");
            let by_track = authorize(&rig, rig.request(2).without(2).set(35, &track)).await;
            let expected = security().fingerprint(&pan);
            assert_eq!(by_number.facts.key.card, expected, "{dialect} {length}");
            assert_eq!(by_track.facts.key.card, expected, "{dialect} {length}");
        }
    }
}

#[tokio::test]
async fn processing_codes_say_what_is_asked_for() {
    let rig = Rig::start("iso87-bcd");
    for (code, channel, fault) in [
        ("000000", Channel::Pos, None),
        ("003000", Channel::Pos, None),
        ("110000", Channel::Pos, None),
        ("010000", Channel::Atm, None),
        ("200000", Channel::Pos, None),
        ("310000", Channel::Pos, None),
        ("090000", Channel::Pos, None),
        ("920000", Channel::Pos, Some(Reason::FunctionNotSupported)),
        ("210000", Channel::Pos, Some(Reason::InvalidTransaction)),
    ] {
        let command = authorize(&rig, rig.request(1).set(3, code)).await;
        assert_eq!((command.facts.channel, command.fault), (channel, fault), "{code}");
    }
}

#[tokio::test]
async fn optional_fields_may_be_absent() {
    for dialect in DIALECTS {
        // What the dialect does not ask for, that is.
        let rig = Rig::with(dialect, |config| {
            let text = Dialect::shipped_toml(dialect).expect("shipped");
            let (rules, fields) = text.split_once("[requests]").expect("rules");
            let fields = fields.split_once("[fields]").expect("fields").1;
            let unruled = Dialect::from_toml(&format!("{rules}[fields]{fields}"));
            config.dialect = Arc::new(unruled.expect("a dialect"));
        });
        let bare = [7, 12, 13, 14, 18, 22, 25, 32, 37, 41, 42]
            .into_iter()
            .fold(rig.request(42), Draft::without);
        let command = authorize(&rig, bare).await;
        let key = command.facts.key;
        assert_eq!((key.stan, key.local_time, command.facts.transmitted), (42, 0, 0));
        assert!(key.terminal.is_empty() && key.rrn.is_empty());
        assert_eq!(command.facts.entry, EntryMode::Unknown);
        assert_eq!(command.fault, None);
    }
}

#[tokio::test]
async fn an_advice_says_what_its_request_did_and_what_was_decided() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let asked = authorize(&rig, rig.request(42)).await;
        for (action, approved) in
            [("00", true), ("10", true), ("11", true), ("05", false), ("51", false), ("N7", false)]
        {
            let advice = advise(&rig, rig.advice(42, action)).await;
            assert_eq!(advice.approved, approved, "{dialect} {action}");
            let code = advice.approval_code.map(|code| code.as_str().to_owned());
            assert_eq!(code.as_deref(), Some("A1B2C3"));
            assert!(!advice.request.repeat);
            let key = advice.request.facts.key;
            assert_eq!(key.class, MessageClass::AuthorizationAdvice);
            assert_eq!(key.twin(), Some(asked.facts.key));
            assert_eq!(advice.request.amount, asked.amount);
            assert_eq!(advice.request.fault, None);
        }
        let advice = advise(&rig, rig.advice(43, "00").without(38)).await;
        assert_eq!(advice.approval_code, None);
        let advice = advise(&rig, rig.advice(44, "00").set(38, "      ")).await;
        assert_eq!(advice.approval_code, None, "none, and taken all the same");
        let deposit = advise(&rig, rig.advice(45, "00").set(3, "210000")).await;
        assert_eq!(deposit.request.fault, Some(Reason::InvalidTransaction));
        let ascii = dialect == "iso87-ascii";
        let mti = if ascii { &b"0121"[..] } else { &[0x01, 0x21] };
        let repeat = advise(&rig, rig.advice(42, "00").raw_mti(mti).set(7, "1123091900")).await;
        assert!(repeat.request.repeat);
        assert_eq!(repeat.request.facts.key.twin(), Some(asked.facts.key));
    }
}

#[tokio::test]
async fn a_reversal_names_its_original() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let purchase = authorize(&rig, rig.request(42)).await.facts.key;
        let command = reverse(&rig, rig.reversal(43, 42)).await;
        assert_eq!(command.key.class, MessageClass::ReversalRequest);
        assert_eq!(command.key.stan, 43);
        assert_eq!(command.reference.key, purchase.as_original());
        assert_eq!(command.reference.transmitted, 1_123_091_500);
        assert_eq!(command.reference.rrn, text("632700000042"));

        // Without DE90, or with one that says nothing, it carries its original's trace number.
        for draft in [
            rig.reversal(42, 42).without(90),
            rig.reversal(42, 42).set(90, &"0".repeat(42)),
            rig.reversal(42, 42).set(95, &"0".repeat(42)),
        ] {
            let command = reverse(&rig, draft).await;
            assert_eq!(command.reference.key, purchase.as_original());
        }
    }
}
