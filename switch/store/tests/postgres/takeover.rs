//! Takeover: one owner, every shard fenced, whatever the old owner still has open (W-10, W-11).

use sqlx::Connection;
use switch_domain::{Epoch, Event, Seq, ShardId};
use switch_store::{
    Appended, Hash, Journal, LockState, TakenShard, Takeover, TakeoverError, TakeoverMode,
};

use crate::life::{SHARD, control_rows};
use crate::stage::{Stage, Writer};

const SHARDS: u16 = 3;

fn epochs(takeover: &Takeover) -> Vec<(u16, i64, i64)> {
    takeover.shards().iter().map(|one| (one.shard.0, one.epoch.0, one.head.0)).collect()
}

fn of(takeover: &Takeover, shard: ShardId) -> TakenShard {
    *takeover.shards().iter().find(|one| one.shard == shard).expect("a shard of the group")
}

#[tokio::test]
async fn a_group_is_founded_and_taken_over_again_under_higher_epochs() {
    let stage = Stage::new().await;
    let refuse = TakeoverMode::RefuseIfOwned;
    assert_eq!(stage.store.stored_shards().await.expect("a look"), []);
    let first = stage.store.take_over(SHARDS, refuse).await.expect("an empty journal");
    assert_eq!(epochs(&first), [(0, 1, 0), (1, 1, 0), (2, 1, 0)]);
    let genesis = stage.store.tail(ShardId(2), Seq::NONE).await.expect("a whole chain");
    let Event::TakenOver(taken) = &genesis[0].1[0].event else { panic!("{genesis:?}") };
    assert_eq!((taken.shard, taken.epoch, taken.shards), (ShardId(2), Epoch(1), SHARDS));
    assert_eq!(taken.owner, stage.store.owner());
    Writer::behind(&stage.store, &of(&first, SHARD)).append(&control_rows()[0]).await;
    first.release().await;

    let next = stage.another().await;
    let second = next.take_over(SHARDS, refuse).await.expect("a free group");
    assert_eq!(epochs(&second), [(0, 2, 1), (1, 2, 2), (2, 2, 1)]);
    for shard in second.shards() {
        let head = next.verify_chain(shard.shard).await.expect("a whole chain");
        assert_eq!((head.seq, head.hash), (shard.head, shard.head_hash));
        let tail = next.tail(shard.shard, Seq::NONE).await.expect("a whole chain");
        let times: Vec<_> = tail.iter().flat_map(|(_, r)| r.iter().map(|r| r.at)).collect();
        assert!(times.last() >= times.iter().max(), "time never runs back: {times:?}");
    }
    second.release().await;
    next.pool().close().await;
    stage.close().await;
}

#[tokio::test]
async fn another_number_of_shards_is_refused_and_changes_nothing() {
    let stage = Stage::new().await;
    let refuse = TakeoverMode::RefuseIfOwned;
    stage.store.take_over(SHARDS, refuse).await.expect("an empty journal").release().await;
    for asked in [0, SHARDS - 1, SHARDS + 1] {
        let refused = stage.another().await.take_over(asked, refuse).await;
        let counts = match refused {
            Err(error @ TakeoverError::ShardCount { .. }) => error.to_string(),
            other => panic!("{asked}: {other:?}"),
        };
        assert!(counts.contains("resharding is not done by changing the number"), "{counts}");
    }
    assert_eq!(stage.count("SELECT count(*) FROM journal").await, i64::from(SHARDS));
    stage.close().await;
}

#[tokio::test]
async fn a_live_owner_is_left_alone_and_named() {
    let stage = Stage::new().await;
    let refuse = TakeoverMode::RefuseIfOwned;
    let takeover = stage.store.take_over(SHARDS, refuse).await.expect("an empty journal");
    match stage.another().await.take_over(SHARDS, refuse).await {
        Err(TakeoverError::Owned { owner, since }) => {
            assert_eq!(owner, Some(stage.store.owner()));
            assert!(since.is_some_and(|since| since.ends_with('Z')));
        }
        other => panic!("{other:?}"),
    }
    let mut writer = Writer::behind(&stage.store, &of(&takeover, SHARD));
    writer.append(&control_rows()[0]).await;
    assert_eq!(*takeover.lock_state().borrow(), LockState::Held);
    takeover.release().await;
    stage.close().await;
}

#[tokio::test]
async fn force_fences_a_live_owner_whose_next_append_finds_its_key_taken() {
    let stage = Stage::new().await;
    let old = stage.store.take_over(SHARDS, TakeoverMode::RefuseIfOwned).await.expect("founded");
    let mut writer = Writer::behind(&stage.store, &of(&old, SHARD));
    writer.append(&control_rows()[0]).await;
    let lost = old.lost();

    let next = stage.another().await;
    let new = next.take_over(SHARDS, TakeoverMode::Force).await.expect("by force");
    let late = writer.seal(&control_rows()[1]);
    let taken = Appended::Taken { owner: next.owner(), epoch: Epoch(2) };
    assert_eq!(writer.journal.append(&late).await, taken);
    lost.await;
    assert_eq!(*old.lock_state().borrow(), LockState::Lost);
    assert_eq!(*new.lock_state().borrow(), LockState::Held);
    Writer::behind(&next, &of(&new, SHARD)).append(&control_rows()[1]).await;
    next.verify_chain(SHARD).await.expect("a whole chain");
    new.release().await;
    next.pool().close().await;
    stage.close().await;
}

/// An insert at the head's next key, left open in `session`.
const HOLD: &str = "BEGIN; INSERT INTO journal (shard, seq, epoch, owner, format, records, hash)
    SELECT shard, seq + 1, epoch, owner, format, records, '\\x00' FROM journal
    WHERE shard = 1 ORDER BY seq DESC LIMIT 1";

#[tokio::test]
async fn a_paused_back_end_of_the_old_owner_that_holds_the_key_is_ended() {
    let stage = Stage::new().await;
    let refuse = TakeoverMode::RefuseIfOwned;
    stage.store.take_over(SHARDS, refuse).await.expect("founded").release().await;
    let name = format!("cardswitch/{}", stage.store.owner());
    let mut paused = stage.session(&name).await;
    sqlx::raw_sql(HOLD).execute(&mut paused).await.expect("a free key");

    let next = stage.another().await;
    let new = next.take_over(SHARDS, refuse).await.expect("a free group");
    assert_eq!(epochs(&new), [(0, 2, 1), (1, 2, 1), (2, 2, 1)]);
    assert!(paused.ping().await.is_err(), "the session was ended");
    new.release().await;
    next.pool().close().await;
    stage.close().await;
}

/// Somebody whom takeover does not know holds the key, then commits: again, at a fresh head.
#[tokio::test]
async fn a_head_that_moves_meanwhile_is_tried_again() {
    let stage = Stage::new().await;
    let refuse = TakeoverMode::RefuseIfOwned;
    let old = stage.store.take_over(SHARDS, refuse).await.expect("founded");
    let late = Writer::behind(&stage.store, &of(&old, SHARD)).seal(&control_rows()[0]);
    old.release().await;
    let mut stranger = stage.session("stranger").await;
    let begin = "BEGIN; INSERT INTO journal (shard, seq, epoch, owner, format, records, hash)
        SELECT 1, 1, 1, owner, 1, '', hash FROM journal WHERE shard = 1";
    sqlx::raw_sql(begin).execute(&mut stranger).await.expect("a free key");
    sqlx::query("UPDATE journal SET records = $1, hash = $2 WHERE shard = 1 AND seq = 1")
        .bind(&late.records[..])
        .bind(&late.hash.0[..])
        .execute(&mut stranger)
        .await
        .expect("its own row");

    let next = stage.another().await;
    let taking = next.clone();
    let takeover = tokio::spawn(async move { taking.take_over(SHARDS, refuse).await });
    stage.until_waiting(&next).await;
    sqlx::raw_sql("COMMIT").execute(&mut stranger).await.expect("commit");
    let new = takeover.await.expect("no panic").expect("taken over");
    assert_eq!(epochs(&new), [(0, 2, 1), (1, 2, 2), (2, 2, 1)]);
    next.verify_chain(SHARD).await.expect("a whole chain");
    new.release().await;
    stranger.close().await.expect("close");
    next.pool().close().await;
    stage.close().await;
}

#[tokio::test]
async fn a_lock_whose_connection_broke_is_taken_again() {
    let stage = Stage::new().await;
    let refuse = TakeoverMode::RefuseIfOwned;
    let takeover = stage.store.take_over(SHARDS, refuse).await.expect("founded");
    let mut state = takeover.lock_state();
    stage
        .run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks
             WHERE locktype = 'advisory' AND granted AND database =
                (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .await;
    state.wait_for(|state| *state == LockState::Regaining).await.expect("a keeper");
    state.wait_for(|state| *state == LockState::Held).await.expect("a keeper");
    let owned = stage.another().await.take_over(SHARDS, refuse).await;
    assert!(matches!(owned, Err(TakeoverError::Owned { .. })), "{owned:?}");
    takeover.release().await;
    stage.close().await;
}

#[tokio::test]
async fn a_head_of_a_later_version_refuses_the_start() {
    let stage = Stage::new().await;
    let refuse = TakeoverMode::RefuseIfOwned;
    stage.store.take_over(SHARDS, refuse).await.expect("founded").release().await;
    stage.run("UPDATE journal SET format = 99 WHERE shard = 2").await;
    let refused = stage.another().await.take_over(SHARDS, refuse).await;
    let text = refused.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(text.contains("journal row 0 of shard 2") && text.contains("format 99"), "{text}");
    assert_ne!(Hash::genesis(ShardId(1)), Hash::genesis(ShardId(2)));
    stage.close().await;
}
