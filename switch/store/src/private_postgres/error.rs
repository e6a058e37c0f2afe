//! What can go wrong with a private server, each with what to do about it. It never holds a
//! password.

use std::path::{Path, PathBuf};

/// Why a private PostgreSQL could not be found, made, started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivatePostgresError {
    /// No directory holds initdb, pg_ctl and postgres of a usable version.
    #[error(
        "no PostgreSQL server binaries (initdb, pg_ctl, postgres) found{detail}; install them \
         (Debian, Ubuntu: apt-get install postgresql; Fedora, RHEL: dnf install \
         postgresql-server; Alpine: apk add postgresql; macOS: brew install postgresql), or set \
         CARDSWITCH_PG_BIN to the directory they are in, or DATABASE_URL to a server that runs"
    )]
    BinariesNotFound {
        /// What was found instead, or where was looked.
        detail: String,
    },

    /// The cluster on disk belongs to a PostgreSQL that is not installed.
    #[error(
        "{} was made by PostgreSQL {made_by}, and only {found} is installed; install PostgreSQL \
         {made_by} or set CARDSWITCH_PG_BIN to its directory", path.display()
    )]
    VersionMismatch {
        /// The cluster.
        path: PathBuf,
        /// Major version in the cluster's PG_VERSION.
        made_by: u32,
        /// Versions found, comma separated.
        found: String,
    },

    /// The account PostgreSQL runs as cannot get to a path.
    #[error(
        "{} cannot be reached by the account {account}, which PostgreSQL must run as (it refuses \
         root): {} does not let other users through; choose another directory, or chmod o+x it",
        path.display(), ancestor.display()
    )]
    Unreachable {
        /// What should be reached.
        path: PathBuf,
        /// The first directory on the way that the account may not enter.
        ancestor: PathBuf,
        /// The account's name.
        account: String,
    },

    /// Started as root on a system without an account to step down to.
    #[error(
        "PostgreSQL refuses to run as root, and /etc/passwd has neither postgres nor nobody to \
         run it as; start cardswitch as an ordinary user or set DATABASE_URL"
    )]
    NoUnprivilegedAccount,

    /// The directory exists and belongs to somebody else.
    #[error(
        "{} belongs to user id {owner}, not to this process; choose another directory or chown it",
        path.display()
    )]
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },

    /// pg_ctl hands the path to a shell inside double quotes.
    #[error(
        "{} has a character that pg_ctl cannot pass on (one of $ ` \" \\ or a control character); \
         choose another directory",
        path.display()
    )]
    UnusablePath {
        /// The directory.
        path: PathBuf,
    },

    /// Another live process holds the directory.
    #[error(
        "the private PostgreSQL in {} is in use by another process; stop that one first, or \
         choose another data directory",
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },

    /// A server runs on the directory and does not answer as ours.
    #[error(
        "process {pid} runs PostgreSQL on {} and does not answer as ours within {seconds} s \
         ({detail}); stop it with pg_ctl stop and start again",
        path.display()
    )]
    NotAdoptable {
        /// The cluster.
        path: PathBuf,
        /// The server's process.
        pid: u32,
        /// How long was waited.
        seconds: u64,
        /// The last answer.
        detail: String,
    },

    /// A cluster without the password file that belongs to it.
    #[error(
        "{} is missing although the cluster exists: without the superuser's password it cannot \
         be used; restore the file",
        path.display()
    )]
    PasswordMissing {
        /// The password file.
        path: PathBuf,
    },

    /// One of PostgreSQL's programs failed.
    #[error("{program} failed ({status}): {output}")]
    Program {
        /// The program's name.
        program: &'static str,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it printed, or the end of the server's log.
        output: String,
    },

    /// Nothing to run with a cluster.
    #[error("no command given to run with a private PostgreSQL")]
    NoCommand,

    /// A database name that would need quoting.
    #[error(
        "{name:?} is not a usable database name: a lower-case letter or underscore, then up to \
         62 lower-case letters, digits or underscores"
    )]
    InvalidDatabaseName {
        /// The name.
        name: String,
    },

    /// A database URL that cannot be read. The text is not repeated: it may hold a password.
    #[error("the database URL cannot be read: {reason}")]
    InvalidUrl {
        /// The reason.
        reason: String,
    },

    /// The server answered with an error, or not at all.
    #[error("{doing}: {source}")]
    Server {
        /// What was attempted.
        doing: String,
        /// What came back.
        source: sqlx::Error,
    },

    /// The operating system refused something.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl PrivatePostgresError {
    /// Names what was done to which path, for `map_err`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}
