//! The order of a bench. It owns what is measured after what, which bounds are judged, and the exit
//! code; each part measures for itself.

use std::process::ExitCode;

use anyhow::Result;

use super::arguments::{Arguments, Serve};
use super::bounds::Bound;
use super::cluster::Cluster;
use super::conventional::serve;
use super::generator::Shape;
use super::limits::echo;
use super::part::baseline::{Baseline, measure_baseline};
use super::part::flood::measure_flood;
use super::part::left::stop_and_audit;
use super::part::limit::{self, Limits, measure_limits};
use super::part::partners::measure_one_partner;
use super::part::restart::measure_restart;
use super::part::sustained::measure_sustained;
use super::part::switch::{Loads, Pairs, measure_loads, measure_pairs, stage};
use super::part::verified::measure_verified;
use super::report::Report;
use super::table;

/// Runs what was asked for.
///
/// # Errors
/// Something cannot be started or measured. A bound that is missed is no error: it is printed, and
/// is the exit code of a full run.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    match arguments.serve {
        Some(Serve::ServeConventional(how)) => return serve(how).map(|()| ExitCode::SUCCESS),
        Some(Serve::ServeEcho) => return echo::serve().map(|()| ExitCode::SUCCESS),
        None => {}
    }
    std::fs::create_dir_all(&arguments.dir)?;
    let mut cluster = Cluster::start(&arguments.dir.join("postgres"))?;
    let mut report = Report::new(cluster.settings());
    println!("{}", report.machine_line());
    let settings: Vec<_> =
        cluster.settings().iter().map(|(name, value)| format!("{name} {value}")).collect();
    println!("PostgreSQL: {}", settings.join(", "));
    let judged = measure_what_was_asked(arguments, &mut cluster, &mut report);
    cluster.stop()?;
    let bounds = judged?;
    report.set("bounds", &bounds)?;
    let path = arguments.dir.join(arguments.report_name());
    report.write(&path)?;
    println!("written: {}", path.display());
    let passed = bounds.iter().all(|bound| bound.passed);
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure_what_was_asked(
    arguments: &Arguments,
    cluster: &mut Cluster,
    report: &mut Report,
) -> Result<Vec<Bound>> {
    report.set("runs", arguments.runs())?;
    report.set("window_seconds", arguments.window().as_secs())?;
    report.set("cards", arguments.cards())?;
    report.set("partners", arguments.partners)?;
    report.set("quick", arguments.quick)?;
    if let Some(seconds) = arguments.sustained {
        let mut stage = stage(arguments, cluster)?;
        let sustained = measure_sustained(cluster, &mut stage, seconds)?;
        stage.switch.stop()?;
        report.set("sustained", &sustained)?;
        return Ok(sustained.bounds);
    }
    if let Some(records) = arguments.restart {
        let stage = stage(arguments, cluster)?;
        let restart = measure_restart(arguments, cluster, stage, records)?;
        report.set("restart", &restart)?;
        return Ok(restart.bounds);
    }
    if arguments.saturation {
        return saturation(arguments, cluster, report);
    }
    if arguments.latency {
        return latency(arguments, cluster, report);
    }
    if arguments.verified {
        return verified(arguments, cluster, report);
    }
    if arguments.api_flood {
        return api_flood(arguments, cluster, report);
    }
    if arguments.one_partner {
        return one_partner(arguments, cluster, report);
    }
    if let Some(rate) = arguments.rate {
        return at_rate(arguments, cluster, report, rate);
    }
    everything(arguments, cluster, report)
}

/// The switch alone, as fast as it goes.
fn saturation(
    arguments: &Arguments,
    cluster: &mut Cluster,
    report: &mut Report,
) -> Result<Vec<Bound>> {
    let mut stage = stage(arguments, cluster)?;
    println!("{}", table::HEAD);
    for connections in [8, 64] {
        let shape = Shape::Closed { window: 2048 / connections };
        let load = stage.load(connections, shape, arguments.window());
        let name = format!("closed loop, {connections} connections");
        let series = stage.series(arguments, cluster, &name, &load)?;
        report.set(&format!("closed_{connections}"), &series)?;
    }
    println!("a record in the journal: {} bytes", stage.record_bytes(cluster)?);
    stop_and_audit(arguments, stage, report)
}

/// The switch at a rate that somebody asks about.
fn at_rate(
    arguments: &Arguments,
    cluster: &mut Cluster,
    report: &mut Report,
    rate: u32,
) -> Result<Vec<Bound>> {
    let mut stage = stage(arguments, cluster)?;
    println!("{}", table::HEAD);
    let connections = arguments.connections;
    let load = stage.load(connections.into(), Shape::Open { rate }, arguments.window());
    let name = format!("{rate}/s, {connections} connections");
    let series = stage.series(arguments, cluster, &name, &load)?;
    report.set("at_rate", &series)?;
    stop_and_audit(arguments, stage, report)
}

/// The switch at a rate that leaves it time, beside the commit that it must wait for.
fn latency(
    arguments: &Arguments,
    cluster: &mut Cluster,
    report: &mut Report,
) -> Result<Vec<Bound>> {
    let limits_database = limit::prepare(cluster)?;
    let mut stage = stage(arguments, cluster)?;
    let pairs = measure_pairs(arguments, cluster, &mut stage, &limits_database)?;
    report.set("pairs", &pairs)?;
    let mut bounds = Vec::from(pairs.bounds());
    bounds.extend(stop_and_audit(arguments, stage, report)?);
    bounds.iter().for_each(|bound| println!("{}", bound.line()));
    Ok(bounds)
}

/// What verification costs the switch.
fn verified(
    arguments: &Arguments,
    cluster: &mut Cluster,
    report: &mut Report,
) -> Result<Vec<Bound>> {
    let verified = measure_verified(arguments, cluster)?;
    report.set("verified", &verified)?;
    let bounds = Vec::from(verified.bounds());
    bounds.iter().for_each(|bound| println!("{}", bound.line()));
    Ok(bounds)
}

/// What a flood of the API costs authorizations.
fn api_flood(
    arguments: &Arguments,
    cluster: &mut Cluster,
    report: &mut Report,
) -> Result<Vec<Bound>> {
    let flood = measure_flood(arguments, cluster)?;
    report.set("api_flood", &flood)?;
    let bounds = flood.bounds();
    bounds.iter().for_each(|bound| println!("{}", bound.line()));
    Ok(bounds)
}

/// What it costs that all traffic is one partner's.
fn one_partner(
    arguments: &Arguments,
    cluster: &mut Cluster,
    report: &mut Report,
) -> Result<Vec<Bound>> {
    let measured = measure_one_partner(arguments, cluster)?;
    report.set("one_partner", &measured)?;
    let bounds = Vec::from(measured.bounds());
    bounds.iter().for_each(|bound| println!("{}", bound.line()));
    Ok(bounds)
}

fn everything(
    arguments: &Arguments,
    cluster: &mut Cluster,
    report: &mut Report,
) -> Result<Vec<Bound>> {
    let baseline = measure_baseline(arguments, cluster)?;
    let limits_database = limit::prepare(cluster)?;
    let mut stage = stage(arguments, cluster)?;
    let loads = measure_loads(arguments, cluster, &mut stage)?;
    let pairs = measure_pairs(arguments, cluster, &mut stage, &limits_database)?;
    let record_bytes = stage.record_bytes(cluster)?;
    let cards = stage.cards.clone();
    let audited = stop_and_audit(arguments, stage, report)?;
    let limits = measure_limits(arguments, cluster, &limits_database, record_bytes, &cards)?;
    let verified = measure_verified(arguments, cluster)?;
    let flood = measure_flood(arguments, cluster)?;
    let one_partner = measure_one_partner(arguments, cluster)?;
    fill_in(report, &baseline, &loads, &pairs, &limits)?;
    report.set("verified", &verified)?;
    report.set("api_flood", &flood)?;
    report.set("one_partner", &one_partner)?;
    let mut bounds = judge(&baseline, &loads, &pairs, &limits)?;
    bounds.extend(verified.bounds());
    bounds.extend(flood.bounds());
    bounds.extend(one_partner.bounds());
    bounds.extend(audited);
    println!("\nratios within this run");
    let tps = loads.saturation()?.per_second.median;
    println!(
        "cardswitch {tps:.0}/s: {:.1} x conventional ({:.0}/s), {:.2} x the journal's ceiling \
         ({:.0} records/s), {:.2} x the echo ({:.0}/s)\n",
        tps / baseline.conventional_tps(),
        baseline.conventional_tps(),
        tps / limits.journal_per_second.median,
        limits.journal_per_second.median,
        tps / limits.echo.per_second.median,
        limits.echo.per_second.median
    );
    bounds.iter().for_each(|bound| println!("{}", bound.line()));
    Ok(bounds)
}

/// The members that others read, and everything behind them.
fn fill_in(
    report: &mut Report,
    baseline: &Baseline,
    loads: &Loads,
    pairs: &Pairs,
    limits: &Limits,
) -> Result<()> {
    let saturation = loads.saturation()?;
    let (tps, conventional) = (saturation.per_second.median, baseline.conventional_tps());
    report.set("conventional_tps", conventional)?;
    report.set("pgbench_tps", baseline.pgbench_tps())?;
    report.set("cardswitch_tps", tps)?;
    report.set("ratio", tps / conventional)?;
    report.set("ratio_to_journal", tps / limits.journal_per_second.median)?;
    report.set("ratio_to_echo", tps / limits.echo.per_second.median)?;
    report.set("cpu_us_switch", saturation.cpu_us_subject.median)?;
    report.set("cpu_us_postgres", saturation.cpu_us_postgres.median)?;
    report.set("cpu_us_generator", saturation.cpu_us_generator.median)?;
    report.set("wal_bytes", saturation.wal_bytes.median)?;
    report.set("p50_ms_1k", pairs.p50_ms.median)?;
    report.set("p99_ms_1k", pairs.p99_ms.median)?;
    report.set("commit_floor_p50_ms", pairs.floor_p50_ms.median)?;
    report.set("commit_floor_p99_ms", pairs.floor_p99_ms.median)?;
    report.set("paced_commit_floor_p50_ms", pairs.paced_floor_p50_ms.median)?;
    report.set("paced_commit_floor_p99_ms", pairs.paced_floor_p99_ms.median)?;
    report.set("baseline", baseline)?;
    report.set("loads", loads)?;
    report.set("pairs", pairs)?;
    report.set("limits", limits)
}

fn judge(baseline: &Baseline, loads: &Loads, pairs: &Pairs, limits: &Limits) -> Result<Vec<Bound>> {
    let saturation = loads.saturation()?;
    let ratio = saturation.per_second.median / baseline.conventional_tps();
    let (switch, postgres) = (saturation.cpu_us_subject.median, saturation.cpu_us_postgres.median);
    let journal = limits.journal_cpu_us_postgres.median;
    let half = loads.half.as_ref().map_or(0.0, |half| half.p99_ms.median);
    let every = loads.closed.iter().chain(&loads.open).chain(&loads.half).chain([&pairs.load]);
    let faults: u64 = every.map(|series| series.faults.total()).sum();
    let p99_of_floor = half / pairs.paced_floor_p99_ms.median;
    let p99_of_following = half / pairs.floor_p99_ms.median;
    let mut bounds = vec![
        baseline.bound(),
        Bound::at_least("saturation / conventional", ratio, 20.0).moonshot(40.0),
        Bound::at_most("CPU us of switch and PostgreSQL", switch + postgres, 25.0)
            .moonshot(12.0)
            .remark(format!("a record of a journal batch of 256 costs PostgreSQL {journal:.2}")),
        Bound::at_most("CPU us of the switch alone", switch, 8.0),
    ];
    bounds.extend(pairs.bounds());
    bounds.extend([
        Bound::at_most("half of saturation: p99 / p99 of a commit at 1,000/s", p99_of_floor, 10.0)
            .remark(format!("{p99_of_following:.2} of one that follows another")),
        Bound::at_most("answers that were not as wanted (and one)", faults as f64 + 1.0, 1.0),
    ]);
    Ok(bounds)
}
