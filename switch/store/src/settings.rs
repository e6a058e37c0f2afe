//! Settings of PostgreSQL under which a confirmed commit could be lost (F-12). It owns the list; the
//! caller decides whether such a server may be used all the same.

use crate::error::{StoreError, UnsafeSetting};
use crate::store::Store;

/// Setting, values that keep the promise, and how the wanted ones are told.
const SAFE: [(&str, &[&str], &str); 3] = [
    ("fsync", &["on"], "on"),
    ("full_page_writes", &["on"], "on"),
    ("synchronous_commit", &["on", "local", "remote_write", "remote_apply"], "on"),
];

impl Store {
    /// Refuses a server that may lose what it has confirmed, unless `allow_unsafe`.
    ///
    /// # Errors
    /// Every unsafe setting by name, with what was found and wanted; PostgreSQL.
    pub async fn check_settings(&self, allow_unsafe: bool) -> Result<(), StoreError> {
        let mut found_unsafe = Vec::new();
        for (setting, safe, wanted) in SAFE {
            let found: String = sqlx::query_scalar("SELECT current_setting($1)")
                .bind(setting)
                .fetch_one(self.pool())
                .await
                .map_err(StoreError::database("reading the server's settings"))?;
            if !safe.contains(&found.as_str()) {
                found_unsafe.push(UnsafeSetting { setting, found, wanted });
            }
        }
        if found_unsafe.is_empty() {
            return Ok(());
        }
        if allow_unsafe {
            for setting in &found_unsafe {
                tracing::warn!(%setting, "approvals can be lost in a crash, as was allowed");
            }
            return Ok(());
        }
        Err(StoreError::UnsafeSettings(found_unsafe))
    }
}
