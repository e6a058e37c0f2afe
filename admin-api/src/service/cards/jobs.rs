//! Cards that are made while nobody waits (SR-105, SR-108, SR-162). It owns the table `card_job`: a
//! row is made with its order, tried until the card is there or cannot be, and tells what became of
//! it. A switch that stops, or dies, with one half made makes the same card when it is back, and
//! several switches over one database share the work.

use std::time::{Duration, Instant};

use metrics::{counter, describe_counter, describe_gauge, gauge};
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{AsciiText, CardId, IdempotencyKey, Timestamp};
use switch_store::PgTimestamp;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::Cards;
use super::issue::{By, Holder, NewVirtual, is_final};
use super::profile::{self, Ordered};
use super::settings::JobSettings;
use crate::Problem;
use crate::service::half;
use crate::service::span::{after, before, micros};
use crate::service::webhooks::{EventKind, Told, enqueue};

const BEGIN: &str = "\
    INSERT INTO card_job (order_id, partner_id, customer_id, actor, state, next_at, deadline,
        asked_at)
    VALUES ($1, $2, $3, $4, 'WAITING', $5, $6, $5) ON CONFLICT (order_id) DO NOTHING";

/// Takes those that are due: whoever else takes meanwhile gets others, and who dies with one leaves
/// it to the next when its pause is over.
const TAKE: &str = "\
    UPDATE card_job AS job SET attempts = attempts + 1,
        next_at = $1
            + least($3::int8 * 2 ^ least(attempts, 30), $4::int8) * interval '1 microsecond'
    FROM card_profile AS p
    WHERE p.order_id = job.order_id AND job.order_id IN (
        SELECT order_id FROM card_job WHERE state = 'WAITING' AND next_at <= $1
        ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING job.order_id, job.actor, job.deadline, job.asked_at, p.partner_id, p.customer_id,
        p.balance_id, p.holder_name, p.reference, p.processor, p.terminal,
        p.replaces";

const END: &str = "\
    UPDATE card_job SET state = $2, code = $3, ended_at = $4
    WHERE order_id = $1 AND state = 'WAITING'";

const STATUS: &str = "\
    SELECT job.state, job.code, p.card_id FROM card_job AS job
        LEFT JOIN card_profile AS p ON p.order_id = job.order_id
    WHERE job.order_id = $1 AND job.partner_id = $2 AND job.customer_id = $3";

const WAITING: &str = "\
    SELECT count(*) AS waiting, count(*) FILTER (WHERE partner_id = $1) AS own
    FROM card_job WHERE state = 'WAITING'";

/// How often those that wait are counted, and what is old goes, where nothing happens.
const COUNTED_EVERY: Duration = Duration::from_secs(30);
/// Rows that go at a time.
const BATCH: i64 = 1_000;

/// What became of a card that is made while nobody waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It is not there yet.
    Waiting,
    /// It is there.
    Done(CardId),
    /// It will not be there; why, as a code of problems.
    Failed(String),
}

struct Due {
    ordered: Ordered,
    actor: AsciiText<40>,
    deadline: Timestamp,
}

impl Cards {
    /// Takes the order of a virtual card; its name, under which is told what becomes of it.
    ///
    /// # Errors
    /// As `issue_virtual`, for what can be seen now. `OVERLOADED`: too many wait.
    pub async fn order_virtual(
        &self,
        holder: Holder,
        new: &NewVirtual,
        by: By,
    ) -> Result<Uuid, Problem> {
        let mut ordered = self.checked(holder, new, by).await?;
        let mut transaction = self.pool().begin().await?;
        profile::order(&mut transaction, &mut ordered, self.settings.most).await?;
        self.owe(&mut transaction, &ordered, by.now).await?;
        begin(&mut transaction, &ordered, self.settings.jobs, by).await?;
        transaction.commit().await?;
        Ok(ordered.order)
    }

    /// What became of an order of this customer.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is none, it is somebody else's, or it is too long ago.
    pub async fn job(&self, holder: Holder, job: Uuid) -> Result<JobState, Problem> {
        let customer = self.users.holder(holder.partner, holder.customer).await?;
        let asked = sqlx::query(STATUS).bind(job).bind(holder.partner.0).bind(customer.id.0);
        let none = || Problem::not_found("there is no such job");
        let row = asked.fetch_optional(self.pool()).await?.ok_or_else(none)?;
        let card: Option<i64> = row.try_get("card_id")?;
        let state: String = row.try_get("state")?;
        match (state.as_str(), card) {
            ("WAITING", _) => Ok(JobState::Waiting),
            ("DONE", Some(card)) => Ok(JobState::Done(CardId(card))),
            _ => Ok(JobState::Failed(row.try_get::<Option<_>, _>("code")?.unwrap_or_default())),
        }
    }

    /// Makes what waits as long as it is not dropped, by a clock, with a pause after each step that
    /// left nothing to be made. To drop it loses nothing.
    pub async fn run_jobs(self, now: impl Fn() -> Timestamp, every: Duration) {
        describe();
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut counted: Option<Instant> = None;
        loop {
            let taken = self.step(now()).await.unwrap_or_else(|problem| {
                tracing::warn!(%problem, "no cards are made that wait; tried again");
                0
            });
            if counted.is_none_or(|at| at.elapsed() >= COUNTED_EVERY) {
                counted = Some(Instant::now());
                self.look_after(now()).await;
            }
            if taken < self.settings.jobs.at_once as usize {
                ticks.tick().await;
            }
        }
    }

    /// Makes what is due, all at once; how many there were.
    ///
    /// # Errors
    /// The database. What was taken is tried again after its pause.
    pub async fn step(&self, now: Timestamp) -> Result<usize, Problem> {
        let mut making = tokio::task::JoinSet::new();
        for due in self.take(now).await? {
            let this = self.clone();
            making.spawn(async move { this.try_one(due, now).await });
        }
        let taken = making.len();
        let mut failed = None;
        // Whatever becomes of one, the others are made to their end.
        while let Some(made) = making.join_next().await {
            let made = made.map_err(|error| Problem::internal("making a card", &error));
            failed = failed.or(made.and_then(|made| made).err());
        }
        failed.map_or(Ok(taken), Err)
    }

    async fn take(&self, now: Timestamp) -> Result<Vec<Due>, Problem> {
        let JobSettings { at_once, pause, pause_most, .. } = self.settings.jobs;
        let taking = sqlx::query(TAKE).bind(PgTimestamp(now)).bind(i64::from(at_once));
        let taking = taking.bind(micros(pause)).bind(micros(pause_most));
        taking.fetch_all(self.pool()).await?.iter().map(due).collect()
    }

    async fn try_one(&self, due: Due, now: Timestamp) -> Result<(), Problem> {
        let order = due.ordered.order;
        let by = By { key: IdempotencyKey(*order.as_bytes()), actor: due.actor, now };
        let (state, code) = match self.make(&due.ordered, by).await {
            Ok(_) => ("DONE", None),
            Err(problem) if is_final(&problem) || due.deadline <= now => {
                if self.give_up(order, by).await?.is_some() {
                    ("DONE", None)
                } else {
                    let code = problem.code;
                    tracing::warn!(%order, code, "a card that was asked for is none");
                    ("FAILED", Some(code))
                }
            }
            Err(problem) => {
                tracing::info!(%order, code = problem.code, "a card is not made yet; tried again");
                counter!("cardswitch_card_jobs_total", "outcome" => "again").increment(1);
                return Ok(());
            }
        };
        let mut transaction = self.pool().begin().await?;
        let ending = sqlx::query(END).bind(order).bind(state).bind(code).bind(PgTimestamp(now));
        if ending.execute(&mut *transaction).await?.rows_affected() > 0 {
            let told = Told {
                partner: due.ordered.partner,
                kind: EventKind::JobFinished,
                key: &format!("job:{order}"),
                body: ended_body(order, (state, code), now),
                at: now,
            };
            enqueue(&mut transaction, told).await?;
        }
        transaction.commit().await?;
        counter!("cardswitch_card_jobs_total", "outcome" => state.to_ascii_lowercase())
            .increment(1);
        Ok(())
    }

    /// Counts those that wait, and lets go of what is old.
    async fn look_after(&self, now: Timestamp) {
        let waiting = "SELECT count(*) FROM card_job WHERE state = 'WAITING'";
        match sqlx::query_scalar::<_, i64>(waiting).fetch_one(self.pool()).await {
            Ok(waiting) => gauge!("cardswitch_card_jobs_waiting").set(waiting as f64),
            Err(error) => tracing::debug!(%error, "cards that wait are not counted"),
        }
        let old = before(now, self.settings.jobs.kept);
        let ended = "DELETE FROM card_job WHERE order_id IN (SELECT order_id FROM card_job \
                     WHERE state <> 'WAITING' AND ended_at < $1 LIMIT $2)";
        let going = sqlx::query(ended).bind(PgTimestamp(old)).bind(BATCH);
        if let Err(error) = going.execute(self.pool()).await {
            tracing::debug!(%error, "old jobs of cards stay for now");
        }
        if let Err(problem) = self.end_renewals(now).await {
            tracing::warn!(%problem, "a renewal of a card is not ended; tried again");
        }
        if let Err(problem) = self.settle_lost(now).await {
            tracing::warn!(%problem, "an order of a card is not settled; tried again");
        }
    }
}

async fn begin(
    transaction: &mut PgConnection,
    ordered: &Ordered,
    settings: JobSettings,
    by: By,
) -> Result<(), Problem> {
    // Counted one after the other, or the limit would not be one.
    let alone = sqlx::query("SELECT pg_advisory_xact_lock(hashtext('cardswitch card_job'))");
    alone.execute(&mut *transaction).await?;
    let inserted = sqlx::query(BEGIN)
        .bind(ordered.order)
        .bind(ordered.partner.0)
        .bind(ordered.customer.0)
        .bind(by.actor.as_str())
        .bind(PgTimestamp(by.now))
        .bind(PgTimestamp(after(by.now, settings.give_up_after)));
    if inserted.execute(&mut *transaction).await?.rows_affected() == 0 {
        return Ok(());
    }
    let waiting = sqlx::query(WAITING).bind(ordered.partner.0).fetch_one(transaction).await?;
    let most = i64::from(settings.waiting_most);
    let (all, own): (i64, i64) = (waiting.try_get("waiting")?, waiting.try_get("own")?);
    // However many one partner asks for, others have room.
    if all > most || own > half(most) {
        let what = "too many cards wait to be made; try again later";
        return Err(Problem::new("OVERLOADED", what));
    }
    Ok(())
}

/// What a partner is told of a job that is over.
fn ended_body(order: Uuid, (state, code): (&str, Option<&str>), now: Timestamp) -> Value {
    let at = jiff::Timestamp::from_microsecond(now.0).map(|at| at.to_string());
    json!({
        "status": if code.is_none() { "SUCCESS" } else { "FAILED" },
        "date": at.unwrap_or_default(),
        "description": code.unwrap_or(state),
        "job": { "jobId": order, "state": state, "code": code },
    })
}

fn due(row: &PgRow) -> Result<Due, Problem> {
    let actor: String = row.try_get("actor")?;
    Ok(Due {
        ordered: Ordered::read(row)?,
        actor: AsciiText::new(actor.as_bytes()).unwrap_or(AsciiText::EMPTY),
        deadline: row.try_get::<PgTimestamp, _>("deadline")?.0,
    })
}

fn describe() {
    describe_gauge!("cardswitch_card_jobs_waiting", "Cards that wait to be made");
    describe_counter!("cardswitch_card_jobs_total", "Tries to make a card that waits, by outcome");
}
