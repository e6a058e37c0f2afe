//! The ceiling of throughput: rows shaped like the journal's, appended like the journal's (put if
//! absent, chained by hash), with no switch behind them. What PostgreSQL costs a record here is
//! what it must cost the switch at least.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::Serialize;
use sqlx::{ConnectOptions, PgConnection};
use switch_store::private_postgres::DatabaseUrl;

use crate::bench::cluster::Cluster;
use crate::bench::generator::latencies;
use crate::bench::statistics::Percentiles;

/// Records of one row.
pub(crate) const BATCH: usize = 256;
/// Shards that append at the same time.
const WRITERS: i32 = 2;

const TABLE: &str = "\
CREATE TABLE journal_ceiling (shard int4 NOT NULL, seq int8 NOT NULL, epoch int8 NOT NULL, \
owner uuid NOT NULL, format int2 NOT NULL, records bytea NOT NULL, hash bytea NOT NULL, \
committed_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (shard, seq)); \
ALTER TABLE journal_ceiling ALTER COLUMN records SET STORAGE EXTERNAL";

const APPEND: &str = "\
INSERT INTO journal_ceiling (shard, seq, epoch, owner, format, records, hash) \
SELECT $1, $2, 1, '00000000-0000-0000-0000-000000000001', 1, $3, $4 \
WHERE $2 = 0 OR EXISTS (SELECT 1 FROM journal_ceiling \
WHERE shard = $1 AND seq = $2 - 1 AND hash = $5) ON CONFLICT DO NOTHING";

/// A ceiling that was measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Ceiling {
    pub(crate) records_per_second: f64,
    /// Of a whole row.
    #[serde(flatten)]
    pub(crate) latency: Percentiles,
    /// PostgreSQL's processor time for one record, microseconds.
    pub(crate) cpu_us_postgres: f64,
}

/// Makes the table.
pub(crate) fn prepare(cluster: &Cluster, database: &DatabaseUrl) -> Result<()> {
    cluster.block_on(async {
        let mut connection = database.connect_options().connect().await?;
        sqlx::raw_sql(TABLE).execute(&mut connection).await?;
        Ok(())
    })
}

/// Appends rows of [`BATCH`] records of so many bytes, each shard one after the other.
pub(crate) fn measure(
    cluster: &Cluster,
    database: &DatabaseUrl,
    record_bytes: usize,
    time: Duration,
) -> Result<Ceiling> {
    let (began, before) = (Instant::now(), cluster.cpu()?);
    let (count, measured) = cluster.block_on(async {
        let mut emptied = database.connect_options().connect().await?;
        sqlx::raw_sql("TRUNCATE journal_ceiling").execute(&mut emptied).await?;
        let writers = (0..WRITERS).map(|shard| async move {
            let mut connection = database.connect_options().connect().await?;
            append(&mut connection, shard, record_bytes, time).await
        });
        let all = futures_util::future::try_join_all(writers).await?;
        let mut sum = latencies();
        all.iter().for_each(|one| sum += one);
        anyhow::Ok((sum.len() * BATCH as u64, sum))
    })?;
    let (elapsed, used) = (began.elapsed(), cluster.cpu()?.saturating_sub(before));
    Ok(Ceiling {
        records_per_second: count as f64 / elapsed.as_secs_f64(),
        latency: Percentiles::of(&measured),
        cpu_us_postgres: used.as_secs_f64() * 1e6 / count.max(1) as f64,
    })
}

async fn append(
    connection: &mut PgConnection,
    shard: i32,
    record_bytes: usize,
    time: Duration,
) -> Result<crate::bench::generator::Latencies> {
    // Records do not repeat themselves: bytes that differ, as a hash's do.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut records: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(record_bytes * BATCH)
    .collect();
    let (mut previous, mut measured) = ([0u8; 32], latencies());
    let began = Instant::now();
    for seq in 0i64.. {
        let at = Instant::now();
        if at.duration_since(began) >= time {
            break;
        }
        let mut hash = [0u8; 32];
        hash[..8].copy_from_slice(&seq.to_be_bytes());
        if let Some(front) = records.first_chunk_mut::<8>() {
            *front = seq.to_be_bytes();
        }
        let done = sqlx::query(APPEND)
            .bind(shard)
            .bind(seq)
            .bind(&records[..])
            .bind(&hash[..])
            .bind(&previous[..])
            .execute(&mut *connection)
            .await?;
        ensure!(done.rows_affected() == 1, "an append found its place taken");
        previous = hash;
        let micros = u64::try_from(at.elapsed().as_micros()).unwrap_or(u64::MAX);
        measured.saturating_record(micros.max(1));
    }
    Ok(measured)
}
