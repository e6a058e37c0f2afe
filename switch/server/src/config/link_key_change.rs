//! How a link exchanges keys with its peer, in the configuration. It owns the names and defaults;
//! what becomes of a key stands in `key_exchange`.

use serde::Deserialize;

/// The exchange of a link's working key. The two keys must be said.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkKeyChange {
    /// The key that comes and goes, by its name in the key file.
    pub key: String,
    /// The key that it is under on its way: K1 for key blocks, K0 for cryptograms.
    pub zone_key: String,
    /// The form on the wire.
    #[serde(default)]
    pub form: KeyForm,
    /// The field of x800 that it stands in.
    #[serde(default = "forty_eight")]
    pub field: u8,
    /// For how long the key before is still taken, in seconds.
    #[serde(default = "an_hour")]
    pub grace_s: u64,
}

/// How a key stands in its field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyForm {
    /// ANSI X9.143.
    #[default]
    KeyBlock,
    /// Hexadecimal digits, and behind them the six of the check value.
    Cryptogram,
}

const fn forty_eight() -> u8 {
    48
}

const fn an_hour() -> u64 {
    3_600
}
