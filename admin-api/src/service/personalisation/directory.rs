//! The exchange directory: files for the bureau in `out`, its reports in `in`, those that are being
//! read in `reading`, and those that were in `taken` or `rejected`. It owns that a file appears
//! whole or not at all, is for its owner alone, and is never written over. Everything here blocks.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Where files for the bureau go.
const OUT: &str = "out";
/// Where its reports come.
const IN: &str = "in";
/// Where they are while they are read.
const READING: &str = "reading";
/// Names of reports have this end.
const REPORT: &str = "csv";
/// And so many characters at most: letters, digits, points, hyphens and underscores.
const NAME_MOST: usize = 100;
/// Reports that may wait in `in`: behind these, in the order of their names, none is seen.
const LOOKED_AT: usize = 10_000;

/// The directory.
#[derive(Clone, Debug)]
pub(super) struct Exchange(PathBuf);

/// Reports that were taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// By name; without bytes where there are more than any has.
    pub(super) reports: Vec<(String, Option<Vec<u8>>)>,
    /// Those that are not whole yet, and stay.
    pub(super) unfinished: u32,
}

/// What becomes of a report.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    Taken,
    Rejected,
}

/// SHA-256 of a file.
pub(super) type FileDigest = [u8; 32];

impl Exchange {
    /// Makes what of it is missing.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        for part in [OUT, IN, READING, Ending::Taken.folder(), Ending::Rejected.folder()] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(root.join(part))?;
        }
        Ok(Self(root.to_owned()))
    }

    /// Puts a file there for the bureau: written beside its place, synced, and then given its name,
    /// which only one file ever has. The digest of the one that has it.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> io::Result<FileDigest> {
        let out = self.0.join(OUT);
        let (place, beside) = (out.join(name), out.join(format!(".{name}.part")));
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // A rename would write over what is there; a link does not.
        let linked = fs::hard_link(&beside, &place);
        fs::remove_file(&beside)?;
        let digest = match linked {
            Ok(()) => Sha256::digest(bytes).into(),
            // Of a try of before that ended between this and the note of it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Sha256::digest(fs::read(&place)?).into()
            }
            Err(error) => return Err(error),
        };
        File::open(&out)?.sync_all()?;
        Ok(digest)
    }

    /// The digest of a file for the bureau that is there.
    pub(super) fn there(&self, name: &str) -> io::Result<Option<FileDigest>> {
        match fs::read(self.0.join(OUT).join(name)) {
            Ok(bytes) => Ok(Some(Sha256::digest(bytes).into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes whole reports out of `in`, so many at most: what the bureau puts there from then on is
    /// another one, and is not put away for the one that was read. Those of before that nobody came
    /// to read are among them.
    pub(super) fn take(
        &self,
        most: usize,
        most_bytes: u64,
        is_whole: impl Fn(&[u8]) -> bool,
    ) -> io::Result<Taken> {
        let mut taken = Taken::default();
        let mut moved = 0;
        for name in self.names(IN, LOOKED_AT)? {
            if moved >= most {
                break;
            }
            let (from, to) = (self.0.join(IN).join(&name), self.0.join(READING).join(&name));
            // One that nobody can read, or is not whole, is in nobody's way.
            match read(&from, most_bytes) {
                Ok(bytes) if bytes.as_deref().is_none_or(&is_whole) => {
                    if !to.exists() {
                        fs::rename(from, to)?;
                        moved += 1;
                    }
                }
                Ok(_) | Err(_) => taken.unfinished = taken.unfinished.saturating_add(1),
            }
        }
        for name in self.names(READING, most)? {
            let bytes = read(&self.0.join(READING).join(&name), most_bytes)?;
            taken.reports.push((name, bytes));
        }
        Ok(taken)
    }

    /// Names of reports in a folder, the first in the order of names.
    fn names(&self, folder: &str, most: usize) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.0.join(folder))? {
            let entry = entry?;
            let is_report =
                Path::new(&entry.file_name()).extension().is_some_and(|it| it == REPORT);
            // Not what a link leads to, wherever that is.
            if is_report && entry.file_type()?.is_file() {
                names.extend(entry.file_name().into_string().ok().filter(|name| is_plain(name)));
            }
        }
        names.sort_unstable();
        names.truncate(most);
        Ok(names)
    }

    /// Puts a report away.
    pub(super) fn settle(&self, name: &str, ending: Ending, tag: &str) -> io::Result<()> {
        let place = self.0.join(ending.folder()).join(format!("{tag}-{name}"));
        fs::rename(self.0.join(READING).join(name), place)
    }
}

/// A report; `None` of one that has more bytes than any.
fn read(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

/// Whether a name may stand in logs and tables as it is.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.len() <= NAME_MOST && name.bytes().all(plain)
}

impl Ending {
    const fn folder(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Rejected => "rejected",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_appears_once_whole_and_for_its_owner() {
        let folder = tempfile::tempdir().expect("a directory");
        let exchange = Exchange::open(folder.path()).expect("made");
        let first = exchange.put("a.perso", b"first").expect("written");
        // A try of before left half a file beside its place.
        fs::write(folder.path().join("out/.a.perso.part"), b"ha").expect("written");
        let again = exchange.put("a.perso", b"second").expect("there");
        assert_eq!((first, again), (Sha256::digest(b"first").into(), first));
        let place = folder.path().join("out/a.perso");
        assert_eq!(fs::read(&place).expect("read"), b"first");
        assert_eq!(fs::metadata(&place).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path().join("out")).expect("read").count(), 1);
    }

    #[test]
    fn reports_are_files_of_that_name_and_of_a_bounded_length() {
        let folder = tempfile::tempdir().expect("a directory");
        let exchange = Exchange::open(folder.path()).expect("made");
        let at = |name: &str| folder.path().join("in").join(name);
        for name in ["b.csv", "a.csv", "c.csv.part", "c", "d e.csv", "\u{1b}[1m.csv"] {
            fs::write(at(name), name).expect("written");
        }
        std::os::unix::fs::symlink("/etc/hostname", at("l.csv")).expect("linked");
        let taken = |most| exchange.take(most, 5, |bytes| bytes != b"b.csv").expect("taken");
        let report = |name: &str| (name.to_owned(), Some(name.as_bytes().to_vec()));
        let first = Taken { reports: vec![report("a.csv")], unfinished: 1 };
        assert_eq!(taken(10), first, "b is not whole");
        // What comes under its name is another one, and waits for its turn.
        fs::write(at("a.csv"), "a longer one").expect("written");
        assert_eq!(taken(10), first);
        exchange.settle("a.csv", Ending::Taken, "t").expect("moved");
        assert!(folder.path().join("taken/t-a.csv").exists() && at("a.csv").exists());
        let second = Taken { reports: vec![("a.csv".to_owned(), None)], unfinished: 1 };
        assert_eq!(taken(10), second, "longer than any");
    }
}
