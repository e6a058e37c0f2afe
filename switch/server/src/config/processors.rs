//! `[api.processors.NAME]`: processors elsewhere that make cards of programmes. It owns the names
//! in the file and the limits of what may be written; what is done with them stands in `admin-api`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use admin_api::cards::processor::{IN_PROCESS, RemoteSettings};
use admin_api::kyc::ProviderUrl;
use serde::Deserialize;
use switch_domain::KeyLabel;

use super::check::Faults;

/// Characters of the longest name.
const NAME_MOST: usize = 40;

/// One processor.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiProcessor {
    /// Where it is asked.
    pub url: Option<String>,
    /// Whom its certificate must come from.
    pub ca: Option<PathBuf>,
    /// What is shown to it.
    pub certificate: Option<PathBuf>,
    /// The key of that.
    pub key: Option<PathBuf>,
    /// The zone PIN key that is shared with it; empty: it takes no PINs.
    pub pin_key: String,
    /// For a connection: its name looked up, and TCP.
    pub connect_ms: u64,
    /// For an answer, the connection included.
    pub patience_ms: u64,
    /// Questions at a time.
    pub at_once: usize,
    /// Connections that are kept open, and for how long without a question.
    pub idle_connections: usize,
    /// See `idle_connections`.
    pub idle_ms: u64,
    /// Questions without an answer in a row; then it is asked no more,
    pub failures: u32,
    /// for so long.
    pub rest_ms: u64,
}

impl Default for ApiProcessor {
    fn default() -> Self {
        Self {
            url: None,
            ca: None,
            certificate: None,
            key: None,
            pin_key: String::new(),
            connect_ms: 2_000,
            patience_ms: 5_000,
            at_once: 4,
            idle_connections: 4,
            idle_ms: 30_000,
            failures: 5,
            rest_ms: 5_000,
        }
    }
}

impl ApiProcessor {
    /// How it is reached; none where something is missing, which is refused before.
    #[must_use]
    pub fn settings(&self) -> Option<RemoteSettings> {
        Some(RemoteSettings {
            url: ProviderUrl::parse(self.url.as_deref()?).ok()?,
            ca: self.ca.clone()?,
            own: self.certificate.clone().zip(self.key.clone())?,
            connect: Duration::from_millis(self.connect_ms),
            patience: Duration::from_millis(self.patience_ms),
            at_once: self.at_once,
            idle_connections: self.idle_connections,
            idle: Duration::from_millis(self.idle_ms),
            failures: self.failures,
            rest: Duration::from_millis(self.rest_ms),
            pin_key: KeyLabel::new(self.pin_key.as_bytes()).ok()?,
        })
    }

    fn check(&self, name: &str, faults: &mut Faults) {
        let path = |key| ["api", "processors", name, key];
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=NAME_MOST).contains(&name.len()) && name.bytes().all(plain);
        faults.require(
            fits && name != IN_PROCESS,
            &["api", "processors", name],
            format!(
                "a name of 1 to {NAME_MOST} small letters, digits and hyphens, and another than \
                 {IN_PROCESS}, which is the switch itself"
            ),
        );
        let url = self.url.as_deref().map(ProviderUrl::parse);
        let wrong = match &url {
            Some(Ok(_)) => None,
            Some(Err(wrong)) => Some(wrong.to_string()),
            None => Some("where the processor is: https://host/path".to_owned()),
        };
        faults.require(wrong.is_none(), &path("url"), wrong.unwrap_or_default());
        faults.require(
            self.ca.is_some(),
            &path("ca"),
            "a PEM file of the authorities that the processor's certificate must come from",
        );
        faults.require(
            self.certificate.is_some() && self.key.is_some(),
            &path("certificate"),
            "certificate and key: the processor gives card numbers to nobody that it does not know",
        );
        let label = KeyLabel::new(self.pin_key.as_bytes()).is_ok();
        faults.require(label, &path("pin_key"), "the name of a key, of at most 32 characters");
        for (key, wait) in [("connect_ms", self.connect_ms), ("idle_ms", self.idle_ms)] {
            faults.require((50..=600_000).contains(&wait), &path(key), "from 50 to 600000");
        }
        // A card's row is held meanwhile; a transaction that says nothing is ended after a minute.
        let patience = (50..=30_000).contains(&self.patience_ms);
        faults.require(patience, &path("patience_ms"), "from 50 to 30000");
        faults.require((1..=256).contains(&self.at_once), &path("at_once"), "from 1 to 256");
        let idle = self.idle_connections <= 256;
        faults.require(idle, &path("idle_connections"), "at most 256");
        faults.require((1..=1_000).contains(&self.failures), &path("failures"), "from 1 to 1000");
        let rest = (50..=600_000).contains(&self.rest_ms);
        faults.require(rest, &path("rest_ms"), "from 50 to 600000");
    }
}

/// All of them, over a database with so many connections.
pub(super) fn check(
    processors: &BTreeMap<String, ApiProcessor>,
    connections: u32,
    faults: &mut Faults,
) {
    for (name, processor) in processors {
        processor.check(name, faults);
    }
    let all = processors.values().fold(0usize, |all, one| all.saturating_add(one.at_once));
    let half = usize::try_from(connections / 2).unwrap_or(usize::MAX).max(1);
    faults.require(
        all <= half,
        &["api", "processors"],
        format!(
            "at_once of all of them is {all}: at most {half}, half of database.max_connections, \
             for a card's row is held while its processor is told, and others need the database"
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::check::faults;

    const WHOLE: &str = "url = 'https://cards.example/v1'\nca = 'ca.pem'\n\
                         certificate = 'own.pem'\nkey = 'own.key'\n";

    /// What is wrong, by its key.
    fn wrong(text: &str) -> Vec<String> {
        let config: Config = toml::from_str(text).expect("its form is right");
        faults(&config).iter().map(|fault| fault.path.join(".")).collect()
    }

    #[test]
    fn a_processor_is_configured_whole_and_leaves_the_database_to_others_too() {
        let of = |name: &str, lines: &str| format!("[api.processors.{name}]\n{lines}\n");
        assert_eq!(wrong(&of("far", WHOLE)), [""; 0]);
        let with = |line: &str| format!("{WHOLE}{line}");
        for (lines, key) in [
            (WHOLE.replace("https", "http"), ".url"),
            (WHOLE.replace("url = 'https://cards.example/v1'\n", ""), ".url"),
            (WHOLE.replace("ca = 'ca.pem'\n", ""), ".ca"),
            (WHOLE.replace("key = 'own.key'\n", ""), ".certificate"),
            (with("pin_key = 'abcdefghijklmnopqrstuvwxyz0123456789'"), ".pin_key"),
            (with("connect_ms = 49"), ".connect_ms"),
            (with("patience_ms = 30001"), ".patience_ms"),
            (with("idle_ms = 1"), ".idle_ms"),
            (with("at_once = 0"), ".at_once"),
            (with("idle_connections = 257"), ".idle_connections"),
            (with("failures = 0"), ".failures"),
            (with("rest_ms = 49"), ".rest_ms"),
        ] {
            assert_eq!(wrong(&of("far", &lines)), [format!("api.processors.far{key}")], "{lines}");
        }
        for name in ["in-process", "Far", "far_away", &"f".repeat(41)] {
            assert_eq!(wrong(&of(name, WHOLE)), [format!("api.processors.{name}")]);
        }
        let two = of("far", WHOLE) + &of("near", &with("at_once = 1"));
        assert_eq!(wrong(&two), ["api.processors"]);
        let room = format!("{two}[database]\nmax_connections = 10\n");
        assert_eq!(wrong(&room), [""; 0]);
    }
}
