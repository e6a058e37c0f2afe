//! E-mail of the platform (SR-230): letters are rows, written in the transaction of what they tell
//! of, and sent until the relay has taken them (docs/pools.md). It owns the table `mail_message`,
//! how many may wait, and that what is in a letter stands in no log. Nothing secret goes by mail.

mod address;
mod runner;
mod smtp;

use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge};
use sqlx::PgConnection;
use switch_domain::{PartnerId, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use crate::Problem;

pub use address::MailAddress;
pub use runner::{MailRunner, Sent};
pub use smtp::{MailLogin, MailTls, Relay, RelayError};

/// How much may wait, and when it is tried again.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// Letters that may wait; past it none are made.
    pub waiting_most: u32,
    /// Letters on their way at a time.
    pub at_once: u32,
    /// Pauses before the second try and those after it; then a letter has failed.
    pub pauses: Vec<Duration>,
    /// For a try.
    pub patience: Duration,
    /// For how long a letter is kept that was sent, or failed.
    pub keep: Duration,
}

/// The way to the outbox; where the platform sends no mail there is none. Cloning gives another
/// handle.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<MailSettings>);

/// A letter to be.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// Whose affair it is.
    pub partner: PartnerId,
    /// To whom.
    pub recipient: &'a MailAddress,
    /// One line.
    pub subject: &'a str,
    /// Plain text.
    pub body: &'a str,
}

const WAITING: &str = "SELECT count(*) FROM mail_message WHERE state = 'WAITING'";

const ENQUEUE: &str = "\
    INSERT INTO mail_message (public_id, partner_id, recipient, subject, body, made_at, next_at)
    VALUES ($1, $2, $3, $4, $5, $6, $6)";

impl Outbox {
    /// Of a platform that sends mail.
    #[must_use]
    pub fn new(settings: MailSettings) -> Self {
        Self(Arc::new(settings))
    }

    /// How much may wait, and when it is tried again.
    #[must_use]
    pub fn settings(&self) -> &MailSettings {
        &self.0
    }

    /// Writes letters into the transaction of what they tell of; where too many wait already, none.
    ///
    /// # Errors
    /// The database: the transaction is lost, and with it what happened.
    pub async fn enqueue(
        &self,
        transaction: &mut PgConnection,
        letters: &[Letter<'_>],
        now: Timestamp,
    ) -> Result<(), Problem> {
        if letters.is_empty() {
            return Ok(());
        }
        let waiting: i64 = sqlx::query_scalar(WAITING).fetch_one(&mut *transaction).await?;
        if waiting >= i64::from(self.0.waiting_most) {
            let count = u64::try_from(letters.len()).unwrap_or(u64::MAX);
            counter!("cardswitch_mail_total", "end" => "no_room").increment(count);
            tracing::error!(waiting, "too many letters wait: others are not written");
            return Ok(());
        }
        for letter in letters {
            sqlx::query(ENQUEUE)
                .bind(Uuid::new_v4())
                .bind(letter.partner.0)
                .bind(letter.recipient.as_str())
                .bind(letter.subject)
                .bind(letter.body)
                .bind(PgTimestamp(now))
                .execute(&mut *transaction)
                .await?;
        }
        Ok(())
    }
}

/// Describes the metrics of mail to the installed recorder.
pub fn describe() {
    describe_counter!(
        "cardswitch_mail_total",
        "Letters, by their end: sent, failed after the last try or for good, or not written since \
         api.mail.waiting did (no_room)"
    );
    describe_counter!(
        "cardswitch_mail_tries_total",
        "Tries to send a letter, by outcome: taken, refused (for good), put_off (by the relay, or \
         it was not reached)"
    );
    describe_gauge!("cardswitch_mail_waiting", "Letters that wait for the relay");
}
