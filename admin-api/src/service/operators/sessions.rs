//! Sessions of operators. It owns when one ends: unused for a time, after a time however it is
//! used, and at once when its operator is blocked, changes the password or gets another role.

use sqlx::{PgConnection, Row};
use switch_domain::Timestamp;
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::sign_in::role_of;
use super::{OperatorSettings, Operators, Role};
use crate::service::span::{after, before};
use crate::{BearerSecret, NoSession, Problem};

/// A use. Its commit does not wait for the disk, as with sessions of customers.
const USE: &str = "\
    WITH relaxed AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    UPDATE operator_session AS s SET used_at = greatest(s.used_at, $2) FROM relaxed, operator AS o
    WHERE s.token = $1 AND o.id = s.operator_id AND NOT o.blocked
        AND s.used_at > $3 AND s.opened_at > $4
    RETURNING o.id, o.public_id, o.name, o.role, o.must_change, s.opened_at";

/// Those that are over, and of the others all but the latest.
const MAKE_ROOM: &str = "\
    DELETE FROM operator_session WHERE operator_id = $1 AND (
        used_at <= $2 OR opened_at <= $3 OR token NOT IN (
            SELECT token FROM operator_session WHERE operator_id = $1
            ORDER BY opened_at DESC, token LIMIT $4))
    RETURNING used_at > $2 AND opened_at > $3";

const INSERT: &str = "\
    INSERT INTO operator_session (token, operator_id, opened_at, used_at) VALUES ($1, $2, $3, $4)";

/// A session, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorSession {
    pub(super) id: i64,
    /// Who.
    pub operator: Uuid,
    /// By name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether nothing is done before they have chosen a password.
    pub must_change: bool,
    pub(super) token: [u8; 32],
    pub(super) opened_at: Timestamp,
    /// When it ends, however it is used.
    pub ends_at: Timestamp,
}

impl Operators {
    /// The session that a token bears; it is used by that.
    ///
    /// # Errors
    /// There is none, or nobody knows.
    pub async fn session(
        &self,
        token: &BearerSecret,
        now: Timestamp,
    ) -> Result<OperatorSession, NoSession> {
        let hash = token.hash();
        let row = sqlx::query(USE)
            .bind(&hash[..])
            .bind(PgTimestamp(now))
            .bind(PgTimestamp(before(now, self.settings.idle)))
            .bind(PgTimestamp(before(now, self.settings.session)))
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else {
            let gone = self.forget_session(&hash).await?;
            return Err(if gone { NoSession::Expired } else { NoSession::Unknown });
        };
        let opened_at = row.try_get::<PgTimestamp, _>("opened_at")?.0;
        Ok(OperatorSession {
            id: row.try_get("id")?,
            operator: row.try_get("public_id")?,
            name: row.try_get("name")?,
            role: role_of(&row).map_err(NoSession::Unavailable)?,
            must_change: row.try_get("must_change")?,
            token: hash,
            opened_at,
            ends_at: after(opened_at, self.settings.session),
        })
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The database.
    pub async fn sign_out(&self, session: &OperatorSession) -> Result<(), Problem> {
        self.forget_session(&session.token).await?;
        Ok(())
    }

    async fn forget_session(&self, hash: &[u8; 32]) -> Result<bool, sqlx::Error> {
        let forget = sqlx::query("DELETE FROM operator_session WHERE token = $1").bind(&hash[..]);
        Ok(forget.execute(&self.pool).await?.rows_affected() > 0)
    }
}

/// Ends all sessions of an operator.
pub(super) async fn end_all(tx: &mut PgConnection, operator: i64) -> Result<(), Problem> {
    let end = sqlx::query("DELETE FROM operator_session WHERE operator_id = $1").bind(operator);
    end.execute(tx).await?;
    Ok(())
}

/// Makes room for one more. The operator's row is locked by who calls.
pub(super) async fn make_room(
    tx: &mut PgConnection,
    operator: i64,
    settings: &OperatorSettings,
    now: Timestamp,
) -> Result<(), Problem> {
    let gone = sqlx::query_scalar::<_, bool>(MAKE_ROOM)
        .bind(operator)
        .bind(PgTimestamp(before(now, settings.idle)))
        .bind(PgTimestamp(before(now, settings.session)))
        .bind(i64::from(settings.sessions_most).saturating_sub(1))
        .fetch_all(tx)
        .await?;
    // The others were over.
    let displaced = gone.into_iter().filter(|was_good| *was_good).count();
    metrics::counter!("cardswitch_api_sessions_displaced_total", "of" => "operator")
        .increment(u64::try_from(displaced).unwrap_or(u64::MAX));
    Ok(())
}

pub(super) async fn insert(
    tx: &mut PgConnection,
    (operator, token): (i64, &BearerSecret),
    (opened_at, now): (Timestamp, Timestamp),
) -> Result<(), Problem> {
    sqlx::query(INSERT)
        .bind(&token.hash()[..])
        .bind(operator)
        .bind(PgTimestamp(opened_at))
        .bind(PgTimestamp(now))
        .execute(tx)
        .await?;
    Ok(())
}
