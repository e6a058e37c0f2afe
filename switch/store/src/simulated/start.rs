//! The start of a process over the simulated database: takeover, load, tail. It owns the order that
//! `takeover` and `load` have over PostgreSQL: end the old owner's connections, append at the head,
//! and only then read.

use switch_domain::{
    Cause, Effects, Epoch, Event, Fingerprint, OwnerId, Record, Seq, ShardId, ShardImage,
    TakenOver, Timestamp, VaultRef,
};

use super::database::records;
use super::image::image;
use super::rows::Rows;
use super::{SimulatedJournal, SimulatedStore, SimulatedTables};
use crate::error::{ChainFault, StoreError};
use crate::journal::{Appended, Hash, JournalRow};
use crate::takeover::TakenShard;

/// The way of one process to the database.
#[derive(Clone, Debug)]
pub struct SimulatedProcess {
    store: SimulatedStore,
    owner: OwnerId,
}

/// A head: where the next row goes, behind which hash, and the last owner.
struct Head {
    seq: Seq,
    hash: Hash,
    epoch: Epoch,
    owner: Option<OwnerId>,
    at: Timestamp,
}

impl SimulatedProcess {
    pub(super) const fn new(store: SimulatedStore, owner: OwnerId) -> Self {
        Self { store, owner }
    }

    /// Who it is.
    #[must_use]
    pub const fn owner(&self) -> OwnerId {
        self.owner
    }

    /// An appender.
    #[must_use]
    pub fn journal(&self) -> SimulatedJournal {
        SimulatedJournal::new(self.store.clone(), self.owner)
    }

    /// A way to the tables.
    #[must_use]
    pub fn tables(&self) -> SimulatedTables {
        SimulatedTables::new(self.store.clone(), self.owner)
    }

    /// Fences every shard, by number, whoever has them.
    ///
    /// # Errors
    /// A call failed: some shards may be taken over already.
    pub async fn take_over(
        &self,
        shards: u16,
        now: Timestamp,
    ) -> Result<Vec<TakenShard>, StoreError> {
        let mut ended = Vec::new();
        let mut taken = Vec::with_capacity(usize::from(shards));
        for shard in (0..shards).map(ShardId) {
            taken.push(self.fence(shard, shards, now, &mut ended).await?);
        }
        Ok(taken)
    }

    async fn fence(
        &self,
        shard: ShardId,
        shards: u16,
        now: Timestamp,
        ended: &mut Vec<OwnerId>,
    ) -> Result<TakenShard, StoreError> {
        loop {
            let head = self.head(shard).await?;
            if let Some(old) = head.owner.filter(|old| *old != self.owner && !ended.contains(old)) {
                self.store.end_connections(old);
                ended.push(old);
                continue; // what it still had under way may have moved the head
            }
            let (seq, epoch) = (head.seq.next(), Epoch(head.epoch.0.saturating_add(1)));
            let owner = self.owner;
            let record = Record {
                at: now.max(head.at),
                cause: Cause::Switch,
                event: Event::TakenOver(TakenOver { shard, epoch, owner, shards }),
                effects: Effects::default(),
            };
            let row = JournalRow::seal(shard, seq, epoch, owner, head.hash, &[record]);
            if self.store.attempt(owner, &row).await? == Appended::Committed {
                return Ok(TakenShard { shard, epoch, head: seq, head_hash: row.hash });
            }
        }
    }

    async fn head(&self, shard: ShardId) -> Result<Head, StoreError> {
        let head = self.store.call(self.owner, "head", |db| {
            let (seq, hash, last) = db.head(shard);
            let at = last.and_then(|(row, _)| records(row).last().map(|record| record.at));
            Head {
                seq,
                hash,
                epoch: last.map_or(Epoch(0), |(row, _)| row.epoch),
                owner: last.map(|(_, owner)| owner),
                at: at.unwrap_or_default(),
            }
        });
        Ok(head.await?)
    }

    /// The rows of a shard, as [`crate::Store::load`] reads them.
    ///
    /// # Errors
    /// The call failed, or a card's number is not there.
    pub async fn load(
        &self,
        shard: ShardId,
        window_start: Timestamp,
        most: usize,
    ) -> Result<ShardImage, StoreError> {
        let loaded = self.store.call(self.owner, "load", |db| {
            let moves = db.moves(shard);
            let empty = Rows::new(shard);
            let rows = db.rows(shard).unwrap_or(&empty);
            image(rows, shard, window_start, most, (&db.prints, &moves))
        });
        let missing = || StoreError::database("loading a shard")(sqlx::Error::RowNotFound);
        loaded.await?.ok_or_else(missing)
    }

    /// The journal behind a row, checked against its chain, as [`crate::Store::tail`] reads it.
    ///
    /// # Errors
    /// The call failed; a row that is missing or changed.
    pub async fn tail(
        &self,
        shard: ShardId,
        after: Seq,
    ) -> Result<Vec<(Seq, Vec<Record>)>, StoreError> {
        let rows: Vec<JournalRow> = self
            .store
            .call(self.owner, "tail", |db| db.journal(shard, after).cloned().collect())
            .await?;
        let mut at = after;
        for row in &rows {
            if row.seq != at.next() {
                return Err(ChainFault::Missing { shard, seq: at.next() }.into());
            }
            if row.computed_hash() != row.hash {
                return Err(ChainFault::Changed { shard, seq: row.seq }.into());
            }
            at = row.seq;
        }
        Ok(rows.iter().map(|row| (row.seq, records(row))).collect())
    }

    /// The keyed hash of a number in the vault.
    ///
    /// # Errors
    /// The call failed, or it is not there.
    pub async fn fingerprint(&self, vault: VaultRef) -> Result<Fingerprint, StoreError> {
        let found = self.store.call(self.owner, "vault", |db| db.prints.get(&vault.row).copied());
        let missing = || StoreError::database("reading the vault")(sqlx::Error::RowNotFound);
        found.await?.ok_or_else(missing)
    }
}
