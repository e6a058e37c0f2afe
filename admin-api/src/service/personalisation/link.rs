//! Linking (SR-166): a card that the bureau has made becomes one of the shards', inactive until its
//! holder has it (SR-170). It owns that this happens once, whenever it is tried again, and what of
//! a refusal is final.

use sqlx::Row;
use sqlx::postgres::PgRow;
use switch_domain::{
    AsciiText, BalanceId, CardId, CardStatus, Expiry, PinReference, ServiceCode, Timestamp,
    VaultRef,
};
use switch_shard::{Act, Manage, ManageError, Refusal};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::Plastic;
use super::pin::reference_of;
use crate::service::cards::mark;
use crate::service::cards::processor::IN_PROCESS;
use crate::service::span::micros;
use crate::{Problem, idempotency_key};

/// As the journal calls this.
const ACTOR: &str = "personalisation";
/// Cards that are linked in one step.
const AT_A_TIME: i64 = 200;

const DUE: &str = "\
    SELECT reference, balance_id, physical_of, expiry, service_code, sequence, vault_row, digits,
        key_index,
        EXISTS (SELECT FROM card_order_renewal AS n WHERE n.reference = card_order.reference)
            AS renews
    FROM card_order LEFT JOIN card_order_pin USING (reference)
    WHERE state = 'PERSONALISED' AND next_at <= $1 ORDER BY next_at LIMIT $2";

/// Its PIN is the card's by then.
const LINKED: &str = "\
    WITH gone AS (DELETE FROM card_order_pin WHERE reference = $1)
    UPDATE card_order SET state = 'LINKED', card_id = $2, linked_at = $3
    WHERE reference = $1 AND state = 'PERSONALISED'";

/// What holder and partner see of it. A card of a corporation in another's place is the same
/// employee's. A virtual card that plastic was made of has its row, and is
/// plastic from now on. Its maker stays; a row that somebody made of a card with a number of
/// its own before this was noted learns who that is.
const PROFILE: &str = "\
    INSERT INTO card_profile (order_id, partner_id, customer_id, balance_id, card_id, form,
        holder_name, last_four, processor, processor_reference, asked_at, made_at, replaces,
        reference)
    SELECT o.reference, o.partner_id, o.customer_id, o.balance_id, $2, 'PHYSICAL', o.holder_name,
        v.last_four, coalesce(o.processor, $4), o.processor_reference, o.ordered_at, $3, r.replaces,
        coalesce(o.reference_of_holder, b.reference)
    FROM card_order AS o LEFT JOIN pan_vault AS v ON v.id = o.vault_row
        LEFT JOIN card_replacement AS r ON r.order_id = o.reference
        LEFT JOIN card_profile AS b ON b.card_id = r.replaces AND EXISTS (
            SELECT FROM customer AS c WHERE c.id = o.customer_id AND c.is_corporation)
    WHERE o.reference = $1
    ON CONFLICT (card_id) DO UPDATE SET form = 'PHYSICAL',
        replaces = coalesce(card_profile.replaces, excluded.replaces),
        processor = CASE WHEN excluded.processor_reference IS NULL THEN card_profile.processor
            ELSE excluded.processor END,
        processor_reference =
            coalesce(excluded.processor_reference, card_profile.processor_reference)";

const REFUSED: &str = "\
    WITH gone AS (DELETE FROM card_order_pin WHERE reference = $1)
    UPDATE card_order SET state = 'REFUSED', refusal = $2
    WHERE reference = $1 AND state = 'PERSONALISED'";

/// Each pause is twice the one before, ten times.
const LATER: &str = "\
    UPDATE card_order SET attempts = attempts + 1,
        next_at = $2 + $3::int8 * 2 ^ least(attempts, 10) * interval '1 microsecond'
    WHERE reference = $1";

/// What came of linking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LinkStep {
    pub(super) linked: u32,
    pub(super) refused: u32,
    pub(super) later: u32,
}

struct Due {
    reference: Uuid,
    balance: BalanceId,
    physical_of: Option<CardId>,
    renews: bool,
    expiry: Expiry,
    service_code: ServiceCode,
    sequence: u8,
    vault_row: Option<i64>,
    pin: Option<PinReference>,
}

/// Why a card is not linked.
enum Unlinked {
    /// It never will be.
    Never(&'static str),
    /// Not now.
    Later(Problem),
}

impl From<Problem> for Unlinked {
    fn from(problem: Problem) -> Self {
        Self::Later(problem)
    }
}

impl From<ManageError> for Unlinked {
    fn from(error: ManageError) -> Self {
        match error {
            ManageError::Refused(Refusal::BalanceClosed | Refusal::NoSuchBalance) => {
                Self::Never("BALANCE_CLOSED")
            }
            ManageError::Refused(
                Refusal::NoSuchCard | Refusal::CardUnfit | Refusal::LockIsFinal,
            ) => Self::Never("CARD_REMOVED"),
            ManageError::Refused(Refusal::RenewalNotLater) => Self::Never("CARD_CHANGED"),
            other => Self::Later(other.into()),
        }
    }
}

impl Plastic {
    /// Links what the bureau has made.
    pub(super) async fn link(&self, now: Timestamp) -> Result<LinkStep, Problem> {
        let due = sqlx::query(DUE).bind(PgTimestamp(now)).bind(AT_A_TIME);
        let mut step = LinkStep::default();
        for row in due.fetch_all(self.pool()).await? {
            let due = Due::read(&row)?;
            let count = match self.link_one(&due).await {
                Ok(card) => {
                    self.linked(&due, card, now).await?;
                    &mut step.linked
                }
                Err(Unlinked::Never(why)) => {
                    self.refuse(&due, why).await?;
                    &mut step.refused
                }
                Err(Unlinked::Later(problem)) => {
                    tracing::warn!(order = %due.reference, %problem, "a card is not linked yet");
                    let later = sqlx::query(LATER).bind(due.reference).bind(PgTimestamp(now));
                    later.bind(micros(self.settings.pause)).execute(self.pool()).await?;
                    &mut step.later
                }
            };
            *count = count.saturating_add(1);
        }
        Ok(step)
    }

    /// There is a card, and whose it is can be seen.
    async fn linked(&self, due: &Due, card: CardId, now: Timestamp) -> Result<(), Problem> {
        let mut transaction = self.pool().begin().await?;
        let profile = sqlx::query(PROFILE).bind(due.reference).bind(card.0).bind(PgTimestamp(now));
        profile.bind(IN_PROCESS).execute(&mut *transaction).await?;
        // What became of it before this was noted is told too.
        mark(&mut transaction, &[card.0], (now, now)).await?;
        let linked = sqlx::query(LINKED).bind(due.reference).bind(card.0);
        linked.bind(PgTimestamp(now)).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// There will be no card. Its number is on plastic that is on its way, so nobody else gets it.
    async fn refuse(&self, due: &Due, why: &'static str) -> Result<(), Problem> {
        tracing::warn!(order = %due.reference, why, "a card that was made is not linked");
        let refused = sqlx::query(REFUSED).bind(due.reference).bind(why);
        refused.execute(self.pool()).await?;
        Ok(())
    }

    async fn link_one(&self, due: &Due) -> Result<CardId, Unlinked> {
        let actor = AsciiText::new(ACTOR.as_bytes()).unwrap_or(AsciiText::EMPTY);
        let key = |what: &str| idempotency_key(ACTOR, &format!("{what} {}", due.reference));
        let card = match due.physical_of {
            Some(card) => card,
            None => {
                let vault = self.vault_of(due).await?;
                let fingerprint = self.services.security.fingerprint(&self.number(vault).await?);
                let (balance, expiry) = (due.balance, due.expiry);
                let act = Act::IssueCard { balance, vault, expiry, status: CardStatus::Inactive };
                let issue = Manage { key: key("issue"), actor, act };
                let made = self.services.node.manage(issue, Some(fingerprint)).await?;
                let missing = || Problem::internal("linking a card", &"the command made no card");
                CardId(made.ok_or_else(missing)?)
            }
        };
        // Before it is known that the card has a chip, which was made with this PIN.
        if let Some(reference) = due.pin.clone() {
            let act = Act::SetPinReference { card, reference };
            self.services.node.manage(Manage { key: key("pin"), actor, act }, None).await?;
        }
        let (service_code, sequence) = (Some(due.service_code), due.sequence);
        let act = if due.renews {
            Act::AwaitPlastic { card, sequence }
        } else {
            Act::SetCardData { card, service_code, sequence }
        };
        self.services.node.manage(Manage { key: key("data"), actor, act }, None).await?;
        Ok(card)
    }

    async fn vault_of(&self, due: &Due) -> Result<VaultRef, Problem> {
        let missing = || Problem::internal("linking a card", &"its number is not in the vault");
        let row = due.vault_row.ok_or_else(missing)?;
        self.row_of_vault(row).await?.ok_or_else(missing)
    }
}

impl Due {
    fn read(row: &PgRow) -> Result<Self, Problem> {
        let wrong = || Problem::internal("reading an order", &"a member of it is out of range");
        let number = |column: &str| -> Result<u16, Problem> {
            u16::try_from(row.try_get::<i16, _>(column)?).map_err(|_| wrong())
        };
        Ok(Self {
            reference: row.try_get("reference")?,
            balance: BalanceId(row.try_get("balance_id")?),
            physical_of: row.try_get::<Option<i64>, _>("physical_of")?.map(CardId),
            renews: row.try_get("renews")?,
            expiry: Expiry::from_yymm(number("expiry")?).map_err(|_| wrong())?,
            service_code: ServiceCode::new(number("service_code")?).map_err(|_| wrong())?,
            sequence: u8::try_from(number("sequence")?).map_err(|_| wrong())?,
            vault_row: row.try_get("vault_row")?,
            pin: reference_of(row)?,
        })
    }
}
