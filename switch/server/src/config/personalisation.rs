//! `[api.personalisation]`: plastic cards and the bureau that makes them. It owns the names in the
//! file and the limits of what may be written; what is done with them stands in `admin-api`.

use std::path::PathBuf;
use std::time::Duration;

use admin_api::PlasticSettings;
use admin_api::cards::PinRules;
use serde::Deserialize;
use switch_domain::ServiceCode;
use switch_security::{KeyName, MOST_PERSO_RECORDS};

use super::check::Faults;

/// Plastic cards. Without a directory none are made.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiPersonalisation {
    /// Where files for the bureau go, and its reports come.
    pub directory: Option<PathBuf>,
    /// The exchange key, by its name in the key file.
    pub exchange_key: String,
    /// How often is looked for what waits.
    pub every_ms: u64,
    /// Cards of a file at most.
    pub batch: u32,
    /// How long a card is good from its order on.
    pub months: u16,
    /// Of stripe and chip.
    pub service_code: u16,
    /// The PAN sequence number.
    pub sequence: u8,
    /// Orders of a customer that are on their way.
    pub of_customer: u32,
    /// The same of a corporation.
    pub of_corporation: u32,
    /// Orders that wait for a file.
    pub waiting: u32,
    /// Bytes of a report.
    pub report_bytes: u64,
    /// After a failure, until a card is linked again; doubled each time.
    pub pause_ms: u64,
    /// How long delivery addresses are kept after an order.
    pub keep_address_days: u32,
    /// How long it is kept that a report was read.
    pub keep_reports_days: u32,
}

impl Default for ApiPersonalisation {
    fn default() -> Self {
        Self {
            directory: None,
            exchange_key: "bureau".to_owned(),
            every_ms: 60_000,
            batch: 1_000,
            months: 36,
            service_code: 201,
            sequence: 1,
            of_customer: 5,
            of_corporation: 200,
            waiting: 100_000,
            report_bytes: 4_194_304,
            pause_ms: 60_000,
            keep_address_days: 90,
            keep_reports_days: 400,
        }
    }
}

impl ApiPersonalisation {
    /// How often is looked for what waits.
    #[must_use]
    pub const fn every(&self) -> Duration {
        Duration::from_millis(self.every_ms)
    }

    /// As the service takes them, with the rules of cards' PINs; none where no plastic is made.
    #[must_use]
    pub fn settings(&self, pins: PinRules) -> Option<PlasticSettings> {
        let days = |days: u32| Duration::from_secs(u64::from(days).saturating_mul(86_400));
        Some(PlasticSettings {
            directory: self.directory.clone()?,
            exchange_key: KeyName::new(&self.exchange_key)?,
            batch: self.batch,
            months: self.months,
            service_code: ServiceCode::new(self.service_code).ok()?,
            sequence: self.sequence,
            pins,
            of_customer: self.of_customer,
            of_corporation: self.of_corporation,
            waiting: self.waiting,
            report_bytes: self.report_bytes,
            pause: Duration::from_millis(self.pause_ms),
            keep_address: days(self.keep_address_days),
            keep_reports: days(self.keep_reports_days),
        })
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        let path = |key| ["api", "personalisation", key];
        let named = KeyName::new(&self.exchange_key).is_some();
        let form = "a name: 1 to 32 small letters, digits and hyphens";
        faults.require(named, &path("exchange_key"), form);
        let every = (50..=86_400_000).contains(&self.every_ms);
        faults.require(every, &path("every_ms"), "from 50 to 86400000");
        let most = u32::try_from(MOST_PERSO_RECORDS).unwrap_or(u32::MAX);
        let batch = (1..=most).contains(&self.batch);
        faults.require(batch, &path("batch"), format!("from 1 to {most}"));
        faults.require((1..=240).contains(&self.months), &path("months"), "from 1 to 240");
        let code = ServiceCode::new(self.service_code).is_ok_and(ServiceCode::has_chip);
        let chip = "three digits of a card with a chip, as 201 or 221";
        faults.require(code, &path("service_code"), chip);
        faults.require(self.sequence <= 99, &path("sequence"), "at most 99");
        let own = (1..=1_000).contains(&self.of_customer);
        faults.require(own, &path("of_customer"), "from 1 to 1000");
        let employees = (1..=100_000).contains(&self.of_corporation);
        faults.require(employees, &path("of_corporation"), "from 1 to 100000");
        let waiting = (1..=10_000_000).contains(&self.waiting);
        faults.require(waiting, &path("waiting"), "from 1 to 10000000");
        let report = (1_024..=67_108_864).contains(&self.report_bytes);
        faults.require(report, &path("report_bytes"), "from 1024 to 67108864");
        let pause = (50..=86_400_000).contains(&self.pause_ms);
        faults.require(pause, &path("pause_ms"), "from 50 to 86400000");
        for (key, days) in [
            ("keep_address_days", self.keep_address_days),
            ("keep_reports_days", self.keep_reports_days),
        ] {
            faults.require((1..=3_660).contains(&days), &path(key), "from 1 to 3660");
        }
    }
}
