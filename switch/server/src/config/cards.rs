//! `[api.cards]`: cards over the management API. It owns the names in the file and the limits of
//! what may be written; what is done with them stands in `admin-api`.

use std::time::Duration;

use admin_api::cards::{CardSettings, Channel, JobSettings, LockPolicy, LockRights, PinRules};
use serde::Deserialize;
use switch_domain::{KeyLabel, LockCode, LockCodes};

use super::check::Faults;

/// The longest PIN, and the shortest (ISO 9564-1).
const PIN_DIGITS: std::ops::RangeInclusive<u8> = 4..=12;

/// Cards over the API.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiCards {
    /// Cards of an account, removed ones aside.
    pub most: u32,
    /// For how many months a card is good.
    pub months: u32,
    /// Changes of one card that wait for each other.
    pub in_turn: usize,
    /// For how many days before its end a card may be renewed.
    pub renew_before_days: u32,
    /// The codes that a card's holder may set,
    pub user_sets: Vec<u8>,
    /// and lift.
    pub user_lifts: Vec<u8>,
    /// Whether a holder lifts those alone that a holder has set.
    pub user_lifts_own_alone: bool,
    /// The codes that the partner may set,
    pub partner_sets: Vec<u8>,
    /// and lift.
    pub partner_lifts: Vec<u8>,
    /// The codes that an operator may set,
    pub operator_sets: Vec<u8>,
    /// and lift.
    pub operator_lifts: Vec<u8>,
    /// The zone PIN key that a PIN is under on its way to the module; none: no PIN is set.
    pub pin_key: String,
    /// Digits of a PIN at least.
    pub pin_digits_least: u8,
    /// Digits of a PIN at most.
    pub pin_digits_most: u8,
    /// PINs that nobody may have, beside rows and repetitions.
    pub pins_refused: Vec<String>,
    /// Cards that wait to be made.
    pub waiting: u32,
    /// How often is looked for those.
    pub every_ms: u64,
    /// How many are made at a time.
    pub at_once: u32,
    /// After a try, until the next; doubled each time.
    pub pause_ms: u64,
    /// The longest of those pauses.
    pub pause_most_ms: u64,
    /// For how long is tried at most.
    pub give_up_hours: u32,
    /// For how many days is told what became of one.
    pub kept_days: u32,
}

impl Default for ApiCards {
    fn default() -> Self {
        let usual = CardSettings::default();
        let numbers = |codes: &dyn Fn(LockCode) -> bool| {
            let codes = LockCode::ALL.into_iter().filter(|code| codes(*code));
            codes.map(LockCode::number).collect::<Vec<_>>()
        };
        let all = numbers(&|_| true);
        let reversible = numbers(&|code| !code.is_irreversible());
        let days = |of: Duration| u32::try_from(of.as_secs() / 86_400).unwrap_or(u32::MAX);
        let ms = |of: Duration| u64::try_from(of.as_millis()).unwrap_or(u64::MAX);
        Self {
            most: usual.most,
            months: usual.months,
            in_turn: usual.in_turn,
            renew_before_days: days(usual.renew_before),
            user_sets: all.clone(),
            user_lifts: reversible.clone(),
            user_lifts_own_alone: false,
            partner_sets: all.clone(),
            partner_lifts: reversible.clone(),
            operator_sets: all,
            operator_lifts: reversible,
            pin_key: String::new(),
            pin_digits_least: usual.pins.least,
            pin_digits_most: usual.pins.most,
            pins_refused: usual.pins.refused,
            waiting: usual.jobs.waiting_most,
            every_ms: 500,
            at_once: usual.jobs.at_once,
            pause_ms: ms(usual.jobs.pause),
            pause_most_ms: ms(usual.jobs.pause_most),
            give_up_hours: 24,
            kept_days: 30,
        }
    }
}

impl ApiCards {
    /// As the service takes them.
    #[must_use]
    pub fn settings(&self) -> CardSettings {
        let of = |channel| match channel {
            Channel::User => rights(&self.user_sets, &self.user_lifts),
            Channel::Partner => rights(&self.partner_sets, &self.partner_lifts),
            Channel::Operator => rights(&self.operator_sets, &self.operator_lifts),
        };
        let hours = |hours: u32| Duration::from_secs(u64::from(hours).saturating_mul(3_600));
        CardSettings {
            most: self.most,
            months: self.months,
            in_turn: self.in_turn,
            renew_before: hours(self.renew_before_days.saturating_mul(24)),
            locks: LockPolicy::new(of, self.user_lifts_own_alone),
            pins: PinRules {
                key: KeyLabel::new(self.pin_key.as_bytes()).unwrap_or(KeyLabel::EMPTY),
                least: self.pin_digits_least,
                most: self.pin_digits_most,
                refused: self.pins_refused.clone(),
            },
            jobs: JobSettings {
                waiting_most: self.waiting,
                at_once: self.at_once,
                pause: Duration::from_millis(self.pause_ms),
                pause_most: Duration::from_millis(self.pause_most_ms),
                give_up_after: hours(self.give_up_hours),
                kept: hours(self.kept_days.saturating_mul(24)),
            },
        }
    }

    /// How often is looked for cards that wait to be made.
    #[must_use]
    pub const fn every(&self) -> Duration {
        Duration::from_millis(self.every_ms)
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        let path = |key| ["api", "cards", key];
        faults.require((1..=1_000).contains(&self.most), &path("most"), "from 1 to 1000");
        faults.require((1..=240).contains(&self.months), &path("months"), "from 1 to 240");
        faults.require((1..=1_000).contains(&self.in_turn), &path("in_turn"), "from 1 to 1000");
        let days = (1..=3_660).contains(&self.renew_before_days);
        faults.require(days, &path("renew_before_days"), "from 1 to 3660");
        for (key, codes) in [
            ("user_sets", &self.user_sets),
            ("user_lifts", &self.user_lifts),
            ("partner_sets", &self.partner_sets),
            ("partner_lifts", &self.partner_lifts),
            ("operator_sets", &self.operator_sets),
            ("operator_lifts", &self.operator_lifts),
        ] {
            let known = codes.iter().all(|code| LockCode::from_number(*code).is_some());
            faults.require(known, &path(key), "reasons of locks: 1 to 8, and 11");
        }
        let label = KeyLabel::new(self.pin_key.as_bytes()).is_ok();
        faults.require(label, &path("pin_key"), "the name of a key, of at most 32 characters");
        let (least, most) = (self.pin_digits_least, self.pin_digits_most);
        let fits = PIN_DIGITS.contains(&least) && PIN_DIGITS.contains(&most) && least <= most;
        faults.require(fits, &path("pin_digits_least"), "from 4 to 12, and not above the most");
        let digits = |pin: &String| {
            (4..=12).contains(&pin.len()) && pin.bytes().all(|byte| byte.is_ascii_digit())
        };
        let pins = self.pins_refused.len() <= 1_000 && self.pins_refused.iter().all(digits);
        faults.require(pins, &path("pins_refused"), "at most 1000, each of 4 to 12 digits");
        self.check_jobs(faults);
    }

    fn check_jobs(&self, faults: &mut Faults) {
        let path = |key| ["api", "cards", key];
        let waiting = (1..=1_000_000).contains(&self.waiting);
        faults.require(waiting, &path("waiting"), "from 1 to 1000000");
        let every = (10..=60_000).contains(&self.every_ms);
        faults.require(every, &path("every_ms"), "from 10 to 60000");
        faults.require((1..=64).contains(&self.at_once), &path("at_once"), "from 1 to 64");
        let pause = (10..=3_600_000).contains(&self.pause_ms);
        faults.require(pause, &path("pause_ms"), "from 10 to 3600000");
        faults.require(
            (self.pause_ms..=86_400_000).contains(&self.pause_most_ms),
            &path("pause_most_ms"),
            "from pause_ms to 86400000",
        );
        let give_up = (1..=8_784).contains(&self.give_up_hours);
        faults.require(give_up, &path("give_up_hours"), "from 1 to 8784");
        faults.require((1..=3_660).contains(&self.kept_days), &path("kept_days"), "from 1 to 3660");
    }
}

fn rights(sets: &[u8], lifts: &[u8]) -> LockRights {
    let codes = |numbers: &[u8]| -> LockCodes {
        numbers.iter().filter_map(|number| LockCode::from_number(*number)).collect()
    };
    LockRights { sets: codes(sets), lifts: codes(lifts) }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::check::faults;

    /// What is wrong, by its key.
    fn wrong(line: &str) -> Vec<String> {
        let config: Config = toml::from_str(&format!("[api.cards]\n{line}\n")).expect("its form");
        faults(&config).iter().map(|fault| fault.path.join(".")).collect()
    }

    #[test]
    fn every_limit_of_cards_is_held() {
        assert_eq!(wrong(""), [""; 0]);
        assert_eq!(wrong("user_sets = [3, 11]\nuser_lifts = []\npin_key = 'zpk'"), [""; 0]);
        for (line, key) in [
            ("most = 0", "most"),
            ("months = 241", "months"),
            ("renew_before_days = 0", "renew_before_days"),
            ("user_sets = [9]", "user_sets"),
            ("operator_lifts = [10]", "operator_lifts"),
            ("pin_key = 'abcdefghijklmnopqrstuvwxyz0123456789'", "pin_key"),
            ("pin_digits_least = 3", "pin_digits_least"),
            ("pin_digits_least = 6", "pin_digits_least"),
            ("pins_refused = ['12']", "pins_refused"),
            ("waiting = 0", "waiting"),
            ("every_ms = 9", "every_ms"),
            ("at_once = 65", "at_once"),
            ("pause_ms = 9", "pause_ms"),
            ("pause_most_ms = 10", "pause_most_ms"),
            ("give_up_hours = 0", "give_up_hours"),
            ("kept_days = 0", "kept_days"),
        ] {
            assert_eq!(wrong(line), [format!("api.cards.{key}")], "{line}");
        }
    }
}
