//! Who is an operator: adding, blocking, resetting and giving roles. It owns that nobody does so to
//! themselves, and that there is always an administrator left who is not blocked.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{AsciiText, IdempotencyKey, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::password::OperatorPassword;
use super::sign_in::role_of;
use super::totp::TotpSecret;
use super::{Operators, Role, change, no_operator, sessions};
use crate::Problem;
use crate::service::span::before;

/// One change at a time: the number of operators, and who is left, must not move in between.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('cardswitch operators', 0))";

const INSERT: &str = "\
    INSERT INTO operator (public_id, name, role, password, password_at, totp, seen_at, made_at,
        made_by, made_under)
    VALUES ($1, $2, $3, $4, $5, $6, $5, $5, $7, $8) ON CONFLICT (name) DO NOTHING";

const FIND: &str = "\
    SELECT id, public_id, name, role, blocked, password FROM operator
    WHERE public_id = $1 OR name = $2 FOR NO KEY UPDATE";

/// The same request, whose answer nobody may have got.
const UNDER: &str = "\
    SELECT public_id FROM operator
    WHERE made_under = $1 AND name = $2 AND role = $3 AND must_change AND seen_at = made_at";

const RESET: &str = "\
    UPDATE operator SET password = $2, password_at = $3, must_change = true, totp = $4,
        totp_step = 0, tries = 0, locked_until = NULL,
        seen_at = CASE WHEN $5 THEN seen_at ELSE $3 END
    WHERE id = $1";

const OTHER_ADMINS: &str = "\
    SELECT count(*) FROM operator WHERE role = 'ADMIN' AND NOT blocked AND id <> $1";

const LIST: &str = "\
    SELECT public_id, name, role, blocked, must_change, locked_until, seen_at, made_at
    FROM operator ORDER BY name";

/// Of a name.
const LONGEST_NAME: usize = 32;
const SHORTEST_NAME: usize = 3;

/// Which operator.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// As paths name them.
    Id(Uuid),
    /// As they sign in.
    Name(&'a str),
}

/// What an operator is given to get in with: told once, and kept nowhere.
pub struct Given {
    /// Who.
    pub operator: Uuid,
    /// By name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The first password.
    pub password: OperatorPassword,
    /// What their authenticator application reads.
    pub uri: Zeroizing<String>,
}

/// Whether an operator gets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorState {
    /// They do.
    Active,
    /// Not for some time: too many wrong tries.
    Locked,
    /// Not before somebody unblocks them: they were not here for too long.
    Unseen,
    /// Not before somebody unblocks them.
    Blocked,
}

impl OperatorState {
    /// As in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Locked => "LOCKED",
            Self::Unseen => "UNSEEN",
            Self::Blocked => "BLOCKED",
        }
    }
}

/// An operator as they are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedOperator {
    /// Who.
    pub operator: Uuid,
    /// By name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they get in.
    pub state: OperatorState,
    /// Whether they have still to choose a password.
    pub must_change: bool,
    /// The last time that they got in, or were let back in.
    pub seen_at: Timestamp,
    /// Since when there is this operator.
    pub made_at: Timestamp,
}

struct Found {
    id: i64,
    public_id: Uuid,
    name: String,
    role: Role,
    blocked: bool,
    password: Vec<u8>,
}

impl Operators {
    /// Adds an operator. The same request again, before anybody got in by it, gives the same
    /// operator with another password and another secret: the answer may have been lost.
    ///
    /// # Errors
    /// `INVALID_REQUEST`: the name. `CONFLICT`: it is taken. `EXHAUSTED`: there are as many as
    /// there may be.
    pub async fn add(
        &self,
        (name, role): (&str, Role),
        (by, key): (AsciiText<40>, IdempotencyKey),
        now: Timestamp,
    ) -> Result<Given, Problem> {
        check_name(name)?;
        let under = sqlx::query_scalar(UNDER).bind(&key.0[..]).bind(name).bind(role.name());
        if let Some(made) = under.fetch_optional(&self.pool).await? {
            return self.give((Which::Id(made), None), (now, true)).await;
        }
        let password = OperatorPassword::draw()?;
        let hash = self.hashing.hash(self.hashing.place()?, password.again()).await?;
        let (operator, secret) = (Uuid::new_v4(), TotpSecret::draw()?);
        let mut transaction = self.locked().await?;
        let count = sqlx::query_scalar("SELECT count(*) FROM operator");
        let count: i64 = count.fetch_one(&mut *transaction).await?;
        if count >= i64::from(self.settings.most) {
            let what = format!("there are {count} operators, and no more may be added");
            return Err(Problem::new("EXHAUSTED", what));
        }
        let added = sqlx::query(INSERT)
            .bind(operator)
            .bind(name)
            .bind(role.name())
            .bind(hash)
            .bind(PgTimestamp(now))
            .bind(self.seal.seal_secret(operator, &secret)?)
            .bind(by.as_str())
            .bind(&key.0[..])
            .execute(&mut *transaction)
            .await;
        // The same key for another name is another request.
        let added = match added {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => 0,
            other => other?.rows_affected(),
        };
        if added == 0 {
            return Err(Problem::new("CONFLICT", "there is an operator of this name, or was one"));
        }
        transaction.commit().await?;
        Ok(Given { operator, name: name.to_owned(), role, password, uri: secret.uri(name) })
    }

    /// All operators, by name.
    ///
    /// # Errors
    /// The database.
    pub async fn list(&self, now: Timestamp) -> Result<Vec<ListedOperator>, Problem> {
        let rows = sqlx::query(LIST).fetch_all(&self.pool).await?;
        rows.iter().map(|row| self.listed(row, now)).collect()
    }

    /// Blocks an operator, and ends their sessions.
    ///
    /// # Errors
    /// `NOT_FOUND`. `CONFLICT`: it is who asks, or the last administrator.
    pub async fn block(&self, which: Which<'_>, by: Option<Uuid>) -> Result<(), Problem> {
        let mut transaction = self.locked().await?;
        let found = find(&mut transaction, which, by).await?;
        if found.role == Role::Admin && !found.blocked {
            leaves_an_admin(&mut transaction, found.id).await?;
        }
        let block = sqlx::query("UPDATE operator SET blocked = true WHERE id = $1").bind(found.id);
        block.execute(&mut *transaction).await?;
        sessions::end_all(&mut transaction, found.id).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Lets an operator in again who was blocked, locked, or not here for too long.
    ///
    /// # Errors
    /// `NOT_FOUND`. `CONFLICT`: it is who asks.
    pub async fn unblock(
        &self,
        which: Which<'_>,
        by: Option<Uuid>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let mut transaction = self.locked().await?;
        let found = find(&mut transaction, which, by).await?;
        let sql = "UPDATE operator SET blocked = false, tries = 0, locked_until = NULL, \
                   seen_at = $2 WHERE id = $1";
        let unblock = sqlx::query(sql).bind(found.id).bind(PgTimestamp(now));
        unblock.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Gives an operator a new first password and a new second factor, and ends their sessions.
    /// Who is blocked stays blocked.
    ///
    /// # Errors
    /// `NOT_FOUND`. `CONFLICT`: it is who asks.
    pub async fn reset(
        &self,
        which: Which<'_>,
        by: Option<Uuid>,
        now: Timestamp,
    ) -> Result<Given, Problem> {
        self.give((which, by), (now, false)).await
    }

    /// Gives an operator another role, and ends their sessions.
    ///
    /// # Errors
    /// `NOT_FOUND`. `CONFLICT`: it is who asks, or the last administrator.
    pub async fn set_role(
        &self,
        which: Which<'_>,
        role: Role,
        by: Option<Uuid>,
    ) -> Result<(), Problem> {
        let mut transaction = self.locked().await?;
        let found = find(&mut transaction, which, by).await?;
        if found.role == role {
            return Ok(());
        }
        if found.role == Role::Admin && !found.blocked {
            leaves_an_admin(&mut transaction, found.id).await?;
        }
        let set = sqlx::query("UPDATE operator SET role = $2 WHERE id = $1").bind(found.id);
        set.bind(role.name()).execute(&mut *transaction).await?;
        sessions::end_all(&mut transaction, found.id).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn give(
        &self,
        (which, by): (Which<'_>, Option<Uuid>),
        (now, again): (Timestamp, bool),
    ) -> Result<Given, Problem> {
        let password = OperatorPassword::draw()?;
        let hash = self.hashing.hash(self.hashing.place()?, password.again()).await?;
        let secret = TotpSecret::draw()?;
        let mut transaction = self.locked().await?;
        let found = find(&mut transaction, which, by).await?;
        sqlx::query(RESET)
            .bind(found.id)
            .bind(hash)
            .bind(PgTimestamp(now))
            .bind(self.seal.seal_secret(found.public_id, &secret)?)
            .bind(again)
            .execute(&mut *transaction)
            .await?;
        change::keep(&mut transaction, found.id, &found.password, self.kept_before()).await?;
        sessions::end_all(&mut transaction, found.id).await?;
        transaction.commit().await?;
        let uri = secret.uri(&found.name);
        let Found { public_id, name, role, .. } = found;
        Ok(Given { operator: public_id, name, role, password, uri })
    }

    async fn locked(&self) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, Problem> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(LOCK).execute(&mut *transaction).await?;
        Ok(transaction)
    }

    fn listed(&self, row: &PgRow, now: Timestamp) -> Result<ListedOperator, Problem> {
        let at = |column: &str| -> Result<Timestamp, Problem> {
            Ok(row.try_get::<PgTimestamp, _>(column)?.0)
        };
        let locked: Option<PgTimestamp> = row.try_get("locked_until")?;
        let seen_at = at("seen_at")?;
        let state = if row.try_get("blocked")? {
            OperatorState::Blocked
        } else if seen_at <= before(now, self.settings.unseen) {
            OperatorState::Unseen
        } else if locked.is_some_and(|until| until.0 > now) {
            OperatorState::Locked
        } else {
            OperatorState::Active
        };
        Ok(ListedOperator {
            operator: row.try_get("public_id")?,
            name: row.try_get("name")?,
            role: role_of(row)?,
            state,
            must_change: row.try_get("must_change")?,
            seen_at,
            made_at: at("made_at")?,
        })
    }
}

/// One that is there, is not who asks, and is changed by nobody else meanwhile.
async fn find(tx: &mut PgConnection, which: Which<'_>, by: Option<Uuid>) -> Result<Found, Problem> {
    let (id, name) = match which {
        Which::Id(id) => (Some(id), None),
        Which::Name(name) => (None, Some(name)),
    };
    let row = sqlx::query(FIND).bind(id).bind(name).fetch_optional(tx).await?;
    let row = row.ok_or_else(no_operator)?;
    let public_id: Uuid = row.try_get("public_id")?;
    if by == Some(public_id) {
        return Err(Problem::new("CONFLICT", "nobody does this to themselves: ask another"));
    }
    Ok(Found {
        id: row.try_get("id")?,
        public_id,
        name: row.try_get("name")?,
        role: role_of(&row)?,
        blocked: row.try_get("blocked")?,
        password: row.try_get("password")?,
    })
}

async fn leaves_an_admin(tx: &mut PgConnection, without: i64) -> Result<(), Problem> {
    let others: i64 = sqlx::query_scalar(OTHER_ADMINS).bind(without).fetch_one(tx).await?;
    if others > 0 {
        return Ok(());
    }
    Err(Problem::new("CONFLICT", "this is the last administrator: make another one first"))
}

fn check_name(name: &str) -> Result<(), Problem> {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let length = (SHORTEST_NAME..=LONGEST_NAME).contains(&name.len());
    if first && length && name.bytes().all(letter) {
        return Ok(());
    }
    let what = "3 to 32 small letters, digits, points, underscores and hyphens; a letter first";
    Err(Problem::field("name", what))
}
