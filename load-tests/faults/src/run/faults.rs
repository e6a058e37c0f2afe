//! How each fault is made, and how it is seen to have happened. It owns the moment and the proof; a
//! fault that leaves no trace did not fire.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rand::RngExt;
use rand::seq::IndexedRandom;
use sqlx::Row;
use tokio::sync::watch;

use super::process::{Started, tail};
use super::stage::{SOON, Stage};
use super::{disk, fail_points, full_disk, paused_owner, signals, soak, vault, wall_clock};
use crate::kinds::Fault;
use crate::proxy::{Disturbance, Trick};

const APPEND: &str = "INSERT INTO journal";

/// Makes the fault.
pub(super) async fn inject(stage: &mut Stage<'_>, fault: &Fault) -> Result<()> {
    match *fault {
        Fault::KillSwitch => kill_switch(stage).await,
        Fault::PauseSwitch { millis } => pause_switch(stage, millis).await,
        Fault::TerminateSwitch => terminate_switch(stage).await,
        Fault::RestartLoop { times } => restart_loop(stage, times).await,
        Fault::SecondProcess => second_process(stage).await,
        Fault::ForcedTakeover => paused_owner::forced(stage).await,
        Fault::PausedOwner { at } => paused_owner::paused(stage, at).await,
        Fault::KillBackEnd => end_back_end(stage, true).await,
        Fault::TerminateBackEnd => end_back_end(stage, false).await,
        Fault::EndPostmaster { signal } => end_postmaster(stage, signal).await,
        Fault::PausePostmaster { millis } => pause_postmaster(stage, millis).await,
        Fault::PauseBackEnds { millis } => pause_back_ends(stage, millis).await,
        Fault::EndLockConnection => end_lock_connection(stage).await,
        Fault::LockJournal { millis } => lock_journal(stage, millis).await,
        Fault::FullDisk { millis } => full_disk::fill(stage, millis).await,
        Fault::SlowDisk { each, millis } => disk::slow(stage, each, millis).await,
        Fault::FailingDisk { times } => disk::fails(stage, times).await,
        Fault::TurnedBit => disk::turned_bit(stage).await,
        Fault::ClockJumps { seconds, millis } => wall_clock::jumps(stage, seconds, millis).await,
        Fault::ClockDrifts { millis } => wall_clock::drifts(stage, millis).await,
        Fault::Database { what, times, millis } => disturb(stage, what, times, millis).await,
        Fault::Links { trick, times } => play(stage, trick, times).await,
        Fault::ReversalsFirst { millis } => reversals_first(stage, millis).await,
        Fault::KillInOutage { what } => kill_in_outage(stage, what).await,
        Fault::FailPoint { with } => fail_points::reached(stage, with).await,
        Fault::FailPointAtStart { point, after } => fail_points::start(stage, point, after).await,
        Fault::FailPointInMigration { point, after } => {
            fail_points::migration(stage, point, after).await
        }
        Fault::FailPointInVault => vault::rotation(stage).await,
        Fault::FailPointAtStop => fail_points::stop(stage).await,
        Fault::Panic { ends } => fail_points::panics(stage, ends).await,
        Fault::Soak { faults } => soak::soak(stage, faults).await,
    }
}

/// For as long as the fault lasts.
pub(super) async fn last(stage: &mut Stage<'_>, millis: (u64, u64)) {
    let time = stage.between(millis.0, millis.1);
    stage.note(format!("it lasts {time:?}"));
    tokio::time::sleep(time).await;
}

async fn kill_switch(stage: &mut Stage<'_>) -> Result<()> {
    stage.moment().await?;
    stage.switch()?.signal("KILL").await?;
    let status = stage.switch()?.wait(SOON).await?;
    ensure!(!status.success(), "killed, and ended with {status}");
    stage.fired("killed");
    Ok(())
}

async fn kill_in_outage(stage: &mut Stage<'_>, what: Disturbance) -> Result<()> {
    let mut fired = stage.database_proxy.fired();
    stage.moment().await?;
    stage.database_proxy.disturb(what, usize::MAX);
    reach(&mut fired, 1).await?;
    stage.note("nothing is committed any more");
    last(stage, (50, 900)).await;
    stage.switch()?.signal("KILL").await?;
    stage.switch()?.wait(SOON).await?;
    stage.fired("killed");
    Ok(())
}

async fn pause_switch(stage: &mut Stage<'_>, millis: (u64, u64)) -> Result<()> {
    stage.moment().await?;
    stage.switch()?.signal("STOP").await?;
    stage.fired("paused");
    last(stage, millis).await;
    stage.switch()?.signal("CONT").await?;
    stage.more_replies(40).await;
    Ok(())
}

async fn terminate_switch(stage: &mut Stage<'_>) -> Result<()> {
    stage.moment().await?;
    stage.switch()?.terminate().await?;
    stage.fired("terminated");
    Ok(())
}

async fn restart_loop(stage: &mut Stage<'_>, times: u32) -> Result<()> {
    stage.moment().await?;
    for _ in 0..times {
        if stage.random.random_bool(0.5) {
            stage.switch()?.terminate().await?;
        } else {
            stage.switch()?.signal("KILL").await?;
            stage.switch()?.wait(SOON).await?;
        }
        stage.fired("ended");
        stage.start_switch(false).await?;
        stage.more_replies(30).await;
    }
    Ok(())
}

async fn second_process(stage: &mut Stage<'_>) -> Result<()> {
    stage.moment().await?;
    match stage.try_switch(false).await? {
        Started::Serving(second) => {
            stage.former.push(*second);
            bail!("a second switch serves the same shards")
        }
        Started::Ended(refused) => {
            let said = tail(&refused.log);
            ensure!(!refused.status.success(), "refused, and ended with {}", refused.status);
            let clear = said.contains("another switch owns these shards");
            ensure!(clear, "a second switch was refused without saying why: {said}");
        }
    }
    stage.fired("a second switch was refused");
    stage.more_replies(60).await;
    Ok(())
}

async fn end_back_end(stage: &mut Stage<'_>, kill: bool) -> Result<()> {
    let pids = stage.back_ends(APPEND).await?;
    stage.moment().await?;
    let mut connection = stage.connect().await?;
    let pid = pids.choose(&mut stage.random).copied().context("no back end appends")?;
    if kill {
        signals::send("KILL", &[pid]).await?;
    } else {
        sqlx::query("SELECT pg_terminate_backend($1)")
            .bind(pid.cast_signed())
            .execute(&mut connection)
            .await?;
    }
    gone(pid).await?;
    stage.fired(format!("back end {pid} ended"));
    stage.more_replies(40).await;
    Ok(())
}

/// Waits until a process is no more.
pub(super) async fn gone(pid: u32) -> Result<()> {
    let left = async {
        while signals::is_alive(pid) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, left).await.with_context(|| format!("process {pid} does not end"))
}

async fn end_postmaster(stage: &mut Stage<'_>, signal: &str) -> Result<()> {
    let pid = stage.cluster.postmaster().context("no postmaster")?;
    stage.moment().await?;
    signals::send(signal, &[pid]).await?;
    gone(pid).await?;
    stage.fired("PostgreSQL is down");
    last(stage, (50, 1_200)).await;
    Ok(())
}

async fn pause_postmaster(stage: &mut Stage<'_>, millis: (u64, u64)) -> Result<()> {
    let pid = stage.cluster.postmaster().context("no postmaster")?;
    let mut fired = stage.database_proxy.fired();
    stage.moment().await?;
    signals::send("STOP", &[pid]).await?;
    stage.database_proxy.disturb(Disturbance::CutAtAppend, 2);
    let cut = reach(&mut fired, 2).await;
    last(stage, millis).await;
    signals::send("CONT", &[pid]).await?;
    cut?;
    stage.fired("paused, and two connections cut");
    stage.more_replies(40).await;
    Ok(())
}

async fn pause_back_ends(stage: &mut Stage<'_>, millis: (u64, u64)) -> Result<()> {
    let pids = stage.back_ends("").await?;
    ensure!(!pids.is_empty(), "the switch has no back ends");
    stage.moment().await?;
    signals::send("STOP", &pids).await?;
    stage.fired(format!("{} back ends paused", pids.len()));
    last(stage, millis).await;
    let still: Vec<u32> = pids.into_iter().filter(|pid| signals::is_alive(*pid)).collect();
    signals::send("CONT", &still).await?;
    stage.more_replies(40).await;
    Ok(())
}

async fn end_lock_connection(stage: &mut Stage<'_>) -> Result<()> {
    stage.moment().await?;
    let mut connection = stage.connect().await?;
    let row = sqlx::query(
        "SELECT pid, pg_terminate_backend(pid, 5000) AS ended FROM pg_locks
         JOIN pg_stat_activity USING (pid)
         WHERE locktype = 'advisory' AND granted AND datname = current_database()
         AND application_name LIKE 'cardswitch/%'",
    )
    .fetch_one(&mut connection)
    .await
    .context("nobody holds the ownership lock")?;
    let ended: bool = row.try_get("ended")?;
    ensure!(ended, "the connection with the ownership lock does not end");
    stage.fired("the ownership lock was let go");
    stage.more_replies(100).await;
    Ok(())
}

async fn lock_journal(stage: &mut Stage<'_>, millis: (u64, u64)) -> Result<()> {
    let mut connection = stage.connect().await?;
    stage.moment().await?;
    let lock = "BEGIN; LOCK TABLE journal IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut connection).await?;
    stage.fired("the journal is locked");
    last(stage, millis).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut connection).await?;
    stage.more_replies(40).await;
    Ok(())
}

async fn disturb(
    stage: &mut Stage<'_>,
    what: Disturbance,
    times: usize,
    millis: (u64, u64),
) -> Result<()> {
    let what = match what {
        Disturbance::ResetAfter { towards, .. } => {
            Disturbance::ResetAfter { bytes: stage.random.random_range(1..3_000), towards }
        }
        other => other,
    };
    let mut fired = stage.database_proxy.fired();
    stage.moment().await?;
    stage.note(format!("{what:?}"));
    stage.database_proxy.disturb(what, times);
    let wanted = if times == usize::MAX { 1 } else { times };
    let happened = reach(&mut fired, wanted).await;
    last(stage, millis).await;
    stage.database_proxy.heal();
    happened?;
    let count = *fired.borrow();
    stage.fired(format!("it happened {count} times"));
    stage.more_replies(40).await;
    Ok(())
}

async fn play(stage: &mut Stage<'_>, trick: Trick, times: usize) -> Result<()> {
    // From run to run each byte of a frame has its turn.
    let from = stage.number * times;
    let trick = match trick {
        Trick::CutRequests { reset, .. } => Trick::CutRequests { from, reset },
        Trick::CutReplies { .. } => Trick::CutReplies { from },
        other => other,
    };
    let mut fired = stage.link_proxy.tricks.fired();
    stage.moment().await?;
    stage.note(format!("{trick:?}"));
    stage.link_proxy.tricks.set(trick, times);
    reach(&mut fired, times).await?;
    stage.fired(format!("it happened {times} times"));
    stage.more_replies(40).await;
    Ok(())
}

async fn reversals_first(stage: &mut Stage<'_>, millis: (u64, u64)) -> Result<()> {
    stage.moment().await?;
    stage.control.reversals_first.store(true, Ordering::Release);
    last(stage, millis).await;
    stage.control.reversals_first.store(false, Ordering::Release);
    let count = stage.recorder.look(|history| {
        let early = history.reversals().filter(|(stan, (of, _), _)| *stan == of + 1);
        early.count()
    });
    if count >= 10 {
        stage.fired(format!("{count} reversals went first"));
    }
    Ok(())
}

/// Waits until something has happened so often.
pub(super) async fn reach(fired: &mut watch::Receiver<usize>, times: usize) -> Result<()> {
    let reached = tokio::time::timeout(SOON, fired.wait_for(|count| *count >= times)).await;
    reached.context("the fault does not happen")??;
    Ok(())
}
