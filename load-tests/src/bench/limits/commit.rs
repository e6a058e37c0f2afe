//! The floor of latency: one small row and its commit, one after the other over one connection. No
//! answer that rests on a commit can be faster.

use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::{ConnectOptions, PgConnection};
use switch_store::private_postgres::DatabaseUrl;

use crate::bench::cluster::Cluster;
use crate::bench::generator::{Latencies, latencies};
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

async fn commits(
    connection: &mut PgConnection,
    time: Duration,
    mut measured: Option<&mut Latencies>,
) -> Result<()> {
    let began = Instant::now();
    let mut at = Duration::ZERO;
    while at < time {
        sqlx::query("INSERT INTO commit_floor (account, amount) VALUES ($1, $2)")
            .bind(1_i64)
            .bind(100_i64)
            .execute(&mut *connection)
            .await?;
        let now = began.elapsed();
        if let Some(latencies) = &mut measured {
            let micros = u64::try_from((now - at).as_micros()).unwrap_or(u64::MAX);
            latencies.saturating_record(micros.max(1));
        }
        at = now;
    }
    Ok(())
}
