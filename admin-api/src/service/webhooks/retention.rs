//! What is old goes: messages that are over, what an endpoint that is disabled never took,
//! endpoints that were removed. It owns the limit of what waits for one endpoint, too: past it the
//! endpoint is disabled, for it takes nothing.

use metrics::{counter, gauge};
use switch_domain::Timestamp;
use switch_store::PgTimestamp;

use super::endpoint::ALONE;
use super::{Webhooks, waiting};
use crate::Problem;
use crate::service::span::before;

/// Rows of one statement.
const AT_A_TIME: i64 = 1_000;

const OVER: &str = "\
    DELETE FROM webhook_message WHERE id IN (
        SELECT id FROM webhook_message WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)";

const NEVER_TAKEN: &str = "\
    DELETE FROM webhook_message WHERE id IN (
        SELECT m.id FROM webhook_message AS m JOIN webhook_endpoint AS e ON e.id = m.endpoint_id
        WHERE m.state = 'WAITING' AND e.state = 'DISABLED'
            AND (m.made_at < $1 OR e.removed_at IS NOT NULL) LIMIT $2)";

/// Each message has tries of its own, and those behind it begin when it is over: of an endpoint
/// that takes nothing for ever the last would never come to its first. So what waits in order ends
/// with its age. What somebody asked for again ends with its schedule.
const TOO_OLD: &str = "\
    UPDATE webhook_message SET state = 'FAILED', ended_at = $3 WHERE id IN (
        SELECT m.id FROM webhook_message AS m JOIN webhook_endpoint AS e ON e.id = m.endpoint_id
        WHERE m.state = 'WAITING' AND m.in_order AND e.state = 'ENABLED' AND m.made_at < $1
        ORDER BY m.id LIMIT $2 FOR UPDATE OF m SKIP LOCKED)
    RETURNING endpoint_id, ordering_key";

/// A secret that signs no more is nobody's any more.
const FORGET_SECRETS: &str = "\
    UPDATE webhook_endpoint SET previous_secret = NULL, previous_until = NULL
    WHERE previous_until <= $1";

const OF_REMOVED: &str = "\
    DELETE FROM webhook_message WHERE id IN (
        SELECT m.id FROM webhook_message AS m JOIN webhook_endpoint AS e ON e.id = m.endpoint_id
        WHERE e.removed_at IS NOT NULL LIMIT $1)";

const REMOVED: &str = "\
    DELETE FROM webhook_endpoint AS e WHERE removed_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM webhook_message AS m WHERE m.endpoint_id = e.id)";

/// Where nobody is told, the journal is not followed.
const END_FEED: &str = "\
    DELETE FROM webhook_feed WHERE NOT EXISTS (
        SELECT FROM webhook_endpoint WHERE removed_at IS NULL)";

const TOO_MANY: &str = "\
    UPDATE webhook_endpoint SET state = 'DISABLED', disabled_why = 'BACKLOG', version = version + 1
    WHERE state = 'ENABLED' AND id IN (
        SELECT endpoint_id FROM webhook_message WHERE state = 'WAITING'
        GROUP BY endpoint_id HAVING count(*) > $1)";

/// What went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Messages.
    pub messages: u64,
    /// Endpoints that were disabled, since too many waited for them.
    pub disabled: u64,
}

impl Swept {
    /// Whether there is more of it now.
    #[must_use]
    pub fn is_more(&self) -> bool {
        self.messages >= AT_A_TIME.unsigned_abs()
    }
}

impl Webhooks {
    /// Lets go what is old, a few at a time, and holds the limit of what waits.
    ///
    /// # Errors
    /// The database.
    pub async fn sweep(&self, now: Timestamp) -> Result<Swept, Problem> {
        let cut = PgTimestamp(before(now, self.settings().keep));
        let mut messages = 0_u64;
        for sql in [OVER, NEVER_TAKEN] {
            let done = sqlx::query(sql).bind(cut).bind(AT_A_TIME).execute(self.pool()).await?;
            messages = messages.saturating_add(done.rows_affected());
        }
        let aged = self.end_the_old(cut, now).await?;
        messages = messages.saturating_add(aged);
        sqlx::query(FORGET_SECRETS).bind(PgTimestamp(now)).execute(self.pool()).await?;
        let done = sqlx::query(OF_REMOVED).bind(AT_A_TIME).execute(self.pool()).await?;
        messages = messages.saturating_add(done.rows_affected());
        sqlx::query(REMOVED).execute(self.pool()).await?;
        let mut transaction = self.pool().begin().await?;
        sqlx::query(ALONE).execute(&mut *transaction).await?;
        sqlx::query(END_FEED).execute(&mut *transaction).await?;
        transaction.commit().await?;
        let most = i64::from(self.settings().waiting_most);
        let disabled = sqlx::query(TOO_MANY).bind(most).execute(self.pool()).await?.rows_affected();
        if disabled > 0 {
            counter!("cardswitch_webhook_disabled_total").increment(disabled);
            tracing::warn!(disabled, "webhooks are disabled: too many messages waited for them");
        }
        let sql = "SELECT count(*) FROM webhook_message WHERE state = 'WAITING'";
        let waiting: i64 = sqlx::query_scalar(sql).fetch_one(self.pool()).await?;
        gauge!("cardswitch_webhook_waiting").set(waiting as f64);
        Ok(Swept { messages, disabled })
    }

    /// How many ended, since they had waited for too long.
    async fn end_the_old(&self, cut: PgTimestamp, now: Timestamp) -> Result<u64, Problem> {
        let mut transaction = self.pool().begin().await?;
        let ended: Vec<(i64, String)> = sqlx::query_as(TOO_OLD)
            .bind(cut)
            .bind(AT_A_TIME)
            .bind(PgTimestamp(now))
            .fetch_all(&mut *transaction)
            .await?;
        let count = ended.len() as u64;
        if count > 0 {
            let (endpoints, keys): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
            waiting::wake(&mut transaction, (&endpoints, &keys), now).await?;
            counter!("cardswitch_webhook_messages_total", "end" => "failed").increment(count);
            tracing::warn!(count, "webhooks were never taken in the time for which they are kept");
        }
        transaction.commit().await?;
        Ok(count)
    }
}
