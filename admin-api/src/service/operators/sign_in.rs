//! Signing in. It owns that a try is counted, and committed, before anything of it is looked at:
//! however many try at once, in however many processes, no more are looked at than there are tries,
//! and no restart forgives any. Both factors are computed whatever the other one was, for names
//! that there are and for others: neither the answer nor its time tells which was wrong.

use sqlx::Row;
use sqlx::postgres::PgRow;
use switch_domain::Timestamp;
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::password::OperatorPassword;
use super::sessions::{self, OperatorSession};
use super::totp::TypedCode;
use super::{Operators, Role};
use crate::service::span::{after, before};
use crate::{BearerSecret, Problem};

macro_rules! count {
    ($who:literal) => {
        concat!(
            "UPDATE operator SET \
             tries = CASE WHEN locked_until IS NULL THEN tries ELSE 0 END + 1, \
             locked_until = CASE WHEN \
             CASE WHEN locked_until IS NULL THEN tries ELSE 0 END + 1 >= $3 THEN $4::timestamptz \
             END WHERE ",
            $who,
            " AND NOT blocked AND seen_at > $5 AND (locked_until IS NULL OR locked_until <= $2) \
             RETURNING id, public_id, password, password_at, totp, must_change, tries"
        )
    };
}

/// For who is nobody: as much is written as for somebody.
const COUNT_NOBODY: &str = "UPDATE operator_nobody SET tries = tries + 1";

/// Nobody gets in by a try that came before somebody changed something, nor by a code of before.
const LET_IN: &str = "\
    UPDATE operator SET tries = 0, locked_until = NULL, totp_step = $2, seen_at = $3
    WHERE id = $1 AND NOT blocked AND totp_step < $2 AND password = $4 AND totp = $5
        AND (locked_until IS NULL OR tries = $6)
    RETURNING name, role, must_change";

/// What somebody signs in with.
pub struct SignIn {
    /// Their name.
    pub name: String,
    /// Their password; none: it cannot be one.
    pub password: Option<OperatorPassword>,
    /// The code that their application shows.
    pub code: TypedCode,
}

/// A session that was opened.
pub struct Opened {
    /// What bears it; it is told once.
    pub token: BearerSecret,
    /// Whose it is.
    pub session: OperatorSession,
}

/// Nobody was let in.
#[derive(Debug)]
pub struct NotSignedIn {
    /// Whose name it was, for the audit alone.
    pub tried: Option<Uuid>,
    /// What is told.
    pub problem: Problem,
}

impl From<Problem> for NotSignedIn {
    fn from(problem: Problem) -> Self {
        Self { tried: None, problem }
    }
}

/// A try that was counted.
pub(super) struct Counted {
    pub(super) id: i64,
    pub(super) public_id: Uuid,
    pub(super) password: Vec<u8>,
    password_at: Timestamp,
    totp: Vec<u8>,
    must_change: bool,
    pub(super) tries: i32,
}

/// Whose tries are counted.
pub(super) enum Trying<'a> {
    Name(&'a str),
    Id(i64),
}

impl Operators {
    /// Opens a session for who has a name, its password, and a code that was not taken before.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`: one of the three is wrong, there were too many tries, or the operator is
    /// blocked or was not here for too long: which of these it is is not told. `OVERLOADED`:
    /// nothing was tried.
    pub async fn sign_in(&self, asks: SignIn, now: Timestamp) -> Result<Opened, NotSignedIn> {
        let SignIn { name, password, code } = asks;
        let place = self.hashing.place()?;
        let counted = self.count(&Trying::Name(&name), now).await?;
        let decoy = &*self.decoy;
        let (kept, sealed, of) = match &counted {
            Some(known) => (&known.password, &known.totp, known.public_id),
            None => (&decoy.password, &decoy.totp, decoy.operator),
        };
        let could_be = password.is_some();
        let password = password.map_or_else(OperatorPassword::draw, Ok)?;
        let is_password = self.hashing.is(place, password, kept.clone()).await? && could_be;
        let secret = self.seal.open_secret(of, sealed);
        if secret.is_none() {
            tracing::error!(operator = %of, "the secret of an operator does not open");
        }
        let step = secret.and_then(|secret| secret.step_of(&code, now));
        let tried = counted.as_ref().map(|known| known.public_id);
        let refused = |problem| NotSignedIn { tried, problem };
        let opened = match (counted, is_password, step) {
            (Some(known), true, Some(step)) if self.still_good(&known, now) => {
                self.let_in(&known, step, now).await.map_err(refused)?
            }
            (Some(known), ..) => {
                self.note_wrong(&known);
                None
            }
            (None, ..) => None,
        };
        let result = if opened.is_some() { "in" } else { "refused" };
        metrics::counter!("cardswitch_operator_sign_ins_total", "result" => result).increment(1);
        opened.ok_or_else(|| refused(not_in()))
    }

    /// Counts a try; none where none is looked at.
    pub(super) async fn count(
        &self,
        trying: &Trying<'_>,
        now: Timestamp,
    ) -> Result<Option<Counted>, Problem> {
        let counting = match trying {
            Trying::Name(name) => sqlx::query(count!("name = $1")).bind(name),
            Trying::Id(id) => sqlx::query(count!("id = $1")).bind(id),
        };
        let row = counting
            .bind(PgTimestamp(now))
            .bind(i32::try_from(self.settings.tries).unwrap_or(i32::MAX))
            .bind(PgTimestamp(after(now, self.settings.locked)))
            .bind(PgTimestamp(before(now, self.settings.unseen)))
            .fetch_optional(&self.pool)
            .await?;
        if row.is_none() {
            sqlx::query(COUNT_NOBODY).execute(&self.pool).await?;
        }
        row.as_ref().map(counted).transpose()
    }

    /// Whether a password that somebody else gave may still be used.
    fn still_good(&self, known: &Counted, now: Timestamp) -> bool {
        !known.must_change || now <= after(known.password_at, self.settings.first_password)
    }

    pub(super) fn note_wrong(&self, known: &Counted) {
        if u32::try_from(known.tries).is_ok_and(|tries| tries >= self.settings.tries) {
            metrics::counter!("cardswitch_operators_locked_total").increment(1);
            tracing::warn!(operator = %known.public_id, "an operator is locked: wrong tries");
        }
    }

    async fn let_in(
        &self,
        known: &Counted,
        step: i64,
        now: Timestamp,
    ) -> Result<Option<Opened>, Problem> {
        let mut transaction = self.pool.begin().await?;
        let row = sqlx::query(LET_IN)
            .bind(known.id)
            .bind(step)
            .bind(PgTimestamp(now))
            .bind(&known.password)
            .bind(&known.totp)
            .bind(known.tries)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(None) };
        sessions::make_room(&mut transaction, known.id, &self.settings, now).await?;
        let token = BearerSecret::draw()?;
        sessions::insert(&mut transaction, (known.id, &token), (now, now)).await?;
        transaction.commit().await?;
        let session = OperatorSession {
            id: known.id,
            operator: known.public_id,
            name: row.try_get("name")?,
            role: role_of(&row)?,
            must_change: row.try_get("must_change")?,
            token: token.hash(),
            opened_at: now,
            ends_at: after(now, self.settings.session),
        };
        Ok(Some(Opened { token, session }))
    }
}

fn not_in() -> Problem {
    let what = "name, password or code is not right, or nobody gets in under this name now";
    Problem::new("UNAUTHENTICATED", what)
}

pub(super) fn role_of(row: &PgRow) -> Result<Role, Problem> {
    let name: String = row.try_get("role")?;
    Role::named(&name).ok_or_else(|| Problem::internal("reading an operator", &"the role"))
}

fn counted(row: &PgRow) -> Result<Counted, Problem> {
    Ok(Counted {
        id: row.try_get("id")?,
        public_id: row.try_get("public_id")?,
        password: row.try_get("password")?,
        password_at: row.try_get::<PgTimestamp, _>("password_at")?.0,
        totp: row.try_get("totp")?,
        must_change: row.try_get("must_change")?,
        tries: row.try_get("tries")?,
    })
}
