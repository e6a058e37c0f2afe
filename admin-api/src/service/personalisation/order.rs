//! Orders of plastic cards (SR-124 to SR-126). It owns what may be ordered by whom, that the same
//! request is the same order, and what is told of one: a status, and no card before it is linked
//! (SR-164, SR-168).

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{
    AsciiText, Balance, BalanceState, CardId, CardStatus, CustomerId, CustomerState, Expiry,
    IdempotencyKey, LockCode, PartnerId, ServiceCode, Timestamp,
};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::Plastic;
use super::fit::{embossed, fits};
use super::pin::NumberedPin;
use super::renewal::next_sequence;
use crate::Problem;
use crate::service::cards::{
    alone, check_reference, not_otherwise_under_way, not_renewing, not_replaced,
    take_for_replacement,
};
use crate::service::half;
use crate::service::programmes::SaidProgramme;
use crate::service::span::months_on;
use crate::service::users::{Customer, Personal, stands};

/// A plastic card that is asked for. It names a person: it has no printable form.
pub struct NewPlastic {
    /// The account, as paths name it.
    pub balance: Uuid,
    /// The product, where it is said: the account's.
    pub programme: SaidProgramme,
    /// The card that it is to be plastic of.
    pub physical_of: Option<String>,
    /// The plastic in whose place it is to come, where that may be replaced.
    pub replaces: Option<CardId>,
    /// As it is embossed.
    pub holder_name: Personal,
    /// What the partner calls who has it: of corporations' employees alone.
    pub reference: Option<String>,
    /// Where it goes.
    pub delivery: DeliveryInput,
}

/// Where a card goes, as it came.
pub struct DeliveryInput {
    /// How.
    pub way: WayName,
    /// To whom.
    pub addressee: Personal,
    /// Street and number.
    pub street: Personal,
    /// Place.
    pub city: Personal,
    /// Postal code.
    pub postal_code: Personal,
    /// ISO 3166-1 alpha-2.
    pub country: Personal,
    /// For the courier.
    pub phone: Option<Personal>,
}

/// How a card is brought (SR-169).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayName {
    /// By post.
    Post,
    /// By a courier.
    Courier,
}

impl WayName {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Courier => "COURIER",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Post, Self::Courier].into_iter().find(|way| way.name() == name)
    }
}

/// Who orders, when, and under which key: the same key is the same order.
#[derive(Clone, Copy, Debug)]
pub struct OrderedBy {
    /// Of the request.
    pub key: IdempotencyKey,
    /// As the journal calls whoever asks.
    pub actor: AsciiText<40>,
    /// When.
    pub now: Timestamp,
}

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// It waits for the next file.
    Ordered,
    /// It is with the bureau.
    Sent,
    /// The bureau has made the card.
    Personalised,
    /// There is a card.
    Linked,
    /// There will be none.
    Refused,
}

impl OrderState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Ordered, Self::Sent, Self::Personalised, Self::Linked, Self::Refused];

    /// As the table has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ordered => "ORDERED",
            Self::Sent => "SENT",
            Self::Personalised => "PERSONALISED",
            Self::Linked => "LINKED",
            Self::Refused => "REFUSED",
        }
    }
}

/// An order, as it may be seen.
#[derive(Clone, Debug)]
pub struct PlasticOrder {
    /// Its name.
    pub reference: Uuid,
    /// How far it is.
    pub state: OrderState,
    /// When it was ordered.
    pub ordered_at: Timestamp,
    /// How it is brought.
    pub way: WayName,
    /// The card that it is to be plastic of.
    pub physical_of: Option<CardId>,
    /// The card in whose place it is to come.
    pub replaces: Option<CardId>,
    /// The card that is renewed by it.
    pub renews: Option<CardId>,
    /// Of the parcel or letter.
    pub tracking_number: Option<String>,
    /// The card, once there is one.
    pub card: Option<CardId>,
    /// Why there will be none.
    pub refusal: Option<String>,
}

const INSERT: &str = "\
    INSERT INTO card_order (reference, partner_id, customer_id, balance_id, physical_of, state,
        ordered_at, ordered_by, expiry, service_code, sequence, way, holder_name, addressee,
        street, city, postal_code, country, phone, reference_of_holder)
    VALUES ($1, $2, $3, $4, $5, 'ORDERED', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
        $17, $18, $19)
    ON CONFLICT (reference) DO NOTHING";

const READ: &str = "\
    SELECT reference, state, ordered_at, way, physical_of, tracking_number, card_id, refusal,
        (SELECT r.replaces FROM card_replacement AS r WHERE r.order_id = reference) AS replaces,
        EXISTS (SELECT FROM card_order_renewal AS n WHERE n.reference = card_order.reference)
            AS renews
    FROM card_order WHERE partner_id = $1 AND customer_id = $2 AND reference = $3";

const WAITING: &str = "\
    SELECT count(*) AS waiting, count(*) FILTER (WHERE partner_id = $1) AS own
    FROM card_order WHERE state = 'ORDERED'";

const ON_THEIR_WAY: &str = "\
    SELECT count(*) FROM card_order
    WHERE customer_id = $1 AND state NOT IN ('LINKED', 'REFUSED')";

/// What was looked at.
pub(super) struct Checked {
    customer: CustomerId,
    pub(super) balance: Balance,
    pub(super) physical_of: Option<CardId>,
    holder_name: Personal,
    expiry: Expiry,
    is_corporation: bool,
    /// Of a renewal the sequence number that the card has.
    pub(super) renews: Option<u8>,
}

impl Checked {
    /// A renewal of a card that has this sequence number.
    pub(super) fn renewal(
        (customer, balance): (&Customer, Balance),
        (card, sequence): (CardId, u8),
        expiry: Expiry,
        new: &NewPlastic,
    ) -> Result<Self, Problem> {
        fits(&new.delivery)?;
        let holder_name = embossed(&new.holder_name)?;
        Ok(Self {
            customer: customer.id,
            balance,
            physical_of: Some(card),
            holder_name,
            expiry,
            is_corporation: customer.is_corporation,
            renews: Some(sequence),
        })
    }
}

impl Plastic {
    /// Orders a plastic card; under the same key the same order again.
    ///
    /// # Errors
    /// `NOT_FOUND`: the customer, the account or the card. `CUSTOMER_NOT_VERIFIED`. `CONFLICT`: the
    /// customer, the account or the card is not in use. `INVALID_REQUEST`: a member. `EXHAUSTED`:
    /// as many orders of the customer as may be are on their way. `OVERLOADED`: too many orders
    /// wait for a file.
    pub async fn order(
        &self,
        (partner, customer): (PartnerId, Uuid),
        new: &NewPlastic,
        by: OrderedBy,
    ) -> Result<PlasticOrder, Problem> {
        if let Some(earlier) = self.earlier((partner, customer), by).await? {
            return Ok(earlier);
        }
        let checked = self.checked((partner, customer), new, by.now).await?;
        let mut transaction = self.pool().begin().await?;
        let (order, _) = self.place(&mut transaction, partner, &checked, new, by, None).await?;
        transaction.commit().await?;
        Ok(order)
    }

    /// The order that was made under the same key.
    pub(super) async fn earlier(
        &self,
        (partner, customer): (PartnerId, Uuid),
        by: OrderedBy,
    ) -> Result<Option<PlasticOrder>, Problem> {
        let known = self.users.holder(partner, customer).await?.id;
        let mut connection = self.pool().acquire().await?;
        read(&mut connection, (partner, known), Uuid::from_bytes(by.key.0)).await
    }

    /// Puts an order in, where the limits have room; whether it was not there before.
    pub(super) async fn place(
        &self,
        transaction: &mut PgConnection,
        partner: PartnerId,
        checked: &Checked,
        new: &NewPlastic,
        by: OrderedBy,
        numbered: Option<&NumberedPin>,
    ) -> Result<(PlasticOrder, bool), Problem> {
        let reference = Uuid::from_bytes(by.key.0);
        // Counted one after the other, or the limits would be none.
        let alone = "SELECT pg_advisory_xact_lock(hashtext('cardswitch card_order'))";
        sqlx::query(alone).execute(&mut *transaction).await?;
        let whose = (partner, checked.customer);
        if let Some(earlier) = read(transaction, whose, reference).await? {
            return Ok((earlier, false));
        }
        self.within_limits(transaction, checked).await?;
        let sequence = self.sequence(transaction, checked).await?;
        if let Some(old) = new.replaces {
            let lock = self.services.node.card(old).await.and_then(|card| card.lock);
            let is_final = lock.is_some_and(LockCode::is_irreversible);
            take_for_replacement(transaction, old, reference, by.now, is_final).await?;
        }
        // What was looked at before may have changed since.
        stands(&mut *transaction, checked.customer).await?;
        self.insert(transaction, (partner, reference), (checked, sequence), new, by).await?;
        self.note_or_owe(transaction, (reference, checked), new, by.now).await?;
        if let Some(numbered) = numbered {
            self.keep_pin(transaction, reference, numbered).await?;
        }
        let order = read(transaction, whose, reference).await?;
        let missing = || Problem::internal("ordering a card", &"the order is not there");
        Ok((order.ok_or_else(missing)?, true))
    }

    /// How far an order of a customer is.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is none, or it is somebody else's.
    pub async fn order_of(
        &self,
        (partner, customer): (PartnerId, Uuid),
        reference: Uuid,
    ) -> Result<PlasticOrder, Problem> {
        let customer = self.users.holder(partner, customer).await?.id;
        let mut connection = self.pool().acquire().await?;
        let order = read(&mut connection, (partner, customer), reference).await?;
        order.ok_or_else(|| Problem::not_found("there is no such order"))
    }

    pub(super) async fn checked(
        &self,
        (partner, customer): (PartnerId, Uuid),
        new: &NewPlastic,
        now: Timestamp,
    ) -> Result<Checked, Problem> {
        let found = self.users.holder(partner, customer).await?;
        if found.is_corporation {
            // Before it is approved there is no account of it to be asked for.
            self.users.require_verified(partner, customer).await?;
        }
        let balance = self.users.balance_by_handle(partner, new.balance).await?;
        if balance.customer != found.id {
            return Err(Problem::not_found("there is no such account"));
        }
        self.users.require_verified(partner, customer).await?;
        if found.state != CustomerState::Active {
            return Err(Problem::new("CONFLICT", "the customer is blocked"));
        }
        if balance.state != BalanceState::Active {
            return Err(Problem::new("CONFLICT", "the account is blocked or closed"));
        }
        let mut connection = self.pool().acquire().await?;
        new.programme.fits(&mut connection, balance.programme).await?;
        drop(connection);
        let holder_name = embossed(&new.holder_name)?;
        names_employee(&found, new)?;
        fits(&new.delivery)?;
        let beyond = || Problem::internal("counting months", &"there is no such month");
        let (physical_of, expiry) = match &new.physical_of {
            None => (None, months_on(now, u32::from(self.settings.months)).ok_or_else(beyond)?),
            Some(card) => {
                let (card, expiry) = self.to_be_printed(card, &balance).await?;
                (Some(card), expiry)
            }
        };
        Ok(Checked {
            customer: found.id,
            balance,
            physical_of,
            holder_name,
            expiry,
            is_corporation: found.is_corporation,
            renews: None,
        })
    }

    /// The sequence number of the plastic; of a card that there is already, once it is clear that
    /// nothing else is made of it.
    async fn sequence(
        &self,
        transaction: &mut PgConnection,
        checked: &Checked,
    ) -> Result<i16, Problem> {
        let Some(card) = checked.physical_of else { return Ok(self.settings.sequence.into()) };
        alone(transaction, card).await?;
        not_renewing(transaction, card, false).await?;
        if let Some(of_card) = checked.renews {
            not_otherwise_under_way(transaction, card).await?;
            return next_sequence(transaction, card, of_card).await;
        }
        not_replaced(transaction, card).await?;
        let printed = "SELECT EXISTS (SELECT FROM card_order \
                       WHERE physical_of = $1 AND state <> 'REFUSED')";
        let printed = sqlx::query_scalar::<_, bool>(printed).bind(card.0);
        if printed.fetch_one(&mut *transaction).await? {
            return Err(Problem::new("CONFLICT", "the card is plastic already"));
        }
        // The month that was looked at would stand on it.
        let now = self.services.node.card(card).await;
        if now.is_none_or(|card| card.expiry != checked.expiry) {
            return Err(Problem::new("CONFLICT", "the card was renewed meanwhile: order again"));
        }
        Ok(self.settings.sequence.into())
    }

    /// A virtual card of the account that gets plastic: in use, and without any yet.
    async fn to_be_printed(
        &self,
        card: &str,
        balance: &Balance,
    ) -> Result<(CardId, Expiry), Problem> {
        let none = || Problem::not_found("there is no such card");
        let id = card.parse().ok().filter(|id: &i64| *id > 0 && id.to_string() == card);
        let card = self.services.node.card(CardId(id.ok_or_else(none)?)).await.ok_or_else(none)?;
        if card.balance != balance.id {
            return Err(none());
        }
        let code = card.references.as_ref().and_then(|references| references.service_code);
        if card.status != CardStatus::Active || card.lock.is_some() {
            return Err(Problem::new("CONFLICT", "the card is not in use"));
        }
        if code.is_some_and(ServiceCode::has_chip) {
            return Err(Problem::new("CONFLICT", "the card is plastic already"));
        }
        Ok((card.id, card.expiry))
    }

    async fn within_limits(
        &self,
        connection: &mut PgConnection,
        checked: &Checked,
    ) -> Result<(), Problem> {
        let own = sqlx::query_scalar::<_, i64>(ON_THEIR_WAY).bind(checked.customer.0);
        let (most, who) = match checked.is_corporation {
            true => (self.settings.of_corporation, "corporation"),
            false => (self.settings.of_customer, "customer"),
        };
        if own.fetch_one(&mut *connection).await? >= i64::from(most) {
            let what = format!("a {who} has {most} orders of cards on their way at most");
            return Err(Problem::new("EXHAUSTED", what));
        }
        let waiting = sqlx::query(WAITING).bind(checked.balance.partner.0);
        let waiting = waiting.fetch_one(connection).await?;
        let most = i64::from(self.settings.waiting);
        let (all, own): (i64, i64) = (waiting.try_get("waiting")?, waiting.try_get("own")?);
        // However many one partner orders, others have room.
        if all >= most || own >= half(most) {
            let what = "too many orders wait for the bureau; try again later";
            return Err(Problem::new("OVERLOADED", what));
        }
        Ok(())
    }

    async fn insert(
        &self,
        connection: &mut PgConnection,
        (partner, reference): (PartnerId, Uuid),
        (checked, sequence): (&Checked, i16),
        new: &NewPlastic,
        by: OrderedBy,
    ) -> Result<(), Problem> {
        let small = |number: u16| i16::try_from(number).unwrap_or(i16::MAX);
        let to = &new.delivery;
        sqlx::query(INSERT)
            .bind(reference)
            .bind(partner.0)
            .bind(checked.customer.0)
            .bind(checked.balance.id.0)
            .bind(checked.physical_of.map(|card| card.0))
            .bind(PgTimestamp(by.now))
            .bind(by.actor.as_str())
            .bind(small(checked.expiry.yymm()))
            .bind(small(self.settings.service_code.number()))
            .bind(sequence)
            .bind(to.way.name())
            .bind(checked.holder_name.expose())
            .bind(to.addressee.expose())
            .bind(to.street.expose())
            .bind(to.city.expose())
            .bind(to.postal_code.expose())
            .bind(to.country.expose())
            .bind(to.phone.as_ref().map(Personal::expose))
            .bind(new.reference.as_ref().filter(|_| checked.is_corporation))
            .execute(connection)
            .await?;
        Ok(())
    }
}

async fn read(
    connection: &mut PgConnection,
    (partner, customer): (PartnerId, CustomerId),
    reference: Uuid,
) -> Result<Option<PlasticOrder>, Problem> {
    let query = sqlx::query(READ).bind(partner.0).bind(customer.0).bind(reference);
    query.fetch_optional(connection).await?.as_ref().map(shown).transpose()
}

fn shown(row: &PgRow) -> Result<PlasticOrder, Problem> {
    let unknown = || Problem::internal("reading an order", &"its state or way is not known");
    let (state, way): (String, String) = (row.try_get("state")?, row.try_get("way")?);
    let state = OrderState::ALL.into_iter().find(|one| one.name() == state);
    let of = row.try_get::<Option<i64>, _>("physical_of")?.map(CardId);
    let renews: bool = row.try_get("renews")?;
    Ok(PlasticOrder {
        reference: row.try_get("reference")?,
        state: state.ok_or_else(unknown)?,
        ordered_at: row.try_get::<PgTimestamp, _>("ordered_at")?.0,
        way: WayName::named(&way).ok_or_else(unknown)?,
        physical_of: of.filter(|_| !renews),
        renews: of.filter(|_| renews),
        replaces: row.try_get::<Option<i64>, _>("replaces")?.map(CardId),
        tracking_number: row.try_get("tracking_number")?,
        card: row.try_get::<Option<i64>, _>("card_id")?.map(CardId),
        refusal: row.try_get("refusal")?,
    })
}

/// That plastic of a corporation says which employee has it (SR-038); what comes in its place is
/// the same employee's.
fn names_employee(of: &Customer, new: &NewPlastic) -> Result<(), Problem> {
    match &new.reference {
        Some(reference) if of.is_corporation => check_reference(reference),
        None if of.is_corporation && new.replaces.is_none() => {
            Err(Problem::field("reference", "a corporation's card says who has it"))
        }
        _ => Ok(()),
    }
}
