//! Whoever has accounts and cards: customers, and corporations, which are customers to the shards
//! alone. It owns the only statements here that find both; what is a person's affair (data,
//! verification, devices) finds customers and nothing else.

use sqlx::PgConnection;
use switch_domain::{CustomerId, PartnerId};
use uuid::Uuid;

use super::balances::verified;
use super::customers::select;
use super::{Customer, Users, no_customer};
use crate::Problem;

const ID: &str = "\
    SELECT id FROM customer WHERE partner_id = $1 AND public_id = $2 AND removed_at IS NULL";

impl Users {
    /// Whoever has accounts and cards by this name: a customer, or a corporation, of which nothing
    /// is known here.
    ///
    /// # Errors
    /// `NOT_FOUND`, as [`Users::customer`].
    pub async fn holder(&self, partner: PartnerId, id: Uuid) -> Result<Customer, Problem> {
        let sql = select!("WHERE partner_id = $1 AND public_id = $2 AND removed_at IS NULL");
        let row = sqlx::query(sql).bind(partner.0).bind(id).fetch_optional(self.pool()).await?;
        self.one(row).await
    }

    /// As the shards know it.
    pub(super) async fn holder_id(
        &self,
        partner: PartnerId,
        id: Uuid,
    ) -> Result<CustomerId, Problem> {
        let found = sqlx::query_scalar(ID).bind(partner.0).bind(id);
        found.fetch_optional(self.pool()).await?.map(CustomerId).ok_or_else(no_customer)
    }

    /// Which tenant whoever has accounts and cards is of.
    ///
    /// # Errors
    /// `NOT_FOUND`, as [`Users::partner_of`].
    pub async fn partner_of_holder(&self, holder: Uuid) -> Result<PartnerId, Problem> {
        let sql = "SELECT partner_id FROM customer WHERE public_id = $1 AND removed_at IS NULL";
        let found = sqlx::query_scalar(sql).bind(holder).fetch_optional(self.pool()).await?;
        found.map(PartnerId).ok_or_else(no_customer)
    }
}

/// That somebody was verified, or approved, and stays so until the transaction ends.
pub(in crate::service) async fn stands(
    transaction: &mut PgConnection,
    id: CustomerId,
) -> Result<(), Problem> {
    let alone = sqlx::query("SELECT id FROM customer WHERE id = $1 FOR NO KEY UPDATE");
    alone.bind(id.0).execute(&mut *transaction).await?;
    verified(transaction, id).await
}

/// Locks the row of whoever has accounts and cards, and gives what it is to the shards.
pub(super) async fn locked_holder(
    transaction: &mut PgConnection,
    partner: PartnerId,
    public_id: Uuid,
) -> Result<CustomerId, Problem> {
    let sql = "SELECT id FROM customer \
               WHERE partner_id = $1 AND public_id = $2 AND removed_at IS NULL FOR NO KEY UPDATE";
    let query = sqlx::query_scalar(sql).bind(partner.0).bind(public_id);
    query.fetch_optional(transaction).await?.map(CustomerId).ok_or_else(no_customer)
}
