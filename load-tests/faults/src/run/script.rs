//! The order of a run: load, fault, healing, a round that must work, questions, a clean stop, the
//! check. It owns that order, and that whatever cannot be done is a violation and no mere error.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::stage::Stage;
use super::{Cluster, Outcome, RunPlan, Template, faults};
use crate::checker::history::Stan;
use crate::checker::{Evidence, Violation, check, tables};
use crate::client::{LastRound, ask_all};
use crate::kinds::Fault;

/// Requests whose history is told with a violation.
const TOLD: usize = 6;

/// Makes one run.
///
/// # Errors
/// The stage could not be set: nothing is said of the switch.
pub(crate) async fn run(
    cluster: &mut Cluster,
    template: &Template,
    plan: &RunPlan<'_>,
) -> Result<Outcome> {
    if let (true, Err(why)) = (plan.kind.needs_the_shim(), cluster.shim()) {
        let unsupported = Some(format!("nothing can be preloaded: {why}"));
        return Ok(Outcome { unsupported, ..Outcome::default() });
    }
    let server_log = cluster.log();
    let logged = std::fs::metadata(&server_log).map_or(0, |log| log.len());
    let mut stage = Stage::set(cluster, template, plan).await.context("setting the stage")?;
    if let Err(error) = act(&mut stage, plan).await {
        let what = format!("{error:#}");
        stage.outcome.violations.push(Violation { rule: "I12 not healed", stan: None, what });
        // A bug that was put in may well end the switch: what it left is looked at all the same.
        if plan.kind.must_break().is_some()
            && let Err(error) = examine(&mut stage, plan).await
        {
            stage.note(format!("the tables cannot be looked at: {error:#}"));
        }
    }
    stage.passed("check");
    let leaks = leaks(&stage, &server_log, logged);
    stage.outcome.violations.extend(leaks);
    if !stage.outcome.violations.is_empty() {
        stage.outcome.told = tell(&stage, plan);
    }
    stage.strike().await.context("clearing the stage")?;
    stage.passed("strike");
    Ok(std::mem::take(&mut stage.outcome))
}

async fn act(stage: &mut Stage<'_>, plan: &RunPlan<'_>) -> Result<()> {
    faults::inject(stage, &plan.kind.fault).await.context("the fault")?;
    stage.passed("fault");
    if stage.outcome.unsupported.is_some() {
        return Ok(());
    }
    stage.note("healing");
    stage.heal().await.context("healing")?;
    stage.passed("heal");
    let mut client = stage.quiesce().await.context("the client")?;
    stage.passed("last answers");
    stage.note("a round of messages that must be approved");
    LastRound::make(&mut client).await?;
    stage.passed("last round");
    stage.note("asking again");
    ask_all(&mut client).await?;
    client.finish();
    stage.passed("questions");
    for former in &mut stage.former {
        let status = former.wait(super::stage::SOON).await.context("a former switch")?;
        ensure!(!status.success(), "a switch that lost its shards ended with {status}");
    }
    stage.note("a clean stop");
    stage.switch()?.terminate().await?;
    stage.passed("stop");
    examine(stage, plan).await
}

/// Holds what the client saw against what the database says.
async fn examine(stage: &mut Stage<'_>, plan: &RunPlan<'_>) -> Result<()> {
    let url = stage.cluster.url(&stage.database)?.expose().to_owned();
    let findings = stage.launch.audit(&url).await?;
    stage.passed("audit");
    let mut connection = stage.connect().await?;
    let tables = tables::read(&mut connection, &stage.template.pans()).await?;
    let history = stage.recorder.history();
    stage.outcome.answered = history.answered();
    let evidence = Evidence {
        history,
        tables,
        cards: &stage.template.balances,
        pool: stage.template.pool,
        unanswered: plan.kind.unanswered,
        sheds: matches!(plan.kind.fault, Fault::ClockJumps { .. }),
        findings,
    };
    let found = check(&evidence);
    stage.outcome.violations.extend(found);
    Ok(())
}

/// Card numbers in the logs of the switch, and in what PostgreSQL logged meanwhile.
fn leaks(stage: &Stage<'_>, server_log: &Path, from: u64) -> Vec<Violation> {
    let pans = stage.template.pans();
    let server = std::fs::read(server_log).unwrap_or_default();
    let start = usize::try_from(from).unwrap_or(usize::MAX).min(server.len());
    let server = String::from_utf8_lossy(server.get(start..).unwrap_or_default()).into_owned();
    let read = |log: &std::path::PathBuf| {
        (log.display().to_string(), std::fs::read_to_string(log).unwrap_or_default())
    };
    let mut logs: Vec<(String, String)> = stage.logs.iter().map(read).collect();
    logs.push((server_log.display().to_string(), server));
    let leaking = logs.iter().filter(|(_, text)| pans.iter().any(|pan| text.contains(pan)));
    leaking
        .map(|(log, _)| Violation {
            rule: "I11 card number",
            stan: None,
            what: format!("in {log}"),
        })
        .collect()
}

/// Everything a person needs to see what happened.
fn tell(stage: &Stage<'_>, plan: &RunPlan<'_>) -> Vec<String> {
    let mut told = vec![format!(
        "fault {}, run {}, seed {}, kept in {}",
        plan.kind.name,
        plan.number,
        plan.seed,
        plan.directory.display()
    )];
    let violations = stage.outcome.violations.iter();
    told.extend(violations.take(20).map(|one| match one.stan {
        Some(stan) => format!("  {}: STAN {stan:06}: {}", one.rule, one.what),
        None => format!("  {}: {}", one.rule, one.what),
    }));
    told.push("  schedule:".into());
    told.extend(stage.recorder.schedule().iter().map(|line| format!("    {line}")));
    let history = stage.recorder.history();
    let mut stans: Vec<Stan> = stage.outcome.violations.iter().filter_map(|one| one.stan).collect();
    stans.dedup();
    for stan in stans.into_iter().take(TOLD) {
        told.extend(history.tell(stan).iter().map(|line| format!("    {line}")));
    }
    told
}
