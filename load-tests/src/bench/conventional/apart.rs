//! An authorization statement by statement in one transaction, each a round trip. It owns the order
//! of the checks and that the hot row is taken last, just before the commit.

use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};

use super::answer::Saying;
use super::request::Asked;
use super::statements::{INSERT, SELECT, STORED, UPDATE_BALANCE, UPDATE_DEPOSIT};

/// Decides and commits.
pub(crate) async fn authorize(
    connection: &mut PgConnection,
    asked: &Asked,
    approval: &str,
) -> Result<Saying, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let found = sqlx::query(SELECT)
        .bind(asked.token)
        .bind(asked.stan)
        .bind(&asked.terminal)
        .bind(&asked.acquirer)
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(found) = found else {
        transaction.commit().await?;
        return Ok(Saying::plain("14"));
    };
    let code = code_of(&found, asked)?;
    let approval = (code == "00").then_some(approval);
    if !insert(&mut transaction, &found, asked, code, approval).await? {
        let stored = stored(&mut transaction, &found, asked).await?;
        // A drop would roll back only when the connection is used next.
        transaction.commit().await?;
        return Ok(stored);
    }
    if approval.is_some() && !take(&mut transaction, &found, asked).await? {
        // Somebody was faster: nothing of this transaction stays, the decline is a new one.
        transaction.rollback().await?;
        let mut transaction = connection.begin().await?;
        insert(&mut transaction, &found, asked, "51", None).await?;
        transaction.commit().await?;
        return Ok(Saying::plain("51"));
    }
    transaction.commit().await?;
    Ok(Saying { code: code.to_owned(), approval: approval.map(str::to_owned) })
}

/// The checks in their order; the first that fails gives DE39.
fn code_of(found: &PgRow, asked: &Asked) -> Result<&'static str, sqlx::Error> {
    let text = |column: &str| found.try_get::<&str, _>(column);
    let expiry: i16 = found.try_get("expiry")?;
    let lock: Option<i16> = found.try_get("lock_code")?;
    let (headroom, funds): (i64, i64) = (found.try_get("headroom")?, found.try_get("funds")?);
    Ok(match (text("status")?, lock, text("balance_state")?) {
        ("inactive", _, _) => "62",
        (status, _, _) if status != "active" => "14",
        (_, Some(lock), _) => lock_answer(lock),
        _ if expiry != asked.expiry || expiry < found.try_get("month")? => "54",
        (_, _, "blocked") => "57",
        (_, _, state) if state != "active" => "05",
        _ if text("customer_state")? != "active" || text("partner_state")? != "active" => "62",
        _ if found.try_get::<i16, _>("currency")? != asked.currency => "57",
        _ if headroom < asked.amount || funds < asked.amount => "51",
        _ if found.try_get("reversed_before")? => "12",
        _ => "00",
    })
}

/// DE39 of a lock.
const fn lock_answer(lock: i16) -> &'static str {
    match lock {
        1 => "41",
        2 => "43",
        3 => "05",
        4 => "51",
        5 => "56",
        7 => "59",
        8 => "14",
        _ => "75",
    }
}

/// False where the message came before.
async fn insert(
    connection: &mut PgConnection,
    found: &PgRow,
    asked: &Asked,
    code: &str,
    approval: Option<&str>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(INSERT)
        .bind(found.try_get::<i64, _>("id")?)
        .bind(asked.stan)
        .bind(&asked.rrn)
        .bind(asked.local_time)
        .bind(&asked.terminal)
        .bind(&asked.acquirer)
        .bind(found.try_get::<i64, _>("balance_id")?)
        .bind(found.try_get::<i32, _>("deposit_id")?)
        .bind(asked.amount)
        .bind(asked.currency)
        .bind(code)
        .bind(approval)
        .bind(asked.mcc)
        .bind(asked.entry_mode)
        .bind(&asked.merchant)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes user funds and deposit. False where either is no longer there.
async fn take(
    connection: &mut PgConnection,
    found: &PgRow,
    asked: &Asked,
) -> Result<bool, sqlx::Error> {
    let funds = sqlx::query(UPDATE_BALANCE)
        .bind(found.try_get::<i64, _>("balance_id")?)
        .bind(asked.amount)
        .execute(&mut *connection)
        .await?;
    if funds.rows_affected() == 0 {
        return Ok(false);
    }
    let deposit = sqlx::query(UPDATE_DEPOSIT)
        .bind(found.try_get::<i32, _>("deposit_id")?)
        .bind(asked.amount)
        .execute(connection)
        .await?;
    Ok(deposit.rows_affected() == 1)
}

/// What was answered when the message came first; another amount under its key is refused.
async fn stored(
    connection: &mut PgConnection,
    found: &PgRow,
    asked: &Asked,
) -> Result<Saying, sqlx::Error> {
    let row = sqlx::query(STORED)
        .bind(found.try_get::<i64, _>("id")?)
        .bind(asked.stan)
        .bind(&asked.rrn)
        .bind(asked.local_time)
        .bind(&asked.terminal)
        .bind(&asked.acquirer)
        .fetch_one(connection)
        .await?;
    if row.try_get::<i64, _>("amount")? != asked.amount {
        return Ok(Saying::plain("94"));
    }
    Ok(Saying { code: row.try_get("code")?, approval: row.try_get("approval")? })
}
