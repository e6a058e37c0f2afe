//! Customers as commands know them: a partner's reference and nothing else. Their data, and the
//! table `customer`, are in `users`; their state is the shards'.

use sqlx::Row;
use switch_domain::{CustomerId, PartnerId};

use super::Services;
use crate::Problem;

impl Services {
    /// Registers a customer under the partner's own reference; the same reference gives the same
    /// customer again.
    ///
    /// # Errors
    /// The partner is unknown, the reference is empty or over 64 characters, its customer was
    /// removed, or the database fails.
    pub async fn register_customer(
        &self,
        partner: PartnerId,
        reference: &str,
    ) -> Result<CustomerId, Problem> {
        if !self.node.control().partners.contains_key(&partner) {
            return Err(Problem::not_found("there is no such partner"));
        }
        if reference.is_empty() || reference.len() > 64 {
            return Err(Problem::invalid("a customer's reference has 1 to 64 characters"));
        }
        let row = sqlx::query(
            "INSERT INTO customer (partner_id, reference) VALUES ($1, $2) \
             ON CONFLICT (partner_id, reference) DO UPDATE SET reference = excluded.reference \
             RETURNING id, removed_at IS NOT NULL AS removed",
        )
        .bind(partner.0)
        .bind(reference)
        .fetch_one(self.store.pool())
        .await?;
        if row.try_get("removed")? {
            return Err(Problem::new("CONFLICT", "the customer of this reference was removed"));
        }
        Ok(CustomerId(row.try_get("id")?))
    }

    /// Whose customer it is.
    pub(super) async fn partner_of_customer(
        &self,
        customer: CustomerId,
    ) -> Result<PartnerId, Problem> {
        let sql = "SELECT partner_id FROM customer WHERE id = $1 AND removed_at IS NULL";
        let row = sqlx::query(sql)
            .bind(customer.0)
            .fetch_optional(self.store.pool())
            .await?
            .ok_or_else(|| Problem::not_found("there is no such customer"))?;
        Ok(PartnerId(row.try_get("partner_id")?))
    }
}
