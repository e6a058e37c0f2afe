//! Questions to a provider, through a table. It owns `kyc_inquiry`: a row is made by the move that
//! begins a verification, asked after until there is an outcome, and goes with the move that the
//! outcome makes. What is asked twice, or answered twice, moves once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use sqlx::{PgConnection, Row};
use switch_domain::{AsciiText, CustomerId, PartnerId, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::{By, Finding, KycProvider, KycQuestion, KycState, Mover, Moving, ProviderFault};
use crate::Problem;
use crate::service::span::{after, micros};
use crate::service::users::Users;
use crate::service::users::settings::InquirySettings;

const BEGIN: &str = "\
    INSERT INTO kyc_inquiry (customer_id, inquiry, next_at, deadline) VALUES ($1, $2, $3, $4)
    ON CONFLICT (customer_id) DO UPDATE SET inquiry = excluded.inquiry, attempts = 0,
        next_at = excluded.next_at, deadline = excluded.deadline, given_up = false";

/// Takes those that are due: whoever else takes meanwhile gets others, and who dies with one leaves
/// it to the next when its pause is over.
const TAKE: &str = "\
    UPDATE kyc_inquiry SET attempts = attempts + 1,
        next_at = $1
            + least($3::int8 * 2 ^ least(attempts, 30), $4::int8) * interval '1 microsecond'
    WHERE customer_id IN (
        SELECT customer_id FROM kyc_inquiry WHERE NOT given_up AND next_at <= $1
        ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING customer_id, inquiry, attempts, deadline";

const WAITING: &str = "\
    SELECT count(*) FILTER (WHERE NOT given_up), count(*) FILTER (WHERE given_up)
    FROM kyc_inquiry";

/// How often those that wait are counted where nothing happens.
const COUNTED_EVERY: Duration = Duration::from_secs(30);

const GIVE_UP: &str = "\
    UPDATE kyc_inquiry SET given_up = true WHERE customer_id = $1 AND inquiry = $2";

/// The worker that asks.
#[derive(Clone)]
pub struct Inquiries {
    users: Users,
    provider: Arc<dyn KycProvider>,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Questions asked.
    pub asked: u32,
    /// Customers that were verified or rejected by it.
    pub decided: u32,
    /// Questions that had no answer, or a bad one.
    pub failed: u32,
    /// Those that are no more asked.
    pub given_up: u32,
}

struct Due {
    customer: CustomerId,
    inquiry: Uuid,
    attempts: i32,
    deadline: Timestamp,
}

/// Where a verification begins: what is to be asked.
pub(super) async fn begin(
    transaction: &mut PgConnection,
    customer: CustomerId,
    settings: InquirySettings,
    now: Timestamp,
) -> Result<(), Problem> {
    // Counted one after the other, or the limit would not be one.
    let alone = sqlx::query("SELECT pg_advisory_xact_lock(hashtext('cardswitch kyc_inquiry'))");
    alone.execute(&mut *transaction).await?;
    let waiting = sqlx::query_scalar("SELECT count(*) FROM kyc_inquiry");
    let waiting: i64 = waiting.fetch_one(&mut *transaction).await?;
    if waiting >= i64::from(settings.waiting_most) {
        let problem = "too many verifications wait for the provider; try again later";
        return Err(Problem::new("OVERLOADED", problem));
    }
    let deadline = after(now, settings.give_up_after);
    let query = sqlx::query(BEGIN).bind(customer.0).bind(Uuid::new_v4()).bind(PgTimestamp(now));
    query.bind(PgTimestamp(deadline)).execute(transaction).await?;
    Ok(())
}

/// Where a verification is no more pending: nothing is asked any more.
pub(super) async fn end(
    transaction: &mut PgConnection,
    customer: CustomerId,
) -> Result<(), Problem> {
    let query = sqlx::query("DELETE FROM kyc_inquiry WHERE customer_id = $1").bind(customer.0);
    query.execute(transaction).await?;
    Ok(())
}

impl Inquiries {
    /// Over the users, with somebody to ask.
    #[must_use]
    pub fn new(users: Users, provider: Arc<dyn KycProvider>) -> Self {
        describe();
        Self { users, provider }
    }

    /// Steps as long as it is not dropped, by a clock, with a pause after each that left nothing to
    /// be asked. To drop it loses nothing: what it was asking is asked again after its pause.
    pub async fn run(self, now: impl Fn() -> Timestamp, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut counted: Option<Instant> = None;
        loop {
            let asked = match self.step(now()).await {
                Ok(step) => step.asked,
                Err(problem) => {
                    tracing::warn!(%problem, "no inquiries at the provider; tried again");
                    0
                }
            };
            if asked > 0 || counted.is_none_or(|at| at.elapsed() >= COUNTED_EVERY) {
                counted = Some(Instant::now());
                self.count().await;
            }
            if asked < self.users.settings().inquiries.at_once {
                ticks.tick().await;
            }
        }
    }

    /// Asks what is due, at most so many as the settings say, all at once.
    ///
    /// # Errors
    /// The database. What was taken is asked again after its pause.
    pub async fn step(&self, now: Timestamp) -> Result<Step, Problem> {
        let mut asking = tokio::task::JoinSet::new();
        for due in self.take(now).await? {
            let this = self.clone();
            asking.spawn(async move { this.ask(due, now).await });
        }
        let mut step = Step::default();
        while let Some(asked) = asking.join_next().await {
            let one = asked.map_err(|e| Problem::internal("asking a provider", &e))??;
            step.asked = step.asked.saturating_add(one.asked);
            step.decided = step.decided.saturating_add(one.decided);
            step.failed = step.failed.saturating_add(one.failed);
            step.given_up = step.given_up.saturating_add(one.given_up);
        }
        for (outcome, count) in
            [("decided", step.decided), ("failed", step.failed), ("given_up", step.given_up)]
        {
            counter!("cardswitch_kyc_answers_total", "outcome" => outcome)
                .increment(u64::from(count));
        }
        Ok(step)
    }

    /// Counts those that wait, for the metrics.
    async fn count(&self) {
        let query = sqlx::query_as::<_, (i64, i64)>(WAITING);
        match query.fetch_one(self.users.pool()).await {
            Ok((asked, given_up)) => {
                gauge!("cardswitch_kyc_inquiries", "state" => "asked").set(asked as f64);
                gauge!("cardswitch_kyc_inquiries", "state" => "given_up").set(given_up as f64);
            }
            Err(error) => tracing::debug!(%error, "inquiries are not counted"),
        }
    }

    async fn take(&self, now: Timestamp) -> Result<Vec<Due>, Problem> {
        let settings = self.users.settings().inquiries;
        let rows = sqlx::query(TAKE)
            .bind(PgTimestamp(now))
            .bind(i64::from(settings.at_once))
            .bind(micros(settings.pause))
            .bind(micros(settings.pause_most))
            .fetch_all(self.users.pool())
            .await?;
        let due = rows.iter().map(|row| {
            Ok(Due {
                customer: CustomerId(row.try_get("customer_id")?),
                inquiry: row.try_get("inquiry")?,
                attempts: row.try_get("attempts")?,
                deadline: row.try_get::<PgTimestamp, _>("deadline")?.0,
            })
        });
        due.collect()
    }

    async fn ask(&self, due: Due, now: Timestamp) -> Result<Step, Problem> {
        let settings = self.users.settings().inquiries;
        let sql = "SELECT partner_id, public_id FROM customer WHERE id = $1 AND removed_at IS NULL";
        let row = sqlx::query(sql).bind(due.customer.0).fetch_optional(self.users.pool()).await?;
        let Some(row) = row else { return Ok(Step::default()) };
        let (partner, id) = (PartnerId(row.try_get("partner_id")?), row.try_get("public_id")?);
        let mut step = Step { asked: 1, ..Step::default() };
        let finding = match self.users.customer(partner, id).await?.profile {
            // Registered by command: there is nothing to ask with.
            None => Ok(Ok(Finding::NothingYet)),
            Some(profile) => {
                let question = KycQuestion { inquiry: due.inquiry, profile };
                let began = Instant::now();
                let asking = self.provider.ask(question);
                let answer = tokio::time::timeout(settings.patience, asking).await;
                histogram!("cardswitch_kyc_answer_seconds").record(began.elapsed());
                answer
            }
        };
        let (to, note) = match finding {
            Ok(Ok(Finding::Verified(reference))) => (KycState::Verified, reference),
            Ok(Ok(Finding::Rejected(reference))) => (KycState::Rejected, reference),
            nothing => {
                if !matches!(nothing, Ok(Ok(_))) {
                    step.failed = 1;
                    note(&due, nothing.ok().and_then(Result::err).as_ref());
                }
                let most = i64::from(settings.attempts_most);
                if i64::from(due.attempts) >= most || now >= due.deadline {
                    let query = sqlx::query(GIVE_UP).bind(due.customer.0).bind(due.inquiry);
                    query.execute(self.users.pool()).await?;
                    step.given_up = 1;
                }
                return Ok(step);
            }
        };
        step.decided = u32::from(self.decide(partner, id, &due, (to, &note), now).await?);
        Ok(step)
    }

    /// Moves a verification by what was found, if it is still this inquiry that is pending.
    async fn decide(
        &self,
        partner: PartnerId,
        id: Uuid,
        due: &Due,
        (to, note): (KycState, &str),
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let mut transaction = self.users.pool().begin().await?;
        let locked = super::locked(&mut transaction, partner, id).await;
        let locked = match locked {
            Err(problem) if problem.code == "NOT_FOUND" => return Ok(false),
            other => other?,
        };
        let sql = "SELECT count(*) FROM kyc_inquiry WHERE customer_id = $1 AND inquiry = $2";
        let pending = sqlx::query_scalar::<_, i64>(sql).bind(due.customer.0).bind(due.inquiry);
        if pending.fetch_one(&mut *transaction).await? == 0 {
            return Ok(false);
        }
        // It was asked in this mode; the partner may have chosen another one meanwhile.
        let name = AsciiText::new(b"provider").unwrap_or(AsciiText::EMPTY);
        let by = By { mover: Mover::Provider, name };
        let moving = Moving { to, by, note, now };
        self.users.moved(&mut transaction, &locked, super::Mode::Automated, moving).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// What went wrong with a question; none: no answer came in time.
fn note(due: &Due, fault: Option<&ProviderFault>) {
    let kind = fault.map_or("late", ProviderFault::name);
    counter!("cardswitch_kyc_faults_total", "fault" => kind).increment(1);
    let said = fault.map(ToString::to_string);
    let said = said.as_deref().unwrap_or("the provider does not answer in time");
    tracing::warn!(inquiry = %due.inquiry, attempts = due.attempts, "{said}");
}

fn describe() {
    describe_gauge!(
        "cardswitch_kyc_inquiries",
        "Verifications that wait for the provider (asked, of which with the others \
         api.kyc.waiting are the most), and those for an operator since it was given up to ask"
    );
    describe_counter!("cardswitch_kyc_answers_total", "Questions to the provider, by their end");
    describe_counter!(
        "cardswitch_kyc_faults_total",
        "Questions to the provider without an answer that can be used: late, unavailable, status \
         (another than 200), bad_answer"
    );
    describe_histogram!(
        "cardswitch_kyc_answer_seconds",
        metrics::Unit::Seconds,
        "From a question to the provider's answer, or to the end of patience"
    );
}
