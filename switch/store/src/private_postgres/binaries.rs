//! Finds PostgreSQL's server programs on this machine. It never downloads or installs anything.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::{Account, first_unreachable};
use super::{BINARIES_VARIABLE, PrivatePostgresError};

/// The oldest major version the switch's SQL is written for.
const OLDEST_MAJOR: u32 = 14;

const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// A directory with the server's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    directory: PathBuf,
    major: u32,
}

impl Binaries {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// The programs to use: of `wanted` major version if a cluster exists already, else of the first
/// place that has any.
pub(super) fn find(
    wanted: Option<(u32, PathBuf)>,
    account: Option<&Account>,
) -> Result<Binaries, PrivatePostgresError> {
    let named = std::env::var_os(BINARIES_VARIABLE).filter(|value| !value.is_empty());
    let places = match named {
        Some(directory) => vec![PathBuf::from(directory)],
        None => usual_places(std::env::var_os("PATH").as_deref()),
    };
    let found: Vec<Binaries> = places.iter().filter_map(|place| examine(place)).collect();
    let chosen = choose(&found, &places, wanted)?;
    if let Some(account) = account
        && let Some(ancestor) = first_unreachable(&chosen.directory, account)
    {
        return Err(PrivatePostgresError::Unreachable {
            path: chosen.directory,
            ancestor,
            account: account.name.clone(),
        });
    }
    Ok(chosen)
}

fn choose(
    found: &[Binaries],
    places: &[PathBuf],
    wanted: Option<(u32, PathBuf)>,
) -> Result<Binaries, PrivatePostgresError> {
    let usable: Vec<&Binaries> =
        found.iter().filter(|binaries| binaries.major >= OLDEST_MAJOR).collect();
    let Some(first) = usable.first() else {
        let detail = match found.first() {
            Some(old) => format!(
                " of version {OLDEST_MAJOR} or later, only version {} in {}",
                old.major,
                old.directory.display()
            ),
            None => format!(" in {}", list(places.iter().map(|place| place.display()))),
        };
        return Err(PrivatePostgresError::BinariesNotFound { detail });
    };
    let Some((made_by, path)) = wanted else { return Ok((*first).clone()) };
    let matching = usable.iter().find(|binaries| binaries.major == made_by);
    matching.map(|binaries| (*binaries).clone()).ok_or_else(|| {
        let found = list(usable.iter().map(|binaries| binaries.major));
        PrivatePostgresError::VersionMismatch { path, made_by, found }
    })
}

fn list(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// PATH first, then where distributions put what they keep off the PATH, newest version first.
fn usual_places(path: Option<&OsStr>) -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = path.map(std::env::split_paths).into_iter().flatten().collect();
    let versioned = [
        ("/usr/lib/postgresql", "", "bin"),          // Debian, Ubuntu
        ("/usr", "pgsql-", "bin"),                   // PGDG packages for Fedora, RHEL
        ("/usr/libexec", "postgresql", ""),          // Alpine
        ("/opt/homebrew/opt", "postgresql@", "bin"), // Homebrew on Apple silicon
        ("/usr/local/opt", "postgresql@", "bin"),    // Homebrew on Intel
    ];
    for (parent, prefix, below) in versioned {
        places.extend(by_version(Path::new(parent), prefix).into_iter().map(|it| it.join(below)));
    }
    places.extend(["/usr/local/pgsql/bin", "/opt/homebrew/bin"].map(PathBuf::from));
    places.retain(|place| place.is_absolute());
    places
}

/// Directories `<parent>/<prefix><number>`, highest number first.
fn by_version(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = name.to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((version, entry.path()))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The binaries in `directory`, if all of them are there and say their version.
fn examine(directory: &Path) -> Option<Binaries> {
    let all = PROGRAMS.iter().all(|program| {
        std::fs::metadata(directory.join(program))
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    });
    if !all {
        return None;
    }
    let output = Command::new(directory.join("postgres")).arg("--version").output().ok()?;
    let major = major_version(&String::from_utf8_lossy(&output.stdout))?;
    Some(Binaries { directory: directory.to_owned(), major })
}

/// From `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)`, or `18beta1`.
fn major_version(text: &str) -> Option<u32> {
    let number = text.split_once("(PostgreSQL)")?.1.trim_start();
    let end = number.find(|character: char| !character.is_ascii_digit()).unwrap_or(number.len());
    number[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binaries(directory: &str, major: u32) -> Binaries {
        Binaries { directory: directory.into(), major }
    }

    fn fake_installation(parent: &Path, version: &str) -> PathBuf {
        let directory = parent.join("bin");
        std::fs::create_dir_all(&directory).unwrap();
        for program in PROGRAMS {
            let file = directory.join(program);
            let script = format!("#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n");
            std::fs::write(&file, script).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        directory
    }

    #[test]
    fn versions_are_read_from_what_postgres_says() {
        let cases = [
            ("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 18beta1", Some(18)),
            ("postgres (PostgreSQL) 17", Some(17)),
            ("postgres 15", None),
            ("", None),
        ];
        for (text, major) in cases {
            assert_eq!(major_version(text), major, "{text:?}");
        }
    }

    #[test]
    fn a_directory_counts_only_with_all_programs() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = fake_installation(scratch.path(), "16.4");
        assert_eq!(examine(&directory).unwrap().major, 16);
        std::fs::remove_file(directory.join("initdb")).unwrap();
        assert_eq!(examine(&directory), None);
    }

    #[test]
    fn the_highest_version_goes_first() {
        let scratch = tempfile::tempdir().unwrap();
        for name in ["9", "15", "100", "common", "16"] {
            std::fs::create_dir(scratch.path().join(name)).unwrap();
        }
        let names: Vec<_> = by_version(scratch.path(), "")
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["100", "16", "15", "9"]);
    }

    #[test]
    fn an_existing_cluster_chooses_its_version() {
        let found = [binaries("/a", 17), binaries("/b", 15), binaries("/c", 9)];
        let wanted = |major| Some((major, PathBuf::from("/data")));
        assert_eq!(choose(&found, &[], None).unwrap().major, 17);
        assert_eq!(choose(&found, &[], wanted(15)).unwrap().directory, Path::new("/b"));
        let error = choose(&found, &[], wanted(16)).unwrap_err().to_string();
        assert!(error.contains("PostgreSQL 16") && error.contains("17, 15"), "{error}");
    }

    #[test]
    fn nothing_found_says_where_and_how_to_install() {
        let error = choose(&[], &["/nowhere".into()], None).unwrap_err().to_string();
        for part in ["/nowhere", "apt-get install postgresql", BINARIES_VARIABLE, "DATABASE_URL"] {
            assert!(error.contains(part), "{error}");
        }
        let error = choose(&[binaries("/old", 9)], &[], None).unwrap_err().to_string();
        assert!(error.contains("only version 9 in /old"), "{error}");
    }
}
