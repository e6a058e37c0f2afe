//! `cardswitch vault reencrypt`: every card number under the active key, a batch at a time. It owns
//! the passes and what is told of them. A number that does not open is told by its row and left as
//! it is; where a run stopped, the rows themselves say.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use admin_api::reencrypt_pan;
use anyhow::ensure;
use switch_security::{PanKeys, SoftwareModule};
use switch_store::{RotationBatch, Vault};

/// How far apart progress is told, after the first batch.
const TOLD: Duration = Duration::from_secs(1);
/// Most rows that do not open and are named; the others are counted.
const MOST_NAMED: usize = 20;

/// How a run stands.
#[derive(Default)]
struct Progress {
    done: u64,
    batches: u64,
    /// Rows of this pass that did not open.
    unread: usize,
    named: Vec<i64>,
    told: Option<Instant>,
}

pub(super) async fn run(
    vault: &Vault,
    keys: &PanKeys,
    batch_rows: u32,
    most: Option<u64>,
) -> anyhow::Result<ExitCode> {
    // With these keys and no others: a rotation meanwhile is a matter of the next run.
    let module = SoftwareModule::new(keys)?;
    let active = keys.id().to_string();
    let total = left(vault, &active).await?;
    let mut progress = Progress::default();
    println!("{total} card number(s) to encrypt again under key {active}");
    loop {
        let ended = pass(vault, (&module, &active), batch_rows, most, &mut progress).await?;
        let left = left(vault, &active).await?;
        // A number that a switch was storing under the key before may have come behind the pass.
        let more = usize::try_from(left).is_ok_and(|left| left > progress.unread);
        if ended && more && most.is_none() {
            continue;
        }
        let done = progress.done;
        tracing::info!(target: "audit", act = "reencrypt_pans", %active, done, left);
        println!("{done} card number(s) encrypted again, {left} left");
        if progress.unread > 0 {
            println!(
                "{} do not open and stay as they are: rows {:?} of pan_vault",
                progress.unread, progress.named
            );
        }
        return Ok(if left == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
}

/// Goes through all rows once; `false` where it stopped at the most that was asked for.
async fn pass(
    vault: &Vault,
    (module, active): (&SoftwareModule, &str),
    batch_rows: u32,
    most: Option<u64>,
    progress: &mut Progress,
) -> anyhow::Result<bool> {
    (progress.unread, progress.named) = (0, Vec::new());
    let mut behind = i64::MIN;
    loop {
        if most.is_some_and(|most| progress.batches >= most) {
            return Ok(false);
        }
        let batch = vault.rotation_batch(active, behind, batch_rows).await?;
        let Some((last, _)) = batch.rows.last() else { return Ok(true) };
        behind = *last;
        progress.done += encrypt(batch, module, active, progress).await?;
        progress.batches += 1;
        if progress.told.is_none_or(|told| told.elapsed() >= TOLD) {
            progress.told = Some(Instant::now());
            let left = left(vault, active).await?;
            println!("{} encrypted again, {left} left", progress.done);
        }
    }
}

/// Every number of the batch is opened, sealed and compared before anything is written.
async fn encrypt(
    batch: RotationBatch,
    module: &SoftwareModule,
    active: &str,
    progress: &mut Progress,
) -> anyhow::Result<u64> {
    let mut rows = Vec::with_capacity(batch.rows.len());
    for (row, stored) in &batch.rows {
        match reencrypt_pan(module, *row, stored) {
            Ok(sealed) => {
                ensure!(sealed.key_id == active, "row {row} came under {}", sealed.key_id);
                rows.push((*row, sealed.nonce, sealed.ciphertext));
            }
            Err(error) => {
                tracing::error!(row, %error, "a stored card number is not encrypted again");
                progress.unread += 1;
                if progress.named.len() < MOST_NAMED {
                    progress.named.push(*row);
                }
            }
        }
    }
    Ok(batch.replace(active, rows).await?)
}

async fn left(vault: &Vault, active: &str) -> anyhow::Result<i64> {
    let rows = vault.rows_by_key().await?;
    Ok(rows.iter().filter(|one| one.key_id != active).map(|one| one.rows).sum())
}
