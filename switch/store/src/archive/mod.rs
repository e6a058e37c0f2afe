//! Archived parts of the journal (W-7): a directory for each part, with its rows, the state after
//! them, and a manifest whose digest stands in the database. It owns the files; which rows may be
//! archived is told by `ledger`, and what the state is by whoever replays them.

mod durable;
mod ledger;
mod lost;
mod manifest;
mod rows_file;

pub use durable::write_in_place;
pub use ledger::{ArchiveLock, Checkpoint, JournalPart};
pub use lost::{LostRows, lost_files, read_lost_rows, write_lost_rows};
pub use rows_file::{RowsFault, RowsHead, RowsReader, RowsWriter};

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use switch_domain::{Seq, ShardId, ShardImage};

use crate::format::{FormatError, decode_snapshot, encode_snapshot};
use crate::journal::{Hash, JournalRow};
use manifest::{Manifest, ManifestFile, digest_of};

const ROWS: &str = "rows";
const SNAPSHOT: &str = "snapshot";
const MANIFEST: &str = "manifest.json";
const SNAPSHOT_MAGIC: &[u8] = b"CSWJSNAP\x00\x01";

/// What is wrong with an archived part, or with the directory.
#[derive(Debug, thiserror::Error)]
#[error("archive, {}: {fault}", path.display())]
pub struct ArchiveFault {
    /// Which file or directory.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: PartFault,
}

/// What is wrong with a file of an archive.
#[derive(Debug, thiserror::Error)]
pub enum PartFault {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its rows.
    #[error(transparent)]
    Rows(#[from] RowsFault),
    /// Its snapshot.
    #[error(transparent)]
    Snapshot(#[from] FormatError),
    /// It does not say what it should.
    #[error("{0}")]
    Differs(String),
}

/// A directory of archived parts.
#[derive(Clone, Debug)]
pub struct Archive {
    directory: PathBuf,
}

/// The range of rows of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Whose rows.
    pub shard: ShardId,
    /// The first.
    pub first: Seq,
    /// The last.
    pub last: Seq,
}

impl Range {
    /// Where the part stands below the archive's directory.
    #[must_use]
    pub fn place(&self) -> String {
        format!("shard-{:04}/{:019}-{:019}", self.shard.0, self.first.0, self.last.0)
    }
}

fn at<E: Into<PartFault>>(path: &Path) -> impl FnOnce(E) -> ArchiveFault {
    move |error| ArchiveFault { path: path.to_owned(), fault: error.into() }
}

fn differs(path: &Path, what: impl Into<String>) -> ArchiveFault {
    ArchiveFault { path: path.to_owned(), fault: PartFault::Differs(what.into()) }
}

impl Archive {
    /// The archive in a directory, which need not be there yet.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Whether a part was put in place. One that was being written is not.
    #[must_use]
    pub fn has(&self, range: &Range) -> bool {
        self.directory.join(range.place()).join(MANIFEST).exists()
    }

    /// Begins a part. What a killed run left of it is removed.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn begin(&self, range: Range, previous: Hash) -> Result<PartWriter, ArchiveFault> {
        let place = self.directory.join(range.place());
        let unfinished = place.with_extension("unfinished");
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished).map_err(at(&unfinished))?;
        }
        durable::make_directory(&unfinished).map_err(at(&unfinished))?;
        let path = unfinished.join(ROWS);
        let file = durable::create(&path).map_err(at(&path))?;
        let Range { shard, first, last } = range;
        let head = RowsHead { shard, first, previous, confirmed: last };
        let rows = RowsWriter::begin(BufWriter::new(file), &head).map_err(at(&path))?;
        Ok(PartWriter { range, place, unfinished, rows, previous, last: previous, records: 0 })
    }

    /// A part whose manifest has been read, and whose files have the digests that it states.
    ///
    /// # Errors
    /// A file is missing, or differs from the manifest.
    pub fn open(&self, range: Range) -> Result<ArchivedPart, ArchiveFault> {
        let directory = self.directory.join(range.place());
        let path = directory.join(MANIFEST);
        let bytes = std::fs::read(&path).map_err(at(&path))?;
        let manifest = Manifest::from_bytes(&bytes)
            .ok_or_else(|| differs(&path, "it is no manifest that this version reads"))?;
        let named = (ShardId(manifest.shard), Seq(manifest.first), Seq(manifest.last));
        if named != (range.shard, range.first, range.last) {
            return Err(differs(&path, "it is the manifest of another part"));
        }
        for file in [&manifest.rows, &manifest.snapshot] {
            let path = directory.join(&file.name);
            let found = describe(&path, &file.name)?;
            if found != *file {
                return Err(differs(&path, "it is not the file that the manifest states"));
            }
        }
        Ok(ArchivedPart { range, manifest, manifest_digest: digest_of(&bytes), directory })
    }
}

/// A part being written, beside its place.
pub struct PartWriter {
    range: Range,
    place: PathBuf,
    unfinished: PathBuf,
    rows: RowsWriter<BufWriter<File>>,
    previous: Hash,
    last: Hash,
    records: u64,
}

impl PartWriter {
    /// Adds the next row, which holds so many records.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn row(&mut self, row: &JournalRow, records: usize) -> Result<(), ArchiveFault> {
        self.rows.row(row).map_err(at(&self.unfinished.join(ROWS)))?;
        self.last = row.hash;
        self.records = self.records.saturating_add(records as u64);
        Ok(())
    }

    /// Adds the state after the last row, syncs everything, and puts the part in place.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self, image: &ShardImage) -> Result<(), ArchiveFault> {
        let Self { range, place, unfinished, rows, previous, last, records } = self;
        let path = unfinished.join(ROWS);
        let file = rows.end().map_err(at(&path))?;
        let file = file.into_inner().map_err(|error| at(&path)(error.into_error()))?;
        file.sync_all().map_err(at(&path))?;
        let rows = describe(&path, ROWS)?;
        let path = unfinished.join(SNAPSHOT);
        durable::write(&path, &snapshot_bytes(image)).map_err(at(&path))?;
        let snapshot = describe(&path, SNAPSHOT)?;
        let manifest = Manifest {
            what: String::new(),
            version: 0,
            shard: range.shard.0,
            first: range.first.0,
            last: range.last.0,
            records,
            previous_hash: previous.to_string(),
            last_hash: last.to_string(),
            rows,
            snapshot,
        };
        let path = unfinished.join(MANIFEST);
        let bytes =
            manifest.named().to_bytes().map_err(|error| at(&path)(io::Error::from(error)))?;
        durable::write(&path, &bytes).map_err(at(&path))?;
        durable::put_in_place(&unfinished, &place).map_err(at(&place))
    }
}

/// The bytes of the file of a snapshot: equal for equal states.
fn snapshot_bytes(image: &ShardImage) -> Vec<u8> {
    [SNAPSHOT_MAGIC, &encode_snapshot(image)].concat()
}

/// A file's size and digest, read from the disk.
fn describe(path: &Path, name: &str) -> Result<ManifestFile, ArchiveFault> {
    let mut file = File::open(path).map_err(at(path))?;
    let (mut digest, mut bytes) = (Sha256::new(), 0_u64);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer).map_err(at(path))?;
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else { break };
        digest.update(chunk);
        bytes = bytes.saturating_add(read as u64);
    }
    let sha256 = Hash(digest.finalize().into()).to_string();
    Ok(ManifestFile { name: name.to_owned(), bytes, sha256 })
}

/// A part in its place.
#[derive(Debug)]
pub struct ArchivedPart {
    range: Range,
    manifest: Manifest,
    manifest_digest: Hash,
    directory: PathBuf,
}

impl ArchivedPart {
    /// SHA-256 of its manifest.
    #[must_use]
    pub const fn manifest_digest(&self) -> Hash {
        self.manifest_digest
    }

    /// How many records its rows hold, by its manifest.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.manifest.records
    }

    /// What stands in the database for it, once its last row is known to have this hash.
    #[must_use]
    pub fn checkpoint(&self, hash: Hash) -> Checkpoint {
        Checkpoint {
            shard: self.range.shard,
            seq: self.range.last,
            hash,
            manifest: self.manifest_digest,
            place: self.range.place(),
        }
    }

    /// Hands every row over, in order, each checked against the chain that begins at `previous`.
    /// Gives the hash of the last.
    ///
    /// # Errors
    /// Rows that are not the chain which the manifest states; or what `take` says.
    pub fn each_row<E: From<ArchiveFault>>(
        &self,
        previous: Hash,
        mut take: impl FnMut(&JournalRow) -> Result<(), E>,
    ) -> Result<Hash, E> {
        let path = self.directory.join(ROWS);
        let wrong = |what: &str| -> E { differs(&path, what).into() };
        let file = File::open(&path).map_err(at(&path))?;
        let mut rows = RowsReader::begin(BufReader::new(file)).map_err(at(&path))?;
        let Range { shard, first, last: confirmed } = self.range;
        let head = RowsHead { shard, first, previous, confirmed };
        if rows.head() != head || previous.to_string() != self.manifest.previous_hash {
            return Err(wrong("it does not go on from the row before it"));
        }
        let mut last = None;
        while let Some(row) = rows.next_row().map_err(at(&path))? {
            last = Some(row.seq);
            take(&row)?;
        }
        if last != Some(self.range.last) || rows.hash().to_string() != self.manifest.last_hash {
            return Err(wrong("it does not end with the row that its manifest states"));
        }
        Ok(rows.hash())
    }

    /// The state after its last row.
    ///
    /// # Errors
    /// It cannot be read in full, or is another shard's or row's.
    pub fn snapshot(&self) -> Result<ShardImage, ArchiveFault> {
        let path = self.directory.join(SNAPSHOT);
        let bytes = std::fs::read(&path).map_err(at(&path))?;
        let Some(body) = bytes.strip_prefix(SNAPSHOT_MAGIC) else {
            return Err(differs(&path, "it is no snapshot that this version reads"));
        };
        let image = decode_snapshot(body).map_err(at(&path))?;
        if (image.shard, image.projected) != (self.range.shard, self.range.last) {
            return Err(differs(&path, "it is the state of another shard, or after another row"));
        }
        Ok(image)
    }

    /// Checks that a state that was computed is the one in the snapshot, byte by byte.
    ///
    /// # Errors
    /// It is not.
    pub fn expect_snapshot(&self, computed: &ShardImage) -> Result<(), ArchiveFault> {
        let path = self.directory.join(SNAPSHOT);
        let computed = Hash(Sha256::digest(snapshot_bytes(computed)).into()).to_string();
        if computed == self.manifest.snapshot.sha256 {
            return Ok(());
        }
        Err(differs(&path, "it is not the state that follows from the rows before it"))
    }
}
