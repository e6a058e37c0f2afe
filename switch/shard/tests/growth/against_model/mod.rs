//! A whole node over PostgreSQL against the reference model of the engine, over the same random
//! arrivals, and through stops and sudden ends: answers and memory after every arrival, the tables
//! whenever they have everything, also what was used of spend controls. Memory has room for little,
//! so that much is looked up.
//! `MODEL_ARRIVALS` and `MODEL_SEED` go further and elsewhere.

mod late;
mod node;
mod tables;

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use switch_shard::{ProjectionSettings, ShardSettings, TakeoverMode};

use crate::reference::commands::{Asked, Drawn};
use crate::reference::controls::Controls;
use crate::reference::model::{Arrival, Model, Said};
use crate::reference::traffic::{self, Traffic};
use crate::world::World;
use node::{Subject, found};

/// Arrivals of one run.
const ARRIVALS: u32 = 5_000;
const SEED: u64 = 20_261_127;
const EACH: i64 = 20_000;
const DEPOSIT: i64 = 400_000;
/// Restarts of one run.
const RESTARTS: u32 = 3;
/// The last arrivals before a sudden end change nothing that waits for the tables.
const BURST: u32 = 40;

/// How a node ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It stops as it should.
    Stopped,
    /// It is gone, with a message on its way and the tables behind.
    Killed,
}

impl End {
    /// Tables that follow at once, or only when somebody waits for them.
    fn settings(self) -> ShardSettings {
        let (pace, flush_interval) = match self {
            Self::Stopped => (Duration::from_millis(2), Duration::from_millis(50)),
            Self::Killed => (Duration::from_secs(600), Duration::from_secs(600)),
        };
        ShardSettings {
            data_shards: 2,
            journal_part_rows: 2_000,
            repeat_limit: 150,
            lookup_timeout: Duration::from_secs(60),
            projection: ProjectionSettings { pace, flush_interval, ..Default::default() },
            ..ShardSettings::default()
        }
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// One run: both sides, and what came.
struct Run {
    subject: Subject,
    model: Model,
    traffic: Traffic,
    drawn: Drawn,
    told: String,
    /// The next request comes late.
    impatient: bool,
    /// The request that nobody heard of when the node ended.
    on_its_way: Option<Arrival>,
    /// How many messages had to be looked up.
    looked_up: u32,
}

impl Run {
    /// The next arrival, on both sides.
    async fn step(&mut self, burst: bool) {
        let arrival = loop {
            let next = self.traffic.next(self.model.messages.len());
            let waits = matches!(self.subject.names.asked(next), Asked::Act(_) | Asked::Expiry(_));
            if !(burst && waits) {
                break next;
            }
        };
        // Nobody takes an answer back that was sent; instead the next request comes too late.
        if let Arrival::Void(_) = arrival {
            self.impatient = true;
            return;
        }
        let late = self.impatient && matches!(arrival, Arrival::Request(_));
        if late && !self.model.was_answered(arrival) {
            self.impatient = false;
            return self.late(arrival).await;
        }
        self.drawn.note(&self.model, arrival);
        match self.subject.names.asked(arrival) {
            Asked::Message(_) => self.message(arrival).await,
            Asked::Act(act) => {
                self.model.arrive(arrival);
                self.subject.done(act).await;
            }
            Asked::Expiry(authorization) => {
                let Arrival::Expire(message) = arrival else { unreachable!("the same") };
                let (held, key) = {
                    let one = &self.model.messages[message];
                    (one.held, one.key)
                };
                self.model.arrive(arrival);
                self.subject.expire(authorization, key, held).await;
            }
        }
    }

    async fn message(&mut self, arrival: Arrival) {
        let command = self.subject.marked(&self.model, arrival);
        self.looked_up += u32::from(self.subject.is_forgotten(&command, arrival).await);
        let outcome = self.subject.send(command, arrival).await;
        self.expect(arrival, found(outcome).expect("it is decided"));
    }

    /// The model says the same.
    fn expect(&mut self, arrival: Arrival, found: switch_shard::Decision) {
        let before = self.model.messages.len();
        let expected = self.model.arrive(arrival).expect("a message has an answer");
        // Whether more was settled than was authorized stands in the record, which nobody sees
        // here.
        let expected = Said { over: false, ..expected };
        if self.model.messages.len() > before {
            self.subject.names.messages.push(found.authorization.expect("it has a name"));
        }
        let said = self.subject.names.said(found);
        let meant = [said, expected].map(|said| Some(&self.model.messages[said.about?]));
        assert_eq!(said, expected, "{}: {arrival:?}, {meant:#?}", self.told);
    }
}

async fn run(end: End, seed: u64) {
    let arrivals = from_environment("MODEL_ARRIVALS");
    let arrivals = arrivals.map_or(ARRIVALS, |many| u32::try_from(many).expect("not that many"));
    let seed = from_environment("MODEL_SEED").unwrap_or(seed);
    println!(
        "seed {seed}, {arrivals} arrivals, {RESTARTS} restarts, {end:?}; over what was there:"
    );
    let mut random = StdRng::seed_from_u64(seed);
    let world = World::empty().await;
    let mut run = Run {
        subject: Subject::new(&world, end.settings(), (EACH, DEPOSIT)).await,
        model: Model::new(traffic::CARDS, EACH, DEPOSIT),
        traffic: Traffic::new(seed),
        drawn: Drawn::default(),
        told: String::new(),
        impatient: false,
        on_its_way: None,
        looked_up: 0,
    };
    run.model.controls = Controls::of(&run.subject.limits);
    let leg = arrivals / (RESTARTS + 1);
    let ends: Vec<u32> =
        (1..=RESTARTS).map(|number| number * leg + random.random_range(0..leg / 2)).collect();
    for number in 0..arrivals {
        run.told = format!("seed {seed}, arrival {number}");
        if ends.contains(&number) {
            run = run.restart(&world, end).await;
        }
        let burst = end == End::Killed
            && ends.iter().any(|at| (at - BURST.min(*at)..*at).contains(&number));
        run.step(burst).await;
        run.subject.expect_equal(&run.model, &run.told).await;
        run.subject.expect_used(&run.model, &run.told).await;
        if number % 1_000 == 999 {
            run.subject.expect_books().await;
        }
    }
    run.subject.expect_books().await;
    let Run { subject, model, drawn, looked_up, .. } = run;
    println!("declined by controls: {:?}", model.controls.declined);
    assert!(model.controls.declined.len() > 2);
    let (names, voided) = subject.stop().await;
    tables::expect_equal(&world, &names, &model).await;
    let [audit, _] = world.expect_balanced().await;
    assert_eq!(audit.rows_behind, 0);
    drawn.expect_all();
    println!("{looked_up:>7} looked up\n{voided:>7} voided");
    assert!(looked_up > 0 && voided > 0);
    world.close().await;
}

impl Run {
    /// The node ends and another goes on over the same database.
    async fn restart(mut self, world: &World, end: End) -> Self {
        self.subject.expect_books().await;
        let mode = match end {
            End::Stopped => {
                self.subject.stop_node().await;
                tables::expect_equal(world, &self.subject.names, &self.model).await;
                TakeoverMode::RefuseIfOwned
            }
            End::Killed => {
                self.kill().await;
                TakeoverMode::Force
            }
        };
        let [audit, _] = world.expect_balanced().await;
        assert_eq!(audit.rows_behind > 0, end == End::Killed, "{}: {audit:?}", self.told);
        self.subject.start(world, end.settings(), mode).await;
        self.after_the_kill().await;
        self.subject.expect_equal(&self.model, &self.told).await;
        self.subject.expect_books().await;
        self
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_does_what_the_model_does_and_goes_on_after_clean_stops() {
    run(End::Stopped, SEED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_does_what_the_model_does_and_goes_on_after_sudden_ends() {
    run(End::Killed, SEED + 1).await;
}
