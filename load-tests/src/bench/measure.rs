//! One load with every meter read at the ends of each of its windows. Must read the meters of all
//! parts at the same moments, so that what they say may be added up.

use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use serde::Serialize;

use super::cluster::Cluster;
use super::generator::{Faults, Load, LoadResult, drive};
use super::metrics;
use super::process;
use super::statistics::{Percentiles, Spread};

/// Whose meters are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    pid: u32,
    http: Option<SocketAddr>,
}

impl Subject {
    /// A process.
    pub(crate) const fn process(pid: u32) -> Subject {
        Subject { pid, http: None }
    }

    /// The switch, which knows also how far its tables are behind.
    pub(crate) const fn switch(pid: u32, http: SocketAddr) -> Subject {
        Subject { pid, http: Some(http) }
    }
}

/// The meters at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) subject_cpu: Duration,
    pub(crate) lag: f64,
    pub(crate) subject_bytes: u64,
    pub(crate) postgres_cpu: Duration,
    pub(crate) wal_bytes: i64,
    /// Of all processors, by other machines.
    pub(crate) stolen: Duration,
    pub(crate) at: Option<Instant>,
}

impl Reading {
    /// Reads them.
    pub(crate) fn take(cluster: &mut Cluster, subject: Subject) -> Result<Reading> {
        Ok(Reading {
            subject_cpu: process::cpu_of_tree(subject.pid)?,
            postgres_cpu: cluster.cpu()?,
            wal_bytes: cluster.wal_bytes()?,
            stolen: process::stolen(),
            at: Some(Instant::now()),
            subject_bytes: process::resident_bytes(subject.pid)?,
            lag: subject.http.map_or(Ok(0.0), metrics::projection_lag)?,
        })
    }
}

/// What one window came to.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Point {
    pub(crate) per_second: f64,
    #[serde(flatten)]
    pub(crate) latency: Percentiles,
    /// Processor time for one answer, microseconds.
    pub(crate) cpu_us_subject: f64,
    pub(crate) cpu_us_postgres: f64,
    pub(crate) cpu_us_generator: f64,
    pub(crate) wal_bytes: f64,
    /// Memory of the subject at the end, megabytes.
    pub(crate) subject_mb: f64,
    /// Records that were not in the tables at the end.
    pub(crate) lag: f64,
    /// Percent of the processors' time that other machines on the host had: what is measured here
    /// stood still meanwhile, and a request that was due then is charged with it.
    pub(crate) stolen_percent: f64,
}

/// A load that was measured: one point a window.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) points: Vec<Point>,
    pub(crate) faults: Faults,
}

/// Runs a load and reads the meters at every mark. `first` is where its numbers begin, and is moved
/// on for the next.
pub(crate) fn measure(
    cluster: &mut Cluster,
    subject: Subject,
    load: &Load,
    first: &mut u64,
) -> Result<Measured> {
    let (marks, told) = channel();
    let number = *first;
    let (result, readings) = thread::scope(|scope| {
        let load = scope.spawn(move || drive(load, number, &marks));
        let readings: Result<Vec<_>> =
            told.iter().map(|_| Reading::take(cluster, subject)).collect();
        let result = load.join().map_err(|_| anyhow!("the generator panicked"));
        (result, readings)
    });
    let (result, readings) = (result??, readings?);
    *first = result.next_number;
    let points = readings.windows(2).enumerate().map(|(index, pair)| point(&result, index, pair));
    Ok(Measured { points: points.collect(), faults: result.faults.clone() })
}

fn point(result: &LoadResult, index: usize, pair: &[Reading]) -> Point {
    let ([before, after], Some(window)) = (pair, result.windows.get(index)) else {
        return Point::default();
    };
    let count = window.answered.max(1) as f64;
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / count;
    Point {
        per_second: result.per_second(index),
        latency: Percentiles::of(&window.latencies),
        cpu_us_subject: micros(after.subject_cpu.saturating_sub(before.subject_cpu)),
        cpu_us_postgres: micros(after.postgres_cpu.saturating_sub(before.postgres_cpu)),
        cpu_us_generator: micros(window.generator_cpu),
        wal_bytes: (after.wal_bytes - before.wal_bytes) as f64 / count,
        subject_mb: after.subject_bytes as f64 / 1e6,
        lag: after.lag,
        stolen_percent: stolen_percent(before, after),
    }
}

fn stolen_percent(before: &Reading, after: &Reading) -> f64 {
    let (Some(from), Some(to)) = (before.at, after.at) else { return 0.0 };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let all = (to - from).as_secs_f64() * processors as f64;
    100.0 * after.stolen.saturating_sub(before.stolen).as_secs_f64() / all
}

/// The same load several times over: every figure with its spread.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) per_second: Spread,
    pub(crate) p50_ms: Spread,
    pub(crate) p99_ms: Spread,
    pub(crate) p999_ms: Spread,
    pub(crate) cpu_us_subject: Spread,
    pub(crate) cpu_us_postgres: Spread,
    pub(crate) cpu_us_generator: Spread,
    pub(crate) wal_bytes: Spread,
    /// Records that were not in the tables at the ends of the runs.
    pub(crate) lag: Spread,
    pub(crate) stolen_percent: Spread,
    pub(crate) faults: Faults,
}

impl Series {
    /// Of these runs.
    pub(crate) fn of(name: &str, runs: &[Measured]) -> Series {
        let of = |figure: fn(&Point) -> f64| {
            Spread::of(runs.iter().flat_map(|run| &run.points).map(figure))
        };
        let mut faults = Faults::default();
        runs.iter().for_each(|run| faults.add_all(&run.faults));
        Series {
            name: name.to_owned(),
            per_second: of(|point| point.per_second),
            p50_ms: of(|point| point.latency.p50_ms),
            p99_ms: of(|point| point.latency.p99_ms),
            p999_ms: of(|point| point.latency.p999_ms),
            cpu_us_subject: of(|point| point.cpu_us_subject),
            cpu_us_postgres: of(|point| point.cpu_us_postgres),
            cpu_us_generator: of(|point| point.cpu_us_generator),
            wal_bytes: of(|point| point.wal_bytes),
            lag: of(|point| point.lag),
            stolen_percent: of(|point| point.stolen_percent),
            faults,
        }
    }
}
