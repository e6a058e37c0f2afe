//! The lies that are preloaded into PostgreSQL and the switch: a disk that is slow or fails, a wall
//! clock that is wrong. It owns the compiled shim and the files by which each lie is told; when one
//! is told, and for how long, is the fault's affair.

use std::fs::{File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::time::Instant;

/// The source. It is compiled where it runs: a machine that can build the switch has a C compiler.
const SOURCE: &str = include_str!("../../shim/lies.c");
/// How often it is looked whether a lie was told.
const LOOK: Duration = Duration::from_millis(5);

/// The compiled shim, and the directory by which PostgreSQL's disk is told what to do.
#[derive(Clone, Debug)]
pub(crate) struct Shim {
    library: PathBuf,
    disk: PathBuf,
}

impl Shim {
    /// Compiles it below a directory that PostgreSQL's account can pass through.
    pub(super) fn make(directory: &Path) -> Result<Self> {
        let place = directory.join("shim");
        let (source, library) = (place.join("lies.c"), place.join("lies.so"));
        let disk = place.join("disk");
        std::fs::create_dir_all(&disk).with_context(|| format!("making {}", disk.display()))?;
        std::fs::write(&source, SOURCE)?;
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl");
        let output = compiler.output().context("running cc")?;
        if !output.status.success() {
            bail!("cc cannot compile the shim: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        File::create(disk.join("trace"))?;
        // PostgreSQL's account reads the library, takes `fail` away and adds to the trace.
        for (path, mode) in
            [(&place, 0o711), (&library, 0o755), (&disk, 0o777), (&disk.join("trace"), 0o666)]
        {
            std::fs::set_permissions(path, Permissions::from_mode(mode))?;
        }
        Ok(Self { library, disk })
    }

    /// What PostgreSQL is started with.
    pub(super) fn for_disk(&self) -> Vec<(String, String)> {
        self.environment("FAULT_SHIM_DISK", &self.disk)
    }

    /// What the switch is started with, whose clock the file sets.
    pub(super) fn for_clock(&self, clock: &Clock) -> Vec<(String, String)> {
        self.environment("FAULT_SHIM_CLOCK", &clock.path)
    }

    fn environment(&self, name: &str, value: &Path) -> Vec<(String, String)> {
        let text = |path: &Path| path.display().to_string();
        vec![("LD_PRELOAD".into(), text(&self.library)), (name.into(), text(value))]
    }

    /// From now on each wait for the write-ahead log takes between two numbers of milliseconds.
    pub(super) fn slow_disk(&self, (low, high): (u64, u64)) -> Result<()> {
        // Put in place whole, for it is read at any moment.
        let (unfinished, slow) = (self.disk.join("slow.unfinished"), self.disk.join("slow"));
        std::fs::write(&unfinished, format!("{low} {high}"))?;
        Ok(std::fs::rename(unfinished, slow)?)
    }

    /// The next wait for the write-ahead log fails.
    pub(super) fn fail_disk_once(&self) -> Result<()> {
        File::create(self.disk.join("fail"))?;
        Ok(())
    }

    /// The disk is as it should be.
    pub(super) fn heal_disk(&self) {
        // What is not there is healed.
        let _ = std::fs::remove_file(self.disk.join("slow"));
        let _ = std::fs::remove_file(self.disk.join("fail"));
    }

    /// How often the disk has lied so far.
    pub(super) fn disk_lies(&self) -> Result<u64> {
        Ok(std::fs::metadata(self.disk.join("trace"))?.len())
    }
}

/// The file that sets a switch's wall clock: by how many nanoseconds it is ahead, and how often it
/// was read like that.
#[derive(Debug)]
pub(crate) struct Clock {
    path: PathBuf,
    file: File,
}

impl Clock {
    /// A clock that is right.
    pub(super) fn make(directory: &Path) -> Result<Self> {
        let path = directory.join("clock");
        std::fs::write(&path, [0; 16])?;
        let file = File::options().read(true).write(true).open(&path)?;
        Ok(Self { path, file })
    }

    /// Sets it ahead, or behind.
    pub(super) fn set(&self, nanos_ahead: i64) -> Result<()> {
        Ok(self.file.write_all_at(&nanos_ahead.to_ne_bytes(), 0)?)
    }

    /// How often it was read while it was wrong.
    pub(super) fn lies(&self) -> Result<u64> {
        let mut count = [0; 8];
        self.file.read_exact_at(&mut count, 8)?;
        Ok(u64::from_ne_bytes(count))
    }
}

/// Waits until a lie has been told so often.
pub(super) async fn told(
    lies: impl Fn() -> Result<u64>,
    wanted: u64,
    within: Duration,
) -> Result<()> {
    let began = Instant::now();
    while lies()? < wanted {
        ensure!(began.elapsed() < within, "the shim is not felt: nothing came by it");
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
