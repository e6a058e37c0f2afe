//! The chain of records in the database: adding to its end, and where that is. It owns the order;
//! one writer adds at a time, whichever process it is in.

use sqlx::postgres::{PgPool, PgRow};
use sqlx::{Postgres, Row, Transaction};
use switch_domain::Timestamp;

use super::entry::{Entry, Outcome};
use crate::Problem;

/// The end of the chain: kept elsewhere, it shows that nothing behind it was taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last record; 0: there is none.
    pub number: i64,
    /// Its digest; of no record, zeros.
    pub digest: [u8; 32],
}

const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtext('cardswitch audit chain'))";
const HEAD: &str = "SELECT number, digest FROM audit_chain ORDER BY number DESC LIMIT 1";
const ADD: &str = "\
    INSERT INTO audit_chain
        (number, at, actor, act, outcome, origin, object, request_id, code, digest)
    SELECT number, to_timestamp(0) + at * interval '1 microsecond', actor, act, outcome, origin,
        object, request_id, code, digest
    FROM unnest($1::int8[], $2::int8[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::bytea[])
        AS new (number, at, actor, act, outcome, origin, object, request_id, code, digest)";
/// The chain in a database.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pool: PgPool,
}

impl Link {
    pub(crate) const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Adds records, all or none; they are there when this returns.
    pub(crate) async fn add(&self, entries: &[Entry]) -> Result<Head, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(LOCK).execute(&mut *transaction).await?;
        let mut head = head(&mut transaction).await?;
        let mut rows = Columns::default();
        for entry in entries {
            let number = head.number.saturating_add(1);
            head = Head { number, digest: entry.digest(number, &head.digest) };
            rows.push(entry, &head);
        }
        rows.insert(&mut transaction).await?;
        transaction.commit().await?;
        Ok(head)
    }
}

async fn head(transaction: &mut Transaction<'static, Postgres>) -> Result<Head, sqlx::Error> {
    let row = sqlx::query(HEAD).fetch_optional(&mut **transaction).await?;
    Ok(row.as_ref().map(head_in).transpose()?.unwrap_or_else(none))
}

/// Of no record.
const fn none() -> Head {
    Head { number: 0, digest: [0; 32] }
}

pub(super) fn head_in(row: &PgRow) -> Result<Head, sqlx::Error> {
    Ok(Head { number: row.try_get("number")?, digest: digest_of(row)? })
}

pub(super) fn digest_of(row: &PgRow) -> Result<[u8; 32], sqlx::Error> {
    let digest: Vec<u8> = row.try_get("digest")?;
    // The table takes no other length.
    Ok(digest.try_into().unwrap_or_default())
}

#[derive(Default)]
struct Columns<'a> {
    numbers: Vec<i64>,
    at: Vec<i64>,
    actors: Vec<&'a str>,
    acts: Vec<&'a str>,
    outcomes: Vec<&'static str>,
    origins: Vec<&'a str>,
    objects: Vec<&'a str>,
    request_ids: Vec<&'a str>,
    codes: Vec<Option<&'a str>>,
    digests: Vec<Vec<u8>>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, entry: &'a Entry, head: &Head) {
        self.numbers.push(head.number);
        self.at.push(entry.at.0);
        self.actors.push(&entry.actor);
        self.acts.push(&entry.act);
        self.outcomes.push(entry.outcome.name());
        self.origins.push(&entry.origin);
        self.objects.push(&entry.object);
        self.request_ids.push(&entry.request_id);
        self.codes.push(entry.code.as_deref());
        self.digests.push(head.digest.to_vec());
    }

    async fn insert(
        self,
        transaction: &mut Transaction<'static, Postgres>,
    ) -> Result<(), sqlx::Error> {
        let adding = sqlx::query(ADD)
            .bind(self.numbers)
            .bind(self.at)
            .bind(self.actors)
            .bind(self.acts)
            .bind(self.outcomes)
            .bind(self.origins)
            .bind(self.objects)
            .bind(self.request_ids)
            .bind(self.codes)
            .bind(self.digests);
        adding.execute(&mut **transaction).await?;
        Ok(())
    }
}

/// The head as it is now, without walking the chain.
///
/// # Errors
/// The database.
pub async fn head_of(pool: &PgPool) -> Result<Head, Problem> {
    let row = sqlx::query(HEAD).fetch_optional(pool).await?;
    Ok(row.as_ref().map(head_in).transpose()?.unwrap_or_else(none))
}

/// None where the outcome is no word of ours.
pub(super) fn entry_of(row: &PgRow) -> Result<Option<Entry>, sqlx::Error> {
    let outcome: String = row.try_get("outcome")?;
    let Some(outcome) = Outcome::ALL.into_iter().find(|known| known.name() == outcome) else {
        return Ok(None);
    };
    Ok(Some(Entry {
        at: Timestamp(row.try_get("at")?),
        actor: row.try_get("actor")?,
        act: row.try_get("act")?,
        outcome,
        origin: row.try_get("origin")?,
        object: row.try_get("object")?,
        request_id: row.try_get("request_id")?,
        code: row.try_get("code")?,
    }))
}
