//! Which processor makes the cards of a programme: the table `programme_processor`. It owns that a
//! choice is in force for the next order, without a restart, that none is made of a name that the
//! configuration does not have, and that each leaves a row. Cards that were ordered stay where they
//! are.

use std::collections::BTreeMap;

use sqlx::{PgConnection, Row};
use switch_domain::{AsciiText, ProgrammeId, Timestamp};
use switch_store::PgTimestamp;

use super::IN_PROCESS;
use crate::Problem;
use crate::service::cards::Cards;

const SET: &str = "\
    INSERT INTO programme_processor (programme_id, processor, changed_at, changed_by)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (programme_id) DO UPDATE SET processor = excluded.processor,
        changed_at = excluded.changed_at, changed_by = excluded.changed_by";

const CLEAR: &str = "DELETE FROM programme_processor WHERE programme_id = $1";

const NOTE: &str = "\
    INSERT INTO programme_processor_change (programme_id, processor, changed_at, changed_by)
    VALUES ($1, $2, $3, $4)";

const SHOW: &str = "\
    SELECT chosen.processor, change.changed_at, change.changed_by
    FROM (VALUES ($1::int8)) AS asked (programme_id)
    LEFT JOIN programme_processor AS chosen USING (programme_id)
    LEFT JOIN LATERAL (
        SELECT changed_at, changed_by FROM programme_processor_change AS change
        WHERE change.programme_id = asked.programme_id ORDER BY id DESC LIMIT 1
    ) AS change ON true";

/// Who makes the cards of a programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its name.
    pub processor: String,
    /// Whether the configuration has it.
    pub is_configured: bool,
    /// When that was chosen last, and by whom, where anybody did.
    pub changed: Option<(Timestamp, String)>,
}

impl Cards {
    /// Who makes the cards of a programme.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is no such programme.
    pub async fn processor_choice(&self, programme: ProgrammeId) -> Result<Choice, Problem> {
        self.known(programme)?;
        let row = sqlx::query(SHOW).bind(programme.0).fetch_one(self.pool()).await?;
        let processor: Option<String> = row.try_get("processor")?;
        let processor = processor.unwrap_or_else(|| IN_PROCESS.to_owned());
        let at = row.try_get::<Option<PgTimestamp>, _>("changed_at")?.map(|at| at.0);
        let changed = at.zip(row.try_get("changed_by")?);
        Ok(Choice { is_configured: self.processors.knows(&processor), processor, changed })
    }

    /// Chooses who makes the cards of a programme from now on; none: this switch itself.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is no such programme. `CONFLICT`: the configuration has no such
    /// processor.
    pub async fn choose_processor(
        &self,
        programme: ProgrammeId,
        processor: Option<&str>,
        (by, now): (AsciiText<40>, Timestamp),
    ) -> Result<Choice, Problem> {
        self.known(programme)?;
        let processor = processor.filter(|name| *name != IN_PROCESS);
        processor.map(|name| self.check_processor(name)).transpose()?;
        let mut transaction = self.pool().begin().await?;
        choose(&mut transaction, programme, processor, (by, now)).await?;
        transaction.commit().await?;
        self.processor_choice(programme).await
    }

    /// The processor of a programme, as the table has it now.
    pub(in crate::service::cards) async fn processor_of(
        &self,
        programme: ProgrammeId,
    ) -> Result<String, Problem> {
        let mut connection = self.pool().acquire().await?;
        let chosen = chosen(&mut connection, programme).await?;
        Ok(chosen.unwrap_or_else(|| IN_PROCESS.to_owned()))
    }

    /// That the configuration has a processor of this name.
    pub(in crate::service) fn check_processor(&self, name: &str) -> Result<(), Problem> {
        if self.processors.knows(name) {
            return Ok(());
        }
        let names = self.processors.names().collect::<Vec<_>>().join(", ");
        let problem = format!(
            "no processor {name:?} is configured: there is {names}; write [api.processors.\
             NAME] for another, and start the switch again"
        );
        Err(Problem::new("CONFLICT", problem))
    }

    /// Who makes the cards of programmes, where somebody chose one, and whether the configuration
    /// has them.
    pub(in crate::service) async fn processors_of(
        &self,
        connection: &mut PgConnection,
        programmes: &[i64],
    ) -> Result<BTreeMap<ProgrammeId, (String, bool)>, Problem> {
        let sql = "SELECT programme_id, processor FROM programme_processor \
                   WHERE programme_id = ANY ($1)";
        let rows: Vec<(i64, String)> =
            sqlx::query_as(sql).bind(programmes).fetch_all(connection).await?;
        let shown = |(id, name): (i64, String)| {
            let is_configured = self.processors.knows(&name);
            (ProgrammeId(id), (name, is_configured))
        };
        Ok(rows.into_iter().map(shown).collect())
    }

    fn known(&self, programme: ProgrammeId) -> Result<(), Problem> {
        let control = self.services.node.control();
        let known = control.programmes.contains_key(&programme);
        if known { Ok(()) } else { Err(Problem::not_found("there is no such programme")) }
    }
}

/// Chooses in a transaction that somebody else ends; of a name that was looked at.
pub(in crate::service) async fn choose(
    transaction: &mut PgConnection,
    programme: ProgrammeId,
    processor: Option<&str>,
    (by, now): (AsciiText<40>, Timestamp),
) -> Result<(), Problem> {
    if chosen(&mut *transaction, programme).await?.as_deref() == processor {
        return Ok(());
    }
    match processor {
        Some(name) => {
            let set = sqlx::query(SET).bind(programme.0).bind(name);
            let set = set.bind(PgTimestamp(now)).bind(by.as_str());
            set.execute(&mut *transaction).await?;
        }
        None => {
            sqlx::query(CLEAR).bind(programme.0).execute(&mut *transaction).await?;
        }
    }
    let note = sqlx::query(NOTE).bind(programme.0).bind(processor);
    note.bind(PgTimestamp(now)).bind(by.as_str()).execute(transaction).await?;
    Ok(())
}

/// What was chosen for a programme.
pub(in crate::service) async fn chosen(
    connection: &mut PgConnection,
    programme: ProgrammeId,
) -> Result<Option<String>, Problem> {
    let sql = "SELECT processor FROM programme_processor WHERE programme_id = $1";
    Ok(sqlx::query_scalar(sql).bind(programme.0).fetch_optional(connection).await?)
}
