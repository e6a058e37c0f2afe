//! The chain: a flipped byte and a missing row are found and named, wherever the journal is read
//! (W-1).

use switch_domain::{Seq, ShardId};
use switch_store::{ChainFault, ChainHead, StoreError};

use crate::life::{SHARD, control_rows};
use crate::stage::{Stage, Writer};

async fn five_rows(stage: &Stage) -> ChainHead {
    let mut writer = Writer::new(&stage.store, SHARD);
    for _ in 0..5 {
        writer.append(&control_rows().concat()).await;
    }
    stage.store.verify_chain(SHARD).await.expect("a whole chain")
}

fn fault<T: std::fmt::Debug>(result: Result<T, StoreError>) -> ChainFault {
    match result {
        Err(StoreError::Chain(fault)) => fault,
        other => panic!("no fault of the chain: {other:?}"),
    }
}

#[tokio::test]
async fn rows_come_back_in_order_from_any_place() {
    let stage = Stage::new().await;
    let head = five_rows(&stage).await;
    assert_eq!(head.seq, Seq(4));
    for after in -1..5 {
        let tail = stage.store.tail(SHARD, Seq(after)).await.expect("a tail");
        let seqs: Vec<i64> = tail.iter().map(|(seq, _)| seq.0).collect();
        assert_eq!(seqs, (after + 1..5).collect::<Vec<_>>());
        assert!(tail.iter().all(|(_, records)| *records == control_rows().concat()));
    }
    let empty = stage.store.verify_chain(ShardId(9)).await.expect("an empty chain");
    assert_eq!(empty.seq, Seq::NONE);
    stage.close().await;
}

#[tokio::test]
async fn every_damage_is_named_by_its_row() {
    let changed = |seq| ChainFault::Changed { shard: SHARD, seq: Seq(seq) };
    let missing = |seq| ChainFault::Missing { shard: SHARD, seq: Seq(seq) };
    let cases = [
        ("UPDATE journal SET records = set_byte(records, 20, 255) WHERE seq = 2", changed(2)),
        (
            "UPDATE journal SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1) WHERE seq = 2",
            changed(2),
        ),
        ("UPDATE journal SET hash = ''::bytea WHERE seq = 4", changed(4)),
        ("UPDATE journal SET epoch = 7 WHERE seq = 1", changed(1)),
        ("UPDATE journal SET owner = gen_random_uuid() WHERE seq = 1", changed(1)),
        ("UPDATE journal SET format = 2 WHERE seq = 3", changed(3)),
        ("DELETE FROM journal WHERE seq = 2", missing(2)),
        ("DELETE FROM journal WHERE seq = 0", missing(0)),
        ("UPDATE journal SET seq = 17 WHERE seq = 3", missing(3)),
    ];
    for (damage, expected) in cases {
        let stage = Stage::new().await;
        five_rows(&stage).await;
        stage.run(damage).await;
        assert_eq!(fault(stage.store.verify_chain(SHARD).await), expected, "{damage}");
        assert_eq!(fault(stage.store.tail(SHARD, Seq::NONE).await), expected, "{damage}");
        stage.close().await;
    }
}

/// Rows were made of a journal row that is gone: PostgreSQL went back in time.
#[tokio::test]
async fn a_tail_behind_the_head_is_refused() {
    let stage = Stage::new().await;
    five_rows(&stage).await;
    let expected = ChainFault::Missing { shard: SHARD, seq: Seq(5) };
    assert_eq!(fault(stage.store.tail(SHARD, Seq(5)).await), expected);
    stage.close().await;
}

#[tokio::test]
async fn more_rows_than_a_chunk_are_one_chain() {
    let stage = Stage::new().await;
    let mut writer = Writer::new(&stage.store, SHARD);
    for _ in 0..600 {
        writer.append(&[]).await;
    }
    let mut seen = Vec::new();
    let head = stage.store.for_each_row(SHARD, Seq(3), |seq, _| seen.push(seq.0)).await;
    assert_eq!(head.expect("a whole chain").seq, Seq(599));
    assert_eq!(seen, (4..600).collect::<Vec<_>>());
    stage.close().await;
}
