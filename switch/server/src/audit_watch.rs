//! What goes on behind the audit of management while a switch serves: that it begins is recorded,
//! its head is logged, old records go. It owns how often.

use std::time::Duration;

use admin_api::audit::{AuditSink, Entry, Outcome, head_of, let_go};
use metrics::counter;
use sqlx::PgPool;
use switch_domain::Timestamp;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::config::ApiAudit;

/// How often old records go.
const EVERY: Duration = Duration::from_secs(60);
/// Records that go in one statement, and statements of one round.
const AT_A_TIME: u32 = 1_000;
const ROUNDS: u32 = 100;

/// Records that the audit begins (P-21), and goes on until stopped. The head that is logged again
/// and again, kept by another system, shows that nobody wrote the records anew or cut off their
/// end.
pub(crate) async fn run(
    (sink, audit): (AuditSink, PgPool),
    settings: ApiAudit,
    stop: CancellationToken,
) {
    // Where it cannot be recorded the sink says so, and acts are refused.
    let _ = sink.add(beginning()).await;
    drop(sink);
    let (mut heads, mut rounds) = (ticks(settings.head_every()), ticks(EVERY));
    loop {
        tokio::select! {
            _ = heads.tick() => tell_head(&audit).await,
            _ = rounds.tick() => let_old_go(&audit, settings.keep()).await,
            () = stop.cancelled() => return,
        }
    }
}

fn beginning() -> Entry {
    Entry {
        at: now(),
        actor: "switch".into(),
        act: "start of the audit".into(),
        outcome: Outcome::Done,
        origin: "here".into(),
        object: "the audit".into(),
        request_id: "none".into(),
        code: None,
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn tell_head(audit: &PgPool) {
    match head_of(audit).await {
        Ok(head) => {
            let head = format!("{}:{}", head.number, hex::encode(head.digest));
            tracing::info!(target: "audit", head, "the head of the audit");
        }
        Err(problem) => failed("head of the audit", &problem),
    }
}

async fn let_old_go(audit: &PgPool, keep: Duration) {
    let kept = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
    let before = Timestamp(now().0.saturating_sub(kept));
    for _ in 0..ROUNDS {
        match let_go(audit, before, AT_A_TIME).await {
            Ok(gone) if gone == u64::from(AT_A_TIME) => {}
            Ok(_) => return,
            Err(problem) => return failed("records of the audit", &problem),
        }
    }
}

fn failed(what: &'static str, problem: &admin_api::Problem) {
    counter!("cardswitch_api_upkeep_errors_total", "what" => what).increment(1);
    tracing::warn!(what, %problem, "upkeep of the audit failed; it is tried again");
}
