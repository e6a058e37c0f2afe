//! `[api.sandbox]`: simulations for a developer. It owns the names in the file, and that none of it
//! is there in production or leaves this machine.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

use super::Mode;
use super::check::Faults;

/// The sandbox. Without a simulator there is none.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiSandbox {
    /// Where `cardswitch-sim sandbox` listens, on this machine.
    pub simulator: Option<SocketAddr>,
    /// For an answer of it.
    pub patience_ms: u64,
    /// Simulations at a time.
    pub at_once: u32,
}

impl Default for ApiSandbox {
    fn default() -> Self {
        Self { simulator: None, patience_ms: 15_000, at_once: 16 }
    }
}

impl ApiSandbox {
    /// For an answer of the simulator.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms)
    }

    pub(super) fn check(&self, mode: Mode, faults: &mut Faults) {
        let path = |key| ["api", "sandbox", key];
        faults.require(
            self.simulator.is_none() || mode == Mode::Development,
            &path("simulator"),
            "for a developer alone: in production nothing is simulated",
        );
        faults.require(
            self.simulator.is_none_or(|simulator| simulator.ip().is_loopback()),
            &path("simulator"),
            "a loopback address: card numbers go there in clear",
        );
        let patience = (50..=60_000).contains(&self.patience_ms);
        faults.require(patience, &path("patience_ms"), "from 50 to 60000");
        let at_once = (1..=1_024).contains(&self.at_once);
        faults.require(at_once, &path("at_once"), "from 1 to 1024");
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::check::faults;

    /// What is wrong, by its key.
    fn wrong(mode: &str, line: &str) -> Vec<String> {
        let text = format!("mode = \"{mode}\"\n[api.sandbox]\n{line}\n");
        let config: Config = toml::from_str(&text).expect("its form is right");
        let faults = faults(&config);
        let paths = faults.iter().map(|fault| fault.path.join("."));
        paths.filter(|path| path.starts_with("api.sandbox")).collect()
    }

    #[test]
    fn a_sandbox_is_for_a_developer_and_stays_on_this_machine() {
        for good in ["", "simulator = \"127.0.0.1:8700\"", "simulator = \"[::1]:8700\""] {
            assert_eq!(wrong("development", good), [""; 0], "{good}");
        }
        let simulator = ["api.sandbox.simulator"];
        assert_eq!(wrong("production", "simulator = \"127.0.0.1:8700\""), simulator);
        assert_eq!(wrong("production", ""), [""; 0]);
        assert_eq!(wrong("development", "simulator = \"192.0.2.1:8700\""), simulator);
        assert_eq!(wrong("development", "patience_ms = 49"), ["api.sandbox.patience_ms"]);
        assert_eq!(wrong("development", "at_once = 0"), ["api.sandbox.at_once"]);
    }
}
