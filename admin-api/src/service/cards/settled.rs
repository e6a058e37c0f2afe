//! What became of an order that nobody brings to its end: whoever asked went away, was refused at
//! a later try, or found no answer in time, while an earlier try may have made the card. It owns
//! that the order of a card that exists stays with it: who made the card, and what it replaces, are
//! known from that alone. The journal's own tables say whether there is one.

use std::time::Duration;

use sqlx::Row;
use switch_domain::{AsciiText, CardId, IdempotencyKey, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::Cards;
use super::issue::By;
use super::processor::ProcessorReference;
use super::profile;
use crate::Problem;
use crate::service::span::before;

/// As the journal calls this.
const ACTOR: &str = "cards";
/// Orders that are looked at in one step.
const AT_A_TIME: i64 = 100;
/// For so long an order may be asked for again.
const DAY: Duration = Duration::from_secs(86_400);

/// The order is the key of the command that makes its card.
const CARD_OF: &str = "\
    SELECT made_id FROM audit_entry WHERE idempotency_key = $1 AND made_id IS NOT NULL LIMIT 1";

/// Orders that no job has.
const LOST: &str = "\
    SELECT p.order_id FROM card_profile AS p
    WHERE p.card_id IS NULL AND p.asked_at < $1 AND NOT EXISTS (
        SELECT FROM card_job AS j WHERE j.order_id = p.order_id AND j.state = 'WAITING')
    ORDER BY p.asked_at LIMIT $2";

impl Cards {
    /// An order that will not be tried again: its card, where one was made all the same. Else
    /// nothing is left of it.
    pub(super) async fn give_up(&self, order: Uuid, by: By) -> Result<Option<CardId>, Problem> {
        let mut connection = self.pool().acquire().await?;
        let made = sqlx::query_scalar::<_, i64>(CARD_OF).bind(order);
        let Some(card) = made.fetch_optional(&mut *connection).await?.map(CardId) else {
            profile::give_up(&mut connection, order).await?;
            return Ok(None);
        };
        let ordered = profile::ordered(&mut connection, order).await?;
        drop(connection);
        // The last step is the note of it: until then it is found again.
        if let Some(old) = ordered.and_then(|(ordered, _)| ordered.replaces) {
            self.retire(old, by).await?;
        }
        let mut transaction = self.pool().begin().await?;
        let (card_alone, unsaid) = ((card, None), ProcessorReference::EMPTY);
        profile::made(&mut transaction, order, card_alone, unsaid, by.now).await?;
        transaction.commit().await?;
        Ok(Some(card))
    }

    /// Settles orders whose maker did not come back in a day, and did not leave them to a job: as
    /// [`Self::run_jobs`] does now and then.
    ///
    /// # Errors
    /// The database, or a processor that is not told yet; asked again, it goes on.
    pub async fn settle_lost(&self, now: Timestamp) -> Result<(), Problem> {
        let lost = sqlx::query(LOST).bind(PgTimestamp(before(now, DAY))).bind(AT_A_TIME);
        let actor = AsciiText::new(ACTOR.as_bytes()).unwrap_or(AsciiText::EMPTY);
        let mut failed = None;
        for row in lost.fetch_all(self.pool()).await? {
            let order: Uuid = row.try_get("order_id")?;
            let by = By { key: IdempotencyKey(*order.as_bytes()), actor, now };
            match self.give_up(order, by).await {
                Ok(Some(card)) => {
                    let card = card.0;
                    tracing::warn!(%order, card, "a card whose order was cut off is noted");
                }
                Ok(None) => {}
                Err(problem) => failed = Some(problem),
            }
        }
        failed.map_or(Ok(()), Err)
    }
}
