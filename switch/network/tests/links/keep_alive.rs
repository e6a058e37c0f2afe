//! Keep-alive that cannot storm: one side asks, the other answers, and silence ends a connection.

use std::time::Duration;

use crate::rig::{Answer, Rig};

const SOON: Duration = Duration::from_millis(20);

fn echoing(unanswered: u32) -> Rig {
    Rig::with("iso87-ascii", |config| {
        config.requests.echo_interval = Some(SOON);
        config.requests.deadline = SOON;
        config.requests.echo_unanswered = unanswered;
    })
}

fn echoes(rig: &Rig, outcome: &str) -> f64 {
    rig.metric("cardswitch_link_requests_total", &format!("kind=\"echo\",outcome=\"{outcome}\""))
}

async fn say_yes(rig: &Rig, peer: &mut crate::rig::Peer, request: &Answer) {
    let (sent, stan) = (request.text(7), request.text(11));
    let answer = rig.draft("0810").set(7, &sent).set(11, &stan).set(39, "00").set(70, "301");
    peer.send(&answer).await;
}

#[tokio::test]
async fn a_quiet_peer_is_asked_and_stays_while_it_answers() {
    let rig = Rig::with("iso87-ascii", |config| config.requests.echo_interval = Some(SOON));
    let mut peer = rig.connect().await;
    for round in 1..=5u8 {
        let request = peer.answer().await;
        assert_eq!((request.mti().as_str(), request.text(70).as_str()), ("0800", "301"));
        say_yes(&rig, &mut peer, &request).await;
        rig.until(|rig| echoes(rig, "accepted") == f64::from(round)).await;
    }
    // One question for each silence, and no answer to an answer.
    assert_eq!(rig.metric("cardswitch_link_frames_in_total", ""), 5.0);
    assert!(rig.metric("cardswitch_link_frames_out_total", "") <= 6.0);
}

#[tokio::test]
async fn a_half_open_connection_is_closed_after_so_many_echoes() {
    let rig = echoing(3);
    let mut peer = rig.connect().await;
    for _ in 0..3 {
        assert_eq!(peer.answer().await.text(70), "301");
    }
    peer.expect_end().await;
    assert_eq!(echoes(&rig, "no_answer"), 3.0);
    assert_eq!(rig.metric("cardswitch_link_closed_total", "half_open"), 1.0);
}

#[tokio::test]
async fn whatever_the_peer_sends_proves_that_it_is_there() {
    let rig = echoing(5);
    let mut peer = rig.connect().await;
    for round in 1..=7 {
        assert_eq!(peer.answer().await.text(70), "301", "asked again");
        // No answer to the echo: a keep-alive, which nobody answers either.
        rig.until(|rig| echoes(rig, "no_answer") >= f64::from(round)).await;
        peer.send_bytes(&[0, 0]).await;
    }
    assert_eq!(rig.handle.view().connections.len(), 1);
    assert_eq!(rig.metric("cardswitch_link_closed_total", "half_open"), 0.0);
}

#[tokio::test]
async fn where_it_is_not_configured_nobody_is_asked() {
    let rig = Rig::with("iso87-ascii", |config| config.idle_deadline = SOON * 3);
    rig.connect().await.expect_end().await;
    assert_eq!(rig.metric("cardswitch_link_frames_out_total", ""), 0.0);
}
