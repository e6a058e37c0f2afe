//! Runs of personalisation: what waits goes into one file for the bureau. It owns that an order is
//! in one run, and a run in one file: a run that was cut off anywhere is gone on with, under its
//! own name, until its file is there and noted; an order that no record can be made of is in
//! nobody's way.

use std::time::Duration;

use sqlx::{PgConnection, Row};
use switch_domain::Timestamp;
use switch_security::{KeyName, PersoRun};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::Plastic;
use super::directory::{Exchange, FileDigest};
use super::record::{CARD_REMOVED, Going, PROCESSOR_REFUSED};
use crate::Problem;
use crate::service::span::micros;

const TAKE: &str = "\
    UPDATE card_order SET run_id = $1 WHERE reference IN (
        SELECT reference FROM card_order WHERE state = 'ORDERED' AND run_id IS NULL
            AND (next_at IS NULL OR next_at <= $3)
        ORDER BY ordered_at LIMIT $2 FOR UPDATE SKIP LOCKED)";

/// Tried again in another run, later each time.
const ASIDE: &str = "\
    UPDATE card_order SET run_id = NULL, attempts = attempts + 1,
        next_at = $2 + $3::int8 * 2 ^ least(attempts, 10) * interval '1 microsecond'
    WHERE reference = $1 AND state = 'ORDERED'";

const NEVER: &str = "\
    UPDATE card_order SET state = 'REFUSED', refusal = $2
    WHERE reference = $1 AND state = 'ORDERED'";

const SENT: &str = "\
    UPDATE card_order SET state = 'SENT' WHERE run_id = $1 AND state = 'ORDERED'";

const NOTE: &str = "\
    UPDATE perso_run SET sent_at = $2, digest = $3, records = $4
    WHERE id = $1 AND sent_at IS NULL";

/// A run that is put together.
struct Open {
    id: Uuid,
    made: Timestamp,
}

/// How often a session that waits for a run says that it is still there: the database ends one that
/// is silent in a transaction for a minute.
const PING: Duration = Duration::from_secs(10);

/// Does something that may take long while a transaction stays open, and ends it where that is
/// gone: somebody else has what it held.
async fn kept_alive<T>(
    transaction: &mut PgConnection,
    work: impl Future<Output = T>,
) -> Result<T, Problem> {
    let mut work = std::pin::pin!(work);
    loop {
        if let Ok(done) = tokio::time::timeout(PING, &mut work).await {
            return Ok(done);
        }
        sqlx::query("SELECT 1").execute(&mut *transaction).await?;
    }
}

impl Plastic {
    /// Puts what waits into a file; how many cards went into it.
    pub(super) async fn write_file(
        &self,
        exchange: &Exchange,
        now: Timestamp,
    ) -> Result<u32, Problem> {
        let Some(open) = self.begun(now).await? else { return Ok(0) };
        // Whoever else would write the same run, on another node, lets this one.
        let mut alone = self.pool().begin().await?;
        let lock = "SELECT id FROM perso_run WHERE id = $1 AND sent_at IS NULL \
                    FOR NO KEY UPDATE SKIP LOCKED";
        if sqlx::query(lock).bind(open.id).fetch_optional(&mut *alone).await?.is_none() {
            return Ok(0);
        }
        let rows = sqlx::query(Going::OF_RUN).bind(open.id);
        let rows = rows.fetch_all(self.pool()).await?;
        let going = rows.iter().map(Going::read).collect::<Result<Vec<_>, _>>()?;
        let making = self.file_of(exchange, &open, &going, now);
        let (written, count) = kept_alive(&mut alone, making).await??;
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let noted = sqlx::query(NOTE).bind(open.id).bind(PgTimestamp(now));
        let noted =
            noted.bind(written.as_ref().map(|digest| &digest[..])).bind(i32::try_from(count).ok());
        noted.execute(&mut *alone).await?;
        sqlx::query(SENT).bind(open.id).execute(&mut *alone).await?;
        alone.commit().await?;
        tracing::info!(run = %open.id, cards = count, "a file for the bureau is written");
        Ok(count)
    }

    /// The run that is put together: one that was cut off, or a new one of what waits.
    async fn begun(&self, now: Timestamp) -> Result<Option<Open>, Problem> {
        let sql =
            "SELECT id, made_at FROM perso_run WHERE sent_at IS NULL ORDER BY made_at LIMIT 1";
        if let Some(row) = sqlx::query(sql).fetch_optional(self.pool()).await? {
            let made = row.try_get::<PgTimestamp, _>("made_at")?.0;
            return Ok(Some(Open { id: row.try_get("id")?, made }));
        }
        let mut transaction = self.pool().begin().await?;
        let open = Open { id: Uuid::new_v4(), made: now };
        let taken = sqlx::query(TAKE).bind(open.id).bind(i64::from(self.settings.batch));
        let taken = taken.bind(PgTimestamp(now));
        if taken.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Ok(None);
        }
        let run = sqlx::query("INSERT INTO perso_run (id, made_at) VALUES ($1, $2)");
        run.bind(open.id).bind(PgTimestamp(now)).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Some(open))
    }

    /// Writes the file of a run, where any record can be made; its digest, and how many it has. One
    /// that is there is not made again: the bureau may have it.
    async fn file_of(
        &self,
        exchange: &Exchange,
        open: &Open,
        going: &[Going],
        now: Timestamp,
    ) -> Result<(Option<FileDigest>, usize), Problem> {
        let (there, name) = (exchange.clone(), format!("{}.perso", open.id));
        let there = tokio::task::spawn_blocking(move || there.there(&name)).await;
        let failed = |error| Problem::internal("looking for a file for the bureau", &error);
        let there = there.map_err(|error| Problem::internal("looking for a file", &error))?;
        if let Some(digest) = there.map_err(failed)? {
            return Ok((Some(digest), going.len()));
        }
        let mut records = Vec::with_capacity(going.len());
        let pin_key = going.iter().find_map(Going::zone_key).cloned();
        for one in going {
            let record = if one.zone_key().is_some_and(|key| Some(key) != pin_key.as_ref()) {
                Err(Problem::internal("putting a PIN into a file", &"others are under another key"))
            } else {
                self.record(one, now).await
            };
            match record {
                Ok(record) => records.push(record),
                Err(problem) => self.set_aside(one, &problem, now).await?,
            }
        }
        if records.is_empty() {
            return Ok((None, 0));
        }
        let run = PersoRun { id: *open.id.as_bytes(), made: open.made, pin_key };
        let key: &KeyName = &self.settings.exchange_key;
        let file = self.modules.exchange.seal_perso_file(key, &run, &records);
        let file = file.map_err(|error| Problem::internal("sealing a file", &error))?;
        let (exchange, name) = (exchange.clone(), format!("{}.perso", open.id));
        let put = tokio::task::spawn_blocking(move || exchange.put(&name, &file)).await;
        let put = put.map_err(|error| Problem::internal("writing a file", &error))?;
        let digest = put.map_err(|error| Problem::internal("writing the file of a run", &error))?;
        Ok((Some(digest), records.len()))
    }

    /// Takes an order out of a run that it would hold up.
    async fn set_aside(
        &self,
        going: &Going,
        problem: &Problem,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let order = going.reference;
        if matches!(problem.code, CARD_REMOVED | PROCESSOR_REFUSED) {
            tracing::warn!(%order, %problem, "there will be no plastic");
            let never = sqlx::query(NEVER).bind(order).bind(problem.code);
            never.execute(self.pool()).await?;
            return Ok(());
        }
        tracing::warn!(%order, %problem, "a card cannot go into a file; tried again");
        let aside = sqlx::query(ASIDE).bind(order).bind(PgTimestamp(now));
        aside.bind(micros(self.settings.pause)).execute(self.pool()).await?;
        Ok(())
    }
}
