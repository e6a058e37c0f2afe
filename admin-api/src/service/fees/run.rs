//! The run over periods that are over (SR-242). It owns that each period is looked through once,
//! card by card behind a watermark that moves in one transaction with what the cards owe: a run
//! that is killed anywhere is gone on with, and neither misses a card nor has one charged twice. Of
//! several switches over one database one looks at a time.

use std::time::Duration;

use jiff::civil::Date;
use metrics::counter;
use sqlx::Row;
use switch_domain::{FeeEvent, FeeSchedule, Timestamp};
use switch_store::PgTimestamp;
use tokio::time::MissedTickBehavior;

use super::Fees;
use super::due::{Schedules, cards, owing};
use super::owed::insert;
use super::period::{PERIODIC, Period, day_of};
use crate::Problem;
use crate::service::claim::Claim;
use crate::service::span::before;

/// Of several switches over one database one runs: who holds this.
const CLAIM: &str = "cardswitch fees";

const LATEST: &str = "\
    SELECT first_day::text AS first, done_at IS NOT NULL AS is_done FROM fee_period
    WHERE event = $1 ORDER BY first_day DESC LIMIT 1";

const BEGIN: &str = "\
    INSERT INTO fee_period (event, first_day) VALUES ($1, $2::text::date) ON CONFLICT DO NOTHING";

/// Who looks through a period holds its row: a second one waits, and finds where the first was.
const FAR: &str = "\
    SELECT behind FROM fee_period
    WHERE event = $1 AND first_day = $2::text::date AND done_at IS NULL FOR UPDATE";

const MOVE: &str =
    "UPDATE fee_period SET behind = $3 WHERE event = $1 AND first_day = $2::text::date";

const END: &str =
    "UPDATE fee_period SET done_at = $3 WHERE event = $1 AND first_day = $2::text::date";

/// The latest one says from where to go on; those before it are of no more use.
const TRIM: &str = "\
    DELETE FROM fee_period
    WHERE event = $1 AND first_day < $2::text::date AND done_at IS NOT NULL";

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// Periods whose cards were looked through.
    pub periods: u64,
    /// Fees that cards owe for them.
    pub owed: u64,
    /// Fees that were charged or invoiced, of acts as well.
    pub settled: u64,
}

/// Runs again and again.
pub struct Runner {
    fees: Fees,
    claim: Claim,
}

impl Runner {
    /// Over the service.
    #[must_use]
    pub const fn new(fees: Fees) -> Self {
        Self { fees, claim: Claim::on(CLAIM) }
    }

    /// Looks this often, as long as it is not dropped: which loses nothing.
    pub async fn run(mut self, now: impl Fn() -> Timestamp, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(problem) = self.round(now()).await {
                tracing::warn!(%problem, "fees are not charged; tried again");
            }
        }
    }

    async fn round(&mut self, now: Timestamp) -> Result<(), Problem> {
        let node = &self.fees.services.node;
        // By a clock that is wrong no period is over.
        let may = node.is_serving() && node.clock_fault().is_none();
        if !may || !self.claim.is_ours(self.fees.pool()).await? {
            return Ok(());
        }
        let today = day_of(before(now, self.fees.settings.settles));
        if let Some(today) = today {
            self.fees.run(today, now).await?;
        }
        self.fees.count_owed().await
    }
}

impl Fees {
    /// Looks through the periods that were over when this day began, and charges what is due.
    ///
    /// # Errors
    /// The database: what was done is done, and gone on with the next time.
    pub async fn run(&self, today: Date, now: Timestamp) -> Result<Ran, Problem> {
        let mut ran = Ran::default();
        // What cannot be done of one holds up none of the others.
        let settled = self.settle(now).await;
        let mut failed = None;
        for event in PERIODIC {
            failed = self.periods_of(event, (today, now), &mut ran).await.err().or(failed);
        }
        ran.settled = ran.settled.saturating_add(settled?);
        failed.map_or(Ok(ran), Err)
    }

    async fn periods_of(
        &self,
        event: FeeEvent,
        (today, now): (Date, Timestamp),
        ran: &mut Ran,
    ) -> Result<(), Problem> {
        while let Some(period) = self.next_of(event, today).await? {
            self.look_through(period, now, ran).await?;
            ran.periods = ran.periods.saturating_add(1);
            counter!("cardswitch_fee_periods_total").increment(1);
        }
        Ok(())
    }

    /// The same as of a day that somebody names.
    ///
    /// # Errors
    /// `INVALID_REQUEST`: it has not come yet. As [`Fees::run`].
    pub async fn run_on(&self, day: Option<Date>, now: Timestamp) -> Result<Ran, Problem> {
        let none = || Problem::internal("reading the clock", &"there is no such day");
        let today = day_of(now).ok_or_else(none)?;
        let day = day.unwrap_or(today);
        if day > today && !self.settings.takes_days_to_come {
            let what = "a day that has come: what is not over is charged to nobody";
            return Err(Problem::field("on", what));
        }
        self.run(day, now).await
    }

    /// The next one that was over when this day began, and is to be looked through: behind the
    /// latest, or, of the first there ever is, the last one.
    async fn next_of(&self, event: FeeEvent, today: Date) -> Result<Option<Period>, Problem> {
        let Some(last) = Period::over(event, today) else { return Ok(None) };
        let name = event.name();
        let row = sqlx::query(LATEST).bind(&name).fetch_optional(self.pool()).await?;
        let next = match row {
            None => Some(last),
            Some(row) => {
                let first: String = row.try_get("first")?;
                let unknown = || Problem::internal("reading a period", &"it has no first day");
                let first: Date = first.parse().map_err(|_| unknown())?;
                let latest = Period::around(event, first);
                let is_done: bool = row.try_get("is_done")?;
                latest.and_then(|one| if is_done { one.next() } else { Some(one) })
            }
        };
        let Some(next) = next.filter(|next| next.end <= last.end) else { return Ok(None) };
        let begun = sqlx::query(BEGIN).bind(&name).bind(next.first.to_string());
        begun.execute(self.pool()).await?;
        Ok(Some(next))
    }

    async fn look_through(
        &self,
        period: Period,
        now: Timestamp,
        ran: &mut Ran,
    ) -> Result<(), Problem> {
        let schedules = self.schedules_for(period.event);
        let waives = |one: &FeeSchedule| one.monthly_waived_from().is_some();
        if period.event == FeeEvent::CardMonthly && schedules.values().any(waives) {
            self.sum_up(period).await?;
        }
        loop {
            let owed = self.look_at_some(period, &schedules, now).await?;
            let settled = self.settle(now).await?;
            ran.settled = ran.settled.saturating_add(settled);
            let Some(owed) = owed else { return Ok(()) };
            ran.owed = ran.owed.saturating_add(owed);
        }
    }

    /// Programmes that charge for a period, with their schedules.
    fn schedules_for(&self, event: FeeEvent) -> Schedules {
        let control = self.services.node.control();
        let charges = |one: &FeeSchedule| one.rules().iter().any(|rule| rule.event == event);
        let charging = control.fees().filter(|(_, schedule)| charges(schedule));
        charging.map(|(programme, schedule)| (programme, schedule.clone())).collect()
    }

    /// The next cards: what they owe, and that they were looked at. None where there are no more.
    async fn look_at_some(
        &self,
        period: Period,
        schedules: &Schedules,
        now: Timestamp,
    ) -> Result<Option<u64>, Problem> {
        let (name, first) = (period.event.name(), period.first.to_string());
        let mut transaction = self.pool().begin().await?;
        let far = sqlx::query_scalar::<_, i64>(FAR).bind(&name).bind(&first);
        let Some(behind) = far.fetch_optional(&mut *transaction).await? else { return Ok(None) };
        let most = self.settings.cards_at_once;
        let found = match schedules.is_empty() {
            true => Vec::new(),
            false => cards(&mut transaction, schedules, (period, behind), most).await?,
        };
        let Some(last) = found.last().map(|card| card.id.0) else {
            let ended = sqlx::query(END).bind(&name).bind(&first).bind(PgTimestamp(now));
            ended.execute(&mut *transaction).await?;
            sqlx::query(TRIM).bind(&name).bind(&first).execute(&mut *transaction).await?;
            transaction.commit().await?;
            return Ok(None);
        };
        let asked = (period, self.settings.dormant_months);
        let owing = owing(&mut transaction, schedules, asked, found).await?;
        let most = self.settings.waiting_most;
        let owed = insert(&mut transaction, &owing, (most, now)).await?;
        let moved = sqlx::query(MOVE).bind(&name).bind(&first).bind(last);
        moved.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Some(owed))
    }
}
