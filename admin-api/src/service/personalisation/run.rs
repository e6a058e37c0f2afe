//! Runs of personalisation: what waits goes into one file for the bureau. It owns that an order is
//! in one run, and a run in one file: a run that was cut off anywhere is gone on with, under its
//! own name, until its file is there and noted.

use sqlx::Row;
use switch_domain::Timestamp;
use switch_security::{KeyName, PersoRun};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::Plastic;
use super::directory::{Exchange, FileDigest};
use super::record::Going;
use crate::Problem;

const TAKE: &str = "\
    UPDATE card_order SET run_id = $1 WHERE reference IN (
        SELECT reference FROM card_order WHERE state = 'ORDERED' AND run_id IS NULL
        ORDER BY ordered_at LIMIT $2 FOR UPDATE SKIP LOCKED)";

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
        let written = if going.is_empty() {
            None
        } else {
            Some(self.file_of(exchange, &open, &going).await?)
        };
        let count = u32::try_from(going.len()).unwrap_or(u32::MAX);
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
        if taken.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Ok(None);
        }
        let run = sqlx::query("INSERT INTO perso_run (id, made_at) VALUES ($1, $2)");
        run.bind(open.id).bind(PgTimestamp(now)).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Some(open))
    }

    /// Writes the file of a run; its digest.
    async fn file_of(
        &self,
        exchange: &Exchange,
        open: &Open,
        going: &[Going],
    ) -> Result<FileDigest, Problem> {
        let mut records = Vec::with_capacity(going.len());
        for one in going {
            records.push(self.record(one).await?);
        }
        let run = PersoRun { id: *open.id.as_bytes(), made: open.made, pin_key: None };
        let key: &KeyName = &self.settings.exchange_key;
        let file = self.modules.exchange.seal_perso_file(key, &run, &records);
        let file = file.map_err(|error| Problem::internal("sealing a file", &error))?;
        let (exchange, name) = (exchange.clone(), format!("{}.perso", open.id));
        let put = tokio::task::spawn_blocking(move || exchange.put(&name, &file)).await;
        let put = put.map_err(|error| Problem::internal("writing a file", &error))?;
        put.map_err(|error| Problem::internal("writing a file for the bureau", &error))
    }
}
