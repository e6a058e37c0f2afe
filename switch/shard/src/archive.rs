//! Archives the journal (W-7): each part that every later reader is past is written to files with
//! the state that follows from it, read back, and only then taken out of the database. It owns the
//! order of these steps; a run that was killed anywhere is finished by the next. It may run beside
//! a serving switch, and never touches a shard's head.

use std::path::PathBuf;

use switch_domain::{Seq, ShardId, ShardImage};
use switch_engine::State;
use switch_store::{
    Archive, ArchiveFault, ArchivedPart, FormatError, Hash, JournalPart, JournalRow, Range, Store,
    StoreError,
};

use crate::audit::Handed;

/// After so many records what is closed is let go, so that a replay stays small.
const TIDY_EVERY: u64 = 100_000;

/// What to archive, and where to.
#[derive(Clone, Debug)]
pub struct ArchiveOptions {
    /// The archive's directory.
    pub directory: PathBuf,
    /// Only this shard.
    pub shard: Option<ShardId>,
    /// No row behind this one.
    pub up_to: Option<Seq>,
    /// Leaves the detached tables where they are.
    pub keep_tables: bool,
}

/// One part that was let go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedRange {
    /// Which rows.
    pub range: Range,
    /// Records in them.
    pub records: u64,
    /// False where an earlier run had written the files already.
    pub written: bool,
}

/// Why nothing more is archived.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files.
    #[error(transparent)]
    Fault(#[from] ArchiveFault),
    /// A row that this version cannot read in full.
    #[error("shard {shard}, journal row {seq}: {fault}")]
    Unreadable {
        /// The shard.
        shard: ShardId,
        /// The row.
        seq: Seq,
        /// Why.
        fault: FormatError,
    },
    /// A record that does not fit the rows before it.
    #[error("shard {shard}, journal row {seq}: {what}")]
    Replay {
        /// The shard.
        shard: ShardId,
        /// The row.
        seq: Seq,
        /// What does not fit.
        what: String,
    },
    /// The files are there, and are not those of this journal.
    #[error(
        "the archive has other rows of shard {shard} up to {seq} than the database: they do not \
         belong together. Was the database restored? Give another directory"
    )]
    OtherJournal {
        /// The shard.
        shard: ShardId,
        /// The last row of the part.
        seq: Seq,
    },
    /// Another process archives.
    #[error("another process is archiving this journal")]
    Busy,
}

/// Archives every part that is full and past, of one shard or all, and says which.
///
/// # Errors
/// See [`ArchiveError`]. What was let go before it stays archived; running it again goes on.
pub async fn archive(
    store: &Store,
    options: &ArchiveOptions,
) -> Result<Vec<ArchivedRange>, ArchiveError> {
    let lock = store.archive_lock().await?.ok_or(ArchiveError::Busy)?;
    let mut done = Vec::new();
    for shard in store.stored_shards().await? {
        if options.shard.is_none_or(|only| only == shard) {
            archive_shard(store, options, shard, &mut done).await?;
        }
    }
    lock.release().await;
    Ok(done)
}

async fn archive_shard(
    store: &Store,
    options: &ArchiveOptions,
    shard: ShardId,
    done: &mut Vec<ArchivedRange>,
) -> Result<(), ArchiveError> {
    let archive = Archive::new(&options.directory);
    let Some(limit) = store.archive_limit(shard).await? else { return Ok(()) };
    let limit = options.up_to.map_or(limit, |asked| limit.min(asked));
    for part in store.journal_parts(shard).await? {
        if part.range.last > limit {
            break;
        }
        done.push(archive_part(store, &archive, &part, options.keep_tables).await?);
    }
    Ok(())
}

/// Every step looks first at what an earlier run has left.
async fn archive_part(
    store: &Store,
    archive: &Archive,
    part: &JournalPart,
    keep: bool,
) -> Result<ArchivedRange, ArchiveError> {
    let range = part.range;
    let base = Base::before(store, archive, range).await?;
    let written = !archive.has(&range);
    if written {
        write(store, archive, range, &base).await?;
    }
    let (files, hash) = verify(archive, range, &base)?;
    let checkpoints = store.checkpoints(range.shard).await?;
    if let Some(known) = checkpoints.iter().find(|one| one.seq == range.last) {
        // The rows may be gone from the database already: what was noted then is what counts.
        if *known != files.checkpoint(hash) {
            return Err(ArchiveError::OtherJournal { shard: range.shard, seq: range.last });
        }
    } else {
        let stored = store.journal_hash(range.shard, range.last).await?;
        if stored != Some(hash) {
            return Err(ArchiveError::OtherJournal { shard: range.shard, seq: range.last });
        }
        store.add_checkpoint(&files.checkpoint(hash)).await?;
    }
    store.let_part_go(part, keep).await?;
    let records = files.records();
    tracing::info!(
        shard = range.shard.0,
        first = range.first.0,
        last = range.last.0,
        records,
        "a part of the journal is archived"
    );
    Ok(ArchivedRange { range, records, written })
}

/// Where the chain and the state stand before a part.
pub(crate) struct Base {
    pub(crate) seq: Seq,
    pub(crate) hash: Hash,
    pub(crate) image: ShardImage,
}

impl Base {
    pub(crate) fn genesis(shard: ShardId) -> Self {
        Self { seq: Seq::NONE, hash: Hash::genesis(shard), image: ShardImage::empty(shard) }
    }

    /// The state before a part: the snapshot of the part before it, if there is one.
    async fn before(store: &Store, archive: &Archive, range: Range) -> Result<Self, ArchiveError> {
        if range.first == Seq(0) {
            return Ok(Self::genesis(range.shard));
        }
        let before = Seq(range.first.0.saturating_sub(1));
        let checkpoints = store.checkpoints(range.shard).await?;
        let mut first = Seq(0);
        for checkpoint in checkpoints {
            if checkpoint.seq == before {
                let range = Range { shard: range.shard, first, last: before };
                let part = archive.open(range)?;
                return Self::of(&part, &checkpoint);
            }
            first = checkpoint.seq.next();
        }
        Err(StoreError::OtherCheckpoint { shard: range.shard, seq: before }.into())
    }

    /// The state in an archived part, if its manifest is the one that the database names.
    pub(crate) fn of(
        part: &ArchivedPart,
        checkpoint: &switch_store::Checkpoint,
    ) -> Result<Self, ArchiveError> {
        if part.manifest_digest() != checkpoint.manifest {
            let (shard, seq) = (checkpoint.shard, checkpoint.seq);
            return Err(ArchiveError::OtherJournal { shard, seq });
        }
        Ok(Self { seq: checkpoint.seq, hash: checkpoint.hash, image: part.snapshot()? })
    }
}

async fn write(
    store: &Store,
    archive: &Archive,
    range: Range,
    base: &Base,
) -> Result<(), ArchiveError> {
    let mut files = archive.begin(range, base.hash)?;
    let mut replay = Replay::from(base);
    let mut reader = store.journal_reader(range.shard, base.seq, range.last).await?;
    loop {
        let rows = reader.next_rows().await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let records = replay.row(row)?;
            files.row(row, records)?;
        }
    }
    Ok(files.finish(&replay.image(range.last))?)
}

/// Reads a part back from the disk: digests, chain, and that its snapshot is the state which
/// follows from its rows.
fn verify(
    archive: &Archive,
    range: Range,
    base: &Base,
) -> Result<(ArchivedPart, Hash), ArchiveError> {
    let files = archive.open(range)?;
    let mut replay = Replay::from(base);
    let hash = files.each_row(base.hash, |row| replay.row(row).map(drop))?;
    files.expect_snapshot(&replay.image(range.last))?;
    Ok((files, hash))
}

/// A state that rows are replayed into, kept small.
pub(crate) struct Replay {
    pub(crate) state: State,
    /// What the rows say of reshardings.
    pub(crate) handed: Handed,
    since_tidy: u64,
}

impl Replay {
    pub(crate) fn from(base: &Base) -> Self {
        Self {
            state: State::from_image(base.image.clone()),
            handed: Handed::default(),
            since_tidy: 0,
        }
    }

    /// Replays a row; how many records it had.
    pub(crate) fn row(&mut self, row: &JournalRow) -> Result<usize, ArchiveError> {
        let (shard, seq) = (row.shard, row.seq);
        let records =
            row.decode().map_err(|fault| ArchiveError::Unreadable { shard, seq, fault })?;
        for record in &records {
            let broken = |what: String| ArchiveError::Replay { shard, seq, what };
            self.handed.note(row, &record.event, &self.state).map_err(broken)?;
            self.state.replay(record).map_err(|what| broken(what.to_string()))?;
        }
        self.since_tidy = self.since_tidy.saturating_add(records.len() as u64);
        if self.since_tidy >= TIDY_EVERY {
            self.since_tidy = 0;
            self.state.keep_open();
        }
        Ok(records.len())
    }

    pub(crate) fn image(&mut self, after: Seq) -> ShardImage {
        self.state.keep_open();
        self.state.image(after)
    }
}
