//! Walking the chain to find what was changed. It owns what is said of the first record that is not
//! as it was.

use sqlx::postgres::{PgPool, PgRow};
use sqlx::{Connection, Row};

use super::chain::{Head, digest_of, entry_of, head_in};
use crate::Problem;

/// What is wrong with the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A record is not there.
    #[error("record {0} is missing")]
    Missing(i64),
    /// A record is not what it was, or not where it was.
    #[error("record {0} was changed, or is not in its place")]
    Changed(i64),
    /// The chain ends before a head that was kept.
    #[error("the chain ends at record {found}, and it once had record {kept}")]
    Shortened {
        /// The last that is there.
        found: i64,
        /// The last that was there.
        kept: i64,
    },
    /// The record of a kept head was let go, for it was old: a newer head is needed.
    #[error("record {kept} was let go, and the chain begins behind {begins}: give a newer head")]
    LetGo {
        /// The last that was there.
        kept: i64,
        /// The last that was let go.
        begins: i64,
    },
    /// The record of a kept head is another by now: the whole chain was written anew.
    #[error("record {0} is another than the one whose digest was kept")]
    Rewritten(i64),
}

const ONE_MOMENT: &str = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";
const ANCHOR: &str = "SELECT number, digest FROM audit_anchor";
const WALK: &str = "\
    SELECT number, (extract(epoch FROM at) * 1000000)::int8 AS at, actor, act, outcome, origin,
        object, request_id, code, digest
    FROM audit_chain WHERE number > $1 ORDER BY number LIMIT $2";
/// Records that are read at a time.
const AT_A_TIME: i64 = 1000;

/// A chain that is as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The last record that was let go for its age; 0: none was.
    pub begins: i64,
    /// The head that it has now.
    pub head: Head,
}

/// Walks the whole chain, and compares it with a head that was kept. What it is now, or what is
/// wrong with the first record that is not as it was.
///
/// # Errors
/// The database.
pub async fn verify(pool: &PgPool, kept: Option<&Head>) -> Result<Result<Whole, Fault>, Problem> {
    let mut session = pool.acquire().await?;
    // Of one moment: while it is walked, old records may go and new ones come.
    let mut moment = session.begin_with(ONE_MOMENT).await?;
    let anchor = sqlx::query(ANCHOR).fetch_optional(&mut *moment).await?;
    let nothing = Head { number: 0, digest: [0; 32] };
    let mut at = anchor.as_ref().map(head_in).transpose()?.unwrap_or(nothing);
    let begins = at.number;
    match kept {
        Some(kept) if kept.number == begins && kept.digest != at.digest => {
            return Ok(Err(Fault::Rewritten(begins)));
        }
        Some(kept) if kept.number > 0 && kept.number < begins => {
            return Ok(Err(Fault::LetGo { kept: kept.number, begins }));
        }
        _ => {}
    }
    loop {
        let walking = sqlx::query(WALK).bind(at.number).bind(AT_A_TIME);
        let rows = walking.fetch_all(&mut *moment).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            at = match follow(&at, row, kept)? {
                Ok(head) => head,
                Err(fault) => return Ok(Err(fault)),
            };
        }
    }
    match kept {
        Some(kept) if kept.number > at.number => {
            Ok(Err(Fault::Shortened { found: at.number, kept: kept.number }))
        }
        _ => Ok(Ok(Whole { begins, head: at })),
    }
}

/// The next record: the head that it makes.
fn follow(at: &Head, row: &PgRow, kept: Option<&Head>) -> Result<Result<Head, Fault>, sqlx::Error> {
    let expected = at.number.saturating_add(1);
    let number: i64 = row.try_get("number")?;
    if number != expected {
        return Ok(Err(Fault::Missing(expected)));
    }
    let Some(entry) = entry_of(row)? else { return Ok(Err(Fault::Changed(number))) };
    let digest = entry.digest(number, &at.digest);
    if digest != digest_of(row)? {
        return Ok(Err(Fault::Changed(number)));
    }
    if kept.is_some_and(|kept| kept.number == number && kept.digest != digest) {
        return Ok(Err(Fault::Rewritten(number)));
    }
    Ok(Ok(Head { number, digest }))
}
