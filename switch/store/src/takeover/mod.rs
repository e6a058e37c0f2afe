//! Taking a group of shards over (W-10, W-11): the lock among honest processes, the end of the old
//! owner's connections, and a row of a higher epoch at the head of every shard. It reads no
//! projected table: whoever loads does so after this has returned.

mod back_ends;
mod fence;
mod group_lock;

pub use group_lock::LockState;

use std::future::Future;

use sqlx::PgConnection;
use switch_domain::{Epoch, OwnerId, Placement, Seq, ShardId};
use tokio::sync::watch;

use crate::error::StoreError;
use crate::journal::Hash;
use crate::store::Store;

use fence::Wanted;
use group_lock::{GroupLock, Holder};

/// How often a living owner is ended before it is left alone: each time it has to be slower once.
const OUST_ATTEMPTS: usize = 8;

/// What to do where another process holds the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeoverMode {
    /// Leave it alone and say who it is.
    RefuseIfOwned,
    /// End its connections and take its place.
    Force,
}

/// Why a group was not taken over.
#[derive(Debug, thiserror::Error)]
pub enum TakeoverError {
    /// Another process holds it.
    #[error(
        "another switch owns these shards: owner {}, connected since {}; \
         stop it, or take over by force if it is known to be dead",
        .owner.map_or_else(|| "unknown".to_owned(), |owner| owner.to_string()),
        .since.as_deref().unwrap_or("unknown")
    )]
    Owned {
        /// The owner by the journal's head rows, if there are any.
        owner: Option<OwnerId>,
        /// When the connection that holds the lock was made (UTC).
        since: Option<String>,
    },
    /// Another number of shards than the journal has.
    #[error(
        "the journal has {} data shards and the configuration says {}: resharding is not done by \
         changing the number. Set shards.data_shards back to {0}, or stop the switch and run \
         `cardswitch journal reshard --data-shards {1}`",
        .stored.saturating_sub(1), .asked.saturating_sub(1)
    )]
    ShardCount {
        /// How many there are, the control shard included.
        stored: u16,
        /// How many were asked for.
        asked: u16,
    },
    /// Nothing was ever served from this database.
    #[error(
        "this database has no shards yet: the first start makes as many as shards.data_shards says"
    )]
    NotFounded,
    /// A shard was sealed meanwhile.
    #[error("shard {shard} was sealed by a resharding just now; start again")]
    Sealed {
        /// Which shard.
        shard: ShardId,
    },
    /// The head of a shard could not be written although it was tried again and again.
    #[error(
        "the head of shard {shard} is held by a connection that does not end; find it in \
         pg_stat_activity, end it, and start again"
    )]
    Contended {
        /// Which shard.
        shard: ShardId,
    },
    /// PostgreSQL or the journal.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A shard that is ours from a certain row on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenShard {
    /// The shard.
    pub shard: ShardId,
    /// Our epoch in it.
    pub epoch: Epoch,
    /// The row that says so: the head.
    pub head: Seq,
    /// That row's hash, which our first row will be chained to.
    pub head_hash: Hash,
}

/// A group that is ours for as long as this lives. Dropping it lets the lock go.
#[derive(Debug)]
pub struct Takeover {
    placement: Placement,
    shards: Vec<TakenShard>,
    lock: GroupLock,
}

impl Takeover {
    /// The shards, by number.
    #[must_use]
    pub fn shards(&self) -> &[TakenShard] {
        &self.shards
    }

    /// The shards that serve, which are those that were taken over.
    #[must_use]
    pub const fn placement(&self) -> Placement {
        self.placement
    }

    /// Whether the lock is held; it changes to regaining while PostgreSQL is away.
    #[must_use]
    pub fn lock_state(&self) -> watch::Receiver<LockState> {
        self.lock.state()
    }

    /// Ends when another process holds the lock: this one must stop. A connection that broke is
    /// made again and the lock taken again, without a word, if nobody else has it by then: the
    /// journal's keys are the fence, the lock only keeps honest processes apart.
    pub fn lost(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut state = self.lock.state();
        async move {
            // A closed channel means that the takeover itself was dropped: not ours any more.
            let _ = state.wait_for(|state| *state == LockState::Lost).await;
        }
    }

    /// Lets the lock go, and returns when PostgreSQL has confirmed it.
    pub async fn release(self) {
        self.lock.release().await;
    }
}

impl Store {
    /// Takes over all shards of the group, the control shard included, and returns when every one
    /// of them is fenced. Only then may tables be read.
    ///
    /// # Errors
    /// Another owner and no force; another number of shards; a head that cannot be read by this
    /// version or cannot be written; PostgreSQL.
    pub async fn take_over(
        &self,
        shards: u16,
        mode: TakeoverMode,
    ) -> Result<Takeover, TakeoverError> {
        self.take(Wanted::Shards(shards), mode).await
    }

    /// Takes over all shards of the group, however many there are.
    ///
    /// # Errors
    /// As [`Store::take_over`]; there are none.
    pub async fn take_over_all(&self, mode: TakeoverMode) -> Result<Takeover, TakeoverError> {
        self.take(Wanted::Stored, mode).await
    }

    async fn take(&self, wanted: Wanted, mode: TakeoverMode) -> Result<Takeover, TakeoverError> {
        let mut connection = self
            .owner_connection()
            .await
            .map_err(StoreError::database("connecting to take over"))?;
        // Whoever takes over by force does not wait for somebody who will not let go.
        let acquired = match mode {
            TakeoverMode::RefuseIfOwned => group_lock::acquire(&mut connection).await?,
            TakeoverMode::Force => group_lock::acquire_at_once(&mut connection).await?,
        };
        if !acquired {
            let holder = group_lock::holder(&mut connection).await?;
            let owners = fence::owners(&mut connection).await?;
            if mode == TakeoverMode::RefuseIfOwned {
                return Err(owned(&owners, holder));
            }
            let holder_name = holder.as_ref().map(|holder| holder.name.clone());
            let names = owners.iter().map(|owner| crate::store::application_name(*owner));
            let names: Vec<String> = names.chain(holder_name).collect();
            if !self.oust(&mut connection, &names).await? {
                let holder = group_lock::holder(&mut connection).await?;
                return Err(owned(&owners, holder));
            }
        }
        let placement = fence::placement(&mut connection, wanted).await?;
        let shards = fence::all(&mut connection, placement, self.owner()).await?;
        Ok(Takeover { placement, shards, lock: GroupLock::keep(connection, self.clone()) })
    }

    /// Ends the connections with these names and takes the lock that one of them holds. A living
    /// owner makes its connection again at once and tries for the lock: so ours already waits in
    /// the queue for it when its holder is ended, and is tried again should it have come too late.
    async fn oust(
        &self,
        connection: &mut PgConnection,
        names: &[String],
    ) -> Result<bool, StoreError> {
        let mut other = self
            .owner_connection()
            .await
            .map_err(StoreError::database("connecting to take over"))?;
        for _ in 0..OUST_ATTEMPTS {
            let waiting = group_lock::acquire(connection);
            let ending = back_ends::end(&mut other, names);
            let (acquired, ended) = tokio::join!(waiting, ending);
            ended?;
            if acquired? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn owned(owners: &[OwnerId], holder: Option<Holder>) -> TakeoverError {
    let named = holder.as_ref().and_then(Holder::owner);
    TakeoverError::Owned {
        owner: named.or_else(|| owners.first().copied()),
        since: holder.map(|holder| holder.since),
    }
}
