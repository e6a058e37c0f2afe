//! What a partner or a programme was before each change, and after it. It owns the table
//! `setup_change`, how many changes are kept, and the digest of one, which the record of
//! an act over the API has too: whoever alters such a row is found out by the audit's chain.

use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};
use switch_domain::{AsciiText, PartnerId, ProgrammeId, Timestamp};
use switch_store::PgTimestamp;

use crate::Problem;

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A partner.
    Partner(PartnerId),
    /// A programme.
    Programme(ProgrammeId),
}

impl Subject {
    const fn columns(self) -> (&'static str, i64) {
        match self {
            Self::Partner(id) => ("PARTNER", id.0),
            Self::Programme(id) => ("PROGRAMME", id.0),
        }
    }
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupChange {
    /// Counts changes of everything.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who, as the audit calls them.
    pub by: String,
    /// What it was; none where it was made.
    pub before: Option<Value>,
    /// What it is since.
    pub after: Value,
    /// Of all that, as the audit has it: hexadecimal digits.
    pub digest: String,
}

/// A change that was noted, for the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// Its number.
    pub id: i64,
    /// Its digest.
    pub digest: String,
}

const NOTE: &str = "\
    INSERT INTO setup_change
        (subject, subject_id, changed_at, changed_by, before, after, digest)
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";

/// The oldest go.
const TRIM: &str = "\
    DELETE FROM setup_change WHERE subject = $1 AND subject_id = $2 AND id <= (
        SELECT id FROM setup_change WHERE subject = $1 AND subject_id = $2
        ORDER BY id DESC OFFSET $3 LIMIT 1)";

const LIST: &str = "\
    SELECT id, changed_at, changed_by, before, after, digest FROM setup_change
    WHERE subject = $1 AND subject_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4";

/// Notes a change; where nothing differs, none was made.
pub(super) async fn note(
    connection: &mut PgConnection,
    about: Subject,
    (by, now): (AsciiText<40>, Timestamp),
    (before, after): (Option<&Value>, &Value),
    most: u32,
) -> Result<Option<Noted>, Problem> {
    if before == Some(after) {
        return Ok(None);
    }
    let (subject, id) = about.columns();
    let (before, after) = (before.map(Value::to_string), after.to_string());
    let digest = digest((subject, id), (by.as_str(), now), (before.as_deref(), &after));
    let made = sqlx::query_scalar(NOTE).bind(subject).bind(id).bind(PgTimestamp(now));
    let made = made.bind(by.as_str()).bind(before).bind(after).bind(digest.as_slice());
    let number: i64 = made.fetch_one(&mut *connection).await?;
    let trim = sqlx::query(TRIM).bind(subject).bind(id).bind(i64::from(most));
    trim.execute(connection).await?;
    Ok(Some(Noted { id: number, digest: hex::encode(digest) }))
}

/// The lengths stand between, so that no two changes make the same text.
fn digest(
    (subject, id): (&str, i64),
    (by, at): (&str, Timestamp),
    (before, after): (Option<&str>, &str),
) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(id.to_be_bytes());
    hash.update(at.0.to_be_bytes());
    hash.update([u8::from(before.is_some())]);
    for text in [subject, by, before.unwrap_or_default(), after] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}

/// Changes before this one, the latest first; one more than asked for, where there are more.
pub(super) async fn list(
    pool: &PgPool,
    about: Subject,
    (behind, most): (Option<i64>, u32),
) -> Result<Vec<SetupChange>, Problem> {
    let (subject, id) = about.columns();
    let rows = sqlx::query(LIST).bind(subject).bind(id).bind(behind.unwrap_or(i64::MAX));
    let rows = rows.bind(i64::from(most).saturating_add(1)).fetch_all(pool).await?;
    rows.iter().map(|row| read(row, (subject, id))).collect()
}

/// A row that is not what its digest is of is not shown.
fn read(row: &PgRow, about: (&str, i64)) -> Result<SetupChange, Problem> {
    let at = row.try_get::<PgTimestamp, _>("changed_at")?.0;
    let (by, kept): (String, Vec<u8>) = (row.try_get("changed_by")?, row.try_get("digest")?);
    let (before, after): (Option<String>, String) = (row.try_get("before")?, row.try_get("after")?);
    let altered = || Problem::internal("reading a change", &"it is not what its digest is of");
    if digest(about, (&by, at), (before.as_deref(), &after)) != kept.as_slice() {
        return Err(altered());
    }
    let value = |text: &str| serde_json::from_str(text).map_err(|_| altered());
    Ok(SetupChange {
        id: row.try_get("id")?,
        at,
        by,
        before: before.as_deref().map(value).transpose()?,
        after: value(&after)?,
        digest: hex::encode(kept),
    })
}
