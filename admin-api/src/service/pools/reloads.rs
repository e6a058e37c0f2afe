//! Reloads from state to state: asked for, agreed to or refused by a second operator, booked once
//! (SR-228). It owns the table `pool_reload`: that a row says what is to be booked before anything
//! is, and that the shard's command has a key made of the row, so that whatever is cut off between
//! the two is gone on with, and done once (`worker`).

use metrics::counter;
use sqlx::PgConnection;
use switch_domain::{AsciiText, IdempotencyKey, Pool, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::reload::COLUMNS;
use super::{NewReload, Pools, Reload, ReloadState, no_pool};
use crate::Problem;
use crate::service::Services;
use crate::service::span::after;

type Actor = AsciiText<40>;

/// The most characters of a reason.
const NOTE_MOST: usize = 200;

/// Who asks for a reload of a pool is alone with that: how many wait is counted.
const ALONE: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('cardswitch pool_reload ' || $1::int8, 0))";

const INSERT: &str = "\
    INSERT INTO pool_reload (public_id, pool_id, partner_id, amount, currency, reference, state,
        asked_by, asked_at, waits_until, made_under)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

const DECIDE: &str = "\
    UPDATE pool_reload SET state = $2, decided_by = $3, decided_at = $4, refusal = $5
    WHERE id = $1 AND state = 'WAITING'";

const END: &str = "\
    UPDATE pool_reload SET state = $2, booked_at = $3, refusal = $4
    WHERE id = $1 AND state = 'BOOKING'";

impl Pools {
    /// Asks for a reload. Up to a limit it is booked at once; above it, it waits for a second
    /// operator. Under the same key the same one again.
    ///
    /// # Errors
    /// `NOT_FOUND`: the pool. `EXHAUSTED`: as many of it wait as may. See [`Problem`]; where it is
    /// not known whether it was booked, the same key finds out, and so does the worker.
    pub async fn ask_reload(
        &self,
        new: NewReload,
        (key, actor): (IdempotencyKey, Actor),
        now: Timestamp,
    ) -> Result<Reload, Problem> {
        let pool = self.known(new.pool, None)?;
        let amount = switch_domain::Amount { minor: new.amount, currency: pool.currency };
        let waits = self.settings().four_eyes.are_needed(amount);
        let waits =
            waits.then(|| (after(now, self.settings().waits), self.settings().waiting_most));
        let row = self.services.ask(&pool, new, (key, actor), waits, now).await?;
        self.services.book_if_due(row, now).await
    }

    /// A reload of a pool.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn reload(&self, pool: &Pool, id: Uuid) -> Result<Reload, Problem> {
        let sql =
            format!("SELECT {COLUMNS} FROM pool_reload WHERE pool_id = $1 AND public_id = $2");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(pool.id.0).bind(id);
        let row = query.fetch_optional(self.database()).await?;
        Reload::read(&row.ok_or_else(no_reload)?)
    }

    /// Reloads of a pool, the latest first, behind one of them; one more than were asked for where
    /// there are more.
    ///
    /// # Errors
    /// The database.
    pub async fn reloads(
        &self,
        pool: &Pool,
        (behind, most): (Option<i64>, u32),
    ) -> Result<Vec<Reload>, Problem> {
        let sql = format!(
            "SELECT {COLUMNS} FROM pool_reload \
             WHERE pool_id = $1 AND ($2::int8 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(pool.id.0).bind(behind);
        let rows = query.bind(i64::from(most).saturating_add(1)).fetch_all(self.database()).await?;
        rows.iter().map(Reload::read).collect()
    }

    /// A second operator agrees, and it is booked.
    ///
    /// # Errors
    /// `NOT_FOUND`. `FORBIDDEN`: who asked for it does not agree to it as well. `CONFLICT`: it does
    /// not wait any more. See [`Problem`]; where it is not known whether it was booked, the worker
    /// finds out.
    pub async fn approve(
        &self,
        pool: &Pool,
        id: Uuid,
        by: Actor,
        now: Timestamp,
    ) -> Result<Reload, Problem> {
        let mut transaction = self.database().begin().await?;
        let row = locked(&mut transaction, pool, id).await?;
        match row.state {
            ReloadState::Waiting if row.asked_by == by => {
                let what = "who asked for a reload does not approve it: another operator does";
                return Err(Problem::new("FORBIDDEN", what));
            }
            ReloadState::Waiting if row.waits_until.is_some_and(|until| until <= now) => {
                return Err(over(ReloadState::Expired));
            }
            ReloadState::Waiting => {
                let to = (ReloadState::Booking, None);
                decide(&mut transaction, &row, to, (by, now)).await?;
                transaction.commit().await?;
            }
            // Cut off behind their own decision, and asked again. The row is let go: what comes
            // next writes to it by another connection.
            ReloadState::Booking | ReloadState::Done if row.decided_by == Some(by) => {
                transaction.rollback().await?;
            }
            state => return Err(over(state)),
        }
        let row = self.reload(pool, id).await?;
        self.services.book_if_due(row, now).await
    }

    /// An operator refuses it, or takes back what they asked for.
    ///
    /// # Errors
    /// `NOT_FOUND`. `INVALID_REQUEST`: the note. `CONFLICT`: it does not wait any more.
    pub async fn refuse(
        &self,
        pool: &Pool,
        id: Uuid,
        (by, note): (Actor, &str),
        now: Timestamp,
    ) -> Result<Reload, Problem> {
        let count = note.trim().chars().count();
        if !(1..=NOTE_MOST).contains(&count) || note.chars().any(char::is_control) {
            let what = format!("1 to {NOTE_MOST} printable characters");
            return Err(Problem::field("note", what));
        }
        let mut transaction = self.database().begin().await?;
        let row = locked(&mut transaction, pool, id).await?;
        match row.state {
            ReloadState::Waiting => {
                let to = (ReloadState::Refused, Some(note.trim()));
                decide(&mut transaction, &row, to, (by, now)).await?;
                transaction.commit().await?;
                note_end("refused");
            }
            ReloadState::Refused if row.decided_by == Some(by) => transaction.rollback().await?,
            state => return Err(over(state)),
        }
        self.reload(pool, id).await
    }
}

impl Services {
    /// Books money that came into a pool, at once: by command, of who holds the control socket.
    /// It leaves a row among the reloads like any other.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn reload_pool(
        &self,
        key: IdempotencyKey,
        actor: Actor,
        pool: switch_domain::PoolId,
        amount: switch_domain::MinorUnits,
        reference: AsciiText<40>,
    ) -> Result<(), Problem> {
        let now = crate::http::now();
        let known = self.node.control().pools.get(&pool).cloned().ok_or_else(no_pool)?;
        let new = NewReload { pool, amount, reference };
        let row = self.ask(&known, new, (key, actor), None, now).await?;
        self.book_if_due(row, now).await.map(|_| ())
    }

    /// A row for a reload; under the same key the one there is.
    async fn ask(
        &self,
        pool: &Pool,
        new: NewReload,
        (key, actor): (IdempotencyKey, Actor),
        waits: Option<(Timestamp, u32)>,
        now: Timestamp,
    ) -> Result<Reload, Problem> {
        let mut transaction = self.store.pool().begin().await?;
        sqlx::query(ALONE).bind(pool.id.0).execute(&mut *transaction).await?;
        if let Some(found) = made_under(&mut transaction, key).await? {
            let same = (found.pool, found.amount.minor, found.reference);
            if same == (new.pool, new.amount, new.reference) {
                return Ok(found);
            }
            return Err(Problem::new("CONFLICT", "this key was used for another reload"));
        }
        if let Some((_, most)) = waits {
            let sql = "SELECT count(*) FROM pool_reload WHERE pool_id = $1 AND state = 'WAITING'";
            let count: i64 =
                sqlx::query_scalar(sql).bind(pool.id.0).fetch_one(&mut *transaction).await?;
            if count >= i64::from(most) {
                return Err(Problem::new("EXHAUSTED", "as many reloads of it wait as may"));
            }
        }
        let state = if waits.is_some() { ReloadState::Waiting } else { ReloadState::Booking };
        sqlx::query(INSERT)
            .bind(Uuid::new_v4())
            .bind(pool.id.0)
            .bind(pool.partner.0)
            .bind(new.amount.0)
            .bind(i16::try_from(pool.currency.numeric()).unwrap_or(i16::MAX))
            .bind(new.reference.as_str())
            .bind(state.name())
            .bind(actor.as_str())
            .bind(PgTimestamp(now))
            .bind(waits.map(|(until, _)| PgTimestamp(until)))
            .bind(&key.0[..])
            .execute(&mut *transaction)
            .await?;
        let made = made_under(&mut transaction, key).await?;
        transaction.commit().await?;
        made.ok_or_else(no_reload)
    }

    /// Books what is to be booked, and writes down that it is.
    pub(super) async fn book_if_due(&self, row: Reload, now: Timestamp) -> Result<Reload, Problem> {
        match row.state {
            ReloadState::Booking => {}
            ReloadState::Refused if row.waits_until.is_none() => {
                // Asked for again under its key: it is told what the shard said.
                return Err(Problem::new("CONFLICT", "this reload was refused"));
            }
            _ => return Ok(row),
        }
        let booked = self
            .book_reload((row.key(), row.actor()), row.pool, row.amount.minor, row.reference)
            .await;
        match booked {
            Ok(()) => {
                let ended = self.end(&row, (ReloadState::Done, Some(now), None)).await?;
                note_end("done");
                Ok(ended)
            }
            Err(problem) if is_refusal(problem.code) => {
                self.end(&row, (ReloadState::Refused, None, Some(problem.code))).await?;
                note_end("refused");
                Err(problem)
            }
            Err(problem) => Err(problem),
        }
    }

    async fn end(
        &self,
        row: &Reload,
        (state, booked, refusal): (ReloadState, Option<Timestamp>, Option<&str>),
    ) -> Result<Reload, Problem> {
        let query = sqlx::query(END).bind(row.id).bind(state.name()).bind(booked.map(PgTimestamp));
        query.bind(refusal).execute(self.store.pool()).await?;
        let sql = format!("SELECT {COLUMNS} FROM pool_reload WHERE id = $1");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(row.id);
        Reload::read(&query.fetch_one(self.store.pool()).await?)
    }
}

async fn locked(transaction: &mut PgConnection, pool: &Pool, id: Uuid) -> Result<Reload, Problem> {
    let sql = format!(
        "SELECT {COLUMNS} FROM pool_reload WHERE pool_id = $1 AND public_id = $2 FOR UPDATE"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(pool.id.0).bind(id);
    Reload::read(&query.fetch_optional(transaction).await?.ok_or_else(no_reload)?)
}

async fn made_under(
    transaction: &mut PgConnection,
    key: IdempotencyKey,
) -> Result<Option<Reload>, Problem> {
    let sql = format!("SELECT {COLUMNS} FROM pool_reload WHERE made_under = $1");
    let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&key.0[..]);
    query.fetch_optional(transaction).await?.as_ref().map(Reload::read).transpose()
}

async fn decide(
    transaction: &mut PgConnection,
    row: &Reload,
    (state, refusal): (ReloadState, Option<&str>),
    (by, now): (Actor, Timestamp),
) -> Result<(), Problem> {
    let query = sqlx::query(DECIDE).bind(row.id).bind(state.name()).bind(by.as_str());
    query.bind(PgTimestamp(now)).bind(refusal).execute(transaction).await?;
    Ok(())
}

/// Whether the shard has said no, once and for all: anything else is tried again.
fn is_refusal(code: &str) -> bool {
    matches!(code, "NOT_FOUND" | "INVALID_REQUEST" | "CONFLICT" | "EXHAUSTED")
}

pub(super) fn note_end(end: &'static str) {
    counter!("cardswitch_pool_reloads_total", "end" => end).increment(1);
}

fn no_reload() -> Problem {
    Problem::not_found("there is no such reload of this pool")
}

fn over(state: ReloadState) -> Problem {
    Problem::new("CONFLICT", format!("it waits for nobody any more: it is {}", state.name()))
}
