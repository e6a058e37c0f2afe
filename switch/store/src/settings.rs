//! The settings of PostgreSQL that the promise rests on: what was confirmed is there after a crash.
//! It owns which values break it; it changes no setting.

use crate::error::{StoreError, UnsafeSetting};
use crate::store::Store;

/// A setting, and the value under which a confirmed commit may be lost.
struct Promise {
    setting: &'static str,
    broken_by: &'static str,
    wanted: &'static str,
    show: &'static str,
}

const PROMISES: [Promise; 3] = [
    Promise { setting: "fsync", broken_by: "off", wanted: "on", show: "SHOW fsync" },
    Promise {
        setting: "full_page_writes",
        broken_by: "off",
        wanted: "on",
        show: "SHOW full_page_writes",
    },
    Promise {
        setting: "synchronous_commit",
        broken_by: "off",
        wanted: "on, local, remote_write or remote_apply",
        show: "SHOW synchronous_commit",
    },
];

impl Promise {
    fn judge(&self, found: &str) -> Option<UnsafeSetting> {
        let (setting, wanted) = (self.setting, self.wanted);
        (found == self.broken_by).then(|| UnsafeSetting { setting, found: found.into(), wanted })
    }
}

impl Store {
    /// Refuses a PostgreSQL that may lose what it has confirmed; with `allow_unsafe` it says so in
    /// the log and goes on.
    ///
    /// # Errors
    /// [`StoreError::UnsafeSettings`] with every such setting; PostgreSQL.
    pub async fn check_settings(&self, allow_unsafe: bool) -> Result<(), StoreError> {
        let mut faults = Vec::new();
        for promise in &PROMISES {
            let found: String = sqlx::query_scalar(promise.show)
                .fetch_one(self.pool())
                .await
                .map_err(StoreError::database("reading its settings"))?;
            faults.extend(promise.judge(&found));
        }
        if faults.is_empty() {
            return Ok(());
        }
        if !allow_unsafe {
            return Err(StoreError::UnsafeSettings(faults));
        }
        for fault in &faults {
            tracing::warn!(%fault, "allowed by name: answered authorizations may be lost");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_is_refused_by_the_one_value_that_breaks_the_promise() {
        let judged = |found: &str| -> Vec<&str> {
            PROMISES.iter().filter_map(|one| one.judge(found)).map(|one| one.setting).collect()
        };
        assert_eq!(judged("off"), ["fsync", "full_page_writes", "synchronous_commit"]);
        for kept in ["on", "local", "remote_write", "remote_apply"] {
            assert!(judged(kept).is_empty(), "{kept}");
        }
    }
}
