//! The runner: it hands letters to the relay, so many at a time, and writes down what came of it.
//! It owns that a letter which is under way is nobody else's for as long as a try may take, so that
//! of several switches one sends it; after a crash it is sent again, by the name it had.

use std::time::Duration;

use metrics::{counter, gauge};
use sqlx::{PgPool, Row};
use switch_domain::Timestamp;
use switch_store::{PgTimestamp, Store};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::smtp::Answer;
use super::{MailAddress, Outbox, Relay, WAITING};
use crate::Problem;
use crate::service::span::{after, before};

/// Taken from everybody else for longer than a try lasts.
const TAKE: &str = "\
    UPDATE mail_message SET tries = tries + 1, next_at = $2 WHERE id IN (
        SELECT id FROM mail_message WHERE state = 'WAITING' AND next_at <= $1
        ORDER BY next_at, id LIMIT $3 FOR UPDATE SKIP LOCKED)
    RETURNING id, public_id, recipient, subject, body, tries";

const LATER: &str = "UPDATE mail_message SET next_at = $2 WHERE id = $1 AND state = 'WAITING'";

const END: &str = "\
    UPDATE mail_message SET state = $2, ended_at = $3 WHERE id = $1 AND state = 'WAITING'";

const FORGET: &str = "\
    DELETE FROM mail_message WHERE id IN (
        SELECT id FROM mail_message WHERE ended_at < $1 ORDER BY ended_at LIMIT 1000)";

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// The relay has them.
    pub taken: u32,
    /// They are over, and nobody has them.
    pub failed: u32,
    /// They are tried again.
    pub later: u32,
}

/// A letter that is tried.
struct Due {
    id: i64,
    public_id: Uuid,
    recipient: String,
    subject: String,
    body: String,
    tries: i32,
}

/// A letter under way is nobody else's for as long as all steps of its dialogue may take.
const LEASE: u32 = 12;

/// Sends letters.
#[derive(Clone, Debug)]
pub struct MailRunner {
    store: Store,
    outbox: Outbox,
    relay: Relay,
}

impl MailRunner {
    /// Over the outbox, by this relay.
    #[must_use]
    pub const fn new(store: Store, outbox: Outbox, relay: Relay) -> Self {
        Self { store, outbox, relay }
    }

    /// Sends as long as it is not dropped, and looks for what is due this often. To drop it loses
    /// nothing: what was under way is sent again.
    pub async fn run(&self, now: impl Fn() -> Timestamp, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(problem) = self.round(now()).await {
                tracing::warn!(%problem, "no mail is sent; tried again");
            }
        }
    }

    /// One round: what is due, as many as may be at a time; and what is old goes.
    ///
    /// # Errors
    /// The database; the relay's files.
    pub async fn round(&self, now: Timestamp) -> Result<Sent, Problem> {
        let settings = self.outbox.settings();
        // What is wrong with the relay's files costs no letter a try.
        let transport = self.relay.transport();
        let transport =
            transport.map_err(|error| Problem::internal("reaching the mail relay", &error))?;
        let lease = settings.patience.saturating_mul(LEASE);
        let rows = sqlx::query(TAKE)
            .bind(PgTimestamp(now))
            .bind(PgTimestamp(after(now, lease)))
            .bind(i64::from(settings.at_once))
            .fetch_all(self.pool())
            .await?;
        let mut trying = JoinSet::new();
        for row in &rows {
            let (relay, transport, due) = (self.relay.clone(), transport.clone(), due(row)?);
            trying.spawn_blocking(move || {
                let message = letter(&relay, &due);
                let send = |message| Relay::send(&transport, &message);
                (due, message.map_or(Answer::Refused, send))
            });
        }
        let (mut sent, mut failed) = (Sent::default(), None);
        // Whatever becomes of one, what became of the others is written down.
        while let Some(tried) = trying.join_next().await {
            let Ok((due, answer)) = tried else { continue };
            let settled = self.settle(&due, answer, (now, &mut sent)).await;
            failed = failed.or(settled.err());
        }
        if let Some(problem) = failed {
            return Err(problem);
        }
        let forget = PgTimestamp(before(now, settings.keep));
        sqlx::query(FORGET).bind(forget).execute(self.pool()).await?;
        let waiting: i64 = sqlx::query_scalar(WAITING).fetch_one(self.pool()).await?;
        gauge!("cardswitch_mail_waiting").set(waiting as f64);
        Ok(sent)
    }

    async fn settle(
        &self,
        due: &Due,
        answer: Answer,
        (now, sent): (Timestamp, &mut Sent),
    ) -> Result<(), Problem> {
        let outcome = match answer {
            Answer::Taken => "taken",
            Answer::Refused => "refused",
            Answer::PutOff => "put_off",
        };
        counter!("cardswitch_mail_tries_total", "outcome" => outcome).increment(1);
        let pause = usize::try_from(due.tries.saturating_sub(1)).ok();
        let pause = pause.and_then(|tries| self.outbox.settings().pauses.get(tries));
        let (state, end) = match (answer, pause) {
            (Answer::Taken, _) => ("SENT", "sent"),
            (Answer::PutOff, Some(pause)) => {
                let next = PgTimestamp(after(now, *pause));
                sqlx::query(LATER).bind(due.id).bind(next).execute(self.pool()).await?;
                sent.later = sent.later.saturating_add(1);
                return Ok(());
            }
            (Answer::Refused | Answer::PutOff, _) => {
                tracing::error!(message = %due.public_id, "a letter could not be delivered");
                ("FAILED", "failed")
            }
        };
        let ended = sqlx::query(END).bind(due.id).bind(state).bind(PgTimestamp(now));
        ended.execute(self.pool()).await?;
        counter!("cardswitch_mail_total", "end" => end).increment(1);
        let count = if answer == Answer::Taken { &mut sent.taken } else { &mut sent.failed };
        *count = count.saturating_add(1);
        Ok(())
    }

    const fn pool(&self) -> &PgPool {
        self.store.pool()
    }
}

fn due(row: &sqlx::postgres::PgRow) -> Result<Due, sqlx::Error> {
    Ok(Due {
        id: row.try_get("id")?,
        public_id: row.try_get("public_id")?,
        recipient: row.try_get("recipient")?,
        subject: row.try_get("subject")?,
        body: row.try_get("body")?,
        tries: row.try_get("tries")?,
    })
}

/// None where it can be none: its row was not written by us.
fn letter(relay: &Relay, due: &Due) -> Option<lettre::Message> {
    let recipient = MailAddress::parse(&due.recipient, "recipient").ok()?;
    relay.message(due.public_id, &recipient, (&due.subject, &due.body)).ok()
}
