//! Rows that this process appended and PostgreSQL no longer has, in a file (W-24). It owns the names
//! of such files; what they hold is read by `cardswitch journal reconcile`, and by people.

use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use switch_domain::{OwnerId, Seq};

use super::durable;
use super::rows_file::{RowsFault, RowsHead, RowsReader, RowsWriter};
use crate::journal::JournalRow;

const EXTENSION: &str = "rows";

/// Rows of a file of lost rows.
#[derive(Clone, Debug)]
pub struct LostRows {
    /// Where they begin, and up to where they were confirmed.
    pub head: RowsHead,
    /// In order, one chain.
    pub rows: Vec<JournalRow>,
}

/// Writes rows to a file of their own, owner-only and synced; where it is. `confirmed` is the last
/// of them whose answers may have gone out.
///
/// # Errors
/// The directory cannot be written, or there are no rows.
pub fn write_lost_rows(
    directory: &Path,
    rows: &[JournalRow],
    confirmed: Seq,
    owner: OwnerId,
) -> io::Result<PathBuf> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Err(io::Error::other("there are no rows"));
    };
    durable::make_directory(directory)?;
    let name = format!("lost-{}-{}-{}-{owner}", first.shard.0, first.seq.0, last.seq.0);
    let place = directory.join(name).with_extension(EXTENSION);
    let unfinished = place.with_extension("unfinished");
    let head =
        RowsHead { shard: first.shard, first: first.seq, previous: first.previous, confirmed };
    let file = durable::create(&unfinished)?;
    let mut writer = RowsWriter::begin(BufWriter::new(file), &head)?;
    for row in rows {
        writer.row(row)?;
    }
    let file = writer.end()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, &place)?;
    durable::sync_directory(directory)?;
    Ok(place)
}

/// Reads a file of lost rows, each row checked against the chain.
///
/// # Errors
/// It is not whole, or no such file.
pub fn read_lost_rows(path: &Path) -> Result<LostRows, RowsFault> {
    let mut reader = RowsReader::begin(BufReader::new(std::fs::File::open(path)?))?;
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        rows.push(row);
    }
    Ok(LostRows { head: reader.head(), rows })
}

/// The files of lost rows in a directory, by name; none where there is no such directory.
///
/// # Errors
/// It cannot be read.
pub fn lost_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use switch_domain::{Epoch, ShardId};

    use super::*;
    use crate::journal::Hash;

    #[test]
    fn lost_rows_are_for_their_owner_alone_and_come_back_whole() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("lost");
        assert_eq!(lost_files(&place).expect("none"), [""; 0].map(PathBuf::from));
        let (shard, owner) = (ShardId(2), OwnerId([5; 16]));
        let one = JournalRow::seal(shard, Seq(8), Epoch(1), owner, Hash([1; 32]), &[]);
        let two = JournalRow::seal(shard, Seq(9), Epoch(1), owner, one.hash, &[]);
        let rows = [one, two];
        let path = write_lost_rows(&place, &rows, Seq(8), owner).expect("written");
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = read_lost_rows(&path).expect("whole");
        assert_eq!((read.rows.as_slice(), read.head.confirmed), (&rows[..], Seq(8)));
        assert_eq!(lost_files(&place).expect("one"), [path]);
        assert!(write_lost_rows(&place, &rows, Seq(8), owner).is_ok(), "again over the same");
    }
}
