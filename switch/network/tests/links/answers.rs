//! What answers carry: the request's own fields byte for byte, DE38 for approvals, DE39 always.

use switch_domain::Reason;
use switch_shard::{Admission, ReplyOutcome};

use crate::rig::{DIALECTS, Draft, Rig, approved, declined};

/// Every field of the request that the answer has, and the other way round by the dialect's list.
fn assert_echoed(rig: &Rig, request: &Draft, answer: &crate::rig::Answer) {
    let mti = codecs::iso8583::Mti::parse(&answer.mti()).expect("a message type");
    let listed = rig.dialect.answer_fields(mti).expect("the dialect lists it");
    for field in 2..=128 {
        if matches!(field, 38 | 39 | 44) {
            continue;
        }
        let expected = request.wire(field).filter(|_| listed.contains(field));
        assert_eq!(answer.wire(field), expected, "{} field {field}", rig.dialect.name());
    }
}

#[tokio::test]
async fn answers_echo_the_request_exactly() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let mut peer = rig.connect().await;
        let request = rig.request(42).set(35, "9999991200000018=29122011234");
        let answer = peer.ask(&request).await;
        assert_eq!(answer.summary(), ("0110".into(), "00".into(), String::new()));
        assert_eq!(answer.text(38), "000042");
        assert_echoed(&rig, &request, &answer);

        let reversal = rig.reversal(43, 42);
        let answer = peer.ask(&reversal).await;
        assert_eq!(answer.summary(), ("0410".into(), "00".into(), String::new()));
        assert_eq!(answer.wire(38), None, "only an approval has an approval code");
        assert_echoed(&rig, &reversal, &answer);

        let echo = rig.network(44, "301");
        let answer = peer.ask(&echo).await;
        assert_eq!(answer.summary(), ("0810".into(), "00".into(), String::new()));
        assert_echoed(&rig, &echo, &answer);
    }
}

#[tokio::test]
async fn a_format_error_echoes_what_could_be_read() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let mut peer = rig.connect().await;
        let request = rig.request(42).set(49, "EUR");
        let answer = peer.ask(&request).await;
        assert_eq!(answer.text(39), "30");
        assert_echoed(&rig, &request.without(49), &answer);
    }
}

#[tokio::test]
async fn a_repeat_is_answered_with_the_type_of_its_original_and_equal_bytes() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let mut peer = rig.connect().await;
        let body = rig.request(42).bytes();
        let repeated = if dialect == "iso87-ascii" { &b"0101"[..] } else { &[0x01, 0x01] };
        let first = peer.ask(&rig.request(42)).await;
        let again = peer.ask(&rig.request(42).raw_mti(repeated)).await;
        assert_eq!(first.body(), again.body());
        assert_ne!(first.body(), &body);
        let repeated = if dialect == "iso87-ascii" { &b"0401"[..] } else { &[0x04, 0x01] };
        let first = peer.ask(&rig.reversal(43, 42)).await;
        let again = peer.ask(&rig.reversal(43, 42).raw_mti(repeated)).await;
        assert_eq!(first.body(), again.body());
    }
}

#[tokio::test]
async fn every_reason_is_written_in_the_form_of_1987() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        rig.script.hand_over();
        let mut peer = rig.connect().await;
        for (stan, reason) in (1u32..).zip(Reason::ALL) {
            peer.send(&rig.request(stan)).await;
            rig.script.next().await.reply.send(declined(reason));
            let answer = peer.answer().await;
            assert_eq!(answer.text(39), reason.action_code_1987(), "{reason:?}");
            assert_eq!(answer.wire(38), None);
        }
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_the_order_of_their_decisions() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        rig.script.hand_over();
        let mut peer = rig.connect().await;
        peer.send_together(&[rig.request(1), rig.request(2), rig.request(3)]).await;
        let mut submissions = Vec::new();
        for _ in 0..3 {
            submissions.push(rig.script.next().await);
        }
        for (number, submission) in [3, 2, 1].into_iter().zip(submissions.into_iter().rev()) {
            submission.reply.send(approved(number));
            let answer = peer.answer().await;
            assert_eq!(answer.text(11), format!("{number:06}"));
            assert_eq!(answer.text(38), format!("{number:06}"));
        }
    }
}

#[tokio::test]
async fn connections_do_not_mix_their_answers() {
    let rig = Rig::start("iso87-ascii");
    rig.script.hand_over();
    let (mut one, mut two) = (rig.connect().await, rig.connect().await);
    one.send(&rig.request(1)).await;
    let first = rig.script.next().await;
    two.send(&rig.request(2)).await;
    let second = rig.script.next().await;
    second.reply.send(approved(2));
    first.reply.send(approved(1));
    assert_eq!(one.answer().await.text(11), "000001");
    assert_eq!(two.answer().await.text(11), "000002");
}

#[tokio::test]
async fn what_is_not_taken_is_declined_at_once_and_a_reversal_meets_silence() {
    let rig = Rig::start("iso87-bcd");
    let mut peer = rig.connect().await;
    rig.script.refuse(Admission::Declined(Reason::IssuerInoperative));
    assert_eq!(peer.ask(&rig.request(1)).await.text(39), "91");
    rig.script.refuse(Admission::Silent);
    peer.send(&rig.reversal(2, 1)).await;
    let echo = peer.ask(&rig.network(3, "301")).await;
    assert_eq!(echo.text(11), "000003");
    assert_eq!(rig.metric("cardswitch_link_unanswered_total", "shed"), 1.0);
    assert_eq!(rig.metric("cardswitch_link_in_flight", ""), 0.0);
}

#[tokio::test]
async fn a_late_decline_is_sent_and_silence_is_kept() {
    let rig = Rig::start("iso87-bcd");
    rig.script.hand_over();
    let mut peer = rig.connect().await;
    peer.send_together(&[rig.request(1), rig.request(2), rig.request(3)]).await;
    let late = ReplyOutcome::Declined(Reason::IssuerInoperative);
    rig.script.next().await.reply.send(ReplyOutcome::Silent);
    drop(rig.script.next().await.reply);
    rig.script.next().await.reply.send(late);
    let answer = peer.answer().await;
    assert_eq!((answer.text(11), answer.text(39)), ("000003".into(), "91".into()));
    assert_eq!(rig.metric("cardswitch_link_unanswered_total", "silent"), 2.0);
}
