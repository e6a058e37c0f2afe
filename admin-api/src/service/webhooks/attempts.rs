//! The log of tries: when, how long, and what the endpoint answered. It owns `webhook_attempt`;
//! only the runner writes it, in the transaction of what follows from a try.

use std::time::Duration;

use sqlx::{PgConnection, Row};
use switch_domain::{PartnerId, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::{Said, Webhooks};
use crate::Problem;

/// Of a message that is asked for again and again, the latest are shown.
const SHOWN: i64 = 100;

const LIST: &str = "\
    SELECT a.number, a.at, a.outcome, a.status, a.duration_ms, a.answer
    FROM webhook_attempt AS a JOIN webhook_message AS m ON m.id = a.message_id
    WHERE m.endpoint_id = $1 AND m.public_id = $2 ORDER BY a.number DESC LIMIT $3";

const NOTE: &str = "\
    INSERT INTO webhook_attempt (message_id, number, at, outcome, status, duration_ms, answer)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// A try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: i32,
    /// When it began.
    pub at: Timestamp,
    /// What came of it: `delivered`, `status`, `redirect`, `gone`, `late`, `refused_address`,
    /// `unreached`.
    pub outcome: String,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// How long it took.
    pub duration: Duration,
    /// The start of the answer.
    pub answer: String,
}

impl Webhooks {
    /// The tries of a message, the newest first.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn attempts(
        &self,
        (partner, endpoint): (PartnerId, Uuid),
        message: Uuid,
    ) -> Result<Vec<Attempt>, Problem> {
        self.message((partner, endpoint), message).await?;
        let mut connection = self.pool().acquire().await?;
        let row = self.row_of(&mut connection, partner, endpoint).await?;
        let query = sqlx::query(LIST).bind(row).bind(message).bind(SHOWN);
        let rows = query.fetch_all(&mut *connection).await?;
        let read = |row: &sqlx::postgres::PgRow| -> Result<Attempt, Problem> {
            let millis: i32 = row.try_get("duration_ms")?;
            let status: Option<i16> = row.try_get("status")?;
            Ok(Attempt {
                number: row.try_get("number")?,
                at: row.try_get::<PgTimestamp, _>("at")?.0,
                outcome: row.try_get("outcome")?,
                status: status.and_then(|status| u16::try_from(status).ok()),
                duration: Duration::from_millis(u64::try_from(millis).unwrap_or_default()),
                answer: row.try_get("answer")?,
            })
        };
        rows.iter().map(read).collect()
    }
}

/// Notes a try.
pub(super) async fn note(
    transaction: &mut PgConnection,
    (message, number): (i64, i32),
    (at, took): (Timestamp, Duration),
    said: &Said,
) -> Result<(), Problem> {
    let status = said.status.and_then(|status| i16::try_from(status).ok());
    sqlx::query(NOTE)
        .bind(message)
        .bind(number)
        .bind(PgTimestamp(at))
        .bind(said.outcome.name())
        .bind(status)
        .bind(i32::try_from(took.as_millis()).unwrap_or(i32::MAX))
        .bind(&said.answer)
        .execute(transaction)
        .await?;
    Ok(())
}
