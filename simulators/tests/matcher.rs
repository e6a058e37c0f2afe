//! Answers and requests find each other by connection, class, DE11, DE37 and DE41, or are told
//! apart as late, second or foreign ones.

use std::time::Duration;

use simulators::acquirer::{Matched, Matcher};
use simulators::iso::Message;
use tokio::time::Instant;

fn message(mti: &str, stan: &str, rrn: &str, terminal: &str) -> Message {
    let message = Message::new(mti).unwrap().with(11, stan).unwrap();
    message.with(37, rrn).unwrap().with(41, terminal).unwrap()
}

fn waiting() -> (Matcher<&'static str>, Instant) {
    let (mut matcher, now) = (Matcher::new(Duration::from_secs(10)), Instant::now());
    matcher.sent(0, &message("0100", "1", "R1", "T1"), now, "first").unwrap();
    (matcher, now)
}

#[test]
fn only_the_same_keys_match() {
    let answer = message("0110", "1", "R1", "T1");
    for (connection, other) in [
        (1, answer.clone()),
        (0, message("0410", "1", "R1", "T1")),
        (0, message("0110", "2", "R1", "T1")),
        (0, message("0110", "1", "R2", "T1")),
        (0, message("0110", "1", "R1", "T2")),
    ] {
        let (mut matcher, now) = waiting();
        assert_eq!(matcher.answered(connection, &other, now), Matched::Unmatched, "{other:?}");
        assert_eq!(matcher.answered(0, &answer, now), Matched::InTime("first"));
        assert_eq!(matcher.in_flight(), 0);
    }
}

#[test]
fn a_second_answer_is_told_from_a_foreign_one() {
    let (mut matcher, now) = waiting();
    let answer = message("0110", "1", "R1", "T1");
    assert_eq!(matcher.answered(0, &answer, now), Matched::InTime("first"));
    assert_eq!(matcher.answered(0, &answer, now), Matched::Duplicate);
    // An identical resend is a request again, and answered once more.
    matcher.sent(0, &message("0100", "1", "R1", "T1"), now, "resend").unwrap();
    assert_eq!(matcher.answered(0, &answer, now), Matched::InTime("resend"));
    assert_eq!(matcher.answered(0, &answer, now), Matched::Duplicate);
}

#[test]
fn an_answer_after_the_time_limit_is_late() {
    let answer = message("0110", "1", "R1", "T1");
    let limit = Duration::from_secs(10);
    let (mut matcher, now) = waiting();
    assert_eq!(matcher.answered(0, &answer, now + limit), Matched::InTime("first"));
    let (mut matcher, now) = waiting();
    let took = limit + Duration::from_nanos(1);
    assert_eq!(matcher.answered(0, &answer, now + took), Matched::Late("first", took));
}

#[test]
fn two_requests_of_the_same_keys_are_never_in_flight_together() {
    let (mut matcher, now) = waiting();
    assert!(matcher.sent(0, &message("0101", "1", "R1", "T1"), now, "repeat").is_err());
    matcher.sent(1, &message("0101", "1", "R1", "T1"), now, "elsewhere").unwrap();
    assert_eq!(matcher.in_flight(), 2);
    let mut given_up = matcher.give_up();
    given_up.sort_unstable();
    assert_eq!((given_up, matcher.in_flight()), (vec!["elsewhere", "first"], 0));
}
