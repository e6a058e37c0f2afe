//! The ledger as people ask for it: debits are credits, a statement goes from what stood before to
//! what stands now, whatever part of it is asked for, and suspense lists what nothing was done
//! about.

use switch_domain::{MinorUnits, Reason, StandIn, Timestamp};
use switch_store::{Reconciled, Span, Standing, Statement, Store};

use crate::life::{
    CONTROL, SHARD, START, advised, authorization, balance, control_rows, euro, keep_cards,
    shard_rows,
};
use crate::projection::{journalled, project_all};
use crate::stage::{Stage, Writer};

const ALL: Span = Span { from: Timestamp(0), to: Timestamp(i64::MAX) };

async fn projected() -> Stage {
    let stage = Stage::new().await;
    journalled(&stage).await;
    project_all(&stage).await;
    stage
}

async fn statement(store: &Store, number: u64, span: Span, most: u32) -> Statement {
    let read = store.statement(balance(number), span, most).await.expect("a statement");
    read.expect("an account")
}

fn follows_line_by_line(statement: &Statement) {
    let mut stands = statement.opening;
    for line in &statement.lines {
        assert_eq!(line.before, stands);
        let ledger = stands.ledger + i128::from(line.amount.0);
        stands = Standing { ledger, held: stands.held + i128::from(line.held.0) };
        assert_eq!(line.after, stands);
    }
    assert_eq!(statement.closing, stands);
}

#[tokio::test]
async fn debits_are_credits_by_kind_and_account_by_account() {
    let stage = projected().await;
    let kinds = stage.store.trial_balance(false).await.expect("a trial balance");
    let each = stage.store.trial_balance(true).await.expect("a trial balance");
    for lines in [&kinds, &each] {
        assert_eq!(lines.iter().map(|line| line.amount).sum::<i128>(), 0, "{lines:?}");
        assert!(lines.iter().all(|line| u16::try_from(line.currency) == Ok(euro().numeric())));
    }
    assert!(kinds.iter().all(|line| line.id.is_none()));
    for kind in &kinds {
        let of_it = each.iter().filter(|line| line.account == kind.account);
        assert_eq!(of_it.clone().map(|line| line.amount).sum::<i128>(), kind.amount);
        assert_eq!(of_it.map(|line| line.postings).sum::<i64>(), kind.postings);
    }
    let told = stage.count("SELECT count(*) FROM posting").await;
    assert_eq!(kinds.iter().map(|line| line.postings).sum::<i64>(), told);
    // A sum that is carried from a day no longer kept counts too.
    stage
        .run("INSERT INTO posting_carried VALUES ('pool', 77, 978, 5), ('memorandum', 78, 978, -5)")
        .await;
    let carried = stage.store.trial_balance(true).await.expect("a trial balance");
    let of_pool = carried.iter().find(|line| line.id == Some(77)).expect("a line");
    assert_eq!((of_pool.amount, of_pool.postings), (5, 0));
    stage.close().await;
}

#[tokio::test]
async fn a_statement_goes_from_what_stood_before_to_what_stands_now() {
    let stage = projected().await;
    let store = &stage.store;
    let whole = statement(store, 1, ALL, 1_000).await;
    follows_line_by_line(&whole);
    let nothing = Standing::default();
    assert_eq!((whole.opening, whole.closing), (nothing, whole.now), "from nothing to all of it");
    let moved: Vec<_> =
        whole.lines.iter().map(|line| (&*line.kind, line.amount.0, line.held.0)).collect();
    assert_eq!(
        moved,
        [
            ("balance_credited", 30_000, 0),
            ("balance_credited", 20_000, 0),
            ("authorized", 0, 2_500),
            ("authorized", 0, 1_000),
            ("authorized", 0, 800),
            ("voided", 0, -800),
            ("voided", 0, -1_000),
            ("reversed", 0, -2_500),
            ("authorized", 0, 700),
            ("authorized", 0, 1_200),
        ]
    );
    assert!(!whole.more);
    let stored = "SELECT ledger FROM balance ORDER BY id LIMIT 1";
    assert_eq!(whole.now.ledger, i128::from(stage.count(stored).await));
    assert_eq!((whole.now.held, whole.now.available()), (1_900, 48_100));
    let first = &whole.lines[0];

    // What was posted before a span stands in its opening, what came after in neither.
    let after_first = Span { from: Timestamp(first.at.0 + 1), to: ALL.to };
    let rest = statement(store, 1, after_first, 1_000).await;
    follows_line_by_line(&rest);
    assert_eq!((rest.opening, rest.closing), (first.after, whole.closing));
    assert_eq!(rest.lines, whole.lines[1..]);
    let only_first = Span { from: ALL.from, to: after_first.from };
    let begun = statement(store, 1, only_first, 1_000).await;
    assert_eq!((begun.opening, begun.closing), (nothing, first.after));
    assert_eq!(begun.now, whole.now, "now is now, whatever span is asked for");
    let before_all = Span { from: ALL.from, to: Timestamp(START - 1) };
    let earlier = statement(store, 1, before_all, 1_000).await;
    assert_eq!((earlier.opening, earlier.lines.len(), earlier.closing), (nothing, 0, nothing));

    let unknown = store.statement(balance(99), ALL, 10).await.expect("an answer");
    assert_eq!(unknown, None);
    // As a switch that serves, and whoever asks beside it.
    let apart = store.set_projector_apart().await.expect("roles");
    assert_eq!(statement(&apart, 1, ALL, 1_000).await, whole);
    assert!(apart.trial_balance(true).await.is_ok() && apart.suspended(ALL, 9).await.is_ok());
    stage.close().await;
}

#[tokio::test]
async fn what_stands_now_is_compared_with_what_it_follows_from() {
    let stage = projected().await;
    let reconciled = || async {
        let read = stage.store.reconcile_balance(balance(1)).await.expect("an answer");
        read.expect("an account")
    };
    let now = Standing { ledger: 50_000, held: 1_900 };
    assert_eq!(reconciled().await, Reconciled { stated: now, computed: now });
    stage.run("UPDATE balance SET held = held + 5, ledger = ledger - 7").await;
    let stated = Standing { ledger: 49_993, held: 1_905 };
    assert_eq!(reconciled().await, Reconciled { stated, computed: now });
    let unknown = stage.store.reconcile_balance(balance(99)).await.expect("an answer");
    assert_eq!(unknown, None);
    stage.close().await;
}

#[tokio::test]
async fn the_latest_postings_come_first_and_no_more_than_are_wanted() {
    let stage = projected().await;
    let latest = |since, most| stage.store.latest_postings(balance(1), Timestamp(since), most);
    let all = latest(0, 10).await.expect("postings");
    let amounts: Vec<_> = all.iter().map(|one| one.amount.minor.0).collect();
    assert_eq!(amounts, [20_000, 30_000]);
    assert!(all[0].at > all[1].at && all[0].amount.currency == euro());
    assert_eq!(latest(0, 1).await.expect("postings"), all[..1]);
    assert_eq!(latest(all[0].at.0, 10).await.expect("postings"), all[..1]);
    assert_eq!(latest(all[0].at.0 + 1, 10).await.expect("postings"), []);
    stage.close().await;
}

#[tokio::test]
async fn more_lines_than_asked_for_are_said_to_be_there() {
    let stage = projected().await;
    // One more posting for the account, the same day, balanced by another.
    stage
        .run(
            "INSERT INTO posting SELECT shard, seq + 1000, idx, at + interval '1 second',
                record_idx, partner_id, kind, account, account_id, amount, currency
            FROM posting WHERE account = 'balance';
            UPDATE balance SET ledger = ledger * 2",
        )
        .await;
    let all = statement(&stage.store, 1, ALL, 1_000).await;
    let part = statement(&stage.store, 1, ALL, 1).await;
    assert!(all.lines.len() > 1 && !all.more);
    assert!(part.more);
    assert_eq!(part.lines, all.lines[..1]);
    assert_eq!(part.closing, part.lines[0].after);
    follows_line_by_line(&part);
    stage.close().await;
}

#[tokio::test]
async fn suspense_lists_advices_that_nothing_was_done_about() {
    let stage = Stage::new().await;
    let vault = keep_cards(&stage.store).await;
    let mut control = Writer::new(&stage.store, CONTROL);
    for records in control_rows() {
        control.append(&records).await;
    }
    let mut writer = Writer::new(&stage.store, SHARD);
    for records in shard_rows(vault) {
        writer.append(&records).await;
    }
    let suspended = advised(50, StandIn::Suspense(Reason::NoRoute));
    let forced = advised(51, StandIn::Forced(Reason::InsufficientFunds));
    writer.append(&[suspended.clone(), forced]).await;
    project_all(&stage).await;
    let found = stage.store.suspended(ALL, 10).await.expect("a list");
    let one = found.iter().find(|one| one.id == authorization(50).0).expect("in suspense");
    assert!(found.iter().all(|one| one.id != authorization(51).0), "that one holds: {found:?}");
    let forced = stage.store.forced(ALL, 10).await.expect("a list");
    let other = forced.iter().find(|one| one.id == authorization(51).0).expect("forced");
    assert_eq!(other.reason, "insufficient_funds");
    assert!(forced.iter().all(|one| one.id != authorization(50).0), "{forced:?}");
    assert_eq!(one.reason, "no_route");
    assert_eq!((one.at, one.amount), (suspended.at, MinorUnits(500)));
    let later = Span { from: Timestamp(one.at.0 + 1), to: ALL.to };
    let rest = stage.store.suspended(later, 10).await.expect("a list");
    assert!(rest.iter().all(|one| one.id != authorization(50).0));
    assert_eq!(stage.store.suspended(ALL, 0).await.expect("a list"), []);
    stage.close().await;
}
