//! A password of ours for somebody else's service, in a file of its owner alone: one line. It owns
//! that file's form; what is read is wiped, and stands in no configuration and no error.

use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::private_file::{self, Refused};

/// Longer ones are no password.
const LIMIT: u64 = 1024;

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordFileError {
    /// It cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others than its owner may read or change it.
    #[error("{}: mode {mode:04o} lets others than its owner in: chmod 600", path.display())]
    OpenToOthers {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Something else stands there.
    #[error("{}: a file of one line, the password, is wanted", path.display())]
    Form {
        /// Which.
        path: PathBuf,
    },
}

/// Reads the password in a file, without the end of its line.
///
/// # Errors
/// See [`PasswordFileError`].
pub fn read_password(path: &Path) -> Result<Zeroizing<String>, PasswordFileError> {
    let path_of = || path.to_path_buf();
    let content = private_file::read(path, LIMIT).map_err(|refused| match refused {
        Refused::Unreadable(error) => PasswordFileError::Unreadable { path: path_of(), error },
        Refused::OpenToOthers(mode) => PasswordFileError::OpenToOthers { path: path_of(), mode },
        Refused::NotAKeyFile => PasswordFileError::Form { path: path_of() },
    })?;
    let line = content.strip_suffix('\n').unwrap_or(&content);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.chars().any(char::is_control) {
        return Err(PasswordFileError::Form { path: path_of() });
    }
    Ok(Zeroizing::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn one_line_of_its_owner_is_a_password_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("relay.password");
        let read = |content: &str, mode: u32| {
            write(&path, content).expect("written");
            set_permissions(&path, Permissions::from_mode(mode)).expect("set");
            read_password(&path).map_err(|error| error.to_string())
        };
        for content in ["correct horse", "correct horse\n", "correct horse\r\n"] {
            assert_eq!(read(content, 0o600).expect("a password").as_str(), "correct horse");
        }
        let long = "x".repeat(1025);
        for wrong in ["", "\n", "one\ntwo\n", long.as_str(), "tab\there"] {
            let told = read(wrong, 0o600).expect_err("none");
            assert!(told.ends_with("a file of one line, the password, is wanted"), "{told}");
        }
        let told = read("correct horse", 0o640).expect_err("open");
        assert!(told.contains("0640") && !told.contains("horse"), "{told}");
        assert!(read_password(&folder.path().join("none")).is_err());
    }
}
