//! Appends to the simulated journal, as `PgAppender` makes them: one attempt after the other with
//! the same bytes until the truth is known. It owns that a transaction which was sent goes on in
//! the database though its process has given up or is gone.

use std::time::Duration;

use switch_domain::OwnerId;
use tokio::sync::oneshot;

use super::database::Place;
use super::server::{Life, Lost, pass};
use super::{Defect, SimulatedStore};
use crate::backoff::BackOff;
use crate::journal::{Appended, Journal, JournalRow};

/// How long one attempt is waited for (W-5).
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a statement waits for a key that another transaction holds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);
/// So many rows in a thousand are not kept where that is the defect.
const NOT_KEPT: u64 = 50;

/// An appender of one process.
#[derive(Debug)]
pub struct SimulatedJournal {
    store: SimulatedStore,
    owner: OwnerId,
}

impl SimulatedJournal {
    pub(super) const fn new(store: SimulatedStore, owner: OwnerId) -> Self {
        Self { store, owner }
    }
}

impl Journal for SimulatedJournal {
    async fn append(&mut self, row: &JournalRow) -> Appended {
        let seed = self.store.lock().dice.roll();
        let mut back_off = BackOff::seeded(Some(seed));
        loop {
            if let Ok(outcome) = self.store.attempt(self.owner, row).await {
                return outcome;
            }
            pass(back_off.next_wait()).await;
        }
    }
}

impl SimulatedStore {
    /// One attempt; `Lost` where its outcome is unknown.
    pub(super) async fn attempt(&self, owner: OwnerId, row: &JournalRow) -> Result<Appended, Lost> {
        self.running(owner).await;
        let sent = tokio::time::timeout(PATIENCE, self.send(owner, row)).await;
        self.running(owner).await;
        sent.unwrap_or(Err(Lost))
    }

    async fn send(&self, owner: OwnerId, row: &JournalRow) -> Result<Appended, Lost> {
        let life = self.life(owner);
        pass(self.delay()).await;
        self.reached().await?;
        if self.life(owner) != life {
            return Err(Lost);
        }
        let (answer, answered) = oneshot::channel();
        let (store, row) = (self.clone(), row.clone());
        tokio::spawn(async move { store.transact(owner, life, row, answer).await });
        answered.await.map_err(|_| Lost)
    }

    /// The server's side: it goes on whoever still waits for it.
    async fn transact(
        self,
        owner: OwnerId,
        life: Life,
        row: JournalRow,
        answer: oneshot::Sender<Appended>,
    ) {
        let transaction = {
            let mut inner = self.lock();
            inner.transactions = inner.transactions.wrapping_add(1);
            inner.transactions
        };
        let put = tokio::time::timeout(LOCK_TIMEOUT, self.put(&row, transaction)).await;
        let outcome = match put {
            Err(_) => return,
            Ok(Some(outcome)) => outcome,
            Ok(None) => {
                let defect = self.lock().database.defect;
                if defect == Defect::AnswersEarly {
                    let _ = answer.send(Appended::Committed);
                    self.commit(owner, life, &row, transaction).await;
                    return;
                }
                if !self.commit(owner, life, &row, transaction).await {
                    return;
                }
                Appended::Committed
            }
        };
        pass(self.delay()).await;
        self.not_hanging().await;
        if !self.loses_answer("append") && self.life(owner) == life {
            let _ = answer.send(outcome);
        }
    }

    /// Waits while another transaction holds the key. `None`: the row is in, uncommitted.
    async fn put(&self, row: &JournalRow, transaction: u64) -> Option<Appended> {
        loop {
            let changed = self.changed.notified();
            match self.lock().database.insert(row, transaction) {
                Place::Free => return None,
                Place::Known(outcome) => return Some(outcome),
                Place::Held => {}
            }
            changed.await;
        }
    }

    /// The commit; false where the transaction ended without it.
    async fn commit(&self, owner: OwnerId, life: Life, row: &JournalRow, transaction: u64) -> bool {
        pass(self.commit_time()).await;
        self.not_hanging().await;
        let commit = !self.fails("append") && self.life(owner) == life;
        let (committed, forgotten) = {
            let mut inner = self.lock();
            let careless = inner.database.defect == Defect::KeepsNothing;
            let forgotten = commit && careless && inner.dice.in_thousand(NOT_KEPT);
            (inner.database.end(row, transaction, commit && !forgotten), forgotten)
        };
        self.changed.notify_waiters();
        committed || forgotten
    }
}
