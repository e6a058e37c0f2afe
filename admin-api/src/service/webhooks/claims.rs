//! Which endpoints this runner sends to: those whose lock it holds in the database. It owns that of
//! two switches over one database one alone sends to an endpoint at a time, so that a card's
//! messages stay in their order and none is sent twice; a lock goes with the connection that holds
//! it, and so nothing has to be waited for when a switch ends.

use std::collections::HashSet;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};

use crate::Problem;

const CLAIM: &str =
    "SELECT pg_try_advisory_lock(hashtextextended('cardswitch webhook ' || $1::int8, 0))";
const LET_GO: &str =
    "SELECT pg_advisory_unlock(hashtextextended('cardswitch webhook ' || $1::int8, 0))";

/// For the connection to say that it is there.
const THERE_WITHIN: Duration = Duration::from_secs(5);

/// The locks, and the connection that holds them, which does nothing else.
#[derive(Default)]
pub(super) struct Claims {
    connection: Option<PgConnection>,
    held: HashSet<i64>,
}

impl Claims {
    /// Whether what is held is held indeed: the connection may have ended, and somebody else sends.
    ///
    /// # Errors
    /// It did; nothing is held any more.
    pub(super) async fn are_held(&mut self) -> Result<(), Problem> {
        if self.held.is_empty() {
            return Ok(());
        }
        let Some(connection) = &mut self.connection else {
            self.held.clear();
            return Err(lost());
        };
        // One that died without a word would be waited for until the kernel gives it up.
        let asked = sqlx::query("SELECT 1").execute(connection);
        let there = tokio::time::timeout(THERE_WITHIN, asked).await;
        self.or_lost(there.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|_| ()))
    }

    /// Takes an endpoint, if nobody else has it.
    ///
    /// # Errors
    /// The database; nothing is held any more.
    pub(super) async fn claim(&mut self, pool: &PgPool, endpoint: i64) -> Result<bool, Problem> {
        if self.held.contains(&endpoint) {
            return Ok(true);
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(pool.acquire().await?.detach()),
        };
        let claimed = sqlx::query_scalar(CLAIM).bind(endpoint).fetch_one(connection).await;
        let claimed: bool = self.or_lost(claimed)?;
        if claimed {
            self.held.insert(endpoint);
        }
        Ok(claimed)
    }

    /// Lets one go, for whoever looks next.
    ///
    /// # Errors
    /// The database; nothing is held any more.
    pub(super) async fn let_go(&mut self, endpoint: i64) -> Result<(), Problem> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        if !self.held.remove(&endpoint) {
            return Ok(());
        }
        let done = sqlx::query(LET_GO).bind(endpoint).execute(connection).await;
        self.or_lost(done.map(|_| ()))
    }

    fn or_lost<T>(&mut self, done: Result<T, sqlx::Error>) -> Result<T, Problem> {
        done.map_err(|error| {
            // A connection that is dropped holds nothing.
            *self = Self::default();
            Problem::from(error)
        })
    }
}

fn lost() -> Problem {
    Problem::internal("sending webhooks", &"the connection that holds the claims is gone")
}
