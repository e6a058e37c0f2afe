//! The demo driver against the stand-in: a good issuer passes, and every kind of fault is seen.

mod support;

use std::time::Duration;

use simulators::responder::Misbehaviour::{
    self, Change, Close, Garbage, OldApprovalCode, Omit, Silence, StallFor, Twice,
    WrongResponseCode, WrongType,
};
use simulators::traffic::Report;
use support::{BAD, card, cards, fault, run, run_with};

#[tokio::test(start_paused = true)]
async fn a_good_issuer_passes_and_everything_is_used() {
    let outcome = run(&[], 7).await;
    let report = outcome.report;
    assert!(report.clean(), "{:?}", report.unexpected_samples);
    assert_eq!((report.sent, report.answered), (150, 150));
    assert!(report.approved * 2 >= report.sent, "{} approved", report.approved);
    assert!(report.reversed >= 5, "{} reversed", report.reversed);
    assert!(report.repeated >= 3, "{} repeated", report.repeated);
    for kind in BAD {
        assert!(report.declined_by_kind.get(kind) >= Some(&3), "{kind} was used too little");
    }
    let declined: u64 = report.declined_by_de39.values().sum();
    let others: u64 = report.others.values().sum();
    assert!(report.completed >= 3 && report.others.len() >= 6, "{report:?}");
    let of_all = report.approved + declined + report.reversed + report.repeated;
    assert!(report.incremented >= 2, "{} incremented", report.incremented);
    let of_all = of_all + report.incremented + report.completed + others;
    assert_eq!(of_all, report.sent, "every request is counted under one heading");
    assert_eq!(report.declined_by_de39.values().sum::<u64>(), declined);
    assert_eq!(outcome.answers.values().sum::<u64>(), report.answered);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_run() {
    let (first, second, other) = (run(&[], 5).await, run(&[], 5).await, run(&[], 6).await);
    assert_eq!(first.report, second.report);
    assert_eq!(first.answers, second.answers);
    assert_ne!(first.answers, other.answers);
}

/// One fault each: at which request, what, and what the report's only sample must say.
const FAULTS: [(&str, u64, Misbehaviour, &str); 21] = [
    ("0100", 3, WrongResponseCode, "field 39 is 96, expected"),
    ("0100", 4, Omit(39), "field 39 is absent"),
    ("0400", 1, WrongResponseCode, "field 39 is 96, expected 00"),
    ("0101", 0, WrongResponseCode, "field 39 of the repeat is 96"),
    ("again", 0, WrongResponseCode, "field 39 of the repeat is 96"),
    ("0101", 0, Omit(38), "field 38 of the repeat is absent"),
    ("again", 0, Omit(3), "other bytes than before"),
    ("0100", 3, Omit(38), "without six characters in field 38"),
    ("0100", 0, Omit(4), "field 4 is absent"),
    ("0100", 0, Change(7), "field 7 is 9999999999"),
    ("0100", 0, Change(12), "field 12 is 999999"),
    ("0100", 0, Change(13), "field 13 is 9999"),
    ("0100", 0, Omit(32), "field 32 is absent"),
    ("0100", 0, Omit(42), "field 42 is absent"),
    ("0400", 0, Omit(49), "field 49 is absent"),
    ("0100", 9, Twice, "answered a second time"),
    ("0101", 0, Twice, "answered a second time"),
    ("0100", 9, Garbage, "unreadable"),
    ("0100", 9, WrongType, "answers no request"),
    ("0100", 9, Change(37), "answers no request"),
    ("0400", 0, Omit(41), "answers no request"),
];

#[tokio::test(start_paused = true)]
async fn every_fault_of_an_answer_is_seen_once() {
    for (at, nth, what, says) in FAULTS {
        let Report { unexpected, unanswered, unexpected_samples: samples, sent, answered, .. } =
            run(&[fault(at, nth, what)], 7).await.report;
        let case = format!("{what:?} at {at} {nth}: {samples:?}");
        assert_eq!(unexpected, 1, "{case}");
        assert!(samples.iter().any(|sample| sample.contains(says)), "{case}");
        let lost = matches!(what, Garbage | WrongType | Change(37) | Omit(41));
        assert_eq!(unanswered, u64::from(lost), "{case}");
        assert_eq!(sent, answered + unanswered, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_approval_code_that_comes_again_is_seen() {
    // One good card, so that its first code has been given before.
    let cards = [card(1, "good")];
    let faults = [fault("0100", 8, OldApprovalCode)];
    let report = run_with(&faults, 7, &cards, &cards).await.report;
    assert_eq!(report.unexpected, 1);
    assert!(report.unexpected_samples[0].contains("was given to this card before"));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_answer_is_unanswered() {
    for at in ["0100", "0400", "0101", "again"] {
        let report = run(&[fault(at, 0, Silence)], 7).await.report;
        assert_eq!((report.unexpected, report.unanswered), (0, 1), "{at}");
        assert_eq!(report.answered + 1, report.sent, "{at}");
        assert!(report.unexpected_samples[0].contains("not answered"), "{at}");
        assert!(!report.clean());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_its_sender_gave_up_is_unanswered() {
    let stall = StallFor(Duration::from_secs(11));
    let report = run(&[fault("0100", 10, stall)], 7).await.report;
    assert!(report.unanswered > 0);
    assert_eq!(report.answered + report.unanswered, report.sent);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_seen_and_the_others_go_on() {
    let report = run(&[fault("0100", 20, Close)], 7).await.report;
    assert_eq!((report.unexpected, report.sent), (1, 150));
    assert!(report.unanswered >= 1);
    assert!(report.unexpected_samples[0].contains("ended"));
    assert_eq!(report.answered + report.unanswered, report.sent);
}

#[tokio::test(start_paused = true)]
async fn a_card_that_answers_otherwise_than_its_kind_is_seen_each_time() {
    let mut issued = cards();
    for broken in issued.iter_mut().filter(|card| card.state == "lock-7") {
        broken.expect = "00".into();
    }
    let report = run_with(&[], 7, &issued, &cards()).await.report;
    assert_eq!(report.unexpected, 3);
    let sample = &report.unexpected_samples[0];
    assert!(sample.contains("(lock-7)") && sample.contains("field 39 is 00, expected 59"));
    assert!(sample.contains("999999******00"), "the card's number is masked: {sample}");
}
