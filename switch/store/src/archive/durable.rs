//! Files that are on the disk when a call returns: synced, and their directory too. It owns that
//! nobody but the switch's own user can read them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// A new file; an error where there is one already.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A new file with this content, on the disk.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A directory with those above it, where they are not there.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// What was created or renamed in a directory is there after a power cut.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Puts a finished directory where it belongs, for good.
pub(crate) fn put_in_place(made: &Path, place: &Path) -> io::Result<()> {
    sync_directory(made)?;
    std::fs::rename(made, place)?;
    let above = place.parent().ok_or_else(|| io::Error::other("a place without a directory"))?;
    sync_directory(above)?;
    // The directory of the shard may be new as well.
    above.parent().map_or(Ok(()), sync_directory)
}

/// A small file with this content, in place of the one that was there: a reader finds the old or
/// the new, whole, also after a power cut. Its directory is made where it is not there.
///
/// # Errors
/// It cannot be written.
pub fn write_in_place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let above = path.parent().ok_or_else(|| io::Error::other("a place without a directory"))?;
    make_directory(above)?;
    let unfinished = path.with_extension("unfinished");
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    write(&unfinished, bytes)?;
    std::fs::rename(&unfinished, path)?;
    sync_directory(above)
}
