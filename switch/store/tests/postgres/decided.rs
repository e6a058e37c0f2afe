//! What was decided of a card or an account: found by summaries of pages that are made behind, in
//! pages of the latest first, and at no cost to what is written.

use std::time::Duration;

use switch_domain::{AuthorizationId, BalanceId, CardId, Timestamp};
use switch_store::{
    Decided, DecidedOf, DecidedPosition, DecidedSpan, Explaining, Store, Summarized,
};

use crate::life::START;
use crate::stage::Stage;

const DAY: i64 = 86_400_000_000;
/// The first moment of the day of START.
const MIDNIGHT: i64 = START - START % DAY;
const LONG: Duration = Duration::from_secs(60);
/// Cards; each has as many authorizations of a day as any other.
const CARDS: i64 = 200;

/// Rows of a day, of every card in turn: the fifth of each ten is a decline.
async fn fill(stage: &Stage, day: i64, rows: i64) {
    stage
        .run(&format!(
            "INSERT INTO card_authorization (id, decided_at, card_id, balance_id, currency,
                requested, reason, authorized, closed, acquirer, class, stan, local_time, terminal,
                rrn, fingerprint, origin, transmitted, channel, entry_mode, mcc, merchant,
                as_of_seq)
            SELECT {day} * 1000000 + n, to_timestamp({midnight}) + n * interval '100 microseconds',
                n % {CARDS} + 1, n % {CARDS} + 1001, 978, 100,
                CASE WHEN n / {CARDS} % 10 = 4 THEN 'insufficient_funds' ELSE 'approved' END, 100,
                false, '123456', 'authorization', n % 1000000, 1127041000, 'TERM0001',
                '000000000012', decode(repeat('ab', 16), 'hex'), n, 1127041000, 'pos', 'chip', 5411,
                'MERCHANT0000001', 1
            FROM generate_series(0, {rows} - 1) AS n",
            midnight = (MIDNIGHT + day * DAY) / 1_000_000,
        ))
        .await;
}

fn span(days: i64, granted: Option<bool>) -> DecidedSpan {
    let before = DecidedPosition::before(Timestamp(MIDNIGHT + 3 * DAY));
    DecidedSpan { from: Timestamp(MIDNIGHT + (3 - days) * DAY), before, granted }
}

async fn page(store: &Store, of: DecidedOf, span: DecidedSpan, most: u32) -> Decided {
    store.decided(of, span, most, LONG).await.expect("a page").expect("in its time")
}

/// All that pages of that many have, by their names.
async fn all(store: &Store, of: DecidedOf, mut span: DecidedSpan, most: u32) -> Vec<i64> {
    let mut found = Vec::new();
    loop {
        let page = page(store, of, span, most).await;
        assert!(page.lines.len() <= most as usize);
        found.extend(page.lines.iter().map(|line| line.authorization.id.0));
        let Some(next) = page.next else { return found };
        span.before = next;
    }
}

/// Those of a card that a filter lets through, as they were filled in, the latest first.
fn expected(card: i64, days: &[(i64, i64)], declined: Option<bool>) -> Vec<i64> {
    let of_day = |(day, rows): &(i64, i64)| {
        let (day, rows) = (*day, *rows);
        let its = (0..rows).filter(move |n| n % CARDS + 1 == card);
        let its = its.filter(move |n| declined.is_none_or(|it| (n / CARDS % 10 == 4) == it));
        its.rev().map(move |n| day * 1_000_000 + n).collect::<Vec<_>>()
    };
    days.iter().flat_map(of_day).collect()
}

async fn summarize(store: &Store) -> u64 {
    let mut done = 0;
    loop {
        let turn = store.summarize_history(7).await.expect("a turn");
        assert!(turn.done <= 7);
        done += turn.done;
        if turn.done == 0 {
            assert_eq!(turn, Summarized::default());
            return done;
        }
    }
}

#[tokio::test]
async fn pages_go_back_day_by_day_and_have_everything_once() {
    let stage = Stage::new().await;
    stage.store.make_days(Timestamp(MIDNIGHT), 2).await.expect("days");
    let days = [(2, 4_000), (1, 2_010), (0, 4_000)];
    for (day, rows) in days {
        fill(&stage, day, rows).await;
    }
    // What comes before its day has a partition is found as well.
    fill(&stage, -1, 400).await;
    for when in ["nothing is summarised", "all is, but for the last pages"] {
        for (of, card) in
            [(DecidedOf::Card(CardId(7)), 7), (DecidedOf::Balance(BalanceId(1_200)), 200)]
        {
            for most in [1, 10, 200] {
                let found = all(&stage.store, of, span(3, None), most).await;
                assert_eq!(found, expected(card, &days, None), "{when}");
            }
            let found = all(&stage.store, of, span(3, Some(false)), 3).await;
            assert_eq!(found, expected(card, &days, Some(true)), "{when}");
            let found = all(&stage.store, of, span(1, Some(true)), 3).await;
            assert_eq!(found, expected(card, &days[..1], Some(false)), "{when}");
        }
        let early = [&days[..], &[(-1, 400)]].concat();
        let found = all(&stage.store, DecidedOf::Card(CardId(7)), span(4, None), 50).await;
        assert_eq!(found, expected(7, &early, None), "{when}");
        let nobody = page(&stage.store, DecidedOf::Card(CardId(9_999)), span(4, None), 50).await;
        assert!(nobody.lines.is_empty() && nobody.next.is_none());
        summarize(&stage.store).await;
        // Rows that are added afterwards stand in pages without a summary, or in one with it.
        stage.run("UPDATE card_authorization SET reversed = 1 WHERE card_id % 3 = 1").await;
    }
    stage.close().await;
}

/// What PostgreSQL counted of a table's partition, once whoever read is gone.
async fn counted(stage: &Stage, reader: Store, what: &str) -> i64 {
    let name = format!("cardswitch/{}", reader.owner());
    reader.pool().close().await;
    let there = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'");
    while stage.count(&there).await > 0 {
        tokio::task::yield_now().await;
    }
    stage.count(what).await
}

#[tokio::test]
async fn a_day_is_read_by_its_summaries_and_not_as_a_whole() {
    let stage = Stage::new().await;
    stage.store.make_days(Timestamp(MIDNIGHT), 2).await.expect("days");
    // The cards of the first half are not those of the second.
    fill(&stage, 2, 30_000).await;
    stage
        .run("UPDATE card_authorization SET card_id = card_id + 500 WHERE id % 1000000 < 15000")
        .await;
    let pages = "SELECT pg_relation_size('card_authorization_20261120') / 8192";
    let pages = stage.count(pages).await;
    let ranges = u64::try_from(pages / 32).expect("a count");
    assert!(ranges > 20, "{pages} pages");
    assert_eq!(summarize(&stage.store).await, ranges, "whole ranges alone");
    let reader = stage.another().await;
    let found = all(&reader, DecidedOf::Card(CardId(507)), span(1, None), 200).await;
    assert_eq!(found.len(), 75);
    let scans = "SELECT idx_scan FROM pg_stat_all_indexes
        WHERE relname = 'card_authorization_20261120' AND indexrelname ~ 'card_id_balance_id'";
    assert_eq!(counted(&stage, reader, scans).await, 1, "by summaries");
    let whole = "SELECT seq_scan FROM pg_stat_all_tables
        WHERE relname = 'card_authorization_20261120'";
    let before = stage.count(whole).await;
    let keys = "SELECT idx_scan FROM pg_stat_all_indexes
        WHERE indexrelname = 'card_authorization_20261120_pkey'";
    let by_key = stage.count(keys).await;
    let reader = stage.another().await;
    all(&reader, DecidedOf::Balance(BalanceId(1_007)), span(1, None), 200).await;
    assert_eq!(counted(&stage, reader, scans).await, 2);
    assert_eq!((stage.count(whole).await, stage.count(keys).await), (before, by_key));
    stage.close().await;
}

#[tokio::test]
async fn what_changes_of_a_row_still_needs_no_entry_in_any_index() {
    let stage = Stage::new().await;
    stage.store.make_days(Timestamp(MIDNIGHT), 2).await.expect("days");
    fill(&stage, 2, 4_000).await;
    summarize(&stage.store).await;
    let writer = stage.another().await;
    // One row of each page, as reversals are few: the page has room for it.
    let change = "UPDATE card_authorization SET reversed = 100, closed = true
        WHERE id % 1000000 % 40 = 0";
    sqlx::query(change).execute(writer.pool()).await.expect("changed");
    let hot = "SELECT n_tup_hot_upd FROM pg_stat_all_tables
        WHERE relname = 'card_authorization_20261120'";
    assert_eq!(counted(&stage, writer, hot).await, 100);
    stage.close().await;
}

#[tokio::test]
async fn a_page_that_takes_too_long_says_where_to_go_on() {
    let stage = Stage::new().await;
    stage.store.make_days(Timestamp(MIDNIGHT), 2).await.expect("days");
    fill(&stage, 2, 1_000).await;
    let of = DecidedOf::Card(CardId(7));
    let none = stage.store.decided(of, span(1, None), 10, Duration::ZERO).await.expect("an answer");
    assert!(none.is_none());
    // Somebody has the table of a day locked, and the days before it are not reached.
    let mut holder = stage.session("holder").await;
    sqlx::raw_sql("BEGIN; LOCK TABLE card_authorization_20261119 IN ACCESS EXCLUSIVE MODE")
        .execute(&mut holder)
        .await
        .expect("locked");
    let patience = Duration::from_millis(500);
    let half = stage.store.decided(of, span(2, None), 200, patience).await.expect("an answer");
    let half = half.expect("its first day was read");
    assert_eq!(half.lines.len(), 5);
    let next = half.next.expect("there may be more");
    assert_eq!(next, DecidedPosition::before(Timestamp(MIDNIGHT + 2 * DAY)));
    let late = stage
        .store
        .explain_of_card((CardId(7), AuthorizationId(2_000_006)), 10, patience)
        .await
        .expect("an answer");
    assert!(matches!(late, Explaining::Late), "{late:?}");
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.expect("let go");
    let rest = DecidedSpan { before: next, ..span(2, None) };
    assert!(page(&stage.store, of, rest, 200).await.next.is_none());
    stage.close().await;
}

#[tokio::test]
async fn summaries_go_with_their_day_and_are_the_functions_alone() {
    let mut stage = Stage::new().await;
    stage.store = stage.store.set_projector_apart().await.expect("roles");
    stage.store.make_days(Timestamp(MIDNIGHT), 2).await.expect("days");
    let owner = stage.another().await;
    assert_eq!(summarize(&stage.store).await, 0, "there is nothing yet");
    owner.pool().close().await;
    for write in ["DELETE FROM history_summary", "UPDATE history_summary SET pages = 0"] {
        let done = sqlx::query(sqlx::AssertSqlSafe(write)).execute(stage.store.pool()).await;
        let error = done.expect_err("not this role");
        let code = error.as_database_error().and_then(|error| error.code().map(String::from));
        assert_eq!(code.as_deref(), Some("42501"), "{write}");
    }
    stage.close().await;
    let stage = Stage::new().await;
    stage.store.make_days(Timestamp(MIDNIGHT), 2).await.expect("days");
    fill(&stage, 1, 4_000).await;
    assert!(summarize(&stage.store).await > 0);
    assert_eq!(stage.count("SELECT count(*) FROM history_summary").await, 1);
    stage.run("DROP TABLE card_authorization_20261119").await;
    assert_eq!(summarize(&stage.store).await, 0);
    assert_eq!(stage.count("SELECT count(*) FROM history_summary").await, 0);
    stage.close().await;
}
