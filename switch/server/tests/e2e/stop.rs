//! Ownership and stopping: one switch for a database, a forced takeover that fences, a restart that
//! remembers, and a stop that loses nothing.

use switch_server::app::App;
use switch_shard::{Fatal, TakeoverMode};

use crate::stage::{Stage, purchase};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_remembers_holds_answers_and_early_reversals() {
    let stage = Stage::start().await;
    let issued = stage.issue(100_000, 10_000).await;
    let bought = purchase(&issued.pan, 1, 6_000);
    let (first, early) = {
        let mut peer = stage.peer(1).await;
        let first = peer.exchange(0, &bought).await.expect("an answer");
        let reversal = purchase(&issued.pan, 50, 1_000)
            .retyped("0400")
            .and_then(|m| m.with(11, "000051"))
            .and_then(|m| m.with(90, format!("0100{:06}1123000050{:011}{:011}", 50, 123_456, 0)))
            .expect("a reversal");
        (first, peer.exchange(0, &reversal).await.expect("an answer"))
    };
    assert_eq!((first.text(39), early.text(39)), (Some("00"), Some("00")));
    let stage = stage.restart().await;
    let mut peer = stage.peer(1).await;
    let again = peer.exchange(0, &bought.clone().retyped("0101").expect("typed")).await;
    let again = again.expect("an answer");
    assert_eq!((again.text(39), again.text(38)), (first.text(39), first.text(38)));
    let short = peer.exchange(0, &purchase(&issued.pan, 2, 6_000)).await.expect("an answer");
    assert_eq!(short.text(39), Some("51"), "the hold is there after the restart");
    let late = peer.exchange(0, &purchase(&issued.pan, 50, 1_000)).await.expect("an answer");
    assert_eq!(late.text(39), Some("12"), "its reversal came before it, and before the restart");
    let balance = stage.services().node().balance(issued.balance).await.expect("there");
    assert_eq!((balance.ledger.0, balance.held.0), (10_000, 6_000));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_switch_is_refused_and_a_forced_one_fences_the_first() {
    let stage = Stage::start().await;
    let issued = stage.issue(100_000, 10_000).await;
    let elsewhere = tempfile::tempdir().expect("a directory");
    let mut config = stage.config.clone();
    config.control.socket = elsewhere.path().join("control.sock");
    let refused = App::start(&config, TakeoverMode::RefuseIfOwned).await;
    let error = refused.err().expect("refused").to_string();
    assert!(error.contains("another switch owns these shards"), "{error}");

    let second = App::start(&config, TakeoverMode::Force).await.expect("taken over");
    let mut fatal = stage.app.fatal();
    // The first one finds out by its lock, or when it next wants to commit.
    let peer = stage.peer(1).await;
    peer.send(0, &purchase(&issued.pan, 1, 1_000)).expect("sent");
    let reason = fatal.wait_for(Option::is_some).await.expect("told").clone();
    assert!(matches!(reason, Some(Fatal::Fenced { .. } | Fatal::OwnershipLost)), "{reason:?}");
    let mut peer = crate::stage::peer(second.addresses().links[0].1, 1).await;
    let answer = peer.exchange(0, &purchase(&issued.pan, 2, 10_000)).await.expect("an answer");
    assert_eq!(answer.text(39), Some("00"), "the first one approved nothing after it was fenced");
    second.stop().await.expect("a clean stop");
    let _ = stage.app.stop().await;
    stage.database.close().await;
}
