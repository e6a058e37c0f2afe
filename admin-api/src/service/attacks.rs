//! What is kept of attempts at guessing cards: alarms, blocks, and who took a block back. It owns
//! the table `attack_event`; who is blocked is the watch's affair (`switch-attacks`).

use serde_json::{Value, json};
use sqlx::Row;
use sqlx::postgres::PgRow;
use switch_attacks::{Block, Kind, News, Pair, Subject, What};
use switch_domain::{Acquirer, AsciiText, Bin, LinkId, Timestamp};

use super::Services;
use crate::Problem;

/// Who does what nobody asked for.
const SWITCH: &str = "switch";

const NOTE: &str = "\
    INSERT INTO attack_event (at, what, actor, subject, bin, acquirer, link, merchant, kind, count,
        threshold, until, shadow, met)
    VALUES ('epoch'::timestamptz + $1::int8 * interval '1 microsecond', $2, $3, $4, $5, $6, $7, $8,
        $9, $10, $11, 'epoch'::timestamptz + $12::int8 * interval '1 microsecond', $13, $14)";

/// Blocks that have not ended and that nobody took back.
const IN_FORCE: &str = "\
    SELECT bin, acquirer, link, merchant, kind, count, threshold, shadow,
           (extract(epoch FROM at) * 1000000)::int8 AS since,
           (extract(epoch FROM until) * 1000000)::int8 AS until
    FROM attack_event blocked
    WHERE what = 'blocked' AND until > 'epoch'::timestamptz + $1::int8 * interval '1 microsecond'
      AND NOT EXISTS (
        SELECT FROM attack_event over
        WHERE over.what IN ('lifted', 'ended') AND over.at >= blocked.at
          AND over.bin = blocked.bin AND over.merchant = blocked.merchant
          AND over.acquirer IS NOT DISTINCT FROM blocked.acquirer
          AND over.link IS NOT DISTINCT FROM blocked.link)
    ORDER BY id";

const LATEST: &str = "\
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS at, what, actor,
           subject, bin, acquirer, link, merchant, kind, count, threshold,
           to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS until, shadow, met
    FROM attack_event ORDER BY id DESC LIMIT $1";

const FORGET: &str = "DELETE FROM attack_event WHERE at < now() - make_interval(days => $1)";

/// A row to be.
struct Noted<'a> {
    at: Timestamp,
    what: &'a str,
    actor: &'a str,
    subject: Subject,
    kind: Kind,
    count: u32,
    limit: u32,
    until: Option<Timestamp>,
    shadow: bool,
    met: Option<u64>,
}

impl Services {
    /// Keeps what happened.
    ///
    /// # Errors
    /// The database.
    pub async fn note_attack(&self, news: &News) -> Result<(), Problem> {
        let News { at, subject, kind, count, limit, what } = *news;
        let (until, shadow, met) = match what {
            What::Blocked { until, shadow } => (Some(until), shadow, None),
            What::Ended { met } => (None, false, Some(met)),
            What::Alarm | What::NotBlocked => (None, false, None),
        };
        let (what, actor) = (what.name(), SWITCH);
        let noted = Noted { at, what, actor, subject, kind, count, limit, until, shadow, met };
        self.note(&noted).await
    }

    /// Keeps that somebody took a block back.
    ///
    /// # Errors
    /// The database.
    pub async fn note_lifted(
        &self,
        block: &Block,
        actor: &str,
        at: Timestamp,
    ) -> Result<(), Problem> {
        let Block { pair, kind, count, limit, shadow, met, .. } = *block;
        let (what, subject, until, met) = ("lifted", Subject::Pair(pair), None, Some(met));
        let noted = Noted { at, what, actor, subject, kind, count, limit, until, shadow, met };
        self.note(&noted).await
    }

    async fn note(&self, noted: &Noted<'_>) -> Result<(), Problem> {
        let (acquirer, link) = names(noted.subject.acquirer());
        let merchant = noted.subject.merchant().map(|merchant| merchant.to_string());
        let bin = noted.subject.bin().map(|bin| i32::try_from(bin.0).unwrap_or(i32::MAX));
        sqlx::query(NOTE)
            .bind(noted.at.0)
            .bind(noted.what)
            .bind(noted.actor)
            .bind(noted.subject.name())
            .bind(bin)
            .bind(acquirer)
            .bind(link)
            .bind(merchant)
            .bind(noted.kind.name())
            .bind(i64::from(noted.count))
            .bind(i64::from(noted.limit))
            .bind(noted.until.map(|until| until.0))
            .bind(noted.shadow)
            .bind(noted.met.map(|met| i64::try_from(met).unwrap_or(i64::MAX)))
            .execute(self.store.pool())
            .await?;
        Ok(())
    }

    /// The blocks that were in force when the switch stopped, and still would be. What this version
    /// cannot read is left out.
    ///
    /// # Errors
    /// The database.
    pub async fn blocks_of_before(&self, now: Timestamp) -> Result<Vec<Block>, Problem> {
        let rows = sqlx::query(IN_FORCE).bind(now.0).fetch_all(self.store.pool()).await?;
        let mut blocks = Vec::with_capacity(rows.len());
        for row in &rows {
            blocks.extend(block(row)?);
        }
        Ok(blocks)
    }

    /// What happened lately, the latest first.
    ///
    /// # Errors
    /// The database.
    pub async fn attack_events(&self, most: u32) -> Result<Value, Problem> {
        let most = i64::from(most);
        let rows = sqlx::query(LATEST).bind(most).fetch_all(self.store.pool()).await?;
        let mut listed = Vec::with_capacity(rows.len());
        for row in rows {
            listed.push(json!({
                "at": row.try_get::<String, _>("at")?,
                "what": row.try_get::<String, _>("what")?,
                "actor": row.try_get::<String, _>("actor")?,
                "subject": row.try_get::<String, _>("subject")?,
                "bin": row.try_get::<Option<i32>, _>("bin")?,
                "acquirer": row.try_get::<Option<String>, _>("acquirer")?,
                "link": row.try_get::<Option<i32>, _>("link")?,
                "merchant": row.try_get::<Option<String>, _>("merchant")?,
                "kind": row.try_get::<String, _>("kind")?,
                "count": row.try_get::<i64, _>("count")?,
                "limit": row.try_get::<i64, _>("threshold")?,
                "until": row.try_get::<Option<String>, _>("until")?,
                "shadow": row.try_get::<bool, _>("shadow")?,
                "met": row.try_get::<Option<i64>, _>("met")?,
            }));
        }
        Ok(Value::Array(listed))
    }

    /// Lets go of what is older than so many days.
    ///
    /// # Errors
    /// The database.
    pub async fn forget_attacks(&self, days: u32) -> Result<(), Problem> {
        let days = i32::try_from(days).unwrap_or(i32::MAX);
        sqlx::query(FORGET).bind(days).execute(self.store.pool()).await?;
        Ok(())
    }
}

/// An acquirer in two columns.
fn names(acquirer: Option<Acquirer>) -> (Option<String>, Option<i32>) {
    match acquirer {
        Some(Acquirer::Institution(number)) => (Some(number.to_string()), None),
        Some(Acquirer::Link(link)) => (None, Some(i32::from(link.0))),
        None => (None, None),
    }
}

/// A block of a row; `None` where it has a word that nobody knows.
fn block(row: &PgRow) -> Result<Option<Block>, Problem> {
    let bin = u32::try_from(row.try_get::<i32, _>("bin")?).ok().map(Bin);
    let acquirer: Option<String> = row.try_get("acquirer")?;
    let link: Option<i32> = row.try_get("link")?;
    let acquirer = match (acquirer, link.and_then(|link| u16::try_from(link).ok())) {
        (Some(number), _) => AsciiText::new(number.as_bytes()).ok().map(Acquirer::Institution),
        (None, link) => link.map(|link| Acquirer::Link(LinkId(link))),
    };
    let merchant: String = row.try_get("merchant")?;
    let merchant = AsciiText::new(merchant.as_bytes()).ok();
    let kind = Kind::from_name(row.try_get("kind")?);
    let number = |name| row.try_get::<i64, _>(name).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let (count, limit) = (number("count")?, number("threshold")?);
    let (since, until) = (row.try_get("since")?, row.try_get("until")?);
    let shadow = row.try_get("shadow")?;
    let (Some(bin), Some(acquirer), Some(merchant), Some(kind)) = (bin, acquirer, merchant, kind)
    else {
        return Ok(None);
    };
    let pair = Pair { bin, acquirer, merchant };
    let (since, until) = (Timestamp(since), Timestamp(until));
    Ok(Some(Block { pair, kind, count, limit, since, until, shadow, met: 0 }))
}
