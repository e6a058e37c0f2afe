//! Replacement (SR-207): a card that comes in another's place. It owns that a card is replaced
//! once, by one order, and the order of its steps: the new card is in use before the old one is
//! locked, and the old one is locked before anybody is answered. Cut off anywhere and asked again
//! it ends the same; the holder never has none.

use sqlx::PgConnection;
use switch_domain::{CardId, CardStatus, IdempotencyKey, LockCode, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::Cards;
use super::found::{OwnedCard, form_of};
use super::heard::Heard;
use super::issue::{By, Holder, NewVirtual};
use super::lock_policy::Channel;
use super::profile::{self, Form};
use super::renew::{alone, not_renewing};
use crate::Problem;
use crate::service::programmes::SaidProgramme;
use crate::service::users::stands;

/// Takes a card for an order, unless another one has it that is there and was not refused.
const TAKE: &str = "\
    INSERT INTO card_replacement AS own (replaces, order_id, asked_at) VALUES ($1, $2, $3)
    ON CONFLICT (replaces) DO UPDATE SET order_id = $2, asked_at = $3
    WHERE own.order_id = $2
        OR NOT EXISTS (SELECT FROM card_profile AS p WHERE p.order_id = own.order_id)
        AND NOT EXISTS (SELECT FROM card_order AS o
            WHERE o.reference = own.order_id AND o.state <> 'REFUSED')";

const TAKEN_BY: &str = "\
    SELECT order_id FROM card_replacement WHERE replaces = $1";

/// What a card that comes in another's place has on it, where it is said.
#[derive(Clone, Default)]
pub struct NewReplacement {
    /// As it is printed; without it, as the old card has it.
    pub holder_name: Option<String>,
    /// The partner's own name for it.
    pub reference: Option<String>,
}

impl Cards {
    /// Whether a card is of plastic.
    ///
    /// # Errors
    /// The database.
    pub async fn form(&self, owned: &OwnedCard) -> Result<Form, Problem> {
        let profile = self.profile(&owned.card).await?;
        Ok(profile.form.unwrap_or_else(|| form_of(&owned.card)))
    }

    /// That a card may be replaced by whoever asks through this channel: a lock that is not theirs
    /// to lift is not theirs to go around either.
    ///
    /// # Errors
    /// `CONFLICT`: it was removed or replaced. `FORBIDDEN`: its lock is not for this channel to
    /// lift.
    pub async fn may_replace(&self, owned: &OwnedCard, channel: Channel) -> Result<(), Problem> {
        let card = &owned.card;
        if card.status == CardStatus::Removed {
            return Err(Problem::new("CONFLICT", "the card was removed"));
        }
        let Some(code) = card.lock else { return Ok(()) };
        if code == LockCode::Replaced {
            return Err(replaced());
        }
        if code.is_irreversible() {
            return Ok(());
        }
        let set_by = self.profile(card).await?.locked_by.filter(|(_, of)| *of == code);
        self.settings.locks.may_lift(channel, code, set_by.map(|(channel, _)| channel))
    }

    /// Issues a virtual card in the place of another. When this returns it is in use, and the old
    /// one is locked for good: with lock code 8, where it was not locked for good before.
    ///
    /// # Errors
    /// As `issue_virtual` and [`Self::may_replace`]. `CONFLICT`: it is replaced already, or plastic
    /// of it is being made.
    pub async fn replace(
        &self,
        (holder, channel): (Holder, Channel),
        old: &OwnedCard,
        new: &NewReplacement,
        by: By,
    ) -> Result<OwnedCard, Problem> {
        if let Some(card) = self.made_before(holder, by).await? {
            self.retire(old.card.id, by).await?;
            return self.now(card).await;
        }
        self.end_other(old, by).await?;
        self.end_renewal(old.card.id, by).await?;
        self.may_replace(old, channel).await?;
        let before = self.profile(&old.card).await?;
        // Of a corporation it is the employee's, who stays the same.
        let of_employee = self.users.holder(holder.partner, holder.customer).await?.is_corporation;
        let wanted = NewVirtual {
            balance: self.users.handle_of(old.balance.id).await?,
            programme: SaidProgramme::default(),
            currency: None,
            holder_name: new.holder_name.clone().or(before.holder_name),
            reference: new.reference.clone().or(before.reference.filter(|_| of_employee)),
        };
        let mut ordered = self.checked(holder, &wanted, by).await?;
        ordered.replaces = Some(old.card.id);
        let mut transaction = self.pool().begin().await?;
        let is_final =
            self.now(old.card.id).await?.card.lock.is_some_and(LockCode::is_irreversible);
        take(&mut transaction, old.card.id, ordered.order, by.now, is_final).await?;
        without_plastic_under_way(&mut transaction, old.card.id).await?;
        profile::order(&mut transaction, &mut ordered, self.settings.most).await?;
        self.owe(&mut transaction, &ordered, by.now).await?;
        transaction.commit().await?;
        let card = self.made_at_last(&ordered, by).await?;
        self.retire(old.card.id, by).await?;
        self.now(card).await
    }

    /// Locks a card whose place another has taken, and has its processor told. One that is locked
    /// for good, or was removed, stays as it is.
    pub(super) async fn retire(&self, old: CardId, by: By) -> Result<(), Problem> {
        if !self.services.lock_replaced(by.actor, old).await? {
            return Ok(());
        }
        let owned = self.now(old).await?;
        self.will_be_told(&owned, Heard::Lock(Some(LockCode::Replaced)), by).await?;
        let Some(telling) = self.telling(&owned, by).await? else { return Ok(()) };
        let told = telling.processor.stop(telling.told, LockCode::Replaced).await;
        telling.now_or_later(told, Heard::Lock(Some(LockCode::Replaced))).await
    }

    /// Brings a replacement that somebody else asked for, and that was cut off, to its end: then
    /// the card is replaced.
    async fn end_other(&self, old: &OwnedCard, by: By) -> Result<(), Problem> {
        let mut connection = self.pool().acquire().await?;
        let sql = sqlx::query_scalar::<_, Uuid>(TAKEN_BY).bind(old.card.id.0);
        let other = sql.fetch_optional(&mut *connection).await?;
        let Some(other) = other.filter(|order| *order.as_bytes() != by.key.0) else {
            return Ok(());
        };
        let Some((ordered, made)) = profile::ordered(&mut connection, other).await? else {
            return Ok(());
        };
        if made.is_none() {
            stands(&mut connection, ordered.customer).await?;
        }
        drop(connection);
        if made.is_none() {
            let key = IdempotencyKey(*other.as_bytes());
            self.made_at_last(&ordered, By { key, ..by }).await?;
        }
        self.retire(old.card.id, by).await?;
        Err(replaced())
    }
}

/// Plastic of a card that is replaced would have a number that is worth nothing. Asked when nobody
/// else orders any: see [`alone`].
async fn without_plastic_under_way(
    connection: &mut PgConnection,
    old: CardId,
) -> Result<(), Problem> {
    let sql = "SELECT EXISTS (SELECT FROM card_order WHERE physical_of = $1 \
               AND state NOT IN ('LINKED', 'REFUSED'))";
    let making = sqlx::query_scalar::<_, bool>(sql).bind(old.0);
    if making.fetch_one(connection).await? {
        return Err(Problem::new("CONFLICT", "plastic of the card is being made"));
    }
    Ok(())
}

/// Takes a card, which may be locked for good, for the order of what comes in its place.
pub(in crate::service) async fn take(
    connection: &mut PgConnection,
    old: CardId,
    order: Uuid,
    now: Timestamp,
    is_final: bool,
) -> Result<(), Problem> {
    // One after the other: who waits for another's row sees none of what came with it.
    alone(connection, old).await?;
    not_renewing(connection, old, is_final).await?;
    let taking = sqlx::query(TAKE).bind(old.0).bind(order).bind(PgTimestamp(now));
    let taken = taking.execute(connection).await?.rows_affected() == 1;
    if taken { Ok(()) } else { Err(replaced()) }
}

fn replaced() -> Problem {
    Problem::new("CONFLICT", "the card is replaced, or another is being made in its place")
}
