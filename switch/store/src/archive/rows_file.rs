//! Rows of the journal in a file: headers and bodies, so that the chain can be followed without a
//! database (W-1, W-7). It owns the bytes of that file and their checks on the way in; it holds no
//! more than one row at once.
//!
//! All numbers are big-endian. The file ends with SHA-256 of everything before it, so that one that
//! was cut short or changed is told from a whole one.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};
use switch_domain::{Epoch, OwnerId, Seq, ShardId};

use crate::error::ChainFault;
use crate::journal::{Hash, JournalRow};

const MAGIC: &[u8; 8] = b"CSWJROWS";
/// The version that this build writes, and the highest that it reads.
const VERSION: u16 = 1;
const ROW: u8 = 1;
const END: u8 = 0;

/// What a file of rows begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowsHead {
    /// Whose rows.
    pub shard: ShardId,
    /// The first of them.
    pub first: Seq,
    /// The hash that the first is chained to.
    pub previous: Hash,
    /// The last row that is known to be committed: its answers may have gone out. What is behind
    /// it was sent, and nothing of it was answered.
    pub confirmed: Seq,
}

/// Why a file of rows is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum RowsFault {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It does not begin as one.
    #[error("it is no file of journal rows")]
    NoRows,
    /// Written by a later version.
    #[error("it is of version {0}, and this build reads up to {VERSION}")]
    Version(u16),
    /// It ends in the middle.
    #[error("it ends before its end: it was cut short")]
    CutShort,
    /// Bytes were changed, or there are more of them than were written.
    #[error("its bytes do not have the digest that it ends with")]
    Digest,
    /// Its rows are not one chain.
    #[error(transparent)]
    Chain(#[from] ChainFault),
}

/// Writes rows to a file, in order.
pub struct RowsWriter<W> {
    out: W,
    digest: Sha256,
}

impl<W: Write> RowsWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(out: W, head: &RowsHead) -> io::Result<Self> {
        let mut writer = Self { out, digest: Sha256::new() };
        writer.put(MAGIC)?;
        writer.put(&VERSION.to_be_bytes())?;
        writer.put(&head.shard.0.to_be_bytes())?;
        writer.put(&head.first.0.to_be_bytes())?;
        writer.put(&head.previous.0)?;
        writer.put(&head.confirmed.0.to_be_bytes())?;
        Ok(writer)
    }

    /// Adds the next row.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn row(&mut self, row: &JournalRow) -> io::Result<()> {
        let length = u32::try_from(row.records.len()).map_err(io::Error::other)?;
        self.put(&[ROW])?;
        self.put(&row.seq.0.to_be_bytes())?;
        self.put(&row.epoch.0.to_be_bytes())?;
        self.put(&row.owner.0)?;
        self.put(&row.format.to_be_bytes())?;
        self.put(&row.hash.0)?;
        self.put(&length.to_be_bytes())?;
        self.put(&row.records)
    }

    /// Ends the file. It is not synced.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn end(mut self) -> io::Result<W> {
        self.put(&[END])?;
        let digest: [u8; 32] = self.digest.finalize().into();
        self.out.write_all(&digest)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.out.write_all(bytes)
    }
}

/// Reads rows from a file, each checked against the chain.
pub struct RowsReader<R> {
    input: R,
    digest: Sha256,
    head: RowsHead,
    /// The next row's place, and the hash that it must be chained to.
    next: Seq,
    hash: Hash,
}

impl<R: Read> RowsReader<R> {
    /// Reads the head of a file.
    ///
    /// # Errors
    /// It is no such file, or of a later version.
    pub fn begin(input: R) -> Result<Self, RowsFault> {
        let (shard, first, previous) = (ShardId(0), Seq(0), Hash([0; 32]));
        let head = RowsHead { shard, first, previous, confirmed: Seq::NONE };
        let mut reader = Self { input, digest: Sha256::new(), head, next: first, hash: previous };
        let magic: [u8; 8] = reader.take()?;
        if &magic != MAGIC {
            return Err(RowsFault::NoRows);
        }
        let version = u16::from_be_bytes(reader.take()?);
        if version != VERSION {
            return Err(RowsFault::Version(version));
        }
        let shard = ShardId(u16::from_be_bytes(reader.take()?));
        let first = Seq(i64::from_be_bytes(reader.take()?));
        let previous = Hash(reader.take()?);
        let confirmed = Seq(i64::from_be_bytes(reader.take()?));
        reader.head = RowsHead { shard, first, previous, confirmed };
        (reader.next, reader.hash) = (first, previous);
        Ok(reader)
    }

    /// What the file begins with.
    #[must_use]
    pub const fn head(&self) -> RowsHead {
        self.head
    }

    /// Hash of the last row that was read; at first, of the one before the file.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// The next row; `None` at the end of a file whose digest is right.
    ///
    /// # Errors
    /// Everything that is wrong with the file from here on.
    pub fn next_row(&mut self) -> Result<Option<JournalRow>, RowsFault> {
        let [kind] = self.take()?;
        match kind {
            ROW => self.row().map(Some),
            END => self.end().map(|()| None),
            _ => Err(RowsFault::Digest),
        }
    }

    fn row(&mut self) -> Result<JournalRow, RowsFault> {
        let seq = Seq(i64::from_be_bytes(self.take()?));
        let epoch = Epoch(i64::from_be_bytes(self.take()?));
        let owner = OwnerId(self.take()?);
        let format = i16::from_be_bytes(self.take()?);
        let hash = Hash(self.take()?);
        let length = u32::from_be_bytes(self.take()?);
        let records = self.records(length)?.into();
        let (shard, previous) = (self.head.shard, self.hash);
        let row = JournalRow { shard, seq, epoch, owner, format, records, previous, hash };
        if seq != self.next {
            return Err(ChainFault::Missing { shard, seq: self.next }.into());
        }
        if row.computed_hash() != hash {
            return Err(ChainFault::Changed { shard, seq }.into());
        }
        (self.next, self.hash) = (seq.next(), hash);
        Ok(row)
    }

    /// Takes room as bytes come, so that a damaged length costs none.
    fn records(&mut self, length: u32) -> Result<Vec<u8>, RowsFault> {
        let mut records = Vec::new();
        let read = self.input.by_ref().take(u64::from(length)).read_to_end(&mut records)?;
        if u32::try_from(read) != Ok(length) {
            return Err(RowsFault::CutShort);
        }
        self.digest.update(&records);
        Ok(records)
    }

    fn end(&mut self) -> Result<(), RowsFault> {
        let computed: [u8; 32] = self.digest.clone().finalize().into();
        let stated: [u8; 32] = self.take()?;
        let more = self.input.by_ref().take(1).read_to_end(&mut Vec::new())?;
        if computed == stated && more == 0 { Ok(()) } else { Err(RowsFault::Digest) }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], RowsFault> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => RowsFault::CutShort,
            _ => RowsFault::Unreadable(error),
        })?;
        self.digest.update(bytes);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rows: i64) -> Vec<u8> {
        let shard = ShardId(3);
        let previous = Hash([7; 32]);
        let head = RowsHead { shard, first: Seq(5), previous, confirmed: Seq(6) };
        let mut writer = RowsWriter::begin(Vec::new(), &head).expect("memory");
        let mut before = previous;
        for seq in 5..5 + rows {
            let row = JournalRow::seal(shard, Seq(seq), Epoch(2), OwnerId([9; 16]), before, &[]);
            writer.row(&row).expect("memory");
            before = row.hash;
        }
        writer.end().expect("memory")
    }

    fn read(bytes: &[u8]) -> Result<usize, RowsFault> {
        let mut reader = RowsReader::begin(bytes)?;
        let mut rows = 0;
        while reader.next_row()?.is_some() {
            rows += 1;
        }
        Ok(rows)
    }

    #[test]
    fn rows_come_back_as_they_were_written() {
        for rows in [0, 1, 7] {
            assert_eq!(read(&file(rows)).expect("whole"), usize::try_from(rows).expect("small"));
        }
    }

    #[test]
    fn a_file_cut_short_anywhere_is_refused() {
        let whole = file(3);
        for length in 0..whole.len() {
            assert!(matches!(read(&whole[..length]), Err(RowsFault::CutShort)), "{length}");
        }
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let whole = file(2);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x40;
            assert!(read(&changed).is_err(), "byte {at}");
        }
        let mut longer = whole;
        longer.push(0);
        assert!(matches!(read(&longer), Err(RowsFault::Digest)));
    }
}
