//! Operators: people at the panel. It owns the tables `operator`, `operator_password` and
//! `operator_session`: who there is, how they prove themselves (a password and a code, both or
//! nothing), and their sessions. What each role may call is the routes' affair.

mod accounts;
mod change;
mod password;
mod role;
mod seal;
mod sessions;
mod settings;
mod sign_in;
mod totp;

use std::sync::Arc;

use sqlx::postgres::PgPool;
use uuid::Uuid;

use super::proof::Hashing;
use crate::Problem;
use totp::TotpSecret;

pub use accounts::{Given, ListedOperator, OperatorState, Which};
pub use password::OperatorPassword;
pub use role::Role;
pub use seal::{OperatorKeyFile, OperatorSeal, OperatorSecrets};
pub use sessions::OperatorSession;
pub use settings::{OperatorSettings, PasswordRules};
pub use sign_in::{NotSignedIn, Opened, SignIn};
pub use totp::TypedCode;

/// The service of operators. Cloning gives another handle.
#[derive(Clone)]
pub struct Operators {
    pool: PgPool,
    settings: Arc<OperatorSettings>,
    hashing: Hashing,
    seal: Arc<OperatorSeal>,
    decoy: Arc<Decoy>,
}

/// What is tried where there is nobody: of the same form, and nobody's.
struct Decoy {
    operator: Uuid,
    password: Vec<u8>,
    totp: Vec<u8>,
}

impl Operators {
    /// Over a database.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn new(
        pool: PgPool,
        settings: OperatorSettings,
        seal: OperatorSeal,
    ) -> Result<Self, Problem> {
        let hashing = Hashing::new(settings.hashing);
        let operator = Uuid::new_v4();
        let totp = seal.seal_secret(operator, &TotpSecret::draw()?)?;
        let decoy = Decoy { operator, password: hashing.of_nothing()?, totp };
        Ok(Self {
            pool,
            settings: Arc::new(settings),
            hashing,
            seal: Arc::new(seal),
            decoy: Arc::new(decoy),
        })
    }

    /// That what is kept was sealed under our key: with another one nobody could sign in, and
    /// operators who were added now could sign in nowhere else.
    ///
    /// # Errors
    /// It was not, or the database.
    pub async fn require_our_key(&self) -> Result<(), Problem> {
        let sql = "SELECT public_id, totp FROM operator ORDER BY id DESC LIMIT 1";
        let last = sqlx::query_as(sql).fetch_optional(&self.pool).await?;
        self.seal.require_ours(last)
    }
}

fn no_operator() -> Problem {
    Problem::not_found("there is no such operator")
}
