//! Pause, resume and drain: what a link still does, and what not any more.

use switch_network::{Dialling, LinkState, Side};
use tokio::net::TcpListener;

use crate::rig::{Rig, approved};

fn state(rig: &Rig) -> LinkState {
    let state = rig.handle.view().state;
    let shown = |state: LinkState| rig.metric("cardswitch_link_state", &format!("\"{state}\""));
    for each in LinkState::ALL {
        assert_eq!(shown(each), f64::from(u8::from(each == state)), "{each} while {state}");
    }
    state
}

#[tokio::test]
async fn a_paused_link_takes_no_authorizations_and_all_the_rest() {
    for dialect in crate::rig::DIALECTS {
        let rig = Rig::start(dialect);
        assert_eq!(state(&rig), LinkState::Listening);
        let mut peer = rig.connect().await;
        assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
        rig.handle.pause();
        assert_eq!(state(&rig), LinkState::Paused);
        assert_eq!(peer.ask(&rig.request(2)).await.text(39), "91");
        assert_eq!(peer.ask(&rig.reversal(3, 1)).await.text(39), "00", "a reversal is taken");
        assert_eq!(peer.ask(&rig.network(4, "001")).await.text(39), "00", "and a sign-on");
        assert_eq!(rig.connect().await.ask(&rig.network(5, "301")).await.text(39), "00");
        assert_eq!(rig.script.commands().len(), 2, "what is refused never reaches the switch");
        rig.handle.resume();
        assert_eq!(state(&rig), LinkState::SignedOn);
        assert_eq!(peer.ask(&rig.request(6)).await.text(39), "00");
    }
}

#[tokio::test]
async fn what_was_taken_before_a_pause_is_answered() {
    let rig = Rig::start("iso87-ascii");
    rig.script.hand_over();
    let mut peer = rig.connect().await;
    peer.send(&rig.request(1)).await;
    let submission = rig.script.next().await;
    rig.handle.pause();
    submission.reply.send(approved(1));
    assert_eq!(peer.answer().await.text(39), "00");
}

#[tokio::test]
async fn a_drained_link_sends_what_it_owes_closes_and_stays_closed() {
    let rig = Rig::start("iso87-ascii");
    rig.script.hand_over();
    let (mut peer, mut idle) = (rig.connect().await, rig.connect().await);
    assert_eq!(idle.ask(&rig.network(1, "301")).await.text(39), "00");
    peer.send(&rig.request(2)).await;
    let submission = rig.script.next().await;
    rig.handle.drain();
    assert_eq!(state(&rig), LinkState::Draining);
    idle.expect_end().await;
    submission.reply.send(approved(2));
    assert_eq!(peer.answer().await.text(11), "000002");
    peer.expect_end().await;
    drop((peer, idle));
    rig.until(|rig| rig.handle.view().state == LinkState::Drained).await;
    assert_eq!(state(&rig), LinkState::Drained);
    assert_eq!(rig.metric("cardswitch_link_closed_total", "drained"), 2.0);

    rig.connect().await.expect_end().await;
    assert_eq!(rig.metric("cardswitch_link_refused_total", "drained"), 1.0);
    rig.handle.resume();
    assert_eq!(state(&rig), LinkState::Listening);
    let mut peer = rig.connect().await;
    assert_eq!(peer.ask(&rig.network(3, "301")).await.text(39), "00");
}

#[tokio::test]
async fn a_drained_link_does_not_dial_until_it_is_resumed() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let rig = Rig::with("iso87-ascii", |config| {
        config.side = Side::Dial(Dialling::new([address]));
    });
    let mut peer = rig.accept(&listener).await;
    assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
    rig.handle.drain();
    peer.expect_end().await;
    drop(peer);
    rig.until(|rig| rig.handle.view().state == LinkState::Drained).await;
    assert_eq!(rig.handle.view().dial_attempts, 1);
    rig.handle.pause();
    let mut peer = rig.accept(&listener).await;
    assert_eq!(peer.ask(&rig.request(2)).await.text(39), "91", "connected again, and paused");
    rig.handle.resume();
    assert_eq!(peer.ask(&rig.request(3)).await.text(39), "00");
    assert_eq!(rig.handle.view().dial_attempts, 2);
}
