//! Files of keys on disk: readable by their owner alone, a few lines long, written whole or not at
//! all. It owns what every such file has in common; what stands in one is its reader's affair.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Read and write for the owner, nothing for anybody else.
const OWNER_ONLY: u32 = 0o600;
/// Everything that must be off: group, others, and execution by the owner.
const FORBIDDEN_BITS: u32 = 0o7177;

/// Why a file is not read.
pub(crate) enum Refused {
    Unreadable(io::Error),
    /// With its permission bits.
    OpenToOthers(u32),
    /// No regular file, or a larger one than any of these is.
    NotAKeyFile,
}

/// The text of a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Zeroizing<String>, Refused> {
    let file = File::open(path).map_err(Refused::Unreadable)?;
    // Of the open file, not of the path: what is judged is what is read.
    let metadata = file.metadata().map_err(Refused::Unreadable)?;
    if !metadata.is_file() || metadata.len() > limit {
        return Err(Refused::NotAKeyFile);
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & FORBIDDEN_BITS != 0 {
        return Err(Refused::OpenToOthers(mode));
    }
    // All room at once: a buffer that grows leaves copies of the keys behind.
    let room = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut content = Zeroizing::new(String::with_capacity(room));
    file.take(limit).read_to_string(&mut content).map_err(Refused::Unreadable)?;
    Ok(content)
}

/// Writes a new file, and returns when a power cut cannot take it any more.
pub(crate) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(OWNER_ONLY).open(path)?;
    file.write_all(content)?;
    file.sync_all()?;
    sync_folder(path)
}

/// Puts a new file in the place of `path`, whether there is one or not: whoever reads sees the one
/// or the other, whole. Two at a time would lose one's lines: the second is refused.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = beside(path);
    let renamed = create(&beside, content).and_then(|()| fs::rename(&beside, path));
    match renamed {
        // Another's file: it stays.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(error) => {
            let _ = fs::remove_file(&beside);
            Err(error)
        }
        Ok(()) => sync_folder(path),
    }
}

/// The same by a writer that holds the lock of the file: what one before it left beside the file
/// when it was killed is nobody's.
pub(crate) fn replace_alone(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::remove_file(beside(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => replace(path, content),
    }
}

/// Writes zeros over a file, and takes it away. What a disk keeps of it besides is beyond us.
pub(crate) fn shred(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or_default();
    file.write_all(&vec![0; length])?;
    file.sync_all()?;
    fs::remove_file(path)?;
    sync_folder(path)
}

/// Where the new file is written before it takes its place.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
