//! The table `partner_certificate`: every certificate that was signed for a partner. It owns its
//! statements. Rows are added, and once taken back; nothing else of them ever changes.

use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Row};
use switch_domain::{AsciiText, IdempotencyKey, PartnerId, Timestamp};

use super::authority::Certified;
use super::directory::Known;
use super::request::Request;
use super::{Revocation, RevocationReason, Serial};
use crate::Problem;

/// Most that are listed of one partner.
const MOST_LISTED: i64 = 1_000;

/// One signature at a time: the number of a partner's good ones must not move in between, nor two
/// partners come with one key.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('partner_certificate', 0))";

const BY_KEY: &str = "\
    SELECT serial, partner_id, request, certificate,
           (extract(epoch FROM not_after) * 1000000)::int8 AS until
    FROM partner_certificate WHERE idempotency_key = $1";

const LIVE: &str = "\
    SELECT count(*) FROM partner_certificate
    WHERE partner_id = $1 AND revoked_at IS NULL
      AND not_after > 'epoch'::timestamptz + $2::int8 * interval '1 microsecond'";

/// Of one key: whether another partner has it, and the number of a revoked one of it.
const OF_KEY: &str = "\
    SELECT bool_or(partner_id <> $2) AS others,
           min(encode(serial, 'hex')) FILTER (WHERE revoked_at IS NOT NULL) AS revoked
    FROM partner_certificate WHERE public_key = $1";

const INSERT: &str = "\
    INSERT INTO partner_certificate (serial, partner_id, fingerprint, public_key, subject,
        certificate, issuer, not_before, not_after, issued_at, issued_by, idempotency_key, request)
    VALUES ($1, $2, sha256($5), $3, $4, $5, $6,
        'epoch'::timestamptz + $7::int8 * interval '1 microsecond',
        'epoch'::timestamptz + $8::int8 * interval '1 microsecond',
        'epoch'::timestamptz + $9::int8 * interval '1 microsecond', $10, $11, $12)";

const FIND: &str = "\
    SELECT partner_id, fingerprint, revoked_at IS NOT NULL AS revoked,
           (extract(epoch FROM not_before) * 1000000)::int8 AS from_,
           (extract(epoch FROM not_after) * 1000000)::int8 AS until
    FROM partner_certificate WHERE serial = $1";

const REVOKED: &str = "\
    SELECT serial, (extract(epoch FROM not_after) * 1000000)::int8 AS until
    FROM partner_certificate
    WHERE revoked_at IS NOT NULL
      AND not_after >= 'epoch'::timestamptz + $1::int8 * interval '1 microsecond'";

const REVOKE: &str = "\
    UPDATE partner_certificate
    SET revoked_at = 'epoch'::timestamptz + $2::int8 * interval '1 microsecond', revoked_by = $3,
        revoked_reason = $4
    WHERE serial = $1 AND revoked_at IS NULL";

const REVOCATION: &str = "\
    SELECT partner_id, revoked_reason, (extract(epoch FROM revoked_at) * 1000000)::int8 AS at,
           (extract(epoch FROM not_after) * 1000000)::int8 AS until
    FROM partner_certificate WHERE serial = $1 AND revoked_at IS NOT NULL";

const LIST: &str = "\
    SELECT serial, fingerprint, subject, issued_by, revoked_by, revoked_reason,
           (extract(epoch FROM not_before) * 1000000)::int8 AS from_,
           (extract(epoch FROM not_after) * 1000000)::int8 AS until,
           (extract(epoch FROM issued_at) * 1000000)::int8 AS issued,
           (extract(epoch FROM revoked_at) * 1000000)::int8 AS revoked
    FROM partner_certificate WHERE partner_id = $1 ORDER BY issued_at DESC, serial LIMIT $2";

/// Of a certificate to be kept.
pub(super) struct New {
    pub(super) key: IdempotencyKey,
    pub(super) actor: AsciiText<40>,
    pub(super) partner: PartnerId,
    pub(super) subject: String,
    pub(super) now: Timestamp,
}

/// One that was signed under an idempotency key.
pub(super) struct Before {
    pub(super) serial: Serial,
    pub(super) partner: PartnerId,
    pub(super) request: [u8; 32],
    pub(super) der: Vec<u8>,
    pub(super) until: Timestamp,
}

/// A certificate as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCertificate {
    /// Its number.
    pub serial: Serial,
    /// SHA-256 of its bytes.
    pub fingerprint: [u8; 32],
    /// Whom it names.
    pub subject: String,
    /// Its first moment.
    pub from: Timestamp,
    /// Its last.
    pub until: Timestamp,
    /// When it was signed, and who had it signed.
    pub issued: (Timestamp, String),
    /// When it was taken back, who did it, and why.
    pub revoked: Option<(Timestamp, String, String)>,
}

pub(super) async fn lock(tx: &mut PgConnection) -> Result<(), Problem> {
    sqlx::query(LOCK).execute(tx).await?;
    Ok(())
}

pub(super) async fn by_key(
    tx: &mut PgConnection,
    key: IdempotencyKey,
) -> Result<Option<Before>, Problem> {
    let row = sqlx::query(BY_KEY).bind(key.0.as_slice()).fetch_optional(tx).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Before {
        serial: serial(&row)?,
        partner: PartnerId(row.try_get("partner_id")?),
        request: digest(&row, "request")?,
        der: row.try_get("certificate")?,
        until: Timestamp(row.try_get("until")?),
    }))
}

pub(super) async fn live(
    tx: &mut PgConnection,
    partner: PartnerId,
    now: Timestamp,
) -> Result<i64, Problem> {
    let live = sqlx::query_scalar(LIVE).bind(partner.0).bind(now.0).fetch_one(tx).await?;
    Ok(live)
}

/// Whether a key may be certified for this partner.
pub(super) async fn check_key(
    tx: &mut PgConnection,
    partner: PartnerId,
    key_digest: &[u8],
) -> Result<(), Problem> {
    let row = sqlx::query(OF_KEY).bind(key_digest).bind(partner.0).fetch_one(tx).await?;
    let conflict = |detail: String| Err(Problem::new("CONFLICT", detail));
    if row.try_get::<Option<bool>, _>("others")?.unwrap_or_default() {
        return conflict("another partner has a certificate of this key: make a new key".into());
    }
    if let Some(serial) = row.try_get::<Option<String>, _>("revoked")? {
        let serial = serial.to_uppercase();
        return conflict(format!("certificate {serial} of this key was revoked: make a new key"));
    }
    Ok(())
}

pub(super) async fn insert(
    tx: &mut PgConnection,
    new: &New,
    request: &Request,
    certified: &Certified,
) -> Result<(), Problem> {
    sqlx::query(INSERT)
        .bind(certified.serial.as_bytes().as_slice())
        .bind(new.partner.0)
        .bind(request.key_digest.as_slice())
        .bind(&new.subject)
        .bind(certified.der.as_ref())
        .bind(certified.issuer.as_slice())
        .bind(certified.validity.from.0)
        .bind(certified.validity.until.0)
        .bind(new.now.0)
        .bind(new.actor.to_string())
        .bind(new.key.0.as_slice())
        .bind(request.digest.as_slice())
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn find(pool: &PgPool, serial: Serial) -> Result<Option<Known>, Problem> {
    let row = sqlx::query(FIND).bind(serial.as_bytes().as_slice()).fetch_optional(pool).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Known {
        partner: PartnerId(row.try_get("partner_id")?),
        fingerprint: digest(&row, "fingerprint")?,
        from: Timestamp(row.try_get("from_")?),
        until: Timestamp(row.try_get("until")?),
        revoked: row.try_get("revoked")?,
    }))
}

/// Those that are revoked and not over, each with its last moment.
pub(super) async fn revoked(
    pool: &PgPool,
    now: Timestamp,
) -> Result<Vec<(Serial, Timestamp)>, Problem> {
    let rows = sqlx::query(REVOKED).bind(now.0).fetch_all(pool).await?;
    rows.iter().map(|row| Ok((serial(row)?, Timestamp(row.try_get("until")?)))).collect()
}

/// Takes one back, if it is there; what stands in the table then, and its last moment.
pub(super) async fn revoke(
    pool: &PgPool,
    serial: Serial,
    reason: RevocationReason,
    actor: AsciiText<40>,
    now: Timestamp,
) -> Result<Option<(Revocation, Timestamp)>, Problem> {
    let number = serial.as_bytes().as_slice();
    let done = sqlx::query(REVOKE)
        .bind(number)
        .bind(now.0)
        .bind(actor.to_string())
        .bind(reason.name())
        .execute(pool)
        .await?;
    let row = sqlx::query(REVOCATION).bind(number).fetch_optional(pool).await?;
    let Some(row) = row else { return Ok(None) };
    let revocation = Revocation {
        partner: PartnerId(row.try_get("partner_id")?),
        at: Timestamp(row.try_get("at")?),
        reason: row.try_get("revoked_reason")?,
        before: done.rows_affected() == 0,
    };
    Ok(Some((revocation, Timestamp(row.try_get("until")?))))
}

pub(super) async fn list(
    pool: &PgPool,
    partner: PartnerId,
) -> Result<Vec<ListedCertificate>, Problem> {
    let rows = sqlx::query(LIST).bind(partner.0).bind(MOST_LISTED).fetch_all(pool).await?;
    rows.iter().map(listed).collect()
}

fn listed(row: &PgRow) -> Result<ListedCertificate, Problem> {
    let at: Option<i64> = row.try_get("revoked")?;
    let (by, reason): (Option<String>, Option<String>) =
        (row.try_get("revoked_by")?, row.try_get("revoked_reason")?);
    Ok(ListedCertificate {
        serial: serial(row)?,
        fingerprint: digest(row, "fingerprint")?,
        subject: row.try_get("subject")?,
        from: Timestamp(row.try_get("from_")?),
        until: Timestamp(row.try_get("until")?),
        issued: (Timestamp(row.try_get("issued")?), row.try_get("issued_by")?),
        revoked: at.map(|at| (Timestamp(at), by.unwrap_or_default(), reason.unwrap_or_default())),
    })
}

fn serial(row: &PgRow) -> Result<Serial, Problem> {
    let bytes: Vec<u8> = row.try_get("serial")?;
    let serial = Serial::from_slice(&bytes);
    serial.ok_or_else(|| Problem::internal("reading a certificate", &"its serial number is short"))
}

fn digest(row: &PgRow, column: &str) -> Result<[u8; 32], Problem> {
    let bytes: Vec<u8> = row.try_get(column)?;
    let digest = bytes.try_into();
    digest.map_err(|_| Problem::internal("reading a certificate", &format!("{column} is short")))
}
