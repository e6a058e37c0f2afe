//! Commands that do their work themselves, with no switch to ask: their records in the audit
//! (P-21). It owns that such an act is recorded before it is begun, and what came of it after; what
//! cannot be recorded is not done. Must not record what only shows.

use std::os::unix::fs::MetadataExt as _;

use admin_api::audit::{Entry, Outcome, audit_sink};
use anyhow::Context;
use switch_store::Store;
use uuid::Uuid;

use crate::clock::now;

/// Does an act between its two records. The tables are there: see [`Store::migrate`].
pub(super) async fn recorded<T>(
    store: &Store,
    (act, object): (&'static str, String),
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let (sink, recording) = audit_sink(store.pool().clone(), 2);
    let recording = tokio::spawn(recording);
    let mut entry = Entry {
        at: now(),
        actor: actor()?,
        act: format!("command {act}"),
        outcome: Outcome::Begun,
        origin: "command line".into(),
        object,
        request_id: Uuid::new_v4().simple().to_string(),
        code: None,
    };
    let unrecorded = |problem: admin_api::Problem| anyhow::anyhow!("{}", problem.detail);
    sink.add(entry.clone()).await.map_err(unrecorded).context("nothing was done")?;
    let done = work.await;
    entry.at = now();
    entry.outcome = if done.is_ok() { Outcome::Done } else { Outcome::Failed };
    let noted = sink.add(entry).await.map_err(unrecorded);
    drop(sink);
    recording.await.context("writing the audit")?;
    let done = done?;
    noted.context("it was done, and its end is not recorded")?;
    Ok(done)
}

/// As commands over the control socket are called.
fn actor() -> anyhow::Result<String> {
    let own = std::fs::metadata("/proc/self").context("finding out whose process this is")?;
    Ok(format!("uid:{}", own.uid()))
}
