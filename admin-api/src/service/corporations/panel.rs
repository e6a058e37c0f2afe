//! What the platform's own operators look for among the corporations of all tenants. It owns the
//! only statements that find one without its tenant: no channel of a partner may call these.

use switch_domain::PartnerId;
use uuid::Uuid;

use super::registry::{read, select};
use super::{CorporationPage, Corporations, KybState, no_corporation};
use crate::Problem;
use crate::service::users::{Page, pages};

impl Corporations {
    /// Which tenant a corporation is of.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn partner_of(&self, public_id: Uuid) -> Result<PartnerId, Problem> {
        let sql = "SELECT partner_id FROM customer WHERE public_id = $1 AND is_corporation";
        let found = sqlx::query_scalar(sql).bind(public_id).fetch_optional(self.pool()).await?;
        found.map(PartnerId).ok_or_else(no_corporation)
    }

    /// A page of all corporations in a state, in the order in which they were created.
    ///
    /// # Errors
    /// `INVALID_REQUEST`: the size of the page, or a cursor that is none.
    pub async fn queue(
        &self,
        state: KybState,
        after: Option<Uuid>,
        size: Option<u32>,
    ) -> Result<CorporationPage, Problem> {
        let size = pages::size(size, self.settings.page_most)?;
        // One that has moved on is still a place in the list.
        let after: i64 = match after {
            None => 0,
            Some(cursor) => {
                let id = "SELECT id FROM customer WHERE public_id = $1 AND is_corporation";
                let id = sqlx::query_scalar(id).bind(cursor).fetch_optional(self.pool()).await?;
                id.ok_or_else(pages::no_cursor)?
            }
        };
        let sql = select!(
            "WHERE o.state = $1 AND o.customer_id > $2::int8 ORDER BY o.customer_id LIMIT $3"
        );
        let query = sqlx::query(sql).bind(state.name()).bind(after).bind(i64::from(size) + 1);
        let rows = query.fetch_all(self.pool()).await?;
        let rows = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(rows, size as usize, |corporation| corporation.public_id))
    }
}
