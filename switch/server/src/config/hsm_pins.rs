//! `[hsm.tls]`, and whether PINs may go to the units in clear. It owns that none does over a
//! connection that others could read, but on a developer's own machine.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;
use switch_hsm::commands::LMK_PIN_LENGTHS;
use switch_hsm::{TlsFault, UnitTls};

use super::check::Faults;
use super::{Hsm, Mode};

/// TLS to the units.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HsmTls {
    /// PEM file of the authorities that the units' certificates come from.
    pub ca: PathBuf,
    /// PEM file of the certificate that is shown to them, where they ask for one.
    pub certificate: Option<PathBuf>,
    /// PEM file of its private key.
    pub key: Option<PathBuf>,
    /// The name in the units' certificates; without it, the host of each unit's address.
    pub server_name: Option<String>,
}

impl HsmTls {
    /// Reads the files.
    ///
    /// # Errors
    /// One cannot be used.
    pub fn read(&self) -> Result<UnitTls, TlsFault> {
        let own = self.certificate.as_deref().zip(self.key.as_deref());
        UnitTls::read(&self.ca, own, self.server_name.as_deref())
    }
}

impl Hsm {
    /// How many digits a PIN has under the units' own key, where PINs go to them in clear.
    #[must_use]
    pub const fn pins_in_clear(&self) -> Option<u8> {
        if self.clear_pins { Some(self.lmk_pin_length) } else { None }
    }

    /// `longest` is what a PIN that is set over the API may have.
    pub(super) fn check_clear_pins(&self, mode: Mode, longest: u8, faults: &mut Faults) {
        if let Some(tls) = &self.tls {
            faults.require(
                tls.certificate.is_some() == tls.key.is_some(),
                &["hsm", "tls", "certificate"],
                "together with key, or neither",
            );
        }
        faults.require(
            LMK_PIN_LENGTHS.contains(&self.lmk_pin_length),
            &["hsm", "lmk_pin_length"],
            "from 5 to 13, as it is set in the units",
        );
        if !self.clear_pins {
            return;
        }
        let own = mode == Mode::Development && self.units.iter().all(|unit| is_own(unit));
        faults.require(
            self.tls.is_some() || own,
            &["hsm", "clear_pins"],
            "with [hsm.tls] alone: a PIN would go to the units in clear over the network",
        );
        faults.require(
            longest < self.lmk_pin_length,
            &["hsm", "lmk_pin_length"],
            "longer than api.cards.pin_digits_most, in the units too: they keep one digit fewer",
        );
    }
}

/// Whether a unit is of this machine.
fn is_own(unit: &str) -> bool {
    let host = unit.rsplit_once(':').map_or(unit, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::check::faults;

    /// The settings at fault, of those that this file is about.
    fn wrong(mode: &str, hsm: &str) -> Vec<String> {
        let text = format!("mode = '{mode}'\n[hsm]\n{hsm}\n");
        let config: Config = toml::from_str(&text).expect("its form");
        let all = faults(&config).into_iter().map(|fault| fault.path.join("."));
        let ours = ["hsm.clear_pins", "hsm.lmk_pin_length", "hsm.tls.certificate"];
        all.filter(|path| ours.contains(&path.as_str())).collect()
    }

    #[test]
    fn pins_go_in_clear_over_tls_or_nowhere_but_to_a_developers_own_units() {
        const TLS: &str = "[hsm.tls]\nca = 'ca.pem'";
        let with =
            |unit: &str, more: &str| format!("units = ['{unit}']\nclear_pins = true\n{more}");
        let far = "hsm.example:1500";
        for mode in ["development", "production"] {
            assert_eq!(wrong(mode, &with(far, "")), ["hsm.clear_pins"]);
            assert_eq!(wrong(mode, &with(far, TLS)), [""; 0]);
            assert_eq!(wrong(mode, &format!("units = ['{far}']")), [""; 0], "off by default");
        }
        for own in ["127.0.0.1:1500", "[::1]:1500", "localhost:1500"] {
            assert_eq!(wrong("development", &with(own, "")), [""; 0]);
            assert_eq!(wrong("production", &with(own, "")), ["hsm.clear_pins"]);
        }
    }

    #[test]
    fn the_units_keep_more_digits_than_a_pin_has() {
        let tls = "[hsm.tls]\nca = 'ca.pem'";
        for (length, times) in [(4, 2), (5, 0), (13, 0), (14, 1)] {
            let text = format!("clear_pins = true\nlmk_pin_length = {length}\n{tls}");
            let expected = vec!["hsm.lmk_pin_length"; times];
            assert_eq!(wrong("development", &text), expected, "{length}");
        }
        let halves = format!("{tls}\nkey = 'own.key'");
        assert_eq!(wrong("development", &halves), ["hsm.tls.certificate"]);
    }
}
