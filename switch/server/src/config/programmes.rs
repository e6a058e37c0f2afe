//! `[api.programmes]`: partners and programmes over the management API. It owns the names in the
//! file and the limits of what may be written; what is done with them stands in `admin-api`.

use admin_api::programmes::ProgrammeSettings;
use serde::Deserialize;

use super::check::Faults;

/// Partners and programmes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiProgrammes {
    /// Partners.
    pub partners: u32,
    /// Programmes of a partner.
    pub of_partner: u32,
    /// Changes of one that are kept.
    pub changes: u32,
}

impl Default for ApiProgrammes {
    fn default() -> Self {
        Self { partners: 1_000, of_partner: 100, changes: 1_000 }
    }
}

impl ApiProgrammes {
    /// As the service takes them.
    #[must_use]
    pub const fn settings(&self) -> ProgrammeSettings {
        ProgrammeSettings {
            partners_most: self.partners,
            programmes_most: self.of_partner,
            changes_most: self.changes,
        }
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        for (key, value, most) in [
            ("partners", self.partners, 100_000),
            ("of_partner", self.of_partner, 10_000),
            ("changes", self.changes, 100_000),
        ] {
            let within = (1..=most).contains(&value);
            faults.require(within, &["api", "programmes", key], format!("from 1 to {most}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::check::faults;

    #[test]
    fn every_limit_of_programmes_is_held() {
        let wrong = |line: &str| -> Vec<String> {
            let config: Config =
                toml::from_str(&format!("[api.programmes]\n{line}\n")).expect("its form");
            faults(&config).iter().map(|fault| fault.path.join(".")).collect()
        };
        assert_eq!(wrong(""), [""; 0]);
        for (line, key) in [
            ("partners = 0", "partners"),
            ("partners = 100001", "partners"),
            ("of_partner = 0", "of_partner"),
            ("of_partner = 10001", "of_partner"),
            ("changes = 0", "changes"),
            ("changes = 100001", "changes"),
        ] {
            assert_eq!(wrong(line), [format!("api.programmes.{key}")], "{line}");
        }
    }
}
