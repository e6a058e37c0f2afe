//! The issue of a card (SR-104 to SR-108, SR-160, SR-161). It owns its order: what was asked for is
//! looked at, the order is put down, the processor makes the card, its number goes into the vault,
//! and the shard's command names the row (W-9). The same order again is the same card, wherever the
//! one before was cut off.

use sqlx::PgConnection;
use switch_domain::{
    AsciiText, Balance, BalanceState, CardForm, CardId, CardStatus, CustomerState, Expiry,
    IdempotencyKey, PartnerId, Programme, Timestamp, VaultRef,
};
use uuid::Uuid;

use super::commands::{DRAWS, range_full};
use super::data::FullCardData;
use super::found::{OwnedCard, no_card};
use super::processor::{CardOrder, MadeCard, ProcessorFault, given_twice};
use super::profile::{self, Form, Ordered};
use super::{Cards, NewCard};
use crate::service::fees::{CardOrdered, owe_for_card};
use crate::service::programmes::{SaidProgramme, terminal_of};
use crate::service::span::months_on;
use crate::{Customer, Personal, Problem};

/// Whose card it is: a customer of a tenant, or a corporation.
#[derive(Clone, Copy, Debug)]
pub struct Holder {
    /// The tenant.
    pub partner: PartnerId,
    /// The customer.
    pub customer: Uuid,
}

/// Who asks, when, and under which key: the same key is the same card.
#[derive(Clone, Copy, Debug)]
pub struct By {
    /// Of the order, and of the shard's command.
    pub key: IdempotencyKey,
    /// As the journal calls whoever asks.
    pub actor: AsciiText<40>,
    /// When.
    pub now: Timestamp,
}

/// A virtual card that is asked for. It names a person: it has no printable form.
#[derive(Clone)]
pub struct NewVirtual {
    /// The account, as paths name it.
    pub balance: Uuid,
    /// The product, where it is said: the account's.
    pub programme: SaidProgramme,
    /// The currency, where it is said: the product's.
    pub currency: Option<String>,
    /// As it is printed.
    pub holder_name: Option<String>,
    /// The partner's own name for it.
    pub reference: Option<String>,
}

impl Cards {
    /// Issues a virtual card, in use when this returns.
    ///
    /// # Errors
    /// `NOT_FOUND`: the customer or the account. `CUSTOMER_NOT_VERIFIED`. `CONFLICT`: the customer
    /// or the account is blocked or closed. `INVALID_REQUEST`: a member. `EXHAUSTED`: the account
    /// has as many cards as one may have. `PROCESSOR_REFUSED`, `PROCESSOR_UNAVAILABLE`,
    /// `SECURITY_MODULE_UNAVAILABLE`. Else as [`Problem`] says.
    pub async fn issue_virtual(
        &self,
        holder: Holder,
        new: &NewVirtual,
        by: By,
    ) -> Result<OwnedCard, Problem> {
        if let Some(card) = self.made_before(holder, by).await? {
            return self.now(card).await;
        }
        let mut ordered = self.checked(holder, new, by).await?;
        let mut transaction = self.pool().begin().await?;
        profile::order(&mut transaction, &mut ordered, self.settings.most).await?;
        self.owe(&mut transaction, &ordered, by.now).await?;
        transaction.commit().await?;
        let card = self.made_at_last(&ordered, by).await?;
        self.now(card).await
    }

    /// The same of an order that nobody tries again where asking again would bring the same. One
    /// that an earlier try has made is the answer all the same.
    pub(super) async fn made_at_last(&self, ordered: &Ordered, by: By) -> Result<CardId, Problem> {
        match self.make(ordered, by).await {
            Err(problem) if is_final(&problem) => {
                self.give_up(ordered.order, by).await?.ok_or(problem)
            }
            made => made,
        }
    }

    /// The card of the same order, where it was made: whatever has become of customer and account
    /// since, it is the answer.
    pub(super) async fn made_before(
        &self,
        holder: Holder,
        by: By,
    ) -> Result<Option<CardId>, Problem> {
        let customer = self.users.holder(holder.partner, holder.customer).await?;
        let mut connection = self.pool().acquire().await?;
        let order = Uuid::from_bytes(by.key.0);
        profile::made_of(&mut connection, order, (holder.partner, customer.id)).await
    }

    /// Puts down what an order costs; it is charged once the card is there.
    pub(super) async fn owe(
        &self,
        transaction: &mut PgConnection,
        ordered: &Ordered,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let Ordered { order, balance, replaces, .. } = *ordered;
        let form = CardForm::Virtual;
        let card = CardOrdered { order, balance, form, replaces: replaces.is_some() };
        owe_for_card(&self.services, transaction, card, now).await
    }

    /// Everything that is on a card: for its holder and their partner, never for operators.
    ///
    /// # Errors
    /// `NOT_FOUND`: it was removed. `CONFLICT`: it waits for its activation.
    pub async fn full_data(&self, owned: &OwnedCard) -> Result<FullCardData, Problem> {
        let card = &owned.card;
        match card.status {
            CardStatus::Removed => return Err(no_card()),
            CardStatus::Inactive => {
                return Err(Problem::new("CONFLICT", "the card waits for its activation"));
            }
            CardStatus::Active => {}
        }
        let pan = self.services.number_of(card.vault).await?;
        let code = self.code(card, &pan).await?;
        Ok(FullCardData::new(card, pan, code))
    }

    /// What was asked for, once it was looked at.
    pub(super) async fn checked(
        &self,
        holder: Holder,
        new: &NewVirtual,
        by: By,
    ) -> Result<Ordered, Problem> {
        let customer = self.users.holder(holder.partner, holder.customer).await?;
        if customer.is_corporation {
            // Before it is approved there is no account of it to be asked for.
            self.users.require_verified(holder.partner, holder.customer).await?;
        }
        let balance = self.users.balance_by_handle(holder.partner, new.balance).await?;
        if balance.customer != customer.id {
            return Err(Problem::not_found("there is no such account"));
        }
        self.in_use(holder, &balance).await?;
        names_employee(&customer, new)?;
        let order = Uuid::from_bytes(by.key.0);
        let mut connection = self.pool().acquire().await?;
        let whose = (holder.partner, customer.id);
        if !profile::is_ordered(&mut connection, order, whose).await? {
            // Names of programmes change; what was ordered by one stays ordered.
            new.programme.fits(&mut connection, balance.programme).await?;
        }
        let terminal = terminal_of(&mut connection, balance.programme).await?;
        drop(connection);
        fits(new, &balance)?;
        // Without its key no code could be told of a card that was made.
        self.code_key(balance.programme, 0)?;
        let processor = self.processor_of(balance.programme).await?;
        Ok(Ordered {
            order,
            partner: holder.partner,
            customer: customer.id,
            balance: balance.id,
            form: Form::Virtual,
            holder_name: new.holder_name.clone(),
            reference: new.reference.clone(),
            processor,
            terminal,
            replaces: None,
            asked: by.now,
        })
    }

    /// That a customer may have cards, and this account may.
    pub(super) async fn in_use(&self, holder: Holder, balance: &Balance) -> Result<(), Problem> {
        self.users.require_verified(holder.partner, holder.customer).await?;
        let customer = self.users.holder(holder.partner, holder.customer).await?;
        if customer.state != CustomerState::Active {
            return Err(Problem::new("CONFLICT", "the customer is blocked"));
        }
        if balance.state != BalanceState::Active {
            return Err(Problem::new("CONFLICT", "the account is blocked or closed"));
        }
        Ok(())
    }

    /// Has the card of an order made; of one that was made already, the same card.
    pub(super) async fn make(&self, ordered: &Ordered, by: By) -> Result<CardId, Problem> {
        let (programme, expiry) = self.terms_of(ordered).await?;
        let processor = self.processors.named(&ordered.processor)?;
        let order = CardOrder {
            reference: ordered.order,
            form: Form::Virtual,
            programme: programme.id,
            bins: programme.bins,
            expiry,
            holder_name: ordered.holder_name.clone().map(Personal::new),
            terminal: ordered.terminal.clone(),
        };
        for _ in 0..DRAWS {
            let made = processor.create(&order).await?;
            made.acceptable(&programme, by.now)?;
            let vault = match self.services.keep_number(&made.pan).await? {
                kept if !processor.gives_again() => kept,
                kept => Some(self.claimed(ordered.order, &made, kept).await?),
            };
            if let Some(vault) = vault {
                let new = NewCard { balance: ordered.balance, expiry: made.expiry, active: true };
                let MadeCard { reference, pan, .. } = made;
                let row = (vault, !processor.gives_again());
                let issued = self.services.issue_kept((by.key, by.actor), new, row, pan).await?;
                let last_four = issued.pan.last_four();
                let last_four = String::from_utf8_lossy(&last_four).into_owned();
                let mut transaction = self.pool().begin().await?;
                let card = (issued.card, Some(last_four.as_str()));
                profile::made(&mut transaction, ordered.order, card, reference, by.now).await?;
                transaction.commit().await?;
                self.services.settle_fee_of(ordered.order, by.now).await;
                return Ok(issued.card);
            }
        }
        Err(range_full())
    }

    /// The row of a number that a processor gives to this order each time. One that another order
    /// has is refused, and so is another one than it gave to this order before.
    async fn claimed(
        &self,
        order: Uuid,
        made: &MadeCard,
        kept: Option<VaultRef>,
    ) -> Result<VaultRef, Problem> {
        let (vault, is_known) = match kept {
            Some(vault) => (vault, false),
            // Where it is not there either, it is not kept yet: asked again, it will be.
            None => {
                let found = self.services.kept(&made.pan).await?;
                found.ok_or(ProcessorFault::Unavailable)?
            }
        };
        let mut connection = self.pool().acquire().await?;
        if profile::claim(&mut connection, order, (vault.row, is_known), made.reference).await? {
            return Ok(vault);
        }
        drop(connection);
        if kept.is_some() {
            self.services.give_up(vault).await;
        }
        Err(given_twice(order))
    }

    async fn terms_of(&self, ordered: &Ordered) -> Result<(Programme, Expiry), Problem> {
        let none = || Problem::not_found("there is no such account");
        let balance = self.services.node.balance(ordered.balance).await.ok_or_else(none)?;
        let control = self.services.node.control();
        let programme = control.programmes.get(&balance.programme).ok_or_else(none)?.clone();
        let expiry = months_on(ordered.asked, self.settings.months);
        let beyond = || Problem::internal("counting months", &"there is no such month");
        Ok((programme, expiry.ok_or_else(beyond)?))
    }
}

/// Whether asking again would bring the same.
pub(super) fn is_final(problem: &Problem) -> bool {
    !matches!(
        problem.code,
        "PROCESSOR_UNAVAILABLE"
            | "SECURITY_MODULE_UNAVAILABLE"
            | "OVERLOADED"
            | "STOPPING"
            | "OUTCOME_UNKNOWN"
            | "INTERNAL"
    )
}

/// That what is said of the account is so, and what is printed can be.
fn fits(new: &NewVirtual, balance: &Balance) -> Result<(), Problem> {
    let currency = balance.currency.alphabetic();
    if new.currency.as_deref().is_some_and(|said| said != currency) {
        return Err(Problem::field("currency", "the account is in another currency"));
    }
    if new.holder_name.as_deref().is_some_and(|name| !is_name(name)) {
        let rule = "2 to 26 letters A to Z, spaces, points, hyphens, apostrophes and slashes";
        return Err(Problem::field("holderName", rule));
    }
    new.reference.as_deref().map_or(Ok(()), check_reference)
}

/// What partners may call a card, or who has it.
pub(in crate::service) fn check_reference(text: &str) -> Result<(), Problem> {
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    if printable && (1..=64).contains(&text.len()) {
        return Ok(());
    }
    Err(Problem::field("reference", "1 to 64 printable characters without spaces"))
}

/// That a card of a corporation says which employee has it (SR-038).
fn names_employee(of: &Customer, new: &NewVirtual) -> Result<(), Problem> {
    let missing = |name| Problem::field(name, "a corporation's card says who has it");
    if of.is_corporation && new.holder_name.is_none() {
        return Err(missing("holderName"));
    }
    if of.is_corporation && new.reference.is_none() {
        return Err(missing("reference"));
    }
    Ok(())
}

/// As track 1 and an embosser take it.
fn is_name(name: &str) -> bool {
    let fits = (2..=26).contains(&name.len()) && name.trim() == name;
    fits && name
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b' ' | b'.' | b'-' | b'\'' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_a_card_can_have_on_it() {
        for good in ["ADA LOVELACE", "J.-L. O'HARA/MS", "Ada"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "A", " ADA", "ADA ", "ÄDA", "ADA1", &"A".repeat(27), "A\nB"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
