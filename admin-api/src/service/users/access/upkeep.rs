//! What is over goes, in batches. It owns nothing but that: nothing that is over is ever taken for
//! something that is not, whether it was removed or not.

use switch_domain::Timestamp;
use switch_store::PgTimestamp;

use crate::Problem;
use crate::service::span::before;
use crate::service::users::Users;

const SESSIONS: &str = "\
    DELETE FROM user_session WHERE token_hash IN (SELECT token_hash FROM user_session
        WHERE used_at <= $1 OR started_at <= $2 LIMIT $3)";

const CODES: &str = "\
    DELETE FROM pairing_code WHERE locator IN (SELECT locator FROM pairing_code
        WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";

const INSTALLATIONS: &str = "\
    DELETE FROM installation WHERE id IN (SELECT id FROM installation
        WHERE ended_at <= $1 ORDER BY ended_at LIMIT $2)";

/// What a step removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Sessions that had expired.
    pub sessions: u64,
    /// Pairing codes that nobody used in time.
    pub codes: u64,
    /// Installations that ended long ago.
    pub installations: u64,
    /// Whether there may be more: a batch was full.
    more: bool,
}

impl Removed {
    /// Whether there may be more to remove.
    #[must_use]
    pub const fn is_more(&self) -> bool {
        self.more
    }
}

impl Users {
    /// Removes what is over, at most a batch of each kind. To be called now and then.
    ///
    /// # Errors
    /// The database.
    pub async fn remove_what_is_over(&self, now: Timestamp) -> Result<Removed, Problem> {
        let access = self.settings().access;
        let batch = i64::from(access.upkeep_batch);
        let until = |life| PgTimestamp(before(now, life));
        let sessions = sqlx::query(SESSIONS).bind(until(access.idle)).bind(until(access.lifetime));
        let sessions = sessions.bind(batch).execute(self.pool()).await?.rows_affected();
        let codes = sqlx::query(CODES).bind(PgTimestamp(now)).bind(batch);
        let codes = codes.execute(self.pool()).await?.rows_affected();
        let ended = sqlx::query(INSTALLATIONS).bind(until(access.ended_kept)).bind(batch);
        let installations = ended.execute(self.pool()).await?.rows_affected();
        let open: i64 =
            sqlx::query_scalar("SELECT count(*) FROM user_session").fetch_one(self.pool()).await?;
        metrics::gauge!("cardswitch_user_sessions").set(open as f64);
        let full = |removed: u64| i64::try_from(removed).is_ok_and(|removed| removed >= batch);
        let more = full(sessions) || full(codes) || full(installations);
        Ok(Removed { sessions, codes, installations, more })
    }
}
