//! The devices of a customer, for who may see and remove them: the customer and the partner. It
//! owns that with a device its installations and their sessions go.

use sqlx::Row;
use switch_domain::{PartnerId, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use crate::Problem;
use crate::service::users::Users;
use crate::service::users::customers::locked;

const LIST: &str = "\
    SELECT installation.public_id, device.public_id AS device, platform, model,
           installation.paired_at, pin_wrong >= $2 AS blocked
    FROM installation JOIN device ON device.id = installation.device_id
    WHERE installation.customer_id = $1 AND ended_at IS NULL ORDER BY installation.id";

/// An installation that is active.
#[derive(Clone, Debug)]
pub struct PairedInstallation {
    /// As paths name it.
    pub installation: Uuid,
    /// The device that it is on.
    pub device: Uuid,
    /// `ios`, `android` or `other`.
    pub platform: String,
    /// As the app said.
    pub model: String,
    /// Since when.
    pub paired_at: Timestamp,
    /// Whether wrong PINs have blocked it.
    pub blocked: bool,
}

impl Users {
    /// A customer's active installations, the oldest first.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn installations(
        &self,
        partner: PartnerId,
        customer: Uuid,
    ) -> Result<Vec<PairedInstallation>, Problem> {
        let customer = self.customer_id(partner, customer).await?;
        let tries = i32::try_from(self.settings().access.pin_tries).unwrap_or(i32::MAX);
        let rows = sqlx::query(LIST).bind(customer.0).bind(tries).fetch_all(self.pool()).await?;
        let listed = rows.iter().map(|row| {
            Ok(PairedInstallation {
                installation: row.try_get("public_id")?,
                device: row.try_get("device")?,
                platform: row.try_get("platform")?,
                model: row.try_get("model")?,
                paired_at: row.try_get::<PgTimestamp, _>("paired_at")?.0,
                blocked: row.try_get("blocked")?,
            })
        });
        listed.collect()
    }

    /// Forgives an installation its wrong PINs: the partner has seen who it is.
    ///
    /// # Errors
    /// `NOT_FOUND`: it is not this customer's, or has ended.
    pub async fn lift_pin_block(
        &self,
        partner: PartnerId,
        customer: Uuid,
        installation: Uuid,
    ) -> Result<(), Problem> {
        let customer = self.customer_id(partner, customer).await?;
        let lift = "UPDATE installation SET pin_wrong = 0 \
                    WHERE public_id = $1 AND customer_id = $2 AND ended_at IS NULL";
        let lift = sqlx::query(lift).bind(installation).bind(customer.0);
        let lifted = lift.execute(self.pool()).await?.rows_affected();
        if lifted == 1 { Ok(()) } else { Err(Problem::not_found("there is no such installation")) }
    }

    /// Removes a device, with its installations and their sessions.
    ///
    /// # Errors
    /// `NOT_FOUND`: it is not this customer's.
    pub async fn remove_device(
        &self,
        partner: PartnerId,
        customer: Uuid,
        device: Uuid,
    ) -> Result<(), Problem> {
        let mut transaction = self.pool().begin().await?;
        let customer = locked(&mut transaction, partner, customer).await?.id;
        let gone = "DELETE FROM device WHERE public_id = $1 AND customer_id = $2 RETURNING id";
        let gone = sqlx::query_scalar::<_, i64>(gone).bind(device).bind(customer.0);
        let gone = gone.fetch_optional(&mut *transaction).await?;
        let gone = gone.ok_or_else(|| Problem::not_found("there is no such device"))?;
        for sql in [
            "DELETE FROM user_session WHERE installation_id IN \
             (SELECT id FROM installation WHERE device_id = $1)",
            "DELETE FROM installation WHERE device_id = $1",
        ] {
            sqlx::query(sql).bind(gone).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
