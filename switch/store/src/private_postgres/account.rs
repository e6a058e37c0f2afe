//! Which account PostgreSQL runs as, and where that account can go. It must never leave the server
//! running as root.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::PrivatePostgresError;
use super::layout::PGDATA;

/// An account of this system, from /etc/passwd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The account to step down to; `None` when we are not root and simply stay who we are. A cluster
/// that exists already is run by its owner, whatever accounts were added since.
pub(super) fn server_account(pgdata: &Path) -> Result<Option<Account>, PrivatePostgresError> {
    if current_uid()? != 0 {
        return Ok(None);
    }
    if let Ok(cluster) = std::fs::metadata(pgdata)
        && cluster.uid() != 0
    {
        let name = format!("with user id {}", cluster.uid());
        return Ok(Some(Account { name, uid: cluster.uid(), gid: cluster.gid() }));
    }
    let path = Path::new("/etc/passwd");
    let passwd = std::fs::read_to_string(path)
        .map_err(PrivatePostgresError::io("reading the accounts in", path))?;
    find_account(&passwd).map(Some).ok_or(PrivatePostgresError::NoUnprivilegedAccount)
}

/// `postgres` where the distribution made it, else `nobody`.
fn find_account(passwd: &str) -> Option<Account> {
    ["postgres", "nobody"].iter().find_map(|wanted| {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next().filter(|name| name == wanted)?;
            let uid = fields.nth(1)?.parse().ok().filter(|uid| *uid != 0)?;
            let gid = fields.next()?.parse().ok()?;
            Some(Account { name: name.to_owned(), uid, gid })
        })
    })
}

/// The user id this process runs as.
pub(super) fn current_uid() -> Result<u32, PrivatePostgresError> {
    let process = Path::new("/proc/self");
    if let Ok(metadata) = std::fs::metadata(process) {
        return Ok(metadata.uid());
    }
    // No /proc (macOS): `id` is POSIX.
    let program = Path::new("id");
    let failed = PrivatePostgresError::io("asking for the user id with", program);
    let output = std::process::Command::new(program).arg("-u").output();
    output
        .and_then(|output| {
            let text = String::from_utf8_lossy(&output.stdout);
            text.trim().parse().map_err(std::io::Error::other)
        })
        .map_err(failed)
}

/// The first directory above `path` (or `path` itself, if it is a directory) that `account` may
/// not enter. What does not exist yet is no obstacle: we shall make it.
pub(super) fn first_unreachable(path: &Path, account: &Account) -> Option<PathBuf> {
    let mut ancestors: Vec<&Path> = path.ancestors().collect();
    ancestors.reverse();
    ancestors.into_iter().find_map(|directory| {
        let metadata = std::fs::metadata(directory).ok()?;
        (metadata.is_dir() && !may_enter(&metadata, account)).then(|| directory.to_owned())
    })
}

fn may_enter(metadata: &std::fs::Metadata, account: &Account) -> bool {
    let bit = if metadata.uid() == account.uid {
        0o100
    } else if metadata.gid() == account.gid {
        0o010
    } else {
        0o001
    };
    metadata.mode() & bit != 0
}

/// `preferred`, unless we are root and the account PostgreSQL must run as cannot get there (a
/// clone under a closed home directory, say): then a directory of the system's temporary
/// directory, always the same one for the same `preferred`.
#[must_use]
pub fn reachable_data_dir(preferred: &Path) -> PathBuf {
    match server_account(&preferred.join(PGDATA)) {
        Ok(Some(account)) => reachable_by(preferred, &account),
        // Not root, or the start will say what is wrong.
        _ => preferred.to_owned(),
    }
}

fn reachable_by(preferred: &Path, account: &Account) -> PathBuf {
    let absolute = std::path::absolute(preferred).unwrap_or_else(|_| preferred.to_owned());
    if first_unreachable(&absolute, account).is_none() {
        return preferred.to_owned();
    }
    let digest = Sha256::digest(absolute.as_os_str().as_encoded_bytes());
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    std::env::temp_dir().join(format!("cardswitch-{name}"))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin\n\
        postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash\n";

    fn stranger() -> Account {
        // Nobody's files: an id that owns nothing on a test machine.
        Account { name: "stranger".to_owned(), uid: 3_999_999_999, gid: 3_999_999_999 }
    }

    #[test]
    fn postgres_goes_before_nobody_and_root_never_counts() {
        let found = find_account(PASSWD).unwrap();
        assert_eq!((found.name.as_str(), found.uid, found.gid), ("postgres", 101, 104));
        let found = find_account("nobody:x:65534:65533::/:/bin/false").unwrap();
        assert_eq!((found.uid, found.gid), (65534, 65533));
        for none in ["", "root:x:0:0::/:/bin/sh", "postgres:x:0:0::/:/bin/sh", "nobody:x:ten:1"] {
            assert_eq!(find_account(none), None, "{none}");
        }
    }

    #[test]
    fn a_closed_ancestor_is_named_and_the_fallback_is_stable() {
        let scratch = tempfile::tempdir().unwrap();
        let closed = scratch.path().join("closed");
        std::fs::create_dir(&closed).unwrap();
        std::fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
        std::fs::set_permissions(scratch.path(), Permissions::from_mode(0o755)).unwrap();
        let wanted = closed.join("not/yet/there");

        assert_eq!(first_unreachable(&wanted, &stranger()), Some(closed.clone()));
        let fallback = reachable_by(&wanted, &stranger());
        assert!(fallback.starts_with(std::env::temp_dir()), "{}", fallback.display());
        assert_eq!(fallback, reachable_by(&wanted, &stranger()));
        assert_ne!(fallback, reachable_by(&closed.join("other"), &stranger()));

        std::fs::set_permissions(&closed, Permissions::from_mode(0o711)).unwrap();
        assert_eq!(first_unreachable(&wanted, &stranger()), None);
        assert_eq!(reachable_by(&wanted, &stranger()), wanted);
    }
}
