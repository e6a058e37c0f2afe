//! Renewal: the same card with a later month. It owns which cards may be renewed, and when; that of
//! renewal, replacement and plastic that is made one alone is under way; and the renewal of virtual
//! cards: its month stands in a row before the shard is asked, so that the same request is the same
//! renewal, wherever the one before was cut off. Plastic is ordered: `service/personalisation`.

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{AsciiText, CardId, CardStatus, Expiry, IdempotencyKey, LockCode, Timestamp};
use switch_shard::Act;
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::Cards;
use super::found::OwnedCard;
use super::heard::Heard;
use super::issue::{By, Holder, is_final};
use crate::Problem;
use crate::service::span::{after, before, months_on};

const PUT: &str = "\
    INSERT INTO card_renewal (order_id, card_id, expiry, asked_at) VALUES ($1, $2, $3, $4)";

const OF_ORDER: &str = "\
    SELECT order_id, card_id, expiry, renewed_at IS NOT NULL AS done FROM card_renewal
    WHERE order_id = $1";

const OPEN: &str = "\
    SELECT order_id, card_id, expiry, false AS done FROM card_renewal
    WHERE card_id = $1 AND renewed_at IS NULL";

const LEFT: &str = "\
    SELECT card_id FROM card_renewal WHERE renewed_at IS NULL AND asked_at < $1
    ORDER BY random() LIMIT 100";

/// As the journal calls who ends what others began.
const ACTOR: &str = "cards";
/// Whoever asked is about to have it done for so long.
const LEFT_ALONE: Duration = Duration::from_secs(60);

const DONE: &str = "\
    UPDATE card_renewal SET renewed_at = $2 WHERE order_id = $1 AND renewed_at IS NULL";

const GIVE_UP: &str = "DELETE FROM card_renewal WHERE order_id = $1 AND renewed_at IS NULL";

/// What keeps a card from being replaced, and from getting plastic. Of one that is locked for good
/// plastic that is being made comes to nothing, and is in nobody's way.
const UNDER_WAY: &str = "\
    SELECT EXISTS (SELECT FROM card_renewal WHERE card_id = $1 AND renewed_at IS NULL)
        OR NOT $2 AND EXISTS (SELECT FROM card_order_renewal AS n JOIN card_order USING (reference)
            WHERE n.card_id = $1 AND state NOT IN ('LINKED', 'REFUSED'))";

/// What keeps a card from being renewed: another that comes in its place, and plastic that is made,
/// or that is a renewal's and waits for its activation.
const REPLACING: &str = "\
    SELECT EXISTS (SELECT FROM card_replacement AS r WHERE r.replaces = $1
        AND (EXISTS (SELECT FROM card_profile AS p WHERE p.order_id = r.order_id)
            OR EXISTS (SELECT FROM card_order AS o
                WHERE o.reference = r.order_id AND o.state <> 'REFUSED')))";
const MAKING: &str = "\
    SELECT EXISTS (SELECT FROM card_order
            WHERE physical_of = $1 AND state NOT IN ('LINKED', 'REFUSED'))
        OR EXISTS (SELECT FROM card_order_renewal AS n JOIN card_order USING (reference)
            WHERE n.card_id = $1 AND n.activated_at IS NULL AND state <> 'REFUSED')";

/// A renewal that was asked for.
struct Renewal {
    order: Uuid,
    card: CardId,
    expiry: Expiry,
    done: bool,
}

impl Renewal {
    fn read(row: &PgRow) -> Result<Self, Problem> {
        let wrong = || Problem::internal("reading a renewal", &"its month is none");
        let yymm = u16::try_from(row.try_get::<i16, _>("expiry")?).map_err(|_| wrong())?;
        Ok(Self {
            order: row.try_get("order_id")?,
            card: CardId(row.try_get("card_id")?),
            expiry: Expiry::from_yymm(yymm).map_err(|_| wrong())?,
            done: row.try_get("done")?,
        })
    }
}

impl Cards {
    /// That a card may be renewed now.
    ///
    /// # Errors
    /// `CONFLICT`: it was removed, waits for its activation, is locked for good, or is good for
    /// long; the customer or the account is blocked or closed. `CUSTOMER_NOT_VERIFIED`.
    pub async fn may_renew(
        &self,
        holder: Holder,
        owned: &OwnedCard,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let card = &owned.card;
        let conflict = |what: &str| Err(Problem::new("CONFLICT", what));
        match card.status {
            CardStatus::Removed => return conflict("the card was removed"),
            CardStatus::Inactive => return conflict("the card waits for its activation"),
            CardStatus::Active => {}
        }
        if card.lock.is_some_and(LockCode::is_irreversible) {
            return conflict("a card that is locked so stays locked: have it replaced");
        }
        self.in_use(holder, &owned.balance).await?;
        if !card.expiry.is_past(after(now, self.settings.renew_before)) {
            let days = self.settings.renew_before.as_secs() / 86_400;
            return conflict(&format!("a card is renewed in the last {days} days before it ends"));
        }
        Ok(())
    }

    /// As it stands on a card, where that is known.
    ///
    /// # Errors
    /// The database.
    pub async fn holder_name(&self, owned: &OwnedCard) -> Result<Option<String>, Problem> {
        Ok(self.profile(&owned.card).await?.holder_name)
    }

    /// Renews a virtual card. When this returns its later month is in force, and the one before is
    /// no longer good.
    ///
    /// # Errors
    /// As [`Self::may_renew`]. `CONFLICT`: it would be good no longer than it is, or it is being
    /// replaced, or plastic of it is being made. `PROCESSOR_REFUSED`: its processor renews it not.
    /// `PROCESSOR_UNAVAILABLE`: asking again, under the same key, tells it.
    pub async fn renew(
        &self,
        holder: Holder,
        owned: &OwnedCard,
        by: By,
    ) -> Result<OwnedCard, Problem> {
        let card = owned.card.id;
        let order = Uuid::from_bytes(by.key.0);
        if let Some(before) = self.renewal(OF_ORDER, order).await? {
            if before.card != card {
                let what = "another card was renewed under this idempotency key";
                return Err(Problem::new("CONFLICT", what));
            }
            self.end(before, by).await?;
            return self.now(card).await;
        }
        self.end_renewal(card, by).await?;
        let now = self.now(card).await?;
        self.may_renew(holder, &now, by.now).await?;
        let beyond = || Problem::internal("counting months", &"there is no such month");
        let expiry = months_on(by.now, self.settings.months).ok_or_else(beyond)?;
        is_later(expiry, now.card.expiry)?;
        let mut transaction = self.pool().begin().await?;
        alone(&mut transaction, card).await?;
        not_otherwise_under_way(&mut transaction, card).await?;
        let yymm = i16::try_from(expiry.yymm()).map_err(|_| beyond())?;
        let put = sqlx::query(PUT).bind(order).bind(card.0).bind(yymm).bind(PgTimestamp(by.now));
        match put.execute(&mut *transaction).await {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                return Err(renewing());
            }
            put => put.map(|_| ())?,
        }
        transaction.commit().await?;
        self.end(Renewal { order, card, expiry, done: false }, by).await?;
        self.now(card).await
    }

    /// Brings a renewal that was cut off, whoever asked for it, to its end. One that can never be
    /// done is over as well.
    pub(super) async fn end_renewal(&self, card: CardId, by: By) -> Result<(), Problem> {
        let Some(open) = self.renewal(OPEN, card.0).await? else { return Ok(()) };
        match self.end(open, by).await {
            Err(problem) if !is_final(&problem) => Err(problem),
            _ => Ok(()),
        }
    }

    /// Ends renewals whose caller did not come back.
    pub(super) async fn end_renewals(&self, now: Timestamp) -> Result<(), Problem> {
        let old = PgTimestamp(before(now, LEFT_ALONE));
        let left = sqlx::query_scalar::<_, i64>(LEFT).bind(old).fetch_all(self.pool()).await?;
        let actor = AsciiText::new(ACTOR.as_bytes()).unwrap_or(AsciiText::EMPTY);
        for card in left {
            let by = By { key: IdempotencyKey([0; 16]), actor, now };
            self.end_renewal(CardId(card), by).await?;
        }
        Ok(())
    }

    /// Its processor knows of the later month before it is in force.
    async fn renew_told(
        &self,
        (order, card, expiry): (Uuid, CardId, Expiry),
        by: By,
    ) -> Result<(), Problem> {
        let by = By { key: IdempotencyKey(*order.as_bytes()), ..by };
        // A shard that does not answer is no reason to give up what may have been told.
        let owned = self.now(card).await.map_err(|problem| match problem.code {
            "NOT_FOUND" => Problem::new("OVERLOADED", "the card's shard does not answer"),
            _ => problem,
        })?;
        self.will_be_told(&owned, Heard::Month(expiry), by).await?;
        let telling = self.telling(&owned, by).await?;
        if let Some(telling) = &telling {
            telling.processor.renew(telling.told, expiry).await?;
        }
        let act = Act::RenewCard { card, expiry, plastic: None };
        self.services.act(by.key, by.actor, act).await?;
        match telling {
            Some(telling) => telling.has(Heard::Month(expiry)).await,
            None => Ok(()),
        }
    }

    async fn renewal<'q, T>(&self, sql: &'static str, of: T) -> Result<Option<Renewal>, Problem>
    where
        T: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + 'q,
    {
        let found = sqlx::query(sql).bind(of).fetch_optional(self.pool()).await?;
        found.as_ref().map(Renewal::read).transpose()
    }

    /// Has the shard do it, and notes that. What can never be done is none.
    async fn end(&self, renewal: Renewal, by: By) -> Result<(), Problem> {
        let Renewal { order, card, expiry, done } = renewal;
        if done {
            return Ok(());
        }
        if let Err(problem) = self.renew_told((order, card, expiry), by).await {
            if is_final(&problem) {
                sqlx::query(GIVE_UP).bind(order).execute(self.pool()).await?;
            }
            return Err(problem);
        }
        let noted = sqlx::query(DONE).bind(order).bind(PgTimestamp(by.now));
        noted.execute(self.pool()).await?;
        Ok(())
    }
}

/// Until the transaction ends nobody else decides what comes of a card: whoever waits here sees
/// what was decided.
pub(in crate::service) async fn alone(
    connection: &mut PgConnection,
    card: CardId,
) -> Result<(), Problem> {
    let alone = "SELECT pg_advisory_xact_lock(hashtext('cardswitch card_replacement'), \
                 ($1::int8 % 2147483647)::int4)";
    sqlx::query(alone).bind(card.0).execute(connection).await?;
    Ok(())
}

/// That nothing comes in a card's place.
pub(in crate::service) async fn not_replaced(
    connection: &mut PgConnection,
    card: CardId,
) -> Result<(), Problem> {
    let is_so = sqlx::query_scalar::<_, bool>(REPLACING).bind(card.0);
    if is_so.fetch_one(connection).await? {
        let what = "the card is replaced, or another is being made in its place";
        return Err(Problem::new("CONFLICT", what));
    }
    Ok(())
}

/// The same, and that no plastic of it is being made.
pub(in crate::service) async fn not_otherwise_under_way(
    connection: &mut PgConnection,
    card: CardId,
) -> Result<(), Problem> {
    not_replaced(connection, card).await?;
    let is_so = sqlx::query_scalar::<_, bool>(MAKING).bind(card.0);
    if is_so.fetch_one(connection).await? {
        let what = "plastic of the card is being made, or waits for its activation";
        return Err(Problem::new("CONFLICT", what));
    }
    Ok(())
}

/// That a card, which may be locked for good, is not being renewed.
pub(in crate::service) async fn not_renewing(
    connection: &mut PgConnection,
    card: CardId,
    is_final: bool,
) -> Result<(), Problem> {
    let under_way = sqlx::query_scalar::<_, bool>(UNDER_WAY).bind(card.0).bind(is_final);
    if under_way.fetch_one(connection).await? { Err(renewing()) } else { Ok(()) }
}

/// That a renewal brings a later month.
pub(in crate::service) fn is_later(new: Expiry, old: Expiry) -> Result<(), Problem> {
    if new > old {
        return Ok(());
    }
    Err(Problem::new("CONFLICT", "the card would be good no longer than it is"))
}

fn renewing() -> Problem {
    Problem::new("CONFLICT", "the card is being renewed")
}
