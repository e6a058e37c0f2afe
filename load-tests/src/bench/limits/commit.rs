//! The floor of latency: one small row and its commit, one after the other over one connection. No
//! answer that rests on a commit can be faster.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use sqlx::{ConnectOptions, PgConnection};
use switch_store::private_postgres::DatabaseUrl;

use crate::bench::cluster::Cluster;
use crate::bench::generator::{Latencies, Schedule, come_first, latencies, rest, wake_in_time};
use crate::bench::statistics::Percentiles;

/// A floor that was measured.
#[derive(Clone, Debug)]
pub(crate) struct Floor {
    pub(crate) per_second: f64,
    pub(crate) latency: Percentiles,
}

/// Makes the table.
pub(crate) fn prepare(cluster: &Cluster, database: &DatabaseUrl) -> Result<()> {
    cluster.block_on(async {
        let mut connection = database.connect_options().connect().await?;
        let made = "CREATE TABLE commit_floor (id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
                    account int8 NOT NULL, amount int8 NOT NULL, at timestamptz NOT NULL \
                    DEFAULT now())";
        sqlx::raw_sql(made).execute(&mut connection).await?;
        Ok(())
    })
}

/// Commits row after row, a quarter of a second unmeasured and then for `time`.
pub(crate) fn measure(cluster: &Cluster, database: &DatabaseUrl, time: Duration) -> Result<Floor> {
    cluster.block_on(async {
        let mut connection = database.connect_options().connect().await?;
        commits(&mut connection, Duration::from_millis(250), None).await?;
        let mut measured = latencies();
        let began = Instant::now();
        commits(&mut connection, time, Some(&mut measured)).await?;
        let per_second = measured.len() as f64 / began.elapsed().as_secs_f64();
        Ok(Floor { per_second, latency: Percentiles::of(&measured) })
    })
}

/// Commits a row at each moment of a schedule, and counts from that moment: what is left of the
/// floor when the requests do not wait for each other. One connection, so a stall delays all that
/// were due meanwhile. On a thread of its own, which has what the generator's has.
pub(crate) fn measure_at_rate(
    cluster: &Cluster,
    database: &DatabaseUrl,
    rate: u32,
    time: Duration,
) -> Result<Percentiles> {
    thread::scope(|scope| {
        let measuring = scope.spawn(|| {
            wake_in_time();
            come_first();
            at_rate(cluster, database, rate, time)
        });
        measuring.join().map_err(|_| anyhow!("the thread of the floor panicked"))?
    })
}

fn at_rate(
    cluster: &Cluster,
    database: &DatabaseUrl,
    rate: u32,
    time: Duration,
) -> Result<Percentiles> {
    cluster.block_on(async {
        let mut connection = database.connect_options().connect().await?;
        commits(&mut connection, Duration::from_millis(250), None).await?;
        let (mut measured, mut schedule) = (latencies(), Schedule::new(rate));
        let began = Instant::now();
        while began.elapsed() < time {
            let Some(due) = schedule.take(began.elapsed()) else {
                // The runtime's timer counts in milliseconds, and a commit takes a part of one.
                // Nothing else runs on this thread.
                rest(schedule.due().saturating_sub(began.elapsed()))?;
                continue;
            };
            commit(&mut connection).await?;
            let micros = u64::try_from((began.elapsed() - due).as_micros()).unwrap_or(u64::MAX);
            measured.saturating_record(micros.max(1));
        }
        Ok(Percentiles::of(&measured))
    })
}

async fn commit(connection: &mut PgConnection) -> Result<()> {
    sqlx::query("INSERT INTO commit_floor (account, amount) VALUES ($1, $2)")
        .bind(1_i64)
        .bind(100_i64)
        .execute(connection)
        .await?;
    Ok(())
}

async fn commits(
    connection: &mut PgConnection,
    time: Duration,
    mut measured: Option<&mut Latencies>,
) -> Result<()> {
    let began = Instant::now();
    let mut at = Duration::ZERO;
    while at < time {
        commit(connection).await?;
        let now = began.elapsed();
        if let Some(latencies) = &mut measured {
            let micros = u64::try_from((now - at).as_micros()).unwrap_or(u64::MAX);
            latencies.saturating_record(micros.max(1));
        }
        at = now;
    }
    Ok(())
}
