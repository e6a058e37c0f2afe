//! Where records go: a queue with one writer behind it, which adds all that wait in one
//! transaction. It owns its limit, and that who adds a record knows whether it is there.

use std::time::Duration;

use sqlx::postgres::PgPool;
use tokio::sync::{mpsc, oneshot};

use super::chain::Link;
use super::entry::Entry;
use crate::Problem;

/// Records that are added at a time.
const AT_A_TIME: usize = 256;
/// For how long a writer tries before those that wait are told that it cannot be done.
const WITHIN: Duration = Duration::from_secs(5);

struct Waiting {
    entry: Entry,
    done: oneshot::Sender<bool>,
}

/// A handle to add records with.
#[derive(Clone, Debug)]
pub struct AuditSink {
    queue: mpsc::Sender<Waiting>,
}

impl AuditSink {
    /// Adds a record; it is in the database when this returns.
    ///
    /// # Errors
    /// `AUDIT_UNAVAILABLE`: it is not, or nobody knows. What it is about must not be done, or not
    /// be said to be done.
    pub async fn add(&self, entry: Entry) -> Result<(), Problem> {
        let (done, added) = oneshot::channel();
        let waits = self.queue.try_send(Waiting { entry, done }).is_ok();
        if waits && added.await.unwrap_or(false) {
            return Ok(());
        }
        metrics::counter!("cardswitch_audit_not_added_total").increment(1);
        let what = "the audit takes no records now, so nothing is done that needs one; try later";
        Err(Problem::new("AUDIT_UNAVAILABLE", what))
    }
}

/// A sink with room for so many waiting records, and its writer, which ends with the last handle.
pub fn audit_sink(
    pool: PgPool,
    room: usize,
) -> (AuditSink, impl Future<Output = ()> + Send + use<>) {
    let (queue, mut waiting) = mpsc::channel::<Waiting>(room.max(1));
    let link = Link::new(pool);
    let writer = async move {
        let mut batch = Vec::with_capacity(AT_A_TIME);
        while waiting.recv_many(&mut batch, AT_A_TIME).await > 0 {
            let added = write(&link, &batch).await;
            for Waiting { done, .. } in batch.drain(..) {
                // Who no longer waits has gone.
                let _ = done.send(added);
            }
        }
    };
    (AuditSink { queue }, writer)
}

async fn write(link: &Link, batch: &[Waiting]) -> bool {
    let entries: Vec<Entry> = batch.iter().map(|waiting| waiting.entry.clone()).collect();
    let added = tokio::time::timeout(WITHIN, link.add(&entries)).await;
    let problem = match added {
        Ok(Ok(head)) => {
            #[allow(clippy::cast_precision_loss)] // a gauge: nobody counts by it
            metrics::gauge!("cardswitch_audit_records").set(head.number as f64);
            metrics::gauge!("cardswitch_audit_writes").set(1.0);
            return true;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the database did not answer in time".to_owned(),
    };
    metrics::gauge!("cardswitch_audit_writes").set(0.0);
    tracing::error!(problem, "the audit cannot be written: acts over the API are refused");
    false
}
