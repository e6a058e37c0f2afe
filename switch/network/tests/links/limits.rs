//! The limits that a peer can run into, and what they cost it.

use std::net::IpAddr;
use std::time::Duration;

use switch_network::{InvalidLink, LinkConfig};
use switch_shard::ReplyOutcome;
use tokio::io::AsyncWriteExt;

use crate::rig::{Peer, Rig, approved};

const SOON: Duration = Duration::from_millis(40);

fn closed(rig: &Rig, cause: &str) -> f64 {
    rig.metric("cardswitch_link_closed_total", cause)
}

#[tokio::test]
async fn at_the_limit_of_messages_in_flight_nothing_more_is_read() {
    let rig = Rig::with("iso87-ascii", |config| config.max_in_flight = 2);
    rig.script.hand_over();
    let mut peer = rig.connect().await;
    peer.send_together(&[rig.request(1), rig.request(2), rig.request(3)]).await;
    let first = rig.script.next().await;
    let _second = rig.script.next().await;
    // All three came in one segment; a whole turn of another connection later the third waits.
    assert_eq!(rig.connect().await.ask(&rig.network(9, "301")).await.text(39), "00");
    assert!(rig.script.is_idle().await);
    assert_eq!(rig.metric("cardswitch_link_in_flight", ""), 2.0);
    first.reply.send(approved(1));
    assert_eq!(peer.answer().await.text(11), "000001");
    rig.script.next().await.reply.send(approved(3));
    assert_eq!(peer.answer().await.text(11), "000003");
}

#[tokio::test]
async fn a_silent_outcome_frees_its_place() {
    let rig = Rig::with("iso87-ascii", |config| config.max_in_flight = 1);
    rig.script.hand_over();
    let mut peer = rig.connect().await;
    peer.send_together(&[rig.request(1), rig.request(2)]).await;
    rig.script.next().await.reply.send(ReplyOutcome::Silent);
    rig.script.next().await.reply.send(approved(2));
    assert_eq!(peer.answer().await.text(11), "000002");
}

#[tokio::test]
async fn an_outcome_that_does_not_come_is_given_up_and_frees_its_place() {
    let rig = Rig::with("iso87-ascii", |config| {
        config.max_in_flight = 1;
        config.answer_deadline = SOON;
    });
    rig.script.hand_over();
    let mut peer = rig.connect().await;
    peer.send_together(&[rig.request(1), rig.request(2)]).await;
    let hanging = rig.script.next().await;
    let second = rig.script.next().await;
    assert_eq!(rig.metric("cardswitch_link_unanswered_total", "given_up"), 1.0);
    hanging.reply.send(approved(1));
    second.reply.send(approved(2));
    assert_eq!(peer.answer().await.text(11), "000002");
}

#[tokio::test]
async fn the_deadline_counts_from_the_arrival() {
    let rig = Rig::with("iso87-ascii", |config| config.answer_deadline = Duration::from_secs(3));
    rig.script.hand_over();
    let mut peer = rig.connect().await;
    let before = tokio::time::Instant::now();
    peer.send(&rig.request(1)).await;
    let deadline = rig.script.next().await.deadline;
    let after = tokio::time::Instant::now();
    let limit = Duration::from_secs(3);
    assert!(before + limit <= deadline && deadline <= after + limit);
}

#[tokio::test]
async fn one_connection_too_many_is_closed_at_once() {
    let rig = Rig::with("iso87-ascii", |config| config.max_connections = 2);
    let (mut first, mut second) = (rig.connect().await, rig.connect().await);
    for peer in [&mut first, &mut second] {
        assert_eq!(peer.ask(&rig.network(1, "301")).await.text(39), "00");
    }
    rig.connect().await.expect_end().await;
    assert_eq!(rig.metric("cardswitch_link_refused_total", "too_many_connections"), 1.0);
    assert_eq!(first.ask(&rig.network(2, "301")).await.text(39), "00");

    drop(second);
    // The place is free once the link has seen the end, which no event tells us.
    loop {
        let mut third = rig.connect().await;
        let frame = third.frame(&rig.network(3, "301").bytes());
        if third.stream.write_all(&frame).await.is_ok() && third.next().await.is_some() {
            break;
        }
    }
}

#[tokio::test]
async fn only_allowed_peers_may_connect() {
    let elsewhere: IpAddr = [10, 0, 0, 1].into();
    let rig = Rig::with("iso87-ascii", |config| config.peers = vec![elsewhere]);
    rig.connect().await.expect_end().await;
    assert_eq!(rig.metric("cardswitch_link_refused_total", "peer_not_allowed"), 1.0);

    let here: IpAddr = "::ffff:127.0.0.1".parse().expect("an address");
    let rig = Rig::with("iso87-ascii", |config| config.peers = vec![elsewhere, here]);
    assert_eq!(rig.connect().await.ask(&rig.network(1, "301")).await.text(39), "00");
}

#[tokio::test]
async fn half_a_frame_and_then_silence_closes() {
    for length in [1, 2, 3, 40] {
        let rig = Rig::with("iso87-ascii", |config| config.frame_deadline = SOON);
        let mut peer = rig.connect().await;
        assert_eq!(peer.ask(&rig.network(1, "301")).await.text(39), "00");
        let frame = peer.frame(&rig.request(2).bytes());
        peer.send_bytes(&frame[..length]).await;
        peer.expect_end().await;
        assert_eq!(closed(&rig, "frame_deadline"), 1.0, "after {length} bytes");
    }
}

#[tokio::test]
async fn a_connection_that_is_not_read_for_its_messages_in_flight_is_not_blamed() {
    let rig = Rig::with("iso87-ascii", |config| {
        config.max_in_flight = 1;
        config.frame_deadline = SOON;
        config.idle_deadline = SOON;
    });
    rig.script.hand_over();
    let mut peer = rig.connect().await;
    let (first, second) = (rig.request(1).bytes(), rig.request(2).bytes());
    let (first, second) = (peer.frame(&first), peer.frame(&second));
    peer.send_bytes(&[&first[..], &second[..10]].concat()).await;
    let waiting = rig.script.next().await;
    // Far past both deadlines, by the link's own clock.
    let end = tokio::time::timeout(SOON * 4, peer.next()).await;
    assert!(end.is_err(), "neither answer nor end");
    waiting.reply.send(approved(1));
    assert_eq!(peer.answer().await.text(11), "000001");
    peer.send_bytes(&second[10..]).await;
    rig.script.next().await.reply.send(approved(2));
    assert_eq!(peer.answer().await.text(11), "000002");
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let rig = Rig::with("iso87-ascii", |config| config.idle_deadline = SOON);
    let mut peer = rig.connect().await;
    peer.expect_end().await;
    assert_eq!(closed(&rig, "idle"), 1.0);
}

/// Sends requests and never reads an answer, until the link has had enough.
async fn send_and_never_read(rig: &Rig, peer: &mut Peer) {
    let frame = peer.frame(&rig.network(1, "301").bytes());
    let many = frame.repeat(100);
    while peer.stream.write_all(&many).await.is_ok() {}
}

#[tokio::test]
async fn a_peer_that_does_not_read_runs_into_the_output_limit() {
    let rig = Rig::with("iso87-ascii", |config| config.max_output = 64 * 1024);
    let (address, dialect) = (rig.address, rig.dialect.clone());
    let mut peer = Peer::connect_with_small_buffer(address, dialect, rig.framing).await;
    let mut other = rig.connect().await;
    send_and_never_read(&rig, &mut peer).await;
    assert_eq!(closed(&rig, "output_limit"), 1.0);
    assert_eq!(other.ask(&rig.network(1, "301")).await.text(39), "00");
}

#[tokio::test]
async fn a_peer_that_does_not_read_has_only_so_much_time() {
    let rig = Rig::with("iso87-ascii", |config| {
        config.max_output = usize::MAX;
        config.frame_deadline = SOON;
    });
    let (address, dialect) = (rig.address, rig.dialect.clone());
    let mut peer = Peer::connect_with_small_buffer(address, dialect, rig.framing).await;
    send_and_never_read(&rig, &mut peer).await;
    assert_eq!(closed(&rig, "write_deadline"), 1.0);
}

#[test]
fn settings_that_cannot_work_are_named() {
    let dialect = codecs::iso8583::Dialect::shipped("iso87-ascii").expect("shipped");
    let framing = codecs::framing::Framing::new(codecs::framing::LengthHeader::Ascii(4));
    let listen = ([127, 0, 0, 1], 0).into();
    let good = LinkConfig::new("pos", switch_domain::LinkId(1), listen, framing, dialect.into());
    assert_eq!(good.check(), Ok(()));
    let wrong = |adjust: fn(&mut LinkConfig)| {
        let mut config = good.clone();
        adjust(&mut config);
        config.check().expect_err("refused")
    };
    let zero = |setting| InvalidLink::Zero { link: "pos".into(), setting };
    assert_eq!(wrong(|config| config.max_connections = 0), zero("max_connections"));
    assert_eq!(wrong(|config| config.max_in_flight = 0), zero("max_in_flight"));
    assert_eq!(wrong(|config| config.answer_deadline = Duration::ZERO), zero("answer_deadline"));
    assert_eq!(wrong(|config| config.frame_deadline = Duration::ZERO), zero("frame_deadline"));
    assert_eq!(wrong(|config| config.idle_deadline = Duration::ZERO), zero("idle_deadline"));
    assert_eq!(wrong(|config| config.drain_deadline = Duration::ZERO), zero("drain_deadline"));
    let small = wrong(|config| config.max_output = 100).to_string();
    assert!(small.contains("max_output is 100"), "{small}");
    let framing = wrong(|config| config.framing.max_frame = 10_000).to_string();
    assert!(framing.contains("max_frame is 10000"), "{framing}");
    let field = wrong(|config| {
        let toml = codecs::iso8583::Dialect::shipped_toml("iso87-ascii").expect("shipped");
        let without: Vec<_> = toml.lines().filter(|line| !line.starts_with("70 =")).collect();
        let without = without.join("\n").replace("33, 70]", "33]");
        let without = without.replace("mandatory = [11, 70]", "mandatory = [11]");
        let without = without.replace("undefined = [65]", "undefined = [65, 70]");
        let dialect = codecs::iso8583::Dialect::from_toml(&without).expect("a dialect");
        config.dialect = dialect.into();
    });
    assert!(field.to_string().contains("field 70"), "{field}");
}
