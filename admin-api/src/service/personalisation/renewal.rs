//! Renewal of plastic: the same card, with a later month and the next sequence number. It owns the
//! table `card_order_renewal`, and that the plastic of before is good until the new one is linked
//! and activated, and from then on no more.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{AsciiText, Card, CardCounters, CardId, Expiry, PartnerId, ServiceCode};
use switch_shard::Act;
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::Plastic;
use super::order::{Checked, NewPlastic, OrderedBy, PlasticOrder};
use crate::http::now;
use crate::service::Services;
use crate::service::cards::is_later;
use crate::service::span::months_on;
use crate::{Problem, idempotency_key};

/// What may stand in a record for the bureau.
const LAST_SEQUENCE: i16 = 99;

const NOTE: &str = "INSERT INTO card_order_renewal (reference, card_id) VALUES ($1, $2)";

/// Of all that was ever ordered of a card. One that was refused may have been made all the same:
/// its number is not used again.
const HIGHEST: &str = "\
    SELECT coalesce(max(sequence), 0)::int2 FROM card_order
    WHERE card_id = $1 OR physical_of = $1
        OR reference IN (SELECT reference FROM card_order_renewal WHERE card_id = $1)";

const WAITS: &str = "\
    SELECT reference, expiry, service_code, sequence
    FROM card_order_renewal AS n JOIN card_order USING (reference)
    WHERE n.card_id = $1 AND n.activated_at IS NULL AND state = 'LINKED'";

/// From then on the card has the name on it that its plastic has.
const ACTIVATED: &str = "\
    WITH named AS (UPDATE card_profile AS p SET holder_name = coalesce(o.holder_name, p.holder_name)
        FROM card_order AS o WHERE o.reference = $1 AND p.card_id = o.physical_of)
    UPDATE card_order_renewal SET activated_at = $2 WHERE reference = $1 AND activated_at IS NULL";

impl Plastic {
    /// Orders the plastic of a card's renewal; under the same key the same order again. Whether the
    /// card may be renewed is for its service to say.
    ///
    /// # Errors
    /// `INVALID_REQUEST`: a member. `CONFLICT`: it would be good no longer than it is, is being
    /// replaced or renewed, or had as much plastic as one can have. `EXHAUSTED`, `OVERLOADED`: as
    /// `order`.
    pub async fn renew(
        &self,
        (partner, customer): (PartnerId, Uuid),
        card: &Card,
        new: &NewPlastic,
        by: OrderedBy,
    ) -> Result<PlasticOrder, Problem> {
        if let Some(earlier) = self.earlier((partner, customer), by).await? {
            return Ok(earlier);
        }
        let customer = self.users.holder(partner, customer).await?;
        let balance = self.users.balance_by_handle(partner, new.balance).await?;
        let beyond = || Problem::internal("counting months", &"there is no such month");
        let expiry = months_on(by.now, u32::from(self.settings.months)).ok_or_else(beyond)?;
        is_later(expiry, card.expiry)?;
        let counters = self.services.node.card_counters(card.id).await;
        if counters.is_some_and(|one| one.chips.len() >= CardCounters::MOST_CHIPS) {
            return Err(worn_out());
        }
        let of_card = card.references.as_ref().map_or(0, |references| references.sequence);
        let checked = Checked::renewal((&customer, balance), (card.id, of_card), expiry, new)?;
        let mut transaction = self.pool().begin().await?;
        let (order, _) = self.place(&mut transaction, partner, &checked, new, by, None).await?;
        transaction.commit().await?;
        Ok(order)
    }
}

/// Notes of an order that it renews this card.
pub(super) async fn note(
    connection: &mut PgConnection,
    order: Uuid,
    card: CardId,
) -> Result<(), Problem> {
    sqlx::query(NOTE).bind(order).bind(card.0).execute(connection).await?;
    Ok(())
}

/// The sequence number of a card's next plastic.
pub(super) async fn next_sequence(
    connection: &mut PgConnection,
    card: CardId,
    of_card: u8,
) -> Result<i16, Problem> {
    let highest: i16 = sqlx::query_scalar(HIGHEST).bind(card.0).fetch_one(connection).await?;
    let next = highest.max(i16::from(of_card)).saturating_add(1);
    if next > LAST_SEQUENCE { Err(worn_out()) } else { Ok(next) }
}

fn worn_out() -> Problem {
    Problem::new("CONFLICT", "the card had as much plastic as one can have: have it replaced")
}

impl Services {
    /// The month of the plastic that a card was renewed by, where it waits for its activation.
    pub(in crate::service) async fn renewing_plastic(
        &self,
        card: CardId,
    ) -> Result<Option<Expiry>, Problem> {
        let Some(row) = self.waits(card).await? else { return Ok(None) };
        let wrong = || Problem::internal("reading an order", &"its month is none");
        let yymm = u16::try_from(row.try_get::<i16, _>("expiry")?).map_err(|_| wrong())?;
        Expiry::from_yymm(yymm).map(Some).map_err(|_| wrong())
    }

    async fn waits(&self, card: CardId) -> Result<Option<PgRow>, Problem> {
        Ok(sqlx::query(WAITS).bind(card.0).fetch_optional(self.store.pool()).await?)
    }

    /// Puts the plastic in force that a card was renewed by, and that waits for its activation: the
    /// one before is no longer good once this returns. Nothing where there is none.
    pub(in crate::service) async fn renew_by_plastic(
        &self,
        actor: AsciiText<40>,
        card: CardId,
    ) -> Result<(), Problem> {
        let Some(row) = self.waits(card).await? else { return Ok(()) };
        let wrong = || Problem::internal("reading an order", &"a member of it is out of range");
        let number = |column: &str| -> Result<u16, Problem> {
            u16::try_from(row.try_get::<i16, _>(column)?).map_err(|_| wrong())
        };
        let order: Uuid = row.try_get("reference")?;
        let expiry = Expiry::from_yymm(number("expiry")?).map_err(|_| wrong())?;
        let code = ServiceCode::new(number("service_code")?).map_err(|_| wrong())?;
        let sequence = u8::try_from(number("sequence")?).map_err(|_| wrong())?;
        let act = Act::RenewCard { card, expiry, plastic: Some((code, sequence)) };
        self.act(idempotency_key("renewed by plastic", &order.to_string()), actor, act).await?;
        let noted = sqlx::query(ACTIVATED).bind(order).bind(PgTimestamp(now()));
        noted.execute(self.store.pool()).await?;
        Ok(())
    }
}
