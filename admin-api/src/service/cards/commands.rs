//! Cards: issue, activation, locks, removal. It owns the order of an issue: number drawn, sealed in
//! the vault (where its uniqueness is decided), and only then the command that names the row (W-9).

use switch_domain::{
    AsciiText, BalanceId, Card, CardId, CardStatus, Expiry, IdempotencyKey, LockCode, LockCodes,
    OutsideAsk, Pan, VaultRef,
};
use switch_shard::{Act, Manage};
use switch_store::VaultError;

use crate::service::Services;
use crate::service::vault::{open_pan, seal_pan};
use crate::{Problem, idempotency_key};

/// How many numbers are drawn before a BIN range is taken for full.
pub(in crate::service) const DRAWS: usize = 16;

/// A card to be issued.
#[derive(Clone, Copy, Debug)]
pub struct NewCard {
    /// The account that it spends from.
    pub balance: BalanceId,
    /// Last month of validity.
    pub expiry: Expiry,
    /// Active at once, or awaiting activation.
    pub active: bool,
}

/// A card that was issued.
#[derive(Debug)]
pub struct IssuedCard {
    /// The card.
    pub card: CardId,
    /// Its number, for whoever must deliver it.
    pub pan: Pan,
    /// Last month of validity.
    pub expiry: Expiry,
}

impl Services {
    /// Issues a card with a number of its programme's range.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn issue_card(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        new: NewCard,
    ) -> Result<IssuedCard, Problem> {
        let no_balance = || Problem::not_found("there is no such balance");
        let balance = self.node.balance(new.balance).await.ok_or_else(no_balance)?;
        let control = self.node.control();
        let programme = control.programmes.get(&balance.programme).ok_or_else(no_balance)?;
        for _ in 0..DRAWS {
            let pan = self
                .security
                .generate_pan(&programme.bins)
                .map_err(|error| Problem::internal("drawing a card number", &error))?;
            if let Some(vault) = self.keep_number(&pan).await? {
                return self.issue_kept((key, actor), new, (vault, true), pan).await;
            }
        }
        Err(range_full())
    }

    /// Seals a number in the vault; `None` where it is taken, by another card or by one that is
    /// just being made.
    pub(in crate::service) async fn keep_number(
        &self,
        pan: &Pan,
    ) -> Result<Option<VaultRef>, Problem> {
        let keeping = |error: VaultError| Problem::internal("keeping a card number", &error);
        let row = self.store.vault().reserve().await.map_err(keeping)?;
        let sealed = seal_pan(&*self.security, row, pan)
            .map_err(|error| Problem::internal("sealing a card number", &error))?;
        match self.store.vault().insert_reserved(row, &sealed).await {
            // Taken; or sealed just when its key was retired, and another is active by now.
            Err(VaultError::Taken | VaultError::Retired(_)) => Ok(None),
            other => other.map(Some).map_err(keeping),
        }
    }

    /// The row that a number is in already, and whether a card has it.
    pub(super) async fn kept(&self, pan: &Pan) -> Result<Option<(VaultRef, bool)>, Problem> {
        let print = self.security.fingerprint(pan);
        let is_known = self.node.directory().find(&print).is_some();
        let found = self.store.vault().find(print).await;
        let found = found.map_err(|error| Problem::internal("finding a card number", &error))?;
        Ok(found.map(|vault| (vault, is_known)))
    }

    /// Issues the card whose number is in this row. Where the row is of this try alone, it goes
    /// with a try that made nothing; one that earlier tries had too may be a card's, and stays.
    pub(super) async fn issue_kept(
        &self,
        (key, actor): (IdempotencyKey, AsciiText<40>),
        new: NewCard,
        (vault, is_of_this_try): (VaultRef, bool),
        pan: Pan,
    ) -> Result<IssuedCard, Problem> {
        let fingerprint = self.security.fingerprint(&pan);
        let status = if new.active { CardStatus::Active } else { CardStatus::Inactive };
        let act = Act::IssueCard { balance: new.balance, vault, expiry: new.expiry, status };
        let made = self.node.manage(Manage { key, actor, act }, Some(fingerprint)).await;
        self.issued(made, (vault, is_of_this_try), pan, new.expiry).await
    }

    /// The number of a card, out of the vault.
    pub(in crate::service) async fn number_of(&self, vault: VaultRef) -> Result<Pan, Problem> {
        let sealed = self
            .store
            .vault()
            .fetch(vault)
            .await
            .map_err(|error| Problem::internal("reading a card number", &error))?;
        open_pan(&*self.security, vault.row, &sealed)
            .map_err(|error| Problem::internal("opening the vault", &error))
    }

    /// The result of an issue. Where the key was used before, the card of that time is the result,
    /// and the number drawn now is given up.
    async fn issued(
        &self,
        made: Result<Option<i64>, switch_shard::ManageError>,
        (vault, is_of_this_try): (VaultRef, bool),
        pan: Pan,
        expiry: Expiry,
    ) -> Result<IssuedCard, Problem> {
        let made = match made {
            Ok(made) => made,
            Err(error) => {
                // Of an unknown outcome the number is kept: the journal may name it.
                if is_of_this_try && !matches!(error, switch_shard::ManageError::Unknown) {
                    self.give_up(vault).await;
                }
                return Err(error.into());
            }
        };
        let missing = || Problem::internal("issuing a card", &"the command made no card");
        let card = CardId(made.ok_or_else(missing)?);
        let known = self.node.card(card).await.ok_or_else(missing)?;
        if known.vault == vault {
            return Ok(IssuedCard { card, pan, expiry });
        }
        if is_of_this_try {
            self.give_up(vault).await;
        }
        let pan = self.number_of(known.vault).await?;
        Ok(IssuedCard { card, pan, expiry: known.expiry })
    }

    /// Activates a card that was issued inactive, or the plastic that one was renewed by. Those in
    /// whose place it came are locked when this returns.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn activate_card(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        card: CardId,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::ActivateCard { card }).await?;
        self.renew_by_plastic(actor, card).await?;
        // One that was replaced before it was activated left that before it in use.
        let mut card = card;
        while let Some(old) = self.replaced_by(card).await? {
            self.lock_replaced(actor, old).await?;
            card = old;
        }
        Ok(())
    }

    /// The card in whose place this one came. Of plastic the order is asked as well: somebody may
    /// be quicker than who notes that its card is there.
    pub(super) async fn replaced_by(&self, card: CardId) -> Result<Option<CardId>, Problem> {
        let row = self.node.card(card).await.map(|card| card.vault.row);
        let sql = "SELECT r.replaces FROM card_replacement AS r WHERE r.order_id IN \
                   (SELECT order_id FROM card_profile WHERE card_id = $1 UNION ALL \
                   SELECT reference FROM card_order WHERE vault_row = $2)";
        let found = sqlx::query_scalar(sql).bind(card.0).bind(row);
        Ok(found.fetch_optional(self.store.pool()).await?.map(CardId))
    }

    /// Locks a card whose place another has taken, unless it is locked for good or was removed;
    /// whether it has that lock.
    pub(super) async fn lock_replaced(
        &self,
        actor: AsciiText<40>,
        old: CardId,
    ) -> Result<bool, Problem> {
        let lock = LockCode::Replaced;
        let key = replaced_key(old);
        let stays = |card: &Card| {
            card.status == CardStatus::Removed || card.lock.is_some_and(LockCode::is_irreversible)
        };
        let mut card = self.node.card(old).await;
        if card.as_ref().is_some_and(|card| !stays(card)) {
            let locked = self.lock_card(key, actor, old, lock).await;
            card = self.node.card(old).await;
            // What came between is as final.
            if !card.as_ref().is_some_and(stays) {
                locked?;
            }
        }
        Ok(card.is_some_and(|card| card.lock == Some(lock)))
    }

    /// Removes a card for good.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn remove_card(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        card: CardId,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::RemoveCard { card }).await.map(|_| ())
    }

    /// Locks a card: in force for the next authorization.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn lock_card(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        card: CardId,
        lock: LockCode,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::LockCard { card, lock }).await.map(|_| ())
    }

    /// Unlocks a card, where its lock can be taken back.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn unlock_card(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        card: CardId,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::UnlockCard { card }).await.map(|_| ())
    }

    /// Locks or unlocks a card at the request of a source outside, which the actor names. The rules
    /// are those of a link that may set every code, and a refusal is on record as well.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn lock_card_outside(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        card: CardId,
        ask: OutsideAsk,
    ) -> Result<(), Problem> {
        let act = Act::LockOutside { card: Some(card), ask, may: LockCodes::all() };
        self.act(key, actor, act).await.map(|_| ())
    }
}

impl Services {
    /// Gives a number up that no card has, and no order.
    pub(in crate::service) async fn give_up(&self, vault: VaultRef) {
        if let Err(error) = self.store.vault().remove_unissued(vault).await {
            // Only a number is lost, from a range of millions.
            tracing::warn!(%error, row = vault.row, "an unused vault row stays");
        }
    }
}

/// The name of a card's replacement: it is replaced once.
pub(super) fn replaced_key(old: CardId) -> IdempotencyKey {
    idempotency_key("replaced", &old.0.to_string())
}

/// No number is free.
pub(in crate::service) fn range_full() -> Problem {
    Problem::new(
        "BIN_RANGE_FULL",
        "no free card number was found in the programme's BIN range; add a range",
    )
}
