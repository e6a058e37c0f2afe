//! Mini-statement inquiries: decided like any other, and told what moved once they are granted, or
//! that it cannot be told.

use std::sync::Arc;
use std::time::Duration;

use codecs::iso8583::Dialect;
use switch_domain::{
    Amount, BalanceId, CardId, Currency, MinorUnits, Movement, Pan, Reason, Timestamp,
    TransactionType,
};
use switch_network::{AskedStatement, Teller};
use switch_shard::{Command, Decision, ReplyOutcome};
use tokio::sync::mpsc::Receiver;

use crate::rig::{DIALECTS, Draft, Rig, approved, declined, security};

const OWN: u8 = 125;

fn rig(dialect: &str, room: usize) -> (Rig, Receiver<AskedStatement>) {
    let (teller, asked) = Teller::new(room);
    let rig = Rig::with(dialect, |config| config.teller = Some(teller));
    let print = security().fingerprint(&Pan::from_digits(b"9999991200000018").expect("a PAN"));
    rig.script.issue(print, CardId(4711));
    rig.script.hand_over();
    (rig, asked)
}

fn inquiry(rig: &Rig, stan: u32) -> Draft {
    rig.request(stan).set(3, "380000").set(4, "000000000000")
}

fn movement(second: i64, minor: i64) -> Movement {
    let currency = Currency::from_numeric(978).expect("euro");
    let amount = Amount { minor: MinorUnits(minor), currency };
    Movement { at: Timestamp::from_unix_seconds(second), amount }
}

#[tokio::test]
async fn what_moved_is_told_once_the_inquiry_is_granted() {
    for dialect in DIALECTS {
        let (rig, mut asked) = rig(dialect, 4);
        let mut peer = rig.connect().await;
        let stan = 7;
        let draft = inquiry(&rig, stan).set(OWN, "what the peer put there");
        peer.send(&draft).await;
        let submission = rig.script.next().await;
        match &*submission.command {
            Command::Authorize(request) => {
                let told = (request.facts.kind, request.fault);
                assert_eq!(told, (TransactionType::MiniStatement, None));
            }
            other => panic!("{other:?}"),
        }
        assert!(asked.try_recv().is_err(), "nobody looks before it is granted");
        submission.reply.send(approved(stan));
        let inquiry = asked.recv().await.expect("it is asked");
        assert_eq!((inquiry.balance, inquiry.most), (BalanceId(1), 10));
        inquiry.answer(vec![movement(1_796_083_199, -1_250), movement(0, 50_000)]);
        let answer = peer.answer().await;
        assert_eq!((answer.mti(), answer.text(39)), ("0110".into(), "00".into()));
        assert_eq!(answer.text(38), "000007");
        assert_eq!(answer.text(OWN), "261130D000000001250978700101C000000050000978");
        for echoed in [2, 3, 4, 11, 37, 41, 42, 49] {
            assert_eq!(answer.wire(echoed), draft.wire(echoed), "{dialect} field {echoed}");
        }
        assert_eq!(rig.metric("cardswitch_link_statements_total", "told"), 1.0);
    }
}

#[tokio::test]
async fn what_cannot_be_told_is_answered_so_and_nothing_of_it_is_echoed() {
    let (rig, mut asked) = rig("iso87-ascii", 1);
    let mut peer = rig.connect().await;
    // Nothing moved; nobody answers; there is no room for one more.
    peer.send(&inquiry(&rig, 1).set(OWN, "x")).await;
    rig.script.next().await.reply.send(approved(1));
    asked.recv().await.expect("asked").answer(Vec::new());
    let answer = peer.answer().await;
    assert_eq!((answer.text(39), answer.wire(OWN)), ("00".into(), None));

    peer.send(&inquiry(&rig, 2)).await;
    rig.script.next().await.reply.send(approved(2));
    drop(asked.recv().await.expect("asked"));
    let answer = peer.answer().await;
    assert_eq!((answer.text(39), answer.text(38)), ("91".into(), String::new()));

    peer.send(&inquiry(&rig, 3)).await;
    rig.script.next().await.reply.send(approved(3));
    peer.send(&inquiry(&rig, 4)).await;
    rig.script.next().await.reply.send(approved(4));
    let answer = peer.answer().await;
    assert_eq!((answer.text(11), answer.text(39)), ("000004".into(), "91".into()));
    asked.recv().await.expect("asked").answer(vec![movement(0, 1)]);
    let answer = peer.answer().await;
    assert_eq!((answer.text(11), answer.text(39)), ("000003".into(), "00".into()));
    let outcomes = ["told", "not_in_time", "no_room"];
    let counted = outcomes.map(|name| rig.metric("cardswitch_link_statements_total", name));
    assert_eq!(counted, [2.0, 1.0, 1.0]);
}

#[tokio::test]
async fn nothing_is_looked_up_for_what_is_not_granted() {
    let (rig, mut asked) = rig("iso87-ascii", 4);
    let mut peer = rig.connect().await;
    for (stan, outcome) in [
        (1, declined(Reason::BalanceBlocked)),
        (2, ReplyOutcome::Declined(Reason::IssuerInoperative)),
        (3, ReplyOutcome::Decided(Decision::plain(Reason::DuplicateTransmission))),
    ] {
        peer.send(&inquiry(&rig, stan)).await;
        rig.script.next().await.reply.send(outcome);
        let answer = peer.answer().await;
        assert_ne!(answer.text(39), "00");
        assert_eq!(answer.wire(OWN), None);
    }
    // A card that nobody knows has no account.
    let stranger = inquiry(&rig, 4).set(2, "9999991200000026");
    peer.send(&stranger).await;
    rig.script.next().await.reply.send(declined(Reason::InvalidCardNumber));
    assert_eq!(peer.answer().await.text(39), "14");
    assert!(asked.try_recv().is_err());
}

/// The deadline of the link is what the teller is given.
#[tokio::test]
async fn the_deadline_is_that_of_the_link() {
    let (teller, mut asked) = Teller::new(4);
    let deadline = Duration::from_millis(300);
    let rig = Rig::with("iso87-ascii", |config| {
        config.teller = Some(teller);
        config.answer_deadline = deadline;
    });
    let print = security().fingerprint(&Pan::from_digits(b"9999991200000018").expect("a PAN"));
    rig.script.issue(print, CardId(4711));
    rig.script.hand_over();
    let mut peer = rig.connect().await;
    peer.send(&inquiry(&rig, 1)).await;
    rig.script.next().await.reply.send(approved(1));
    let asked = asked.recv().await.expect("asked");
    assert!(asked.deadline <= tokio::time::Instant::now() + deadline);
    drop(asked);
    assert_eq!(peer.answer().await.text(39), "91");
}

#[tokio::test]
async fn a_dialect_without_it_has_no_such_inquiry() {
    let text = include_str!("../../../../config/dialects/iso87-ascii.toml");
    let table = text.find("[mini_statement]").expect("there is one");
    let behind = text[table..].find("\n\n").expect("something follows") + table;
    let without = format!("{}{}", &text[..table], &text[behind..]);
    let dialect = Arc::new(Dialect::from_toml(&without).expect("a dialect"));
    let (rig, mut asked) = {
        let (teller, asked) = Teller::new(4);
        let rig = Rig::with("iso87-ascii", |config| {
            config.teller = Some(teller);
            config.dialect = dialect;
        });
        (rig, asked)
    };
    let answer = rig.connect().await.ask(&inquiry(&rig, 1)).await;
    assert_eq!(answer.text(39), "12");
    assert!(asked.try_recv().is_err());
}
