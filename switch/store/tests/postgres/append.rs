//! Appending: ours, taken, predecessor missing; the model in memory says the same as PostgreSQL.

use switch_domain::{Epoch, OwnerId, Record, Seq, ShardId};
use switch_store::{Appended, Hash, Journal, JournalRow, ModelJournalHandle};

use crate::life::control_rows;
use crate::stage::Stage;

const SHARD: ShardId = ShardId(3);
const US: OwnerId = OwnerId([1; 16]);
const THEM: OwnerId = OwnerId([2; 16]);

fn row(seq: i64, epoch: i64, owner: OwnerId, previous: Hash) -> JournalRow {
    let records: Vec<Record> = control_rows().concat();
    JournalRow::seal(SHARD, Seq(seq), Epoch(epoch), owner, previous, &records)
}

/// The same story on any journal.
async fn story(journal: &mut impl Journal) {
    let taken = Appended::Taken { owner: US, epoch: Epoch(1) };
    let first = row(0, 1, US, Hash::genesis(SHARD));
    let second = row(1, 1, US, first.hash);
    let third = row(2, 1, US, second.hash);
    let steps = [
        ("a row with nothing before it", &second, Appended::PredecessorMissing),
        ("the first row", &first, Appended::Committed),
        ("the same row again", &first, Appended::Committed),
        ("another first row", &row(0, 1, THEM, Hash::genesis(SHARD)), taken),
        ("a gap", &third, Appended::PredecessorMissing),
        ("a row behind another chain", &row(1, 1, US, third.hash), Appended::PredecessorMissing),
        ("the second row", &second, Appended::Committed),
        ("an old row again", &first, Appended::Committed),
        ("the same place, a higher epoch", &row(1, 2, THEM, first.hash), taken),
        ("the third row", &third, Appended::Committed),
    ];
    for (name, row, expected) in steps {
        assert_eq!(journal.append(row).await, expected, "{name}");
    }
}

#[tokio::test]
async fn postgres_tells_ours_from_taken_from_missing() {
    let stage = Stage::new().await;
    story(&mut stage.store.appender()).await;
    assert_eq!(stage.count("SELECT count(*) FROM journal").await, 3);
    stage.close().await;
}

#[tokio::test]
async fn the_model_says_the_same() {
    let handle = ModelJournalHandle::new();
    story(&mut handle.journal()).await;
    assert_eq!(handle.rows(SHARD).len(), 3);
}

#[tokio::test]
async fn the_model_loses_answers_hangs_and_is_taken_over() {
    let handle = ModelJournalHandle::new();
    let mut journal = handle.journal();
    let first = row(0, 1, US, Hash::genesis(SHARD));
    handle.lose_answers(2);
    assert_eq!(journal.append(&first).await, Appended::Committed);
    assert_eq!((handle.attempts(), handle.rows(SHARD).len()), (3, 1));

    let second = row(1, 1, US, first.hash);
    handle.hang_before_commit();
    let given_up = tokio::select! {
        biased;
        _ = journal.append(&second) => false,
        () = tokio::task::yield_now() => true,
    };
    assert!(given_up && handle.rows(SHARD).len() == 1, "nothing got in");

    handle.hang_after_commit();
    let given_up = tokio::select! {
        biased;
        _ = journal.append(&second) => false,
        () = tokio::task::yield_now() => true,
    };
    assert!(given_up && handle.rows(SHARD).len() == 2, "it got in, and nobody was told");
    handle.resume();
    assert_eq!(journal.append(&second).await, Appended::Committed);

    let fence = handle.take_over(SHARD, THEM);
    let third = row(2, 1, US, second.hash);
    let taken = Appended::Taken { owner: THEM, epoch: Epoch(2) };
    assert_eq!(journal.append(&third).await, taken);
    assert_eq!((fence.seq, fence.previous), (Seq(2), second.hash));
    handle.forget_after(SHARD, Seq(0));
    assert_eq!(journal.append(&third).await, Appended::PredecessorMissing);
}

#[tokio::test]
async fn bodies_are_stored_uncompressed_in_every_partition() {
    let stage = Stage::new().await;
    stage.run("SELECT make_journal_part(1, 0, 10), make_journal_part(1, 10, 10)").await;
    let compressed = "SELECT count(*) FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE attname = 'records' AND relname LIKE 'journal%' AND relkind IN ('r', 'p')
            AND attstorage <> 'e'";
    assert_eq!(stage.count(compressed).await, 0);
    stage.close().await;
}
