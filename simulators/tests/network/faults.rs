//! How the network fails when it is told to, seen from the other end; and what it counts of an
//! issuer that answers late, twice, or what nobody asked.

use std::time::Duration;

use simulators::network::{Behaviour, Function, NetworkPeer, Settings, Tally};
use tokio::io::AsyncReadExt;

use crate::stub::{PAN, Stub, listen, plain, settings};

async fn connected(change: impl FnOnce(&mut Settings)) -> (NetworkPeer, Stub) {
    let mut settings = settings("iso93-ascii", plain());
    change(&mut settings);
    let peer = listen(settings.clone()).await;
    let issuer = Stub::dial(peer.address(), &settings).await;
    comes(&peer, |tally| tally.open == 1).await;
    (peer, issuer)
}

/// Waits for it however little patience the network has.
async fn comes(peer: &NetworkPeer, wanted: impl Fn(&Tally) -> bool) {
    while peer.until(&wanted).await.is_err() {}
}

#[tokio::test]
async fn a_killed_connection_is_reset_and_the_next_is_served() {
    let (peer, mut issuer) = connected(|_| ()).await;
    assert_eq!(peer.kill(), 1);
    let error = issuer.stream.read_u8().await.expect_err("no orderly end");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let tally = peer.until(|tally| tally.open == 0).await.expect("gone");
    assert_eq!((tally.killed, tally.ended), (1, 0));
    let settings = settings("iso93-ascii", plain());
    let mut again = Stub::dial(peer.address(), &settings).await;
    assert_eq!(again.ask(Function::Echo).await.action(), "800");
}

#[tokio::test]
async fn a_half_open_connection_says_nothing_more_and_is_not_closed() {
    let (peer, mut issuer) = connected(|_| ()).await;
    assert_eq!(issuer.ask(Function::Echo).await.action(), "800");
    assert_eq!(peer.go_half_open(), 1);
    peer.until(|tally| tally.half_open == 1).await.expect("half open");
    issuer.manage("831").await;
    assert!(peer.purchase(PAN, 1).await.is_err(), "no connection that can be used");
    // Another one is served meanwhile; the first is there until it is reset, and had no answer.
    let mut other = Stub::dial(peer.address(), &settings("iso93-ascii", plain())).await;
    assert_eq!(other.ask(Function::Echo).await.action(), "800");
    assert_eq!((peer.tally().open, peer.tally().echoes), (2, 2));
    assert_eq!(peer.kill(), 2);
    let error = issuer.stream.read_u8().await.expect_err("an end, not an answer");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_network_that_is_mute_to_echo_answers_the_rest() {
    let mute = Behaviour { mute_to_echo: true, ..Behaviour::default() };
    let (peer, mut issuer) = connected(|settings| settings.behaviour = mute).await;
    issuer.manage("831").await;
    // The next thing to come answers this, not the echo.
    assert_eq!(issuer.ask(Function::CutOver).await.action(), "800");
    assert_eq!((peer.tally().echoes, peer.tally().answers), (1, 1));
    peer.behave(Behaviour::default());
    assert_eq!(issuer.ask(Function::Echo).await.action(), "800");
}

#[tokio::test]
async fn an_answer_comes_twice() {
    let twice = Behaviour { answer_twice: true, ..Behaviour::default() };
    let (peer, mut issuer) = connected(|settings| settings.behaviour = twice).await;
    let first = issuer.ask(Function::Echo).await;
    let (_, second) = issuer.message().await;
    assert_eq!(first.body(), second.body());
    assert_eq!(peer.tally().answers, 2);
}

#[tokio::test]
async fn an_answer_comes_late() {
    let hours = Behaviour { answer_after: Duration::from_secs(7_200), ..Behaviour::default() };
    let (peer, mut issuer) = connected(|settings| settings.behaviour = hours).await;
    issuer.manage("831").await;
    peer.until(|tally| tally.echoes == 1).await.expect("taken");
    peer.behave(Behaviour::default());
    assert_eq!(issuer.ask(Function::CutOver).await.action(), "800", "overtakes the echo");
    let soon = Behaviour { answer_after: Duration::from_millis(5), ..Behaviour::default() };
    peer.behave(soon);
    assert_eq!(issuer.ask(Function::Echo).await.action(), "800");
}

#[tokio::test]
async fn what_an_issuer_answers_wrongly_is_counted() {
    let (peer, mut issuer) = connected(|_| ()).await;
    let (answer, request) = tokio::join!(peer.purchase(PAN, 1), issuer.answer("000"));
    answer.expect("answered");
    let again = issuer.answer_to(&request, "000");
    issuer.send(None, &again).await;
    peer.until(|tally| tally.duplicate == 1).await.expect("a second answer");

    let sale = peer.sale(PAN, 1);
    let speech = crate::stub::speech("iso93-ascii");
    let bytes = speech.bytes(speech.mti("100").expect("a type"), &speech.purchase(&sale));
    let never_sent = speech.read(bytes.expect("a message").into()).expect("readable");
    let unasked = issuer.answer_to(&never_sent, "000");
    issuer.send(None, &unasked).await;
    peer.until(|tally| tally.unmatched == 1).await.expect("an answer to nothing");

    issuer.send(None, b"no message").await;
    peer.until(|tally| tally.unreadable == 1).await.expect("no message");
    let tally = peer.tally();
    assert_eq!((tally.sent, tally.answered_with("000"), tally.unanswered), (1, 1, 0));
}

#[tokio::test]
async fn what_is_not_answered_in_time_is_unanswered_and_late_when_it_comes() {
    let (peer, mut issuer) =
        connected(|settings| settings.patience = Duration::from_millis(200)).await;
    assert!(peer.purchase(PAN, 1).await.is_err());
    assert_eq!(peer.tally().unanswered, 1);
    issuer.answer("000").await;
    comes(&peer, |tally| tally.late == 1).await;
    assert!(peer.tally().answered.is_empty());
}

#[tokio::test]
async fn what_a_lost_connection_owes_is_unanswered() {
    let (peer, mut issuer) = connected(|_| ()).await;
    let ends = async {
        issuer.message().await;
        drop(issuer);
    };
    let (answer, ()) = tokio::join!(peer.purchase(PAN, 1), ends);
    let why = answer.expect_err("lost").to_string();
    assert!(why.contains("the connection ended before 1100 was answered"), "{why}");
    assert_eq!(peer.until(|tally| tally.open == 0).await.expect("gone").unanswered, 1);
}
