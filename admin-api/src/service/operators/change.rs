//! An operator's own change of password. It owns that the one of before is proved, under the same
//! count as signing in, that none of the latest comes back, and that every session of before ends.

use sqlx::PgConnection;
use switch_domain::Timestamp;
use switch_store::PgTimestamp;

use super::Operators;
use super::password::OperatorPassword;
use super::sessions::{self, OperatorSession};
use super::sign_in::{Counted, Opened, Trying};
use crate::{BearerSecret, Problem};

/// Of one that nobody changed, reset, blocked or locked meanwhile.
const CHANGE: &str = "\
    UPDATE operator SET password = $2, password_at = $3, must_change = false, tries = 0,
        locked_until = NULL
    WHERE id = $1 AND password = $4 AND NOT blocked AND (locked_until IS NULL OR tries = $5)";

const LATEST: &str = "\
    SELECT password FROM operator_password WHERE operator_id = $1 ORDER BY id DESC LIMIT $2";

const KEEP: &str = "INSERT INTO operator_password (operator_id, password) VALUES ($1, $2)";

const FORGET: &str = "\
    DELETE FROM operator_password WHERE operator_id = $1 AND id NOT IN (
        SELECT id FROM operator_password WHERE operator_id = $1 ORDER BY id DESC LIMIT $2)";

impl Operators {
    /// Changes the password of who has this session. All sessions end; the new one that is given
    /// goes on for as long as the one that asked.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`: the password of before is not that, or there were too many tries.
    /// `INVALID_REQUEST`: the new one may not be chosen. `CONFLICT`: it was changed meanwhile.
    /// `OVERLOADED`: nothing was tried.
    pub async fn change_password(
        &self,
        session: &OperatorSession,
        (current, new): (Option<OperatorPassword>, Option<OperatorPassword>),
        now: Timestamp,
    ) -> Result<Opened, Problem> {
        let new = new.ok_or_else(|| Problem::field("newPassword", "it is too long"))?;
        new.check(&session.name, self.settings.passwords)?;
        let known = self.prove(session, current, now).await?;
        self.check_latest(&known, &new).await?;
        let hash = self.hashing.hash(self.hashing.place()?, new).await?;
        let mut transaction = self.pool.begin().await?;
        let changed = sqlx::query(CHANGE)
            .bind(known.id)
            .bind(hash)
            .bind(PgTimestamp(now))
            .bind(&known.password)
            .bind(known.tries)
            .execute(&mut *transaction)
            .await?;
        if changed.rows_affected() == 0 {
            return Err(Problem::new("CONFLICT", "the operator was changed meanwhile"));
        }
        keep(&mut transaction, known.id, &known.password, self.kept_before()).await?;
        sessions::end_all(&mut transaction, known.id).await?;
        let token = BearerSecret::draw()?;
        let times = (session.opened_at, now);
        sessions::insert(&mut transaction, (known.id, &token), times).await?;
        transaction.commit().await?;
        tracing::info!(target: "audit", operator = %session.operator, "password changed");
        let token_hash = token.hash();
        let session = OperatorSession { must_change: false, token: token_hash, ..session.clone() };
        Ok(Opened { token, session })
    }

    /// That somebody at the panel knows the password.
    async fn prove(
        &self,
        session: &OperatorSession,
        current: Option<OperatorPassword>,
        now: Timestamp,
    ) -> Result<Counted, Problem> {
        let wrong = || Problem::new("UNAUTHENTICATED", "the current password is not right");
        let place = self.hashing.place()?;
        let known = self.count(&Trying::Id(session.id), now).await?.ok_or_else(wrong)?;
        let is = match current {
            Some(current) => self.hashing.is(place, current, known.password.clone()).await?,
            None => false,
        };
        if is {
            return Ok(known);
        }
        self.note_wrong(&known);
        if u32::try_from(known.tries).is_ok_and(|tries| tries >= self.settings.tries) {
            // Whoever tries sits at an open session that may not be theirs.
            sessions::end_all(&mut *self.pool.acquire().await?, known.id).await?;
        }
        Err(wrong())
    }

    async fn check_latest(&self, known: &Counted, new: &OperatorPassword) -> Result<(), Problem> {
        let latest = sqlx::query_scalar(LATEST).bind(known.id).bind(self.kept_before());
        let mut latest: Vec<Vec<u8>> = latest.fetch_all(&self.pool).await?;
        latest.push(known.password.clone());
        for kept in latest {
            if self.hashing.is(self.hashing.place()?, new.again(), kept).await? {
                let what = "it is one of the latest passwords: choose another";
                return Err(Problem::field("newPassword", what));
            }
        }
        Ok(())
    }

    /// How many beside the one that is in use.
    pub(super) fn kept_before(&self) -> i64 {
        i64::from(self.settings.passwords.not_of_latest).saturating_sub(1).max(0)
    }
}

/// Keeps what was in use, and forgets what is too old to be kept.
pub(super) async fn keep(
    tx: &mut PgConnection,
    operator: i64,
    password: &[u8],
    most: i64,
) -> Result<(), Problem> {
    sqlx::query(KEEP).bind(operator).bind(password).execute(&mut *tx).await?;
    sqlx::query(FORGET).bind(operator).bind(most).execute(tx).await?;
    Ok(())
}
