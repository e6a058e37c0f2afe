//! The switch under load: closed loops at saturation, open loops at fixed rates, and by turns with
//! the floor of a commit. It owns that the tables have caught up before each load begins.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use sqlx::ConnectOptions;
use switch_store::private_postgres::DatabaseUrl;

use crate::bench::arguments::Arguments;
use crate::bench::bounds::Bound;
use crate::bench::cluster::Cluster;
use crate::bench::generator::{Load, Mix, Shape};
use crate::bench::limits::commit;
use crate::bench::measure::{Measured, Series, Subject, measure};
use crate::bench::process;
use crate::bench::statistics::{Percentiles, Spread, paired_ratio};
use crate::bench::subject::cards::{Population, issue_cards};
use crate::bench::subject::switch::{Starting, Switch};
use crate::bench::table;
use crate::bench::wire::request::TestPan;

/// Requests in flight over all connections of a closed loop.
const IN_FLIGHT: usize = 2048;
/// Of one connection: as many as a link takes.
const IN_FLIGHT_OF_ONE: usize = 1024;
/// Connections of the closed loops.
const CLOSED: [usize; 3] = [1, 8, 64];
/// Rates and connections of the open loops.
const OPEN: [(u32, usize); 4] = [(1_000, 8), (5_000, 8), (10_000, 16), (20_000, 64)];
/// How long the tables may take to catch up between loads.
const CATCH_UP: Duration = Duration::from_secs(120);

/// A switch with cards, and the number that its next load begins with.
pub(crate) struct Stage {
    pub(crate) switch: Switch,
    pub(crate) database: DatabaseUrl,
    pub(crate) cards: Arc<[TestPan]>,
    pub(crate) next: u64,
}

/// Issues cards over an empty database, and starts the switch that is measured: with its own
/// settings, straight to PostgreSQL.
pub(crate) fn stage(arguments: &Arguments, cluster: &mut Cluster) -> Result<Stage> {
    stage_of(arguments, cluster, ("bench_switch", arguments.population()))
}

/// The same of this name, with these cards.
pub(crate) fn stage_of(
    arguments: &Arguments,
    cluster: &mut Cluster,
    (name, population): (&str, Population),
) -> Result<Stage> {
    let database = cluster.fresh_database(name)?;
    let directory = arguments.dir.join(name);
    let _ = std::fs::remove_dir_all(&directory);
    let mut starting = Starting {
        binary: arguments.switch.as_deref(),
        directory: &directory,
        database: &database,
        settings: &[("CARDSWITCH_DATABASE__MAX_CONNECTIONS", "48".to_owned())],
        take_over: false,
    };
    let setting_up = Switch::start(&starting)?;
    let began = Instant::now();
    let cards = issue_cards(&setting_up.socket, population)?.pans;
    setting_up.stop()?;
    cluster.settle(&database)?;
    eprintln!(
        "{} cards of {} partners were issued in {:.0} s",
        cards.len(),
        population.partners,
        began.elapsed().as_secs_f64()
    );
    starting.settings = &[];
    let switch = Switch::start(&starting)?;
    Ok(Stage { switch, database, cards, next: 1 })
}

impl Stage {
    /// A load on it.
    pub(crate) fn load(&self, connections: usize, shape: Shape, time: Duration) -> Load {
        Load {
            address: self.switch.address,
            connections,
            shape,
            mix: Mix::USUAL,
            warm_up: Duration::from_secs(1),
            windows: 1,
            window_time: time,
            patience: Duration::from_secs(10),
            cards: Arc::clone(&self.cards),
            chips: None,
        }
    }

    /// Runs a load once the tables have caught up.
    pub(crate) fn run(&mut self, cluster: &mut Cluster, load: &Load) -> Result<Measured> {
        self.wait_for_tables(cluster)?;
        let subject = Subject::switch(self.switch.pid(), self.switch.http);
        measure(cluster, subject, load, &mut self.next)
    }

    /// Waits until the tables have everything that is in the journal.
    pub(crate) fn wait_for_tables(&self, cluster: &Cluster) -> Result<()> {
        let behind = "SELECT count(*) FROM journal j JOIN projection p USING (shard) \
            WHERE j.seq > p.seq";
        cluster.block_on(async {
            let mut connection = self.database.connect_options().connect().await?;
            let began = Instant::now();
            while began.elapsed() < CATCH_UP {
                let rows: i64 = sqlx::query_scalar(behind).fetch_one(&mut connection).await?;
                if rows == 0 {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            bail!("the tables have not caught up in {} s", CATCH_UP.as_secs())
        })
    }

    /// Runs a load several times over, and prints what that came to.
    pub(crate) fn series(
        &mut self,
        arguments: &Arguments,
        cluster: &mut Cluster,
        name: &str,
        load: &Load,
    ) -> Result<Series> {
        let runs: Result<Vec<Measured>> =
            (0..arguments.runs()).map(|_| self.run(cluster, load)).collect();
        let series = Series::of(name, &runs?);
        println!("{}", table::line(&series));
        Ok(series)
    }

    /// Bytes of a record in the journal, over all that is in it.
    pub(crate) fn record_bytes(&self, cluster: &Cluster) -> Result<usize> {
        let records: u64 = self.next.max(1);
        cluster.block_on(async {
            let mut connection = self.database.connect_options().connect().await?;
            let asked = "SELECT coalesce(sum(octet_length(records)), 0)::int8 FROM journal";
            let bytes: i64 = sqlx::query_scalar(asked).fetch_one(&mut connection).await?;
            Ok(usize::try_from(u64::try_from(bytes)? / records)?)
        })
    }
}

/// Loads, and their series by shape.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Loads {
    pub(crate) closed: Vec<Series>,
    pub(crate) open: Vec<Series>,
    pub(crate) half: Option<Series>,
}

impl Loads {
    /// The closed loop with the most answers a second.
    pub(crate) fn saturation(&self) -> Result<&Series> {
        Ok(self.saturated()?.0)
    }

    /// The same, and its connections.
    fn saturated(&self) -> Result<(&Series, usize)> {
        let loops = self.closed.iter().zip(CLOSED);
        let most =
            loops.max_by(|(a, _), (b, _)| a.per_second.median.total_cmp(&b.per_second.median));
        most.context("no closed loop was measured")
    }
}

/// Closed loops, open loops, and half of saturation.
pub(crate) fn measure_loads(
    arguments: &Arguments,
    cluster: &mut Cluster,
    stage: &mut Stage,
) -> Result<Loads> {
    let time = arguments.window();
    println!("\ncardswitch, {} cards, a few percent of repeats and reversals", stage.cards.len());
    println!("{}", table::HEAD);
    cluster.checkpoint()?;
    let mut loads = Loads { closed: vec![], open: vec![], half: None };
    for connections in CLOSED {
        let window = (IN_FLIGHT / connections).min(IN_FLIGHT_OF_ONE);
        let load = stage.load(connections, Shape::Closed { window }, time);
        let name = format!("closed loop, {connections} connections");
        loads.closed.push(stage.series(arguments, cluster, &name, &load)?);
    }
    // Millions of new rows would be vacuumed while a thousand requests a second are measured.
    stage.wait_for_tables(cluster)?;
    cluster.settle(&stage.database)?;
    for (rate, connections) in OPEN {
        let load = stage.load(connections, Shape::Open { rate }, time);
        let name = format!("{rate}/s, {connections} connections");
        loads.open.push(stage.series(arguments, cluster, &name, &load)?);
    }
    // Of the load that it is half of, over as many connections.
    let (saturation, connections) = loads.saturated()?;
    let half = saturation.per_second.median / 2.0;
    let load = stage.load(connections, Shape::Open { rate: half as u32 }, time);
    let name = format!("half of saturation, {half:.0}/s");
    loads.half = Some(stage.series(arguments, cluster, &name, &load)?);
    Ok(loads)
}

/// The floor of a commit and 1,000 requests a second, by turns.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Pairs {
    /// Pairs that the host disturbed.
    pub(crate) measured_again: usize,
    pub(crate) floor_p50_ms: Spread,
    pub(crate) floor_p99_ms: Spread,
    pub(crate) p50_ms: Spread,
    pub(crate) p99_ms: Spread,
    pub(crate) ratio_p50: Spread,
    pub(crate) ratio_p99: Spread,
    /// What a commit itself takes at 1,000 a second, counted like the load from when it was due.
    pub(crate) paced_floor_p50_ms: Spread,
    pub(crate) paced_floor_p99_ms: Spread,
    pub(crate) paced_ratio_p50: Spread,
    pub(crate) paced_ratio_p99: Spread,
    pub(crate) load: Series,
}

impl Pairs {
    /// How much later than a bare commit an answer may come. Both are counted from when they were
    /// due: commits one after the other hide every stall but for the one commit that it meets, and
    /// keep processors awake that have to be woken at this rate. What they take is the remark.
    pub(crate) fn bounds(&self) -> [Bound; 2] {
        let remark = |ratio: &Spread| format!("{:.2} of one that follows another", ratio.median);
        let (p50, p99) = (self.paced_ratio_p50.median, self.paced_ratio_p99.median);
        [
            Bound::at_most("1,000/s: p50 / p50 of a commit at 1,000/s", p50, 2.0)
                .remark(remark(&self.ratio_p50)),
            Bound::at_most("1,000/s: p99 / p99 of a commit at 1,000/s", p99, 2.5)
                .remark(remark(&self.ratio_p99)),
        ]
    }
}

/// A pair tells nothing of the switch in which the host kept more than this of the processors.
const MOST_STOLEN_PERCENT: f64 = 3.0;

/// The floor, both ways, and the load beside it.
struct Pair {
    following: Percentiles,
    paced: Percentiles,
    load: Measured,
    stolen_percent: f64,
}

/// Measures them: floor, load, load, floor and so on, each pair side by side. What the host
/// disturbed is measured again, as often as there are pairs at most; what it was is printed.
pub(crate) fn measure_pairs(
    arguments: &Arguments,
    cluster: &mut Cluster,
    stage: &mut Stage,
    limits: &DatabaseUrl,
) -> Result<Pairs> {
    stage.wait_for_tables(cluster)?;
    cluster.settle(&stage.database)?;
    let (wanted, time) = arguments.pairs();
    let (mut quiet, mut disturbed) = (Vec::new(), Vec::new());
    while quiet.len() < wanted && disturbed.len() < wanted {
        let floor_first = (quiet.len() + disturbed.len()) % 2 == 0;
        let pair = measure_pair(cluster, stage, limits, time, floor_first)?;
        if pair.stolen_percent > MOST_STOLEN_PERCENT {
            eprintln!("the host kept {:.1} % of the processors: once more", pair.stolen_percent);
            disturbed.push(pair);
        } else {
            quiet.push(pair);
        }
    }
    let again = disturbed.len();
    if quiet.len() < wanted {
        // Then they are what there is, and the figures say how far apart they were.
        quiet.append(&mut disturbed);
    }
    let result = Pairs::of(&quiet, again);
    print_pairs(&result);
    Ok(result)
}

fn measure_pair(
    cluster: &mut Cluster,
    stage: &mut Stage,
    limits: &DatabaseUrl,
    time: Duration,
    floor_first: bool,
) -> Result<Pair> {
    let load = stage.load(8, Shape::Open { rate: 1_000 }, time);
    let floor = |cluster: &mut Cluster| {
        let following = commit::measure(cluster, limits, time)?.latency;
        let paced = commit::measure_at_rate(cluster, limits, 1_000, time)?;
        anyhow::Ok((following, paced))
    };
    let (began, stolen) = (Instant::now(), process::stolen());
    let ((following, paced), load) = if floor_first {
        (floor(cluster)?, stage.run(cluster, &load)?)
    } else {
        let load = stage.run(cluster, &load)?;
        (floor(cluster)?, load)
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let stolen = process::stolen().saturating_sub(stolen).as_secs_f64();
    let stolen_percent = 100.0 * stolen / (began.elapsed().as_secs_f64() * processors);
    Ok(Pair { following, paced, load, stolen_percent })
}

impl Pairs {
    fn of(pairs: &[Pair], again: usize) -> Self {
        let loads: Vec<_> =
            pairs.iter().filter_map(|pair| Some(pair.load.points.first()?.latency)).collect();
        let following: Vec<_> = pairs.iter().map(|pair| pair.following).collect();
        let paced: Vec<_> = pairs.iter().map(|pair| pair.paced).collect();
        let spread =
            |of: &[Percentiles], figure: fn(&Percentiles) -> f64| Spread::of(of.iter().map(figure));
        let ratio = |floors: &[Percentiles], figure: fn(&Percentiles) -> f64| {
            let pairs = loads.iter().zip(floors);
            paired_ratio(
                &pairs.map(|(load, floor)| (figure(load), figure(floor))).collect::<Vec<_>>(),
            )
        };
        let p50 = |latency: &Percentiles| latency.p50_ms;
        let p99 = |latency: &Percentiles| latency.p99_ms;
        let measured: Vec<_> = pairs.iter().map(|pair| pair.load.clone()).collect();
        Self {
            measured_again: again,
            floor_p50_ms: spread(&following, p50),
            floor_p99_ms: spread(&following, p99),
            p50_ms: spread(&loads, p50),
            p99_ms: spread(&loads, p99),
            ratio_p50: ratio(&following, p50),
            ratio_p99: ratio(&following, p99),
            paced_floor_p50_ms: spread(&paced, p50),
            paced_floor_p99_ms: spread(&paced, p99),
            paced_ratio_p50: ratio(&paced, p50),
            paced_ratio_p99: ratio(&paced, p99),
            load: Series::of("1000/s, beside the floor", &measured),
        }
    }
}

fn print_pairs(pairs: &Pairs) {
    println!(
        "\n1,000/s beside the commit of one small row, {} pairs, {} disturbed by the host",
        pairs.ratio_p50.runs, pairs.measured_again
    );
    let (p50, p99) = (&pairs.p50_ms, &pairs.p99_ms);
    let row = |name: &str, load: &Spread, floor: &Spread, ratio: &Spread| {
        println!(
            "{name}: {:.2} ms against {:.2} ms [{:.2}-{:.2}]; ratio {:.2} [{:.2}-{:.2}]",
            load.median,
            floor.median,
            floor.least,
            floor.most,
            ratio.median,
            ratio.least,
            ratio.most
        );
    };
    row("one after the other, p50", p50, &pairs.floor_p50_ms, &pairs.ratio_p50);
    row("one after the other, p99", p99, &pairs.floor_p99_ms, &pairs.ratio_p99);
    row(
        "as many a second, from when due, p50",
        p50,
        &pairs.paced_floor_p50_ms,
        &pairs.paced_ratio_p50,
    );
    row(
        "as many a second, from when due, p99",
        p99,
        &pairs.paced_floor_p99_ms,
        &pairs.paced_ratio_p99,
    );
    println!("{}\n{}", table::HEAD, table::line(&pairs.load));
}
