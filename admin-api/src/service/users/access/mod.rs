//! How end users reach their own data from their devices: pairing, installations, sessions. It owns
//! the tables of these; who calls over which channel is not known here. Whoever proves themselves
//! badly is told the same in every case.

mod code;
mod devices;
mod pairing;
mod pin;
mod sessions;
mod settings;
mod tries;
mod upkeep;

use sqlx::PgConnection;
use switch_domain::CustomerId;

use crate::Problem;

pub use code::PairingCode;
pub use devices::PairedInstallation;
pub use pairing::{DeviceData, Paired};
pub use pin::UserPin;
pub use sessions::{Opened, Session};
pub use settings::AccessSettings;
pub use upkeep::Removed;

/// Whatever was wrong: nobody learns what.
fn unauthenticated() -> Problem {
    Problem::new("UNAUTHENTICATED", "who calls did not prove themselves")
}

/// Of a customer who is removed nothing opens anything any more.
pub(super) async fn forget(
    transaction: &mut PgConnection,
    customer: CustomerId,
) -> Result<(), Problem> {
    for sql in [
        "DELETE FROM user_session WHERE customer_id = $1",
        "DELETE FROM installation WHERE customer_id = $1",
        "DELETE FROM device WHERE customer_id = $1",
        "DELETE FROM pairing_code WHERE customer_id = $1",
    ] {
        sqlx::query(sql).bind(customer.0).execute(&mut *transaction).await?;
    }
    Ok(())
}
