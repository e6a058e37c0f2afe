//! A wall clock that is wrong: it jumps, or it drifts and leaps a second. It owns how that is made
//! and how it is seen; deadlines go by another clock, and must not feel any of it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::RngExt;
use rand::seq::IndexedRandom;
use tokio::time::Instant;

use super::faults::last;
use super::shim;
use super::stage::{SOON, Stage};

const SECOND: i64 = 1_000_000_000;
/// How often it is looked what the switch says of its clock.
const LOOK: Duration = Duration::from_millis(20);
/// A drifting clock runs so much faster or slower.
const DRIFT: f64 = 0.5;

/// It jumps by one of these numbers of seconds, and back after a while. The switch must notice
/// both, approve nothing meanwhile, and need nobody.
pub(super) async fn jumps(
    stage: &mut Stage<'_>,
    seconds: &[i64],
    millis: (u64, u64),
) -> Result<()> {
    let seconds = *seconds.choose(&mut stage.random).context("a jump")?;
    stage.moment().await?;
    stage.clock()?.set(seconds * SECOND)?;
    stage.note(format!("the clock jumps by {seconds} s"));
    let noticed = says(stage, "the clock differs from PostgreSQL's").await;
    last(stage, millis).await;
    stage.clock()?.set(0)?;
    noticed?;
    says(stage, "the clock is right again").await?;
    stage.fired("the jump was noticed, and the way back");
    stage.more_replies(40).await;
    Ok(())
}

/// It runs too fast or too slow for a while, leaps a second, and is set right at once: all of it
/// within what is no fault, so that everything is answered as ever.
pub(super) async fn drifts(stage: &mut Stage<'_>, millis: (u64, u64)) -> Result<()> {
    stage.moment().await?;
    let time = stage.between(millis.0, millis.1);
    let pace = if stage.random.random_bool(0.5) { DRIFT } else { -DRIFT };
    let leap = if stage.random.random_bool(0.5) { SECOND } else { -SECOND };
    stage.note(format!("the clock drifts for {time:?} at {pace:+} and leaps {leap} ns"));
    let began = Instant::now();
    while began.elapsed() < time {
        let ahead = began.elapsed().as_secs_f64() * pace * SECOND as f64;
        stage.clock()?.set(ahead as i64)?;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let ahead = time.as_secs_f64() * pace * SECOND as f64;
    stage.clock()?.set(ahead as i64 + leap)?;
    let before = stage.clock()?.lies()?;
    let clock = stage.clock()?;
    let felt = shim::told(|| clock.lies(), before + 100, SOON).await;
    stage.clock()?.set(0)?;
    felt?;
    stage.more_replies(40).await;
    let log = std::fs::read_to_string(&stage.switch()?.log)?;
    ensure!(!log.contains("not ready"), "a clock that only drifts made the switch not ready");
    stage.fired("the clock drifted and leapt");
    Ok(())
}

/// Waits until the switch says something in its log.
async fn says(stage: &mut Stage<'_>, words: &str) -> Result<()> {
    let log = stage.switch()?.log.clone();
    let began = Instant::now();
    while !std::fs::read_to_string(&log)?.contains(words) {
        ensure!(began.elapsed() < SOON, "the switch does not say {words:?}");
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
