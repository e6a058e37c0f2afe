//! Answers to requests with an idempotency key, kept in the database. It owns that of several equal
//! requests one is worked on at a time, and that an answer once kept is given to all; whose key it
//! is and what an answer looks like is `http`'s affair.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgPool;
use uuid::Uuid;

use crate::Problem;

/// Digest of a caller, a method, a path and a key.
pub(crate) type Scope = [u8; 32];
/// Digest of what was asked.
pub(crate) type RequestDigest = [u8; 32];

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// Of the body.
    pub content_type: Option<String>,
    /// The version of what was made or changed.
    pub etag: Option<String>,
    /// Where what was made is.
    pub location: Option<String>,
    /// None where it is not kept, for it carries a secret: the request is to be done again.
    pub body: Option<Vec<u8>>,
}

/// What is to be done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// It is ours to do, under this claim.
    Ours(Uuid),
    /// It was done.
    Answered(KeptAnswer),
    /// Somebody is doing it.
    InProgress,
    /// The key was used for another request.
    OtherRequest,
}

/// The kept answers.
#[derive(Clone, Debug)]
pub struct Answers {
    pool: PgPool,
    /// For how long nobody else does what somebody has begun.
    claim_for: Duration,
}

/// Whose claim has run out is dead or very late: what it did is under the same keys, so it is safe
/// to do it again.
///
/// Its commit does not wait for the disk: whatever is done under it commits later, and so not
/// without it; a claim that a crash of the database took away was one of nothing.
const CLAIM: &str = "\
    WITH relaxed AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    INSERT INTO idempotent_answer AS a (scope, request, claim, claimed_until)
    SELECT $1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond' FROM relaxed
    ON CONFLICT (scope) DO UPDATE
        SET claim = excluded.claim, claimed_until = excluded.claimed_until
        WHERE a.request = excluded.request AND a.claimed_until < clock_timestamp()
            AND (a.status IS NULL OR a.body IS NULL)
    RETURNING claim";

const LOOK: &str = "\
    SELECT request = $2 AS same, status, content_type, etag, location, body
    FROM idempotent_answer WHERE scope = $1";

const KEEP: &str = "\
    UPDATE idempotent_answer
    SET status = $3, content_type = $4, etag = $5, location = $6, body = $7,
        claimed_until = clock_timestamp()
    WHERE scope = $1 AND claim = $2";

const GIVE_UP: &str = "\
    DELETE FROM idempotent_answer WHERE scope = $1 AND claim = $2 AND status IS NULL";

/// Of a few at a time: nobody waits for it.
const FORGET: &str = "\
    DELETE FROM idempotent_answer WHERE scope IN (
        SELECT scope FROM idempotent_answer
        WHERE first_at < clock_timestamp() - $1 * interval '1 second'
            AND claimed_until < clock_timestamp()
        ORDER BY first_at LIMIT $2 FOR UPDATE SKIP LOCKED)";

impl Answers {
    /// Over this database.
    #[must_use]
    pub const fn new(pool: PgPool, claim_for: Duration) -> Self {
        Self { pool, claim_for }
    }

    /// Asks to do a request.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn claim(
        &self,
        scope: &Scope,
        request: &RequestDigest,
    ) -> Result<Claimed, Problem> {
        let claim = Uuid::new_v4();
        let millis = i64::try_from(self.claim_for.as_millis()).unwrap_or(i64::MAX);
        let claiming = sqlx::query(CLAIM).bind(&scope[..]).bind(&request[..]).bind(claim);
        if claiming.bind(millis).fetch_optional(&self.pool).await?.is_some() {
            return Ok(Claimed::Ours(claim));
        }
        let looking = sqlx::query(LOOK).bind(&scope[..]).bind(&request[..]);
        let Some(row) = looking.fetch_optional(&self.pool).await? else {
            // Given up in between: whoever asks again may do it.
            return Ok(Claimed::InProgress);
        };
        if !row.try_get::<bool, _>("same")? {
            return Ok(Claimed::OtherRequest);
        }
        let Some(status) = row.try_get::<Option<i16>, _>("status")? else {
            return Ok(Claimed::InProgress);
        };
        let body: Option<Vec<u8>> = row.try_get("body")?;
        if body.is_none() {
            return Ok(Claimed::InProgress);
        }
        Ok(Claimed::Answered(KeptAnswer {
            status: u16::try_from(status).unwrap_or(500),
            content_type: row.try_get("content_type")?,
            etag: row.try_get("etag")?,
            location: row.try_get("location")?,
            body,
        }))
    }

    /// Keeps the answer of what was claimed.
    ///
    /// # Errors
    /// The database: then the request is done again when it comes again, under the same keys.
    pub(crate) async fn keep(
        &self,
        scope: &Scope,
        claim: Uuid,
        answer: &KeptAnswer,
    ) -> Result<(), Problem> {
        let keeping = sqlx::query(KEEP)
            .bind(&scope[..])
            .bind(claim)
            .bind(i16::try_from(answer.status).unwrap_or(500))
            .bind(&answer.content_type)
            .bind(&answer.etag)
            .bind(&answer.location)
            .bind(&answer.body);
        keeping.execute(&self.pool).await?;
        Ok(())
    }

    /// Gives a claim up: nothing was done, and the key is free.
    ///
    /// # Errors
    /// The database: then it is free once the claim has run out.
    pub(crate) async fn give_up(&self, scope: &Scope, claim: Uuid) -> Result<(), Problem> {
        sqlx::query(GIVE_UP).bind(&scope[..]).bind(claim).execute(&self.pool).await?;
        Ok(())
    }

    /// Forgets answers that are older than this, at most so many. How many there were.
    ///
    /// # Errors
    /// The database.
    pub async fn forget(&self, older_than: Duration, most: u32) -> Result<u64, Problem> {
        let seconds = i64::try_from(older_than.as_secs()).unwrap_or(i64::MAX);
        let done = sqlx::query(FORGET).bind(seconds).bind(i64::from(most));
        Ok(done.execute(&self.pool).await?.rows_affected())
    }
}
