//! A start over a long tail: the projector is held back by the switch's own test setting, the
//! journal grows, the switch is killed, and the next one must serve soon. It owns what serving
//! means: a purchase is approved.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::Serialize;

use super::switch::Stage;
use crate::bench::arguments::Arguments;
use crate::bench::bounds::Bound;
use crate::bench::cluster::Cluster;
use crate::bench::generator::Shape;
use crate::bench::measure::{Subject, measure};
use crate::bench::metrics;
use crate::bench::subject::switch::{Starting, Switch};

/// Serving within this many seconds.
const LIMIT: f64 = 10.0;

/// A start that was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Restart {
    /// Journalled authorizations that were in no table.
    pub(crate) tail: u64,
    /// From the start of the process to its word that it serves.
    pub(crate) serving_s: f64,
    /// To the first approval.
    pub(crate) approving_s: f64,
    pub(crate) bounds: Vec<Bound>,
}

/// Makes the tail, kills the switch, and measures the next one's start.
pub(crate) fn measure_restart(
    arguments: &Arguments,
    cluster: &mut Cluster,
    mut stage: Stage,
    records: u64,
) -> Result<Restart> {
    let directory = arguments.dir.join("switch");
    stage.wait_for_tables(cluster)?;
    stage.switch.stop()?;
    let limit = (records * 4).max(1_000_000).to_string();
    let limit = ("CARDSWITCH_SHARDS__PROJECTION_LAG_LIMIT", limit);
    let held = [limit.clone(), ("CARDSWITCH_SHARDS__HOLD_PROJECTION", "true".to_owned())];
    let mut starting = Starting {
        binary: arguments.switch.as_deref(),
        directory: &directory,
        database: &stage.database,
        settings: &held,
        take_over: true,
    };
    stage.switch = Switch::start(&starting)?;
    let mut tail = 0;
    let mut load = stage.load(8, Shape::Closed { window: 128 }, Duration::from_secs(1));
    load.warm_up = Duration::ZERO;
    while tail < records {
        let subject = Subject::switch(stage.switch.pid(), stage.switch.http);
        let measured = measure(cluster, subject, &load, &mut stage.next)?;
        ensure!(measured.faults.total() == 0, "while the tail was made: {}", measured.faults);
        let lag = metrics::projection_lag(stage.switch.http)?;
        ensure!(lag > tail as f64, "the tail does not grow: the projector is not held back");
        tail = lag as u64;
    }
    eprintln!("{tail} records are in no table; killing the switch");
    stage.switch.kill()?;
    let began = Instant::now();
    let raised = [limit];
    starting.settings = &raised;
    stage.switch = Switch::start(&starting)?;
    let serving_s = began.elapsed().as_secs_f64();
    load.address = stage.switch.address;
    load.connections = 1;
    load.shape = Shape::Open { rate: 10 };
    load.window_time = Duration::from_millis(100);
    let subject = Subject::process(stage.switch.pid());
    let measured = measure(cluster, subject, &load, &mut stage.next)?;
    ensure!(measured.faults.total() == 0, "after the start: {}", measured.faults);
    let first = measured.points.first().map_or(0.0, |point| point.latency.p50_ms);
    let approving_s = serving_s + first / 1e3;
    let bound = Bound::at_most("restart: serving after (seconds)", approving_s, LIMIT)
        .remark(format!("a tail of {tail} authorizations"));
    println!("{}", bound.line());
    Ok(Restart { tail, serving_s, approving_s, bounds: vec![bound] })
}
