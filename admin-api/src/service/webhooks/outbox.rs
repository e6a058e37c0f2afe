//! The outbox: what a partner is to be told is written beside what happened, in its transaction. It
//! owns that a message is made for every endpoint that is enabled and asked for its kind, and for
//! no other; where there is none, nothing is written.

use serde_json::Value;
use sqlx::PgConnection;
use switch_domain::{PartnerId, Timestamp};
use switch_store::PgTimestamp;

use super::EventKind;
use crate::Problem;

const ENQUEUE: &str = "\
    INSERT INTO webhook_message (public_id, endpoint_id, kind, ordering_key, body, made_at, next_at)
    SELECT gen_random_uuid(), id, $2, $3, $4, $5, $5 FROM webhook_endpoint
    WHERE partner_id = $1 AND state = 'ENABLED' AND removed_at IS NULL AND $2 = ANY (kinds)
    ORDER BY id";

/// What a partner is to be told. It has no card number, no PIN, no secret, and nothing personal: it
/// lies in a table as it is, and goes to the partner's server in clear but for TLS.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// Whose affair it is.
    pub partner: PartnerId,
    /// What happened.
    pub kind: EventKind,
    /// Of what, as `card:7`: what is of one key is told in the order in which it is written. Who
    /// writes it holds a lock on the thing until its transaction ends.
    pub key: &'a str,
    /// The body, but for `type`, which is added.
    pub body: Value,
    /// When.
    pub at: Timestamp,
}

/// Writes a message into the transaction of what happened; for how many endpoints.
///
/// # Errors
/// The database: the transaction is lost, and with it what happened.
pub async fn enqueue(transaction: &mut PgConnection, told: Told<'_>) -> Result<u64, Problem> {
    let body = text(told.kind, told.body);
    let query = sqlx::query(ENQUEUE).bind(told.partner.0).bind(told.kind.name()).bind(told.key);
    let done = query.bind(body).bind(PgTimestamp(told.at)).execute(transaction).await?;
    Ok(done.rows_affected())
}

/// A body as it is sent: its type, and what else it says.
pub(super) fn text(kind: EventKind, body: Value) -> String {
    let mut whole = serde_json::Map::new();
    whole.insert("type".to_owned(), Value::from(kind.name()));
    if let Value::Object(members) = body {
        whole.extend(members);
    }
    Value::Object(whole).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_says_of_what_kind_it_is() {
        let text = text(EventKind::CardLocked, json!({ "card": { "cardId": "7" } }));
        let read: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read, json!({ "type": "card.locked", "card": { "cardId": "7" } }));
    }
}
