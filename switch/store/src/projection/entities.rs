//! Rows that seldom change: partners, pools, programmes, balances, customers, cards. Set by set,
//! one statement each, in the transaction of the watermark. What moves of them is flushed apart.

use sqlx::PgConnection;
use switch_domain::{BasisPoints, ControlSubject, ForeignTerms, Partner, Programme, SpendControl};

use super::chunk::{BalanceChange, CardChange, Change, Chunk};
use super::columns::currency;
use super::{fees, rates};
use crate::codes::Stored;
use crate::format::{encode_control, encode_references, encode_terms};

const PARTNERS: &str = "\
    INSERT INTO partner AS old (id, shard, name, state, partial_minimums, as_of_seq)
    SELECT id, $1, name, state, minimums, seq
    FROM UNNEST($2::int8[], $3::text[], $4::text[], $5::text[], $6::int8[])
        AS new (id, name, state, minimums, seq)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, state = excluded.state,
        partial_minimums = excluded.partial_minimums, as_of_seq = excluded.as_of_seq
    WHERE old.as_of_seq < excluded.as_of_seq";

const POOLS: &str = "\
    INSERT INTO pool AS old (id, shard, partner_id, kind, currency, as_of_seq)
    SELECT id, $1, partner_id, kind, currency, seq
    FROM UNNEST($2::int8[], $3::int8[], $4::text[], $5::int2[], $6::int8[])
        AS new (id, partner_id, kind, currency, seq)
    ON CONFLICT (id) DO UPDATE SET partner_id = excluded.partner_id, kind = excluded.kind,
        currency = excluded.currency, as_of_seq = excluded.as_of_seq
    WHERE old.as_of_seq < excluded.as_of_seq";

const PROGRAMMES: &str = "\
    INSERT INTO programme AS old (id, shard, partner_id, name, bin_low, bin_high, pan_length,
        currency, funding, pool_id, foreign_markup, foreign_margin, foreign_marks_up_network,
        security, as_of_seq)
    SELECT id, $1, partner_id, name, bin_low, bin_high, pan_length, currency, funding, pool_id,
        markup, margin, marks_up_network, security, seq
    FROM UNNEST($2::int8[], $3::int8[], $4::text[], $5::int4[], $6::int4[], $7::int2[],
            $8::int2[], $9::text[], $10::int8[], $11::int2[], $12::int2[], $13::bool[],
            $14::bytea[], $15::int8[])
        AS new (id, partner_id, name, bin_low, bin_high, pan_length, currency, funding, pool_id,
            markup, margin, marks_up_network, security, seq)
    ON CONFLICT (id) DO UPDATE SET partner_id = excluded.partner_id, name = excluded.name,
        bin_low = excluded.bin_low, bin_high = excluded.bin_high,
        pan_length = excluded.pan_length, currency = excluded.currency,
        funding = excluded.funding, pool_id = excluded.pool_id,
        foreign_markup = excluded.foreign_markup, foreign_margin = excluded.foreign_margin,
        foreign_marks_up_network = excluded.foreign_marks_up_network,
        security = excluded.security, as_of_seq = excluded.as_of_seq
    WHERE old.as_of_seq < excluded.as_of_seq";

/// Amounts begin at zero and move: the row reflects everything before the journal row that made it.
const NEW_BALANCES: &str = "\
    INSERT INTO balance (id, shard, partner_id, programme_id, customer_id, currency, state,
        ledger, held, as_of_seq)
    SELECT id, $1, partner_id, programme_id, customer_id, currency, state, 0, 0, seq - 1
    FROM UNNEST($2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int2[], $7::text[], $8::int8[])
        AS new (id, partner_id, programme_id, customer_id, currency, state, seq)";

const BALANCES: &str = "\
    UPDATE balance AS old SET state = new.state
    FROM UNNEST($1::int8[], $2::text[]) AS new (id, state)
    WHERE old.id = new.id";

const CUSTOMERS: &str = "\
    INSERT INTO customer_state AS old (shard, customer_id, state, as_of_seq)
    SELECT $1, id, state, seq
    FROM UNNEST($2::int8[], $3::text[], $4::int8[]) AS new (id, state, seq)
    ON CONFLICT (shard, customer_id) DO UPDATE SET state = excluded.state,
        as_of_seq = excluded.as_of_seq
    WHERE old.as_of_seq < excluded.as_of_seq";

const NEW_CARDS: &str = "\
    INSERT INTO card (id, shard, partner_id, balance_id, programme_id, vault_row, vault_version,
        expiry_yymm, status, lock_code, reference, approvals, as_of_seq)
    SELECT id, $1, partner_id, balance_id, programme_id, vault_row, vault_version, expiry, status,
        lock_code, reference, 0, seq - 1
    FROM UNNEST($2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int4[],
            $8::int2[], $9::text[], $10::int2[], $11::bytea[], $12::int8[])
        AS new (id, partner_id, balance_id, programme_id, vault_row, vault_version, expiry, status,
            lock_code, reference, seq)";

const CARDS: &str = "\
    UPDATE card AS old SET status = coalesce(new.status, old.status),
        lock_code = CASE WHEN new.relocked THEN new.lock_code ELSE old.lock_code END,
        reference = coalesce(new.reference, old.reference),
        expiry_yymm = coalesce(new.expiry, old.expiry_yymm)
    FROM UNNEST($1::int8[], $2::text[], $3::bool[], $4::int2[], $5::bytea[], $6::int2[])
        AS new (id, status, relocked, lock_code, reference, expiry)
    WHERE old.id = new.id";

const CONTROLS: &str = "\
    INSERT INTO spend_control AS old (id, shard, subject, subject_id, name, shadow, terms,
        as_of_seq)
    SELECT id, $1, subject, subject_id, name, shadow, terms, seq
    FROM UNNEST($2::int8[], $3::text[], $4::int8[], $5::text[], $6::bool[], $7::bytea[],
            $8::int8[])
        AS new (id, subject, subject_id, name, shadow, terms, seq)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, shadow = excluded.shadow,
        terms = excluded.terms, as_of_seq = excluded.as_of_seq
    WHERE old.as_of_seq < excluded.as_of_seq";

/// What was used of them goes when it is flushed.
const NO_CONTROLS: &str = "DELETE FROM spend_control WHERE id = ANY($1)";

type Done = Result<(), sqlx::Error>;

/// Writes all of a chunk's changes but those of authorizations.
pub(super) async fn write(tx: &mut PgConnection, chunk: &Chunk) -> Done {
    partners(tx, chunk).await?;
    pools(tx, chunk).await?;
    programmes(tx, chunk).await?;
    balances(tx, chunk).await?;
    customers(tx, chunk).await?;
    cards(tx, chunk).await?;
    spend_controls(tx, chunk).await?;
    rates::write(tx, chunk).await?;
    fees::write(tx, chunk).await
}

async fn spend_controls(tx: &mut PgConnection, chunk: &Chunk) -> Done {
    let known = |(_, change): (_, &Change<Option<SpendControl>>)| {
        change.what.clone().map(|control| (control, change.seq))
    };
    let rows: Vec<_> = chunk.spend_controls.iter().filter_map(known).collect();
    if !rows.is_empty() {
        let column = |take: fn(&SpendControl) -> i64| -> Vec<i64> {
            rows.iter().map(|(one, _)| take(one)).collect()
        };
        let done = sqlx::query(CONTROLS)
            .bind(i32::from(chunk.shard.0))
            .bind(column(|one| one.id.0))
            .bind(rows.iter().map(|(one, _)| subject(one).0).collect::<Vec<_>>())
            .bind(column(|one| subject(one).1))
            .bind(rows.iter().map(|(one, _)| one.terms.name.to_string()).collect::<Vec<_>>())
            .bind(rows.iter().map(|(one, _)| one.terms.shadow).collect::<Vec<_>>())
            .bind(rows.iter().map(|(one, _)| encode_control(one)).collect::<Vec<_>>())
            .bind(rows.iter().map(|(_, seq)| *seq).collect::<Vec<_>>())
            .execute(&mut *tx)
            .await?;
        expect_rows("spend_control", rows.len(), done.rows_affected());
    }
    let gone = chunk.spend_controls.iter().filter(|(_, change)| change.what.is_none());
    let gone: Vec<i64> = gone.map(|(id, _)| id.0).collect();
    if !gone.is_empty() {
        sqlx::query(NO_CONTROLS).bind(gone).execute(tx).await?;
    }
    Ok(())
}

const fn subject(control: &SpendControl) -> (&'static str, i64) {
    match control.terms.subject {
        ControlSubject::Card(id) => ("card", id.0),
        ControlSubject::Balance(id) => ("balance", id.0),
        ControlSubject::Programme(id) => ("programme", id.0),
    }
}

/// Every row that a statement was given must have been written: one that was not is gone from the
/// table, or claims to be further than the journal. The books check will name it.
pub(super) fn expect_rows(table: &'static str, given: usize, written: u64) {
    let missing = (given as u64).saturating_sub(written);
    if missing > 0 {
        metrics::counter!("cardswitch_projection_missing_rows_total", "table" => table)
            .increment(missing);
        tracing::error!(table, missing, "rows to be changed are not there, or are ahead");
    }
}

/// One column of an array-bound statement.
fn column<'a, K: 'a, T: 'a, C>(
    rows: &[(&'a K, &'a Change<T>)],
    take: impl Fn(&'a K, &'a Change<T>) -> C,
) -> Vec<C> {
    rows.iter().map(|(key, change)| take(key, change)).collect()
}

async fn partners(tx: &mut PgConnection, chunk: &Chunk) -> Done {
    let rows: Vec<_> = chunk
        .partners
        .values()
        .filter_map(|change| Some((change.what.as_ref()?, change.seq)))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let done = sqlx::query(PARTNERS)
        .bind(i32::from(chunk.shard.0))
        .bind(rows.iter().map(|(one, _)| one.id.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.name.to_string()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.state.name()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| minimums(one)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, seq)| *seq).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    expect_rows("partner", rows.len(), done.rows_affected());
    Ok(())
}

/// As `978:500 392:1000`: minor units by currency; null where nothing is approved in part.
fn minimums(partner: &Partner) -> Option<String> {
    let all = partner.partial_minimums.iter();
    let all: Vec<_> =
        all.map(|one| format!("{:03}:{}", one.currency.numeric(), one.minor.0)).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

async fn pools(tx: &mut PgConnection, chunk: &Chunk) -> Done {
    let rows: Vec<_> = chunk
        .pools
        .values()
        .filter_map(|change| Some((change.what.as_ref()?, change.seq)))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let done = sqlx::query(POOLS)
        .bind(i32::from(chunk.shard.0))
        .bind(rows.iter().map(|(one, _)| one.id.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.partner.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.kind.name()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| currency(one.currency)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, seq)| *seq).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    expect_rows("pool", rows.len(), done.rows_affected());
    Ok(())
}

async fn programmes(tx: &mut PgConnection, chunk: &Chunk) -> Done {
    let rows: Vec<_> = chunk
        .programmes
        .values()
        .filter_map(|change| Some((change.what.as_ref()?, change.seq)))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let funding = |one: &switch_domain::Programme| match one.funding {
        switch_domain::Funding::Credit(_) => switch_domain::PoolKind::Credit.name(),
        switch_domain::Funding::Deposit(_) => switch_domain::PoolKind::Deposit.name(),
    };
    let bin = |bin: switch_domain::Bin| i32::try_from(bin.0).unwrap_or(i32::MAX);
    let done = sqlx::query(PROGRAMMES)
        .bind(i32::from(chunk.shard.0))
        .bind(rows.iter().map(|(one, _)| one.id.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.partner.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.name.to_string()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| bin(one.bins.low)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| bin(one.bins.high)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| i16::from(one.bins.pan_length)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| currency(one.currency)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| funding(one)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.funding.pool().0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| points(one, |foreign| foreign.markup)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| points(one, |foreign| foreign.margin)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| marks_up_network(one)).collect::<Vec<_>>())
        .bind(
            rows.iter()
                .map(|(one, _)| one.security.as_deref().map(encode_terms))
                .collect::<Vec<_>>(),
        )
        .bind(rows.iter().map(|(_, seq)| *seq).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    expect_rows("programme", rows.len(), done.rows_affected());
    Ok(())
}

fn points(one: &Programme, take: fn(&ForeignTerms) -> BasisPoints) -> Option<i16> {
    let points = take(one.foreign.as_ref()?).points();
    i16::try_from(points).ok()
}

fn marks_up_network(one: &Programme) -> Option<bool> {
    one.foreign.map(|foreign| foreign.marks_up_network)
}

async fn balances(tx: &mut PgConnection, chunk: &Chunk) -> Done {
    let (new, old): (Vec<_>, Vec<_>) =
        chunk.balances.iter().partition(|(_, change)| change.what.opened.is_some());
    new_balances(tx, chunk, &new).await?;
    if old.is_empty() {
        return Ok(());
    }
    let done = sqlx::query(BALANCES)
        .bind(column(&old, |id, _| id.0))
        .bind(column(&old, |_, change| change.what.state.map(Stored::name)))
        .execute(tx)
        .await?;
    expect_rows("balance", old.len(), done.rows_affected());
    Ok(())
}

async fn new_balances(
    tx: &mut PgConnection,
    chunk: &Chunk,
    rows: &[(&switch_domain::BalanceId, &Change<BalanceChange>)],
) -> Done {
    let rows: Vec<_> = rows
        .iter()
        .filter_map(|(_, change)| Some((change.what.opened.as_ref()?, *change)))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let state =
        |change: &BalanceChange| change.state.unwrap_or(switch_domain::BalanceState::Active).name();
    sqlx::query(NEW_BALANCES)
        .bind(i32::from(chunk.shard.0))
        .bind(rows.iter().map(|(one, _)| one.balance.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.partner.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.programme.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.customer.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| currency(one.currency)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, change)| state(&change.what)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, change)| change.seq).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    Ok(())
}

async fn customers(tx: &mut PgConnection, chunk: &Chunk) -> Done {
    let rows: Vec<_> = chunk
        .customers
        .iter()
        .filter_map(|(id, change)| Some((id.0, change.what?.name(), change.seq)))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let done = sqlx::query(CUSTOMERS)
        .bind(i32::from(chunk.shard.0))
        .bind(rows.iter().map(|(id, _, _)| *id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, state, _)| *state).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, _, seq)| *seq).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    expect_rows("customer_state", rows.len(), done.rows_affected());
    Ok(())
}

async fn cards(tx: &mut PgConnection, chunk: &Chunk) -> Done {
    let (new, old): (Vec<_>, Vec<_>) =
        chunk.cards.iter().partition(|(_, change)| change.what.issued.is_some());
    new_cards(tx, chunk, &new).await?;
    if old.is_empty() {
        return Ok(());
    }
    let done = sqlx::query(CARDS)
        .bind(column(&old, |id, _| id.0))
        .bind(column(&old, |_, change| change.what.status.map(Stored::name)))
        .bind(column(&old, |_, change| change.what.lock.is_some()))
        .bind(column(&old, |_, change| lock_code(&change.what)))
        .bind(column(&old, |_, change| reference(&change.what)))
        .bind(column(&old, |_, change| change.what.expiry.map(yymm)))
        .execute(tx)
        .await?;
    expect_rows("card", old.len(), done.rows_affected());
    Ok(())
}

fn lock_code(change: &CardChange) -> Option<i16> {
    change.lock.flatten().map(|lock| i16::from(lock.number()))
}

fn yymm(expiry: switch_domain::Expiry) -> i16 {
    i16::try_from(expiry.yymm()).unwrap_or(0)
}

fn reference(change: &CardChange) -> Option<Vec<u8>> {
    change.references.as_deref().map(encode_references)
}

async fn new_cards(
    tx: &mut PgConnection,
    chunk: &Chunk,
    rows: &[(&switch_domain::CardId, &Change<CardChange>)],
) -> Done {
    let rows: Vec<_> = rows
        .iter()
        .filter_map(|(_, change)| Some((change.what.issued.as_ref()?, *change)))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(NEW_CARDS)
        .bind(i32::from(chunk.shard.0))
        .bind(rows.iter().map(|(one, _)| one.card.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.partner.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.balance.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.programme.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.vault.row).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.vault.version).collect::<Vec<_>>())
        .bind(
            rows.iter()
                .map(|(one, change)| yymm(change.what.expiry.unwrap_or(one.expiry)))
                .collect::<Vec<_>>(),
        )
        .bind(
            rows.iter()
                .map(|(one, change)| change.what.status.unwrap_or(one.status).name())
                .collect::<Vec<_>>(),
        )
        .bind(rows.iter().map(|(_, change)| lock_code(&change.what)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, change)| reference(&change.what)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, change)| change.seq).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    Ok(())
}
