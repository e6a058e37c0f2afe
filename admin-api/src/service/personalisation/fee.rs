//! What an order of plastic costs. It owns that a renewal is noted with its card and costs nothing,
//! and that whatever else is ordered owes its fee in the transaction of the order.

use sqlx::PgConnection;
use switch_domain::{CardForm, Timestamp};
use uuid::Uuid;

use super::Plastic;
use super::order::{Checked, NewPlastic};
use super::renewal::note;
use crate::Problem;
use crate::service::fees::{CardOrdered, owe_for_card};

impl Plastic {
    /// Puts down of an order what it renews, or what it costs: charged once the card is there.
    pub(super) async fn note_or_owe(
        &self,
        transaction: &mut PgConnection,
        (order, checked): (Uuid, &Checked),
        new: &NewPlastic,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if let Some(card) = checked.physical_of.filter(|_| checked.renews.is_some()) {
            return note(transaction, order, card).await;
        }
        let (balance, form) = (checked.balance.id, CardForm::Physical);
        let card = CardOrdered { order, balance, form, replaces: new.replaces.is_some() };
        owe_for_card(&self.services, transaction, card, now).await
    }
}
