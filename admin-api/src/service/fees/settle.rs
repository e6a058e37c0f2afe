//! Fees that are owed, charged by the shards. It owns when a row is due (its card is there, and the
//! money, or the time to wait for it is over), that the command's key is the row's, and that the
//! row goes once the shard has the fee, and not before. Cut off anywhere it is sent again, under
//! the same key; where it was taken at once and nobody heard of it, the invoice is refused under
//! that key, and it was charged.

use std::time::Duration;

use futures_util::future::join_all;
use metrics::{counter, gauge};
use sqlx::Row;
use switch_domain::{AsciiText, CardId, IdempotencyKey, Taken, Timestamp};
use switch_shard::{Act, Manage, ManageError, Refusal};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::owed::{Owed, read};
use super::{FeeSettings, Fees};
use crate::Problem;
use crate::service::Services;
use crate::service::span::{after, before};

/// Rows that are taken at a time.
const AT_A_TIME: i64 = 256;
/// After a try that did not do it there is a pause.
const PAUSE: Duration = Duration::from_secs(30);

/// Of an order the card, once it is there; gone is what was refused or given up. An account that
/// the tables do not have yet has nothing.
const DUE: &str = "\
    SELECT o.*, coalesce(o.card_id, p.card_id, c.card_id) AS made, o.since <= $2 AS is_over,
        o.order_id IS NOT NULL AND p.order_id IS NULL
            AND (c.reference IS NULL OR c.state = 'REFUSED') AS is_gone
    FROM fee_owed AS o
    LEFT JOIN card_profile AS p ON p.order_id = o.order_id
    LEFT JOIN card_order AS c ON c.reference = o.order_id
    LEFT JOIN balance AS b ON b.id = o.balance_id
    WHERE o.next_at <= $1 AND (
        o.order_id IS NOT NULL AND p.order_id IS NULL
            AND (c.reference IS NULL OR c.state = 'REFUSED')
        OR (o.order_id IS NULL OR coalesce(p.card_id, c.card_id) IS NOT NULL)
            AND (o.taken = 'INVOICED' OR o.since <= $2 OR b.ledger - b.held >= o.amount))
    ORDER BY o.next_at, o.key LIMIT $3";

const OF_ORDER: &str = "\
    SELECT o.*, p.card_id AS made, false AS is_over, false AS is_gone
    FROM fee_owed AS o JOIN card_profile AS p ON p.order_id = o.order_id
    WHERE o.order_id = $1 AND p.card_id IS NOT NULL";

const DONE: &str = "DELETE FROM fee_owed WHERE key = $1";
const LATER: &str = "UPDATE fee_owed SET next_at = $2 WHERE key = $1";

/// A fee that is due.
struct Due {
    owed: Owed,
    card: Option<CardId>,
    /// It was waited for long enough.
    is_over: bool,
    /// Its order came to nothing.
    is_gone: bool,
}

/// What became of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Charged,
    Invoiced,
    /// Nobody can be charged for it: the account is closed, or its order came to nothing.
    Dropped,
    /// The account lacks the money.
    Short,
    Later,
}

impl Fees {
    /// Charges what is due, until nothing is; how many fees were.
    ///
    /// # Errors
    /// The database: what was charged is charged.
    pub(super) async fn settle(&self, now: Timestamp) -> Result<u64, Problem> {
        let FeeSettings { charges_at_once, waits, .. } = self.settings;
        let at_once = usize::try_from(charges_at_once).unwrap_or(1).max(1);
        let mut settled = 0_u64;
        loop {
            let rows = sqlx::query(DUE).bind(PgTimestamp(now));
            let rows = rows.bind(PgTimestamp(before(now, waits))).bind(AT_A_TIME);
            let due = rows.fetch_all(self.pool()).await?;
            let due: Vec<Due> = due.iter().map(due_of).collect::<Result<_, _>>()?;
            let found = due.len();
            for some in due.chunks(at_once) {
                let ends = some.iter().map(|one| self.services.settle_one(one, now));
                for end in join_all(ends).await {
                    settled = settled.saturating_add(u64::from(end? != End::Later));
                }
            }
            if found < usize::try_from(AT_A_TIME).unwrap_or(usize::MAX) {
                return Ok(settled);
            }
        }
    }

    /// Counts what is owed.
    pub(super) async fn count_owed(&self) -> Result<(), Problem> {
        let sql = "SELECT count(*) FROM fee_owed";
        let owed: i64 = sqlx::query_scalar(sql).fetch_one(self.pool()).await?;
        gauge!("cardswitch_fees_owed").set(owed as f64);
        Ok(())
    }
}

impl Services {
    /// Charges the fee of an order whose card is there, before its answer is: what cannot be
    /// charged now is when it can.
    pub(in crate::service) async fn settle_fee_of(&self, order: Uuid, now: Timestamp) {
        let done = async {
            let found = sqlx::query(OF_ORDER).bind(order).fetch_optional(self.store.pool()).await?;
            match found.as_ref().map(due_of).transpose()? {
                Some(due) => self.settle_one(&due, now).await.map(|_| ()),
                None => Ok(()),
            }
        };
        if let Err(problem) = done.await {
            tracing::info!(%problem, %order, "the fee of a card is charged later");
        }
    }

    async fn settle_one(&self, due: &Due, now: Timestamp) -> Result<End, Problem> {
        let key = due.owed.key;
        let end = match due.is_gone {
            true => End::Dropped,
            false => self.charge(due).await,
        };
        let name = match end {
            End::Short | End::Later => {
                let later = sqlx::query(LATER).bind(key).bind(PgTimestamp(after(now, PAUSE)));
                later.execute(self.store.pool()).await?;
                return Ok(end);
            }
            End::Charged => "charged",
            End::Invoiced => "invoiced",
            End::Dropped => "dropped",
        };
        sqlx::query(DONE).bind(key).execute(self.store.pool()).await?;
        counter!("cardswitch_fees_settled_total", "end" => name).increment(1);
        Ok(end)
    }

    async fn charge(&self, due: &Due) -> End {
        let Owed { taken, .. } = due.owed;
        let end = self.charge_as(due, taken).await;
        match end {
            End::Short if due.is_over => self.charge_as(due, Taken::Invoiced).await,
            End::Short => End::Later,
            end => end,
        }
    }

    async fn charge_as(&self, due: &Due, taken: Taken) -> End {
        let Due { owed, card, .. } = due;
        let act = Act::ChargeFee {
            balance: owed.balance,
            card: *card,
            event: owed.event,
            fee: owed.amount.minor,
            taken,
            reference: owed.words(),
        };
        let actor = AsciiText::new(b"fees").unwrap_or_default();
        let key = IdempotencyKey(owed.key.into_bytes());
        let done = match taken {
            Taken::AtOnce => End::Charged,
            Taken::Invoiced => End::Invoiced,
        };
        match self.node.manage(Manage { key, actor, act }, None).await {
            Ok(_) => done,
            // It was charged under this key before, in the other way or by another price.
            Err(ManageError::Refused(Refusal::KeyReused)) => End::Charged,
            Err(ManageError::Refused(Refusal::InsufficientFunds)) => End::Short,
            Err(ManageError::Refused(Refusal::BalanceClosed)) => {
                tracing::warn!(
                    balance = owed.balance.0, fee = %owed.reference,
                    "a fee is not charged: its account is closed"
                );
                End::Dropped
            }
            Err(error) => {
                tracing::debug!(%error, fee = %owed.reference, "a fee is not charged yet");
                End::Later
            }
        }
    }
}

fn due_of(row: &sqlx::postgres::PgRow) -> Result<Due, Problem> {
    Ok(Due {
        owed: read(row)?,
        card: row.try_get::<Option<i64>, _>("made")?.map(CardId),
        is_over: row.try_get("is_over")?,
        is_gone: row.try_get("is_gone")?,
    })
}
