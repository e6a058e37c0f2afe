//! A disk that fails in other ways than by being full: waits for the write-ahead log that are slow
//! or fail, and a bit that turned over in a table. It owns how each is made, and how it is seen.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rand::RngExt;
use rand::seq::IndexedRandom;
use sqlx::AssertSqlSafe;

use super::faults::{gone, last};
use super::process::{Started, tail};
use super::shim::{self, Shim};
use super::signals;
use super::stage::{SOON, Stage};

/// PostgreSQL's pages.
const PAGE: u64 = 8192;
/// Tables that amounts are in, of which every page is read when a switch starts.
const MONEY: [&str; 4] = ["balance", "pool_share", "card_authorization", "posting"];
/// The file of a table, or of its largest partition where it is kept by day.
const FILE: &str = "\
    SELECT pg_relation_filepath(oid) FROM pg_class
    WHERE relkind = 'r' AND (oid = 'TABLE'::regclass
        OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'TABLE'::regclass))
    ORDER BY pg_relation_size(oid) DESC, oid LIMIT 1";

fn shim(stage: &Stage<'_>) -> Result<Shim> {
    stage.cluster.shim().cloned().map_err(|why| anyhow::anyhow!("no shim: {why}"))
}

/// Each wait for the write-ahead log takes long, for a while.
pub(super) async fn slow(
    stage: &mut Stage<'_>,
    each: (u64, u64),
    millis: (u64, u64),
) -> Result<()> {
    let shim = shim(stage)?;
    stage.moment().await?;
    let before = shim.disk_lies()?;
    shim.slow_disk(each)?;
    let felt = shim::told(|| shim.disk_lies(), before + 2, SOON).await;
    last(stage, millis).await;
    shim.heal_disk();
    felt?;
    let count = shim.disk_lies()? - before;
    stage.fired(format!("{count} waits for the disk were slow"));
    stage.more_replies(40).await;
    Ok(())
}

/// A wait for the write-ahead log fails: what it was for may or may not be on the disk, and
/// PostgreSQL must not take the next that succeeds for an answer.
pub(super) async fn fails(stage: &mut Stage<'_>, times: u32) -> Result<()> {
    let shim = shim(stage)?;
    let log = stage.cluster.log();
    let from = std::fs::metadata(&log)?.len();
    stage.moment().await?;
    for _ in 0..times {
        let before = shim.disk_lies()?;
        shim.fail_disk_once()?;
        let failed = shim::told(|| shim.disk_lies(), before + 1, SOON).await;
        shim.heal_disk();
        failed?;
        stage.note("a wait for the disk failed");
        stage.more_replies(20).await;
    }
    let from = usize::try_from(from)?;
    let said = std::fs::read(&log)?;
    let said = String::from_utf8_lossy(said.get(from..).unwrap_or_default()).into_owned();
    ensure!(said.contains("PANIC"), "PostgreSQL went on after a wait for the disk had failed");
    stage.fired("PostgreSQL gave up and recovered");
    Ok(())
}

/// A bit of a table turns over while PostgreSQL is down. The switch must refuse to start, and say
/// so; then the page comes back, as it would from a backup.
pub(super) async fn turned_bit(stage: &mut Stage<'_>) -> Result<()> {
    stage.moment().await?;
    stage.switch()?.terminate().await?;
    let (table, path) = money_file(stage).await?;
    stop(stage).await?;
    let (at, bit) = place(stage, &path)?;
    turn(&path, at, bit)?;
    stage.note(format!("bit {bit} of byte {at} in {table} turned over"));
    restart(stage).await?;
    let started = stage.try_switch(false).await?;
    stop(stage).await?;
    turn(&path, at, bit)?;
    restart(stage).await?;
    let refused = match started {
        Started::Ended(refused) => refused,
        Started::Serving(switch) => {
            stage.former.push(*switch);
            bail!("a switch serves from a damaged {table}");
        }
    };
    let said = tail(&refused.log);
    ensure!(!refused.status.success(), "refused, and ended with {}", refused.status);
    let clear = said.contains("damaged on the disk");
    ensure!(clear, "it was refused without saying that {table} is damaged: {said}");
    stage.fired(format!("a damaged {table} was refused"));
    Ok(())
}

/// The file of a table, with everything of it on the disk.
async fn money_file(stage: &mut Stage<'_>) -> Result<(&'static str, PathBuf)> {
    let table = *MONEY.choose(&mut stage.random).context("a table")?;
    let mut connection = stage.connect().await?;
    sqlx::raw_sql("CHECKPOINT").execute(&mut connection).await?;
    // The name is one of ours.
    let sql = AssertSqlSafe(FILE.replace("TABLE", table));
    let path: String = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
    Ok((table, stage.cluster.directory().join("pgdata").join(path)))
}

async fn stop(stage: &Stage<'_>) -> Result<()> {
    let pid = stage.cluster.postmaster().context("no postmaster")?;
    signals::send("INT", &[pid]).await?;
    gone(pid).await
}

async fn restart(stage: &mut Stage<'_>) -> Result<()> {
    stage.revive().await?;
    tokio::time::timeout(Duration::from_secs(20), stage.connect())
        .await
        .context("PostgreSQL is not back")??;
    Ok(())
}

/// A byte of the file, and a bit of that.
fn place(stage: &mut Stage<'_>, path: &Path) -> Result<(u64, u8)> {
    let length = std::fs::metadata(path).with_context(|| format!("{}", path.display()))?.len();
    ensure!(length >= PAGE, "{} has no page", path.display());
    Ok((stage.random.random_range(0..length), stage.random.random_range(0..8)))
}

fn turn(path: &Path, at: u64, bit: u8) -> Result<()> {
    let file = File::options().read(true).write(true).open(path)?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at)?;
    file.write_all_at(&[byte[0] ^ (1 << bit)], at)?;
    Ok(file.sync_all()?)
}
