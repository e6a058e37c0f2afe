//! `[journal]`, `[retention]` and `[disk]`: what becomes of data that grows. It owns their names in
//! the file; what is done about them stands in `upkeep` and in the store.

use std::path::PathBuf;

use serde::Deserialize;

/// Files of the journal outside the database.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JournalFiles {
    /// Where `cardswitch journal archive` writes, and `audit` reads.
    pub archive_dir: PathBuf,
    /// Where rows go that PostgreSQL lost when it went back in time.
    pub lost_dir: PathBuf,
}

impl Default for JournalFiles {
    fn default() -> Self {
        Self { archive_dir: PathBuf::from("data/archive"), lost_dir: PathBuf::from("data/lost") }
    }
}

/// For how many days each table of history is kept; 0 for ever.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Authorizations that are closed.
    pub card_authorization_days: u32,
    /// What happened to them.
    pub authorization_event_days: u32,
    /// Postings; their sums are carried on.
    pub posting_days: u32,
    /// Who did what.
    pub audit_entry_days: u32,
    /// How far apart the days are looked through, in seconds.
    pub every_s: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            card_authorization_days: 0,
            authorization_event_days: 0,
            posting_days: 0,
            audit_entry_days: 0,
            every_s: 3_600,
        }
    }
}

/// The forecast of a full disk.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Disk {
    /// What PostgreSQL may fill, in bytes, where it is not the private one; 0: not known.
    pub capacity_bytes: u64,
    /// Readiness warns when the disk will be full within this, in seconds.
    pub warn_within_s: u64,
    /// How far apart it is measured, in seconds.
    pub every_s: u64,
}

impl Default for Disk {
    fn default() -> Self {
        Self { capacity_bytes: 0, warn_within_s: 7 * 86_400, every_s: 60 }
    }
}
