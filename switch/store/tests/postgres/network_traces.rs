//! The network's own identifiers in the tables: they come back as they went, and authorizations and
//! early reversals are found by them over days and parts of the index (W-21). That the simulated
//! database tells the same story is `parity`.

use switch_domain::{
    Event, Fingerprint, Forgotten, NetworkTrace, Record, Seq, Timestamp, Traces, VaultRef,
};
use switch_store::{Tables, decode_records, encode_records};

use crate::advices;
use crate::life::{SHARD, START, keep_cards};
use crate::stage::{Projecting, Stage, Writer};

fn trace(number: u64) -> NetworkTrace {
    NetworkTrace::new(format!("T{:014}", number % 3).as_bytes()).expect("a trace")
}

/// The story of advices, in which every message but each fourth has one of three traces.
pub(crate) fn rows(vault: [VaultRef; 2]) -> Vec<Vec<Record>> {
    let mut rows = advices::rows(vault);
    for record in rows.iter_mut().flatten() {
        match &mut record.event {
            Event::Authorized(one) if !one.id.counter().is_multiple_of(4) => {
                one.facts.network_trace = trace(one.id.counter());
            }
            Event::Reversed(one) if !one.id.counter().is_multiple_of(4) => {
                one.reference.network_trace = trace(one.id.counter());
            }
            _ => {}
        }
    }
    rows
}

async fn journalled(stage: &Stage) -> Vec<Record> {
    let vault = keep_cards(&stage.store).await;
    let mut writer = Writer::new(&stage.store, SHARD);
    let rows = rows(vault);
    for records in &rows {
        writer.append(records).await;
    }
    Projecting::start(&stage.store, SHARD).finish().await;
    rows.concat()
}

/// A question by traces alone: nothing has this key.
fn by_trace(card: Fingerprint, traces: Traces) -> Forgotten {
    let original = switch_domain::OriginalKey {
        acquirer: switch_domain::Acquirer::Link(switch_domain::LinkId(9)),
        stan: 999_999,
        terminal: Default::default(),
        card,
    };
    Forgotten::Message { original, answered: None, traces }
}

#[tokio::test]
async fn they_come_back_as_they_went_and_are_null_where_there_are_none() {
    let stage = Stage::new().await;
    let records = journalled(&stage).await;
    let image = stage.store.load(SHARD, Timestamp(START), 1_000).await.expect("an image");
    let (mut with, mut without) = (0, 0);
    for record in &records {
        match &record.event {
            Event::Authorized(made) => {
                let row = image.authorizations.iter().find(|one| one.id == made.id).expect("a row");
                assert_eq!(row.facts, made.facts);
                if made.facts.network_trace.is_none() { without += 1 } else { with += 1 }
            }
            Event::Reversed(made) => {
                let row = image.reversals.iter().find(|one| one.id == made.id).expect("a row");
                assert_eq!(row.reference, made.reference);
            }
            _ => {}
        }
    }
    assert!(with > 3 && without > 1, "{with} {without}");
    let null = "SELECT count(*) FROM card_authorization WHERE network_trace IS NULL";
    assert_eq!(stage.count(null).await, without);
    stage.run("UPDATE card_authorization SET network_trace = repeat('9', 16)").await;
    let damaged = stage.store.load(SHARD, Timestamp(START), 1_000).await;
    assert!(matches!(
        damaged,
        Err(switch_store::StoreError::IllegalValue { column: "network_trace", .. })
    ));
    stage.close().await;
}

#[tokio::test]
async fn what_was_let_go_is_found_by_its_trace_and_card() {
    let stage = Stage::new().await;
    let records = journalled(&stage).await;
    let mut tables = stage.store.tables();
    let card = Fingerprint([1; 16]);
    for number in 0..3 {
        let spoken_of = trace(number);
        let what = by_trace(card, Traces { spoken_of, ..Traces::default() });
        let found = tables.recall(SHARD, Seq::NONE, &what).await.expect("asked");
        let found = found.expect("late enough");
        let wanted: Vec<_> = records
            .iter()
            .filter_map(|record| match &record.event {
                Event::Authorized(one) if one.facts.network_trace == spoken_of => Some(one.id),
                _ => None,
            })
            .collect();
        let mut wanted = wanted;
        wanted.sort_unstable();
        let ids: Vec<_> = found.traced.iter().map(|one| one.id).collect();
        assert_eq!(ids, wanted);
        assert!(found.authorizations.is_empty() && found.early.is_empty());

        // Of its own trace, also the reversals that gave nothing back.
        let what = by_trace(card, Traces { own: spoken_of, ..Traces::default() });
        let found = tables.recall(SHARD, Seq::NONE, &what).await.expect("asked");
        let found = found.expect("late enough");
        // Some under the keys that such reversals name, with all else that has them.
        let all = found.traced.iter().chain(&found.authorizations);
        let traced = all.filter(|one| one.facts.network_trace == spoken_of);
        let mut ids: Vec<_> = traced.map(|one| one.id).collect();
        ids.sort_unstable();
        assert_eq!(ids, wanted);
        let early = found.early.iter().filter(|one| one.reference.network_trace == spoken_of);
        let early: Vec<_> = early.map(|one| one.id).collect();
        let gave_nothing: Vec<_> = records
            .iter()
            .filter_map(|record| match &record.event {
                Event::Reversed(one) if record.effects.authorization.is_none() => {
                    (one.reference.network_trace == spoken_of).then_some(one.id)
                }
                _ => None,
            })
            .collect();
        assert_eq!(early, gave_nothing);

        let of_another =
            by_trace(Fingerprint([2; 16]), Traces { spoken_of, own: spoken_of, leads_to: None });
        let found = tables.recall(SHARD, Seq::NONE, &of_another).await.expect("asked");
        assert_eq!(found, Some(Default::default()));
    }
    stage.close().await;
}

/// The same message again, far away: as in `forgotten`. The last day has no partition of its own.
#[tokio::test]
async fn every_day_and_every_part_of_its_index_is_asked() {
    let stage = Stage::new().await;
    stage.store.make_days(Timestamp(START), 2).await.expect("days");
    let records = journalled(&stage).await;
    let first = records.iter().find_map(|record| match &record.event {
        Event::Authorized(one) if !one.facts.network_trace.is_none() => Some(one.clone()),
        _ => None,
    });
    let first = first.expect("one with a trace");
    let copies: [(i64, i64); 4] = [(1, 0), (8, 1), (91, 2), (140, 40)];
    for (parts, days) in copies {
        stage
            .run(&format!(
                "CREATE TEMP TABLE copied AS SELECT * FROM card_authorization WHERE id = {};
                UPDATE copied SET id = id + ({parts}::int8 << 22), network_trace = 'FAR',
                    decided_at = decided_at + {days} * interval '1 day';
                INSERT INTO card_authorization SELECT * FROM copied;
                DROP TABLE copied",
                first.id.0
            ))
            .await;
    }
    assert_eq!(stage.count("SELECT count(*) FROM card_authorization_rest").await, 1);
    let spoken_of = NetworkTrace::new(b"FAR").expect("a trace");
    let what = by_trace(first.facts.key.card, Traces { spoken_of, ..Traces::default() });
    // As a switch that serves: under a role that reaches partitions by their table alone.
    let apart = stage.store.set_projector_apart().await.expect("roles");
    let found = apart.tables().recall(SHARD, Seq::NONE, &what).await.expect("a look-up");
    let found: Vec<_> = found.expect("late enough").traced.iter().map(|one| one.id.0).collect();
    assert_eq!(found, copies.map(|(parts, _)| first.id.0 + (parts << 22)));
    // Every partition has the index, by whatever way it was made.
    let without =
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'card_authorization'::regclass
        AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = inhrelid
            AND pg_get_indexdef(indexrelid) LIKE '%((id >> 22)), network_trace)%')";
    let mut stage = stage;
    stage.store = apart;
    assert_eq!(stage.count(without).await, 0);
    stage.close().await;
}

/// Rows with them must stay readable: these bytes never change. By hand: the trace under 8 of the
/// facts, and under 9 of what a reversal says of its original.
#[test]
fn the_bytes_are_pinned() {
    let vault = VaultRef { row: 1, version: 1 };
    let all = rows([vault, vault]).concat();
    let of = |record: &Record| -> String {
        encode_records(std::slice::from_ref(record))
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    let trace: String = b"T00000000000001".iter().map(|byte| format!("{byte:02x}")).collect();
    let mut seen = [0, 0];
    for record in &all {
        let bytes = of(record);
        let (is_one, place, tag) = match &record.event {
            Event::Authorized(one) => (one.facts.network_trace == self::trace(1), 0, "420f"),
            Event::Reversed(one) => (one.reference.network_trace == self::trace(1), 1, "4a0f"),
            _ => continue,
        };
        assert_eq!(bytes.contains(&format!("{tag}{trace}")), is_one, "{record:?}");
        seen[place] += u8::from(is_one);
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    let bytes = encode_records(&all);
    assert_eq!(decode_records(switch_store::FORMAT, &bytes).expect("readable"), all);
}
