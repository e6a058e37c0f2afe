//! `[api.mail]`: the relay that takes the platform's letters. It owns the names in the file, and
//! that nothing goes there in clear but a developer's own, on this machine.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use admin_api::mail::{MailAddress, MailLogin, MailSettings, MailTls, Outbox, Relay};
use serde::Deserialize;

use super::Mode;
use super::check::Faults;

/// How the way to the relay is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailWay {
    /// TLS after STARTTLS.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// In clear.
    Plain,
}

/// Mail. Without a host none is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiMail {
    /// The relay.
    pub host: Option<String>,
    /// Its port.
    pub port: u16,
    /// Who sends.
    pub from: Option<String>,
    /// How the way to it is protected.
    pub tls: MailWay,
    /// Whom its certificate must come from.
    pub ca: Option<PathBuf>,
    /// Who we are for it.
    pub user: Option<String>,
    /// Where the password for that lies.
    pub password_file: Option<PathBuf>,
    /// For a try.
    pub patience_ms: u64,
    /// How often is looked for what is to be sent.
    pub every_ms: u64,
    /// Pauses before the second try and those after it.
    pub retry_s: Vec<u32>,
    /// Letters at a time.
    pub at_once: u32,
    /// Letters that may wait.
    pub waiting: u32,
    /// For how many days letters are kept.
    pub keep_days: u32,
}

impl Default for ApiMail {
    fn default() -> Self {
        Self {
            host: None,
            port: 587,
            from: None,
            tls: MailWay::default(),
            ca: None,
            user: None,
            password_file: None,
            patience_ms: 30_000,
            every_ms: 1_000,
            retry_s: vec![30, 300, 1_800, 7_200, 21_600, 43_200],
            at_once: 4,
            waiting: 1_000,
            keep_days: 30,
        }
    }
}

impl ApiMail {
    /// The way to the outbox; none where no mail is sent.
    #[must_use]
    pub fn outbox(&self) -> Option<Outbox> {
        self.relay()?;
        let pauses = self.retry_s.iter().map(|pause| Duration::from_secs(u64::from(*pause)));
        Some(Outbox::new(MailSettings {
            waiting_most: self.waiting,
            at_once: self.at_once,
            pauses: pauses.collect(),
            patience: Duration::from_millis(self.patience_ms),
            keep: Duration::from_secs(u64::from(self.keep_days).saturating_mul(86_400)),
        }))
    }

    /// The relay; none where no mail is sent, or something is missing, which is refused before.
    #[must_use]
    pub fn relay(&self) -> Option<Relay> {
        Some(Relay {
            host: self.host.clone()?,
            port: self.port,
            tls: match self.tls {
                MailWay::Starttls => MailTls::StartTls(self.ca.clone()?),
                MailWay::Tls => MailTls::Implicit(self.ca.clone()?),
                MailWay::Plain => MailTls::Plain,
            },
            login: self.login(),
            from: MailAddress::parse(self.from.as_deref()?, "from").ok()?,
            patience: Duration::from_millis(self.patience_ms),
        })
    }

    fn login(&self) -> Option<MailLogin> {
        let (user, password_file) = (self.user.clone()?, self.password_file.clone()?);
        Some(MailLogin { user, password_file })
    }

    /// How often is looked for what is to be sent.
    #[must_use]
    pub const fn every(&self) -> Duration {
        Duration::from_millis(self.every_ms)
    }

    pub(super) fn check(&self, mode: Mode, faults: &mut Faults) {
        let path = |key| ["api", "mail", key];
        if let Some(host) = &self.host {
            let plain =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':');
            let name = (1..=253).contains(&host.len()) && host.bytes().all(plain);
            faults.require(name, &path("host"), "the name of the relay, or its address");
            let from = self.from.as_deref().map(|from| MailAddress::parse(from, "from"));
            faults.require(
                from.is_some_and(|from| from.is_ok()),
                &path("from"),
                "the address that letters come from: cards@bank.example",
            );
            let own = host == "localhost"
                || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
            faults.require(
                self.tls != MailWay::Plain || (own && mode == Mode::Development),
                &path("tls"),
                "starttls or tls; plain for a developer alone, to a relay on this machine",
            );
            faults.require(
                self.tls == MailWay::Plain || self.ca.is_some(),
                &path("ca"),
                "a PEM file of the authorities that the relay's certificate must come from",
            );
        }
        self.check_login(faults);
        faults.require(self.port > 0, &path("port"), "from 1 to 65535");
        let patience = (50..=300_000).contains(&self.patience_ms);
        faults.require(patience, &path("patience_ms"), "from 50 to 300000");
        let every = (10..=60_000).contains(&self.every_ms);
        faults.require(every, &path("every_ms"), "from 10 to 60000");
        let pauses = self.retry_s.len() <= 20 && self.retry_s.iter().all(|pause| *pause <= 86_400);
        faults.require(pauses, &path("retry_s"), "at most 20 pauses of at most 86400");
        for (key, value, least, most) in [
            ("at_once", self.at_once, 1, 64),
            ("waiting", self.waiting, 10, 1_000_000),
            ("keep_days", self.keep_days, 1, 366),
        ] {
            let within = (least..=most).contains(&value);
            faults.require(within, &path(key), format!("from {least} to {most}"));
        }
    }

    /// Both of a log-in or neither, and never in clear.
    fn check_login(&self, faults: &mut Faults) {
        let path = |key| ["api", "mail", key];
        if let Some(user) = &self.user {
            let plain =
                !user.is_empty() && user.len() <= 254 && !user.chars().any(char::is_control);
            faults.require(plain, &path("user"), "the name that the relay knows us by");
        }
        faults.require(
            self.user.is_some() == self.password_file.is_some(),
            &path("password_file"),
            "a file with the password of `user`; both of them or neither",
        );
        faults.require(
            self.user.is_none() || self.tls != MailWay::Plain,
            &path("user"),
            "none where `tls` is plain: a password goes over TLS alone",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::check::faults;

    /// What is wrong, by its key.
    fn wrong(mode: &str, lines: &str) -> Vec<String> {
        let text = format!("mode = \"{mode}\"\n[api.mail]\n{lines}\n");
        let config: Config = toml::from_str(&text).expect("its form is right");
        let faults = faults(&config);
        let paths = faults.iter().map(|fault| fault.path.join("."));
        paths.filter(|path| path.starts_with("api.mail")).collect()
    }

    // covers: SR-230
    #[test]
    fn mail_goes_over_tls_but_for_a_developers_own_and_every_limit_is_held() {
        let at = |host: &str, more: &str| {
            format!("host = \"{host}\"\nfrom = \"cards@bank.example\"\n{more}")
        };
        for (host, more) in [
            ("relay.bank.example", "ca = \"ca.pem\""),
            ("relay.bank.example", "tls = \"tls\"\nca = \"ca.pem\""),
            (
                "relay.bank.example",
                "ca = \"ca.pem\"\nuser = \"us\"\npassword_file = \"relay.password\"",
            ),
            ("127.0.0.1", "tls = \"plain\""),
            ("::1", "tls = \"plain\""),
            ("localhost", "tls = \"plain\""),
        ] {
            assert_eq!(wrong("development", &at(host, more)), [""; 0], "{host} {more}");
        }
        assert_eq!(wrong("production", &at("relay.bank.example", "ca = \"ca.pem\"")), [""; 0]);
        for (mode, lines, key) in [
            ("production", at("127.0.0.1", "tls = \"plain\""), "tls"),
            ("development", at("192.0.2.1", "tls = \"plain\""), "tls"),
            ("development", at("relay.bank.example", ""), "ca"),
            ("development", at("a relay", "ca = \"ca.pem\""), "host"),
            ("development", "host = \"a.example\"\nca = \"ca.pem\"".to_owned(), "from"),
            ("development", "user = \"us\"".to_owned(), "password_file"),
            ("development", "password_file = \"relay.password\"".to_owned(), "password_file"),
            (
                "development",
                at("::1", "tls = \"plain\"\nuser = \"us\"\npassword_file = \"p\""),
                "user",
            ),
            ("development", "port = 0".to_owned(), "port"),
            ("development", "patience_ms = 49".to_owned(), "patience_ms"),
            ("development", "every_ms = 9".to_owned(), "every_ms"),
            ("development", "retry_s = [86401]".to_owned(), "retry_s"),
            ("development", "at_once = 65".to_owned(), "at_once"),
            ("development", "waiting = 9".to_owned(), "waiting"),
            ("development", "keep_days = 0".to_owned(), "keep_days"),
        ] {
            assert_eq!(wrong(mode, &lines), [format!("api.mail.{key}")], "{lines}");
        }
    }
}
