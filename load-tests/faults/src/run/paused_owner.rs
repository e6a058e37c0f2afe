//! Two switches for the same shards: the old one alive, or paused and woken with load waiting. It
//! owns the story; that the old one approves nothing after it woke is the checker's rule.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::process::{Switch, tail};
use super::stage::{SOON, Stage};

/// Another switch takes over while the owner serves; the owner must notice and end.
pub(super) async fn forced(stage: &mut Stage<'_>) -> Result<()> {
    stage.moment().await?;
    let old = stage.switch.take().context("there is no switch")?;
    let taken_over = take_over(stage).await;
    let result = ends_fenced(stage, old).await;
    taken_over?;
    result?;
    stage.fired("taken over");
    stage.more_replies(100).await;
    Ok(())
}

/// The owner is paused, anywhere or at a fail point, and wakes when another serves.
pub(super) async fn paused(stage: &mut Stage<'_>, at: Option<&str>) -> Result<()> {
    stage.moment().await?;
    let old = stage.switch.take().context("there is no switch")?;
    match at {
        None => old.signal("STOP").await?,
        Some(_) => stops_by_itself(old.pid).await?,
    }
    stage.note("the owner is paused");
    // More than what was in flight: load that waits for the owner to wake.
    stage.control.window.fetch_add(48, Ordering::AcqRel);
    waits_for(stage, 64 + 24).await?;
    let taken_over = take_over(stage).await;
    stage.control.links.fetch_add(4, Ordering::AcqRel);
    stage.control.window.fetch_add(64, Ordering::AcqRel);
    stage.more_replies(60).await;
    stage.recorder.woken_after_takeover(old.generation);
    old.signal("CONT").await?;
    stage.note("the former owner wakes");
    let result = ends_fenced(stage, old).await;
    taken_over?;
    result?;
    stage.fired("taken over while paused");
    stage.control.window.store(64, Ordering::Release);
    stage.more_replies(60).await;
    Ok(())
}

async fn take_over(stage: &mut Stage<'_>) -> Result<()> {
    stage.start_switch(true).await.context("taking over by force")
}

/// Waits until so many requests are in flight.
async fn waits_for(stage: &Stage<'_>, count: usize) -> Result<()> {
    let mut counts = stage.recorder.counts();
    let enough = counts.wait_for(|counts| counts.in_flight >= count);
    tokio::time::timeout(SOON, enough).await.context("no load waits for the paused owner")??;
    Ok(())
}

/// A fail point has stopped the process.
async fn stops_by_itself(pid: u32) -> Result<()> {
    let stopped = async {
        loop {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            if stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T')) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, stopped).await.context("the fail point does not stop the switch")
}

async fn ends_fenced(stage: &mut Stage<'_>, mut old: Switch) -> Result<()> {
    let ended = old.wait(SOON).await;
    let (log, said) = (old.log.clone(), tail(&old.log));
    if ended.is_err() {
        stage.former.push(old);
    }
    let status = ended.with_context(|| format!("the former owner lives on: {said}"))?;
    ensure!(!status.success(), "the former owner ended with {status}");
    let all = std::fs::read_to_string(log).unwrap_or_default();
    let clear = all.contains("was taken over by process") || all.contains("ownership lock");
    ensure!(clear, "the former owner ended ({status}) without saying why: {said}");
    stage.note(format!("the former owner ended: {status}"));
    Ok(())
}
