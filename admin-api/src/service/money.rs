//! Partners, pools, programmes and balances. It owns nothing but the way to the shard's command.

use switch_domain::{
    AsciiText, BalanceId, BalanceState, BinRange, Currency, CustomerId, CustomerState, Funding,
    IdempotencyKey, MinorUnits, Movement, PartnerId, PartnerState, PoolId, PoolKind, ProgrammeId,
    Timestamp,
};
use switch_shard::Act;
use switch_store::{Booked, BookedSpan};

use super::Services;
use crate::Problem;

/// A programme to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewProgramme {
    /// Whose.
    pub partner: PartnerId,
    /// Its name for people.
    pub name: AsciiText<40>,
    /// Its card numbers.
    pub bins: BinRange,
    /// Its currency.
    pub currency: Currency,
    /// Where the money comes from.
    pub funding: Funding,
}

type Actor = AsciiText<40>;

impl Services {
    /// What moved on an account since a moment, the latest first, at most so many: as far as the
    /// tables have it. Nobody waits for them, and no shard for this.
    ///
    /// # Errors
    /// The database.
    pub async fn latest_movements(
        &self,
        balance: BalanceId,
        since: Timestamp,
        most: u32,
    ) -> Result<Vec<Movement>, Problem> {
        let found = self.store.latest_postings(balance, since, most).await;
        found.map_err(|error| Problem::internal("reading the movements of an account", &error))
    }

    /// What was booked to an account, at most so many lines: as far as the tables have it.
    ///
    /// # Errors
    /// The database.
    pub async fn booked(
        &self,
        balance: BalanceId,
        span: BookedSpan,
        most: u32,
    ) -> Result<Booked, Problem> {
        let found = self.store.booked(balance, span, most).await;
        let found = found.map_err(|e| Problem::internal("reading the statement of an account", &e));
        // An account that the tables do not have yet is a moment old.
        let new = Booked { opening: MinorUnits(0), lines: Vec::new(), more: false };
        Ok(found?.unwrap_or(new))
    }

    /// Makes a partner.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn define_partner(
        &self,
        key: IdempotencyKey,
        actor: Actor,
        name: AsciiText<40>,
    ) -> Result<PartnerId, Problem> {
        self.make(key, actor, Act::DefinePartner { name }).await.map(PartnerId)
    }

    /// Gives a partner another name.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn rename_partner(
        &self,
        key: IdempotencyKey,
        actor: Actor,
        partner: PartnerId,
        name: AsciiText<40>,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::RenamePartner { partner, name }).await.map(|_| ())
    }

    /// Gives a programme another name.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn rename_programme(
        &self,
        key: IdempotencyKey,
        actor: Actor,
        programme: ProgrammeId,
        name: AsciiText<40>,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::RenameProgramme { programme, name }).await.map(|_| ())
    }

    /// Serves a partner's cards, or stops serving them.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn set_partner_state(
        &self,
        key: IdempotencyKey,
        actor: Actor,
        partner: PartnerId,
        state: PartnerState,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::SetPartnerState { partner, state }).await.map(|_| ())
    }

    /// Says from which amount on a partner's cards are approved for a part of a purchase; `None`:
    /// for none.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn set_partial_minimum(
        &self,
        key: IdempotencyKey,
        actor: Actor,
        partner: PartnerId,
        currency: Currency,
        minimum: Option<MinorUnits>,
    ) -> Result<(), Problem> {
        let act = Act::SetPartialMinimum { partner, currency, minimum };
        self.act(key, actor, act).await.map(|_| ())
    }

    /// Makes an empty pool of a partner's money.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn open_pool(
        &self,
        key: IdempotencyKey,
        actor: Actor,
        partner: PartnerId,
        kind: PoolKind,
        currency: Currency,
    ) -> Result<PoolId, Problem> {
        self.make(key, actor, Act::OpenPool { partner, kind, currency }).await.map(PoolId)
    }

    /// Has the shard book money that came into a pool: for `pools`, which keeps what was asked for.
    ///
    /// # Errors
    /// See [`Problem`].
    pub(super) async fn book_reload(
        &self,
        (key, actor): (IdempotencyKey, Actor),
        pool: PoolId,
        amount: MinorUnits,
        reference: AsciiText<40>,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::ReloadPool { pool, amount, reference }).await.map(|_| ())
    }

    /// Makes a programme.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn define_programme(
        &self,
        key: IdempotencyKey,
        actor: Actor,
        new: NewProgramme,
    ) -> Result<ProgrammeId, Problem> {
        let NewProgramme { partner, name, bins, currency, funding } = new;
        let act = Act::DefineProgramme { partner, name, bins, currency, funding };
        self.make(key, actor, act).await.map(ProgrammeId)
    }

    /// Opens an account for a customer.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn open_balance(
        &self,
        key: IdempotencyKey,
        actor: Actor,
        programme: ProgrammeId,
        customer: CustomerId,
    ) -> Result<BalanceId, Problem> {
        let control = self.node.control();
        let programme = control
            .programmes
            .get(&programme)
            .ok_or_else(|| Problem::not_found("there is no such programme"))?;
        if self.partner_of_customer(customer).await? != programme.partner {
            return Err(Problem::not_found("the programme's partner has no such customer"));
        }
        self.open_checked_balance(key, actor, programme.id, customer).await
    }

    /// The same of a programme and a customer of one partner, who stay that as long as this takes.
    /// Needs no connection of the pool: who holds one while it waits may be every one of them.
    pub(super) async fn open_checked_balance(
        &self,
        key: IdempotencyKey,
        actor: Actor,
        programme: ProgrammeId,
        customer: CustomerId,
    ) -> Result<BalanceId, Problem> {
        let act = Act::OpenBalance { programme, customer };
        self.make(key, actor, act).await.map(BalanceId)
    }

    /// Gives a customer money.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn credit_balance(
        &self,
        key: IdempotencyKey,
        actor: Actor,
        balance: BalanceId,
        amount: MinorUnits,
        reference: AsciiText<40>,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::CreditBalance { balance, amount, reference }).await.map(|_| ())
    }

    /// Blocks, unblocks or closes an account.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn set_balance_state(
        &self,
        key: IdempotencyKey,
        actor: Actor,
        balance: BalanceId,
        state: BalanceState,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::SetBalanceState { balance, state }).await.map(|_| ())
    }

    /// Blocks or unblocks a customer in every shard.
    ///
    /// # Errors
    /// See [`Problem`]; where it failed half way, the same key finishes it.
    pub async fn set_customer_state(
        &self,
        key: IdempotencyKey,
        actor: Actor,
        customer: CustomerId,
        state: CustomerState,
    ) -> Result<(), Problem> {
        self.partner_of_customer(customer).await?;
        self.act(key, actor, Act::SetCustomerState { customer, state }).await.map(|_| ())
    }
}
