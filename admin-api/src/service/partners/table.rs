//! The table `partner_key`: every key that was registered for a partner. It owns its statements.
//! Rows are added, and once retired; nothing else of them ever changes.

use std::sync::Arc;

use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Row};
use switch_domain::{AsciiText, PartnerId, Timestamp};
use switch_store::PgTimestamp;

use crate::Problem;
use crate::jwe::{PartnerKey, PartnerRule};

/// Most that are listed of one partner.
const MOST_LISTED: i64 = 1_000;

/// One at a time: the number of a partner's keys must not move in between.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('partner_key', 0))";

const SAME: &str = "SELECT partner_id, retired_at FROM partner_key WHERE thumbprint = $1";

const LIVE: &str = "\
    SELECT count(*) FROM partner_key WHERE partner_id = $1 AND retired_at IS NULL";

const ADD: &str = "\
    INSERT INTO partner_key (partner_id, thumbprint, public_key, added_at, added_by)
    VALUES ($1, $2, $3, $4, $5)";

const RETIRE: &str = "\
    UPDATE partner_key SET retired_at = $3, retired_by = $4
    WHERE partner_id = $1 AND thumbprint = $2 AND retired_at IS NULL";

const IS_THERE: &str = "\
    SELECT count(*) FROM partner_key WHERE partner_id = $1 AND thumbprint = $2";

const LIST: &str = "\
    SELECT thumbprint, added_at, added_by, retired_at, retired_by FROM partner_key
    WHERE partner_id = $1 ORDER BY id DESC LIMIT $2";

/// In one statement, so that the setting and the keys are of one moment.
const RULE: &str = "\
    SELECT coalesce(settings.registered_keys_only, false) AS registered_only, of.public_key
    FROM (SELECT) one
    LEFT JOIN partner_settings settings ON settings.partner_id = $1
    LEFT JOIN LATERAL (
        SELECT id, public_key FROM partner_key
        WHERE partner_id = $1 AND retired_at IS NULL ORDER BY id DESC LIMIT $2
    ) of ON settings.registered_keys_only
    ORDER BY of.id DESC";

/// A key as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// What tells it.
    pub thumbprint: String,
    /// When it was registered, and by whom.
    pub added: (Timestamp, String),
    /// When it was retired, and by whom.
    pub retired: Option<(Timestamp, String)>,
}

/// Adds a key; whether it was not there.
pub(super) async fn add(
    pool: &PgPool,
    partner: PartnerId,
    key: &PartnerKey,
    most: i64,
    (by, now): (AsciiText<40>, Timestamp),
) -> Result<bool, Problem> {
    let mut transaction = pool.begin().await?;
    sqlx::query(LOCK).execute(&mut *transaction).await?;
    let thumbprint = key.thumbprint();
    if is_there(&mut transaction, partner, &thumbprint).await? {
        return Ok(false);
    }
    let live = sqlx::query_scalar(LIVE).bind(partner.0).fetch_one(&mut *transaction).await?;
    let live: i64 = live;
    if live >= most {
        let problem = format!("a partner has {most} keys at most: retire one that is not used");
        return Err(Problem::new("EXHAUSTED", problem));
    }
    let query = sqlx::query(ADD).bind(partner.0).bind(&thumbprint).bind(key.der());
    query.bind(PgTimestamp(now)).bind(by.as_str()).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Whether a partner has a key already, in use.
async fn is_there(
    transaction: &mut PgConnection,
    partner: PartnerId,
    thumbprint: &str,
) -> Result<bool, Problem> {
    let row = sqlx::query(SAME).bind(thumbprint).fetch_optional(transaction).await?;
    let Some(row) = row else { return Ok(false) };
    let conflict = |detail| Err(Problem::new("CONFLICT", detail));
    if PartnerId(row.try_get("partner_id")?) != partner {
        return conflict("another partner has this key: make a new one");
    }
    if row.try_get::<Option<PgTimestamp>, _>("retired_at")?.is_some() {
        return conflict("this key was retired, for good: make a new one");
    }
    Ok(true)
}

/// Retires a key; whether it was in use.
pub(super) async fn retire(
    pool: &PgPool,
    partner: PartnerId,
    thumbprint: &str,
    (by, now): (AsciiText<40>, Timestamp),
) -> Result<bool, Problem> {
    let query = sqlx::query(RETIRE).bind(partner.0).bind(thumbprint);
    let done = query.bind(PgTimestamp(now)).bind(by.as_str()).execute(pool).await?;
    if done.rows_affected() > 0 {
        return Ok(true);
    }
    let there = sqlx::query_scalar(IS_THERE).bind(partner.0).bind(thumbprint);
    let there: i64 = there.fetch_one(pool).await?;
    if there == 0 {
        return Err(Problem::not_found("the partner has no such key; `partner key list` has all"));
    }
    Ok(false)
}

pub(super) async fn list(pool: &PgPool, partner: PartnerId) -> Result<Vec<ListedKey>, Problem> {
    let rows = sqlx::query(LIST).bind(partner.0).bind(MOST_LISTED).fetch_all(pool).await?;
    rows.iter().map(listed).collect()
}

fn listed(row: &PgRow) -> Result<ListedKey, Problem> {
    let retired: Option<PgTimestamp> = row.try_get("retired_at")?;
    let by: Option<String> = row.try_get("retired_by")?;
    Ok(ListedKey {
        thumbprint: row.try_get("thumbprint")?,
        added: (row.try_get::<PgTimestamp, _>("added_at")?.0, row.try_get("added_by")?),
        retired: retired.map(|at| (at.0, by.unwrap_or_default())),
    })
}

/// By which rule a partner's answers are encrypted, as the tables have it.
pub(super) async fn rule(
    pool: &PgPool,
    partner: PartnerId,
    most: i64,
) -> Result<PartnerRule, Problem> {
    let rows = sqlx::query(RULE).bind(partner.0).bind(most).fetch_all(pool).await?;
    let mut keys = Vec::new();
    for row in &rows {
        if !row.try_get::<bool, _>("registered_only")? {
            return Ok(PartnerRule::KeyInRequest);
        }
        let Some(der) = row.try_get::<Option<Vec<u8>>, _>("public_key")? else { continue };
        let key = PartnerKey::from_der(&der);
        let key = key.map_err(|fault| Problem::internal("reading a registered key", &fault))?;
        keys.push(Arc::new(key));
    }
    Ok(PartnerRule::RegisteredOnly(keys))
}
