//! The lines of a clearing file, one at a time. It owns the limits of a file and of a line, and the
//! first line with the file's identifier; it keeps no more than one line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use admin_api::clearing_operation::ClearingLimits;
use admin_api::{ClearingLine, FileId};
use anyhow::Context;
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use super::{not_one, too_large};

/// The form of files that this version reads.
const FORM: u64 = 1;

/// The first line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    clearing: u64,
    file: String,
}

/// A line behind the first that is not empty.
pub(super) enum Line {
    /// For the switch, with its length in a request.
    Text(ClearingLine, usize),
    /// Of this number, and of no use for this reason.
    Bad(u64, String),
}

/// A file being read.
pub(super) struct Lines {
    reader: BufReader<File>,
    path: PathBuf,
    max_line: usize,
    max_file: u64,
    bytes: u64,
    number: u64,
}

impl Lines {
    pub(super) fn open(path: &Path, limits: &ClearingLimits) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        let length = file.metadata().map_or(0, |known| known.len());
        if length > limits.max_file_bytes {
            return too_large(path, limits.max_file_bytes);
        }
        Ok(Self {
            reader: BufReader::new(file),
            path: path.to_owned(),
            max_line: limits.max_line_bytes,
            max_file: limits.max_file_bytes,
            bytes: 0,
            number: 0,
        })
    }

    /// The first line: who the file is.
    pub(super) fn header(&mut self) -> anyhow::Result<FileId> {
        let wanted = r#"line 1 is not {"clearing":1,"file":"IDENTIFIER"}"#;
        let line = self.read_line()?.and_then(Result::ok);
        let header = line.and_then(|line| serde_json::from_slice::<Header>(&line).ok());
        let header = header.ok_or_else(|| not_one(&self.path, wanted))?;
        if header.clearing != FORM {
            return Err(not_one(&self.path, "this version reads files of form 1"));
        }
        let limits = "its identifier has 1 to 64 letters, digits, \".\", \"_\" and \"-\", and not \
                      more than 11 digits in a row";
        FileId::new(&header.file).ok_or_else(|| not_one(&self.path, limits))
    }

    /// The next line that is not empty; `None` at the end.
    pub(super) fn next_line(&mut self) -> anyhow::Result<Option<Line>> {
        loop {
            let line = match self.read_line()? {
                None => return Ok(None),
                Some(Err(reason)) => return Ok(Some(Line::Bad(self.number, reason))),
                Some(Ok(line)) => line,
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let Ok(text) = std::str::from_utf8(&line) else {
                return Ok(Some(Line::Bad(self.number, "it is not UTF-8".into())));
            };
            let line = ClearingLine::new(self.number, text.to_owned());
            let length = Zeroizing::new(serde_json::to_string(&line)?).len();
            return Ok(Some(Line::Text(line, length)));
        }
    }

    /// The next line without its end; the reason where it is too long, and then the rest of it is
    /// read over.
    fn read_line(&mut self) -> anyhow::Result<Option<Result<Zeroizing<Vec<u8>>, String>>> {
        let mut line = Zeroizing::new(Vec::new());
        let limit = u64::try_from(self.max_line)?.saturating_add(2);
        if self.read_some(limit, &mut line)? == 0 {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        let mut ends = line.last() == Some(&b'\n');
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
        }
        if line.len() <= self.max_line {
            return Ok(Some(Ok(line)));
        }
        while !ends {
            line.zeroize();
            ends = self.read_some(limit, &mut line)? == 0 || line.last() == Some(&b'\n');
        }
        Ok(Some(Err(format!("it has more than {} bytes", self.max_line))))
    }

    fn read_some(&mut self, limit: u64, into: &mut Vec<u8>) -> anyhow::Result<usize> {
        let read = (&mut self.reader).take(limit).read_until(b'\n', into);
        let read = read.with_context(|| format!("reading {}", self.path.display()))?;
        self.bytes = self.bytes.saturating_add(u64::try_from(read)?);
        if self.bytes > self.max_file { too_large(&self.path, self.max_file) } else { Ok(read) }
    }
}
