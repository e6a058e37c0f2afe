//! What is known of cards beside the engine's own: the table `card_profile`, written before a card
//! is asked for and read with it. It holds no number and no code, and decides nothing.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{
    AsciiText, BalanceId, Card, CardId, CustomerId, LockCode, PartnerId, Timestamp,
};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::lock_policy::Channel;
use super::processor::{IN_PROCESS, ProcessorReference};
use crate::Problem;
use crate::service::programmes::Terminal;
use crate::service::users::stands;

/// Those whose maker did not come back for so long are not counted, and go.
const FORGOTTEN: &str = "interval '1 day'";

const INSERT: &str = "\
    INSERT INTO card_profile (order_id, partner_id, customer_id, balance_id, form, holder_name,
        reference, processor, asked_at, replaces, terminal)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (order_id) DO NOTHING";

/// Of one that was made by command; what its chip says tells its form.
const ADOPT: &str = "\
    INSERT INTO card_profile (order_id, partner_id, customer_id, balance_id, card_id, form,
        processor, asked_at, made_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (card_id) DO NOTHING";

/// A row that was claimed before stays the order's as long as a number is in it.
const CLAIM: &str = "\
    UPDATE card_profile SET vault_row = $2, processor_reference = $4
    WHERE order_id = $1 AND (vault_row = $2 OR NOT $3
        AND NOT EXISTS (SELECT FROM pan_vault AS v WHERE v.id = card_profile.vault_row)
        AND NOT EXISTS (SELECT FROM card_order AS o WHERE o.vault_row = $2))";

const TAKE_OVER: &str = "\
    UPDATE card_profile AS own SET locked_by = adopted.locked_by, lock_code = adopted.lock_code,
        removed_at = adopted.removed_at
    FROM card_profile AS adopted
    WHERE own.order_id = $1 AND adopted.card_id = $2 AND adopted.order_id <> $1";

const TAKEN_OVER: &str = "DELETE FROM card_profile WHERE card_id = $2 AND order_id <> $1";

const MADE: &str = "\
    UPDATE card_profile
    SET card_id = $2, last_four = $3, made_at = $5,
        processor_reference = coalesce(nullif($4, ''), processor_reference)
    WHERE order_id = $1 AND card_id IS NULL";

const ORDERED: &str = "\
    SELECT order_id, partner_id, customer_id, balance_id, holder_name, reference, processor,
        terminal, replaces, asked_at, card_id
    FROM card_profile WHERE order_id = $1 AND form = 'VIRTUAL'";

// A card that was made a moment ago is not noted in its order yet; who made it is found by the row
// of its number.
macro_rules! read {
    ($from:literal) => {
        concat!(
            "SELECT ids.id, p.order_id, p.form, p.physical_of, p.replaces, p.holder_name, \
             p.reference, coalesce(o.processor, p.processor) AS processor, \
             coalesce(o.processor_reference, p.processor_reference) AS processor_reference, \
             p.locked_by, p.lock_code, \
             coalesce(p.last_four, v.last_four) AS last_four, \
             (SELECT r.card_id FROM card_profile AS r WHERE r.replaces = ids.id \
              AND r.card_id IS NOT NULL LIMIT 1) AS replaced_by \
             FROM ",
            $from,
            " LEFT JOIN card_profile AS p ON p.card_id = ids.id \
             LEFT JOIN card_profile AS o ON o.vault_row = ids.vault_row \
             LEFT JOIN pan_vault AS v ON v.id = ids.vault_row"
        )
    };
}

const OF: &str = read!("unnest($1::int8[], $2::int8[]) AS ids (id, vault_row)");

/// Whether there is plastic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// There is none.
    Virtual,
    /// There is.
    Physical,
}

impl Form {
    /// As in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Virtual => "VIRTUAL",
            Self::Physical => "PHYSICAL",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Virtual, Self::Physical].into_iter().find(|form| form.name() == name)
    }
}

/// A card that is to be made. It names a person: it has no printable form.
#[derive(Clone)]
pub(super) struct Ordered {
    pub(super) order: Uuid,
    pub(super) partner: PartnerId,
    pub(super) customer: CustomerId,
    pub(super) balance: BalanceId,
    pub(super) form: Form,
    pub(super) holder_name: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) processor: String,
    /// Where that makes it.
    pub(super) terminal: Option<Terminal>,
    pub(super) replaces: Option<CardId>,
    /// When it was asked for first: the same with every asking, for its last month follows from it.
    pub(super) asked: Timestamp,
}

impl Ordered {
    /// The order of a virtual card.
    pub(super) fn read(row: &PgRow) -> Result<Self, Problem> {
        Ok(Self {
            order: row.try_get("order_id")?,
            partner: PartnerId(row.try_get("partner_id")?),
            customer: CustomerId(row.try_get("customer_id")?),
            balance: BalanceId(row.try_get("balance_id")?),
            form: Form::Virtual,
            holder_name: row.try_get("holder_name")?,
            reference: row.try_get("reference")?,
            processor: row.try_get("processor")?,
            terminal: row.try_get::<Option<String>, _>("terminal")?.map(Terminal::kept),
            replaces: row.try_get::<Option<i64>, _>("replaces")?.map(CardId),
            asked: row.try_get::<PgTimestamp, _>("asked_at")?.0,
        })
    }
}

/// What is known of a card. It names a person: it has no printable form.
#[derive(Clone, Default)]
pub(super) struct Profile {
    pub(super) form: Option<Form>,
    pub(super) physical_of: Option<CardId>,
    pub(super) replaces: Option<CardId>,
    pub(super) replaced_by: Option<CardId>,
    pub(super) holder_name: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) last_four: String,
    pub(super) processor: Option<(String, ProcessorReference)>,
    pub(super) locked_by: Option<(Channel, LockCode)>,
}

/// The card of an order, where it was made.
pub(super) async fn made_of(
    connection: &mut PgConnection,
    order: Uuid,
    (partner, customer): (PartnerId, CustomerId),
) -> Result<Option<CardId>, Problem> {
    let sql = "SELECT card_id FROM card_profile WHERE order_id = $1 AND partner_id = $2 \
               AND customer_id = $3 AND card_id IS NOT NULL";
    let made = sqlx::query_scalar(sql).bind(order).bind(partner.0).bind(customer.0);
    Ok(made.fetch_optional(connection).await?.map(CardId))
}

/// Whether this was ordered before: what was looked at then is not looked at again.
pub(super) async fn is_ordered(
    connection: &mut PgConnection,
    order: Uuid,
    (partner, customer): (PartnerId, CustomerId),
) -> Result<bool, Problem> {
    let sql = "SELECT EXISTS (SELECT FROM card_profile WHERE order_id = $1 AND partner_id = $2 \
               AND customer_id = $3)";
    let ordered = sqlx::query_scalar(sql).bind(order).bind(partner.0).bind(customer.0);
    Ok(ordered.fetch_one(connection).await?)
}

/// The order of a virtual card, and the card, where it was made.
pub(super) async fn ordered(
    connection: &mut PgConnection,
    order: Uuid,
) -> Result<Option<(Ordered, Option<CardId>)>, Problem> {
    let found = sqlx::query(ORDERED).bind(order).fetch_optional(connection).await?;
    let read = |row: PgRow| -> Result<_, Problem> {
        let made = row.try_get::<Option<i64>, _>("card_id")?.map(CardId);
        Ok((Ordered::read(&row)?, made))
    };
    found.map(read).transpose()
}

/// Puts an order in, where its account has room. The same one again changes nothing: it stays as
/// old as it was, and with the processor and the terminal that it was given to first.
pub(super) async fn order(
    transaction: &mut PgConnection,
    ordered: &mut Ordered,
    most: u32,
) -> Result<(), Problem> {
    let now = ordered.asked;
    // Counted one after the other, or the limit would not be one.
    let alone = "SELECT pg_advisory_xact_lock(hashtext('cardswitch cards'), $1::int8::int4)";
    let of_balance = ordered.balance.0 & 0x7FFF_FFFF;
    sqlx::query(alone).bind(of_balance).execute(&mut *transaction).await?;
    let inserted = sqlx::query(INSERT)
        .bind(ordered.order)
        .bind(ordered.partner.0)
        .bind(ordered.customer.0)
        .bind(ordered.balance.0)
        .bind(ordered.form.name())
        .bind(&ordered.holder_name)
        .bind(&ordered.reference)
        .bind(&ordered.processor)
        .bind(PgTimestamp(now))
        .bind(ordered.replaces.map(|card| card.0))
        .bind(ordered.terminal.as_ref().map(Terminal::as_str));
    if inserted.execute(&mut *transaction).await?.rows_affected() == 0 {
        let sql = "SELECT asked_at, processor, terminal FROM card_profile WHERE order_id = $1";
        let before = sqlx::query(sql).bind(ordered.order).fetch_one(transaction).await?;
        ordered.asked = before.try_get::<PgTimestamp, _>("asked_at")?.0;
        ordered.processor = before.try_get("processor")?;
        ordered.terminal = before.try_get::<Option<String>, _>("terminal")?.map(Terminal::kept);
        return Ok(());
    }
    // What was looked at before may have changed since.
    stands(&mut *transaction, ordered.customer).await?;
    let sql = format!(
        "SELECT count(*) FROM card_profile AS p WHERE balance_id = $1 AND removed_at IS NULL \
         AND (card_id IS NOT NULL OR asked_at > $2 - {FORGOTTEN}) \
         AND NOT EXISTS (SELECT FROM card_profile AS r WHERE r.replaces = p.card_id)"
    );
    let count = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(sql));
    let count = count.bind(ordered.balance.0).bind(PgTimestamp(now));
    if count.fetch_one(transaction).await? > i64::from(most) {
        return Err(Problem::new("EXHAUSTED", format!("an account has {most} cards at most")));
    }
    Ok(())
}

/// Whether this row of the vault is for this order: it was before, or is now, where neither a card
/// nor plastic that is on its way has it.
pub(super) async fn claim(
    connection: &mut PgConnection,
    order: Uuid,
    (row, is_known): (i64, bool),
    reference: ProcessorReference,
) -> Result<bool, Problem> {
    let claiming = sqlx::query(CLAIM).bind(order).bind(row).bind(is_known);
    let claiming = claiming.bind(reference.as_str());
    match claiming.execute(connection).await {
        Ok(claimed) => Ok(claimed.rows_affected() == 1),
        // Another order did so in the same moment.
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The card of an order was made. Who locked or removed it before this was noted has made a row of
/// it, which becomes this one.
pub(super) async fn made(
    connection: &mut PgConnection,
    order: Uuid,
    (card, last_four): (CardId, Option<&str>),
    reference: ProcessorReference,
    now: Timestamp,
) -> Result<(), Problem> {
    for sql in [TAKE_OVER, TAKEN_OVER] {
        sqlx::query(sql).bind(order).bind(card.0).execute(&mut *connection).await?;
    }
    let made = sqlx::query(MADE).bind(order).bind(card.0).bind(last_four);
    made.bind(reference.as_str()).bind(PgTimestamp(now)).execute(connection).await?;
    Ok(())
}

/// An order that came to nothing.
pub(super) async fn give_up(connection: &mut PgConnection, order: Uuid) -> Result<(), Problem> {
    let sql = "DELETE FROM card_profile WHERE order_id = $1 AND card_id IS NULL";
    sqlx::query(sql).bind(order).execute(connection).await?;
    Ok(())
}

/// Makes sure that a card has a row: one that was made by command has none.
pub(super) async fn adopt(
    connection: &mut PgConnection,
    (card, balance): (CardId, BalanceId),
    (partner, customer): (PartnerId, CustomerId),
    form: Form,
    now: Timestamp,
) -> Result<(), Problem> {
    let adopt = sqlx::query(ADOPT).bind(Uuid::new_v4()).bind(partner.0).bind(customer.0);
    let adopt = adopt.bind(balance.0).bind(card.0).bind(form.name()).bind(IN_PROCESS);
    adopt.bind(PgTimestamp(now)).execute(connection).await?;
    Ok(())
}

/// What is known of a card.
pub(super) async fn one(connection: &mut PgConnection, card: &Card) -> Result<Profile, Problem> {
    let found = profiles(connection, &[(card.id, card.vault.row)]).await?;
    Ok(found.into_iter().next().map(|(_, profile)| profile).unwrap_or_default())
}

/// What is known of these cards, each with the row of the vault that its number is in; in no order.
pub(super) async fn profiles(
    connection: &mut PgConnection,
    cards: &[(CardId, i64)],
) -> Result<Vec<(CardId, Profile)>, Problem> {
    let (ids, rows): (Vec<i64>, Vec<i64>) = cards.iter().map(|(card, row)| (card.0, *row)).unzip();
    let found = sqlx::query(OF).bind(ids).bind(rows).fetch_all(connection).await?;
    found.iter().map(read).collect()
}

fn read(row: &PgRow) -> Result<(CardId, Profile), Problem> {
    let unknown = || Problem::internal("reading a card's row", &"a word that nobody wrote");
    let card = |name| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(name)?.map(CardId));
    let text = |name| row.try_get::<Option<String>, _>(name);
    let form = text("form")?.map(|form| Form::named(&form).ok_or_else(unknown)).transpose()?;
    let locked_by = text("locked_by")?.and_then(|name| Channel::named(&name));
    let code = row.try_get::<Option<i16>, _>("lock_code")?;
    let code = code.and_then(|code| LockCode::from_number(u8::try_from(code).ok()?));
    let reference = text("processor_reference")?.unwrap_or_default();
    let reference = AsciiText::new(reference.as_bytes()).map_err(|_| unknown())?;
    let profile = Profile {
        form,
        physical_of: card("physical_of")?,
        replaces: card("replaces")?,
        replaced_by: card("replaced_by")?,
        holder_name: text("holder_name")?,
        reference: text("reference")?,
        last_four: text("last_four")?.unwrap_or_default(),
        processor: text("processor")?.map(|name| (name, reference)),
        locked_by: locked_by.zip(code),
    };
    Ok((CardId(row.try_get("id")?), profile))
}
