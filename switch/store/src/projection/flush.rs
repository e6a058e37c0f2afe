//! The flush: rows that move often, written set by set in one transaction with their own watermark
//! (W-23). It owns the statements and their pace within the transaction; amounts are summed up by
//! `moves`.

use std::time::Duration;

use sqlx::PgConnection;
use switch_domain::{Part, Seq, ShardId};
use tokio::time::Instant;

use super::entities::expect_rows;
use super::moves::{BalanceMove, CardMove, CounterMove, Moves};
use super::write::BEGIN;
use crate::format::encode_counters;

/// How many rows a statement writes: as many as take a millisecond or two. It is not the rows that
/// count but what they add to the log, which every append behind them waits for: a row is a hundred
/// bytes of it, or a whole page the first time after a checkpoint.
struct Pace {
    rows: usize,
}

impl Pace {
    const LEAST: usize = 16;
    const MOST: usize = 512;
    const SHORT: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_millis(3);
    /// Behind each statement there is a pause, so many times as long as it took: appends go in
    /// between, and most of the time a processor is theirs.
    const PAUSES: u32 = 2;
    const LONGEST_PAUSE: Duration = Duration::from_millis(50);

    const fn new() -> Self {
        Self { rows: 64 }
    }

    /// The rows of the next statement, and those behind it.
    fn next<'a, T>(&self, rows: &'a [T]) -> (&'a [T], &'a [T]) {
        rows.split_at(self.rows.min(rows.len()))
    }

    async fn pause_after(&mut self, began: Instant) {
        let took = began.elapsed();
        self.adapt(took);
        tokio::time::sleep(took.saturating_mul(Self::PAUSES).min(Self::LONGEST_PAUSE)).await;
    }

    fn adapt(&mut self, took: Duration) {
        if took > Self::LONG {
            self.rows = (self.rows / 2).max(Self::LEAST);
        } else if took < Self::SHORT {
            self.rows = (self.rows * 2).min(Self::MOST);
        }
    }
}

/// History is never behind: load reads the journal from here up to it.
const MOVE: &str = "\
    UPDATE projection SET flushed = $3 WHERE shard = $1 AND flushed = $2 AND seq >= $3";

/// Whether a flush from there to there is worth beginning.
const AT_PLACE: &str = "\
    SELECT EXISTS (SELECT FROM projection WHERE shard = $1 AND flushed = $2 AND seq >= $3)";

const BALANCES: &str = "\
    UPDATE balance AS old SET ledger = old.ledger + new.ledger, held = old.held + new.held,
        as_of_seq = new.seq
    FROM UNNEST($1::int8[], $2::int8[], $3::int8[], $4::int8[]) AS new (id, ledger, held, seq)
    WHERE old.id = new.id AND old.as_of_seq < new.seq";

const CARDS: &str = "\
    UPDATE card AS old SET approvals = greatest(old.approvals, new.approvals), as_of_seq = new.seq
    FROM UNNEST($1::int8[], $2::int8[], $3::int8[]) AS new (id, approvals, seq)
    WHERE old.id = new.id AND old.as_of_seq < new.seq";

const COUNTERS: &str = "\
    INSERT INTO card_counter AS old (card_id, shard, pin_tries, counters, as_of_seq)
    SELECT id, $1, tries, counters, seq
    FROM UNNEST($2::int8[], $3::int4[], $4::bytea[], $5::int8[]) AS new (id, tries, counters, seq)
    ON CONFLICT (card_id) DO UPDATE SET pin_tries = excluded.pin_tries,
        counters = excluded.counters, as_of_seq = excluded.as_of_seq
    WHERE old.as_of_seq < excluded.as_of_seq";

const SHARES: &str = "\
    INSERT INTO pool_share AS old (pool_id, shard, partner_id, level, held, as_of_seq)
    SELECT id, $1, partner_id, level, held, seq
    FROM UNNEST($2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[])
        AS new (id, partner_id, level, held, seq)
    ON CONFLICT (pool_id, shard) DO UPDATE SET level = old.level + excluded.level,
        held = old.held + excluded.held,
        partner_id = coalesce(old.partner_id, excluded.partner_id),
        as_of_seq = excluded.as_of_seq
    WHERE old.as_of_seq < excluded.as_of_seq";

/// What is given back to a part that is not there is nobody's: only where something begins to count
/// is a row made, and where its control was not removed meanwhile. History is further than this, so
/// its control is there; those of programmes (of shard 0) are not this shard's to know.
const USAGE_MADE: &str = "\
    INSERT INTO control_usage AS old (control_id, holder, part, shard, amount, count, as_of_seq)
    SELECT new.control_id, holder, part, $1, amount, count, seq
    FROM UNNEST($2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int4[], $7::int8[])
        AS new (control_id, holder, part, amount, count, seq)
    WHERE new.control_id >> 40 = 0 OR EXISTS (
        SELECT FROM spend_control WHERE spend_control.id = new.control_id)
    ON CONFLICT (control_id, holder, part) DO UPDATE SET amount = old.amount + excluded.amount,
        count = old.count + excluded.count, as_of_seq = excluded.as_of_seq
    WHERE old.as_of_seq < excluded.as_of_seq";

const USAGE_CHANGED: &str = "\
    UPDATE control_usage AS old SET amount = old.amount + new.amount,
        count = old.count + new.count, as_of_seq = new.seq
    FROM UNNEST($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int4[], $6::int8[])
        AS new (control_id, holder, part, amount, count, seq)
    WHERE old.control_id = new.control_id AND old.holder = new.holder AND old.part = new.part
        AND old.as_of_seq < new.seq";

const USAGE_FORGOTTEN: &str = "\
    DELETE FROM control_usage AS old
    USING UNNEST($1::int8[], $2::int8[], $3::int8[], $4::int8[])
        AS new (control_id, holder, oldest, seq)
    WHERE old.control_id = new.control_id AND old.holder = new.holder AND old.part < new.oldest
        AND old.as_of_seq < new.seq";

const USAGE_REMOVED: &str = "\
    DELETE FROM control_usage AS old USING UNNEST($2::int8[], $3::int8[]) AS new (control_id, seq)
    WHERE old.control_id = new.control_id AND old.shard = $1 AND old.as_of_seq < new.seq";

/// Rows that were written.
type Done = Result<u64, sqlx::Error>;

/// Writes what moved; false where the watermark was not at `from`, and nothing was written.
pub(super) async fn flush(
    connection: &mut PgConnection,
    shard: ShardId,
    from: Seq,
    to: Seq,
    moves: &Moves,
) -> Result<bool, sqlx::Error> {
    let number = i32::from(shard.0);
    let at_place = sqlx::query_scalar::<_, bool>(AT_PLACE).bind(number);
    if !at_place.bind(from.0).bind(to.0).fetch_one(&mut *connection).await? {
        return Ok(false);
    }
    sqlx::raw_sql(BEGIN).execute(&mut *connection).await?;
    let mut pace = Pace::new();
    let counted = counters(connection, shard, moves, &mut pace).await?;
    let written = [
        ("card_counter", moves.counters.len(), counted),
        ("balance", moves.balances.len(), balances(connection, moves, &mut pace).await?),
        ("card", moves.cards.len(), cards(connection, moves, &mut pace).await?),
        ("pool_share", moves.shares.len(), shares(connection, shard, moves).await?),
    ];
    usage(connection, shard, moves).await?;
    // Last: history moves its watermark in the same row, and must not wait for a flush of seconds.
    // Whoever was faster has moved it by now, and what was written here on top of that is undone.
    let moved = sqlx::query(MOVE).bind(number).bind(from.0).bind(to.0);
    let moved = moved.execute(&mut *connection).await?.rows_affected() == 1;
    let end = if moved { "COMMIT" } else { "ROLLBACK" };
    sqlx::raw_sql(end).execute(connection).await?;
    if moved {
        written.into_iter().for_each(|(table, given, rows)| expect_rows(table, given, rows));
    }
    Ok(moved)
}

async fn balances(tx: &mut PgConnection, moves: &Moves, pace: &mut Pace) -> Done {
    let mut rows: Vec<_> = moves.balances.iter().map(|(id, one)| (id.0, *one)).collect();
    rows.sort_unstable_by_key(|(id, _)| *id);
    let (mut written, mut left): (u64, _) = (0, rows.as_slice());
    while !left.is_empty() {
        let (rows, behind) = pace.next(left);
        left = behind;
        let column = |take: fn(&BalanceMove) -> i64| -> Vec<i64> {
            rows.iter().map(|(_, one)| take(one)).collect()
        };
        let began = Instant::now();
        let done = sqlx::query(BALANCES)
            .bind(rows.iter().map(|(id, _)| *id).collect::<Vec<_>>())
            .bind(column(|one| one.ledger.0))
            .bind(column(|one| one.held.0))
            .bind(column(|one| one.seq.0))
            .execute(&mut *tx)
            .await?;
        written = written.saturating_add(done.rows_affected());
        pace.pause_after(began).await;
    }
    Ok(written)
}

async fn cards(tx: &mut PgConnection, moves: &Moves, pace: &mut Pace) -> Done {
    let mut rows: Vec<_> = moves.cards.iter().map(|(id, one)| (id.0, *one)).collect();
    rows.sort_unstable_by_key(|(id, _)| *id);
    let (mut written, mut left): (u64, _) = (0, rows.as_slice());
    while !left.is_empty() {
        let (rows, behind) = pace.next(left);
        left = behind;
        let column = |take: fn(&CardMove) -> i64| -> Vec<i64> {
            rows.iter().map(|(_, one)| take(one)).collect()
        };
        let began = Instant::now();
        let done = sqlx::query(CARDS)
            .bind(rows.iter().map(|(id, _)| *id).collect::<Vec<_>>())
            .bind(column(|one| i64::from(one.approvals)))
            .bind(column(|one| one.seq.0))
            .execute(&mut *tx)
            .await?;
        written = written.saturating_add(done.rows_affected());
        pace.pause_after(began).await;
    }
    Ok(written)
}

async fn counters(tx: &mut PgConnection, shard: ShardId, moves: &Moves, pace: &mut Pace) -> Done {
    let rows: Vec<_> = moves.counters.iter().collect();
    let (mut written, mut left): (u64, _) = (0, rows.as_slice());
    while !left.is_empty() {
        let (rows, behind) = pace.next(left);
        left = behind;
        let tries = |one: &CounterMove| i32::try_from(one.counters.pin_tries()).unwrap_or(i32::MAX);
        let bytes = rows.iter().map(|(card, one)| encode_counters(**card, &one.counters));
        let began = Instant::now();
        let done = sqlx::query(COUNTERS)
            .bind(i32::from(shard.0))
            .bind(rows.iter().map(|(card, _)| card.0).collect::<Vec<_>>())
            .bind(rows.iter().map(|(_, one)| tries(one)).collect::<Vec<_>>())
            .bind(bytes.collect::<Vec<_>>())
            .bind(rows.iter().map(|(_, one)| one.seq.0).collect::<Vec<_>>())
            .execute(&mut *tx)
            .await?;
        written = written.saturating_add(done.rows_affected());
        pace.pause_after(began).await;
    }
    Ok(written)
}

async fn shares(tx: &mut PgConnection, shard: ShardId, moves: &Moves) -> Done {
    let rows = &moves.shares;
    if rows.is_empty() {
        return Ok(0);
    }
    let done = sqlx::query(SHARES)
        .bind(i32::from(shard.0))
        .bind(rows.keys().map(|id| id.0).collect::<Vec<_>>())
        .bind(rows.values().map(|one| one.partner.map(|id| id.0)).collect::<Vec<_>>())
        .bind(rows.values().map(|one| one.added.level.0).collect::<Vec<_>>())
        .bind(rows.values().map(|one| one.added.held.0).collect::<Vec<_>>())
        .bind(rows.values().map(|one| one.seq.0).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    Ok(done.rows_affected())
}

/// What was used of limits. A row that is not there to be changed was forgotten, or its control is
/// gone.
async fn usage(tx: &mut PgConnection, shard: ShardId, moves: &Moves) -> Result<(), sqlx::Error> {
    let removed = &moves.removed_controls;
    if !removed.is_empty() {
        sqlx::query(USAGE_REMOVED)
            .bind(i32::from(shard.0))
            .bind(removed.keys().map(|id| id.0).collect::<Vec<_>>())
            .bind(removed.values().map(|seq| seq.0).collect::<Vec<_>>())
            .execute(&mut *tx)
            .await?;
    }
    if moves.usage.is_empty() {
        return Ok(());
    }
    let known = moves.usage.iter();
    let forgets = known.filter(|(_, one)| one.oldest > Part(i64::MIN));
    let forgets: Vec<_> = forgets.collect();
    if !forgets.is_empty() {
        sqlx::query(USAGE_FORGOTTEN)
            .bind(forgets.iter().map(|((control, _), _)| control.0).collect::<Vec<_>>())
            .bind(forgets.iter().map(|((_, holder), _)| *holder).collect::<Vec<_>>())
            .bind(forgets.iter().map(|(_, one)| one.oldest.0).collect::<Vec<_>>())
            .bind(forgets.iter().map(|(_, one)| one.seq.0).collect::<Vec<_>>())
            .execute(&mut *tx)
            .await?;
    }
    for makes in [true, false] {
        let rows: Vec<_> = (moves.usage.iter())
            .flat_map(|(key, one)| one.parts.iter().map(move |part| (key, one.seq, part)))
            .filter(|(_, _, (_, (_, made)))| *made == makes)
            .collect();
        if rows.is_empty() {
            continue;
        }
        let query = if makes {
            sqlx::query(USAGE_MADE).bind(i32::from(shard.0))
        } else {
            sqlx::query(USAGE_CHANGED)
        };
        query
            .bind(rows.iter().map(|(key, ..)| key.0.0).collect::<Vec<_>>())
            .bind(rows.iter().map(|(key, ..)| key.1).collect::<Vec<_>>())
            .bind(rows.iter().map(|(_, _, (part, _))| part.0).collect::<Vec<_>>())
            .bind(rows.iter().map(|(_, _, (_, (used, _)))| used.amount.0).collect::<Vec<_>>())
            .bind(rows.iter().map(|(_, _, (_, (used, _)))| used.count).collect::<Vec<_>>())
            .bind(rows.iter().map(|(_, seq, _)| seq.0).collect::<Vec<_>>())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_as_long_as_they_may_take() {
        let mut pace = Pace::new();
        let rows = [0u8; 1000];
        assert_eq!(pace.next(&rows).0.len(), 64);
        (0..9).for_each(|_| pace.adapt(Duration::from_micros(500)));
        assert_eq!(pace.next(&rows).0.len(), 512);
        pace.adapt(Duration::from_millis(2));
        assert_eq!(pace.next(&rows).0.len(), 512, "neither short nor long");
        (0..9).for_each(|_| pace.adapt(Duration::from_millis(30)));
        assert_eq!(pace.next(&rows).0.len(), 16);
        let (last, none) = pace.next(&rows[..5]);
        assert_eq!((last.len(), none.len()), (5, 0));
    }
}
