//! Partners and programmes, as the issuer's people set them up (SR-039, SR-040, SR-263). It owns
//! what stands around the shards' commands: what the shards need not know of both, what may be
//! changed once cards rest on it, by whom that was done, and that two people who change one thing
//! do not undo each other's work. What a programme's cards may do is the shards' affair.

mod changes;
mod configuration;
mod fees;
mod keys;
mod partner;
mod profile;
mod programme;

use std::sync::Arc;

use metrics::{describe_gauge, gauge};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};
use switch_domain::{AsciiText, IdempotencyKey, Timestamp};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::cards::Cards;
use super::users::Users;
use super::{PartnerKeys, Services};
use crate::Problem;

pub use changes::{Noted, SetupChange, Subject};
pub use configuration::SaidProgramme;
pub use fees::FeesNow;
pub use keys::{KeyRole, NamedKey};
pub use partner::{Contact, PartnerNow, PartnerWanted, PartnersWanted};
pub(in crate::service) use profile::terminal_of;
pub use profile::{ConfigurationId, ProgrammeProfile, Terminal};
pub use programme::{ProgrammeNow, ProgrammeToMake, ProgrammeWanted, ProgrammesWanted};

/// How many there may be.
#[derive(Clone, Copy, Debug)]
pub struct ProgrammeSettings {
    /// Partners.
    pub partners_most: u32,
    /// Programmes of a partner.
    pub programmes_most: u32,
    /// Changes that are kept of each.
    pub changes_most: u32,
}

impl Default for ProgrammeSettings {
    fn default() -> Self {
        Self { partners_most: 1_000, programmes_most: 100, changes_most: 1_000 }
    }
}

/// Who makes or changes something, when, and under which key: the same key makes the same thing.
#[derive(Clone, Copy, Debug)]
pub struct SetUpBy {
    /// Of the shard's command.
    pub key: IdempotencyKey,
    /// As the journal calls whoever asks.
    pub actor: AsciiText<40>,
    /// When.
    pub now: Timestamp,
}

/// Something as it is now, and the change that made it so; none where nothing differed.
pub type SetUp<T> = (T, Option<Noted>);

/// One at a time over all switches: how many there are, and what stands there, must not move in
/// between.
const ALONE: &str = "SELECT pg_advisory_xact_lock(hashtextextended('cardswitch setup', 0))";

/// The services of partners and programmes. Cloning gives another handle.
#[derive(Clone)]
pub struct Programmes {
    services: Services,
    users: Users,
    cards: Cards,
    partner_keys: PartnerKeys,
    settings: ProgrammeSettings,
    /// Whoever waits for a turn here holds no connection of the pool.
    turn: Arc<Mutex<()>>,
}

impl Programmes {
    /// Over the other services.
    #[must_use]
    pub fn new(
        services: Services,
        (users, cards, partner_keys): (Users, Cards, PartnerKeys),
        settings: ProgrammeSettings,
    ) -> Self {
        Self { services, users, cards, partner_keys, settings, turn: Arc::default() }
    }

    /// Changes of something before this one, the latest first; one more than asked for, where there
    /// are more.
    ///
    /// # Errors
    /// The database.
    pub async fn changes(
        &self,
        about: Subject,
        page: (Option<i64>, u32),
    ) -> Result<Vec<SetupChange>, Problem> {
        changes::list(self.pool(), about, page).await
    }

    const fn pool(&self) -> &PgPool {
        self.services.store.pool()
    }

    fn count(&self) {
        let control = self.services.node.control();
        for (kind, number) in
            [("partner", control.partners.len()), ("programme", control.programmes.len())]
        {
            let number = f64::from(u32::try_from(number).unwrap_or(u32::MAX));
            gauge!("cardswitch_set_up", "kind" => kind).set(number);
        }
    }
}

async fn alone(connection: &mut PgConnection) -> Result<(), Problem> {
    let taken = sqlx::query(ALONE).execute(connection).await;
    match taken {
        Ok(_) => Ok(()),
        // Another switch has it for longer than anybody waits for a lock.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("55P03") => {
            Err(Problem::new("OVERLOADED", "something else is being set up: try again"))
        }
        Err(error) => Err(error.into()),
    }
}

/// A key of a command that is good whenever it is done: it says what is to be.
fn drawn() -> IdempotencyKey {
    IdempotencyKey(Uuid::new_v4().into_bytes())
}

/// What tells one state of something from another: `If-Match` names it. A digest, for the
/// command line changes the same things.
fn version_of(document: &Value, private: &[&str]) -> i64 {
    let mut hash = Sha256::new();
    for text in [document.to_string().as_str()].iter().chain(private) {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = hash.finalize().into();
    i64::from_be_bytes([a, b, c, d, e, f, g, h]) & i64::MAX
}

fn of_version(now: i64, seen: Option<i64>) -> Result<(), Problem> {
    if seen.is_none_or(|seen| seen == now) {
        return Ok(());
    }
    Err(Problem::new("PRECONDITION_FAILED", "it was changed since: read it again"))
}

/// Describes what is measured.
pub fn describe() {
    describe_gauge!(
        "cardswitch_set_up",
        "Partners and programmes there are, as of the last change over the API; \
         api.programmes.partners and api.programmes.of_partner are the most"
    );
}
