//! What a flood of the management API costs authorizations: 1,000 of them a second, by turns with
//! and without a flood at ten times the API's rate limit. It owns what may come of it, and that the
//! flood was one that the limits had to hold.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Result, anyhow};
use serde::Serialize;

use super::switch::Stage;
use crate::bench::arguments::Arguments;
use crate::bench::bounds::Bound;
use crate::bench::cluster::Cluster;
use crate::bench::flooder::{Flooded, Flooder, let_through_a_second};
use crate::bench::generator::{Load, Shape};
use crate::bench::measure::{Measured, Point, Series, Subject, measure};
use crate::bench::statistics::{Spread, paired_ratio};
use crate::bench::subject::api::{self, TAKEN_A_SECOND};
use crate::bench::subject::cards::{Population, issue_cards};
use crate::bench::subject::switch::{Starting, Switch};
use crate::bench::table;

/// More would take longer to make, and are no dearer.
const CARDS: usize = 10_000;
const PARTNERS: usize = 10;
/// Their accounts last for the session openings and new accounts of twice as many pairs.
const PEOPLE: usize = 300;
/// Requests of the flood in a second: ten times what the API takes of an address.
const FLOOD: u32 = 10 * TAKEN_A_SECOND;
/// Authorizations in a second, and connections.
const RATE: u32 = 1_000;
const CONNECTIONS: usize = 8;
/// After so long an approval is no longer wanted (`answer_deadline_ms` of a link).
const LATE_MS: f64 = 4_000.0;
/// A pair tells nothing of the switch in which the host kept more than this of the processors.
const MOST_STOLEN_PERCENT: f64 = 3.0;

/// Authorizations without and with the flood, and the flood.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ApiFlood {
    /// Pairs that the host disturbed.
    measured_again: usize,
    quiet: Series,
    beside: Series,
    ratio_p50: Spread,
    ratio_p99: Spread,
    ratio_p999: Spread,
    /// The slowest answer beside the flood, of each half.
    slowest_ms: Spread,
    flood: Flooded,
}

/// One half without the flood and one with it.
struct Pair {
    quiet: Measured,
    beside: Measured,
    flood: Flooded,
}

/// Measures them: without, with, with, without and so on. What the host disturbed is measured
/// again, as often as there are pairs at most.
pub(crate) fn measure_flood(arguments: &Arguments, cluster: &mut Cluster) -> Result<ApiFlood> {
    let directory = arguments.dir.join("flood");
    let _ = std::fs::remove_dir_all(&directory);
    let (mut stage, mut flooder) = set_up(arguments, cluster, &directory)?;
    let pairs = measure_pairs(arguments, cluster, &mut stage, &mut flooder);
    stage.switch.stop()?;
    let (pairs, again) = pairs?;
    let result = ApiFlood::of(&pairs, again);
    result.print();
    Ok(result)
}

/// A switch with cards whose API is open, and people who call it.
fn set_up(
    arguments: &Arguments,
    cluster: &mut Cluster,
    directory: &Path,
) -> Result<(Stage, Flooder)> {
    let database = cluster.fresh_database("bench_flood")?;
    let settings = api::settings(directory);
    let starting = Starting {
        binary: arguments.switch.as_deref(),
        directory,
        database: &database,
        settings: &settings,
        take_over: false,
    };
    api::ceremony(&starting)?;
    let switch = Switch::start(&starting)?;
    let cards = arguments.cards().min(CARDS);
    let issued = issue_cards(&switch.socket, Population { partners: PARTNERS, cards })?;
    let people = api::make_people(&switch.socket, cluster, &database, PEOPLE)?;
    let flooder = Flooder::new(switch.api("open")?, FLOOD, people);
    let stage = Stage { switch, database, cards: issued.pans, next: 1 };
    stage.wait_for_tables(cluster)?;
    cluster.settle(&stage.database)?;
    Ok((stage, flooder))
}

fn measure_pairs(
    arguments: &Arguments,
    cluster: &mut Cluster,
    stage: &mut Stage,
    flooder: &mut Flooder,
) -> Result<(Vec<Pair>, usize)> {
    let (wanted, time) = arguments.pairs();
    let load = stage.load(CONNECTIONS, Shape::Open { rate: RATE }, time);
    let (mut kept, mut disturbed) = (Vec::new(), Vec::new());
    while kept.len() < wanted && disturbed.len() < wanted {
        let quiet_first = (kept.len() + disturbed.len()) % 2 == 0;
        let pair = measure_pair(cluster, stage, flooder, &load, quiet_first)?;
        let stolen = pair.stolen_percent();
        if stolen > MOST_STOLEN_PERCENT {
            eprintln!("the host kept {stolen:.1} % of the processors: once more");
            disturbed.push(pair);
        } else {
            kept.push(pair);
        }
    }
    let again = disturbed.len();
    if kept.len() < wanted {
        // Then they are what there is, and the figures say how far apart they were.
        kept.append(&mut disturbed);
    }
    Ok((kept, again))
}

fn measure_pair(
    cluster: &mut Cluster,
    stage: &mut Stage,
    flooder: &mut Flooder,
    load: &Load,
    quiet_first: bool,
) -> Result<Pair> {
    if quiet_first {
        let quiet = stage.run(cluster, load)?;
        let (beside, flood) = beside_flood(cluster, stage, flooder, load)?;
        return Ok(Pair { quiet, beside, flood });
    }
    let (beside, flood) = beside_flood(cluster, stage, flooder, load)?;
    let quiet = stage.run(cluster, load)?;
    Ok(Pair { quiet, beside, flood })
}

/// The flood begins with the warm-up of the load, and ends after it. Its thread is begun here, so
/// that it does not come first as the load's does.
fn beside_flood(
    cluster: &mut Cluster,
    stage: &mut Stage,
    flooder: &mut Flooder,
    load: &Load,
) -> Result<(Measured, Flooded)> {
    stage.wait_for_tables(cluster)?;
    let stop = AtomicBool::new(false);
    let subject = Subject::switch(stage.switch.pid(), stage.switch.http);
    thread::scope(|scope| {
        let flood = scope.spawn(|| flooder.run(&stop));
        let measured = measure(cluster, subject, load, &mut stage.next);
        stop.store(true, Ordering::Release);
        let flooded = flood.join().map_err(|_| anyhow!("the flood panicked"))?;
        Ok((measured?, flooded?))
    })
}

impl Pair {
    fn stolen_percent(&self) -> f64 {
        let points = self.quiet.points.iter().chain(&self.beside.points);
        points.map(|point| point.stolen_percent).fold(0.0, f64::max)
    }

    /// A figure of both halves, the flooded one first.
    fn figures(&self, figure: fn(&Point) -> f64) -> Option<(f64, f64)> {
        Some((figure(self.beside.points.first()?), figure(self.quiet.points.first()?)))
    }
}

impl ApiFlood {
    fn of(pairs: &[Pair], again: usize) -> ApiFlood {
        let ratio = |figure: fn(&Point) -> f64| {
            paired_ratio(&pairs.iter().filter_map(|pair| pair.figures(figure)).collect::<Vec<_>>())
        };
        let halves = |of: fn(&Pair) -> &Measured| pairs.iter().map(of).cloned().collect::<Vec<_>>();
        let mut flood = Flooded::default();
        pairs.iter().for_each(|pair| flood.add_all(&pair.flood));
        let slowest = pairs.iter().flat_map(|pair| &pair.beside.points);
        ApiFlood {
            measured_again: again,
            quiet: Series::of("1000/s, the API quiet", &halves(|pair| &pair.quiet)),
            beside: Series::of("1000/s, the API flooded", &halves(|pair| &pair.beside)),
            ratio_p50: ratio(|point| point.latency.p50_ms),
            ratio_p99: ratio(|point| point.latency.p99_ms),
            ratio_p999: ratio(|point| point.latency.p999_ms),
            slowest_ms: Spread::of(slowest.map(|point| point.latency.max_ms)),
            flood,
        }
    }

    /// What may come of it. The first two are what is promised; the others say that it was put to
    /// the test: the flood was as fast as it should be, let through as much as the limits say, and
    /// answered.
    pub(crate) fn bounds(&self) -> Vec<Bound> {
        let ApiFlood { quiet, beside, ratio_p50, ratio_p99, flood, .. } = self;
        let p99 = format!(
            "[{:.2}-{:.2}] in {} pairs; {:.2} ms against {:.2} ms; p50 {:.2} times; CPU us of the \
             switch {:.0} against {:.0}",
            ratio_p99.least,
            ratio_p99.most,
            ratio_p99.runs,
            beside.p99_ms.median,
            quiet.p99_ms.median,
            ratio_p50.median,
            beside.cpu_us_subject.median,
            quiet.cpu_us_subject.median
        );
        let late = if self.slowest_ms.most > LATE_MS { 1 } else { 0 };
        let wrong = beside.faults.total() + quiet.faults.total() + late;
        let slowest = format!("the slowest answer took {:.1} ms", self.slowest_ms.most);
        let through = flood.through_per_second() / let_through_a_second();
        let unheard = flood.unheard();
        let failed = flood.faults.total() + unheard.len() as u64;
        let told = match (flood.faults.total(), unheard.is_empty()) {
            (0, true) => String::new(),
            (_, true) => flood.faults.to_string(),
            _ => format!("{}; not once heard: {}", flood.faults, unheard.join(", ")),
        };
        let rate = flood.per_second() / f64::from(FLOOD);
        vec![
            Bound::at_most(
                "API flooded: p99 / p99 without, median of pairs",
                ratio_p99.median,
                1.5,
            )
            .remark(p99),
            Bound::at_most(
                "API flooded: unanswered, late, wrong (and one)",
                wrong as f64 + 1.0,
                1.0,
            )
            .remark(slowest),
            Bound::at_least("flood / ten times the rate limit", rate, 0.95),
            Bound::at_least("let through / the rate limits", through, 0.9),
            Bound::at_most("let through / the rate limits", through, 1.1),
            Bound::at_most("flood unanswered or failed (and one)", failed as f64 + 1.0, 1.0)
                .remark(told),
        ]
    }

    fn print(&self) {
        let ApiFlood { flood, ratio_p50, ratio_p99, ratio_p999, .. } = self;
        println!(
            "\nauthorizations beside a flood of the API: {:.0} requests a second, {:.1} let \
             through; {} pairs, {} disturbed by the host",
            flood.per_second(),
            flood.through_per_second(),
            ratio_p99.runs,
            self.measured_again
        );
        println!("{}\n{}\n{}", table::HEAD, table::line(&self.quiet), table::line(&self.beside));
        for (name, ratio) in [("p50", ratio_p50), ("p99", ratio_p99), ("p99.9", ratio_p999)] {
            let Spread { median, least, most, .. } = ratio;
            println!("{name}: {median:.2} times [{least:.2}-{most:.2}]");
        }
        print!("answers to the flood, by status\n{}", flood.lines());
    }
}
