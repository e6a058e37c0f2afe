//! The places that are searched: files of directories, texts, and the memory of a process as a core
//! file would have it. Must read all of a place, or fail.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::forms::Search;

/// How much is looked at at once.
const PIECE: usize = 4 << 20;
const PAGE: u64 = 4096;

/// What was found where.
pub(crate) type Found = BTreeSet<(String, String)>;

fn note(found: &mut Found, place: &str, names: BTreeSet<&str>) {
    found.extend(names.into_iter().map(|name| (place.to_owned(), name.to_owned())));
}

pub(crate) fn bytes(search: &Search, place: &str, bytes: &[u8], found: &mut Found) {
    note(found, place, search.found(bytes));
}

/// Every file below a directory; how many there were. Those in `pg_wal` are another place.
pub(crate) fn directory(search: &Search, place: &str, path: &Path, found: &mut Found) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(path).expect("a directory") {
        let entry = entry.expect("readable");
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            let place = if entry.file_name() == "pg_wal" { "WAL" } else { place };
            files += directory(search, place, &entry.path(), found);
        } else if kind.is_file() {
            // PostgreSQL takes files away while others are read.
            let mut file = match File::open(entry.path()) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                opened => opened.expect("readable by who made it"),
            };
            let mut whole = Vec::new();
            file.read_to_end(&mut whole).expect("readable");
            bytes(search, place, &whole, found);
            files += 1;
        }
    }
    files
}

/// All that a process can write to in its memory: heap, stacks, its own data. What is mapped from
/// files to be read alone cannot have been written by it.
///
/// How much there was; `None` where this test may not look, which it says.
pub(crate) fn memory(search: &Search, place: &str, pid: u32, found: &mut Found) -> Option<u64> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"));
    let memory = File::open(format!("/proc/{pid}/mem"));
    let (Ok(maps), Ok(memory)) = (maps, memory) else {
        let root = rustix::process::geteuid().is_root();
        assert!(!root, "root may read the memory of {pid}, and could not");
        println!(
            "NOT SEARCHED: {place}. The switch hides it from other processes of its user; run this \
             test as root, or with CAP_SYS_PTRACE"
        );
        return None;
    };
    let (mut read, mut piece) = (0, vec![0; PIECE]);
    for line in maps.lines() {
        let mut parts = line.split_ascii_whitespace();
        let (range, rights) = (parts.next().expect("a range"), parts.next().expect("rights"));
        let name = parts.nth(3).unwrap_or_default();
        let writable = rights.starts_with("rw") || (rights.starts_with('r') && name.is_empty());
        if !writable || name.starts_with("[v") {
            continue;
        }
        let bound = |text: &str| u64::from_str_radix(text, 16).expect("an address");
        let (start, end) = range.split_once('-').expect("two addresses");
        read += region(search, place, &memory, [bound(start), bound(end)], &mut piece, found);
    }
    Some(read)
}

fn region(
    search: &Search,
    place: &str,
    memory: &File,
    [start, end]: [u64; 2],
    piece: &mut [u8],
    found: &mut Found,
) -> u64 {
    let zeros = vec![0; PIECE];
    let mut at = start;
    while at < end {
        let length = usize::try_from(end - at).map_or(PIECE, |left| left.min(PIECE));
        // A process that runs may give memory back while it is read: what is behind that is not
        // passed over.
        let Ok(read) = memory.read_at(&mut piece[..length], at) else {
            at += PAGE;
            continue;
        };
        if read == 0 {
            break;
        }
        if piece[..read] != zeros[..read] {
            for name in search.found(&piece[..read]) {
                found.insert((place.to_owned(), name.to_owned()));
            }
        }
        let last = at + read as u64 >= end;
        let step = if last { read } else { read.saturating_sub(search.overlap()).max(1) };
        at += step as u64;
    }
    at.min(end) - start
}
