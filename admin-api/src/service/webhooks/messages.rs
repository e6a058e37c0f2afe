//! Messages as partners and operators look at them: listed, read, asked for again. It owns that who
//! looks names the endpoint and its partner, and that one which is asked for again goes by itself,
//! with the identifier it had.

use serde_json::json;
use sqlx::Row;
use sqlx::postgres::PgRow;
use switch_domain::{PartnerId, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::{EventKind, Told, Webhooks, outbox, unreadable};
use crate::Problem;

/// A page, by a condition of its own: each has its index.
macro_rules! page {
    ($of:literal) => {
        concat!(
            "SELECT public_id, kind, body, made_at, state, attempts, next_at, ended_at
            FROM webhook_message WHERE endpoint_id = $1 AND id < coalesce((
                SELECT id FROM webhook_message WHERE endpoint_id = $1 AND public_id = $2),
                CASE WHEN $2 IS NULL THEN 9223372036854775807 END) ",
            $of,
            "ORDER BY id DESC LIMIT $3"
        )
    };
}

const ALL: &str = page!("");
const IN_STATE: &str = page!("AND state = $4 ");

const ONE: &str = "\
    SELECT public_id, kind, body, made_at, state, attempts, next_at, ended_at
    FROM webhook_message WHERE endpoint_id = $1 AND public_id = $2";

/// What waits in order stays where it is; it is tried now.
const AGAIN: &str = "\
    UPDATE webhook_message SET state = 'WAITING', tries = 0, next_at = $3, ended_at = NULL,
        in_order = in_order AND state = 'WAITING'
    WHERE endpoint_id = $1 AND public_id = $2";

const TEST: &str = "\
    INSERT INTO webhook_message (public_id, endpoint_id, kind, ordering_key, body, made_at, next_at)
    VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (public_id) DO NOTHING";

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// It is to be sent, or sent again.
    Waiting,
    /// The endpoint took it.
    Delivered,
    /// It was tried as often as the schedule says; those behind it went on.
    Failed,
}

impl MessageState {
    /// As in tables and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Delivered => "DELIVERED",
            Self::Failed => "FAILED",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Delivered, Self::Failed].into_iter().find(|one| one.name() == name)
    }
}

/// Something that a partner is told.
#[derive(Clone, Debug)]
pub struct Message {
    /// `webhook-id`: the same with each try.
    pub public_id: Uuid,
    /// What happened.
    pub kind: EventKind,
    /// What is sent, as it is sent.
    pub body: String,
    /// When it happened.
    pub made_at: Timestamp,
    /// How far it is.
    pub state: MessageState,
    /// How often it was sent.
    pub attempts: i32,
    /// When it is sent again, at the earliest; none once it is over.
    pub next_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}

impl Webhooks {
    /// Messages of an endpoint, the newest first, behind one of them, of one state or of all.
    ///
    /// # Errors
    /// `NOT_FOUND`: the endpoint.
    pub async fn messages(
        &self,
        (partner, endpoint): (PartnerId, Uuid),
        state: Option<MessageState>,
        (behind, most): (Option<Uuid>, u32),
    ) -> Result<Vec<Message>, Problem> {
        let mut connection = self.pool().acquire().await?;
        let row = self.row_of(&mut connection, partner, endpoint).await?;
        let query = sqlx::query(if state.is_some() { IN_STATE } else { ALL });
        let mut query = query.bind(row).bind(behind).bind(i64::from(most));
        if let Some(state) = state {
            query = query.bind(state.name());
        }
        let rows = query.fetch_all(&mut *connection).await?;
        rows.iter().map(read).collect()
    }

    /// A message.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn message(
        &self,
        (partner, endpoint): (PartnerId, Uuid),
        id: Uuid,
    ) -> Result<Message, Problem> {
        let mut connection = self.pool().acquire().await?;
        let row = self.row_of(&mut connection, partner, endpoint).await?;
        let query = sqlx::query(ONE).bind(row).bind(id);
        let found = query.fetch_optional(&mut *connection).await?;
        read(&found.ok_or_else(no_message)?)
    }

    /// Has a message sent again, now and by the whole schedule, whatever became of it before.
    ///
    /// # Errors
    /// `NOT_FOUND`. `CONFLICT`: the endpoint is disabled.
    pub async fn resend(
        &self,
        (partner, endpoint): (PartnerId, Uuid),
        id: Uuid,
        now: Timestamp,
    ) -> Result<Message, Problem> {
        let row = self.enabled(partner, endpoint).await?;
        let query = sqlx::query(AGAIN).bind(row).bind(id).bind(PgTimestamp(now));
        if query.execute(self.pool()).await?.rows_affected() == 0 {
            return Err(no_message());
        }
        self.message((partner, endpoint), id).await
    }

    /// Has a message sent that says nothing but that it is one; under the same name the same one.
    ///
    /// # Errors
    /// `NOT_FOUND`. `CONFLICT`: the endpoint is disabled.
    pub async fn send_test(
        &self,
        (partner, endpoint): (PartnerId, Uuid),
        (id, now): (Uuid, Timestamp),
    ) -> Result<Message, Problem> {
        let row = self.enabled(partner, endpoint).await?;
        let date = super::bodies::written(now);
        let told = Told {
            partner,
            kind: EventKind::WebhookTest,
            key: "test",
            body: json!({ "status": "SUCCESS", "date": date, "description": "TEST" }),
            at: now,
        };
        let query = sqlx::query(TEST).bind(id).bind(row).bind(told.kind.name());
        let query = query.bind(told.key).bind(outbox::text(told.kind, told.body));
        query.bind(PgTimestamp(told.at)).execute(self.pool()).await?;
        self.message((partner, endpoint), id).await
    }

    async fn enabled(&self, partner: PartnerId, endpoint: Uuid) -> Result<i64, Problem> {
        let mut connection = self.pool().acquire().await?;
        let row = self.row_of(&mut connection, partner, endpoint).await?;
        let sql = "SELECT state = 'ENABLED' FROM webhook_endpoint WHERE id = $1";
        let enabled: bool = sqlx::query_scalar(sql).bind(row).fetch_one(&mut *connection).await?;
        if enabled {
            return Ok(row);
        }
        Err(Problem::new("CONFLICT", "the webhook is disabled: enable it first"))
    }
}

fn no_message() -> Problem {
    Problem::not_found("there is no such message")
}

fn read(row: &PgRow) -> Result<Message, Problem> {
    let (kind, state): (String, String) = (row.try_get("kind")?, row.try_get("state")?);
    let state = MessageState::named(&state).ok_or_else(|| unreadable(&"a state"))?;
    let next: PgTimestamp = row.try_get("next_at")?;
    let ended: Option<PgTimestamp> = row.try_get("ended_at")?;
    Ok(Message {
        public_id: row.try_get("public_id")?,
        kind: EventKind::named(&kind).ok_or_else(|| unreadable(&"an event"))?,
        body: row.try_get("body")?,
        made_at: row.try_get::<PgTimestamp, _>("made_at")?.0,
        state,
        attempts: row.try_get("attempts")?,
        next_at: (state == MessageState::Waiting).then_some(next.0),
        ended_at: ended.map(|at| at.0),
    })
}
