//! What the switch is asked by the messages behind an authorization: financial ones, completions,
//! reversal advices and reversals of a part; and how a balance is told.

use switch_domain::{
    Amount, Currency, MessageClass, MinorUnits, OriginalClass, Reason, Tolerance, Tolerances,
    TransactionType,
};
use switch_shard::{AccountAmounts, Advise, Authorize, Command, Decision, ReplyOutcome, Reverse};

use crate::rig::{DIALECTS, Draft, Rig};

/// A draft with another message type.
fn typed(rig: &Rig, draft: Draft, mti: &str) -> Draft {
    let packed = hex::decode(mti).expect("digits");
    draft.raw_mti(if rig.dialect.name() == "iso87-ascii" { mti.as_bytes() } else { &packed })
}

async fn told(rig: &Rig, draft: Draft, mti: &str) -> Command {
    rig.connect().await.ask(&typed(rig, draft, mti)).await;
    rig.script.commands().pop().expect("it reached the switch")
}

async fn requested(rig: &Rig, draft: Draft, mti: &str) -> Authorize {
    match told(rig, draft, mti).await {
        Command::Authorize(request) => request,
        other => panic!("{other:?} instead of a request"),
    }
}

async fn advised(rig: &Rig, draft: Draft, mti: &str) -> Advise {
    match told(rig, draft, mti).await {
        Command::Advise(advice) => advice,
        other => panic!("{other:?} instead of an advice"),
    }
}

async fn reversed(rig: &Rig, draft: Draft, mti: &str) -> Reverse {
    match told(rig, draft, mti).await {
        Command::Reverse(reversal) => reversal,
        other => panic!("{other:?} instead of a reversal"),
    }
}

#[tokio::test]
async fn a_financial_request_is_of_its_class_and_otherwise_as_an_authorization() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let held = requested(&rig, rig.request(42), "0100").await;
        let paid = requested(&rig, rig.request(42), "0200").await;
        assert_eq!(paid.facts.key.class, MessageClass::FinancialRequest);
        assert_eq!(paid.facts.key.as_original(), held.facts.key.as_original());
        assert_eq!((paid.amount, paid.fault, paid.repeat), (held.amount, None, false));
        assert!(requested(&rig, rig.request(42), "0201").await.repeat);
    }
}

#[tokio::test]
async fn what_is_asked_for_follows_from_the_processing_code_the_amount_and_the_condition() {
    let rig = Rig::start("iso87-ascii");
    let zero = |draft: Draft| draft.set(4, "000000000000");
    let rows = [
        (rig.request(1), "0100", TransactionType::Purchase),
        (rig.request(2).set(25, "06"), "0100", TransactionType::Preauthorization),
        (rig.request(3).set(25, "06"), "0200", TransactionType::Purchase),
        (zero(rig.request(4)), "0100", TransactionType::AccountVerification),
        (zero(rig.request(5)), "0200", TransactionType::Purchase),
        (rig.request(6).set(3, "010000"), "0200", TransactionType::Cash),
        (rig.request(7).set(3, "090000"), "0200", TransactionType::CashBack),
        (rig.request(8).set(3, "200000"), "0100", TransactionType::Refund),
        (zero(rig.request(9).set(3, "310000")), "0100", TransactionType::BalanceInquiry),
    ];
    for (draft, mti, kind) in rows {
        let request = requested(&rig, draft, mti).await;
        let stan = request.facts.key.stan;
        assert_eq!((request.facts.kind, request.fault), (kind, None), "{stan}");
    }
}

#[tokio::test]
async fn a_financial_advice_names_what_it_completes_or_says_that_it_does_not() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let named = format!("0100{:06}1123091500{:022}", 41, 0);
        let advice = advised(&rig, rig.request(42).set(90, &named), "0220").await;
        assert_eq!(advice.request.facts.key.class, MessageClass::FinancialAdvice);
        assert!(advice.approved, "without DE39 it tells what was done");
        let original = advice.original.expect("it is a financial advice");
        assert!(original.named && original.last);
        assert_eq!(original.reference.key.stan, 41);
        assert_eq!(original.reference.class, Some(OriginalClass::Authorization));
        assert_eq!(original.reference.rrn, advice.request.facts.key.rrn);

        let advice = advised(&rig, rig.request(42), "0220").await;
        let original = advice.original.expect("it is a financial advice");
        assert!(!original.named);
        assert_eq!(original.reference.key, advice.request.facts.key.as_original());

        let declined = advised(&rig, rig.advice(43, "51"), "0220").await;
        assert!(!declined.approved);
        let held = advised(&rig, rig.advice(44, "00"), "0120").await;
        assert!(held.original.is_none(), "an authorization completes nothing");
    }
}

#[tokio::test]
async fn an_authorization_of_1987_that_names_another_adds_to_it_and_a_payment_settles_it() {
    for dialect in DIALECTS {
        let rig = Rig::with(dialect, |config| {
            config.tolerances = Tolerances::new(Tolerance::percent(7), Vec::new()).into();
        });
        let named = format!("0100{:06}1123091500{:022}", 41, 0);
        let request = requested(&rig, rig.request(42).set(90, &named), "0100").await;
        let increment = request.adds_to.expect("it names one");
        assert!(increment.named && !increment.replaces);
        assert_eq!(increment.reference.key.stan, 41);
        assert_eq!(increment.reference.class, Some(OriginalClass::Authorization));
        let advice = advised(&rig, rig.advice(43, "00").set(90, &named), "0120").await;
        assert!(advice.request.adds_to.is_some() && advice.original.is_none());

        let nothing = "0".repeat(42);
        for draft in [rig.request(44), rig.request(45).set(90, &nothing)] {
            assert!(requested(&rig, draft, "0100").await.adds_to.is_none());
        }
        let paid = requested(&rig, rig.request(46).set(90, &named), "0200").await;
        assert!(paid.adds_to.is_none(), "a financial message holds nothing");
        let completed = paid.completes.expect("it settles what it names");
        assert!(completed.named && completed.last);
        assert_eq!(completed.reference.key.stan, 41);
        assert_eq!(completed.tolerance, Tolerance { percent: 7, minor: 0 });
        let plain = [rig.request(47), rig.request(48).set(90, &nothing)];
        for draft in plain {
            assert!(requested(&rig, draft, "0200").await.completes.is_none());
        }
    }
}

#[tokio::test]
async fn a_reversal_says_of_which_class_its_original_is_and_what_it_leaves() {
    let euro = Currency::from_numeric(978).expect("euro");
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let of = |class: &str| format!("{class}{:06}1123091500{:022}", 42, 0);
        let rows = [
            (of("0100"), Some(OriginalClass::Authorization)),
            (of("0220"), Some(OriginalClass::Financial)),
            (of("0000"), None),
        ];
        for (elements, class) in rows {
            let reversal = reversed(&rig, rig.reversal(43, 42).set(90, &elements), "0420").await;
            assert_eq!(reversal.key.class, MessageClass::ReversalAdvice);
            assert_eq!((reversal.reference.class, reversal.standing), (class, None));
        }
        assert!(reversed(&rig, rig.reversal(43, 42), "0421").await.repeat);
        for (left, standing) in [(0, None), (1, Some(1)), (1_250, Some(1_250))] {
            let draft = rig.reversal(43, 42).set(95, &format!("{left:012}{:030}", 0));
            let standing =
                standing.map(|minor| Amount { minor: MinorUnits(minor), currency: euro });
            assert_eq!(reversed(&rig, draft, "0400").await.standing, standing, "{left}");
        }
    }
}

/// DE54 stands behind fields that are echoed: the rest of the answer is as it would be without it.
#[tokio::test]
async fn a_balance_is_told_in_its_place_among_the_echoed_fields() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        rig.script.hand_over();
        let mut peer = rig.connect().await;
        let rows = [
            (Some((123_456, -1)), "0001978C0000001234560002978D000000000001"),
            (Some((0, 0)), "0001978C0000000000000002978C000000000000"),
            (None, ""),
        ];
        for (stan, (amounts, told)) in (1..).zip(rows) {
            let draft = rig.request(stan).set(3, "310000").set(4, "000000000000");
            peer.send(&draft).await;
            let submission = rig.script.next().await;
            let currency = Currency::from_numeric(978).expect("euro");
            let amounts = amounts.map(|(ledger, available)| AccountAmounts {
                ledger: MinorUnits(ledger),
                available: MinorUnits(available),
                currency,
            });
            let decision = Decision { amounts, ..Decision::plain(Reason::Approved) };
            submission.reply.send(ReplyOutcome::Decided(decision));
            let answer = peer.answer().await;
            assert_eq!((answer.mti(), answer.text(39)), ("0110".into(), "00".into()));
            assert_eq!(answer.text(54), told, "{dialect}");
            for echoed in [2, 3, 4, 11, 37, 41, 42, 49] {
                assert_eq!(answer.wire(echoed), draft.wire(echoed), "{dialect} field {echoed}");
            }
        }
    }
}
