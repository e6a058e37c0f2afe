//! A link that dials: it finds a peer wherever in its list one is, never gives up, never hammers,
//! and serves as a listening link does.

use std::net::SocketAddr;
use std::time::Duration;

use switch_network::{Dialling, LinkConfig, LinkState, Side};
use tokio::net::TcpListener;

use crate::rig::Rig;

/// A port of the loopback and the peer behind it.
async fn peer() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

fn dialling(addresses: &[SocketAddr]) -> Dialling {
    let mut dialling = Dialling::new(addresses.iter().map(ToString::to_string));
    dialling.first_wait = Duration::from_millis(1);
    dialling.longest_wait = Duration::from_millis(4);
    dialling
}

fn rig(addresses: &[SocketAddr]) -> Rig {
    let dialling = dialling(addresses);
    Rig::with("iso87-ascii", |config| config.side = Side::Dial(dialling))
}

fn failures(rig: &Rig, cause: &str) -> f64 {
    rig.metric("cardswitch_link_dial_failures_total", cause)
}

fn state(rig: &Rig, state: LinkState) -> bool {
    rig.metric("cardswitch_link_state", &format!("\"{state}\"")) == 1.0
}

#[tokio::test]
async fn a_dialled_peer_is_served_like_one_that_connects() {
    let (listener, address) = peer().await;
    let rig = rig(&[address]);
    let mut peer = rig.accept(&listener).await;
    assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
    assert_eq!(peer.ask(&rig.reversal(2, 1)).await.text(39), "00");
    assert!(state(&rig, LinkState::Connected));
    assert_eq!(peer.ask(&rig.network(3, "001")).await.text(39), "00");
    assert!(state(&rig, LinkState::SignedOn) && !state(&rig, LinkState::Connected));
    let view = rig.handle.view();
    assert_eq!(view.connections.len(), 1, "one connection at a time");
    assert_eq!(view.connections[0].peer, address);
    assert_eq!((view.frames_in, view.opened, view.dial_attempts), (3, 1, 1));
    assert_eq!(view.dials, [address.to_string()]);
}

#[tokio::test]
async fn after_a_failure_the_next_address_and_after_a_success_the_first() {
    let (first, first_address) = peer().await;
    drop(first);
    let (second, second_address) = peer().await;
    let rig = rig(&[first_address, second_address]);
    let mut peer = rig.accept(&second).await;
    assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
    assert!(failures(&rig, "\"connect\"") >= 1.0);

    let first = TcpListener::bind(first_address).await.expect("its port again");
    drop(peer);
    let mut peer = rig.accept(&first).await;
    assert_eq!(peer.ask(&rig.request(2)).await.text(39), "00");
    assert_eq!(rig.handle.view().opened, 2);
}

#[tokio::test]
async fn it_never_gives_up() {
    let (listener, address) = peer().await;
    drop(listener);
    let rig = rig(&[address]);
    rig.until(|rig| failures(rig, "\"connect\"") >= 12.0).await;
    assert!(state(&rig, LinkState::Dialling));
    let listener = TcpListener::bind(address).await.expect("its port again");
    let mut peer = rig.accept(&listener).await;
    assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
}

#[tokio::test]
async fn a_peer_that_closes_at_once_counts_as_a_failure() {
    let (first, first_address) = peer().await;
    let (second, second_address) = peer().await;
    let mut dialling = dialling(&[first_address, second_address]);
    // However long this machine stalls, the connection has not lasted longer than that.
    dialling.longest_wait = Duration::from_secs(600);
    let rig = Rig::with("iso87-ascii", |config| config.side = Side::Dial(dialling));
    drop(first.accept().await.expect("accepted"));
    let mut peer = rig.accept(&second).await;
    assert_eq!(failures(&rig, "of_no_use"), 1.0);
    assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_passed_over() {
    let (listener, address) = peer().await;
    let mut dialling = dialling(&[address]);
    dialling.addresses.insert(0, "no-such-host.invalid:8583".into());
    let rig = Rig::with("iso87-ascii", |config| config.side = Side::Dial(dialling));
    let mut peer = rig.accept(&listener).await;
    assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
    assert_eq!(failures(&rig, "resolve"), 1.0);
}

#[tokio::test]
async fn a_shutdown_ends_the_waiting_and_the_serving() {
    let (listener, address) = peer().await;
    drop(listener);
    let waiting = rig(&[address]);
    waiting.until(|rig| failures(rig, "\"connect\"") >= 1.0).await;
    waiting.shutdown.cancel();
    waiting.running.await.expect("ended in order");

    let (listener, address) = peer().await;
    let serving = rig(&[address]);
    serving.script.hand_over();
    let mut peer = serving.accept(&listener).await;
    peer.send(&serving.request(1)).await;
    let submission = serving.script.next().await;
    serving.shutdown.cancel();
    submission.reply.send(crate::rig::approved(1));
    assert_eq!(peer.answer().await.text(11), "000001", "what is owed is sent");
    peer.expect_end().await;
    drop(peer);
    serving.running.await.expect("ended in order");
}

#[test]
fn settings_that_cannot_work_are_named() {
    let dialect = codecs::iso8583::Dialect::shipped("iso87-ascii").expect("shipped");
    let framing = codecs::framing::Framing::new(codecs::framing::LengthHeader::Ascii(4));
    let here = ([127, 0, 0, 1], 0).into();
    let mut config = LinkConfig::new("n", switch_domain::LinkId(1), here, framing, dialect.into());
    let mut refused = |adjust: fn(&mut Dialling)| {
        let mut dialling = Dialling::new(["switch.example:8583"]);
        adjust(&mut dialling);
        config.side = Side::Dial(dialling);
        config.check().map_err(|error| error.to_string())
    };
    assert_eq!(refused(|_| {}), Ok(()));
    for (adjust, text) in [
        ((|d| d.addresses.clear()) as fn(&mut Dialling), "dial: name at least one address"),
        (|d| d.addresses.push("switch.example".into()), "\"switch.example\" is no address"),
        (|d| d.connect_deadline = Duration::ZERO, "connect_deadline: must be above zero"),
        (|d| d.longest_wait = Duration::from_millis(1), "first_wait: waits must be above zero"),
    ] {
        let error = refused(adjust).expect_err("refused");
        assert!(error.contains(text), "{error}");
    }
    config.side = Side::Dial(Dialling::new(["switch.example:8583"]));
    config.peers = vec![[127, 0, 0, 1].into()];
    let error = config.check().expect_err("refused").to_string();
    assert!(error.contains("peers: is for a link that listens"), "{error}");
}
