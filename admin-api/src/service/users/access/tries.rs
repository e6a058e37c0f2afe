//! The count of wrong PINs of an installation. It owns that a try is counted, and committed, before
//! the PIN is looked at: however many try at once, on however many processes, no more are looked at
//! than there are tries; and the count is in the table, so that no restart forgives any.

use switch_domain::CustomerId;

use super::pin::UserPin;
use super::unauthenticated;
use crate::Problem;
use crate::service::users::Users;

const COUNT: &str = "\
    UPDATE installation SET pin_wrong = pin_wrong + 1
    WHERE id = $1 AND ended_at IS NULL AND pin_wrong < $2 RETURNING pin_hash, pin_wrong";

/// An installation that proved itself by its secret, or by a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) installation: i64,
    pub(super) customer: CustomerId,
}

impl Users {
    /// Tries a PIN.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`: it is wrong, or the installation is blocked or has ended. `OVERLOADED`:
    /// nothing was tried.
    pub(super) async fn try_pin(&self, known: Known, pin: UserPin) -> Result<(), Problem> {
        let place = self.hashing.place()?;
        let most = i32::try_from(self.settings().access.pin_tries).unwrap_or(i32::MAX);
        let counted: Option<(Vec<u8>, i32)> = sqlx::query_as(COUNT)
            .bind(known.installation)
            .bind(most)
            .fetch_optional(self.pool())
            .await?;
        let (kept, wrong) = counted.ok_or_else(unauthenticated)?;
        if self.hashing.is(place, pin, kept).await? {
            let sql = "UPDATE installation SET pin_wrong = 0 WHERE id = $1 AND ended_at IS NULL";
            sqlx::query(sql).bind(known.installation).execute(self.pool()).await?;
            return Ok(());
        }
        metrics::counter!("cardswitch_user_pin_wrong_total").increment(1);
        if wrong >= most {
            metrics::counter!("cardswitch_installations_blocked_total").increment(1);
            tracing::warn!(customer = known.customer.0, "an installation is blocked: wrong PINs");
            // What was open goes: whoever tries may have the device.
            let sql = "DELETE FROM user_session WHERE installation_id = $1";
            sqlx::query(sql).bind(known.installation).execute(self.pool()).await?;
        }
        Err(unauthenticated())
    }
}
