//! Days of history that were kept long enough: they go as a whole or stay as a whole, and the books
//! balance before and after (K18).

use std::time::Duration;

use switch_domain::Timestamp;
use switch_store::{Keep, OldDays, TABLES_BY_DAY, books};

use crate::life::{CONTROL, SHARD, START, control_rows, keep_cards, shard_rows};
use crate::stage::{Projecting, Stage, Writer};

const DAY: i64 = 86_400_000_000;
const WINDOW: Duration = Duration::from_secs(86_400);
/// The day of everything in these tests, by its START.
const THE_DAY: &str = "2026-11-18";

/// A day of history of which two authorizations are open, and its partitions.
async fn a_day() -> Stage {
    let stage = Stage::new().await;
    stage.store.make_days(Timestamp(START - DAY), 3).await.expect("days");
    let vault = keep_cards(&stage.store).await;
    for (shard, rows) in [(CONTROL, control_rows()), (SHARD, shard_rows(vault))] {
        let mut writer = Writer::new(&stage.store, shard);
        for records in rows {
            writer.append(&records).await;
        }
        Projecting::start(&stage.store, shard).finish().await;
    }
    stage
}

async fn drop_days(stage: &Stage, table: &'static str, days: u32, later: i64) -> OldDays {
    let keep = Keep { table, days };
    let now = Timestamp(START + later * DAY);
    stage.store.drop_old_days(keep, WINDOW, now).await.expect("a run")
}

async fn is_there(stage: &Stage, table: &str) -> bool {
    let name = format!("{table}_{}", THE_DAY.replace('-', ""));
    stage.count(&format!("SELECT count(*) FROM pg_class WHERE relname = '{name}'")).await == 1
}

#[tokio::test]
async fn nothing_goes_before_its_time_and_zero_keeps_for_ever() {
    let stage = a_day().await;
    for table in TABLES_BY_DAY {
        assert!(is_there(&stage, table).await, "{table}: the stories' day is {THE_DAY}");
        assert_eq!(drop_days(&stage, table, 0, 4_000).await, OldDays::default());
        assert_eq!(drop_days(&stage, table, 5, 5).await.dropped.len(), 1, "the day before");
        assert!(is_there(&stage, table).await);
        // Within the window of repeats nothing goes, whatever it is kept for.
        let keep = Keep { table, days: 1 };
        let long = Duration::from_secs(400 * 86_400);
        let now = Timestamp(START + 300 * DAY);
        let old = stage.store.drop_old_days(keep, long, now).await.expect("a run");
        assert_eq!(old, OldDays::default());
    }
    stage.close().await;
}

#[tokio::test]
async fn a_day_with_an_open_authorization_stays_until_it_is_closed() {
    let stage = a_day().await;
    let old = drop_days(&stage, "card_authorization", 3, 7).await;
    assert!(old.dropped.iter().all(|day| day != THE_DAY));
    assert_eq!(old.open, [THE_DAY]);
    // Events of what is closed go although others are open.
    let old = drop_days(&stage, "authorization_event", 3, 7).await;
    assert!(old.dropped.iter().any(|day| day == THE_DAY) && old.open.is_empty(), "{old:?}");
    assert_eq!(books(&stage.store).await.expect("a check"), []);
    stage.run("UPDATE card_authorization SET closed = true, reversed = authorized").await;
    let old = drop_days(&stage, "card_authorization", 3, 7).await;
    assert!(old.dropped.iter().any(|day| day == THE_DAY) && old.open.is_empty());
    assert!(!is_there(&stage, "card_authorization").await);
    stage.close().await;
}

#[tokio::test]
async fn postings_leave_their_sums() {
    let stage = a_day().await;
    let sums = "SELECT sum(amount)::int8 FROM posting_carried WHERE amount > 0";
    let before = stage.count("SELECT sum(amount)::int8 FROM posting WHERE amount > 0").await;
    drop_days(&stage, "posting", 2, 7).await;
    assert!(!is_there(&stage, "posting").await);
    assert_eq!(stage.count("SELECT count(*) FROM posting").await, 0);
    assert_eq!(stage.count(sums).await, before);
    assert_eq!(books(&stage.store).await.expect("a check"), []);
    // Again, and over another day with more of the same accounts.
    assert_eq!(drop_days(&stage, "posting", 2, 7).await, OldDays::default());
    stage
        .run(
            "SELECT make_day('posting', '2026-11-20');
            INSERT INTO posting (shard, seq, idx, at, record_idx, kind, account, account_id,
                amount, currency)
            SELECT 0, 90, n, '2026-11-20T05:00:00Z', 0, 'x', account, account_id, amount, currency
            FROM (SELECT *, row_number() OVER () AS n FROM posting_carried) AS carried",
        )
        .await;
    drop_days(&stage, "posting", 2, 9).await;
    assert_eq!(stage.count(sums).await, 2 * before);
    stage.close().await;
}

/// What is committed and not projected yet finds its day.
#[tokio::test]
async fn a_day_that_rows_are_still_to_come_for_stays() {
    let stage = a_day().await;
    stage.run("UPDATE projection SET seq = seq - 1, flushed = flushed - 1 WHERE shard = 1").await;
    assert!(drop_days(&stage, "audit_entry", 2, 7).await.dropped.iter().all(|day| day != THE_DAY));
    assert!(is_there(&stage, "audit_entry").await);
    stage.close().await;
}

/// A run killed in the middle of a day leaves the day; killed between days it leaves fewer.
#[tokio::test]
async fn a_killed_run_leaves_whole_days_for_the_next() {
    let stage = a_day().await;
    // A reader of the table holds the last step up, and then the run is killed there.
    let mut reader = stage.session("reader").await;
    sqlx::raw_sql("BEGIN; SELECT count(*) FROM posting")
        .execute(&mut reader)
        .await
        .expect("a long transaction");
    let another = stage.another().await;
    let run = {
        let another = another.clone();
        tokio::spawn(async move {
            let keep = Keep { table: "posting", days: 2 };
            another.drop_old_days(keep, WINDOW, Timestamp(START + 7 * DAY)).await
        })
    };
    stage.until_waiting(&another).await;
    let kill = format!(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE application_name = 'cardswitch/{}'",
        another.owner()
    );
    stage.run(&kill).await;
    assert!(run.await.expect("it ended").is_err());
    sqlx::raw_sql("COMMIT").execute(&mut reader).await.expect("its end");
    assert!(is_there(&stage, "posting").await);
    assert_eq!(stage.count("SELECT count(*) FROM posting_carried").await, 0);
    assert_eq!(books(&stage.store).await.expect("a check"), []);
    drop_days(&stage, "posting", 2, 7).await;
    assert!(!is_there(&stage, "posting").await);
    assert_eq!(books(&stage.store).await.expect("a check"), []);
    another.pool().close().await;
    stage.close().await;
}

/// Days are made while others read and write, also those whose rows came too early.
#[tokio::test]
async fn days_are_made_ahead_and_take_in_what_came_before_them() {
    let stage = a_day().await;
    let children = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'posting'::regclass";
    let before = stage.count(children).await;
    // Midnight has passed: one more day of each table.
    let made = stage.store.make_days(Timestamp(START), 3).await.expect("days");
    assert_eq!((made, stage.count(children).await), (4, before + 1));
    assert_eq!(stage.store.make_days(Timestamp(START), 3).await.expect("days"), 0);
    for table in TABLES_BY_DAY {
        let moment = if table == "card_authorization" { "decided_at" } else { "at" };
        stage
            .run(&format!(
                "CREATE TEMP TABLE early AS SELECT * FROM {table} LIMIT 1;
                UPDATE early SET {moment} = '2026-12-24T23:59:59.999999Z';
                INSERT INTO {table} SELECT * FROM early; DROP TABLE early"
            ))
            .await;
        assert_eq!(stage.count(&format!("SELECT count(*) FROM {table}_rest")).await, 1, "{table}");
    }
    assert_eq!(stage.store.make_days(Timestamp(START + 35 * DAY), 2).await.expect("days"), 12);
    for table in TABLES_BY_DAY {
        assert_eq!(stage.count(&format!("SELECT count(*) FROM {table}_rest")).await, 0);
        assert_eq!(stage.count(&format!("SELECT count(*) FROM {table}_20261224")).await, 1);
        let attached = format!(
            "SELECT count(*) FROM pg_index WHERE indrelid = '{table}_20261224'::regclass
                AND indexrelid NOT IN (SELECT inhrelid FROM pg_inherits)"
        );
        assert_eq!(stage.count(&attached).await, 0, "every index belongs to its parent's");
    }
    stage.close().await;
}
