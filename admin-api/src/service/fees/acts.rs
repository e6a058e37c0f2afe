//! Fees of acts (SR-240, SR-241): an account is opened, a card is made or replaced. It owns that
//! the fee is owed in the transaction in which the act is ordered, so that neither is there without
//! the other, and that a card whose fee at once the account cannot pay is not ordered. An account
//! begins empty: its fee waits for money.

use sqlx::PgConnection;
use switch_domain::{
    Amount, Balance, BalanceId, CardForm, Currency, FeeEvent, MinorUnits, PartnerId, ProgrammeId,
    Taken, Timestamp,
};
use uuid::Uuid;

use super::owed::{Owed, insert, key_of};
use crate::Problem;
use crate::service::Services;

/// A card that is ordered.
#[derive(Clone, Copy, Debug)]
pub(in crate::service) struct CardOrdered {
    /// The order.
    pub(in crate::service) order: Uuid,
    /// The account.
    pub(in crate::service) balance: BalanceId,
    /// What it is made of.
    pub(in crate::service) form: CardForm,
    /// Whether it comes in another's place.
    pub(in crate::service) replaces: bool,
}

/// What a fee is of.
#[derive(Clone, Copy, Debug)]
struct Of {
    partner: PartnerId,
    programme: ProgrammeId,
    balance: BalanceId,
    currency: Currency,
}

impl From<&Balance> for Of {
    fn from(balance: &Balance) -> Self {
        let Balance { id, partner, programme, currency, .. } = *balance;
        Self { partner, programme, balance: id, currency }
    }
}

/// Puts down what the opening of an account costs. Its key is made of the account: an opening that
/// is asked for again owes nothing more.
pub(in crate::service) async fn owe_for_account(
    services: &Services,
    transaction: &mut PgConnection,
    balance: &Balance,
    now: Timestamp,
) -> Result<(), Problem> {
    let key = key_of(&[b"account", &balance.id.0.to_be_bytes()]);
    let (event, form) = (FeeEvent::AccountCreated, CardForm::Virtual);
    let Some(owed) = owed(services, balance.into(), (event, form), (key, None)) else {
        return Ok(());
    };
    insert(transaction, &[owed], (u32::MAX, now)).await.map(|_| ())
}

/// Puts down what a card costs that is ordered in this transaction; it is charged once the card is
/// there, and goes with an order that comes to nothing.
///
/// # Errors
/// `INSUFFICIENT_FUNDS`: the account has not what is taken at once.
pub(in crate::service) async fn owe_for_card(
    services: &Services,
    transaction: &mut PgConnection,
    ordered: CardOrdered,
    now: Timestamp,
) -> Result<(), Problem> {
    let none = || Problem::not_found("there is no such account");
    let balance = services.node.balance(ordered.balance).await.ok_or_else(none)?;
    let event = if ordered.replaces { FeeEvent::CardReplaced } else { FeeEvent::CardCreated };
    let key = key_of(&[b"order", ordered.order.as_bytes()]);
    let of_order = (key, Some(ordered.order));
    let Some(owed) = owed(services, (&balance).into(), (event, ordered.form), of_order) else {
        return Ok(());
    };
    let (fee, taken) = (owed.amount, owed.taken);
    let is_new = insert(transaction, &[owed], (u32::MAX, now)).await? > 0;
    let lacks = balance.available().0 < fee.minor.0;
    if is_new && taken == Taken::AtOnce && lacks {
        let what = format!("the account has not the fee of {fee} that the card costs");
        return Err(Problem::new("INSUFFICIENT_FUNDS", what));
    }
    Ok(())
}

/// What something costs now; none where it is free.
fn owed(
    services: &Services,
    of: Of,
    (event, form): (FeeEvent, CardForm),
    (key, order): (Uuid, Option<Uuid>),
) -> Option<Owed> {
    let control = services.node.control();
    let rule = control.fees_of(of.programme)?.rule_of(event, form)?;
    let minor = rule.price.of_act();
    (minor > MinorUnits::ZERO).then(|| Owed {
        key,
        partner: of.partner,
        programme: of.programme,
        balance: of.balance,
        card: None,
        order,
        event,
        amount: Amount { minor, currency: of.currency },
        taken: rule.taken,
        reference: event.name(),
    })
}
