//! `[hsm]`: hardware security modules, how they are reached, and the keys that they hold for the
//! switch. It owns the names in the file; what can work is `switch-hsm`'s to say.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use switch_hsm::commands::LMK_PIN_LENGTHS;
use switch_hsm::{HsmKey, HsmKeys, NamedHsmKey, Settings};
use switch_network::Waits;
use switch_security::{KeyName, KeyUsage};

use super::Link;
use super::check::Faults;
use super::hsm_pins::HsmTls;

/// The key at fault, from `hsm` on, and what is wrong with it.
type Misplaced = (Vec<String>, String);

/// For all that one message has verified: longer than a call, shorter than a link's answer.
const WAIT_MS: u64 = 1_500;
/// Messages of one connection that wait at a time.
const WAITING_LIMIT: usize = 256;

/// Hardware security modules; `security.module` says whether they are asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hsm {
    /// Where the units are: `host:port`.
    pub units: Vec<String>,
    /// Connections to each.
    pub connections: usize,
    /// Bytes of the header, as it is set in the units.
    pub header_length: usize,
    /// For a call, a second attempt included.
    pub deadline_ms: u64,
    /// For all calls of one message together, as the link counts it.
    pub wait_ms: u64,
    /// Messages of one connection that wait at a time.
    pub waiting_limit: usize,
    /// For connecting, and for the unit's diagnostics after it.
    pub connect_deadline_ms: u64,
    /// The longest wait before the second attempt to connect.
    pub reconnect_first_ms: u64,
    /// Where its doubling ends.
    pub reconnect_longest_ms: u64,
    /// Commands on one connection without an answer.
    pub in_flight: usize,
    /// Calls at a time, waiting or sent.
    pub queue_limit: usize,
    /// Failures in a row after which a unit gets no more calls.
    pub breaker_failures: u32,
    /// For how long.
    pub breaker_open_ms: u64,
    /// A connection is asked for an echo so far apart.
    pub health_interval_ms: u64,
    /// Bytes of a command or an answer.
    pub message_limit_bytes: usize,
    /// The check value of the units' local master key, six hexadecimal digits.
    pub lmk_check_value: Option<String>,
    /// TLS to the units; without it, in clear.
    pub tls: Option<HsmTls>,
    /// Whether a PIN that is set over the API goes to the units in clear, to be encrypted there.
    pub clear_pins: bool,
    /// Digits of a PIN under the units' local master key: one more than the longest that they take.
    pub lmk_pin_length: u8,
    /// Keys by name.
    pub keys: BTreeMap<String, KeyEntry>,
}

/// A key under the units' local master key.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// What it is for, as in key blocks of X9.143: `C0`, `P0`, `V2` and so on.
    pub usage: String,
    /// The key, as a unit gives it out.
    pub key: String,
}

impl std::fmt::Debug for KeyEntry {
    /// Without the key: it is of no use without a unit, and of none in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyEntry").field("usage", &self.usage).finish_non_exhaustive()
    }
}

impl Default for Hsm {
    fn default() -> Self {
        let Settings {
            units,
            connections,
            header_length,
            deadline,
            connect_deadline,
            first_wait,
            longest_wait,
            in_flight,
            queue_limit,
            breaker_failures,
            breaker_open,
            health_interval,
            message_limit,
            lmk_check_value: _,
            tls: _,
        } = Settings::new(Vec::<String>::new());
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            units,
            connections,
            header_length,
            deadline_ms: millis(deadline),
            wait_ms: WAIT_MS,
            waiting_limit: WAITING_LIMIT,
            connect_deadline_ms: millis(connect_deadline),
            reconnect_first_ms: millis(first_wait),
            reconnect_longest_ms: millis(longest_wait),
            in_flight,
            queue_limit,
            breaker_failures,
            breaker_open_ms: millis(breaker_open),
            health_interval_ms: millis(health_interval),
            message_limit_bytes: message_limit,
            lmk_check_value: None,
            tls: None,
            clear_pins: false,
            lmk_pin_length: *LMK_PIN_LENGTHS.start(),
            keys: BTreeMap::new(),
        }
    }
}

impl Hsm {
    /// The modules and their keys; `None` where there are no units.
    ///
    /// # Errors
    /// The key at fault, from `hsm` on, and what is wrong with it.
    pub fn settings(&self) -> Result<Option<(Settings, HsmKeys)>, Misplaced> {
        let keys = self.hsm_keys()?;
        let here = |key: &str, message: String| (vec![key.to_owned()], message);
        let lmk_check_value = match &self.lmk_check_value {
            None => None,
            Some(text) => {
                let mut value = [0; 3];
                hex::decode_to_slice(text, &mut value)
                    .map_err(|_| here("lmk_check_value", "six hexadecimal digits".into()))?;
                Some(value)
            }
        };
        let millis = Duration::from_millis;
        let settings = Settings {
            units: self.units.clone(),
            connections: self.connections,
            header_length: self.header_length,
            deadline: millis(self.deadline_ms),
            connect_deadline: millis(self.connect_deadline_ms),
            first_wait: millis(self.reconnect_first_ms),
            longest_wait: millis(self.reconnect_longest_ms),
            in_flight: self.in_flight,
            queue_limit: self.queue_limit,
            breaker_failures: self.breaker_failures,
            breaker_open: millis(self.breaker_open_ms),
            health_interval: millis(self.health_interval_ms),
            message_limit: self.message_limit_bytes,
            lmk_check_value,
            tls: None, // its files are read when it starts
        };
        if self.units.is_empty() {
            return Ok(None);
        }
        match settings.unfit() {
            Some((key, message)) => Err(here(key, message)),
            None => Ok(Some((settings, keys))),
        }
    }

    /// How links wait for the units.
    #[must_use]
    pub const fn waits(&self) -> Waits {
        Waits { deadline: Duration::from_millis(self.wait_ms), most: self.waiting_limit }
    }

    fn hsm_keys(&self) -> Result<HsmKeys, Misplaced> {
        let keys = self.keys.iter().map(|(name, entry)| {
            let here = |key: &str, message: String| {
                (vec!["keys".to_owned(), name.clone(), key.to_owned()], message)
            };
            let named = KeyName::new(name).ok_or_else(|| {
                (vec!["keys".to_owned(), name.clone()], "small letters, digits, hyphens".to_owned())
            })?;
            let usage = KeyUsage::from_code(&entry.usage)
                .ok_or_else(|| here("usage", "a usage of X9.143, as C0 or P0".into()))?;
            let key = HsmKey::parse(&entry.key).map_err(|error| here("key", error.to_string()))?;
            Ok(NamedHsmKey { name: named, usage, key })
        });
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        HsmKeys::new(keys).map_err(|error| (vec!["keys".to_owned()], error.to_string()))
    }

    pub(super) fn check(&self, links: &BTreeMap<String, Link>, faults: &mut Faults) {
        if let Err((path, message)) = self.settings() {
            let path: Vec<&str> =
                std::iter::once("hsm").chain(path.iter().map(String::as_str)).collect();
            faults.require(false, &path, message);
        }
        if self.units.is_empty() {
            return;
        }
        let shortest = links.values().map(|link| link.answer_deadline_ms).min();
        faults.require(
            shortest.is_none_or(|shortest| self.wait_ms < shortest),
            &["hsm", "wait_ms"],
            "shorter than answer_deadline_ms of every link: deciding takes its time too",
        );
        faults.require(
            self.deadline_ms <= self.wait_ms,
            &["hsm", "deadline_ms"],
            "no longer than wait_ms: nobody waits for the rest",
        );
        for (name, link) in links {
            let (pin, change) = (link.pin.as_ref(), link.key_change.as_ref());
            let same = pin.zip(change).is_some_and(|(pin, change)| pin.key == change.key);
            faults.require(
                !same,
                &["links", name, "key_change", "key"],
                "the units have the PIN keys: what comes by x800 goes into the key file",
            );
        }
        faults.require(
            (1..=100_000).contains(&self.waiting_limit),
            &["hsm", "waiting_limit"],
            "from 1 to 100000",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Option<(String, String)> {
        let hsm: Hsm = toml::from_str(text).expect("TOML");
        hsm.settings().err().map(|(path, message)| (path.join("."), message))
    }

    #[test]
    fn units_and_keys_are_read() {
        let key = "0A".repeat(16);
        let text = format!(
            "units = [\"hsm-a:1500\", \"hsm-b:1500\"]\nlmk_check_value = \"268604\"\n\
             [keys]\ncvk = {{ usage = \"C0\", key = \"U{key}\" }}\n"
        );
        let hsm: Hsm = toml::from_str(&text).expect("TOML");
        let (settings, keys) = hsm.settings().expect("good").expect("units");
        assert_eq!((settings.units.len(), settings.header_length), (2, 8));
        assert_eq!(settings.lmk_check_value, Some([0x26, 0x86, 0x04]));
        assert!(keys.find(&KeyName::new("cvk").expect("a name"), KeyUsage::C0).is_some());
        assert!(!format!("{hsm:?}").contains(&key), "keys are not printed");
        let none: Hsm = toml::from_str("").expect("TOML");
        assert!(none.settings().expect("good").is_none());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, path) in [
            ("units = [\"hsm\"]", "units"),
            ("units = [\"hsm:1\"]\nheader_length = 2", "header_length"),
            ("units = [\"hsm:1\"]\ndeadline_ms = 5", "deadline_ms"),
            ("lmk_check_value = \"2686\"", "lmk_check_value"),
            ("[keys]\nCVK = { usage = \"C0\", key = \"U00\" }", "keys.CVK"),
            ("[keys]\ncvk = { usage = \"Q0\", key = \"U00\" }", "keys.cvk.usage"),
            ("[keys]\ncvk = { usage = \"C0\", key = \"U00\" }", "keys.cvk.key"),
        ] {
            assert_eq!(fault(text).map(|(path, _)| path).as_deref(), Some(path), "{text}");
        }
    }
}
