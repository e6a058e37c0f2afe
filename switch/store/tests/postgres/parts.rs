//! Parts of the journal: there before a row needs them, made while others append, and made by the
//! append itself where nobody did (W-7).

use switch_domain::{Seq, ShardId};
use switch_store::TakeoverMode;

use crate::life::{CONTROL, SHARD};
use crate::stage::{Stage, Writer};

const ATTACHED: &str = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'journal'::regclass";

#[tokio::test]
async fn every_shard_has_a_whole_part_of_room_and_no_more_than_is_needed() {
    let stage = Stage::new().await;
    let taken = stage.store.take_over(3, TakeoverMode::RefuseIfOwned).await.expect("ours");
    // The takeover's own rows made the first part of each shard, a large one.
    assert_eq!(stage.count(ATTACHED).await, 3);
    assert_eq!(stage.store.make_journal_room(1_000).await.expect("room"), 0);
    let room = stage.store.journal_room().await.expect("room");
    assert_eq!(room.len(), 3);
    assert!(room.iter().all(|(_, rows)| *rows == 999_999), "{room:?}");
    assert_eq!(stage.store.make_journal_room(1_000_000).await.expect("room"), 3);
    assert_eq!(stage.store.make_journal_room(1_000_000).await.expect("room"), 0);
    taken.release().await;
    stage.close().await;
}

#[tokio::test]
async fn rows_go_on_from_part_to_part_as_one_chain() {
    let stage = Stage::new().await;
    stage.run("INSERT INTO shard_group (group_id, shards) VALUES (0, 2)").await;
    stage.store.make_journal_room(3).await.expect("room");
    let (mut one, mut other) =
        (Writer::new(&stage.store, CONTROL), Writer::new(&stage.store, SHARD));
    for row in 0..10 {
        one.append(&[]).await;
        if row % 3 == 0 {
            other.append(&[]).await;
            stage.store.make_journal_room(3).await.expect("room");
        }
    }
    let ends = "SELECT count(*) FROM journal_part WHERE past - first = 3";
    assert_eq!(stage.count(ends).await, stage.count("SELECT count(*) FROM journal_part").await);
    let head = stage.store.verify_chain(CONTROL).await.expect("a whole chain");
    assert_eq!(head.seq, Seq(9));
    let tail = stage.store.tail(CONTROL, Seq(1)).await.expect("a tail");
    assert_eq!(tail.len(), 8);
    stage.close().await;
}

#[tokio::test]
async fn a_row_without_a_part_makes_it() {
    let stage = Stage::new().await;
    let mut writer = Writer::new(&stage.store, ShardId(7));
    writer.append(&[]).await;
    stage.run("UPDATE journal_part SET past = 1").await;
    stage
        .run(
            "ALTER TABLE journal DETACH PARTITION journal_7_0;
        ALTER TABLE journal ATTACH PARTITION journal_7_0 FOR VALUES FROM (7, 0) TO (7, 1)",
        )
        .await;
    for _ in 0..3 {
        writer.append(&[]).await;
    }
    assert_eq!(stage.count("SELECT count(*) FROM journal_7_1").await, 3);
    stage.close().await;
}

/// Somebody reads the whole journal in a long transaction and another appends: neither holds the
/// making of parts up, nor is held up by it.
#[tokio::test]
async fn making_a_part_waits_for_neither_readers_nor_writers() {
    let stage = Stage::new().await;
    stage.run("INSERT INTO shard_group (group_id, shards) VALUES (0, 2)").await;
    let mut writer = Writer::new(&stage.store, SHARD);
    writer.append(&[]).await;
    let mut session = stage.session("reader").await;
    sqlx::raw_sql("BEGIN; SELECT count(*) FROM journal; LOCK TABLE journal IN ROW EXCLUSIVE MODE")
        .execute(&mut session)
        .await
        .expect("a long transaction");
    assert!(stage.store.make_journal_room(1_000_000).await.expect("room") > 0);
    writer.append(&[]).await;
    sqlx::raw_sql("COMMIT").execute(&mut session).await.expect("its end");
    stage.close().await;
}

/// Two processes that see the same lack make one part.
#[tokio::test]
async fn two_makers_make_one_part() {
    let stage = Stage::new().await;
    stage.run("INSERT INTO shard_group (group_id, shards) VALUES (0, 1)").await;
    let other = stage.another().await;
    let (one, two) = tokio::join!(stage.store.make_journal_room(50), other.make_journal_room(50));
    assert_eq!(one.expect("room") + two.expect("room"), 1);
    assert_eq!(stage.count(ATTACHED).await, 1);
    stage.close().await;
}
