//! Appends whose outcome is unknown for a while: the same bytes again, until the truth is known
//! (W-3 to W-5).

use std::time::Duration;

use sqlx::{Connection, PgConnection};
use switch_domain::{Epoch, OwnerId};
use switch_store::{Appended, Hash, Journal, JournalRow, StoreHealth};
use uuid::Uuid;

use crate::life::{SHARD, control_rows};
use crate::stage::{Stage, Writer};

/// Puts a row by hand and leaves the transaction open.
async fn hold(session: &mut PgConnection, row: &JournalRow) {
    sqlx::raw_sql("BEGIN").execute(&mut *session).await.expect("begin");
    let insert = "INSERT INTO journal (shard, seq, epoch, owner, format, records, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    sqlx::query(insert)
        .bind(i32::from(row.shard.0))
        .bind(row.seq.0)
        .bind(row.epoch.0)
        .bind(Uuid::from_bytes(row.owner.0))
        .bind(row.format)
        .bind(&row.records[..])
        .bind(&row.hash.0[..])
        .execute(session)
        .await
        .expect("a free key");
}

async fn end(session: &mut PgConnection, how: &'static str) {
    sqlx::raw_sql(how).execute(session).await.expect("end of transaction");
}

/// A row at `writer`'s head by somebody else.
fn theirs(row: &JournalRow) -> JournalRow {
    let records = control_rows().concat();
    JournalRow::seal(row.shard, row.seq, Epoch(9), OwnerId([9; 16]), row.previous, &records)
}

/// What the holder of the key does, and what the append then says.
#[tokio::test]
async fn an_append_waits_for_whoever_holds_its_key_and_then_tells_the_truth() {
    let taken = Appended::Taken { owner: OwnerId([9; 16]), epoch: Epoch(9) };
    for (ours, how, expected) in [
        (true, "COMMIT", Appended::Committed),
        (true, "ROLLBACK", Appended::Committed),
        (false, "COMMIT", taken),
        (false, "ROLLBACK", Appended::Committed),
    ] {
        let stage = Stage::new().await;
        let mut writer = Writer::new(&stage.store, SHARD);
        writer.append(&control_rows()[0]).await;
        let row = writer.seal(&control_rows()[1]);
        let mut holder = stage.session("holder").await;
        let held = if ours { row.clone() } else { theirs(&row) };
        hold(&mut holder, &held).await;
        let sent = row.clone();
        let append = tokio::spawn(async move { writer.journal.append(&sent).await });
        stage.until_waiting(&stage.store).await;
        end(&mut holder, how).await;
        assert_eq!(append.await.expect("an outcome"), expected, "ours {ours}, {how}");
        assert_eq!(stage.count("SELECT count(*) FROM journal").await, 2);
        holder.close().await.expect("close");
        stage.close().await;
    }
}

#[tokio::test]
async fn a_back_end_killed_in_the_middle_of_an_append_costs_nothing() {
    for how in ["COMMIT", "ROLLBACK"] {
        let stage = Stage::new().await;
        let mut writer = Writer::new(&stage.store, SHARD);
        writer.append(&control_rows()[0]).await;
        let row = writer.seal(&control_rows()[1]);
        let mut holder = stage.session("holder").await;
        hold(&mut holder, &row).await;
        let mut health = writer.journal.health();
        assert_eq!(*health.borrow(), StoreHealth::Up);
        let append = tokio::spawn(async move { writer.journal.append(&row).await });
        stage.until_waiting(&stage.store).await;
        stage
            .run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE wait_event_type = 'Lock' AND datname = current_database()",
            )
            .await;
        let down = |health: &StoreHealth| matches!(health, StoreHealth::Down { .. });
        health.wait_for(down).await.expect("an appender");
        end(&mut holder, how).await;
        assert_eq!(append.await.expect("an outcome"), Appended::Committed, "{how}");
        assert_eq!(*health.borrow(), StoreHealth::Up);
        assert_eq!(stage.count("SELECT count(*) FROM journal").await, 2);
        holder.close().await.expect("close");
        stage.close().await;
    }
}

#[tokio::test]
async fn an_attempt_that_outlives_our_timer_is_unknown_and_tried_again() {
    let stage = Stage::new().await;
    let mut writer = Writer::new(&stage.store, SHARD);
    writer.append(&control_rows()[0]).await;
    let row = writer.seal(&control_rows()[1]);
    let mut holder = stage.session("holder").await;
    hold(&mut holder, &row).await;
    let mut journal = stage.store.appender().with_patience(Duration::from_millis(100));
    let mut health = journal.health();
    let append = tokio::spawn(async move { journal.append(&row).await });
    let down = |health: &StoreHealth| matches!(health, StoreHealth::Down { .. });
    health.wait_for(down).await.expect("an appender");
    end(&mut holder, "COMMIT").await;
    assert_eq!(append.await.expect("an outcome"), Appended::Committed);
    holder.close().await.expect("close");
    stage.close().await;
}

/// A caller who gives up in the middle closes the connection; the same row again finds out.
#[tokio::test]
async fn a_dropped_append_is_found_out_by_the_next() {
    let stage = Stage::new().await;
    let mut writer = Writer::new(&stage.store, SHARD);
    writer.append(&control_rows()[0]).await;
    let row = writer.seal(&control_rows()[1]);
    let mut holder = stage.session("holder").await;
    hold(&mut holder, &row).await;
    tokio::select! {
        outcome = writer.journal.append(&row) => panic!("{outcome:?} while the key was held"),
        () = stage.until_waiting(&stage.store) => {}
    }
    end(&mut holder, "COMMIT").await;
    assert_eq!(writer.journal.append(&row).await, Appended::Committed);
    let after = JournalRow::seal(
        row.shard,
        row.seq.next(),
        row.epoch,
        row.owner,
        Hash([0; 32]),
        &control_rows()[2],
    );
    assert_eq!(writer.journal.append(&after).await, Appended::PredecessorMissing);
    holder.close().await.expect("close");
    stage.close().await;
}
