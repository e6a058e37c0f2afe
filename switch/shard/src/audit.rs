//! The audit: is the journal's chain unbroken, does a rebuild from it equal the tables, do the
//! books balance? It owns the comparison and the wording of its findings; it changes nothing, and
//! may run beside a serving switch.

mod generations;

use std::path::PathBuf;
use std::time::Duration;

use switch_domain::{Seq, ShardId};
use switch_store::{Archive, Checkpoint, JournalRow, Range, Store};

use crate::archive::{ArchiveError, Base, Replay};
use crate::start::{Loaded, StartError, load};
use generations::Generations;
pub(crate) use generations::Handed;

/// What the audit looked at and found.
#[derive(Clone, Debug, Default)]
pub struct AuditReport {
    /// Shards, the control shard included.
    pub shards: usize,
    /// Rows of the journal, all of whose hashes were followed.
    pub journal_rows: u64,
    /// Rows among them that were read from the archive.
    pub archived_rows: u64,
    /// Snapshots that a rebuild began from.
    pub snapshots: usize,
    /// Records in them, all replayed.
    pub records: u64,
    /// Rows that the tables do not have yet; the next start brings them in.
    pub rows_behind: u64,
    /// Balances compared.
    pub balances: usize,
    /// Cards compared.
    pub cards: usize,
    /// Open holds compared.
    pub open_authorizations: usize,
    /// Everything that is wrong; empty when the books balance.
    pub findings: Vec<String>,
}

impl AuditReport {
    /// True when nothing is wrong.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Where a rebuild begins.
#[derive(Clone, Debug)]
pub enum AuditFrom {
    /// At the last snapshot of each shard in this archive; at the first row where there is none.
    LastSnapshot(PathBuf),
    /// At the first row of all, through everything in this archive.
    Genesis(PathBuf),
}

/// As far back as tables go.
const FOR_EVER: Duration = Duration::from_secs(3_600 * 24 * 366 * 100);

/// Audits every shard in the database, sealed ones too.
///
/// # Errors
/// The database cannot be read at all; what it says wrongly is a finding instead.
pub async fn audit(store: &Store, from: &AuditFrom) -> Result<AuditReport, StartError> {
    let mut report = AuditReport::default();
    let unmoved = store.no_archiving().await?;
    let shards = store.stored_shards().await?;
    report.shards = shards.len();
    let mut generations = Generations::default();
    for shard in shards {
        match audit_shard(store, shard, from, &mut report).await {
            Ok(handed) => generations.add(handed),
            Err(finding) => report.findings.push(finding),
        }
    }
    report.findings.extend(generations.findings());
    report.findings.extend(switch_store::books(store).await?.iter().map(ToString::to_string));
    unmoved.release().await;
    Ok(report)
}

async fn audit_shard(
    store: &Store,
    shard: ShardId,
    from: &AuditFrom,
    report: &mut AuditReport,
) -> Result<Handed, String> {
    let said = |error: StartError| error.to_string();
    let loaded = load(store, shard, FOR_EVER, usize::MAX).await.map_err(said)?;
    let last = loaded.tail.last().map_or(loaded.projected, |(seq, _)| *seq);
    report.rows_behind += loaded.tail.len() as u64;
    let projected = loaded.projected;
    let rebuilt = rebuild(store, shard, (projected, last), from, report).await;
    let Replay { state: rebuilt, handed, .. } =
        rebuilt.map_err(|error| format!("shard {shard}: {error}"))?;
    for difference in rebuilt.differences(&loaded.state) {
        report.findings.push(format!("shard {shard}, rebuilt against tables: {difference}"));
    }
    for fault in rebuilt.books() {
        report.findings.push(format!("shard {shard}, rebuilt: {fault}"));
    }
    let Loaded { state, .. } = loaded;
    report.balances += state.balances().count();
    report.cards += state.cards().count();
    report.open_authorizations += state.open_authorizations();
    Ok(handed)
}

/// The state that follows from the journal alone, up to row `last`. Following the rows checks the
/// chain of their hashes.
async fn rebuild(
    store: &Store,
    shard: ShardId,
    (projected, last): (Seq, Seq),
    from: &AuditFrom,
    report: &mut AuditReport,
) -> Result<Replay, ArchiveError> {
    let parts = parts(store.checkpoints(shard).await?);
    let (mut replay, mut at) = match from {
        AuditFrom::Genesis(directory) => {
            through_archive(&Archive::new(directory), shard, &parts, report)?
        }
        AuditFrom::LastSnapshot(directory) => {
            let base = match parts.last() {
                None => Base::genesis(shard),
                Some((range, checkpoint)) => {
                    report.snapshots += 1;
                    Base::of(&Archive::new(directory).open(*range)?, checkpoint)?
                }
            };
            (Replay::from(&base), base.seq)
        }
    };
    let mut reader = store.journal_reader(shard, at, last).await?;
    loop {
        let rows = reader.next_rows().await?;
        let Some(end) = rows.last() else { break };
        at = end.seq;
        for row in &rows {
            report.journal_rows += 1;
            report.records += replay.row(row)? as u64;
        }
        let known = rows.partition_point(|row| row.seq <= projected);
        decisions(store, rows.get(..known).unwrap_or_default(), report).await?;
    }
    if at < last {
        let missing = switch_store::ChainFault::Missing { shard, seq: at.next() };
        return Err(switch_store::StoreError::Chain(missing).into());
    }
    Ok(replay)
}

/// Compares what the tables say of the decisions of these rows: no state keeps that.
async fn decisions(
    store: &Store,
    rows: &[JournalRow],
    report: &mut AuditReport,
) -> Result<(), ArchiveError> {
    let mut records = Vec::new();
    for row in rows {
        let (shard, seq) = (row.shard, row.seq);
        let read = row.decode();
        records.extend(read.map_err(|fault| ArchiveError::Unreadable { shard, seq, fault })?);
    }
    report.findings.extend(store.decisions_differ(&records).await?);
    Ok(())
}

/// The archived parts of a shard, each with what the database says of it.
fn parts(checkpoints: Vec<Checkpoint>) -> Vec<(Range, Checkpoint)> {
    let mut first = Seq(0);
    let part = |checkpoint: Checkpoint| {
        let range = Range { shard: checkpoint.shard, first, last: checkpoint.seq };
        first = checkpoint.seq.next();
        (range, checkpoint)
    };
    checkpoints.into_iter().map(part).collect()
}

/// Replays every archived row, and checks each snapshot on the way.
fn through_archive(
    archive: &Archive,
    shard: ShardId,
    parts: &[(Range, Checkpoint)],
    report: &mut AuditReport,
) -> Result<(Replay, Seq), ArchiveError> {
    let mut base = Base::genesis(shard);
    let mut handed = Handed::default();
    for (range, checkpoint) in parts {
        let files = archive.open(*range)?;
        let mut replay = Replay::from(&base);
        replay.handed = handed;
        let hash = files.each_row(base.hash, |row| {
            report.journal_rows += 1;
            report.archived_rows += 1;
            report.records += replay.row(row)? as u64;
            Ok::<(), ArchiveError>(())
        })?;
        files.expect_snapshot(&replay.image(range.last))?;
        if files.checkpoint(hash) != *checkpoint {
            return Err(ArchiveError::OtherJournal { shard, seq: range.last });
        }
        base = Base::of(&files, checkpoint)?;
        handed = replay.handed;
        report.snapshots += 1;
    }
    let mut replay = Replay::from(&base);
    replay.handed = handed;
    Ok((replay, base.seq))
}
