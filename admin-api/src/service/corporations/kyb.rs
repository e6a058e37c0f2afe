//! The verification of corporations (KYB) in SQL: moves by operators, each kept. It owns the table
//! `kyb_move`; where a move may go stands in `machine`. A move holds the row of the customer that
//! the corporation is to the shards, as who opens an account does: they never pass each other.

use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{AsciiText, PartnerId, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::registry::{one, state_of};
use super::{Corporation, Corporations, KybState, counted, judge, no_corporation};
use crate::Problem;
use crate::service::users::rules::is_text;
use crate::service::webhooks::{EventKind, Told, enqueue};

/// How long a note on a move may be.
const NOTE_MOST: usize = 200;

const ALONE: &str = "\
    SELECT id FROM customer WHERE partner_id = $1 AND public_id = $2 AND is_corporation
    FOR NO KEY UPDATE";

const MOVE: &str = "UPDATE corporation SET state = $2, since = $3 WHERE customer_id = $1";

const NOTE: &str = "\
    INSERT INTO kyb_move (customer_id, at, by_name, from_state, to_state, note)
    VALUES ($1, $2, $3, $4, $5, $6)";

const MOVES: &str = "\
    SELECT at, by_name, from_state, to_state, note FROM kyb_move
    WHERE customer_id = $1 ORDER BY id LIMIT $2";

/// What an operator decided.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    /// Where the verification is to go.
    pub to: KybState,
    /// What it was decided by: 1 to 200 characters, which the partner sees; nothing personal.
    pub note: &'a str,
    /// Who decided, as the audit names them.
    pub by: AsciiText<40>,
    /// When.
    pub now: Timestamp,
}

/// A move that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KybMove {
    /// When.
    pub at: Timestamp,
    /// By whom, as the audit names them: for operators alone.
    pub by: String,
    /// From where.
    pub from: KybState,
    /// To where.
    pub to: KybState,
    /// What was said of it.
    pub note: String,
}

impl Corporations {
    /// Moves a corporation's verification. Of several that move it at once one does, and the others
    /// are judged by where it stands then.
    ///
    /// # Errors
    /// `NOT_FOUND`. `INVALID_REQUEST`: the note. `CONFLICT`: there is no such move, or no document
    /// that it could be approved by. `EXHAUSTED`: it has had as many moves as are kept.
    pub async fn decide(
        &self,
        partner: PartnerId,
        public_id: Uuid,
        decision: Decision<'_>,
    ) -> Result<(), Problem> {
        let Decision { to, note, by, now } = decision;
        if !is_text(note, NOTE_MOST) {
            return Err(Problem::field("note", format!("1 to {NOTE_MOST} characters")));
        }
        let mut transaction = self.pool().begin().await?;
        let alone = sqlx::query(ALONE).bind(partner.0).bind(public_id);
        alone.fetch_optional(&mut *transaction).await?.ok_or_else(no_corporation)?;
        let corporation = one(&mut transaction, partner, public_id).await?;
        let (documents, moves) = counts(&mut transaction, &corporation).await?;
        judge(corporation.state, to, documents > 0)
            .map_err(|why| Problem::new("CONFLICT", why.to_string()))?;
        // Nothing keeps one from being put on hold.
        if to != KybState::OnHold && moves >= i64::from(self.settings.moves_most) {
            return Err(Problem::new("EXHAUSTED", "the verification was moved too often"));
        }
        let update = sqlx::query(MOVE).bind(corporation.id.0).bind(to.name());
        update.bind(PgTimestamp(now)).execute(&mut *transaction).await?;
        sqlx::query(NOTE)
            .bind(corporation.id.0)
            .bind(PgTimestamp(now))
            .bind(by.as_str())
            .bind(corporation.state.name())
            .bind(to.name())
            .bind(note)
            .execute(&mut *transaction)
            .await?;
        tell(&mut transaction, &corporation, to, now).await?;
        transaction.commit().await?;
        counted::moved(to);
        Ok(())
    }

    /// The moves of a corporation's verification, the first first.
    ///
    /// # Errors
    /// The database.
    pub async fn moves(&self, corporation: &Corporation) -> Result<Vec<KybMove>, Problem> {
        let query = sqlx::query(MOVES).bind(corporation.id.0);
        let query = query.bind(i64::from(self.settings.moves_most));
        query.fetch_all(self.pool()).await?.iter().map(read).collect()
    }
}

/// Its documents, and the moves of before.
async fn counts(
    transaction: &mut PgConnection,
    corporation: &Corporation,
) -> Result<(i64, i64), Problem> {
    let sql = "SELECT (SELECT count(*) FROM corporation_document WHERE customer_id = $1) AS sent, \
               (SELECT count(*) FROM kyb_move WHERE customer_id = $1) AS moves";
    let row = sqlx::query(sql).bind(corporation.id.0).fetch_one(transaction).await?;
    Ok((row.try_get("sent")?, row.try_get("moves")?))
}

/// The partner is told, if it asked to be. A note may name documents, and is not told.
async fn tell(
    transaction: &mut PgConnection,
    corporation: &Corporation,
    to: KybState,
    at: Timestamp,
) -> Result<(), Problem> {
    let id = corporation.public_id;
    let told = Told {
        partner: corporation.partner,
        kind: EventKind::KybChanged,
        key: &format!("corporation:{id}"),
        body: json!({
            "status": "SUCCESS",
            "date": jiff::Timestamp::from_microsecond(at.0).unwrap_or_default().to_string(),
            "description": to.name(),
            "corporation": {
                "dcCorporationId": id,
                "kybState": to.name(),
                "before": corporation.state.name(),
            },
        }),
        at,
    };
    enqueue(transaction, told).await?;
    Ok(())
}

fn read(row: &PgRow) -> Result<KybMove, Problem> {
    Ok(KybMove {
        at: row.try_get::<PgTimestamp, _>("at")?.0,
        by: row.try_get("by_name")?,
        from: state_of(row, "from_state")?,
        to: state_of(row, "to_state")?,
        note: row.try_get("note")?,
    })
}
