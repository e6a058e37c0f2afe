//! Minutes at 80 % of saturation: the tables must keep up, memory must stay flat, and p99 must not
//! drift. It owns what these words mean.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::switch::Stage;
use crate::bench::bounds::Bound;
use crate::bench::cluster::Cluster;
use crate::bench::generator::{Load, Shape};
use crate::bench::measure::{Measured, Point};
use crate::bench::statistics::Spread;

/// The same in the loop that finds saturation as in the course: what a message costs depends on how
/// many of them lie in a socket together.
const CONNECTIONS: usize = 8;
/// One line of the course.
const WINDOW: Duration = Duration::from_secs(10);
/// Of the middle third, which the last third may grow to.
const MEMORY_GROWTH: f64 = 1.10;
const P99_DRIFT: f64 = 1.5;
/// Records that the tables may be behind at any time: a tenth of the limit at which the switch
/// begins to shed.
const LAG: f64 = 100_000.0;

/// The closed loop that finds saturation has so many windows, and the later half of them counts:
/// what comes once a minute or less often, as checkpoints do, belongs to what can go on for ever.
const CLOSED_WINDOWS: usize = 24;

/// A sustained load.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sustained {
    /// Answers a second in the first seconds of a closed loop, while the tables fall behind.
    pub(crate) burst: f64,
    /// Answers a second in its later half, less those by which the tables fell behind meanwhile:
    /// what can go on for ever.
    pub(crate) saturation: f64,
    pub(crate) rate: u32,
    pub(crate) course: Vec<Point>,
    pub(crate) bounds: Vec<Bound>,
}

/// Finds saturation, and then loads the switch with 80 % of it for so many seconds.
pub(crate) fn measure_sustained(
    cluster: &mut Cluster,
    stage: &mut Stage,
    seconds: u64,
) -> Result<Sustained> {
    let (burst, saturation) = saturation(cluster, stage)?;
    let rate = (saturation * 0.8) as u32;
    println!(
        "saturation {saturation:.0}/s with the tables, {burst:.0}/s ahead of them; {rate}/s for \
         {seconds} s"
    );
    cluster.ensure_room_for(seconds.saturating_mul(rate.into()))?;
    let mut load = stage.load(CONNECTIONS, Shape::Open { rate }, WINDOW);
    load.windows = usize::try_from(seconds.div_ceil(WINDOW.as_secs()))?.max(3);
    let measured = stage.run(cluster, &load)?;
    println!(
        "  seconds   answers/s   p50 ms   p99 ms      lag   memory MB   server us  postgres us  \
         stolen %"
    );
    for (index, point) in measured.points.iter().enumerate() {
        println!(
            "{:9} {:11.0} {:8.2} {:8.2} {:8.0} {:11.0} {:11.1} {:12.1} {:9.1}",
            (index as u64 + 1) * WINDOW.as_secs(),
            point.per_second,
            point.latency.p50_ms,
            point.latency.p99_ms,
            point.lag,
            point.subject_mb,
            point.cpu_us_subject,
            point.cpu_us_postgres,
            point.stolen_percent
        );
    }
    if measured.faults.total() > 0 {
        println!("FAULTS: {}", measured.faults);
    }
    let bounds = judge(&measured, rate).context("too short to be judged")?;
    bounds.iter().for_each(|bound| println!("{}", bound.line()));
    Ok(Sustained { burst, saturation, rate, course: measured.points, bounds })
}

/// Answers a second of a long closed loop: in its first window, and in its later half without those
/// that the tables owe.
fn saturation(cluster: &mut Cluster, stage: &mut Stage) -> Result<(f64, f64)> {
    let load = Load {
        windows: CLOSED_WINDOWS,
        ..stage.load(CONNECTIONS, Shape::Closed { window: 256 }, WINDOW)
    };
    let measured = stage.run(cluster, &load)?;
    let (first, later) = measured.points.split_at(measured.points.len() / 2);
    let (Some(burst), Some(before), Some(last)) = (first.first(), first.last(), later.last())
    else {
        bail!("a loop without windows");
    };
    let answers: f64 = later.iter().map(|point| point.per_second).sum();
    let owed = (last.lag - before.lag) / WINDOW.as_secs_f64();
    Ok((burst.per_second, (answers - owed) / later.len() as f64))
}

fn judge(measured: &Measured, rate: u32) -> Option<Vec<Bound>> {
    let third = measured.points.len() / 3;
    let (middle, last) =
        (measured.points.get(third..third * 2)?, measured.points.get(third * 2..)?);
    if third == 0 {
        return None;
    }
    let of = |points: &[Point], figure: fn(&Point) -> f64| Spread::of(points.iter().map(figure));
    let growth = |figure: fn(&Point) -> f64| of(last, figure).median / of(middle, figure).median;
    let carried = of(&measured.points, |point| point.per_second);
    let lag = of(&measured.points, |point| point.lag).most;
    let faults = measured.faults.total() as f64;
    Some(vec![
        Bound::at_least("sustained: the rate is carried", carried.median, f64::from(rate) * 0.99),
        Bound::at_most("sustained: records behind at most", lag.max(1.0), LAG),
        Bound::at_most(
            "sustained: memory, last third / middle",
            growth(|p| p.subject_mb),
            MEMORY_GROWTH,
        ),
        Bound::at_most(
            "sustained: p99, last third / middle",
            growth(|p| p.latency.p99_ms),
            P99_DRIFT,
        ),
        Bound::at_most("sustained: faults (and one)", faults + 1.0, 1.0),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::generator::Faults;
    use crate::bench::statistics::Percentiles;

    fn course(figures: &[(f64, f64, f64)]) -> Measured {
        let points = figures.iter().map(|(p99_ms, subject_mb, lag)| Point {
            per_second: 1_000.0,
            latency: Percentiles { p99_ms: *p99_ms, ..Percentiles::default() },
            subject_mb: *subject_mb,
            lag: *lag,
            ..Point::default()
        });
        Measured { points: points.collect(), faults: Faults::default() }
    }

    #[test]
    fn a_flat_course_passes_and_a_growing_one_does_not() {
        let passed = |measured: &Measured| -> Vec<bool> {
            judge(measured, 1_000).unwrap().iter().map(|bound| bound.passed).collect()
        };
        assert_eq!(passed(&course(&[(5.0, 100.0, 10.0); 6])), [true; 5]);
        let rising: Vec<_> = (1..=9).map(f64::from).map(|i| (i, i * 100.0, i * 1e5)).collect();
        assert_eq!(passed(&course(&rising)), [true, false, false, false, true]);
        assert!(judge(&course(&[(5.0, 100.0, 0.0); 2]), 1_000).is_none());
    }
}
