//! What the platform's own operators look for among all tenants. It owns the only statements that
//! find a customer without its tenant: no channel of a partner or a customer may call these.

use sqlx::Row;
use sqlx::postgres::PgRow;
use switch_domain::{CustomerId, PartnerId, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::kyc::Mode;
use super::{Page, Users, no_customer, pages};
use crate::Problem;

/// Those that partners verify themselves are the partners' affair.
const AWAITING: &str = "\
    SELECT c.public_id, c.partner_id, coalesce(s.kyc_mode, $1) AS mode,
        coalesce(i.given_up, false) AS given_up,
        (SELECT max(m.at) FROM kyc_move AS m WHERE m.customer_id = c.id) AS since
    FROM customer AS c
        LEFT JOIN partner_settings AS s ON s.partner_id = c.partner_id
        LEFT JOIN kyc_inquiry AS i ON i.customer_id = c.id
    WHERE c.kyc_state = 'PENDING' AND c.removed_at IS NULL AND NOT c.is_corporation
        AND c.id > $2::int8
        AND coalesce(s.kyc_mode, $1) <> 'own'
    ORDER BY c.id LIMIT $3";

/// A customer whose verification an operator may decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitingReview {
    /// As paths name it.
    pub public_id: Uuid,
    /// Whose.
    pub partner: PartnerId,
    /// How the partner's customers are verified.
    pub mode: Mode,
    /// Whether a provider was asked, and is asked no more.
    pub given_up: bool,
    /// Since when.
    pub since: Option<Timestamp>,
}

impl Users {
    /// Which tenant a customer is of.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is no such customer, or it was removed.
    pub async fn partner_of(&self, customer: Uuid) -> Result<PartnerId, Problem> {
        let sql = "SELECT partner_id FROM customer \
                   WHERE public_id = $1 AND removed_at IS NULL AND NOT is_corporation";
        let found = sqlx::query_scalar(sql).bind(customer).fetch_optional(self.pool()).await?;
        found.map(PartnerId).ok_or_else(no_customer)
    }

    /// A customer as paths name it.
    ///
    /// # Errors
    /// `NOT_FOUND`: it was removed.
    pub async fn named(&self, customer: CustomerId) -> Result<Uuid, Problem> {
        let sql = "SELECT public_id FROM customer WHERE id = $1 AND removed_at IS NULL";
        let found = sqlx::query_scalar(sql).bind(customer.0).fetch_optional(self.pool()).await?;
        found.ok_or_else(no_customer)
    }

    /// A page of those who wait for an operator, in the order in which they were registered.
    ///
    /// # Errors
    /// `INVALID_REQUEST`: the size of the page, or a cursor that is none.
    pub async fn awaiting_review(
        &self,
        after: Option<Uuid>,
        size: Option<u32>,
    ) -> Result<Page<AwaitingReview>, Problem> {
        let size = pages::size(size, self.settings().page_most)?;
        // One that waits no more is still a place in the list.
        let after: i64 = match after {
            None => 0,
            Some(cursor) => {
                let id = sqlx::query_scalar(
                    "SELECT id FROM customer WHERE public_id = $1 AND NOT is_corporation",
                );
                let id = id.bind(cursor).fetch_optional(self.pool()).await?;
                id.ok_or_else(pages::no_cursor)?
            }
        };
        let page = sqlx::query(AWAITING).bind(self.settings().kyc_mode.name()).bind(after);
        let rows = page.bind(i64::from(size) + 1).fetch_all(self.pool()).await?;
        let rows = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(rows, size as usize, |waiting| waiting.public_id))
    }
}

fn read(row: &PgRow) -> Result<AwaitingReview, Problem> {
    let mode: String = row.try_get("mode")?;
    let unknown = || Problem::internal("reading who waits", &"the partner's mode");
    Ok(AwaitingReview {
        public_id: row.try_get("public_id")?,
        partner: PartnerId(row.try_get("partner_id")?),
        mode: Mode::named(&mode).ok_or_else(unknown)?,
        given_up: row.try_get("given_up")?,
        since: row.try_get::<Option<PgTimestamp>, _>("since")?.map(|at| at.0),
    })
}
