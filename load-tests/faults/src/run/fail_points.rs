//! Fail points: the switch ends, or pauses, at a place of its own. It owns how that is seen: by the
//! signal it ended by and by what it said, and how much was going on just before.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rand::RngExt;
use tokio::time::Instant;

use super::process::{Launch, Refused, Started, tail};
use super::stage::{SOON, Stage};
use crate::client::Counts;
use crate::kinds::FAIL_POINT;
use crate::proxy::Trick;

/// How often it is looked whether the switch still runs.
const LOOK: Duration = Duration::from_millis(3);
const SAID: &str = "fail point";

/// The switch ends at its fail point under load, while the client does something for it.
pub(super) async fn reached(stage: &mut Stage<'_>, with: Option<Trick>) -> Result<()> {
    if let Some(trick) = with {
        stage.moment().await?;
        stage.link_proxy.tricks.set(trick, usize::MAX);
    }
    let before = wait_while(stage, |stage| Ok(stage.switch()?.ended()?.is_none())).await?;
    count(stage, before);
    let log = stage.switch()?.log.clone();
    let said = std::fs::read_to_string(log)?;
    ensure!(said.contains(SAID), "the switch ended elsewhere than at its fail point");
    stage.fired("it ended at its fail point");
    Ok(())
}

/// A panic at the fail point under load: the switch lives on, or ends by itself. That no more than
/// one request failed where it lives on is the checker's rule.
pub(super) async fn panics(stage: &mut Stage<'_>, ends: bool) -> Result<()> {
    let quiet =
        |stage: &mut Stage<'_>| Ok(!std::fs::read_to_string(&stage.switch()?.log)?.contains(SAID));
    let before = wait_while(stage, quiet).await?;
    count(stage, before);
    if ends {
        let status = stage.switch()?.wait(SOON).await.context("after a panic")?;
        ensure!(!status.success(), "after a panic it ended with {status}");
    }
    stage.fired("a panic");
    stage.more_replies(if ends { 0 } else { 100 }).await;
    Ok(())
}

/// The switch pauses at its fail point under load.
pub(super) async fn pauses(stage: &mut Stage<'_>) -> Result<()> {
    let runs = |stage: &mut Stage<'_>| {
        let pid = stage.switch()?.pid;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        Ok(stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('T')))
    };
    let before = wait_while(stage, runs).await?;
    count(stage, before);
    Ok(())
}

fn count(stage: &mut Stage<'_>, before: Counts) {
    stage.outcome.approvals_before = before.approvals;
    stage.outcome.in_flight = before.in_flight;
    stage.note(format!("{} approved, {} in flight", before.approvals, before.in_flight));
}

/// Waits for as long as something is so; what was going on just before it changed.
async fn wait_while(
    stage: &mut Stage<'_>,
    is_so: impl Fn(&mut Stage<'_>) -> Result<bool>,
) -> Result<Counts> {
    let counts = stage.recorder.counts();
    let began = Instant::now();
    let mut before = *counts.borrow();
    loop {
        let now = *counts.borrow();
        if !is_so(stage)? {
            return Ok(before);
        }
        before = now;
        ensure!(began.elapsed() < SOON, "the fail point is not reached");
        tokio::time::sleep(LOOK).await;
    }
}

/// The switch is killed, and ends at the fail point when it is started again.
pub(super) async fn start(stage: &mut Stage<'_>, point: &str, after: (u64, u64)) -> Result<()> {
    stage.moment().await?;
    stage.switch()?.signal("KILL").await?;
    stage.switch()?.wait(SOON).await?;
    let after = stage.random.random_range(after.0..=after.1);
    stage.launch.more = vec![(FAIL_POINT.into(), format!("{point}:abort:after={after}"))];
    let refused = ends(stage.try_switch(false).await?)?;
    let said = std::fs::read_to_string(&refused.log)?;
    ensure!(said.contains(SAID), "the start ended elsewhere: {}", tail(&refused.log));
    stage.launch.more.clear();
    stage.fired(format!("a start ended at {point}, the time {after}"));
    Ok(())
}

fn ends(started: Started) -> Result<Refused> {
    match started {
        Started::Ended(refused) => Ok(refused),
        Started::Serving(_) => bail!("the fail point is not reached: the switch serves"),
    }
}

/// As at a start, and then in the middle of the migrations of an empty database, which the next
/// start must finish.
pub(super) async fn migration(
    stage: &mut Stage<'_>,
    point: &'static str,
    after: (u64, u64),
) -> Result<()> {
    start(stage, point, after).await?;
    let empty = format!("{}_empty", stage.database);
    let create = format!("CREATE DATABASE {empty} TEMPLATE template0");
    stage.cluster.administer(create).await?;
    let after = stage.random.random_range(after.0..=after.1);
    let directory = stage.launch.directory.join("empty");
    std::fs::create_dir_all(&directory)?;
    let mut launch = Launch {
        keys: directory.join("pan.key"),
        directory,
        database_url: stage.cluster.url(&empty)?.expose().to_owned(),
        more: vec![(FAIL_POINT.into(), format!("{point}:abort:after={after}"))],
        ..stage.launch.clone()
    };
    let cluster = &*stage.cluster;
    let refused = ends(launch.start(|pid| cluster.note_child(pid)).await?)?;
    ensure!(!refused.status.success(), "a migration that was cut off ended well");
    launch.more.clear();
    let Started::Serving(mut switch) = launch.start(|pid| cluster.note_child(pid)).await? else {
        bail!("a database whose migrations were cut off is not served: {}", tail(&refused.log));
    };
    switch.terminate().await.context("on the empty database")?;
    let findings = launch.audit(&launch.database_url).await?;
    ensure!(findings.is_empty(), "on the empty database: {findings:?}");
    stage.cluster.administer(format!("DROP DATABASE {empty} WITH (FORCE)")).await?;
    stage.note(format!("migrations cut off after {after} of an empty database were finished"));
    Ok(())
}

/// The switch is told to stop under load, and ends at its fail point.
pub(super) async fn stop(stage: &mut Stage<'_>) -> Result<()> {
    stage.moment().await?;
    stage.switch()?.signal("TERM").await?;
    let status = stage.switch()?.wait(SOON).await?;
    let log = stage.switch()?.log.clone();
    let said = std::fs::read_to_string(&log)?;
    let there = !status.success() && said.contains(SAID);
    ensure!(there, "it ended ({status}) elsewhere than at its fail point: {}", tail(&log));
    stage.fired("it ended in the middle of its stop");
    Ok(())
}
