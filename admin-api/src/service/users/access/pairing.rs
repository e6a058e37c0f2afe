//! Pairing: a partner has a code made for its customer, and the app on the customer's device gives
//! it back. It owns devices and installations; of one device and one customer one installation is
//! active (SR-006), which the database holds too.

use sqlx::{PgConnection, Row};
use subtle::ConstantTimeEq;
use switch_domain::{CustomerId, PartnerId, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::code::PairingCode;
use super::pin::UserPin;
use super::unauthenticated;
use crate::Problem;
use crate::service::proof::BearerSecret;
use crate::service::span::after;
use crate::service::users::customers::locked;
use crate::service::users::{Users, rules};

const CODE: &str = "\
    INSERT INTO pairing_code (locator, partner_id, customer_id, hash, expires_at)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

/// A try is counted before the code is looked at.
const TRY: &str = "\
    UPDATE pairing_code SET tries = tries + 1
    WHERE locator = $1 AND tries < $2 AND expires_at > $3 RETURNING hash";

const USE: &str = "\
    DELETE FROM pairing_code WHERE locator = $1 AND hash = $2 AND expires_at > $3
    RETURNING customer_id, partner_id";

const DEVICE: &str = "\
    INSERT INTO device (public_id, customer_id, device_key, platform, model, paired_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (customer_id, device_key) DO UPDATE SET platform = excluded.platform,
        model = excluded.model, paired_at = excluded.paired_at
    RETURNING id, public_id";

const INSTALL: &str = "\
    INSERT INTO installation
        (public_id, device_id, customer_id, partner_id, secret_hash, pin_hash, paired_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// What the app says of its device.
#[derive(Clone, Debug)]
pub struct DeviceData {
    /// What it calls the device: the same after a new installation. 8 to 128 printable characters.
    pub key: String,
    /// `ios`, `android` or `other`.
    pub platform: String,
    /// 1 to 80 characters.
    pub model: String,
}

/// A device that was paired.
pub struct Paired {
    /// As paths name the device.
    pub device: Uuid,
    /// As sessions are opened with.
    pub installation: Uuid,
    /// What the app proves itself by; it is told once.
    pub secret: BearerSecret,
}

impl DeviceData {
    fn check(&self) -> Result<(), Problem> {
        let key = self.key.bytes().all(|byte| byte.is_ascii_graphic());
        if !key || !(8..=128).contains(&self.key.len()) {
            return Err(Problem::field("device.key", "8 to 128 printable characters"));
        }
        if !matches!(self.platform.as_str(), "ios" | "android" | "other") {
            return Err(Problem::field("device.platform", "ios, android or other"));
        }
        if !rules::is_text(&self.model, 80) {
            return Err(Problem::field("device.model", "1 to 80 characters"));
        }
        Ok(())
    }
}

impl Users {
    /// A code that pairs a device of a customer; the one of before is no more valid. Until when.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn pairing_code(
        &self,
        partner: PartnerId,
        customer: Uuid,
        now: Timestamp,
    ) -> Result<(PairingCode, Timestamp), Problem> {
        let expires = after(now, self.settings().access.pairing_life);
        let mut transaction = self.pool().begin().await?;
        let customer = locked(&mut transaction, partner, customer).await?.id;
        let before = sqlx::query("DELETE FROM pairing_code WHERE customer_id = $1");
        before.bind(customer.0).execute(&mut *transaction).await?;
        // Somebody else's code may be found by the same letters: another is drawn.
        for _ in 0..8 {
            let code = PairingCode::draw()?;
            let made = sqlx::query(CODE)
                .bind(code.locator())
                .bind(partner.0)
                .bind(customer.0)
                .bind(code.hash().as_slice())
                .bind(PgTimestamp(expires))
                .execute(&mut *transaction)
                .await?;
            if made.rows_affected() == 1 {
                transaction.commit().await?;
                return Ok((code, expires));
            }
        }
        Err(Problem::new("EXHAUSTED", "too many devices are being paired; try again later"))
    }

    /// Pairs a device: the installation that was active on it ends, and its sessions with it.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`: the code is wrong, used, too old or was tried too often.
    /// `INVALID_REQUEST`: a member. `EXHAUSTED`: the customer has too many devices.
    /// `OVERLOADED`: no PIN can be hashed now; a try of the code is used up.
    pub async fn pair(
        &self,
        code: &PairingCode,
        device: &DeviceData,
        pin: UserPin,
        now: Timestamp,
    ) -> Result<Paired, Problem> {
        let access = self.settings().access;
        device.check()?;
        pin.fit("pin", access.pin_least)?;
        let tried = sqlx::query_scalar::<_, Vec<u8>>(TRY)
            .bind(code.locator())
            .bind(i32::try_from(access.pairing_tries).unwrap_or(i32::MAX))
            .bind(PgTimestamp(now));
        let hash = tried.fetch_optional(self.pool()).await?.ok_or_else(unauthenticated)?;
        if !bool::from(hash.as_slice().ct_eq(code.hash().as_slice())) {
            metrics::counter!("cardswitch_pairing_codes_wrong_total").increment(1);
            return Err(unauthenticated());
        }
        let pin = self.hashing.hash(self.hashing.place()?, pin).await?;
        let mut transaction = self.pool().begin().await?;
        let used = sqlx::query(USE).bind(code.locator()).bind(hash).bind(PgTimestamp(now));
        let used = used.fetch_optional(&mut *transaction).await?.ok_or_else(unauthenticated)?;
        let customer = CustomerId(used.try_get("customer_id")?);
        let partner = PartnerId(used.try_get("partner_id")?);
        let paired = self.install(&mut transaction, (partner, customer), device, &pin, now).await?;
        transaction.commit().await?;
        Ok(paired)
    }

    async fn install(
        &self,
        transaction: &mut PgConnection,
        (partner, customer): (PartnerId, CustomerId),
        device: &DeviceData,
        pin: &[u8],
        now: Timestamp,
    ) -> Result<Paired, Problem> {
        let there = "SELECT id FROM customer WHERE id = $1 AND removed_at IS NULL \
                     FOR NO KEY UPDATE";
        let there = sqlx::query(there).bind(customer.0).fetch_optional(&mut *transaction).await?;
        there.ok_or_else(unauthenticated)?;
        let row = sqlx::query(DEVICE)
            .bind(Uuid::new_v4())
            .bind(customer.0)
            .bind(&device.key)
            .bind(&device.platform)
            .bind(&device.model)
            .bind(PgTimestamp(now))
            .fetch_one(&mut *transaction)
            .await?;
        let (id, device): (i64, Uuid) = (row.try_get("id")?, row.try_get("public_id")?);
        let devices = sqlx::query_scalar("SELECT count(*) FROM device WHERE customer_id = $1");
        let devices: i64 = devices.bind(customer.0).fetch_one(&mut *transaction).await?;
        let most = self.settings().access.devices_most;
        if devices > i64::from(most) {
            return Err(Problem::new("EXHAUSTED", format!("a customer has {most} devices")));
        }
        let active = "SELECT id FROM installation WHERE device_id = $1 AND ended_at IS NULL";
        let active = sqlx::query_scalar(active).bind(id).fetch_optional(&mut *transaction).await?;
        if let Some(active) = active {
            end(transaction, active, now).await?;
        }
        let (installation, secret) = (Uuid::new_v4(), BearerSecret::draw()?);
        sqlx::query(INSTALL)
            .bind(installation)
            .bind(id)
            .bind(customer.0)
            .bind(partner.0)
            .bind(secret.hash().as_slice())
            .bind(pin)
            .bind(PgTimestamp(now))
            .execute(&mut *transaction)
            .await?;
        self.forget_ended(transaction, customer).await?;
        Ok(Paired { device, installation, secret })
    }

    /// Of those that ended as many stay as the settings say.
    async fn forget_ended(
        &self,
        transaction: &mut PgConnection,
        customer: CustomerId,
    ) -> Result<(), Problem> {
        let forget = "DELETE FROM installation WHERE id IN (SELECT id FROM installation \
                      WHERE customer_id = $1 AND ended_at IS NOT NULL ORDER BY id DESC OFFSET $2)";
        let most = i64::from(self.settings().access.ended_most);
        sqlx::query(forget).bind(customer.0).bind(most).execute(transaction).await?;
        Ok(())
    }
}

/// Ends an installation and its sessions.
async fn end(
    transaction: &mut PgConnection,
    installation: i64,
    now: Timestamp,
) -> Result<(), Problem> {
    let ended = sqlx::query("UPDATE installation SET ended_at = $2 WHERE id = $1");
    ended.bind(installation).bind(PgTimestamp(now)).execute(&mut *transaction).await?;
    let sessions = sqlx::query("DELETE FROM user_session WHERE installation_id = $1");
    sessions.bind(installation).execute(transaction).await?;
    Ok(())
}
