//! `[api.customers]` and `[api.kyc]`: customers of partners, and how the platform verifies them. It
//! owns the names in the file and the limits of what may be written; what is done with them stands
//! in `admin-api`.

use std::path::PathBuf;
use std::time::Duration;

use admin_api::http::{MOST, USUAL};
use admin_api::kyc::{Mode, ProviderSettings, ProviderUrl};
use admin_api::{InquirySettings, UserSettings};
use serde::Deserialize;

use super::check::Faults;
use super::sessions::ApiSessions;

/// Customers: how much is listed and kept of each.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiCustomers {
    /// Rows of a page at most.
    pub page: u32,
    /// Accounts of a customer that are listed, and may be opened over the API.
    pub balances: u32,
    /// Cards of an account that are listed.
    pub cards: u32,
    /// Moves of a customer's verification; then there are no more.
    pub kyc_moves: u32,
    /// How customers are verified where their partner chose nothing.
    pub kyc_mode: Mode,
}

impl Default for ApiCustomers {
    fn default() -> Self {
        let UserSettings { balances_most, cards_most, kyc_mode, kyc_moves_most, .. } =
            UserSettings::default();
        let (balances, cards, kyc_moves) = (balances_most, cards_most, kyc_moves_most);
        Self { page: MOST, balances, cards, kyc_moves, kyc_mode }
    }
}

/// Who verifies customers for the platform, and how it is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiKyc {
    /// Where the provider is asked; without it nobody is.
    pub url: Option<String>,
    /// Whom its certificate must come from.
    pub ca: Option<PathBuf>,
    /// What is shown to it, where it asks for a certificate.
    pub certificate: Option<PathBuf>,
    /// The key of that.
    pub key: Option<PathBuf>,
    /// A secret that is sent to it as a bearer token.
    pub secret_file: Option<PathBuf>,
    /// For a connection: its name resolved, and TCP.
    pub connect_ms: u64,
    /// For an answer, the connection included.
    pub patience_ms: u64,
    /// Connections that are kept open, and for how long without a question.
    pub idle_connections: usize,
    /// See `idle_connections`.
    pub idle_ms: u64,
    /// How often is looked for what is to be asked.
    pub every_ms: u64,
    /// Questions at a time.
    pub at_once: u32,
    /// After a question, until the same is asked again; doubled each time.
    pub pause_ms: u64,
    /// The longest of those pauses.
    pub pause_most_ms: u64,
    /// How often the same is asked at most.
    pub attempts: u32,
    /// For how long at most.
    pub give_up_hours: u32,
    /// Customers that may wait for an outcome.
    pub waiting: u32,
}

impl Default for ApiKyc {
    fn default() -> Self {
        let ms = |of: Duration| u64::try_from(of.as_millis()).unwrap_or(u64::MAX);
        let usual = InquirySettings::default();
        Self {
            url: None,
            ca: None,
            certificate: None,
            key: None,
            secret_file: None,
            connect_ms: 5_000,
            patience_ms: ms(usual.patience),
            idle_connections: 4,
            idle_ms: 30_000,
            every_ms: 1_000,
            at_once: usual.at_once,
            pause_ms: ms(usual.pause),
            pause_most_ms: ms(usual.pause_most),
            attempts: usual.attempts_most,
            give_up_hours: 168,
            waiting: usual.waiting_most,
        }
    }
}

/// As the service of customers takes them.
pub(super) fn user_settings(
    customers: &ApiCustomers,
    kyc: &ApiKyc,
    sessions: &ApiSessions,
) -> UserSettings {
    UserSettings {
        page_most: customers.page,
        balances_most: customers.balances,
        cards_most: customers.cards,
        kyc_mode: customers.kyc_mode,
        kyc_moves_most: customers.kyc_moves,
        has_provider: kyc.url.is_some(),
        inquiries: InquirySettings {
            waiting_most: kyc.waiting,
            at_once: kyc.at_once,
            patience: Duration::from_millis(kyc.patience_ms),
            pause: Duration::from_millis(kyc.pause_ms),
            pause_most: Duration::from_millis(kyc.pause_most_ms),
            attempts_most: kyc.attempts,
            give_up_after: Duration::from_secs(u64::from(kyc.give_up_hours).saturating_mul(3_600)),
        },
        access: sessions.settings(),
    }
}

impl ApiCustomers {
    pub(super) fn check(&self, kyc: &ApiKyc, faults: &mut Faults) {
        let path = |key| ["api", "customers", key];
        faults.require(
            (USUAL..=MOST).contains(&self.page),
            &path("page"),
            format!("from {USUAL}, which a page has where nobody says, to {MOST}"),
        );
        for (key, most) in [("balances", self.balances), ("cards", self.cards)] {
            faults.require((1..=1_000).contains(&most), &path(key), "from 1 to 1000");
        }
        let moves = (10..=10_000).contains(&self.kyc_moves);
        faults.require(moves, &path("kyc_moves"), "from 10 to 10000");
        faults.require(
            self.kyc_mode != Mode::Automated || kyc.url.is_some(),
            &path("kyc_mode"),
            "own or manual; automated needs a provider: set api.kyc.url",
        );
    }
}

impl ApiKyc {
    /// How the provider is reached, if there is one.
    #[must_use]
    pub fn provider(&self) -> Option<ProviderSettings> {
        let url = ProviderUrl::parse(self.url.as_deref()?).ok()?;
        Some(ProviderSettings {
            url,
            ca: self.ca.clone()?,
            own: self.certificate.clone().zip(self.key.clone()),
            secret_file: self.secret_file.clone(),
            connect: Duration::from_millis(self.connect_ms),
            idle_connections: self.idle_connections,
            idle: Duration::from_millis(self.idle_ms),
        })
    }

    /// How often is looked for what is to be asked.
    #[must_use]
    pub const fn every(&self) -> Duration {
        Duration::from_millis(self.every_ms)
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        let path = |key| ["api", "kyc", key];
        self.check_provider(faults);
        for (key, wait) in [
            ("connect_ms", self.connect_ms),
            ("patience_ms", self.patience_ms),
            ("idle_ms", self.idle_ms),
        ] {
            faults.require((50..=600_000).contains(&wait), &path(key), "from 50 to 600000");
        }
        let every = (10..=60_000).contains(&self.every_ms);
        faults.require(every, &path("every_ms"), "from 10 to 60000");
        let at_once = (1..=256).contains(&self.at_once);
        faults.require(at_once, &path("at_once"), "from 1 to 256");
        let idle = self.idle_connections <= 256;
        faults.require(idle, &path("idle_connections"), "at most 256");
        let pause = (10..=3_600_000).contains(&self.pause_ms);
        faults.require(pause, &path("pause_ms"), "from 10 to 3600000");
        faults.require(
            (self.pause_ms..=86_400_000).contains(&self.pause_most_ms),
            &path("pause_most_ms"),
            "from pause_ms to 86400000",
        );
        let attempts = (1..=10_000).contains(&self.attempts);
        faults.require(attempts, &path("attempts"), "from 1 to 10000");
        let give_up = (1..=8_784).contains(&self.give_up_hours);
        faults.require(give_up, &path("give_up_hours"), "from 1 to 8784");
        let waiting = (1..=1_000_000).contains(&self.waiting);
        faults.require(waiting, &path("waiting"), "from 1 to 1000000");
    }

    fn check_provider(&self, faults: &mut Faults) {
        let path = |key| ["api", "kyc", key];
        let Some(url) = &self.url else {
            let files = [&self.ca, &self.certificate, &self.key, &self.secret_file];
            let none = files.iter().all(|file| file.is_none());
            faults.require(none, &path("url"), "where the provider is; without it nobody is asked");
            return;
        };
        if let Err(wrong) = ProviderUrl::parse(url) {
            faults.require(false, &path("url"), wrong.to_string());
        }
        faults.require(
            self.ca.is_some(),
            &path("ca"),
            "a PEM file of the authorities that the provider's certificate must come from",
        );
        faults.require(
            self.certificate.is_some() == self.key.is_some(),
            &path("certificate"),
            "certificate and key together, or neither",
        );
        faults.require(
            self.certificate.is_some() || self.secret_file.is_some(),
            &path("certificate"),
            "certificate and key, or secret_file: the provider must know who asks",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::check::faults;

    /// What is wrong, by its key.
    fn wrong(customers: &str, kyc: &str) -> Vec<String> {
        let text = format!("[api.customers]\n{customers}\n[api.kyc]\n{kyc}\n");
        let config: Config = toml::from_str(&text).expect("its form is right");
        faults(&config).iter().map(|fault| fault.path.join(".")).collect()
    }

    // covers: SR-263
    #[test]
    fn every_limit_is_held_and_a_provider_is_configured_whole_or_not_at_all() {
        let whole = "url = \"https://kyc.example/v1\"\nca = \"ca.pem\"\nsecret_file = \"s\"\n";
        assert_eq!(wrong("", ""), [""; 0]);
        assert_eq!(wrong("kyc_mode = \"automated\"", whole), [""; 0]);
        let with = |line: &str| format!("{whole}{line}");
        for (customers, kyc, key) in [
            ("page = 49", String::new(), "api.customers.page"),
            ("page = 201", String::new(), "api.customers.page"),
            ("balances = 0", String::new(), "api.customers.balances"),
            ("cards = 1001", String::new(), "api.customers.cards"),
            ("kyc_moves = 9", String::new(), "api.customers.kyc_moves"),
            ("kyc_mode = \"automated\"", String::new(), "api.customers.kyc_mode"),
            ("", "ca = \"ca.pem\"".into(), "api.kyc.url"),
            ("", whole.replace("https", "http"), "api.kyc.url"),
            ("", whole.replace("ca = \"ca.pem\"", ""), "api.kyc.ca"),
            ("", whole.replace("secret_file = \"s\"", ""), "api.kyc.certificate"),
            ("", with("key = \"k\""), "api.kyc.certificate"),
            ("", with("connect_ms = 49"), "api.kyc.connect_ms"),
            ("", with("patience_ms = 600001"), "api.kyc.patience_ms"),
            ("", with("idle_ms = 1"), "api.kyc.idle_ms"),
            ("", with("idle_connections = 257"), "api.kyc.idle_connections"),
            ("", with("every_ms = 9"), "api.kyc.every_ms"),
            ("", with("at_once = 0"), "api.kyc.at_once"),
            ("", with("pause_ms = 9"), "api.kyc.pause_ms"),
            ("", with("pause_most_ms = 29999"), "api.kyc.pause_most_ms"),
            ("", with("attempts = 0"), "api.kyc.attempts"),
            ("", with("give_up_hours = 0"), "api.kyc.give_up_hours"),
            ("", with("waiting = 0"), "api.kyc.waiting"),
        ] {
            assert_eq!(wrong(customers, &kyc), [key], "{customers} {kyc}");
        }
    }
}
