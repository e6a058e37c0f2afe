//! A claim on work that one of several switches over one database does: an advisory lock. It owns
//! the connection that holds it, which does nothing else; with that the claim is gone, and another
//! switch has it.

use sqlx::PgConnection;
use sqlx::postgres::PgPool;

use crate::Problem;

const TAKE: &str = "SELECT pg_try_advisory_lock(hashtext($1))";

/// A claim, held or not.
pub(in crate::service) struct Claim {
    name: &'static str,
    held: Option<PgConnection>,
}

impl Claim {
    /// On what has this name in the database.
    pub(in crate::service) const fn on(name: &'static str) -> Self {
        Self { name, held: None }
    }

    /// Whether it is held here, by trying where it was not.
    pub(in crate::service) async fn is_ours(&mut self, pool: &PgPool) -> Result<bool, Problem> {
        if let Some(connection) = &mut self.held {
            if sqlx::query("SELECT 1").execute(connection).await.is_ok() {
                return Ok(true);
            }
            self.held = None;
        }
        let mut connection = pool.acquire().await?;
        let taken = sqlx::query_scalar(TAKE).bind(self.name).fetch_one(&mut *connection);
        let ours: bool = taken.await?;
        if ours {
            self.held = Some(connection.detach());
        }
        Ok(ours)
    }
}
