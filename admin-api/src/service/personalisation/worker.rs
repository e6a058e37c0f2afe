//! What is done about plastic cards while nobody waits: files are written, reports read, cards
//! linked, old addresses forgotten. It owns the order of a step, how reports move orders, and the
//! metrics. To stop it anywhere loses nothing.

use std::path::Path;
use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, gauge};
use sha2::{Digest, Sha256};
use switch_domain::Timestamp;
use switch_store::PgTimestamp;

use super::Plastic;
use super::directory::{Ending, Exchange};
use super::order::OrderState;
use super::report::{self, MadeLine, Report, ReportFault};
use crate::Problem;

/// Reports of one step.
const REPORTS: usize = 16;

/// A line makes its order's card once; its number must end as ours does. The bureau may have the
/// file before it is noted here that it is written: what is in a run is out.
const MADE: &str = "\
    UPDATE card_order SET state = 'PERSONALISED', tracking_number = $2, personalised_at = $3,
        next_at = $4
    WHERE reference = $1 AND (state = 'SENT' OR state = 'ORDERED' AND run_id IS NOT NULL)
        AND $5 = (
        SELECT last_four FROM pan_vault WHERE pan_vault.id = coalesce(card_order.vault_row,
            (SELECT vault_row FROM card WHERE card.id = card_order.physical_of)))";

const NOTE: &str = "\
    INSERT INTO perso_report (digest, name, read_at, fault, taken, repeated, rejected)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (digest) DO NOTHING";

/// Those that are done with are many, and are counted when it is done.
const COUNT: &str = "\
    SELECT state, count(*) FROM card_order WHERE state NOT IN ('LINKED', 'REFUSED')
    GROUP BY state";
const OPEN: [OrderState; 3] = [OrderState::Ordered, OrderState::Sent, OrderState::Personalised];

/// The worker.
pub struct Steps {
    plastic: Plastic,
    exchange: Exchange,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Cards that went into a file.
    pub sent: u32,
    /// Lines of reports that told of a card.
    pub made: u32,
    /// Lines that had been told before.
    pub repeated: u32,
    /// Lines that are none, or are about no order of ours.
    pub rejected: u32,
    /// Reports that are none.
    pub bad_reports: u32,
    /// Cards that are there now.
    pub linked: u32,
    /// Cards that will not be.
    pub refused: u32,
    /// Cards whose linking is tried again.
    pub later: u32,
}

/// What came of a report.
#[derive(Clone, Copy, Default)]
struct Read {
    made: u32,
    repeated: u32,
    rejected: u32,
}

impl Steps {
    /// Over the service. Makes what is missing of the exchange directory.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(plastic: Plastic) -> std::io::Result<Self> {
        describe();
        let exchange = Exchange::open(&plastic.settings.directory)?;
        Ok(Self { plastic, exchange })
    }

    /// Where the directory is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.plastic.settings.directory
    }

    /// The service that the steps are of.
    #[must_use]
    pub const fn plastic(&self) -> &Plastic {
        &self.plastic
    }

    /// Steps as long as it is not dropped, by a clock.
    pub async fn run(self, now: impl Fn() -> Timestamp, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(problem) = self.step(now()).await {
                counter!("cardswitch_perso_failed_total").increment(1);
                tracing::warn!(%problem, "a step of personalisation failed; tried again");
            }
        }
    }

    /// Reports first: what they tell of is linked in the same step. A file that cannot be written
    /// keeps nobody from that.
    ///
    /// # Errors
    /// The database, the directory, the module: what was not done is done by the next step.
    pub async fn step(&self, now: Timestamp) -> Result<Done, Problem> {
        let _alone = self.plastic.turn.lock().await;
        let mut done = Done::default();
        self.read_reports(&mut done, now).await?;
        let linked = self.plastic.link(now).await?;
        (done.linked, done.refused, done.later) = (linked.linked, linked.refused, linked.later);
        self.plastic.forget(now).await?;
        done.sent = self.plastic.write_file(&self.exchange, now).await?;
        for (result, count) in [
            ("sent", done.sent),
            ("made", done.made),
            ("linked", done.linked),
            ("refused", done.refused),
        ] {
            counter!("cardswitch_perso_cards_total", "step" => result).increment(u64::from(count));
        }
        self.count().await?;
        Ok(done)
    }

    async fn read_reports(&self, done: &mut Done, now: Timestamp) -> Result<(), Problem> {
        let failed = |error| Problem::internal("looking for reports of the bureau", &error);
        let exchange = self.exchange.clone();
        let most = self.plastic.settings.report_bytes;
        let is_whole = |bytes: &[u8]| report::read(bytes) != Err(ReportFault::NoEnd);
        let taken = blocking(move || exchange.take(REPORTS, most, is_whole)).await;
        let taken = taken.map_err(failed)?;
        counter!("cardswitch_perso_reports_total", "result" => "no_end")
            .increment(u64::from(taken.unfinished));
        for (name, bytes) in taken.reports {
            self.read_one(&name, bytes, done, now).await?;
        }
        Ok(())
    }

    async fn read_one(
        &self,
        name: &str,
        bytes: Option<Vec<u8>>,
        done: &mut Done,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let bytes_or = bytes.as_deref().ok_or(ReportFault::TooLong);
        let digest: [u8; 32] = Sha256::digest(bytes_or.unwrap_or(name.as_bytes())).into();
        let (read, fault) = match bytes_or.and_then(report::read) {
            Ok(report) => (self.move_orders(&report, now).await?, None),
            Err(fault) => (Read::default(), Some(fault.to_string())),
        };
        let small = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let note = sqlx::query(NOTE).bind(&digest[..]).bind(name).bind(PgTimestamp(now));
        let note = note.bind(fault.as_deref()).bind(small(read.made)).bind(small(read.repeated));
        note.bind(small(read.rejected)).execute(self.plastic.pool()).await?;
        let ending = if fault.is_some() { Ending::Rejected } else { Ending::Taken };
        let result = if fault.is_some() { "rejected" } else { "taken" };
        counter!("cardswitch_perso_reports_total", "result" => result).increment(1);
        for (result, count) in
            [("made", read.made), ("repeated", read.repeated), ("rejected", read.rejected)]
        {
            counter!("cardswitch_perso_lines_total", "result" => result)
                .increment(u64::from(count));
        }
        if let Some(fault) = &fault {
            tracing::warn!(name, fault, "a report of the bureau is rejected");
        }
        done.made = done.made.saturating_add(read.made);
        done.repeated = done.repeated.saturating_add(read.repeated);
        done.rejected = done.rejected.saturating_add(read.rejected);
        done.bad_reports = done.bad_reports.saturating_add(u32::from(fault.is_some()));
        let (exchange, name) = (self.exchange.clone(), name.to_owned());
        let tag = hex::encode(digest.get(..4).unwrap_or_default());
        let settled = blocking(move || exchange.settle(&name, ending, &tag)).await;
        settled.map_err(|error| Problem::internal("putting a report away", &error))
    }

    /// Moves orders by the lines of a report. What a crash leaves behind is read again, and is then
    /// told for the second time.
    async fn move_orders(&self, report: &Report, now: Timestamp) -> Result<Read, Problem> {
        let mut read = Read::default();
        for line in report {
            let count = match line {
                Some(line) if self.makes(line, now).await? => &mut read.made,
                Some(line) if self.was_made(line).await? => &mut read.repeated,
                None | Some(_) => &mut read.rejected,
            };
            *count = count.saturating_add(1);
        }
        Ok(read)
    }

    async fn makes(&self, line: &MadeLine, now: Timestamp) -> Result<bool, Problem> {
        let made = sqlx::query(MADE).bind(line.reference).bind(&line.tracking_number);
        let made = made.bind(PgTimestamp(line.created)).bind(PgTimestamp(now));
        let made = made.bind(&line.last_four).execute(self.plastic.pool()).await?;
        Ok(made.rows_affected() == 1)
    }

    async fn was_made(&self, line: &MadeLine) -> Result<bool, Problem> {
        let sql = "SELECT count(*) FROM card_order \
                   WHERE reference = $1 AND personalised_at IS NOT NULL";
        let known = sqlx::query_scalar::<_, i64>(sql).bind(line.reference);
        Ok(known.fetch_one(self.plastic.pool()).await? == 1)
    }

    async fn count(&self) -> Result<(), Problem> {
        let counts = sqlx::query_as::<_, (String, i64)>(COUNT).fetch_all(self.plastic.pool());
        let counts = counts.await?;
        for state in OPEN {
            let of = counts.iter().find(|(name, _)| name == state.name());
            let count = of.map_or(0, |(_, count)| *count);
            gauge!("cardswitch_card_orders", "state" => state.name()).set(count as f64);
        }
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}

fn describe() {
    describe_gauge!(
        "cardswitch_card_orders",
        "Orders of plastic cards on their way, by state; of those that wait for a file \
         api.personalisation.waiting are the most"
    );
    describe_counter!(
        "cardswitch_perso_cards_total",
        "Plastic cards by what was done: sent to the bureau, made by it, linked, refused at linking"
    );
    describe_counter!(
        "cardswitch_perso_lines_total",
        "Lines of the bureau's reports: made, repeated, rejected (none, or about no order of ours)"
    );
    describe_counter!(
        "cardswitch_perso_reports_total",
        "Reports of the bureau: taken, rejected whole, no_end (looked at again)"
    );
    describe_counter!(
        "cardswitch_perso_failed_total",
        "Steps of personalisation that failed and are done again"
    );
}
