//! The limits of the machine, several times over: the floor of a commit, the ceiling of the
//! journal, the echo of the same frames.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use switch_store::private_postgres::DatabaseUrl;

use crate::bench::arguments::Arguments;
use crate::bench::cluster::Cluster;
use crate::bench::generator::{Load, Mix, Shape};
use crate::bench::limits::commit;
use crate::bench::limits::journal::{self, Ceiling};
use crate::bench::measure::{Measured, Series, Subject, measure};
use crate::bench::statistics::Spread;
use crate::bench::subject::child::Server;
use crate::bench::table;
use crate::bench::wire::request::TestPan;

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Limits {
    pub(crate) commits_per_second: Spread,
    pub(crate) commit_p50_ms: Spread,
    pub(crate) commit_p99_ms: Spread,
    pub(crate) record_bytes: usize,
    pub(crate) journal_per_second: Spread,
    pub(crate) journal_p50_ms: Spread,
    pub(crate) journal_p99_ms: Spread,
    pub(crate) journal_cpu_us_postgres: Spread,
    pub(crate) echo: Series,
}

/// An empty database with the tables of the limits.
pub(crate) fn prepare(cluster: &mut Cluster) -> Result<DatabaseUrl> {
    let database = cluster.fresh_database("bench_limits")?;
    commit::prepare(cluster, &database)?;
    journal::prepare(cluster, &database)?;
    Ok(database)
}

/// Measures them; the journal's with records as long as the switch's own.
pub(crate) fn measure_limits(
    arguments: &Arguments,
    cluster: &mut Cluster,
    database: &DatabaseUrl,
    record_bytes: usize,
    cards: &Arc<[TestPan]>,
) -> Result<Limits> {
    let time = arguments.window().min(Duration::from_secs(3));
    let (mut floors, mut ceilings, mut echoes) = (Vec::new(), Vec::<Ceiling>::new(), Vec::new());
    for _ in 0..arguments.runs() {
        floors.push(commit::measure(cluster, database, time)?);
        ceilings.push(journal::measure(cluster, database, record_bytes, time)?);
        echoes.push(echo(cluster, cards, time)?);
    }
    let of = |figure: fn(&Ceiling) -> f64| Spread::of(ceilings.iter().map(figure));
    let limits = Limits {
        commits_per_second: Spread::of(floors.iter().map(|floor| floor.per_second)),
        commit_p50_ms: Spread::of(floors.iter().map(|floor| floor.latency.p50_ms)),
        commit_p99_ms: Spread::of(floors.iter().map(|floor| floor.latency.p99_ms)),
        record_bytes,
        journal_per_second: of(|one| one.records_per_second),
        journal_p50_ms: of(|one| one.latency.p50_ms),
        journal_p99_ms: of(|one| one.latency.p99_ms),
        journal_cpu_us_postgres: of(|one| one.cpu_us_postgres),
        echo: Series::of("echo, 8 connections", &echoes),
    };
    print(&limits);
    Ok(limits)
}

fn print(limits: &Limits) {
    println!("\nlimits of this machine");
    println!(
        "{}  p50 {:.2} ms, p99 {:.2} ms",
        table::plain_line("commit of one small row", &limits.commits_per_second),
        limits.commit_p50_ms.median,
        limits.commit_p99_ms.median
    );
    println!(
        "{}  p50 {:.2} ms, p99 {:.2} ms a row; PostgreSQL {:.2} us a record of {} bytes",
        table::plain_line("journal rows of 256 records", &limits.journal_per_second),
        limits.journal_p50_ms.median,
        limits.journal_p99_ms.median,
        limits.journal_cpu_us_postgres.median,
        limits.record_bytes
    );
    println!("{}\n{}", table::HEAD, table::line(&limits.echo));
}

fn echo(cluster: &mut Cluster, cards: &Arc<[TestPan]>, time: Duration) -> Result<Measured> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("serve-echo");
    let (server, said) = Server::start(command)?;
    let load = Load {
        address: said["address"].as_str().context("it names no address")?.parse()?,
        connections: 8,
        shape: Shape::Closed { window: 64 },
        mix: Mix::USUAL,
        warm_up: Duration::from_millis(300),
        windows: 1,
        window_time: time,
        patience: Duration::from_secs(10),
        cards: Arc::clone(cards),
        chips: None,
    };
    let measured = measure(cluster, Subject::process(server.pid()), &load, &mut 1)?;
    server.kill()?;
    Ok(measured)
}
