//! The archive of the journal (W-7): what is let go can be followed and rebuilt from its files, the
//! head and what is read again stay, and a run that is killed anywhere is finished by the next.

use switch_domain::{Seq, ShardId};
use switch_shard::{ArchiveError, ArchiveOptions, AuditFrom, audit};
use switch_store::Archive;

use crate::world::{Holder, PART, World};

const SHARD: ShardId = ShardId(1);

const ATTACHED: &str = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'journal'::regclass";
const ROWS: &str = "SELECT count(*) FROM journal";
const FIRST: &str = "SELECT min(seq) FROM journal WHERE shard = 1";
const HEAD: &str = "SELECT max(seq) FROM journal WHERE shard = 1";

/// Purchases, of which some were reversed, with everything projected; nobody serves.
async fn traded(world: &World) -> Holder {
    let mut serving = world.serve().await;
    let holder = serving.issue(&world.store).await;
    serving.buy_many(holder, 1..12).await;
    serving.reverse(101, 3).await;
    serving.reverse(102, 9).await;
    serving.stop().await;
    holder
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_archived_is_followed_rebuilt_and_served_from() {
    let world = World::new().await;
    let holder = traded(&world).await;
    let rows = world.count(ROWS).await;
    let [short, whole] = world.expect_balanced().await;
    assert_eq!((short.journal_rows, whole.journal_rows), (rows as u64, rows as u64));

    let archived = world.archive().await.expect("archived");
    assert!(archived.len() >= 4, "{archived:?}");
    assert!(archived.iter().all(|one| one.written));
    let (first, head) = (world.count(FIRST).await, world.count(HEAD).await);
    assert!(first > 0 && first % i64::from(PART) == 0 && head >= first);
    let [short, whole] = world.expect_balanced().await;
    assert_eq!(whole.journal_rows, rows as u64);
    assert_eq!(whole.archived_rows, (rows - world.count(ROWS).await) as u64);
    assert_eq!(short.journal_rows, world.count(ROWS).await as u64);
    assert_eq!((short.archived_rows, short.snapshots), (0, 2));
    assert_eq!((short.open_authorizations, whole.open_authorizations), (9, 9));
    assert_eq!(world.archive().await.expect("nothing more"), []);
    assert!(world.store.verify_chain(SHARD).await.is_ok());

    // It goes on behind what was archived, and a hold from there is released.
    let mut serving = world.serve().await;
    serving.reverse(103, 1).await;
    serving.buy_many(holder, 20..30).await;
    // Amounts are flushed a little later than answers leave.
    while world.store.archive_limit(SHARD).await.expect("a limit") < Some(Seq(first + 6)) {
        tokio::task::yield_now().await;
    }
    assert!(!world.archive().await.expect("beside a serving node").is_empty());
    serving.buy_many(holder, 30..34).await;
    let balance = serving.node.balance(holder.balance).await.expect("an account");
    assert_eq!(balance.held.0, 8 + 14);
    world.expect_balanced().await;
    serving.stop().await;
    world.expect_balanced().await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_and_what_is_asked_for_stay() {
    let world = World::new().await;
    traded(&world).await;
    let some = ArchiveOptions { shard: Some(SHARD), up_to: Some(Seq(7)), ..world.options() };
    let archived = switch_shard::archive(&world.store, &some).await.expect("archived");
    assert_eq!(archived.len(), 2, "rows 0 to 5; row 7 is in the middle of a part");
    let kept = ArchiveOptions { keep_tables: true, ..world.options() };
    let archived = switch_shard::archive(&world.store, &kept).await.expect("archived");
    assert!(!archived.is_empty());
    let detached = "SELECT count(*) FROM journal_part WHERE state = 'detached'";
    assert_eq!(world.count(detached).await, archived.len() as i64);
    let tables = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^journal_[0-9]'";
    assert_eq!(world.count(tables).await, world.count(ATTACHED).await + archived.len() as i64);
    for shard in [ShardId::CONTROL, SHARD] {
        let head = world.store.verify_chain(shard).await.expect("a chain");
        let there = world.store.journal_hash(shard, head.seq).await.expect("a look");
        assert_eq!(there, Some(head.hash), "the head row stays");
        let limit = world.store.archive_limit(shard).await.expect("a limit").expect("projected");
        assert!(limit < head.seq);
    }
    world.expect_balanced().await;
    world.close().await;
}

/// What was not projected or not flushed is read again at the next start.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_that_a_start_reads_again() {
    let world = World::new().await;
    traded(&world).await;
    world.run("UPDATE projection SET flushed = 7 WHERE shard = 1").await;
    let archived = world.archive().await.expect("archived");
    let last = archived.iter().filter(|one| one.range.shard == SHARD).map(|one| one.range.last);
    assert_eq!(last.max(), Some(Seq(5)), "row 7 is in a part that ends behind it");
    world.close().await;
}

/// Kills, as what they leave: each is finished by the next run, whose result is the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_anywhere_is_finished_by_the_next() {
    for killed in 0..5 {
        let world = World::new().await;
        traded(&world).await;
        let archive = Archive::new(world.options().directory);
        let part = world.store.journal_parts(SHARD).await.expect("parts")[0];
        if killed == 0 {
            // While it wrote.
            let base = switch_store::Hash::genesis(SHARD);
            drop(archive.begin(part.range, base).expect("begun"));
        } else {
            // All of a run over the first part, and then what was not done yet is taken back.
            let one = ArchiveOptions {
                shard: Some(SHARD),
                up_to: Some(part.range.last),
                keep_tables: true,
                ..world.options()
            };
            let archived = switch_shard::archive(&world.store, &one).await.expect("archived");
            assert_eq!(archived.len(), 1);
            world.run("UPDATE journal_part SET state = 'attached'").await;
        }
        if killed == 1 || killed == 2 {
            // Files in place, with or without a checkpoint; still attached.
            world
                .run(
                    "ALTER TABLE journal ATTACH PARTITION journal_1_0
                    FOR VALUES FROM (1, 0) TO (1, 3)",
                )
                .await;
        }
        if killed == 1 {
            world.run("DELETE FROM journal_checkpoint").await;
        }
        if killed == 3 {
            // The table was dropped, and that was not noted.
            world.run("DROP TABLE journal_1_0").await;
        }
        let archived = world.archive().await.expect("finished");
        let first = archived.iter().find(|one| one.range == part.range).expect("the first part");
        assert_eq!(first.written, killed == 0, "killed {killed}");
        let left = "SELECT count(*) FROM pg_class WHERE relname = 'journal_1_0'";
        assert_eq!(world.count(left).await, 0, "killed {killed}");
        let unfinished = world.archived().join("archive/shard-0001");
        let names = std::fs::read_dir(unfinished).expect("a directory");
        assert!(names.flatten().all(|one| one.path().extension().is_none()), "killed {killed}");
        world.expect_balanced().await;
        world.close().await;
    }
}

/// A detach that was cut off between its two transactions.
#[tokio::test(flavor = "multi_thread")]
async fn a_detach_cut_off_in_the_middle_is_finished() {
    let world = World::new().await;
    traded(&world).await;
    // Somebody reads the journal: the second transaction of the detach waits for him.
    let mut reader = world.store.pool().begin().await.expect("a transaction");
    sqlx::query("SELECT count(*) FROM journal").execute(&mut *reader).await.expect("read");
    let store = crate::world::open(&world.database).await;
    let options = world.options();
    let run = tokio::spawn(async move { switch_shard::archive(&store, &options).await });
    let pending = "SELECT count(*) FROM pg_inherits WHERE inhdetachpending";
    while world.count(pending).await == 0 {
        tokio::task::yield_now().await;
    }
    world
        .run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE query LIKE 'ALTER TABLE journal DETACH%' AND datname = current_database()",
        )
        .await;
    assert!(run.await.expect("it ended").is_err());
    assert_eq!(world.count(pending).await, 1);
    reader.rollback().await.expect("its end");
    assert!(!world.archive().await.expect("finished").is_empty());
    assert_eq!(world.count(pending).await, 0);
    world.expect_balanced().await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_archive_is_found_out() {
    let world = World::new().await;
    traded(&world).await;
    world.archive().await.expect("archived");
    let shard = world.options().directory.join("shard-0001");
    let mut parts: Vec<_> =
        std::fs::read_dir(shard).expect("parts").flatten().map(|one| one.path()).collect();
    parts.sort();
    let (first, last) = (parts[0].clone(), parts.last().expect("parts").clone());
    for (file, found_by_short) in [
        (first.join("rows"), false),
        (first.join("snapshot"), false),
        (last.join("rows"), true),
        (last.join("snapshot"), true),
        (last.join("manifest.json"), true),
    ] {
        let whole = std::fs::read(&file).expect("a file");
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        std::fs::write(&file, changed).expect("written");
        let [short, full] = world.audits().await;
        assert_eq!(!short.is_balanced(), found_by_short, "{}", file.display());
        assert!(!full.is_balanced(), "{}", file.display());
        std::fs::remove_file(&file).expect("removed");
        let [_, full] = world.audits().await;
        assert!(!full.is_balanced(), "{} is gone", file.display());
        std::fs::write(&file, whole).expect("restored");
    }
    world.expect_balanced().await;
    // A directory that does not belong to this database.
    let nowhere = AuditFrom::LastSnapshot(world.archived().join("nowhere"));
    assert!(!audit(&world.store, &nowhere).await.expect("an audit").is_balanced());
    world.close().await;
}

/// Files of another history are not taken for this one's, and nothing is let go.
#[tokio::test(flavor = "multi_thread")]
async fn files_of_another_journal_stop_the_archive() {
    let (one, other) = (World::new().await, World::new().await);
    traded(&one).await;
    traded(&other).await;
    one.archive().await.expect("archived");
    let rows = other.count(ROWS).await;
    let mixed = ArchiveOptions { ..one.options() };
    let refused = switch_shard::archive(&other.store, &mixed).await.expect_err("another journal");
    assert!(matches!(refused, ArchiveError::OtherJournal { .. }), "{refused}");
    assert_eq!(other.count(ROWS).await, rows);
    one.close().await;
    other.close().await;
}

/// Where the chain does not hang on its anchor, nothing is served.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_behind_a_broken_anchor_is_refused() {
    let world = World::new().await;
    traded(&world).await;
    world.archive().await.expect("archived");
    world.run("UPDATE journal_checkpoint SET hash = sha256('other') WHERE shard = 1").await;
    let settings = crate::world::settings();
    let mode = switch_shard::TakeoverMode::RefuseIfOwned;
    let Err(refused) = switch_shard::start(&world.store, settings, mode).await else {
        panic!("a node that serves");
    };
    assert!(refused.to_string().contains("does not match its hash"), "{refused}");
    let [short, whole] = world.audits().await;
    assert!(!short.is_balanced() && !whole.is_balanced());
    world.close().await;
}
