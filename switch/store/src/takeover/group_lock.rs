//! The advisory lock of a group, on a connection of its own. It keeps honest processes apart and is
//! not the fence: the journal's keys are. It owns how the lock is taken, watched and regained.

use std::time::Duration;

use sqlx::{Connection, PgConnection, Row};
use switch_domain::OwnerId;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::fence::lock_timed_out;
use crate::backoff::BackOff;
use crate::error::StoreError;
use crate::store::{Store, application_name};

/// "cardswit" and the number of the group, as the lock's key.
const KEY: i64 = 0x6361_7264_7377_0000;
/// How often the connection that holds the lock is tried.
const PULSE: Duration = Duration::from_secs(1);

/// A process that was killed leaves its lock for an instant; three seconds are more than that.
const LIMITS: &str = "SET lock_timeout = '3s'; SET statement_timeout = '20s'";
const LOCK: &str = "SELECT pg_advisory_lock($1)";
const TRY_LOCK: &str = "SELECT pg_try_advisory_lock($1)";
const UNLOCK: &str = "SELECT pg_advisory_unlock($1)";
const HOLDER: &str = r#"
    SELECT pid, application_name,
        to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
        AND (classid::int8 << 32) + objid::int8 = $1 AND datname = current_database()"#;
const END: &str = "SELECT pg_terminate_backend($1, 5000)";

const DOING: &str = "taking the lock of the shards";

/// Whether the lock is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// It is.
    Held,
    /// Its connection broke; it is being taken again. Journal keys still fence.
    Regaining,
    /// Another process has it.
    Lost,
}

/// The connection that has the lock.
pub(super) struct Holder {
    pid: i32,
    pub(super) name: String,
    pub(super) since: String,
}

impl Holder {
    /// The owner by the connection's name.
    pub(super) fn owner(&self) -> Option<OwnerId> {
        let hex = self.name.strip_prefix("cardswitch/")?;
        Some(OwnerId(uuid::Uuid::try_parse(hex).ok()?.into_bytes()))
    }
}

/// Takes the lock; false where another has it.
pub(super) async fn acquire(connection: &mut PgConnection) -> Result<bool, StoreError> {
    let locked = async {
        sqlx::raw_sql(LIMITS).execute(&mut *connection).await?;
        sqlx::query(LOCK).bind(KEY).execute(&mut *connection).await
    };
    match locked.await {
        Ok(_) => Ok(true),
        Err(error) if lock_timed_out(&error) => Ok(false),
        Err(error) => Err(StoreError::database(DOING)(error)),
    }
}

/// Takes the lock if nobody has it, without waiting.
pub(super) async fn acquire_at_once(connection: &mut PgConnection) -> Result<bool, StoreError> {
    let locked = async {
        sqlx::raw_sql(LIMITS).execute(&mut *connection).await?;
        sqlx::query_scalar(TRY_LOCK).bind(KEY).fetch_one(&mut *connection).await
    };
    locked.await.map_err(StoreError::database(DOING))
}

/// Who has the lock.
pub(super) async fn holder(connection: &mut PgConnection) -> Result<Option<Holder>, StoreError> {
    find_holder(connection).await.map_err(StoreError::database(DOING))
}

async fn find_holder(connection: &mut PgConnection) -> Result<Option<Holder>, sqlx::Error> {
    let found = sqlx::query(HOLDER).bind(KEY).fetch_optional(connection).await?;
    let Some(row) = found else { return Ok(None) };
    Ok(Some(Holder {
        pid: row.try_get("pid")?,
        name: row.try_get("application_name")?,
        since: row.try_get("since")?,
    }))
}

/// The lock, kept by a task.
#[derive(Debug)]
pub(super) struct GroupLock {
    state: watch::Receiver<LockState>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl GroupLock {
    /// Keeps the lock that `connection` has.
    pub(super) fn keep(connection: PgConnection, store: Store) -> Self {
        let (state, receiver) = watch::channel(LockState::Held);
        let (stop, stopped) = oneshot::channel();
        let keeper = Keeper { store, state };
        let task = tokio::spawn(keeper.run(connection, stopped));
        Self { state: receiver, stop: Some(stop), task: Some(task) }
    }

    pub(super) fn state(&self) -> watch::Receiver<LockState> {
        self.state.clone()
    }

    /// Unlocks and waits for it.
    pub(super) async fn release(mut self) {
        drop(self.stop.take());
        if let Some(task) = self.task.take() {
            // An error here means that the task panicked: its connection, and the lock, are gone.
            let _ = task.await;
        }
    }
}

impl Drop for GroupLock {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort(); // closes the connection, and PostgreSQL lets the lock go
        }
    }
}

struct Keeper {
    store: Store,
    state: watch::Sender<LockState>,
}

impl Keeper {
    async fn run(self, mut connection: PgConnection, mut stopped: oneshot::Receiver<()>) {
        loop {
            tokio::select! {
                _ = &mut stopped => return unlock(connection).await,
                () = tokio::time::sleep(PULSE) => {}
            }
            if connection.ping().await.is_ok() {
                continue;
            }
            tracing::warn!("the connection that holds the lock of the shards broke");
            self.state.send_replace(LockState::Regaining);
            tokio::select! {
                _ = &mut stopped => return,
                regained = self.regain() => match regained {
                    Some(again) => connection = again,
                    None => {
                        tracing::error!("another process holds the lock of the shards");
                        self.state.send_replace(LockState::Lost);
                        return;
                    }
                },
            }
            self.state.send_replace(LockState::Held);
        }
    }

    /// Takes the lock again over a new connection; `None` where another process has it.
    async fn regain(&self) -> Option<PgConnection> {
        let mut back_off = BackOff::new();
        loop {
            match self.try_again().await {
                Ok(Regained::Yes(connection)) => return Some(*connection),
                Ok(Regained::Never) => return None,
                Ok(Regained::NotYet) => {}
                Err(error) => {
                    tracing::warn!(%error, "the lock of the shards is not ours again yet");
                }
            }
            tokio::time::sleep(back_off.next_wait()).await;
        }
    }

    async fn try_again(&self) -> Result<Regained, sqlx::Error> {
        let mut connection = self.store.owner_connection().await?;
        let ours: bool = sqlx::query_scalar(TRY_LOCK).bind(KEY).fetch_one(&mut connection).await?;
        if ours {
            return Ok(Regained::Yes(Box::new(connection)));
        }
        match find_holder(&mut connection).await? {
            None => Ok(Regained::NotYet),
            // PostgreSQL has not noticed yet that our old connection broke.
            Some(holder) if holder.name == application_name(self.store.owner()) => {
                sqlx::query(END).bind(holder.pid).execute(&mut connection).await?;
                Ok(Regained::NotYet)
            }
            Some(_) => Ok(Regained::Never),
        }
    }
}

enum Regained {
    Yes(Box<PgConnection>),
    NotYet,
    Never,
}

async fn unlock(mut connection: PgConnection) {
    let unlocked = sqlx::query(UNLOCK).bind(KEY).execute(&mut connection).await;
    if let Err(error) = unlocked {
        tracing::warn!(%error, "the lock goes with its connection");
    }
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "closing the connection that held the lock");
    }
}
