//! The heads of the journal in a file beside the database: by it a start notices that PostgreSQL
//! was restored to an earlier time while nobody served (W-24). It owns that file; what is done
//! about it is `journal reconcile`'s.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use switch_domain::{Seq, ShardId};
use switch_store::{ChainHead, Hash, Identity, Store};

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Heads {
    system: String,
    timeline: i64,
    database: String,
    shards: Vec<Head>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    shard: u16,
    seq: i64,
    hash: String,
}

/// Where the heads of a database are noted.
fn place(directory: &Path, identity: &Identity) -> PathBuf {
    directory.join(format!("heads-{}-{}.json", identity.system, identity.database))
}

/// Notes the heads as they are, in place of those that were noted before.
pub(crate) async fn write(store: &Store, directory: &Path) -> anyhow::Result<()> {
    let identity = store.identity().await?;
    let heads = store.journal_heads().await?;
    let shards = heads.iter().map(|head| Head {
        shard: head.shard.0,
        seq: head.seq.0,
        hash: head.hash.to_string(),
    });
    let place = place(directory, &identity);
    let Identity { system, timeline, database } = identity;
    let heads = Heads { system, timeline, database, shards: shards.collect() };
    switch_store::write_in_place(&place, &serde_json::to_vec_pretty(&heads)?)
        .with_context(|| format!("writing {}", place.display()))
}

/// Notes the heads as they are, unless the database lacks what was noted before: then that is noted
/// in the database, and the file stays as it is. The next append ends this process.
pub(crate) async fn follow(store: &Store, directory: &Path) -> anyhow::Result<()> {
    if note_what_is_missing(store, directory).await? {
        tracing::error!("the journal went back in time; its heads are left as they were noted");
        return Ok(());
    }
    write(store, directory).await
}

/// Where the database lacks what was in it when this switch last looked, that is noted there, and
/// stops every start until it is settled (W-24). Whether that is so.
pub(crate) async fn note_what_is_missing(store: &Store, directory: &Path) -> anyhow::Result<bool> {
    let Some(missing) = missing(store, directory).await? else { return Ok(false) };
    if !store.unreconciled().await?.contains(&missing) {
        store.note_went_back(&missing).await?;
    }
    Ok(true)
}

/// Forgets what was noted: somebody has seen that the database is behind it.
pub(crate) async fn forget(store: &Store, directory: &Path) -> anyhow::Result<()> {
    let place = place(directory, &store.identity().await?);
    match std::fs::remove_file(&place) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", place.display()))
        }
        _ => Ok(()),
    }
}

/// What the database lacks of what was noted, in words; nothing where it has everything, or where
/// nothing was noted. A timeline that changed without loss, as at a failover, is only logged.
pub(crate) async fn missing(store: &Store, directory: &Path) -> anyhow::Result<Option<String>> {
    let identity = store.identity().await?;
    let place = place(directory, &identity);
    let bytes = match std::fs::read(&place) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.with_context(|| format!("reading {}", place.display()))?,
    };
    let noted: Heads = serde_json::from_slice(&bytes)
        .with_context(|| format!("{} is not what was written there", place.display()))?;
    if noted.timeline != identity.timeline {
        tracing::warn!(
            before = noted.timeline,
            now = identity.timeline,
            "PostgreSQL is on another timeline than before: it was failed over or restored"
        );
    }
    for head in &noted.shards {
        let mut hash = [0; 32];
        hex::decode_to_slice(&head.hash, &mut hash)
            .with_context(|| format!("{}: a hash", place.display()))?;
        let known = ChainHead { shard: ShardId(head.shard), seq: Seq(head.seq), hash: Hash(hash) };
        if !store.still_has(&known).await? {
            return Ok(Some(format!(
                "row {} of shard {} was in the journal and is not any more: PostgreSQL was \
                 restored, or failed over to a standby that was behind",
                head.seq, head.shard
            )));
        }
    }
    Ok(None)
}
