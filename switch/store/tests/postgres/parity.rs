//! The simulated database against PostgreSQL: one story on both, whose transcripts must be the same
//! word for word. It owns the story; neither database knows which one it is.

use std::fmt::Write as _;
use std::future::Future;
use std::time::Duration;

use switch_domain::{
    Event, Fingerprint, Forgotten, Hold, IdempotencyKey, OriginalReference, OwnerId, Record, Seq,
    ShardId, ShardImage, Timestamp, Traces, VaultRef,
};
use switch_store::{
    Appended, CommittedBatch, Hash, Journal, JournalRow, Moves, SimulatedStore, Store, StoreError,
    Tables, TakenShard, TakeoverMode, Weather,
};

use crate::advices;
use crate::append::story;
use crate::card_security;
use crate::conversions;
use crate::fees;
use crate::financial;
use crate::life::{
    CONTROL, SHARD, START, control_rows, expired, keep_cards, reversed_for_nothing, shard_rows,
};
use crate::network_traces;
use crate::stage::Stage;
use crate::transfers;

const US: OwnerId = OwnerId([1; 16]);
const SHARDS: u16 = 2;

/// What both are asked for.
trait Place {
    fn journal(&self) -> impl Journal;
    fn tables(&self) -> impl Tables;
    fn load(
        &self,
        shard: ShardId,
        start: Timestamp,
        most: usize,
    ) -> impl Future<Output = Result<ShardImage, StoreError>>;
    fn tail(
        &self,
        shard: ShardId,
        after: Seq,
    ) -> impl Future<Output = Result<Vec<(Seq, Vec<Record>)>, StoreError>>;
    /// Another process takes the shards over.
    fn taken_over(&self) -> impl Future<Output = Vec<TakenShard>>;
}

struct Postgres(Stage);

impl Place for Postgres {
    fn journal(&self) -> impl Journal {
        self.0.store.appender()
    }

    fn tables(&self) -> impl Tables {
        self.0.store.tables()
    }

    async fn load(
        &self,
        shard: ShardId,
        start: Timestamp,
        most: usize,
    ) -> Result<ShardImage, StoreError> {
        self.0.store.load(shard, start, most).await
    }

    async fn tail(
        &self,
        shard: ShardId,
        after: Seq,
    ) -> Result<Vec<(Seq, Vec<Record>)>, StoreError> {
        self.0.store.tail(shard, after).await
    }

    async fn taken_over(&self) -> Vec<TakenShard> {
        let other: Store = self.0.another().await;
        let takeover = other.take_over(SHARDS, TakeoverMode::Force).await.expect("a takeover");
        let taken = takeover.shards().to_vec();
        drop(takeover);
        other.pool().close().await;
        taken
    }
}

struct Simulated(SimulatedStore);

impl Place for Simulated {
    fn journal(&self) -> impl Journal {
        self.0.process(US).journal()
    }

    fn tables(&self) -> impl Tables {
        self.0.process(US).tables()
    }

    async fn load(
        &self,
        shard: ShardId,
        start: Timestamp,
        most: usize,
    ) -> Result<ShardImage, StoreError> {
        self.0.process(US).load(shard, start, most).await
    }

    async fn tail(
        &self,
        shard: ShardId,
        after: Seq,
    ) -> Result<Vec<(Seq, Vec<Record>)>, StoreError> {
        self.0.process(US).tail(shard, after).await
    }

    async fn taken_over(&self) -> Vec<TakenShard> {
        let other = self.0.process(OwnerId([9; 16]));
        other.take_over(SHARDS, Timestamp(START)).await.expect("a takeover")
    }
}

/// What was asked, and what was said.
#[derive(Default)]
struct Transcript(String);

impl Transcript {
    fn note(&mut self, asked: &str, said: impl std::fmt::Debug) {
        let _ = writeln!(self.0, "{asked}: {said:#?}");
    }

    /// Both fail or neither does: what they say of a failure is their own.
    fn note_result<T: std::fmt::Debug, E>(&mut self, asked: &str, said: Result<T, E>) {
        self.note(asked, said.ok());
    }
}

/// Appends a shard's rows, and what projectors are given of them.
async fn append(
    place: &impl Place,
    shard: ShardId,
    rows: Vec<Vec<Record>>,
) -> (Vec<CommittedBatch>, JournalRow) {
    let mut journal = place.journal();
    let (mut seq, mut hash) = (Seq::NONE, Hash::genesis(shard));
    let (mut batches, mut last) = (Vec::new(), None);
    for records in rows {
        let row = JournalRow::seal(shard, seq.next(), switch_domain::Epoch(1), US, hash, &records);
        assert_eq!(journal.append(&row).await, Appended::Committed);
        (seq, hash) = (row.seq, row.hash);
        batches.push(CommittedBatch { seq, records: records.into() });
        last = Some(row);
    }
    (batches, last.expect("rows"))
}

/// What moved in some rows.
fn moved(batches: &[CommittedBatch]) -> Moves {
    let mut moves = Moves::default();
    batches.iter().for_each(|batch| moves.add(batch.seq, &batch.records));
    moves
}

async fn positions(t: &mut Transcript, place: &impl Place) {
    for shard in [CONTROL, SHARD] {
        t.note_result("position", place.tables().position(shard).await);
    }
}

/// Loads in every window and with every limit that cuts something off.
async fn images(t: &mut Transcript, place: &impl Place) {
    for start in [START, START + 22_500_000, START + 36_000_000, START + 90_000_000] {
        for most in [1_000, 2, 1] {
            let image = place.load(SHARD, Timestamp(start), most).await;
            t.note_result(&format!("image from {start}, at most {most}"), image);
        }
    }
    t.note_result("control", place.load(CONTROL, Timestamp(START), 1_000).await);
}

/// Every message and command by its key, at positions that the tables have and have not.
async fn recalls(t: &mut Transcript, place: &impl Place, batches: &[CommittedBatch]) {
    let mut tables = place.tables();
    let records = batches.iter().flat_map(|batch| batch.records.iter());
    let mut asked: Vec<Forgotten> =
        (0..26).map(|key| Forgotten::Command(IdempotencyKey([key; 16]))).collect();
    asked.extend(records.filter_map(|record| match &record.event {
        Event::Authorized(one) => {
            let original = one.facts.key.as_original();
            let traces = Traces { own: one.facts.network_trace, ..Traces::default() };
            Some(Forgotten::Message { original, answered: None, traces })
        }
        Event::Reversed(one) => {
            let original = one.reference.key;
            let traces = spoken_of(&one.reference);
            Some(Forgotten::Message { original, answered: Some(one.key), traces })
        }
        _ => None,
    }));
    // The original of each reversal, marked as a repeat: one of them came before it.
    let records = batches.iter().flat_map(|batch| batch.records.iter());
    asked.extend(records.filter_map(|record| match &record.event {
        Event::Reversed(one) => {
            let traces = Traces { own: one.reference.network_trace, ..Traces::default() };
            Some(Forgotten::Message { original: one.reference.key, answered: None, traces })
        }
        _ => None,
    }));
    // What completes another is asked for by its own key.
    let records = batches.iter().flat_map(|batch| batch.records.iter());
    asked.extend(records.filter_map(|record| match &record.event {
        Event::Authorized(one) if one.completes.is_some() => {
            let original = one.facts.key.as_original();
            let traces = Traces { own: one.facts.network_trace, ..Traces::default() };
            Some(Forgotten::Message { original, answered: Some(one.facts.key), traces })
        }
        _ => None,
    }));
    // What only its trace leads to: a reversal that names nothing by its fields.
    let records = batches.iter().flat_map(|batch| batch.records.iter());
    asked.extend(records.filter_map(|record| match &record.event {
        Event::Reversed(one) if !one.reference.network_trace.is_none() => {
            let (original, traces) = (one.key.as_original(), spoken_of(&one.reference));
            Some(Forgotten::Message { original, answered: Some(one.key), traces })
        }
        _ => None,
    }));
    // Holds by their names.
    let records = batches.iter().flat_map(|batch| batch.records.iter());
    asked.extend(records.filter_map(|record| match &record.event {
        Event::Authorized(one) => Some(Forgotten::Hold(Hold {
            authorization: one.id,
            balance: one.balance?,
            decided_at: record.at,
            original: one.facts.key.as_original(),
            incremented: switch_domain::MinorUnits::ZERO,
        })),
        _ => None,
    }));
    for what in &asked {
        for at_least in [Seq::NONE, Seq(3), Seq(7), Seq(8)] {
            let said = tables.recall(SHARD, at_least, what).await;
            t.note_result(&format!("{what:?} in {at_least}"), said);
        }
    }
}

fn spoken_of(reference: &OriginalReference) -> Traces {
    Traces { spoken_of: reference.network_trace, ..Traces::default() }
}

/// The journal behind a row, as projectors and starts read it.
async fn readings(t: &mut Transcript, place: &impl Place) {
    let mut tables = place.tables();
    for after in [Seq::NONE, Seq(0), Seq(5), Seq(8), Seq(40)] {
        let (mut at, mut all) = (after, Ok(Vec::new()));
        loop {
            match tables.journal(SHARD, at).await {
                Err(_) => break all = Err(()),
                Ok(rows) => match (rows.last(), &mut all) {
                    (Some((last, _)), Ok(all)) => {
                        at = *last;
                        all.extend(rows);
                    }
                    _ => break,
                },
            }
        }
        t.note_result(&format!("journal behind {after}"), all);
        if after < Seq(9) {
            t.note_result(&format!("tail behind {after}"), place.tail(SHARD, after).await);
        }
    }
}

/// The whole story.
async fn told(place: &impl Place, vault: [VaultRef; 2]) -> String {
    let mut t = Transcript::default();
    positions(&mut t, place).await;
    images(&mut t, place).await;
    let (control, _) = append(place, CONTROL, control_rows()).await;
    let (rows, last) = append(place, SHARD, shard_rows(vault)).await;
    let mut tables = place.tables();
    let none = Moves::default();
    t.note_result("control", tables.write(CONTROL, Seq::NONE, &control).await);
    t.note_result("flush of nothing", tables.flush(SHARD, Seq::NONE, Seq::NONE, &none).await);
    t.note_result("gap", tables.write(SHARD, Seq(2), &rows[3..]).await);
    t.note_result("first", tables.write(SHARD, Seq::NONE, &rows[..3]).await);
    t.note_result("first again", tables.write(SHARD, Seq::NONE, &rows[..3]).await);
    positions(&mut t, place).await;
    images(&mut t, place).await;
    recalls(&mut t, place, &rows).await;
    let ahead = tables.flush(SHARD, Seq::NONE, Seq(3), &moved(&rows[..4])).await;
    t.note_result("flush ahead of history", ahead);
    t.note_result("flush", tables.flush(SHARD, Seq::NONE, Seq(1), &moved(&rows[..2])).await);
    let again = tables.flush(SHARD, Seq::NONE, Seq(1), &moved(&rows[..2])).await;
    t.note_result("flush again", again);
    positions(&mut t, place).await;
    images(&mut t, place).await;
    t.note_result("one row", tables.write(SHARD, Seq(2), &rows[3..4]).await);
    t.note_result("the rest but one", tables.write(SHARD, Seq(3), &rows[4..8]).await);
    // Rows that a flush has had already are told by themselves, each by its own place.
    t.note_result("overlap", tables.flush(SHARD, Seq(1), Seq(1), &moved(&rows[..2])).await);
    t.note_result("flush on", tables.flush(SHARD, Seq(1), Seq(5), &moved(&rows[2..6])).await);
    images(&mut t, place).await;
    t.note_result("the last", tables.write(SHARD, Seq(7), &rows[8..]).await);
    t.note_result("flush all", tables.flush(SHARD, Seq(5), Seq(8), &moved(&rows[6..])).await);
    let control_moves = moved(&control);
    t.note_result("control", tables.flush(CONTROL, Seq::NONE, Seq(2), &control_moves).await);
    positions(&mut t, place).await;
    images(&mut t, place).await;
    recalls(&mut t, place, &rows).await;
    readings(&mut t, place).await;
    takeover(&mut t, place, &last).await;
    t.0
}

/// Another process takes over: our next row finds its place taken.
async fn takeover(t: &mut Transcript, place: &impl Place, last: &JournalRow) {
    for taken in place.taken_over().await {
        t.note("taken", (taken.shard, taken.epoch, taken.head));
    }
    let ours = JournalRow::seal(SHARD, last.seq.next(), last.epoch, US, last.hash, &[]);
    let mut journal = place.journal();
    let said = match journal.append(&ours).await {
        Appended::Taken { epoch, .. } => Some(epoch),
        _ => None,
    };
    t.note("our row", said);
    t.note("our last row again", journal.append(last).await);
    let beyond = JournalRow::seal(SHARD, Seq(40), last.epoch, US, last.hash, &[]);
    t.note("a row beyond the head", journal.append(&beyond).await);
}

/// The first lines that differ, of transcripts that may be long.
fn first_difference<'a>(one: &'a str, other: &'a str) -> Option<(usize, &'a str, &'a str)> {
    let lines = one.lines().zip(other.lines()).enumerate();
    let differing = lines.into_iter().find(|(_, (one, other))| one != other);
    differing.map(|(number, (one, other))| (number, one, other))
}

#[tokio::test]
async fn the_simulated_database_and_postgres_tell_one_story() {
    let stage = Stage::new().await;
    let vault = keep_cards(&stage.store).await;
    let postgres = Postgres(stage);
    let real = told(&postgres, vault).await;
    postgres.0.close().await;

    let store = SimulatedStore::new(1);
    for (vault, number) in vault.into_iter().zip([1_u8, 2]) {
        store.keep_card(vault, Fingerprint([number; 16]));
    }
    let simulated = told(&Simulated(store), vault).await;
    assert_eq!(first_difference(&real, &simulated), None);
    assert_eq!(real.lines().count(), simulated.lines().count());
    assert!(real.lines().count() > 5_000, "the story tells little");
}

/// The rows of each shard, and what a start reads of them on the way.
type Shards = [(ShardId, Vec<Vec<Record>>); 2];

async fn read_on_the_way(place: &impl Place, shards: Shards) -> String {
    let mut t = Transcript::default();
    for (shard, rows) in shards {
        let (batches, _) = append(place, shard, rows).await;
        let (mut tables, mut after) = (place.tables(), Seq::NONE);
        for rows in batches.chunks(2) {
            t.note_result("rows", tables.write(shard, after, rows).await);
            after = rows.last().expect("a row").seq;
            t.note_result("image", place.load(shard, Timestamp(START), 100).await);
        }
    }
    t.0
}

#[tokio::test]
async fn transfers_are_the_same_in_the_simulated_tables() {
    let postgres = Postgres(Stage::new().await);
    let real = read_on_the_way(&postgres, transfers::rows()).await;
    postgres.0.close().await;
    let simulated = Simulated(SimulatedStore::new(1));
    let simulated = read_on_the_way(&simulated, transfers::rows()).await;
    assert_eq!(first_difference(&real, &simulated), None);
    assert_eq!(real.lines().count(), simulated.lines().count());
}

#[tokio::test]
async fn schedules_of_fees_are_the_same_in_the_simulated_tables() {
    let shards = || [(CONTROL, [control_rows(), fees::set_up()].concat()), (SHARD, fees::acts())];
    let postgres = Postgres(Stage::new().await);
    let real = read_on_the_way(&postgres, shards()).await;
    postgres.0.close().await;
    let simulated = read_on_the_way(&Simulated(SimulatedStore::new(1)), shards()).await;
    assert_eq!(first_difference(&real, &simulated), None);
    assert!(real.contains("paper_statement"), "rules are read");
}

/// A story of a shard, with all that can be asked about it on the way.
async fn asked_about(place: &impl Place, rows: Vec<Vec<Record>>) -> String {
    let mut t = Transcript::default();
    let (batches, _) = append(place, SHARD, rows).await;
    let (mut tables, mut after) = (place.tables(), Seq::NONE);
    for rows in batches.chunks(5) {
        t.note_result("rows", tables.write(SHARD, after, rows).await);
        let to = rows.last().expect("a row").seq;
        t.note_result("flush", tables.flush(SHARD, after, to, &moved(rows)).await);
        after = to;
        images(&mut t, place).await;
        recalls(&mut t, place, &batches).await;
    }
    t.0
}

/// A story of two cards told on both.
async fn is_the_same(rows: fn([VaultRef; 2]) -> Vec<Vec<Record>>) {
    let stage = Stage::new().await;
    let vault = keep_cards(&stage.store).await;
    let postgres = Postgres(stage);
    let real = asked_about(&postgres, rows(vault)).await;
    postgres.0.close().await;
    let store = SimulatedStore::new(1);
    for (vault, number) in vault.into_iter().zip([1_u8, 2]) {
        store.keep_card(vault, Fingerprint([number; 16]));
    }
    let simulated = asked_about(&Simulated(store), rows(vault)).await;
    assert_eq!(first_difference(&real, &simulated), None);
    assert_eq!(real.lines().count(), simulated.lines().count());
}

/// Holds that end: in the row of their authorization's neighbour, and in a later one.
async fn expiries(place: &impl Place, vault: [VaultRef; 2]) -> String {
    let mut t = Transcript::default();
    let mut rows = shard_rows(vault);
    rows[8].push(expired(37, 5, 700));
    rows.push(vec![expired(38, 6, 1_200), reversed_for_nothing(39, 52, 6)]);
    let (batches, _) = append(place, SHARD, rows).await;
    let (mut tables, mut after) = (place.tables(), Seq::NONE);
    for rows in batches.chunks(3) {
        t.note_result("rows", tables.write(SHARD, after, rows).await);
        let to = rows.last().expect("a row").seq;
        t.note_result("flush", tables.flush(SHARD, after, to, &moved(rows)).await);
        after = to;
        images(&mut t, place).await;
        recalls(&mut t, place, &batches).await;
    }
    t.0
}

#[tokio::test]
async fn holds_that_end_are_the_same_in_the_simulated_tables() {
    let stage = Stage::new().await;
    let vault = keep_cards(&stage.store).await;
    let postgres = Postgres(stage);
    let real = expiries(&postgres, vault).await;
    postgres.0.close().await;
    let store = SimulatedStore::new(1);
    for (vault, number) in vault.into_iter().zip([1_u8, 2]) {
        store.keep_card(vault, Fingerprint([number; 16]));
    }
    let simulated = expiries(&Simulated(store), vault).await;
    assert_eq!(first_difference(&real, &simulated), None);
    assert_eq!(real.lines().count(), simulated.lines().count());
}

#[tokio::test]
async fn advices_are_the_same_in_the_simulated_tables() {
    is_the_same(advices::rows).await;
}

#[tokio::test]
async fn financial_messages_are_the_same_in_the_simulated_tables() {
    is_the_same(financial::rows).await;
}

#[tokio::test]
async fn rates_and_conversions_are_the_same_in_the_simulated_tables() {
    is_the_same(conversions::rows).await;
}

#[tokio::test]
async fn what_was_verified_and_counted_is_the_same_in_the_simulated_tables() {
    is_the_same(card_security::rows).await;
}

#[tokio::test]
async fn network_traces_are_the_same_in_the_simulated_tables() {
    is_the_same(network_traces::rows).await;
}

#[tokio::test]
async fn the_simulated_journal_tells_ours_from_taken_from_missing() {
    story(&mut SimulatedStore::new(1).process(US).journal()).await;
}

/// Whatever is lost on the way, the outcome is the truth (W-4).
#[tokio::test(start_paused = true)]
async fn the_simulated_journal_says_the_same_in_bad_weather() {
    for seed in 1..=50 {
        let store = SimulatedStore::new(seed);
        store.set_weather(Weather {
            delay: Duration::from_millis(200),
            commit: Duration::from_millis(200),
            failures: 300,
            lost_answers: 300,
            stalls: 200,
            stall: Duration::from_secs(20),
        });
        story(&mut store.process(US).journal()).await;
        assert_eq!(store.journal_rows(ShardId(3)).len(), 3);
    }
}
