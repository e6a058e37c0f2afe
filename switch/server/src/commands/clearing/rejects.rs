//! The list of lines that people should look at, beside the file that they stand in. It owns its
//! name and its form: one JSON object a line, none of which holds anything of the line itself.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Listed {
    /// Its number, from 1.
    pub(super) line: u64,
    /// The number of its record, where it has one.
    pub(super) record: Option<u64>,
    /// What became of it.
    pub(super) outcome: String,
    /// Why.
    pub(super) reason: String,
    /// What to do.
    pub(super) advice: String,
}

/// The list; there is no file as long as nothing is listed.
pub(super) struct Rejects {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Rejects {
    /// For the import of this file: `FILE.rejects`. That of an earlier import is removed.
    pub(super) fn beside(file: &Path) -> anyhow::Result<Self> {
        let mut path = file.as_os_str().to_owned();
        path.push(".rejects");
        let path = PathBuf::from(path);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", path.display()))
            }
            _ => Ok(Self { path, file: None }),
        }
    }

    pub(super) fn add(&mut self, listed: &Listed) -> anyhow::Result<()> {
        let writing = || format!("writing {}", self.path.display());
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                self.file.insert(BufWriter::new(File::create(&self.path).with_context(writing)?))
            }
        };
        writeln!(file, "{}", serde_json::to_string(listed)?).with_context(writing)
    }

    /// All that was listed is in the file; its path, if there is one.
    pub(super) fn close(&mut self) -> anyhow::Result<Option<PathBuf>> {
        let Some(mut file) = self.file.take() else { return Ok(None) };
        file.flush().with_context(|| format!("writing {}", self.path.display()))?;
        Ok(Some(self.path.clone()))
    }
}
