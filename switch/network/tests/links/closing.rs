//! How connections and links end: with every answer that was owed, and within a bound.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::rig::{Rig, approved};

#[tokio::test]
async fn a_shutdown_waits_for_pending_answers() {
    let rig = Rig::start("iso87-ascii");
    rig.script.hand_over();
    let mut peer = rig.connect().await;
    peer.send_together(&[rig.request(1), rig.request(2)]).await;
    let (first, second) = (rig.script.next().await, rig.script.next().await);
    rig.shutdown.cancel();
    first.reply.send(approved(1));
    assert_eq!(peer.answer().await.text(11), "000001");
    // The link neither accepts nor reads any more.
    TcpStream::connect(rig.address).await.expect_err("the port is closed");
    peer.send(&rig.request(3)).await;
    second.reply.send(approved(2));
    assert_eq!(peer.answer().await.text(11), "000002");
    peer.expect_end().await;
    drop(peer);
    rig.running.await.expect("the link ended in order");
    assert!(rig.script.is_idle().await);
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let rig = Rig::with("iso87-ascii", |config| config.drain_deadline = Duration::from_millis(40));
    rig.script.hand_over();
    let mut peer = rig.connect().await;
    peer.send(&rig.request(1)).await;
    let hanging = rig.script.next().await;
    rig.shutdown.cancel();
    peer.expect_end().await;
    drop(peer);
    assert_eq!(rig.metric("cardswitch_link_unanswered_total", "drain_deadline"), 1.0);
    rig.running.await.expect("the link ended in order");
    hanging.reply.send(approved(1)); // to nobody, and no harm done
}

#[tokio::test]
async fn a_peer_that_sends_no_more_still_gets_its_answers() {
    let rig = Rig::start("iso87-ascii");
    rig.script.hand_over();
    let mut peer = rig.connect().await;
    peer.send(&rig.request(1)).await;
    peer.stream.shutdown().await.expect("shut down");
    rig.script.next().await.reply.send(approved(1));
    assert_eq!(peer.answer().await.text(11), "000001");
    peer.expect_end().await;
    assert_eq!(rig.metric("cardswitch_link_closed_total", "peer_closed"), 1.0);
}

#[tokio::test]
async fn an_end_within_a_frame_is_told_apart() {
    let rig = Rig::start("iso87-ascii");
    let mut peer = rig.connect().await;
    peer.send_bytes(&[0, 50, b'0']).await;
    peer.stream.shutdown().await.expect("shut down");
    peer.expect_end().await;
    assert_eq!(rig.metric("cardswitch_link_closed_total", "cut_short"), 1.0);
}

#[tokio::test]
async fn a_peer_that_vanishes_takes_nothing_with_it() {
    let rig = Rig::start("iso87-ascii");
    rig.script.hand_over();
    let mut peer = rig.connect().await;
    peer.send(&rig.request(1)).await;
    let submission = rig.script.next().await;
    drop(peer);
    submission.reply.send(approved(1));
    let mut other = rig.connect().await;
    other.send(&rig.request(2)).await;
    rig.script.next().await.reply.send(approved(2));
    assert_eq!(other.answer().await.text(11), "000002");
}
