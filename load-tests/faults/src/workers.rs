//! Workers: each has a PostgreSQL of its own and makes one run after the other, until every kind
//! has had as many as count. It owns who makes which run, and that a run that does not count is
//! made again, within bounds.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::Options;
use crate::kinds::{self, Fault, Kind};
use crate::report::{Report, Tally};
use crate::run::{Cluster, Outcome, RunPlan, Template, run};

/// A kind may be tried so many times as often as it should count.
const TRIES: usize = 3;
/// A bug is put in so often: it is there to be caught, not to be measured.
const BUG_RUNS: usize = 3;
/// The harness itself may fail so often in one kind.
const ERRORS: usize = 3;

/// What is left to do, and what came of it.
struct Board {
    kinds: Vec<Kind>,
    tallies: Vec<Tally>,
    /// How often each kind was begun.
    begun: Vec<usize>,
    queue: VecDeque<usize>,
    wanted: usize,
    seed: u64,
    /// Whether files of good runs are kept too.
    keep: bool,
    /// Until then the soak is run again and again.
    soak_until: Instant,
}

type Shared = Arc<Mutex<Board>>;

/// Makes all runs and prints the report. True when all is well.
pub(crate) async fn run_all(options: Options) -> Result<bool> {
    let kinds = chosen(&options.kinds)?;
    if options.list {
        kinds.iter().for_each(|kind| println!("{:<24} {:?}", kind.name, kind.fault));
        return Ok(true);
    }
    let seed = options.seed.unwrap_or_else(|| rand::random_range(0..1_000_000));
    let binary = binary(&options)?;
    let directory = std::path::absolute(&options.dir)?.join(format!("{}", std::process::id()));
    let features = features(&binary, &kinds)?;
    eprintln!("{} kinds, {} runs each, seed {seed}", kinds.len(), options.runs);
    let count = kinds.len();
    let mut queue = VecDeque::new();
    for round in 0..options.runs {
        let due = |index: &usize| {
            let bug = kinds.get(*index).is_some_and(|kind| kind.must_break().is_some());
            !bug || round < BUG_RUNS
        };
        queue.extend((0..count).filter(due));
    }
    let tallies = vec![Tally::default(); count];
    let (begun, wanted) = (vec![0; count], options.runs);
    let began = Instant::now();
    let soak_until = began + Duration::from_secs(options.soak_seconds);
    let board =
        Board { kinds, tallies, begun, queue, wanted, seed, keep: options.keep, soak_until };
    let board = Arc::new(Mutex::new(board));
    let mut workers = tokio::task::JoinSet::new();
    for number in 0..options.workers.max(1) {
        let place = directory.join(format!("worker-{number}"));
        let worker = Worker {
            board: Arc::clone(&board),
            cluster_place: cluster_place(&place, number),
            directory: place,
            binary: binary.clone(),
            features: features.clone(),
        };
        workers.spawn(worker.work());
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    // Empty where no run had to be kept.
    let _ = std::fs::remove_dir(&directory);
    let board = lock(&board);
    let rows = board.kinds.iter().cloned().zip(board.tallies.iter().cloned()).collect();
    let seconds = began.elapsed().as_secs();
    Ok(Report { rows, seed, wanted, seconds }.print())
}

fn lock(board: &Shared) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

fn chosen(wanted: &[String]) -> Result<Vec<Kind>> {
    let wanted: Vec<&str> = wanted.iter().map(|name| name.trim()).collect();
    let all = kinds::all();
    let wanted: Vec<&str> = wanted.into_iter().filter(|name| !name.is_empty()).collect();
    if wanted.is_empty() {
        return Ok(all);
    }
    for name in &wanted {
        let known = all.iter().any(|kind| kind.name.starts_with(name));
        ensure!(known, "there is no kind of fault {name:?}; --list shows them");
    }
    let names: Vec<&str> = all.iter().map(|kind| kind.name).collect();
    let is_wanted = |kind: &Kind| {
        // A whole name means that kind alone, also where other names begin with it.
        wanted.iter().any(|it| kind.name == *it || !names.contains(it) && kind.name.starts_with(it))
    };
    Ok(all.into_iter().filter(is_wanted).collect())
}

fn binary(options: &Options) -> Result<PathBuf> {
    let beside = || anyhow::Ok(std::env::current_exe()?.with_file_name("cardswitch"));
    let binary = options.switch.clone().map_or_else(beside, Ok)?;
    let binary = std::path::absolute(binary)?;
    ensure!(binary.exists(), "there is no switch at {}: build it first", binary.display());
    Ok(binary)
}

/// Which of the variables that kinds need stand in the binary.
fn features(binary: &Path, kinds: &[Kind]) -> Result<Vec<&'static str>> {
    let bytes = std::fs::read(binary).with_context(|| format!("reading {}", binary.display()))?;
    let mut names: Vec<_> = kinds.iter().filter_map(|kind| kind.put_in.variable()).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| bytes.windows(name.len()).any(|part| part == name.as_bytes()));
    Ok(names)
}

/// Where a cluster can be: PostgreSQL's own account must get there.
fn cluster_place(wanted: &Path, number: usize) -> PathBuf {
    let wanted = wanted.join("postgres");
    let reachable = switch_store::private_postgres::reachable_data_dir(&wanted);
    if reachable == wanted {
        return wanted;
    }
    let name = format!("cardswitch-faults-{}-{number}", std::process::id());
    std::env::temp_dir().join(name)
}

struct Worker {
    board: Shared,
    cluster_place: PathBuf,
    directory: PathBuf,
    binary: PathBuf,
    /// Variables that the binary reads because a feature is on.
    features: Vec<&'static str>,
}

/// A cluster with its template.
struct Ground {
    cluster: Cluster,
    template: Template,
}

/// The ground of runs that fill a disk.
enum Small {
    NotTried,
    Impossible,
    Ready(Box<Ground>),
}

impl Worker {
    async fn work(self) -> Result<()> {
        let cluster = Cluster::start(&self.cluster_place).await?;
        let mut ground = self.ground(cluster, "template").await?;
        let mut small = Small::NotTried;
        while let Some((index, kind, number, seed)) = self.next() {
            let directory = self.directory.join(format!("{}-{number}", kind.name));
            let plan = RunPlan { kind: &kind, seed, number, directory };
            let began = Instant::now();
            let missing = kind.put_in.variable().filter(|name| !self.features.contains(name));
            let outcome = if let Some(name) = missing {
                let why = format!("the switch was built without the feature that reads {name}");
                Ok(Outcome { unsupported: Some(why), ..Outcome::default() })
            } else if matches!(kind.fault, Fault::FullDisk { .. }) {
                self.on_small_volume(&mut small, &plan).await
            } else {
                run(&mut ground.cluster, &ground.template, &plan).await
            };
            let phases = outcome.as_ref().map(Outcome::tell_phases).unwrap_or_default();
            let took = began.elapsed();
            self.note(index, &plan, outcome, took);
            let millis = took.as_millis();
            eprintln!("{:<24} run {number:<3} seed {seed:<14} {millis:>6} ms: {phases}", kind.name);
        }
        Ok(())
    }

    async fn ground(&self, cluster: Cluster, name: &str) -> Result<Ground> {
        let directory = self.directory.join(name);
        let made = Template::make(&cluster, &self.binary, &directory).await;
        let template = made.context("making the template of all runs")?;
        Ok(Ground { cluster, template })
    }

    async fn on_small_volume(&self, small: &mut Small, plan: &RunPlan<'_>) -> Result<Outcome> {
        if matches!(small, Small::NotTried) {
            let place = self.cluster_place.with_extension("small");
            *small = match Cluster::start_on_small_volume(&place).await? {
                Some(cluster) => {
                    let ground = self.ground(cluster, "template-small").await?;
                    Small::Ready(Box::new(ground))
                }
                None => Small::Impossible,
            };
        }
        match small {
            Small::Ready(ground) => run(&mut ground.cluster, &ground.template, plan).await,
            _ => Ok(Outcome {
                unsupported: Some("no small volume can be mounted by this account".into()),
                ..Outcome::default()
            }),
        }
    }

    fn next(&self) -> Option<(usize, Kind, usize, u64)> {
        let mut board = lock(&self.board);
        let index = board.queue.pop_front()?;
        let kind = board.kinds.get(index)?.clone();
        let begun = board.begun.get_mut(index)?;
        let number = *begun;
        *begun += 1;
        let seed = seed_of(board.seed, kind.name, number);
        Some((index, kind, number, seed))
    }

    fn note(&self, index: usize, plan: &RunPlan<'_>, outcome: Result<Outcome>, took: Duration) {
        let mut board = lock(&self.board);
        let begun = board.begun.get(index).copied().unwrap_or_default();
        let may_repeat = begun < board.wanted * TRIES;
        let Some(tally) = board.tallies.get_mut(index) else { return };
        tally.took += took;
        tally.made += 1;
        let name = plan.kind.name;
        let mut again = false;
        match outcome {
            Err(error) => {
                eprintln!("{name} {}: the harness failed: {error:#}", plan.number);
                tally.errors.push(format!("{error:#}"));
                again = tally.errors.len() <= ERRORS;
            }
            Ok(Outcome { unsupported: Some(why), .. }) => {
                tally.unsupported = Some(why);
                board.queue.retain(|other| *other != index);
            }
            Ok(outcome) if plan.kind.must_break().is_some() => {
                tally.runs += 1;
                let rules = plan.kind.must_break().unwrap_or_default();
                let broken = outcome.violations.iter().map(|one| one.rule);
                let mut broken: Vec<&str> =
                    broken.filter(|rule| rules.iter().any(|it| rule.starts_with(it))).collect();
                broken.dedup();
                if broken.is_empty() {
                    outcome.told.iter().for_each(|line| eprintln!("{line}"));
                } else {
                    tally.caught += 1;
                    tally.caught_by.extend(broken.into_iter().map(str::to_owned));
                    let _ = std::fs::remove_dir_all(&plan.directory);
                }
            }
            Ok(outcome) => {
                for (name, count) in &outcome.answered {
                    *tally.answered.entry(name).or_default() += count;
                }
                tally.violations += outcome.violations.len();
                tally.violated += usize::from(!outcome.violations.is_empty());
                outcome.told.iter().for_each(|line| eprintln!("{line}"));
                let bad = !outcome.violations.is_empty();
                if outcome.counts() {
                    tally.runs += 1;
                } else {
                    tally.repeated += 1;
                    again = !bad;
                }
                if !bad && !board.keep {
                    let _ = std::fs::remove_dir_all(&plan.directory);
                }
            }
        }
        let soaks = matches!(plan.kind.fault, Fault::Soak { .. });
        let soaks = soaks && Instant::now() < board.soak_until;
        if again && may_repeat || soaks {
            board.queue.push_back(index);
        }
    }
}

/// The same for the same base, kind and number.
fn seed_of(base: u64, name: &str, number: usize) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64 ^ base.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for byte in name.bytes().chain(number.to_le_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    }
    hash >> 24
}
