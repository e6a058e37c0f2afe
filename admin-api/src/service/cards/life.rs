//! A card's life: locked, unlocked, activated, removed (SR-109 to SR-117, SR-129 to SR-131, SR-172
//! to SR-175). It owns who has set a lock, and in which order shard and processor hear of a change:
//! what takes rights away is in force here first, what gives them is told to the processor first.

use std::sync::Arc;

use sqlx::{PgConnection, Postgres, Row, Transaction};
use switch_domain::{CardId, CardStatus, LockCode, Timestamp};
use switch_shard::Act;
use switch_store::PgTimestamp;

use super::Cards;
use super::found::{OwnedCard, form_of, no_card};
use super::heard::{Heard, doubt, doubts, heard, mark};
use super::issue::By;
use super::lock_policy::Channel;
use super::processor::{IN_PROCESS, Processor, ProcessorFault, ProcessorReference, Told};
use super::profile::{self, Profile};
use super::turns::Turn;
use crate::Problem;
use crate::service::span::after;

/// Holds the row until the transaction ends: who locks and who unlocks take turns.
pub(super) const HOLD: &str = "SELECT 1 FROM card_profile WHERE card_id = $1 FOR UPDATE";

const LOCKED: &str = "\
    UPDATE card_profile SET locked_by = $2, lock_code = $3 WHERE card_id = $1";

/// A lock that comes after it is whose it then is, though it be of the same code.
const UNLOCKED: &str = "\
    UPDATE card_profile SET locked_by = NULL, lock_code = NULL WHERE card_id = $1";

const TURN: &str = "SELECT nextval('processor_turn') AS turn, gen_random_uuid() AS reference";

const REMOVED: &str = "\
    UPDATE card_profile SET removed_at = coalesce(removed_at, $2) WHERE card_id = $1";

/// A card's processor, and what it calls the card.
type ItsProcessor = (Arc<dyn Processor>, ProcessorReference);

impl Cards {
    /// Locks a card: in force for the next authorization once this returns.
    ///
    /// # Errors
    /// `FORBIDDEN`: this channel does not give this reason. `CONFLICT`: it is locked for good, or
    /// for another reason. `NOT_FOUND`: it was removed. `PROCESSOR_REFUSED`: it is in force
    /// here all the same. A processor that cannot be told now is told later (`tellings`).
    pub async fn lock(
        &self,
        owned: &OwnedCard,
        channel: Channel,
        code: LockCode,
        by: By,
    ) -> Result<(), Problem> {
        self.settings.locks.may_set(channel, code)?;
        let card = owned.card.id;
        let mut held = self.held(owned, by).await?;
        // One that is there already stays whose it is.
        if self.now(card).await?.card.lock != Some(code) {
            let number = i16::from(code.number());
            let set = sqlx::query(LOCKED).bind(card.0).bind(channel.name()).bind(number);
            set.execute(&mut *held.transaction).await?;
        }
        // The shard does not wait for this transaction, and needs no connection of the pool.
        self.services.lock_card(by.key, by.actor, card, code).await?;
        held.end().await?;
        self.will_be_told(owned, Heard::Lock(Some(code)), by).await?;
        let Some(telling) = self.telling(owned, by).await? else { return Ok(()) };
        // What it became meanwhile is told after this.
        if self.now(card).await?.card.lock != Some(code) {
            return telling.end().await;
        }
        let told = telling.processor.stop(telling.told, code).await;
        telling.now_or_later(told, Heard::Lock(Some(code))).await
    }

    /// Unlocks a card, where its lock can be taken back.
    ///
    /// # Errors
    /// `CONFLICT`: it is locked for good (SR-174). `FORBIDDEN`: this lock is not for this channel
    /// to lift. `NOT_FOUND`: it was removed. `PROCESSOR_UNAVAILABLE`.
    pub async fn unlock(&self, owned: &OwnedCard, channel: Channel, by: By) -> Result<(), Problem> {
        let card = owned.card.id;
        let mut is_in_doubt = false;
        loop {
            let mut held = self.held(owned, by).await?;
            let Some(profile) = self.may_be_unlocked(&mut held, card, channel).await? else {
                return Ok(());
            };
            let (processor, named) = self.its_processor(&profile)?;
            if processor.is_told() && !is_in_doubt {
                // Written down before it is asked, and so before the row is held again.
                held.end().await?;
                self.will_be_told(owned, Heard::Lock(None), by).await?;
                is_in_doubt = true;
                continue;
            }
            let doubts = doubts(&mut held.transaction, card).await?;
            if processor.is_told() {
                processor.unstop(next(&mut held.transaction, named).await?).await?;
            }
            self.services.unlock_card(by.key, by.actor, card).await?;
            sqlx::query(UNLOCKED).bind(card.0).execute(&mut *held.transaction).await?;
            let is_unlocked = (Heard::Lock(None), doubts, by.now);
            heard(&mut held.transaction, card, is_unlocked).await?;
            return held.end().await;
        }
    }

    /// What is known of a card whose lock this channel may lift; none where it has none.
    async fn may_be_unlocked(
        &self,
        held: &mut Held,
        card: CardId,
        channel: Channel,
    ) -> Result<Option<Profile>, Problem> {
        let now = self.now(card).await?.card;
        if now.status == CardStatus::Removed {
            return Err(no_card());
        }
        let Some(code) = now.lock else { return Ok(None) };
        if code.is_irreversible() {
            return Err(Problem::new("CONFLICT", "a card that is locked so stays locked"));
        }
        let profile = profile::one(&mut held.transaction, &now).await?;
        let set_by = profile.locked_by.filter(|(_, of)| *of == code).map(|(channel, _)| channel);
        self.settings.locks.may_lift(channel, code, set_by)?;
        Ok(Some(profile))
    }

    /// Activates a card that waits for it (SR-129 to SR-131, SR-167, SR-170), or the plastic that
    /// one was renewed by: the plastic of before is no longer good when this returns. Those in
    /// whose place it came are locked by then as well (SR-207).
    ///
    /// # Errors
    /// `CONFLICT`: it was removed. `PROCESSOR_UNAVAILABLE`: asking again tells the processor.
    pub async fn activate(&self, owned: &OwnedCard, by: By) -> Result<(), Problem> {
        let card = owned.card.id;
        let telling = match owned.card.status {
            CardStatus::Inactive => self.telling(owned, by).await?,
            CardStatus::Active | CardStatus::Removed => None,
        };
        if let Some(telling) = telling {
            // One that was removed meanwhile is not told of any more.
            if self.now(card).await?.card.status == CardStatus::Inactive {
                telling.processor.activate(telling.told).await?;
            }
            // With the row held no other connection is asked for: whoever did so here would wait
            // for those that wait for it.
            self.services.act(by.key, by.actor, Act::ActivateCard { card }).await?;
            telling.has(Heard::Active).await?;
        } else {
            self.activate_known(owned, by).await?;
        }
        let mut card = card;
        while let Some(old) = self.services.replaced_by(card).await? {
            self.retire(old, by).await?;
            card = old;
        }
        Ok(())
    }

    /// Activates what its processor knows as active, or is never told of. Of plastic that a card
    /// was renewed by it hears before it is in force.
    async fn activate_known(&self, owned: &OwnedCard, by: By) -> Result<(), Problem> {
        let card = owned.card.id;
        if let Some(until) = self.services.renewing_plastic(card).await? {
            self.will_be_told(owned, Heard::Month(until), by).await?;
            if let Some(telling) = self.telling(owned, by).await? {
                telling.processor.renew(telling.told, until).await?;
                telling.has(Heard::Month(until)).await?;
            }
        }
        self.services.activate_card(by.key, by.actor, card).await
    }

    /// Removes a card for good: nothing is approved any more, and what was stays and is cleared
    ///
    ///
    /// # Errors
    /// `PROCESSOR_REFUSED`: it is in force here all the same. A processor that cannot be told now
    /// is told later.
    pub async fn remove(&self, owned: &OwnedCard, by: By) -> Result<(), Problem> {
        let card = owned.card.id;
        let mut held = self.held(owned, by).await?;
        self.services.remove_card(by.key, by.actor, card).await?;
        let removed = sqlx::query(REMOVED).bind(card.0).bind(PgTimestamp(by.now));
        removed.execute(&mut *held.transaction).await?;
        held.end().await?;
        self.will_be_told(owned, Heard::Retired, by).await?;
        let Some(telling) = self.telling(owned, by).await? else { return Ok(()) };
        let told = telling.processor.retire(telling.told).await;
        telling.now_or_later(told, Heard::Retired).await
    }

    /// Whatever becomes of the question that comes now, the card's processor is told what the card
    /// is until it is known to have heard it.
    pub(super) async fn will_be_told(
        &self,
        owned: &OwnedCard,
        what: Heard,
        by: By,
    ) -> Result<(), Problem> {
        let profile = self.profile(&owned.card).await?;
        if !self.its_processor(&profile)?.0.is_told() {
            return Ok(());
        }
        let (card, later) = (owned.card.id, after(by.now, self.settings.jobs.pause));
        let mut transaction = self.pool().begin().await?;
        mark(&mut transaction, &[card.0], (by.now, later)).await?;
        doubt(&mut transaction, card, what).await?;
        Ok(transaction.commit().await?)
    }

    /// A transaction in which nobody else changes the lock of this card through the API.
    async fn held(&self, owned: &OwnedCard, by: By) -> Result<Held, Problem> {
        let (card, balance) = (&owned.card, &owned.balance);
        let turn = self.turns.take(card.id).await?;
        let mut transaction = self.pool().begin().await?;
        let whose = (balance.partner, balance.customer);
        let named = (card.id, balance.id);
        profile::adopt(&mut transaction, named, whose, form_of(card), by.now).await?;
        sqlx::query(HOLD).bind(card.id.0).fetch_one(&mut *transaction).await?;
        Ok(Held { transaction, _turn: turn })
    }

    /// The turn to tell a processor elsewhere what becomes of a card; none where there is nobody to
    /// be told. While it lasts nobody else tells anything of the card.
    pub(super) async fn telling(
        &self,
        owned: &OwnedCard,
        by: By,
    ) -> Result<Option<Telling>, Problem> {
        let profile = self.profile(&owned.card).await?;
        if !self.its_processor(&profile)?.0.is_told() {
            return Ok(None);
        }
        let mut held = self.held(owned, by).await?;
        let told = self.told(&mut held.transaction, profile).await?;
        let (card, at) = (owned.card.id, by.now);
        let doubts = doubts(&mut held.transaction, card).await?;
        Ok(told.map(|(processor, told)| Telling { processor, told, held, card, doubts, at }))
    }

    /// The same in a transaction that holds the card's row already.
    async fn told(
        &self,
        transaction: &mut PgConnection,
        profile: Profile,
    ) -> Result<Option<(Arc<dyn Processor>, Told)>, Problem> {
        let (processor, card) = self.its_processor(&profile)?;
        if !processor.is_told() {
            return Ok(None);
        }
        Ok(Some((processor, next(transaction, card).await?)))
    }

    /// Who makes a card, and what it is called there.
    pub(super) fn its_processor(&self, profile: &Profile) -> Result<ItsProcessor, Problem> {
        let own = || (IN_PROCESS.to_owned(), ProcessorReference::EMPTY);
        let (name, reference) = profile.processor.clone().unwrap_or_else(own);
        Ok((self.processors.named(&name)?, reference))
    }
}

/// The next turn to tell of a card, with a name of its own: something else may have been told since
/// the same was asked before, and then it has to be done once more.
pub(super) async fn next(
    connection: &mut PgConnection,
    card: ProcessorReference,
) -> Result<Told, Problem> {
    let row = sqlx::query(TURN).fetch_one(connection).await?;
    Ok(Told { card, reference: row.try_get("reference")?, turn: row.try_get("turn")? })
}

/// A card whose row is held. What is dropped first is declared first: who comes next finds it free.
struct Held {
    transaction: Transaction<'static, Postgres>,
    _turn: Turn,
}

impl Held {
    /// What was done meanwhile is so.
    async fn end(self) -> Result<(), Problem> {
        Ok(self.transaction.commit().await?)
    }
}

/// A processor's turn to be told of a card, whose row is held meanwhile.
pub(super) struct Telling {
    pub(super) processor: Arc<dyn Processor>,
    pub(super) told: Told,
    held: Held,
    card: CardId,
    /// As they were before the question.
    doubts: i64,
    at: Timestamp,
}

impl Telling {
    /// It was told, and has heard that.
    pub(super) async fn has(mut self, what: Heard) -> Result<(), Problem> {
        let heard_now = (what, self.doubts, self.at);
        heard(&mut self.held.transaction, self.card, heard_now).await?;
        self.end().await
    }

    /// The same of what is in force already: where the processor cannot be told now, it will be.
    pub(super) async fn now_or_later(
        self,
        told: Result<(), ProcessorFault>,
        what: Heard,
    ) -> Result<(), Problem> {
        match told {
            Ok(()) => self.has(what).await,
            Err(ProcessorFault::Unavailable) => self.end().await,
            Err(fault @ ProcessorFault::Refused) => Err(fault.into()),
        }
    }

    /// It was told: the next one may be.
    pub(super) async fn end(self) -> Result<(), Problem> {
        self.held.end().await
    }
}
