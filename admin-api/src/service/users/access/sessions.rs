//! Sessions: opened by an installation that proves itself by its secret and its user by the PIN,
//! alive while they are used, and never longer than the cap. It owns the table `user_session`.

use sqlx::Row;
use switch_domain::{CustomerId, PartnerId, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::pin::UserPin;
use super::tries::Known;
use super::unauthenticated;
use crate::Problem;
use crate::service::proof::{BearerSecret, NoSession};
use crate::service::span::{after, before};
use crate::service::users::Users;

/// An installation by its name and its secret's hash: what is wrong is one and the same.
const KNOWN: &str = "\
    SELECT installation.id, customer_id FROM installation
    JOIN customer ON customer.id = customer_id AND removed_at IS NULL
    WHERE installation.public_id = $1 AND secret_hash = $2 AND ended_at IS NULL";

/// A session begins only while its installation is active: that row is locked.
const BEGIN: &str = "\
    INSERT INTO user_session
        (token_hash, public_id, installation_id, customer_id, started_at, used_at)
    SELECT $1, $4, id, customer_id, $3, $3 FROM installation WHERE id = $2 AND ended_at IS NULL
    FOR SHARE";

/// A use moves the idle time on. Its commit does not wait for the disk: every request is one, and
/// what a crash of the database takes away is a use of the last moments.
const USE: &str = "\
    WITH relaxed AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    UPDATE user_session SET used_at = greatest(used_at, $2)
    FROM relaxed, customer, installation WHERE token_hash = $1 AND used_at > $3 AND started_at > $4
        AND customer.id = user_session.customer_id AND removed_at IS NULL
        AND installation.id = installation_id AND ended_at IS NULL
    RETURNING installation_id, user_session.customer_id, user_session.public_id AS session,
        customer.public_id, customer.partner_id, started_at, stepped_until,
        installation.public_id AS installation";

const MAKE_ROOM: &str = "\
    DELETE FROM user_session WHERE token_hash IN (SELECT token_hash FROM user_session
        WHERE customer_id = $1 ORDER BY used_at DESC, started_at DESC OFFSET $2)";

/// A session that was opened.
pub struct Opened {
    /// What bears it; it is told once.
    pub token: BearerSecret,
    /// When it ends where it is not used before.
    pub idle_ends: Timestamp,
    /// When it ends, however it is used.
    pub ends: Timestamp,
}

/// Who calls, by a session.
#[derive(Clone, Debug)]
pub struct Session {
    /// What the audit calls it.
    pub id: Uuid,
    /// The customer, as shards know it.
    pub customer: CustomerId,
    /// As paths name it.
    pub customer_id: Uuid,
    /// Whose customer.
    pub partner: PartnerId,
    /// The installation that opened it.
    pub installation: Uuid,
    /// Until when the user PIN counts as just given, where it was given again.
    pub stepped_until: Option<Timestamp>,
    /// When it ends where it is not used before.
    pub idle_ends: Timestamp,
    /// When it ends, however it is used.
    pub ends: Timestamp,
    known: Known,
}

impl Users {
    /// Opens a session. Who must authenticate again does the same.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, whatever was wrong. `OVERLOADED`: nothing was tried.
    pub async fn open_session(
        &self,
        installation: Uuid,
        secret: &BearerSecret,
        pin: UserPin,
        now: Timestamp,
    ) -> Result<Opened, Problem> {
        let known = self.known(installation, secret).await?;
        self.try_pin(known, pin).await?;
        let token = BearerSecret::draw()?;
        let mut transaction = self.pool().begin().await?;
        // One after the other for a customer, or two would find room for one.
        let alone = sqlx::query("SELECT id FROM customer WHERE id = $1 FOR NO KEY UPDATE");
        alone.bind(known.customer.0).execute(&mut *transaction).await?;
        let begun = sqlx::query(BEGIN)
            .bind(token.hash().as_slice())
            .bind(known.installation)
            .bind(PgTimestamp(now))
            .bind(Uuid::new_v4())
            .execute(&mut *transaction)
            .await?;
        if begun.rows_affected() == 0 {
            return Err(unauthenticated());
        }
        let access = self.settings().access;
        let most = i64::from(access.sessions_most);
        let room = sqlx::query(MAKE_ROOM).bind(known.customer.0).bind(most);
        let displaced = room.execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        metrics::counter!("cardswitch_api_sessions_displaced_total", "of" => "customer")
            .increment(displaced);
        let (idle_ends, ends) = (after(now, access.idle), after(now, access.lifetime));
        Ok(Opened { token, idle_ends, ends })
    }

    /// Changes the user PIN of an installation; its sessions end.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, whatever was wrong. `INVALID_REQUEST`: the new PIN. `OVERLOADED`.
    pub async fn change_user_pin(
        &self,
        installation: Uuid,
        secret: &BearerSecret,
        (old, new): (UserPin, UserPin),
    ) -> Result<(), Problem> {
        new.fit("newPin", self.settings().access.pin_least)?;
        let known = self.known(installation, secret).await?;
        self.try_pin(known, old).await?;
        let pin = self.hashing.hash(self.hashing.place()?, new).await?;
        let mut transaction = self.pool().begin().await?;
        let change = "UPDATE installation SET pin_hash = $2 WHERE id = $1 AND ended_at IS NULL";
        let change = sqlx::query(change).bind(known.installation).bind(pin);
        if change.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Err(unauthenticated());
        }
        let sessions = sqlx::query("DELETE FROM user_session WHERE installation_id = $1");
        sessions.bind(known.installation).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn known(&self, installation: Uuid, secret: &BearerSecret) -> Result<Known, Problem> {
        let known = sqlx::query(KNOWN).bind(installation).bind(secret.hash().as_slice());
        let known = known.fetch_optional(self.pool()).await?.ok_or_else(unauthenticated)?;
        let customer = CustomerId(known.try_get("customer_id")?);
        Ok(Known { installation: known.try_get("id")?, customer })
    }

    /// Who calls, by the token of a session; a use of it.
    ///
    /// # Errors
    /// There is none, or nobody knows.
    pub async fn session(
        &self,
        token: &BearerSecret,
        now: Timestamp,
    ) -> Result<Session, NoSession> {
        let access = self.settings().access;
        let idle_since = before(now, access.idle);
        let begun_since = before(now, access.lifetime);
        let used = sqlx::query(USE)
            .bind(token.hash().as_slice())
            .bind(PgTimestamp(now))
            .bind(PgTimestamp(idle_since))
            .bind(PgTimestamp(begun_since))
            .fetch_optional(self.pool())
            .await?;
        let Some(row) = used else { return Err(self.no_session(token).await?) };
        let customer = CustomerId(row.try_get("customer_id")?);
        let started = row.try_get::<PgTimestamp, _>("started_at")?.0;
        let stepped = row.try_get::<Option<PgTimestamp>, _>("stepped_until")?;
        Ok(Session {
            id: row.try_get("session")?,
            customer,
            customer_id: row.try_get("public_id")?,
            partner: PartnerId(row.try_get("partner_id")?),
            installation: row.try_get("installation")?,
            stepped_until: stepped.map(|until| until.0).filter(|until| *until > now),
            idle_ends: after(now, access.idle),
            ends: after(started, access.lifetime),
            known: Known { installation: row.try_get("installation_id")?, customer },
        })
    }

    async fn no_session(&self, token: &BearerSecret) -> Result<NoSession, Problem> {
        let there = "SELECT count(*) FROM user_session WHERE token_hash = $1";
        let there = sqlx::query_scalar::<_, i64>(there).bind(token.hash().as_slice().to_vec());
        let there = there.fetch_one(self.pool()).await? > 0;
        Ok(if there { NoSession::Expired } else { NoSession::Unknown })
    }

    /// Notes that the user has just given the PIN again, for a while. Until when.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`: the PIN is wrong, or the session is over. `OVERLOADED`.
    pub async fn step_up(
        &self,
        session: &Session,
        pin: UserPin,
        now: Timestamp,
    ) -> Result<Timestamp, Problem> {
        self.try_pin(session.known, pin).await?;
        let until = after(now, self.settings().access.step_up);
        let sql = "UPDATE user_session SET stepped_until = $2 WHERE public_id = $1";
        let noted = sqlx::query(sql).bind(session.id);
        let noted = noted.bind(PgTimestamp(until)).execute(self.pool()).await?;
        if noted.rows_affected() == 1 { Ok(until) } else { Err(unauthenticated()) }
    }

    /// Ends a session; one that is over already, too.
    ///
    /// # Errors
    /// The database.
    pub async fn end_session(&self, session: &Session) -> Result<(), Problem> {
        let sql = "DELETE FROM user_session WHERE public_id = $1";
        sqlx::query(sql).bind(session.id).execute(self.pool()).await?;
        Ok(())
    }
}
