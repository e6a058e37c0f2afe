//! The directory of a private cluster: what is where, whose it is, and the lock on it. It must
//! never put the password where another account can read it.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::PrivatePostgresError;
use super::account::{Account, current_uid, first_unreachable};

/// A guest looks for an instant; so long it is waited for, and no longer.
const GUEST_LOOK: Duration = Duration::from_millis(20);
const GUEST_LOOKS: u32 = 25;

/// The cluster itself, below the data directory.
pub(super) const PGDATA: &str = "pgdata";

/// The superuser's password. It has no readable `Debug`.
#[derive(Clone)]
pub(super) struct Password(String);

impl Password {
    /// 244 random bits, in characters that need no escaping in a URL.
    fn generate() -> Self {
        let half = || uuid::Uuid::new_v4().simple().to_string();
        Self(half() + &half())
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(..)")
    }
}

/// The paths of one private cluster.
#[derive(Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

/// The right to be a directory's only user.
#[derive(Debug)]
pub(super) struct Owner(File);

impl Drop for Owner {
    /// In so many words: closing the file is not enough while a child has a copy of it, which every
    /// child has from its fork until it becomes another program.
    fn drop(&mut self) {
        // The file is closed after this in any case.
        let _ = self.0.unlock();
    }
}

impl Layout {
    /// Makes the directories that are missing and checks that they are ours and that `account`,
    /// if PostgreSQL needs one, can get to them.
    pub(super) fn prepare(
        data_dir: &Path,
        account: Option<&Account>,
    ) -> Result<Self, PrivatePostgresError> {
        let wanted = std::path::absolute(data_dir)
            .map_err(PrivatePostgresError::io("resolving", data_dir))?;
        check_characters(&wanted)?;
        if !wanted.exists() {
            make_directory(&wanted, 0o711)?;
        }
        let root = wanted.canonicalize().map_err(PrivatePostgresError::io("resolving", &wanted))?;
        check_characters(&root)?;
        check_owner(&root)?;
        if let Some(account) = account
            && let Some(ancestor) = first_unreachable(&root, account)
        {
            let account = account.name.clone();
            return Err(PrivatePostgresError::Unreachable { path: root, ancestor, account });
        }
        let layout = Self { root };
        make_directory(&layout.secret_dir(), 0o700)?;
        make_directory(&layout.log_dir(), 0o700)?;
        give(&layout.log_dir(), account)?;
        Ok(layout)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The cluster.
    pub(super) fn pgdata(&self) -> PathBuf {
        self.root.join(PGDATA)
    }

    /// The cluster while initdb makes it; renamed when complete.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.root.join("pgdata.unfinished")
    }

    /// What the server prints.
    pub(super) fn log(&self) -> PathBuf {
        self.log_dir().join("postgres.log")
    }

    /// A copy of the password for initdb, which runs as another account; removed after it.
    pub(super) fn initdb_password(&self) -> PathBuf {
        self.log_dir().join("initdb.password")
    }

    fn log_dir(&self) -> PathBuf {
        self.root.join("log")
    }

    fn secret_dir(&self) -> PathBuf {
        self.root.join("secret")
    }

    fn password_file(&self) -> PathBuf {
        self.secret_dir().join("superuser")
    }

    /// As [`Layout::lock`], for one who is to stay: a guest that looks whether there is an owner
    /// holds the lock for a moment, and is waited for.
    pub(super) async fn lock_to_stay(&self) -> Result<Owner, PrivatePostgresError> {
        for _ in 0..GUEST_LOOKS {
            match self.lock() {
                Err(PrivatePostgresError::InUse { .. }) => tokio::time::sleep(GUEST_LOOK).await,
                done => return done,
            }
        }
        self.lock()
    }

    /// Becomes the only user of the directory until the owner is dropped, or the process ends.
    pub(super) fn lock(&self) -> Result<Owner, PrivatePostgresError> {
        let path = self.root.join("owner.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(PrivatePostgresError::io("opening", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Owner(file)),
            Err(TryLockError::WouldBlock) => {
                Err(PrivatePostgresError::InUse { path: self.root.clone() })
            }
            Err(TryLockError::Error(error)) => {
                Err(PrivatePostgresError::io("locking", &path)(error))
            }
        }
    }

    /// Major version of the PostgreSQL that made the cluster, and where; `None` before initdb.
    pub(super) fn cluster_version(&self) -> Result<Option<(u32, PathBuf)>, PrivatePostgresError> {
        let path = self.pgdata().join("PG_VERSION");
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let major = text.trim().parse().map_err(std::io::Error::other);
                let major = major.map_err(PrivatePostgresError::io("reading", &path))?;
                Ok(Some((major, self.pgdata())))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(PrivatePostgresError::io("reading", &path)(error)),
        }
    }

    /// The password of the cluster that exists.
    pub(super) fn read_password(&self) -> Result<Password, PrivatePostgresError> {
        let path = self.password_file();
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Password(text.trim().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(PrivatePostgresError::PasswordMissing { path })
            }
            Err(error) => Err(PrivatePostgresError::io("reading", &path)(error)),
        }
    }

    /// A new password, on disk before the cluster that needs it.
    pub(super) fn new_password(&self) -> Result<Password, PrivatePostgresError> {
        let password = Password::generate();
        write_private(&self.password_file(), &password)?;
        Ok(password)
    }
}

/// Makes a directory unless it exists, with exactly this mode whatever the umask.
pub(super) fn make_directory(path: &Path, mode: u32) -> Result<(), PrivatePostgresError> {
    let made = DirBuilder::new().recursive(true).mode(0o755).create(path);
    made.and_then(|()| std::fs::set_permissions(path, Permissions::from_mode(mode)))
        .map_err(PrivatePostgresError::io("making", path))
}

/// Hands a path to the account PostgreSQL runs as.
pub(super) fn give(path: &Path, account: Option<&Account>) -> Result<(), PrivatePostgresError> {
    let Some(account) = account else { return Ok(()) };
    std::os::unix::fs::chown(path, Some(account.uid), Some(account.gid))
        .map_err(PrivatePostgresError::io("changing the owner of", path))
}

/// Writes a file that only its owner can read, anew, and waits for the disk.
pub(super) fn write_private(path: &Path, password: &Password) -> Result<(), PrivatePostgresError> {
    remove_if_there(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
        .open(path)
        .and_then(|mut file| {
            file.write_all(password.expose().as_bytes())?;
            file.sync_all()
        })
        .map_err(PrivatePostgresError::io("writing", path))
}

/// Removes a file; that there was none is fine.
pub(super) fn remove_if_there(path: &Path) -> Result<(), PrivatePostgresError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(PrivatePostgresError::io("removing", path)(error))
        }
        _ => Ok(()),
    }
}

/// In a shared temporary directory anybody may have made this name before us.
fn check_owner(root: &Path) -> Result<(), PrivatePostgresError> {
    let metadata = std::fs::metadata(root).map_err(PrivatePostgresError::io("looking at", root))?;
    if metadata.uid() == current_uid()? {
        Ok(())
    } else {
        Err(PrivatePostgresError::NotOurs { path: root.to_owned(), owner: metadata.uid() })
    }
}

fn check_characters(path: &Path) -> Result<(), PrivatePostgresError> {
    let bytes = path.as_os_str().as_encoded_bytes();
    if bytes.iter().any(|byte| byte.is_ascii_control() || b"$`\"\\".contains(byte)) {
        return Err(PrivatePostgresError::UnusablePath { path: path.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_password_is_ours_alone_and_never_shown() {
        let scratch = tempfile::tempdir().unwrap();
        let layout = Layout::prepare(&scratch.path().join("made/below"), None).unwrap();
        let password = layout.new_password().unwrap();

        assert_eq!(mode(layout.root()), 0o711);
        assert_eq!(mode(&layout.secret_dir()), 0o700);
        assert_eq!(mode(&layout.password_file()), 0o600);
        assert_eq!(layout.read_password().unwrap().expose(), password.expose());
        assert_ne!(layout.new_password().unwrap().expose(), password.expose());
        assert_eq!(format!("{password:?}"), "Password(..)");
        assert_eq!(password.expose().len(), 64);
    }

    #[test]
    fn one_owner_at_a_time() {
        let scratch = tempfile::tempdir().unwrap();
        let layout = Layout::prepare(scratch.path(), None).unwrap();
        let owner = layout.lock().unwrap();
        assert!(matches!(layout.lock(), Err(PrivatePostgresError::InUse { .. })));
        drop(owner);
        layout.lock().unwrap();
    }

    #[test]
    fn a_child_that_was_forked_meanwhile_does_not_stay_an_owner() {
        let scratch = tempfile::tempdir().unwrap();
        let layout = Layout::prepare(scratch.path(), None).unwrap();
        let owner = layout.lock().unwrap();
        // What a child has until it becomes another program.
        let of_the_child = owner.0.try_clone().unwrap();
        drop(owner);
        layout.lock().unwrap();
        drop(of_the_child);
    }

    #[tokio::test]
    async fn a_guest_that_looks_does_not_keep_an_owner_out() {
        let scratch = tempfile::tempdir().unwrap();
        let layout = Layout::prepare(scratch.path(), None).unwrap();
        let guest = layout.lock().unwrap();
        let (owner, ()) = tokio::join!(layout.lock_to_stay(), async {
            tokio::task::yield_now().await;
            drop(guest);
        });
        let _owner = owner.unwrap();
        let second = layout.lock_to_stay().await;
        assert!(matches!(second, Err(PrivatePostgresError::InUse { .. })));
    }

    #[test]
    fn paths_a_shell_would_change_are_refused() {
        let scratch = tempfile::tempdir().unwrap();
        for name in ["a$b", "a`b", "a\"b", "a\\b", "a\nb"] {
            let refused = Layout::prepare(&scratch.path().join(name), None);
            assert!(matches!(refused, Err(PrivatePostgresError::UnusablePath { .. })), "{name}");
        }
        Layout::prepare(&scratch.path().join("a b'c(d)"), None).unwrap();
    }

    #[test]
    fn a_directory_under_a_closed_one_names_it() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::set_permissions(scratch.path(), Permissions::from_mode(0o700)).unwrap();
        let stranger =
            Account { name: "stranger".to_owned(), uid: 3_999_999_999, gid: 3_999_999_999 };
        let error = Layout::prepare(&scratch.path().join("pg"), Some(&stranger)).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, PrivatePostgresError::Unreachable { .. }), "{text}");
        assert!(text.contains("stranger") && text.contains("chmod o+x"), "{text}");
    }
}
