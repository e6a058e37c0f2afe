//! The audit: is the journal's chain unbroken, does a rebuild from it equal the tables, do the
//! books balance? It owns the comparison and the wording of its findings; it changes nothing, and
//! may run beside a serving switch.

use std::time::Duration;

use switch_domain::{Seq, ShardId, ShardImage};
use switch_engine::State;
use switch_store::Store;

use crate::start::{Loaded, StartError, load};

/// What the audit looked at and found.
#[derive(Clone, Debug, Default)]
pub struct AuditReport {
    /// Shards, the control shard included.
    pub shards: usize,
    /// Rows of the journal, all of whose hashes were followed.
    pub journal_rows: u64,
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

/// As far back as tables go.
const FOR_EVER: Duration = Duration::from_secs(3_600 * 24 * 366 * 100);

/// Audits every shard in the database.
///
/// # Errors
/// The database cannot be read at all; what it says wrongly is a finding instead.
pub async fn audit(store: &Store) -> Result<AuditReport, StartError> {
    let mut report = AuditReport::default();
    let shards = store.stored_shards().await?;
    report.shards = shards.len();
    for shard in shards {
        if let Err(error) = audit_shard(store, shard, &mut report).await {
            report.findings.push(error.to_string());
        }
    }
    report.findings.extend(switch_store::books(store).await?.iter().map(ToString::to_string));
    Ok(report)
}

async fn audit_shard(
    store: &Store,
    shard: ShardId,
    report: &mut AuditReport,
) -> Result<(), StartError> {
    let loaded = load(store, shard, FOR_EVER, usize::MAX).await?;
    let last = loaded.tail.last().map_or(loaded.projected, |(seq, _)| *seq);
    report.rows_behind += loaded.tail.len() as u64;
    let rebuilt = rebuild(store, shard, last, report).await?;
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
    Ok(())
}

/// The state that follows from the journal alone, up to row `last`. Following the rows checks the
/// chain of their hashes.
async fn rebuild(
    store: &Store,
    shard: ShardId,
    last: Seq,
    report: &mut AuditReport,
) -> Result<State, StartError> {
    let mut state = State::from_image(ShardImage::empty(shard));
    let mut broken = None;
    store
        .for_each_row(shard, Seq::NONE, |seq, records| {
            if seq > last || broken.is_some() {
                return;
            }
            report.journal_rows += 1;
            for record in &records {
                report.records += 1;
                if let Err(fault) = state.replay(record) {
                    broken = Some(StartError::Replay { shard, seq, what: fault.to_string() });
                    return;
                }
            }
        })
        .await?;
    match broken {
        Some(fault) => Err(fault),
        None => Ok(state),
    }
}
