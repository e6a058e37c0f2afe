//! Cards: commands of the shards, and beside them cards as partners, holders and operators see
//! them. It owns whose card is whose, the order of an issue, and that number and printed code of a
//! card leave in one form alone; what a card may do is decided by the shards.

mod code;
mod commands;
mod data;
mod found;
mod heard;
mod issue;
mod jobs;
mod life;
mod lock_policy;
mod pin;
pub mod processor;
mod profile;
mod renew;
mod replace;
mod settings;
mod settled;
mod tellings;
mod turns;

use std::sync::Arc;

use switch_security::{CardSecurity, KeyHandle, KeyUsage, SecurityError};

use self::turns::Turns;
use super::Services;
use super::users::Users;
use crate::Problem;

pub(in crate::service) use commands::{DRAWS, range_full};
pub use commands::{IssuedCard, NewCard};
pub(crate) use data::{CardAnswer, month_and_year};
pub use data::{FullCardData, PrintedCode};
pub use found::{OwnedCard, PinStatus, SetBy, ShownCard, ShownLock};
pub(in crate::service) use heard::mark;
pub(in crate::service) use issue::check_reference;
pub use issue::{By, Holder, NewVirtual};
pub use jobs::JobState;
pub use lock_policy::{Channel, LockPolicy, LockRights};
pub(in crate::service) use pin::{ChosenOfCard, SealedPin};
pub use processor::Processors;
pub use profile::Form;
pub(in crate::service) use renew::{
    alone, is_later, not_otherwise_under_way, not_renewing, not_replaced,
};
pub use replace::NewReplacement;
pub(in crate::service) use replace::take as take_for_replacement;
pub use settings::{CardSettings, JobSettings, PinRules};

/// Where the names of keys become what the security module knows them by.
pub trait KeyNames: Send + Sync {
    /// The key of this name for this use.
    fn key(&self, name: &str, usage: KeyUsage) -> Option<KeyHandle>;

    /// The check value of its active version; none where whoever keeps it does not say.
    fn check_value(&self, _name: &str, _usage: KeyUsage) -> Option<String> {
        None
    }
}

/// Who computes what is on cards, and what its keys are called.
#[derive(Clone)]
pub struct CardModule {
    /// The module.
    pub module: Arc<dyn CardSecurity>,
    /// The names.
    pub keys: Arc<dyn KeyNames>,
}

impl CardModule {
    /// A key of the module.
    fn key(&self, name: &str, usage: KeyUsage) -> Result<KeyHandle, Problem> {
        let missing = || Problem::internal("finding a key", &format!("{name} is not there"));
        self.keys.key(name, usage).ok_or_else(missing)
    }
}

/// The services of cards. Cloning gives another handle.
#[derive(Clone)]
pub struct Cards {
    services: Services,
    users: Users,
    module: CardModule,
    processors: Processors,
    settings: Arc<CardSettings>,
    turns: Arc<Turns>,
}

impl Cards {
    /// Over the other services.
    #[must_use]
    pub fn new(
        (services, users): (Services, Users),
        module: CardModule,
        processors: Processors,
        settings: CardSettings,
    ) -> Self {
        let turns = Arc::new(Turns::new(settings.in_turn));
        Self { services, users, module, processors, settings: Arc::new(settings), turns }
    }

    const fn pool(&self) -> &sqlx::PgPool {
        self.services.store.pool()
    }

    /// A key of the module.
    fn key(&self, name: &str, usage: KeyUsage) -> Result<KeyHandle, Problem> {
        self.module.key(name, usage)
    }

    /// Where the names of keys are known.
    pub(in crate::service) fn key_names(&self) -> &dyn KeyNames {
        &*self.module.keys
    }
}

/// Why the module did not do what it was asked.
fn told(error: SecurityError) -> Problem {
    if error == SecurityError::Unavailable {
        let what = "the security module is not available; try again, with the same key";
        return Problem::new("SECURITY_MODULE_UNAVAILABLE", what);
    }
    if let SecurityError::ClearPinRefused(why) = error {
        return Problem::new("CONFLICT", format!("no PIN is set over the API here: {why}"));
    }
    Problem::internal("asking the security module", &error)
}
