//! Starts a node: takes the shards over, loads their rows, replays the tail of the journal, checks
//! the books, and only then lets messages in (design section 5). A failed check names the row and
//! refuses to serve. No pool admits before every shard has replayed (W-15).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use switch_domain::{
    CardId, CardIssued, Event, Fingerprint, MinorUnits, Placement, Record, Seq, ShardId, ShardImage,
};
use switch_engine::State;
use switch_store::fault_points::{self, Bug, KillPoint};
use switch_store::{
    ChainFault, CommittedBatch, Journal, Projector, Store, StoreError, Tables, TakenShard,
    Takeover, TakeoverError, TakeoverMode, Turn, VaultError,
};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::clock;
use crate::clock_watch;
use crate::directory::{Directory, Listed};
use crate::mailbox::mailbox;
use crate::node::Node;
use crate::pools::Pools;
use crate::running::{Fatal, Running, watched};
use crate::settings::ShardSettings;
use crate::worker::{Head, Parts, Projected, Shared, Worker};

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The shards cannot be taken over.
    #[error(transparent)]
    Takeover(#[from] TakeoverError),
    /// The database fails, or what it holds cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A card of the journal has no number in the vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A record of the journal does not fit the tables.
    #[error("shard {shard}, journal row {seq}: {what}. The tables were changed by somebody else")]
    Replay {
        /// The shard.
        shard: ShardId,
        /// The row.
        seq: Seq,
        /// What does not fit.
        what: String,
    },
    /// The journal went back in time, and nobody has acknowledged it (W-24).
    #[error(
        "nothing is served until what was lost is reconciled: {}. \
         See `cardswitch journal reconcile`", .0.join("; ")
    )]
    Unreconciled(Vec<String>),
    /// The task that loads a shard panicked, or the runtime ends.
    #[error("loading a shard: {0}")]
    Ended(tokio::task::JoinError),
    /// The books do not balance.
    #[error("the books do not balance, so nothing is served: {}", .0.join("; "))]
    Books(Vec<String>),
}

const MICROS_A_DAY: i64 = 86_400_000_000;
/// Partitions of history that are there before they are needed.
const DAYS_AHEAD: u16 = 8;

/// One shard, loaded and replayed.
pub(crate) struct Loaded {
    pub(crate) state: State,
    pub(crate) projected: Seq,
    pub(crate) tail: Vec<(Seq, Vec<Record>)>,
    pub(crate) cards: Vec<(Fingerprint, Listed)>,
}

/// Takes over, loads, replays, checks, and starts the shards.
///
/// # Errors
/// See [`StartError`]; nothing was served.
pub async fn start(
    store: &Store,
    settings: ShardSettings,
    mode: TakeoverMode,
) -> Result<(Node, Running), StartError> {
    let shards = settings.data_shards.saturating_add(1);
    let unreconciled = store.unreconciled().await?;
    if !unreconciled.is_empty() {
        return Err(StartError::Unreconciled(unreconciled));
    }
    let takeover = store.take_over(shards, mode).await?;
    make_room(store, settings.journal_part_rows).await?;
    let placement = takeover.placement();
    let loaded = load_all(store, placement, &settings).await?;
    check_books(store, &loaded, placement).await?;
    let heads = takeover.shards().to_vec();
    let seats = heads
        .into_iter()
        .zip(loaded)
        .map(|(taken, loaded)| Seat {
            head: head_of(&taken, store),
            loaded,
            journal: store.appender(),
        })
        .collect();
    let projection = settings.projection.clone();
    let turn = Turn::default();
    let projector = |shard, batches, progress, nudge| {
        let projector = Projector::new(store.tables(), projection.clone()).in_turn(turn.clone());
        projector.run(shard, batches, progress, nudge)
    };
    let (node, mut running) = assemble(seats, placement, settings, &store.tables(), projector);
    running.ownership = Some(watch_ownership(takeover, Arc::clone(&running.shared)));
    running.clock = Some(clock_watch::start(store.clone(), Arc::clone(&running.shared)).await);
    Ok((node, running))
}

/// Loads all shards at once: a long tail takes a processor for each, and nobody is served until
/// then.
async fn load_all(
    store: &Store,
    placement: Placement,
    settings: &ShardSettings,
) -> Result<Vec<Loaded>, StartError> {
    let (window, most) = (settings.repeat_window, settings.repeat_limit);
    let loading: Vec<_> = placement
        .shards()
        .map(|shard| {
            let store = store.clone();
            AbortOnDropHandle::new(tokio::spawn(async move {
                store.check_anchor(shard).await?;
                load(&store, shard, window, most).await
            }))
        })
        .collect();
    let mut loaded = Vec::with_capacity(loading.len());
    for shard in loading {
        loaded.push(shard.await.unwrap_or_else(|ended| Err(StartError::Ended(ended)))?);
        fault_points::reach(KillPoint::K12);
    }
    Ok(loaded)
}

/// Makes what rows of the coming time need: days of history, and parts of the journal. Called at
/// start and again and again while serving; where everything is there it changes nothing.
///
/// # Errors
/// PostgreSQL; a lock that somebody does not let go.
pub async fn make_room(store: &Store, journal_part_rows: u32) -> Result<(), StoreError> {
    store.make_journal_room(journal_part_rows).await?;
    // The day before as well: what is not projected yet may be from before midnight.
    let yesterday = clock::wall().minus_micros(MICROS_A_DAY);
    store.make_days(yesterday, DAYS_AHEAD).await?;
    Ok(())
}

fn head_of(taken: &TakenShard, store: &Store) -> Head {
    Head { epoch: taken.epoch, owner: store.owner(), seq: taken.head, hash: taken.head_hash }
}

/// Holds the ownership lock until the task is ended; its loss ends the process.
fn watch_ownership(takeover: Takeover, shared: Arc<Shared>) -> JoinHandle<()> {
    tokio::spawn(async move {
        takeover.lost().await;
        if fault_points::has(Bug::FenceOff) {
            std::future::pending::<()>().await;
        }
        shared.end(Fatal::OwnershipLost);
    })
}

/// Loads a shard's rows and replays what the tables do not have yet.
pub(crate) async fn load(
    store: &Store,
    shard: ShardId,
    window: Duration,
    most: usize,
) -> Result<Loaded, StartError> {
    let window = i64::try_from(window.as_micros()).unwrap_or(i64::MAX);
    let image = store.load(shard, clock::wall().minus_micros(window), most).await?;
    let tail = store.tail(shard, image.projected).await?;
    let mut loaded = replay(image, tail)?;
    for issued in loaded.issued_in_tail() {
        let fingerprint = store.vault().fetch(issued.vault).await?.fingerprint;
        loaded.add_card(fingerprint, &issued);
    }
    Ok(loaded)
}

/// Replays the tail of the journal over what the tables have.
pub(crate) fn replay(
    image: ShardImage,
    tail: Vec<(Seq, Vec<Record>)>,
) -> Result<Loaded, StartError> {
    let (shard, projected) = (image.shard, image.projected);
    let cards = image.cards.iter().map(|(card, print)| (*print, Listed::of(card, shard))).collect();
    let mut state = State::from_image(image);
    for (seq, records) in &tail {
        for record in records {
            let replayed = state.replay(record);
            replayed.map_err(|broken| StartError::Replay {
                shard,
                seq: *seq,
                what: broken.to_string(),
            })?;
        }
    }
    Ok(Loaded { state, projected, tail, cards })
}

impl Loaded {
    /// Cards that the tables do not have yet: what names their numbers is still to be found.
    pub(crate) fn issued_in_tail(&self) -> Vec<CardIssued> {
        let records = self.tail.iter().flat_map(|(_, records)| records);
        let issued = records.filter_map(|record| match &record.event {
            Event::CardIssued(issued) => Some(issued.clone()),
            _ => None,
        });
        issued.collect()
    }

    /// Adds such a card, with the keyed hash of its number.
    pub(crate) fn add_card(&mut self, fingerprint: Fingerprint, issued: &CardIssued) {
        let shard = self.state.shard();
        self.cards.push((fingerprint, Listed::issued(issued, shard)));
    }
}

/// The books of the tables and of every shard's memory, and cards without an account of theirs.
pub(crate) async fn check_books(
    store: &Store,
    loaded: &[Loaded],
    placement: Placement,
) -> Result<(), StartError> {
    let mut faults: Vec<String> =
        switch_store::books(store).await?.iter().map(ToString::to_string).collect();
    faults.extend(memory_faults(loaded, placement));
    if faults.is_empty() { Ok(()) } else { Err(StartError::Books(faults)) }
}

/// What is wrong with the books of every shard's memory, and with its cards.
pub(crate) fn memory_faults(loaded: &[Loaded], placement: Placement) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen: BTreeMap<Fingerprint, CardId> = BTreeMap::new();
    for shard in loaded {
        faults.extend(shard.state.books().iter().map(ToString::to_string));
        let here = shard.state.shard();
        let strangers = shard.state.balances().filter(|one| placement.of_balance(one.id) != here);
        faults.extend(strangers.map(|one| format!("balance {} is not of shard {here}", one.id)));
        for (fingerprint, Listed { entry, .. }) in &shard.cards {
            if let Some(other) = seen.insert(*fingerprint, entry.card) {
                faults.push(format!("cards {other} and {} have the same number", entry.card));
            }
            if shard.state.balance(entry.balance).is_none() {
                faults.push(format!("card {} has no balance {}", entry.card, entry.balance));
            }
        }
    }
    faults
}

/// One shard about to run.
pub(crate) struct Seat<J> {
    pub(crate) head: Head,
    pub(crate) loaded: Loaded,
    pub(crate) journal: J,
}

/// What the shards share, as they have been loaded.
fn shared<J>(seats: &[Seat<J>], placement: Placement, settings: ShardSettings) -> Shared {
    let control = seats.first().map(|seat| Arc::clone(seat.loaded.state.control()));
    let control = control.unwrap_or_default();
    let (directory, pools) = (Directory::default(), Pools::default());
    directory.learn_terms(&control);
    let mut moved_cards = HashMap::new();
    for seat in seats {
        for (fingerprint, listed) in &seat.loaded.cards {
            directory.insert(*fingerprint, *listed);
            let entry = &listed.entry;
            if !placement.serves(entry.card.shard()) {
                moved_cards.insert(entry.card, entry.shard);
            }
        }
        let state = &seat.loaded.state;
        for card in state.cards() {
            directory.learn(card, state.pin_tries(card.id));
        }
        for (pool, share) in state.shares() {
            pools.give(pool, MinorUnits(share.available().0));
        }
    }
    let shedding = seats.iter().map(|_| AtomicBool::new(false)).collect();
    let waiting_since = seats.iter().map(|_| std::sync::Mutex::new(None)).collect();
    Shared {
        placement,
        moved_cards,
        directory,
        pools,
        settings,
        control: watch::Sender::new(control),
        fatal: watch::Sender::new(None),
        clock_fault: watch::Sender::new(None),
        clock_is_off: AtomicBool::new(false),
        stopping: CancellationToken::new(),
        shedding,
        waiting_since,
    }
}

/// Starts workers and projectors over shards that have all been loaded.
pub(crate) fn assemble<J: Journal, T: Tables, P>(
    seats: Vec<Seat<J>>,
    placement: Placement,
    settings: ShardSettings,
    tables: &T,
    projector: impl Fn(
        ShardId,
        mpsc::UnboundedReceiver<CommittedBatch>,
        watch::Sender<Seq>,
        Arc<Notify>,
    ) -> P,
) -> (Node, Running)
where
    P: Future<Output = Result<(), ChainFault>> + Send + 'static,
{
    let (queue, reserve) = (settings.queue_limit, settings.reserved_queue);
    let shared = Arc::new(shared(&seats, placement, settings));
    let control = Arc::clone(&shared.control.borrow());
    let (mailboxes, inboxes): (Vec<_>, Vec<_>) =
        seats.iter().map(|_| mailbox(queue, reserve)).unzip();
    let mailboxes: Arc<[_]> = mailboxes.into();
    let here = Handle::current();
    let behind = shared.settings.projectors.clone().unwrap_or_else(|| here.clone());
    let (mut workers, mut projectors) = (Vec::new(), Vec::new());
    for (seat, inbox) in seats.into_iter().zip(inboxes) {
        let Loaded { mut state, projected, tail, .. } = seat.loaded;
        state.install_control(Arc::clone(&control));
        let shard = state.shard();
        let (batches, to_project) = mpsc::unbounded_channel();
        let (progress, follow) = watch::channel(projected);
        let nudge = Arc::new(Notify::new());
        let projecting = projector(shard, to_project, progress, Arc::clone(&nudge));
        let projecting = project(projecting, Arc::clone(&shared));
        projectors.push(watched(&shared, shard, &behind, projecting));
        let shown = crate::metrics::projection_lag(shard);
        let mut projected = Projected::new(batches, follow, nudge, shown);
        for (seq, records) in tail {
            projected.announce_replayed(CommittedBatch { seq, records: records.into() });
        }
        let (head, mailboxes, of_all) = (seat.head, Arc::clone(&mailboxes), Arc::clone(&shared));
        let parts = Parts { state, head, inbox, projected, mailboxes, shared: of_all };
        let worker = Worker::new(parts, seat.journal, tables.clone());
        workers.push(watched(&shared, shard, &here, worker.run()));
    }
    let running =
        Running { shared: Arc::clone(&shared), workers, projectors, ownership: None, clock: None };
    (Node { mailboxes, shared }, running)
}

/// Runs a projector. A journal that lacks what was committed ends the process, as an append that
/// finds it so does (W-24).
async fn project(projecting: impl Future<Output = Result<(), ChainFault>>, shared: Arc<Shared>) {
    let Err(fault) = projecting.await else { return };
    tracing::error!(%fault, "the tables cannot follow this journal");
    shared.end(match fault {
        ChainFault::Missing { shard, seq } => Fatal::JournalWentBack { shard, seq: seq.next() },
        ChainFault::Changed { .. } => Fatal::Broken(fault.to_string()),
    });
}

/// A head for a shard that nothing was written to.
#[cfg(feature = "testing")]
pub(crate) fn empty_head(shard: ShardId, owner: switch_domain::OwnerId) -> Head {
    Head {
        epoch: switch_domain::Epoch(1),
        owner,
        seq: Seq::NONE,
        hash: switch_store::Hash::genesis(shard),
    }
}
