//! Lines as they are read: what is taken, what is refused in which words, and that no card number
//! is ever among them.

use switch_domain::{AsciiText, Fingerprint, Tolerances};

use super::record::{Does, FileId, read};
use super::{ClearingLine, message};

const PAN: &str = "9999991200000018";

fn line(more: &str) -> String {
    format!(r#"{{"record":7,"pan":"{PAN}",{more}}}"#)
}

fn fault(text: &str) -> String {
    let (number, fault) = read(text).expect_err("a fault");
    format!("{number:?}: {}", fault.0)
}

#[test]
fn a_fault_names_the_member_and_never_its_content() {
    let purchase = r#""type":"purchase","amount":"12.50","currency":"EUR""#;
    let rows = [
        ("{".to_owned(), "it is no JSON"),
        ("[1]".into(), "no JSON object"),
        (format!(r#"{{"record":0,"pan":"{PAN}",{purchase}}}"#), "member record: a whole number"),
        (format!(r#"{{"pan":"{PAN}",{purchase}}}"#), "member record: it must be there"),
        (format!(r#"{{"record":7,{purchase}}}"#), "card and pan"),
        (format!(r#"{{"record":7,"card":1,"pan":"{PAN}",{purchase}}}"#), "card and pan"),
        (format!(r#"{{"record":7,"card":"{PAN}",{purchase}}}"#), "member card"),
        (format!(r#"{{"record":7,"pan":"{PAN}000000",{purchase}}}"#), "member pan: 12 to 19"),
        (format!(r#"{{"record":7,"pan":{PAN},{purchase}}}"#), "member pan"),
        (line(&format!(r#"{purchase},"{PAN}":1"#)), "member (not shown)"),
        (line(&format!(r#"{purchase},"tip":1"#)), "member tip: there is none"),
        (line(r#""type":"purchase","amount":"1","currency":"XXX""#), "member currency"),
        (line(r#""type":"purchase","amount":"1.001","currency":"EUR""#), "member amount"),
        (line(r#""type":"purchase","amount":"0","currency":"EUR""#), "member amount"),
        (line(r#""type":"purchase","amount":"-1","currency":"EUR""#), "member amount"),
        (line(r#""type":"purchase","amount":12.5,"currency":"EUR""#), "member amount"),
        (line(&format!(r#""type":"purchase","amount":"{PAN}","currency":"EUR""#)), "member amount"),
        (line(&format!(r#""type":"{PAN}","amount":"1","currency":"EUR""#)), "member type"),
        (line(&format!(r#"{purchase},"approval_code":"{PAN}""#)), "member approval_code"),
        (line(&format!(r#"{purchase},"rrn":"{PAN}""#)), "member rrn"),
        (line(&format!(r#"{purchase},"more_to_come":true"#)), "member more_to_come"),
        (line(&format!(r#"{purchase},"authorization":{{"stan":1}}"#)), "authorization.acquirer"),
        (line(&format!(r#"{purchase},"authorization":{{"link":1}}"#)), "member authorization.stan"),
        (
            line(&format!(r#"{purchase},"authorization":{{"stan":1,"network_trace":"T1"}}"#)),
            "authorization.acquirer",
        ),
        (
            line(&format!(r#"{purchase},"authorization":{{"network_trace":"{PAN}"}}"#)),
            "member authorization.network_trace: the network's",
        ),
        (
            line(&format!(r#"{purchase},"authorization":{{"network_trace":"000"}}"#)),
            "authorization.acquirer",
        ),
        (line(&format!(r#"{purchase},"billing":"{PAN}""#)), "member billing: an object"),
        (line(&format!(r#"{purchase},"billing":{{"amount":"1"}}"#)), "billing.currency"),
        (
            line(&format!(r#"{purchase},"settlement":{{"amount":"{PAN}","currency":"USD"}}"#)),
            "member settlement: at most",
        ),
        (
            line(&format!(r#"{purchase},"billing":{{"amount":"1","currency":"USD","x":1}}"#)),
            "member billing.x",
        ),
        (line(r#""type":"reversal""#), "posted and message"),
        (line(r#""type":"reversal","posted":{"record":3},"standing":"1""#), "member currency"),
    ];
    for (text, expected) in rows {
        let said = fault(&text);
        assert!(said.contains(expected), "{text}: {said}");
        assert!(!said.contains(PAN), "{said}");
    }
}

#[test]
fn nothing_that_holds_a_line_shows_it() {
    let text = line(r#""type":"purchase","amount":"1","currency":"EUR""#);
    let shown = format!("{:?} {:?}", ClearingLine::new(1, text.clone()), read(&text));
    assert!(!shown.contains(PAN), "{shown}");
}

/// Whatever a record says besides is told apart; how it is written is not.
#[test]
fn a_digest_tells_contents_apart_and_not_their_writing() {
    let card = Fingerprint([1; 16]);
    let of = |text: &str| read(text).map(|record| record.digest(&card)).expect("a record");
    let purchase = r#""type":"purchase","amount":"12.50","currency":"EUR""#;
    let first = of(&line(purchase));
    let same = of(r#" { "amount":"12.5","currency":"EUR", "type":"purchase","card":5,"record":7}"#);
    assert_eq!(first, same);
    let named = r#""authorization":{"link":1,"stan":5}"#;
    let others = [
        line(r#""type":"cash","amount":"12.50","currency":"EUR""#),
        line(r#""type":"purchase","amount":"12.51","currency":"EUR""#),
        line(r#""type":"purchase","amount":"12.50","currency":"USD""#),
        line(&format!(r#"{purchase},"billing":{{"amount":"11.40","currency":"USD"}}"#)),
        line(&format!(r#"{purchase},"settlement":{{"amount":"11.40","currency":"USD"}}"#)),
        line(&format!(r#"{purchase},"settlement":{{"amount":"11.41","currency":"USD"}}"#)),
        line(&format!(r#"{purchase},"mcc":5411"#)),
        line(&format!(r#"{purchase},"merchant":"M""#)),
        line(&format!(r#"{purchase},"rrn":"M""#)),
        line(&format!(r#"{purchase},"approval_code":"00000A""#)),
        line(&format!(r#"{purchase},{named}"#)),
        line(&format!(r#"{purchase},{named},"more_to_come":true"#)),
        line(&format!(r#"{purchase},"authorization":{{"link":2,"stan":5}}"#)),
        line(&format!(r#"{purchase},"authorization":{{"acquirer":"1","stan":5}}"#)),
        line(&format!(r#"{purchase},"authorization":{{"network_trace":"T1"}}"#)),
        line(&format!(r#"{purchase},"authorization":{{"network_trace":"T2"}}"#)),
        line(&format!(r#"{purchase},"authorization":{{"link":1,"stan":5,"network_trace":"T1"}}"#)),
        line(r#""type":"reversal","message":{"network_trace":"T1"}"#),
        line(r#""type":"reversal","posted":{"record":3}"#),
        line(r#""type":"reversal","posted":{"record":4}"#),
        line(r#""type":"reversal","posted":{"record":3,"file":"F"}"#),
        line(r#""type":"reversal","message":{"link":1,"stan":3}"#),
        line(r#""type":"reversal","posted":{"record":3},"standing":"1","currency":"EUR""#),
    ];
    let mut digests: Vec<_> = others.iter().map(|text| of(text)).chain([first]).collect();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), others.len() + 1);
    let other_card = read(&line(purchase)).map(|one| one.digest(&Fingerprint([2; 16])));
    assert_ne!(Ok(first), other_card.map_err(|_| ()));
}

#[test]
fn a_file_has_a_short_plain_name_that_can_be_no_card_number() {
    let longest = "a".repeat(64);
    for good in ["F", "NET.2026-11-26_001", "20261126001", longest.as_str()] {
        assert!(FileId::new(good).is_some(), "{good}");
    }
    let long = "a".repeat(65);
    for bad in ["", "a b", "é", "a/b", "202611260001", PAN, long.as_str()] {
        assert!(FileId::new(bad).is_none(), "{bad}");
    }
}

/// The key of a record is made of its file and number: other files and numbers have others.
#[test]
fn a_reversal_finds_the_key_of_the_record_that_it_names() {
    let file = FileId::new("F").expect("a name");
    let (fingerprint, bin) = (Fingerprint([1; 16]), switch_domain::Bin(99_999_912));
    let found = message::FoundCard { fingerprint, bin, card: None };
    let command = |file: &FileId, text: &str| {
        let record = read(text).map_err(|_| ()).expect("a record");
        message::command(file, &record, found, &Tolerances::default())
    };
    let purchase = line(r#""type":"purchase","amount":"1","currency":"EUR","rrn":"R""#);
    let switch_shard::Command::Advise(advice) = command(&file, &purchase) else {
        panic!("an advice")
    };
    let key = advice.request.facts.key;
    assert_eq!(key.rrn, AsciiText::new(b"R").expect("short"));
    let reverse = |file: &FileId, text: &str| match command(file, &line(text)) {
        switch_shard::Command::Reverse(reverse) => reverse,
        _ => panic!("a reversal"),
    };
    let same = reverse(&file, r#""type":"reversal","posted":{"record":7}"#);
    assert_eq!(same.reference.key, key.as_original());
    let other = FileId::new("G").expect("a name");
    let by_name = reverse(&other, r#""type":"reversal","posted":{"file":"F","record":7}"#);
    assert_eq!(by_name.reference.key, key.as_original());
    assert_ne!(by_name.key, same.key);
    let elsewhere = reverse(&other, r#""type":"reversal","posted":{"record":7}"#);
    assert_ne!(elsewhere.reference.key, key.as_original());
    let next = reverse(&file, r#""type":"reversal","posted":{"record":8}"#);
    assert_ne!(next.reference.key, key.as_original());
}

#[test]
fn what_takes_back_leaves_what_it_says() {
    let standing = |text: &str| match read(&line(text)).map(|record| record.does) {
        Ok(Does::Reverse { standing, .. }) => standing.map(|amount| amount.minor.0),
        other => panic!("{other:?}"),
    };
    let posted = r#""type":"reversal","posted":{"record":3}"#;
    assert_eq!(standing(posted), None);
    for (amount, expected) in [("0.00", None), ("1.5", Some(150))] {
        let text = format!(r#"{posted},"standing":"{amount}","currency":"EUR""#);
        assert_eq!(standing(&text), expected);
    }
}

/// By the network trace alone a record names nothing by its fields, not even itself.
#[test]
fn a_record_may_name_its_authorization_by_the_network_trace() {
    let file = FileId::new("F").expect("a name");
    let (fingerprint, bin) = (Fingerprint([1; 16]), switch_domain::Bin(99_999_912));
    let found = message::FoundCard { fingerprint, bin, card: None };
    let command = |text: &str| {
        let record = read(&line(text)).expect("a record");
        message::command(&file, &record, found, &Tolerances::default())
    };
    let trace = switch_domain::NetworkTrace::new(b"T1").expect("a trace");
    let purchase = r#""type":"purchase","amount":"1","currency":"EUR""#;
    for (named, by_fields) in [
        (r#"{"network_trace":"T1"}"#, false),
        (r#"{"network_trace":"T1","link":1,"stan":5}"#, true),
    ] {
        let text = format!(r#"{purchase},"authorization":{named}"#);
        let switch_shard::Command::Advise(advice) = command(&text) else { panic!("an advice") };
        let (facts, original) = (advice.request.facts, advice.original.expect("one"));
        assert_eq!((facts.network_trace, original.reference.network_trace), (trace, trace));
        assert_eq!(original.named, by_fields);
        assert_eq!(original.reference.key == facts.key.as_original(), !by_fields);
    }
    let text = r#""type":"reversal","message":{"network_trace":"T1"}"#;
    let switch_shard::Command::Reverse(reverse) = command(text) else { panic!("a reversal") };
    assert_eq!(reverse.reference.network_trace, trace);
    assert_eq!(reverse.reference.class, Some(switch_domain::OriginalClass::Financial));
}
