//! File actions and administrative messages: what becomes of the lock that a peer asks for, with
//! and without authority, and that none of it is answered before it is decided.

use std::sync::Arc;

use codecs::iso8583::{Dialect, Encoder, Mti};
use switch_domain::{
    Bin, CardId, IdempotencyKey, LinkId, LockCode, LockCodes, LockRefusal, OutsideAsk, Pan, Reason,
};
use switch_network::{BinSpan, LinkConfig, LockAuthority};
use switch_shard::{Act, Command, Manage};

use crate::rig::{Answer, DIALECTS, Log, Rig, declined, security};

const REFUSALS: &str = "cardswitch_link_lock_refusals_total";
const UNSUPPORTED: &str = "cardswitch_link_unsupported_total";

fn codes(numbers: &[u8]) -> LockCodes {
    numbers.iter().map(|number| LockCode::from_number(*number).expect("a code")).collect()
}

/// Authority over the card of the drafts, with these codes.
fn may(numbers: &[u8]) -> impl FnOnce(&mut LinkConfig) {
    let codes = codes(numbers);
    move |config| {
        let bins = vec![BinSpan { low: Bin(99_999_910), high: Bin(99_999_919) }];
        config.locks = LockAuthority { bins, codes, ..LockAuthority::default() };
    }
}

fn issued(rig: &Rig) -> CardId {
    let print = security().fingerprint(&Pan::from_digits(b"9999991200000018").expect("a PAN"));
    rig.script.issue(print, CardId(4711));
    CardId(4711)
}

/// The command that the last file action became.
fn command(rig: &Rig) -> (Manage, Option<CardId>, OutsideAsk, LockCodes) {
    match rig.script.commands().pop() {
        Some(Command::Manage(manage)) => match manage.act {
            Act::LockOutside { card, ask, may } => (manage, card, ask, may),
            other => panic!("{other:?} instead of a lock from outside"),
        },
        other => panic!("{other:?} instead of a management command"),
    }
}

fn key(rig: &Rig) -> IdempotencyKey {
    command(rig).0.key
}

#[tokio::test]
async fn a_lock_becomes_a_command_of_the_link_and_its_answer_echoes_the_request() {
    for dialect in DIALECTS {
        let rig = Rig::with(dialect, may(&[6, 7]));
        let card = issued(&rig);
        let mut peer = rig.connect().await;
        let lock = OutsideAsk::Lock(LockCode::SuspectedFraud);
        let rows = [
            ("1", "07", lock),
            ("2", "7", lock),
            ("4", " 7 ", lock),
            ("3", "07", OutsideAsk::Unlock(Some(LockCode::SuspectedFraud))),
            ("3", "", OutsideAsk::Unlock(None)),
        ];
        for (stan, (code, record, expected)) in (1..).zip(rows) {
            let draft = rig.file_action(stan, code, record);
            let answer = peer.ask(&draft).await;
            assert_eq!(answer.summary(), ("0312".into(), "00".into(), String::new()));
            for field in [2, 7, 11, 12, 13, 32, 37, 91, 101] {
                assert_eq!(answer.wire(field), draft.wire(field), "{dialect} field {field}");
            }
            assert_eq!((answer.wire(120), answer.wire(38)), (None, None));
            let (manage, found, ask, allowed) = command(&rig);
            assert!(manage.actor.as_str().starts_with("link:test"), "{:?}", manage.actor);
            assert_eq!((found, ask, allowed), (Some(card), expected, codes(&[6, 7])));
        }
        assert_eq!(rig.metric("cardswitch_link_messages_total", "class=\"file_action\""), 5.0);
    }
}

/// As W-18 wants it: the repeat digit, the transmission time and the connection change nothing.
#[tokio::test]
async fn the_same_action_has_the_same_key_however_often_it_is_sent() {
    for dialect in DIALECTS {
        let rig = Rig::with(dialect, may(&[7]));
        issued(&rig);
        let draft = || rig.file_action(1, "1", "07");
        rig.connect().await.ask(&draft()).await;
        let first = key(&rig);
        let ascii = dialect == "iso87-ascii";
        let types: [&[u8]; 3] = if ascii {
            [b"0303", b"0322", b"0323"]
        } else {
            [&[0x03, 0x03], &[0x03, 0x22], &[0x03, 0x23]]
        };
        let answers = ["0312", "0332", "0332"];
        for (mti, expected) in types.into_iter().zip(answers) {
            let answer = rig.connect().await.ask(&draft().raw_mti(mti).set(7, "1124000000")).await;
            assert_eq!((answer.mti().as_str(), answer.text(39).as_str()), (expected, "00"));
            assert_eq!(key(&rig), first, "{expected}");
        }
        rig.connect().await.ask(&draft().set(120, "08")).await;
        assert_eq!(key(&rig), first, "what is asked for is no part of it: the engine tells");
        for other in [
            rig.file_action(2, "1", "07"),
            draft().set(12, "091511"),
            draft().set(13, "1124"),
            draft().set(32, "12346"),
            draft().without(32),
            draft().set(37, "632700000002"),
            draft().set(41, "TERM0002"),
            draft().set(2, "9999991200000026"),
        ] {
            rig.connect().await.ask(&other).await;
            assert_ne!(key(&rig), first);
        }
        // Nobody puts a refusal in the way of a link that may.
        let elsewhere = Rig::with(dialect, |config| config.id = LinkId(8));
        elsewhere.connect().await.ask(&draft()).await;
        assert_ne!(key(&elsewhere), first);
    }
}

#[tokio::test]
async fn it_is_answered_when_it_is_decided_and_as_it_is_decided() {
    for dialect in DIALECTS {
        let rig = Rig::with(dialect, may(&[7]));
        issued(&rig);
        rig.script.hand_over();
        let mut peer = rig.connect().await;
        peer.send(&rig.file_action(1, "1", "07")).await;
        let submission = rig.script.next().await;
        // An echo that was sent later is answered first: nothing was said to the lock.
        assert_eq!(peer.ask(&rig.network(2, "301")).await.text(11), "000002");
        submission.reply.send(declined(Reason::FileActionDone));
        let answer = peer.answer().await;
        assert_eq!((answer.text(11).as_str(), answer.text(39).as_str()), ("000001", "00"));
        for (stan, refusal) in (3..).zip(LockRefusal::ALL) {
            peer.send(&rig.file_action(stan, "1", "07")).await;
            rig.script.next().await.reply.send(declined(refusal.reason()));
            let expected = if refusal == LockRefusal::NoSuchCard { "25" } else { "29" };
            assert_eq!(peer.answer().await.text(39), expected, "{refusal:?}");
        }
    }
}

#[tokio::test]
async fn without_authority_it_goes_on_record_and_says_so() {
    for dialect in DIALECTS {
        // By default nothing; then other numbers, then other codes.
        let elsewhere = |config: &mut LinkConfig| {
            config.locks.bins = vec![BinSpan { low: Bin(99_999_900), high: Bin(99_999_911) }];
            config.locks.codes = codes(&[7]);
        };
        type Adjust = Box<dyn FnOnce(&mut LinkConfig)>;
        let settings: [(Adjust, &str, LockCodes); 3] = [
            (Box::new(|_| ()), "bin", LockCodes::NONE),
            (Box::new(elsewhere), "bin", LockCodes::NONE),
            (Box::new(may(&[6])), "code", codes(&[6])),
        ];
        for (adjust, cause, allowed) in settings {
            let rig = Rig::with(dialect, adjust);
            let card = issued(&rig);
            rig.script.hand_over();
            let mut peer = rig.connect().await;
            peer.send(&rig.file_action(1, "1", "07")).await;
            let refused = declined(LockRefusal::NotAllowed.reason());
            rig.script.next().await.reply.send(refused);
            assert_eq!(peer.answer().await.text(39), "29");
            let (_, found, ask, may) = command(&rig);
            assert_eq!((found, may), (Some(card), allowed));
            assert_eq!(ask, OutsideAsk::Lock(LockCode::SuspectedFraud));
            assert_eq!(rig.metric(REFUSALS, &format!("cause=\"{cause}\"")), 1.0);
        }
    }
    let log = Log::of_this_process().text();
    assert!(log.contains("lock_not_allowed") && log.contains("lock 7"), "{log}");
}

/// A flood fills neither the journal nor the audit trail, and gets the same answer all the same.
#[tokio::test]
async fn refusals_past_the_limit_are_answered_and_counted_and_not_recorded() {
    for dialect in DIALECTS {
        let rig = Rig::with(dialect, |config| config.locks.refusals_per_minute = 2);
        rig.script.hand_over();
        let mut peer = rig.connect().await;
        for stan in 1..=2 {
            peer.send(&rig.file_action(stan, "1", "07")).await;
            let refused = declined(LockRefusal::NotAllowed.reason());
            rig.script.next().await.reply.send(refused);
            assert_eq!(peer.answer().await.text(39), "29");
        }
        for stan in 3..=9 {
            assert_eq!(peer.ask(&rig.file_action(stan, "1", "07")).await.text(39), "29");
        }
        assert!(rig.script.is_idle().await);
        assert_eq!(rig.script.commands().len(), 2);
        assert_eq!(rig.metric(REFUSALS, "cause=\"not_recorded\""), 7.0);
        assert_eq!(rig.metric(REFUSALS, "cause=\"bin\""), 9.0);
    }
    // A card that is not there, with authority: the same limit.
    let rig = Rig::with("iso87-bcd", |config| {
        may(&[7])(config);
        config.locks.refusals_per_minute = 0;
    });
    assert_eq!(rig.connect().await.ask(&rig.file_action(1, "1", "07")).await.text(39), "25");
    assert!(rig.script.commands().is_empty());
}

#[tokio::test]
async fn what_a_file_action_does_not_say_is_told_and_moves_nothing() {
    for dialect in DIALECTS {
        let rig = Rig::with(dialect, may(&[7]));
        issued(&rig);
        let mut peer = rig.connect().await;
        let good = || rig.file_action(1, "1", "07");
        let rows = [
            (good().set(101, "CUSTOMERS"), "25", ""),
            (good().set(91, "5"), "24", ""),
            (good().set(91, "9"), "24", ""),
            (good().set(120, "09"), "27", ""),
            (good().set(120, "007"), "27", ""),
            (good().set(120, "LOST"), "27", ""),
            (good().set(35, "9999991200000026=29122011234"), "63", ""),
            (good().without(120), "30", "FIELD 120 ABSENT"),
            (good().without(101), "30", "FIELD 101 ABSENT"),
            (good().without(91), "30", "FIELD 91 ABSENT"),
            (good().without(2), "30", "FIELD 2 ABSENT"),
            (good().set(91, "A"), "30", "FIELD 91 INVALID"),
            (good().without(37).without(12), "30", "FIELD 12 ABSENT"),
        ];
        for (draft, action, text) in rows {
            let answer = peer.ask(&draft).await;
            assert_eq!(answer.summary(), ("0312".into(), action.into(), text.into()), "{dialect}");
        }
        assert!(rig.script.commands().is_empty());
        assert_eq!(rig.metric(UNSUPPORTED, "kind=\"lock_code\""), 3.0);
        assert_eq!(rig.metric(UNSUPPORTED, "kind=\"file_action\""), 2.0);
        // A time or a reference is enough.
        assert_eq!(peer.ask(&good().without(12).without(13)).await.text(39), "00");
        assert_eq!(peer.ask(&good().without(37)).await.text(39), "00");
    }
}

#[tokio::test]
async fn a_lock_is_taken_while_the_link_is_paused_and_before_its_peer_has_signed_on() {
    for dialect in DIALECTS {
        let rig = Rig::with(dialect, |config| {
            may(&[7])(config);
            config.sign_on_required = true;
        });
        issued(&rig);
        let mut peer = rig.connect().await;
        assert_eq!(peer.ask(&rig.request(1)).await.text(39), "91");
        assert_eq!(peer.ask(&rig.file_action(2, "1", "07")).await.text(39), "00");
        assert_eq!(rig.script.commands().len(), 1);
    }
}

#[tokio::test]
async fn administrative_advices_are_accepted_and_requests_are_not_supported() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let ascii = dialect == "iso87-ascii";
        let mut peer = rig.connect().await;
        let rows: [(&[u8], &[u8], &str, &str); 4] = [
            (b"0600", &[0x06, 0x00], "0610", "40"),
            (b"0601", &[0x06, 0x01], "0610", "40"),
            (b"0620", &[0x06, 0x20], "0630", "00"),
            (b"0625", &[0x06, 0x25], "0634", "00"),
        ];
        for (characters, packed, mti, action) in rows {
            let wire = if ascii { characters } else { packed };
            let answer = peer.ask(&rig.network(1, "000").without(70).raw_mti(wire)).await;
            assert_eq!(answer.summary(), (mti.into(), action.into(), String::new()), "{dialect}");
            assert_eq!(answer.text(11), "000001");
        }
        assert!(rig.script.commands().is_empty());
        assert_eq!(rig.metric(UNSUPPORTED, "kind=\"administrative_request\""), 2.0);
        assert_eq!(rig.metric("cardswitch_link_messages_total", "class=\"administrative\""), 4.0);
    }
}

/// Where the later editions say it, and what they answer.
#[tokio::test]
async fn the_later_editions_say_it_in_fields_24_and_72() {
    let local_time = |digit| if digit == 1 { "261123091510" } else { "20261123091510" };
    for (dialect, digit, done, refused, stan) in [
        ("iso93-ascii", 1, "300", "306", "000001"),
        ("iso93-binary", 1, "300", "306", "000001"),
        ("iso2003-binary", 2, "3000", "3006", "000000000001"),
        ("cmf-like", 2, "3000", "3006", "000000000001"),
    ] {
        let rig = Rig::with(dialect, may(&[7]));
        let card = issued(&rig);
        let shipped = Arc::new(Dialect::shipped(dialect).expect("shipped"));
        let ask = |function: &'static str, record: &'static str, kind: [u8; 3]| {
            let [class, form, origin] = kind;
            let mti = Mti::from_digits([digit, class, form, origin]).expect("digits");
            let mut encoder = Encoder::new();
            let mut message = encoder.start(&shipped, mti);
            message.text(2, "9999991200000018").expect("fits");
            message.text(7, "1123091510").expect("fits");
            message.text(11, stan).expect("fits");
            message.text(12, local_time(digit)).expect("fits");
            message.text(24, function).expect("fits");
            message.text(32, "12345").expect("fits");
            if class == 3 {
                let set = match digit {
                    1 => message.text(72, record),
                    _ => message.bytes(72, record.as_bytes()),
                };
                set.expect("fits");
                message.text(101, "CARD-LOCK").expect("fits");
            }
            let mut out = bytes::BytesMut::new();
            message.finish(&mut out).expect("finished");
            out
        };
        let said = |answer: Answer| (answer.mti(), answer.text(39));
        let mut peer = rig.connect().await;
        for (function, expected) in [
            ("301", OutsideAsk::Lock(LockCode::SuspectedFraud)),
            ("302", OutsideAsk::Lock(LockCode::SuspectedFraud)),
            ("304", OutsideAsk::Lock(LockCode::SuspectedFraud)),
            ("303", OutsideAsk::Unlock(Some(LockCode::SuspectedFraud))),
        ] {
            peer.send_body(&ask(function, "07", [3, 0, 4])).await;
            let answer = said(peer.answer().await);
            assert_eq!(answer, (format!("{digit}314"), done.to_owned()), "{dialect}");
            let (_, found, asked, _) = command(&rig);
            assert_eq!((found, asked), (Some(card), expected), "{dialect} {function}");
        }
        peer.send_body(&ask("301", "07", [3, 2, 5])).await;
        assert_eq!(said(peer.answer().await), (format!("{digit}334"), done.to_owned()));
        peer.send_body(&ask("305", "07", [3, 0, 4])).await;
        assert_eq!(said(peer.answer().await).1, if digit == 1 { "301" } else { "3001" });
        peer.send_body(&ask("301", "09", [3, 0, 4])).await;
        assert_eq!(said(peer.answer().await).1, if digit == 1 { "304" } else { "3004" });
        rig.script.hand_over();
        peer.send_body(&ask("301", "02", [3, 0, 4])).await;
        let not_allowed = declined(LockRefusal::NotAllowed.reason());
        rig.script.next().await.reply.send(not_allowed);
        assert_eq!(said(peer.answer().await).1, refused);
        peer.send_body(&ask("650", "", [6, 2, 4])).await;
        let accepted = if digit == 1 { "600" } else { "6000" };
        assert_eq!(said(peer.answer().await), (format!("{digit}634"), accepted.to_owned()));
        peer.send_body(&ask("650", "", [6, 0, 4])).await;
        let unknown = if digit == 1 { "115" } else { "1015" };
        assert_eq!(said(peer.answer().await), (format!("{digit}614"), unknown.to_owned()));
    }
}

#[test]
fn authority_without_numbers_or_codes_is_a_mistake() {
    let dialect = |name| Arc::new(Dialect::shipped(name).expect("shipped"));
    let framing = codecs::framing::Framing::new(codecs::framing::LengthHeader::Binary2);
    let nowhere = ([127, 0, 0, 1], 0).into();
    let mut config = LinkConfig::new("a", LinkId(1), nowhere, framing, dialect("iso87-bcd"));
    may(&[7])(&mut config);
    assert!(config.check().is_ok());
    config.locks.codes = LockCodes::NONE;
    let fault = config.check().expect_err("no codes").to_string();
    assert!(fault.contains("lock_bins") && fault.contains("without lock_codes"), "{fault}");
    may(&[7])(&mut config);
    config.locks.bins.clear();
    let fault = config.check().expect_err("no numbers").to_string();
    assert!(fault.contains("lock_codes") && fault.contains("without lock_bins"), "{fault}");
}
