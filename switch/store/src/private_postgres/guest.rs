//! A private server that another process of ours runs, for those who only want to use it: an audit
//! or an archive beside a serving switch. It owns how that server is found; it starts and stops
//! nothing.

use std::path::Path;

use super::layout::{self, Layout};
use super::{DatabaseUrl, PrivatePostgresError, account, pid_file};

/// How a superuser connects to `database` of the server on a directory that another process owns;
/// `None` where nobody owns it, so that it can be started.
///
/// # Errors
/// A directory that is not ours, or cannot be read.
pub fn url_beside_owner(
    data_dir: &Path,
    database: &str,
) -> Result<Option<DatabaseUrl>, PrivatePostgresError> {
    let pgdata = data_dir.join(layout::PGDATA);
    if !pgdata.exists() {
        return Ok(None);
    }
    let account = account::server_account(&pgdata)?;
    let layout = Layout::prepare(data_dir, account.as_ref())?;
    match layout.lock() {
        Err(PrivatePostgresError::InUse { .. }) => {}
        Err(error) => return Err(error),
        Ok(_free) => return Ok(None),
    }
    let Some(file) = pid_file::read(&layout.pgdata())? else { return Ok(None) };
    let running = pid_file::is_server_of(file.pid, &layout.pgdata());
    match file.port.filter(|_| running) {
        Some(port) => DatabaseUrl::local(port, &layout.read_password()?, database).map(Some),
        None => Ok(None),
    }
}
