//! What is no longer needed of orders goes: where cards went, and to whom (personal data), and that
//! reports were read. It owns how long each is kept.

use sqlx::PgConnection;
use switch_domain::{CustomerId, Timestamp};
use switch_store::PgTimestamp;

use super::Plastic;
use crate::Problem;
use crate::service::span::before;

/// Rows of one statement.
const AT_A_TIME: i64 = 1_000;

const FORGET: &str = "\
    UPDATE card_order SET holder_name = NULL, addressee = NULL, street = NULL, city = NULL,
        postal_code = NULL, country = NULL, phone = NULL, forgotten_at = $1
    WHERE reference IN (
        SELECT reference FROM card_order
        WHERE forgotten_at IS NULL AND state IN ('LINKED', 'REFUSED') AND ordered_at < $2
        ORDER BY ordered_at LIMIT $3)";

/// Of one who is removed nothing stays, and what waits for a file is not made any more.
const FORGET_CUSTOMER: &str = "\
    UPDATE card_order SET holder_name = NULL, addressee = NULL, street = NULL, city = NULL,
        postal_code = NULL, country = NULL, phone = NULL, forgotten_at = $2,
        refusal = CASE state WHEN 'ORDERED' THEN 'CUSTOMER_REMOVED' ELSE refusal END,
        state = CASE state WHEN 'ORDERED' THEN 'REFUSED' ELSE state END
    WHERE customer_id = $1 AND forgotten_at IS NULL";

/// Their PINs go as well.
const FORGET_PINS: &str = "\
    DELETE FROM card_order_pin WHERE reference IN (
        SELECT reference FROM card_order WHERE customer_id = $1 AND state = 'REFUSED')";

const FORGET_REPORTS: &str = "\
    DELETE FROM perso_report WHERE digest IN (
        SELECT digest FROM perso_report WHERE read_at < $1 ORDER BY read_at LIMIT $2)";

impl Plastic {
    /// Forgets what is over; how many rows.
    pub(super) async fn forget(&self, now: Timestamp) -> Result<u64, Problem> {
        let until = before(now, self.settings.keep_address);
        let addresses = sqlx::query(FORGET).bind(PgTimestamp(now)).bind(PgTimestamp(until));
        let addresses = addresses.bind(AT_A_TIME).execute(self.pool()).await?.rows_affected();
        let until = before(now, self.settings.keep_reports);
        let reports = sqlx::query(FORGET_REPORTS).bind(PgTimestamp(until)).bind(AT_A_TIME);
        let reports = reports.execute(self.pool()).await?.rows_affected();
        Ok(addresses.saturating_add(reports))
    }
}

/// Where a customer is removed.
pub(in crate::service) async fn forget_customer(
    transaction: &mut PgConnection,
    customer: CustomerId,
    now: Timestamp,
) -> Result<(), Problem> {
    let forget = sqlx::query(FORGET_CUSTOMER).bind(customer.0).bind(PgTimestamp(now));
    forget.execute(&mut *transaction).await?;
    sqlx::query(FORGET_PINS).bind(customer.0).execute(transaction).await?;
    Ok(())
}
