//! A full disk: PostgreSQL's own small volume is filled up and made free again. It owns the filler;
//! where no volume can be mounted, it says so instead of pretending.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::faults::last;
use super::stage::Stage;

/// Room for a cluster and its write-ahead log, and little more.
const SIZE: &str = "size=448m,mode=0711";
/// Written at a time, down to single blocks.
const STEPS: [usize; 3] = [1 << 20, 1 << 16, 4096];

/// Mounts a small volume at a directory. False where this account may not.
pub(super) fn mount(directory: &Path) -> Result<bool> {
    std::fs::create_dir_all(directory)?;
    let mut command = Command::new("mount");
    command.args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(directory);
    let output = command.output().context("running mount")?;
    Ok(output.status.success())
}

pub(super) async fn fill(stage: &mut Stage<'_>, millis: (u64, u64)) -> Result<()> {
    let filler = stage.cluster.directory().join("filler");
    stage.moment().await?;
    let written = fill_up(&filler)?;
    stage.note(format!("the disk is full: {} KiB of filler", written / 1024));
    last(stage, millis).await;
    let log = stage.switch()?.log.clone();
    let said = std::fs::read_to_string(log)?;
    let down = stage.cluster.postmaster().is_none();
    let felt = ["No space left", "could not extend", "could not write"];
    if down || felt.iter().any(|words| said.contains(words)) {
        stage.fired(if down { "PostgreSQL went down" } else { "an append found no space" });
    }
    std::fs::remove_file(&filler).context("removing the filler")?;
    stage.note("there is space again");
    Ok(())
}

fn fill_up(filler: &Path) -> Result<usize> {
    let mut file = File::create(filler)?;
    let mut written = 0;
    for step in STEPS {
        let block = vec![0x5A; step];
        loop {
            match file.write(&block) {
                Ok(0) => break,
                Ok(count) => written += count,
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => break,
                Err(error) => bail!("filling the disk: {error}"),
            }
        }
    }
    Ok(written)
}
