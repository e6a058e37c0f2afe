//! Keys and what a production system refuses, in the configuration. It owns the names; what is
//! refused at the start stands in `production`.

use std::path::PathBuf;

use serde::Deserialize;

use super::Config;
use super::check::Faults;

/// How much is refused at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// What helps to try things out is allowed.
    #[default]
    Development,
    /// What must not stand between real cards and real money is refused.
    Production,
}

/// Who verifies PINs, card values and cryptograms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Module {
    /// This process, with keys of the key file.
    #[default]
    Software,
    /// The units of `[hsm]`, with keys of `[hsm.keys]`.
    Hardware,
}

/// Keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Security {
    /// Who verifies cards.
    pub module: Module,
    /// The keys that encrypt and find card numbers, in key blocks under the local master key. Made
    /// at the first start over an empty database.
    pub pan_key_file: PathBuf,
    /// Most card numbers that are encrypted again in one transaction.
    pub reencrypt_batch_rows: u32,
    /// Every other key, in key blocks under the local master key.
    pub key_file: PathBuf,
    /// The files of the components of the local master key: two or three.
    pub lmk_components: Vec<PathBuf>,
    /// Those of the local master key before, while keys are moved from it.
    pub previous_lmk_components: Vec<PathBuf>,
    /// The keys of authentication codes as they were kept before, in clear: to be moved.
    pub mac_key_file: PathBuf,
    /// Start in production although PINs are decrypted in this process and not in a device that
    /// PCI PIN approves.
    pub allow_clear_pins_in_this_process: bool,
    /// Where the value of track 1 begins among its discretionary data, from 1.
    pub track1_value_at: usize,
    /// The same of track 2, on a stripe and in a chip.
    pub track2_value_at: usize,
}

impl Default for Security {
    fn default() -> Self {
        Self {
            module: Module::Software,
            pan_key_file: PathBuf::from("data/keys/pan.key"),
            reencrypt_batch_rows: 500,
            key_file: PathBuf::from("data/keys/switch.keys"),
            lmk_components: Vec::new(),
            previous_lmk_components: Vec::new(),
            mac_key_file: PathBuf::from("data/keys/mac.key"),
            allow_clear_pins_in_this_process: false,
            track1_value_at: 6,
            track2_value_at: 6,
        }
    }
}

impl Security {
    pub(super) fn check(&self, config: &Config, faults: &mut Faults) {
        let path = |key| ["security", key];
        let number = |files: &[PathBuf]| matches!(files.len(), 0 | 2 | 3);
        let files = "name two or three files, one of each person who holds a component";
        faults.require(number(&self.lmk_components), &path("lmk_components"), files);
        let previous = &self.previous_lmk_components;
        faults.require(number(previous), &path("previous_lmk_components"), files);
        faults.require(
            previous.is_empty() || !self.lmk_components.is_empty(),
            &path("previous_lmk_components"),
            "name the new local master key too, in lmk_components",
        );
        for (key, at) in
            [("track1_value_at", self.track1_value_at), ("track2_value_at", self.track2_value_at)]
        {
            faults.require((1..=40).contains(&at), &path(key), "from 1 to 40");
        }
        // Units that nobody asks, or nobody to ask: either way it is not what was meant.
        let has_units = !config.hsm.units.is_empty();
        faults.require(
            has_units == (self.module == Module::Hardware),
            &path("module"),
            "\"hardware\" where hsm.units names units, and \"software\" where it names none",
        );
        let rows = (1..=10_000).contains(&self.reencrypt_batch_rows);
        faults.require(rows, &path("reencrypt_batch_rows"), "from 1 to 10000");
        if config.mode == Mode::Development {
            return;
        }
        faults.require(
            !self.lmk_components.is_empty(),
            &path("lmk_components"),
            "in production keys lie under a local master key: make its components with \
             `cardswitch keys ceremony`, and name their files",
        );
        faults.require(
            !config.database.allow_settings_that_lose_money,
            &["database", "allow_settings_that_lose_money"],
            "in production this is false: turn fsync, full_page_writes and synchronous_commit of \
             PostgreSQL on instead",
        );
    }
}
