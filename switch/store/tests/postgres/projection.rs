//! Projection and load: every record becomes rows exactly once, and the rows are the state (W-23).

use std::time::Duration;

use switch_domain::{
    BalanceState, CardStatus, Cause, CustomerId, CustomerState, DoneCommand, Effects, Event,
    IdempotencyKey, LockCode, LockRefusal, MinorUnits, PoolShare, Reason, Record, Seq, ShardImage,
    TakenOver, Timestamp,
};
use switch_store::{CommittedBatch, Moves, Store, Tables, books};

use crate::life::{
    CONTROL, SHARD, START, answered, authorization, balance, card, control_rows, keep_cards,
    partner, pool, record, shard_rows,
};
use crate::stage::{Projecting, Stage, Writer};

/// More than there are.
const MOST: usize = 1_000;

/// Both shards' rows in the journal, and the data shard's batches.
pub(crate) async fn journalled(stage: &Stage) -> Vec<CommittedBatch> {
    let vault = keep_cards(&stage.store).await;
    let mut control = Writer::new(&stage.store, CONTROL);
    for records in control_rows() {
        control.append(&records).await;
    }
    let mut writer = Writer::new(&stage.store, SHARD);
    let mut batches = Vec::new();
    for records in shard_rows(vault) {
        batches.push(writer.append(&records).await);
    }
    batches
}

async fn image(store: &Store) -> ShardImage {
    store.load(SHARD, Timestamp(START), MOST).await.expect("an image")
}

async fn all_of(store: &Store) -> String {
    let control = store.load(CONTROL, Timestamp(START), MOST).await.expect("an image");
    format!("{control:#?}\n{:#?}", image(store).await)
}

/// The control shard's rows, and the data shard's, by projectors that read the journal.
pub(crate) async fn project_all(stage: &Stage) {
    Projecting::start(&stage.store, CONTROL).finish().await;
    Projecting::start(&stage.store, SHARD).finish().await;
}

#[tokio::test]
async fn rows_are_the_state_that_the_records_describe() {
    let stage = Stage::new().await;
    let batches = journalled(&stage).await;
    project_all(&stage).await;
    let control = stage.store.load(CONTROL, Timestamp(START), MOST).await.expect("an image");
    assert_eq!((control.projected, control.last_counter), (Seq(2), 3));
    assert_eq!(control.control.version, 4);
    let programme = control.control.programme_of(switch_domain::Bin(99_999_913));
    assert_eq!(programme.map(|one| one.name.as_str()), Some("Debit Gold"));
    let share = |level, held| PoolShare { level: MinorUnits(level), held: MinorUnits(held) };
    assert_eq!(control.shares, [(pool(), share(100_000, 0))]);
    assert_eq!(control.commands.len(), 5);

    let image = image(&stage.store).await;
    let last = batches.last().expect("batches").seq;
    assert_eq!((image.projected, image.last_counter), (last, 151));
    assert_eq!(image.last_decided, Timestamp(START + 36_000_000));
    let [first, second] = image.balances.as_slice() else { panic!("{:?}", image.balances) };
    assert_eq!((first.ledger.0, first.held.0), (50_000, 1_900));
    assert_eq!((second.ledger.0, second.state), (0, BalanceState::Closed));
    assert_eq!(image.customers, [(CustomerId(71), CustomerState::Blocked)]);
    assert_eq!(image.shares, [(pool(), share(0, 1_900))]);
    let [(one, _), (two, _)] = image.cards.as_slice() else { panic!("{:?}", image.cards) };
    assert_eq!(
        (one.id, one.status, one.lock, one.approvals),
        (card(1), CardStatus::Active, None, 5)
    );
    assert_eq!((two.status, two.lock), (CardStatus::Inactive, Some(LockCode::Stolen)));
    let keys: Vec<_> = image.commands.iter().map(|one| (one.key.0[0], one.made)).collect();
    assert_eq!(keys.len(), 13);
    assert_eq!(keys[0], (10, Some(balance(1).0)));
    assert!(keys.contains(&(14, None)));
    assert_eq!(books(&stage.store).await.expect("a check"), []);
    stage.close().await;
}

#[tokio::test]
async fn a_chunk_that_is_spread_over_time_is_written_whole() {
    let stage = Stage::new().await;
    let rows = "SELECT count(*) FROM card_authorization";
    let records = |from: u64| -> Vec<Record> {
        (from..from + 800).map(|one| answered(1, one, 100, Reason::Approved, 1)).collect()
    };
    let mut tables = stage.store.tables();
    tables.spread(Duration::from_millis(20));
    for (seq, after, from) in [(Seq(0), Seq::NONE, 1_000), (Seq(1), Seq(0), 2_000)] {
        let before = stage.count(rows).await;
        let batch = CommittedBatch { seq, records: records(from).into() };
        assert!(tables.write(SHARD, after, &[batch]).await.expect("written"));
        assert_eq!(stage.count(rows).await, before + 800, "several pieces, one transaction");
    }
    let ids = "SELECT count(DISTINCT (id, rrn)) FROM card_authorization";
    assert_eq!(stage.count(ids).await, 1_600);
    stage.close().await;
}

#[tokio::test]
async fn history_does_not_wait_for_a_flush() {
    let stage = Stage::new().await;
    let batches = journalled(&stage).await;
    let (first, rest) = batches.split_at(4);
    let mut tables = stage.store.tables();
    assert!(tables.write(SHARD, Seq::NONE, first).await.expect("written"));
    let mut moves = Moves::default();
    first.iter().for_each(|batch| moves.add(batch.seq, &batch.records));
    assert!(moves.rows() > 0);
    // Somebody looks at the balances, and the flush has to wait for that.
    let mut onlooker = stage.session("onlooker").await;
    let look = "BEGIN; SELECT FROM balance FOR UPDATE";
    sqlx::raw_sql(look).execute(&mut onlooker).await.expect("rows");
    let mut flusher = tables.clone();
    let flush = tokio::spawn(async move {
        flusher.flush(SHARD, Seq::NONE, Seq(3), &moves).await.expect("flushed")
    });
    stage.until_waiting(&stage.store).await;
    assert!(tables.write(SHARD, Seq(3), &rest[..1]).await.expect("written meanwhile"));
    sqlx::raw_sql("ROLLBACK").execute(&mut onlooker).await.expect("done looking");
    assert!(flush.await.expect("no panic"));
    let position = tables.position(SHARD).await.expect("a position");
    assert_eq!((position.history, position.flushed), (Seq(4), Seq(3)));
    stage.close().await;
}

#[tokio::test]
async fn authorizations_come_back_with_their_answers() {
    let stage = Stage::new().await;
    journalled(&stage).await;
    project_all(&stage).await;
    let image = image(&stage.store).await;
    let found: Vec<_> = image
        .authorizations
        .iter()
        .map(|one| {
            let code = one.approval_code.is_some();
            (one.id, one.reason, code, one.totals.authorized.0, one.held().0, one.closed)
        })
        .collect();
    let (approved, voided) = (Reason::Approved, Reason::IssuerInoperative);
    assert_eq!(
        found,
        [
            (authorization(1), approved, true, 2_500, 0, true),
            (authorization(2), Reason::InsufficientFunds, false, 0, 0, true),
            (authorization(3), voided, false, 1_000, 0, true),
            (authorization(4), voided, false, 800, 0, true),
            (authorization(5), Reason::ApprovedPartially, true, 700, 700, false),
            (authorization(6), approved, true, 1_200, 1_200, false),
        ]
    );
    let reversals: Vec<_> =
        image.reversals.iter().map(|one| (one.key.stan, one.reason, one.original)).collect();
    let accepted = Reason::ReversalAccepted;
    assert_eq!(reversals, [(50, accepted, Some(authorization(1))), (51, accepted, None)]);
    let early = image.reversals[1].reference;
    assert_eq!((early.key.stan, early.transmitted), (999, 1_123_094_501));

    // A window that begins later leaves out what came before it: it is looked up when asked for.
    let later = Timestamp(START + 36_000_000);
    let later = stage.store.load(SHARD, later, MOST).await.expect("an image");
    let ids: Vec<_> = later.authorizations.iter().map(|one| one.id).collect();
    assert_eq!((ids, later.complete), (vec![authorization(6)], false));
    assert!(later.reversals.is_empty() && later.commands.is_empty());
    assert_eq!(later.balances, image.balances);

    // So does a limit: the latest stay.
    let few = stage.store.load(SHARD, Timestamp(START), 2).await.expect("an image");
    let ids: Vec<_> = few.authorizations.iter().map(|one| one.id).collect();
    assert_eq!((ids, few.complete), (vec![authorization(5), authorization(6)], false));
    assert_eq!(few.balances, image.balances);
    assert!(image.complete);
    stage.close().await;
}

/// A batch at a time, all at once, from the journal alone, with gaps: the rows are the same.
#[tokio::test]
async fn however_the_batches_come_the_rows_are_the_same() {
    let reference = Stage::new().await;
    let batches = journalled(&reference).await;
    project_all(&reference).await;
    let expected = all_of(&reference.store).await;
    for way in ["one by one", "all at once", "the last alone", "twice", "backwards"] {
        let stage = Stage::new().await;
        let mut given = batches.clone();
        let mut control = Writer::new(&stage.store, CONTROL);
        keep_cards(&stage.store).await;
        for records in control_rows() {
            control.append(&records).await;
        }
        Projecting::start(&stage.store, CONTROL).finish().await;
        // The projector is started on an empty journal, so that it lives on what it is given.
        let mut projecting = Projecting::start(&stage.store, SHARD);
        let mut writer = Writer::new(&stage.store, SHARD);
        for batch in &batches {
            writer.append(&batch.records).await;
        }
        match way {
            "the last alone" => given = given.split_off(batches.len() - 1),
            "twice" => given.extend(batches.clone()),
            "backwards" => given.reverse(),
            _ => {}
        }
        for batch in &given {
            projecting.give(batch);
            if way == "one by one" {
                projecting.until(batch.seq).await;
            }
        }
        projecting.finish().await;
        assert_eq!(all_of(&stage.store).await, expected, "{way}");
        stage.close().await;
    }
    reference.close().await;
}

/// A projector dies in the middle, at every place, and another goes over the same batches again.
#[tokio::test]
async fn a_crash_between_chunks_loses_and_doubles_nothing() {
    let reference = Stage::new().await;
    let batches = journalled(&reference).await;
    project_all(&reference).await;
    let expected = all_of(&reference.store).await;
    for died_after in 0..batches.len() {
        let stage = Stage::new().await;
        journalled(&stage).await;
        stage.run("CREATE TABLE held_back AS SELECT * FROM journal WHERE shard = 1").await;
        stage.run(&format!("DELETE FROM journal WHERE shard = 1 AND seq > {died_after}")).await;
        Projecting::start(&stage.store, CONTROL).finish().await;
        let mut first = Projecting::start(&stage.store, SHARD);
        first.until(Seq(i64::try_from(died_after).expect("small"))).await;
        stage.run("INSERT INTO journal SELECT * FROM held_back ON CONFLICT DO NOTHING").await;
        batches.iter().for_each(|batch| first.give(batch));
        first.task.abort();
        let second = Projecting::start(&stage.store, SHARD);
        batches.iter().for_each(|batch| second.give(batch));
        second.finish().await;
        assert_eq!(all_of(&stage.store).await, expected, "died after row {died_after}");
        assert_eq!(books(&stage.store).await.expect("a check"), []);
        stage.close().await;
    }
    reference.close().await;
}

/// Two at once, as when an old owner still projects: the watermark lets one of them in at a time.
#[tokio::test]
async fn two_projectors_of_one_shard_do_the_work_once() {
    let stage = Stage::new().await;
    let batches = journalled(&stage).await;
    Projecting::start(&stage.store, CONTROL).finish().await;
    let another = stage.another().await;
    let (one, two) = (Projecting::start(&stage.store, SHARD), Projecting::start(&another, SHARD));
    for batch in &batches {
        one.give(batch);
        two.give(batch);
    }
    one.finish().await;
    two.finish().await;
    assert_eq!(books(&stage.store).await.expect("a check"), []);
    let image = image(&stage.store).await;
    assert_eq!((image.balances[0].ledger.0, image.balances[0].held.0), (50_000, 1_900));
    let events = stage.count("SELECT count(*) FROM authorization_event").await;
    assert_eq!(events, 4, "two reversals, two voids");
    assert_eq!(stage.count("SELECT count(*) FROM card_authorization").await, 6);
    assert_eq!(stage.count("SELECT count(*) FROM posting").await, 6);
    another.pool().close().await;
    stage.close().await;
}

/// Connections that die under a projector cost it nothing but time.
#[tokio::test]
async fn a_projector_outlives_its_connections() {
    let stage = Stage::new().await;
    let batches = journalled(&stage).await;
    Projecting::start(&stage.store, CONTROL).finish().await;
    let mut projecting = Projecting::start(&stage.store, SHARD);
    for batch in &batches {
        stage
            .run(&format!(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                 WHERE application_name = 'cardswitch/{}' AND pid <> pg_backend_pid()",
                stage.store.owner()
            ))
            .await;
        projecting.give(batch);
        projecting.until(batch.seq).await;
    }
    projecting.finish().await;
    assert_eq!(books(&stage.store).await.expect("a check"), []);
    stage.close().await;
}

/// What the tables do not have yet is in the tail: together they are all there is.
#[tokio::test]
async fn rows_and_tail_meet_without_gap_or_overlap() {
    let stage = Stage::new().await;
    let batches = journalled(&stage).await;
    assert_eq!(stage.store.projected(SHARD).await.expect("a look"), Seq::NONE);
    assert_eq!(image(&stage.store).await.projected, Seq::NONE);
    project_all(&stage).await;
    let image = image(&stage.store).await;
    assert_eq!(stage.store.projected(SHARD).await.expect("a look"), image.projected);
    assert_eq!(stage.store.tail(SHARD, image.projected).await.expect("a tail"), []);
    let all = stage.store.tail(SHARD, Seq::NONE).await.expect("a tail");
    assert_eq!(all.len(), batches.len());
    for ((seq, records), batch) in all.iter().zip(&batches) {
        assert_eq!((*seq, records.as_slice()), (batch.seq, batch.records.as_slice()));
    }
    stage.close().await;
}

/// No record may stop a shard for ever: not even one from the end of time (W-23).
#[tokio::test]
async fn times_out_of_range_are_projected_all_the_same() {
    let stage = Stage::new().await;
    let mut writer = Writer::new(&stage.store, SHARD);
    for at in [i64::MIN, 0, i64::MAX] {
        let event = Event::TakenOver(TakenOver {
            shard: SHARD,
            epoch: switch_domain::Epoch(1),
            owner: stage.store.owner(),
            shards: 2,
        });
        let mut one = record(0, Cause::Switch, event, Effects::default());
        one.at = Timestamp(at);
        writer.append(&[one]).await;
    }
    Projecting::start(&stage.store, SHARD).finish().await;
    assert_eq!(stage.count("SELECT count(*) FROM audit_entry").await, 3);
    stage.close().await;
}

/// Every kind of record leaves its audit row, with actor, key and what it made.
#[tokio::test]
async fn commands_are_audited_and_messages_are_not() {
    let stage = Stage::new().await;
    journalled(&stage).await;
    project_all(&stage).await;
    let commands: Vec<Record> = control_rows().concat();
    assert!(commands.iter().all(|record| matches!(record.cause, Cause::Command { .. })));
    let of = |filter: &str| format!("SELECT count(*) FROM audit_entry WHERE {filter}");
    assert_eq!(stage.count(&of("actor = 'operator:7'")).await, 18);
    assert_eq!(stage.count(&of("actor = 'switch' AND kind = 'voided'")).await, 2);
    assert_eq!(stage.count(&of("kind = 'authorized' OR kind = 'reversed'")).await, 0);
    let made = format!("kind = 'partner_defined' AND made_id = {}", partner());
    assert_eq!(stage.count(&of(&made)).await, 1);
    assert_eq!(stage.count(&of("kind = 'card_lock_changed' AND detail = 'lock 2'")).await, 1);
    let refused = "kind = 'lock_refused' AND detail = 'not_allowed lock 7' AND made_id IS NULL";
    assert_eq!(stage.count(&of(refused)).await, 1);
    let key = IdempotencyKey([20; 16]);
    let commands = image(&stage.store).await.commands;
    assert!(
        commands.iter().any(|one| one.key == key && one.made.is_none() && one.digest.is_some())
    );
    let refused = |one: &&DoneCommand| one.refused == Some(LockRefusal::NotAllowed);
    let refused: Vec<_> = commands.iter().filter(refused).map(|one| one.key).collect();
    assert_eq!(refused, [IdempotencyKey([25; 16])]);
    stage.close().await;
}
