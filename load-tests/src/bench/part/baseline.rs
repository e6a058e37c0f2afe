//! The baseline: the conventional server in both forms over all pools, and pgbench with the same
//! statements, by turns. It owns which of them counts: the best.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use switch_store::private_postgres::DatabaseUrl;

use crate::bench::arguments::Arguments;
use crate::bench::bounds::Bound;
use crate::bench::cluster::Cluster;
use crate::bench::conventional::{Form, fill, pan};
use crate::bench::generator::{Load, Mix, Shape};
use crate::bench::measure::{Measured, Series, Subject, measure};
use crate::bench::pgbench;
use crate::bench::statistics::Spread;
use crate::bench::subject::cards::Population;
use crate::bench::subject::child::Server;
use crate::bench::table;
use crate::bench::wire::request::TestPan;

/// Connections to PostgreSQL.
const POOLS: [usize; 3] = [8, 32, 64];
/// Longer windows make nothing steadier here, and there are many of them.
const LONGEST: Duration = Duration::from_secs(3);
/// Less than this part of pgbench, and the server is not written well.
const LEAST_OF_PGBENCH: f64 = 0.8;

/// pgbench with the statements of a form.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Plain {
    pub(crate) name: String,
    pub(crate) per_second: Spread,
}

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Baseline {
    pub(crate) conventional: Vec<Series>,
    pub(crate) pgbench: Vec<Plain>,
}

impl Baseline {
    /// The best of the conventional server.
    pub(crate) fn conventional_tps(&self) -> f64 {
        best(self.conventional.iter().map(|series| series.per_second.median))
    }

    /// The best of pgbench.
    pub(crate) fn pgbench_tps(&self) -> f64 {
        best(self.pgbench.iter().map(|plain| plain.per_second.median))
    }

    /// Whether the conventional server is good enough to be compared with.
    pub(crate) fn bound(&self) -> Bound {
        let ratio = self.conventional_tps() / self.pgbench_tps();
        Bound::at_least("conventional server / pgbench", ratio, LEAST_OF_PGBENCH)
            .remark("below it the baseline is not fair, and nothing else counts".into())
    }
}

fn best(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, f64::max)
}

struct Place {
    form: Form,
    pool: usize,
    measured: Vec<Measured>,
    plain: Vec<f64>,
}

/// Measures it.
pub(crate) fn measure_baseline(arguments: &Arguments, cluster: &mut Cluster) -> Result<Baseline> {
    let population = arguments.population();
    let database = cluster.fresh_database("bench_conventional")?;
    cluster.block_on(async {
        use sqlx::ConnectOptions;
        let mut connection = database.connect_options().connect().await?;
        fill(&mut connection, population).await
    })?;
    let window = arguments.window().min(LONGEST);
    let cards: Option<Vec<TestPan>> =
        (0..population.cards as u64).map(|index| TestPan::new(&pan(index).to_string())).collect();
    let cards = cards.context("numbers of sixteen digits")?;
    let mut places: Vec<Place> = Form::ALL
        .into_iter()
        .flat_map(|form| POOLS.map(|pool| Place { form, pool, measured: vec![], plain: vec![] }))
        .collect();
    let mut load = Load {
        address: ([127, 0, 0, 1], 0).into(),
        connections: 8,
        shape: Shape::Closed { window: 1 },
        mix: Mix::USUAL,
        warm_up: Duration::from_millis(700),
        windows: 1,
        window_time: window,
        patience: Duration::from_secs(10),
        cards: cards.into(),
        chips: None,
    };
    let (mut first, directory) = (1, arguments.dir.join("pgbench"));
    cluster.checkpoint()?;
    for _ in 0..arguments.runs() {
        for place in &mut places {
            // Two messages for each connection: one is being decided, one waits.
            load.shape = Shape::Closed { window: (place.pool * 2).div_ceil(load.connections) };
            place.measured.push(one_run(cluster, &database, place, &mut load, &mut first)?);
            let run = pgbench::Run {
                database: &database,
                directory: &directory,
                form: place.form,
                clients: place.pool,
                time: window,
                population,
            };
            place.plain.push(pgbench::run(cluster, &run)?);
        }
    }
    cluster.drop_database("bench_conventional")?;
    Ok(collect(&places, population))
}

fn collect(places: &[Place], population: Population) -> Baseline {
    let Population { partners, .. } = population;
    let name = |place: &Place| format!("{}, {} connections", place.form.name(), place.pool);
    let conventional: Vec<Series> =
        places.iter().map(|place| Series::of(&name(place), &place.measured)).collect();
    let pgbench: Vec<Plain> = places
        .iter()
        .map(|place| Plain {
            name: name(place),
            per_second: Spread::of(place.plain.iter().copied()),
        })
        .collect();
    println!("\nconventional server ({partners} partners: {partners} hot rows), closed loop");
    println!("{}", table::HEAD);
    conventional.iter().for_each(|series| println!("{}", table::line(series)));
    println!("pgbench with the same statements");
    for Plain { name, per_second } in &pgbench {
        println!("{}", table::plain_line(name, per_second));
    }
    Baseline { conventional, pgbench }
}

fn one_run(
    cluster: &mut Cluster,
    database: &DatabaseUrl,
    place: &Place,
    load: &mut Load,
    first: &mut u64,
) -> Result<Measured> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["serve-conventional", "--pool", &place.pool.to_string()])
        .args(["--form", place.form.name()])
        .env("BENCH_DATABASE_URL", database.expose());
    let (server, said) = Server::start(command)?;
    load.address = said["address"].as_str().context("it names no address")?.parse()?;
    let measured = measure(cluster, Subject::process(server.pid()), load, first)?;
    // It keeps nothing that a stop could save: what it answered is committed.
    server.kill()?;
    Ok(measured)
}
