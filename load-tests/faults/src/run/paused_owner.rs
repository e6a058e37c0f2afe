//! Two switches for the same shards: the old one alive, or paused and woken with load waiting. It
//! owns the story; that the old one approves nothing after it woke is the checker's rule.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result};

use super::fail_points;
use super::process::{Switch, tail};
use super::stage::{SOON, Stage};
use crate::checker::Violation;
use crate::kinds::FAIL_POINT;

/// What it took is finished, or given up, within this.
const PATIENCE: Duration = Duration::from_secs(12);

/// Another switch takes over while the owner serves; the owner must notice and end.
pub(super) async fn forced(stage: &mut Stage<'_>) -> Result<()> {
    stage.moment().await?;
    let old = stage.switch.take().context("there is no switch")?;
    let taken_over = take_over(stage).await;
    stage.passed("takeover");
    let result = ends_fenced(stage, old).await;
    stage.passed("former ends");
    taken_over?;
    result?;
    stage.fired("taken over");
    stage.more_replies(100).await;
    Ok(())
}

/// The owner is paused, anywhere or at a fail point, and wakes when another serves.
pub(super) async fn paused(stage: &mut Stage<'_>, at: Option<&str>) -> Result<()> {
    match at {
        None => stage.moment().await?,
        Some(_) => fail_points::pauses(stage).await?,
    }
    let old = stage.switch.take().context("there is no switch")?;
    if at.is_none() {
        old.signal("STOP").await?;
    }
    stage.note("the owner is paused");
    // More than what was in flight: load that waits for the owner to wake.
    stage.control.window.fetch_add(48, Ordering::AcqRel);
    waits_for(stage, 64 + 24).await?;
    let taken_over = take_over(stage).await;
    stage.passed("takeover");
    stage.control.links.fetch_add(4, Ordering::AcqRel);
    // Half of it goes to the links of the one that is paused.
    stage.control.window.fetch_add(192, Ordering::AcqRel);
    stage.more_replies(60).await;
    stage.recorder.woken_after_takeover(old.generation);
    old.signal("CONT").await?;
    stage.note("the former owner wakes");
    let result = ends_fenced(stage, old).await;
    stage.passed("former ends");
    taken_over?;
    result?;
    stage.fired("taken over while paused");
    stage.control.window.store(64, Ordering::Release);
    stage.more_replies(60).await;
    Ok(())
}

async fn take_over(stage: &mut Stage<'_>) -> Result<()> {
    // The fail point was the first owner's.
    stage.launch.more.retain(|(name, _)| name != FAIL_POINT);
    stage.start_switch(true).await.context("taking over by force")
}

/// Waits until so many requests are in flight.
async fn waits_for(stage: &Stage<'_>, count: usize) -> Result<()> {
    let mut counts = stage.recorder.counts();
    let enough = counts.wait_for(|counts| counts.in_flight >= count);
    tokio::time::timeout(SOON, enough).await.context("no load waits for the paused owner")??;
    Ok(())
}

/// The former owner must end by itself, and say why. One that lives on is a violation, and killed.
async fn ends_fenced(stage: &mut Stage<'_>, mut old: Switch) -> Result<()> {
    let ended = old.wait(PATIENCE).await;
    let all = std::fs::read_to_string(&old.log).unwrap_or_default();
    let clear = all.contains("was taken over by process") || all.contains("ownership lock");
    let what = match &ended {
        Err(_) => format!("it lives on: {}", tail(&old.log)),
        Ok(status) if status.success() => format!("it ended with {status}"),
        Ok(status) if !clear => format!("it ended with {status}, saying: {}", tail(&old.log)),
        Ok(status) => {
            stage.note(format!("the former owner ended: {status}"));
            return Ok(());
        }
    };
    if ended.is_err() {
        old.signal("KILL").await?;
        old.wait(SOON).await?;
    }
    let what = format!("a process that was taken over: {what}");
    stage.outcome.violations.push(Violation { rule: "I9 fenced process", stan: None, what });
    Ok(())
}
