//! Processors elsewhere are told what they could not be told when it happened: locks and removals
//! that found them away, what the switch does by itself, what comes over a link, and what is done
//! by command. It owns when that is tried. Of each card one thing at a time is told, under its row,
//! and what a switch that died left half told is told by the next.

use std::collections::BTreeSet;
use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, gauge};
use sqlx::{PgConnection, Postgres, Transaction};
use switch_domain::{Card, CardId, Record, Timestamp};
use switch_store::PgTimestamp;
use tokio::time::MissedTickBehavior;

use super::Cards;
use super::heard::{Heard, Known, doubt, heard, mark, renewed};
use super::life::{HOLD, next};
use super::processor::ProcessorFault;
use super::profile;
use super::settings::JobSettings;
use crate::Problem;
use crate::service::follow::{Feed, Follower, feed};
use crate::service::span::micros;
use crate::service::webhooks::cards_changed;

static FEED: Feed = feed!("processor_feed", "cardswitch_processor_feed_behind");

/// Rows of the journal that are looked at in one transaction.
const ROWS: u32 = 256;

const WAITING: &str = "cardswitch_processor_tellings_waiting";
const TOLD: &str = "cardswitch_processor_tellings_total";

/// From here on, where nobody followed before.
const BEGIN: &str = "\
    INSERT INTO processor_feed (shard, seq) SELECT shard, seq FROM projection
    WHERE NOT EXISTS (SELECT FROM processor_feed) ON CONFLICT (shard) DO NOTHING";

const END: &str = "DELETE FROM processor_feed";

/// Of one processor at a time: it has places for who waits for it, and others have their turn.
const SHARE: i64 = 2;

/// Those that are due, a few of each processor: whoever else takes meanwhile gets others.
const TAKE: &str = "\
    UPDATE processor_telling SET attempts = attempts + 1,
        next_at = $1
            + least($3::int8 * 2 ^ least(attempts, 30), $4::int8) * interval '1 microsecond'
    WHERE card_id IN (
        SELECT card_id FROM processor_telling WHERE card_id IN (
            SELECT card_id FROM (
                SELECT t.card_id, t.next_at, row_number() OVER (
                    PARTITION BY p.processor ORDER BY t.next_at, t.card_id) AS place
                FROM processor_telling AS t LEFT JOIN card_profile AS p USING (card_id)
                WHERE t.waits AND t.next_at <= $1) AS due
            WHERE place <= $5 ORDER BY next_at LIMIT $2)
        AND waits AND next_at <= $1 FOR UPDATE SKIP LOCKED)
    RETURNING card_id";

const KNOWN: &str = "\
    SELECT is_active, stopped_by, is_retired, lock_in_doubt, was_renewed, renewed_to, marks,
        doubts
    FROM processor_telling WHERE card_id = $1";

const ENDED: &str = "\
    UPDATE processor_telling SET waits = false, refused_at = $3 WHERE card_id = $1 AND marks = $2";

/// What a try came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It has heard everything already.
    Known,
    Told,
    Refused,
    Again,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Told => "told",
            Self::Refused => "refused",
            Self::Again => "again",
        }
    }
}

/// Marks the cards of which records say something.
struct Marks;

impl Follower for Marks {
    async fn take(
        &self,
        connection: &mut PgConnection,
        records: Vec<Record>,
        now: Timestamp,
    ) -> Result<u64, Problem> {
        let (mut cards, mut later) = (BTreeSet::new(), Vec::new());
        for change in records.into_iter().flat_map(cards_changed) {
            cards.insert(change.card.0);
            later.extend(change.is_renewal.then_some(change.card.0));
        }
        if cards.is_empty() {
            return Ok(0);
        }
        let cards: Vec<i64> = cards.into_iter().collect();
        let marked = mark(&mut *connection, &cards, (now, now)).await?;
        if !later.is_empty() {
            renewed(connection, &later).await?;
        }
        Ok(marked)
    }
}

impl Cards {
    /// Tells what waits as long as it is not dropped, by a clock, with a pause after each step that
    /// left nothing to be told. To drop it loses nothing. Without processors elsewhere it only
    /// sees that the journal is not kept for them.
    pub async fn run_tellings(self, now: impl Fn() -> Timestamp, every: Duration) {
        describe();
        let follows = self.processors.are_elsewhere();
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        if !follows {
            while let Err(error) = sqlx::query(END).execute(self.pool()).await {
                tracing::warn!(%error, "the journal is kept for nobody: once more");
                ticks.tick().await;
            }
            return std::future::pending().await;
        }
        // A processor that takes its time keeps nobody from following.
        tokio::join!(self.follow(&now, every), async {
            loop {
                let more = self.tell_step(now()).await.unwrap_or_else(|problem| {
                    tracing::warn!(%problem, "not every processor is told; tried again");
                    false
                });
                if !more {
                    ticks.tick().await;
                }
            }
        });
    }

    async fn follow(&self, now: &impl Fn() -> Timestamp, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let more = self.follow_step(now()).await.unwrap_or_else(|problem| {
                tracing::warn!(%problem, "processors hear nothing of the journal; tried again");
                false
            });
            if !more {
                ticks.tick().await;
            }
        }
    }

    /// Follows the journal a little; whether there is more.
    async fn follow_step(&self, now: Timestamp) -> Result<bool, Problem> {
        // Each time: on the first start there may be no shard in the tables yet.
        sqlx::query(BEGIN).execute(self.pool()).await?;
        Ok(FEED.step(self.pool(), &Marks, (ROWS, now)).await?.more)
    }

    /// Tells what is due; whether there was anything.
    async fn tell_step(&self, now: Timestamp) -> Result<bool, Problem> {
        let JobSettings { at_once, pause, pause_most, .. } = self.settings.jobs;
        let taking = sqlx::query_scalar(TAKE).bind(PgTimestamp(now)).bind(i64::from(at_once));
        let taking = taking.bind(micros(pause)).bind(micros(pause_most)).bind(SHARE);
        let taken: Vec<i64> = taking.fetch_all(self.pool()).await?;
        let any = !taken.is_empty();
        let mut telling = tokio::task::JoinSet::new();
        for card in taken.into_iter().map(CardId) {
            let this = self.clone();
            telling.spawn(async move { (card, this.tell_one(card, now).await) });
        }
        while let Some(ended) = telling.join_next().await {
            let (card, ended) = ended.map_err(|error| Problem::internal("telling", &error))?;
            let outcome = ended.unwrap_or_else(|problem| {
                tracing::warn!(card = card.0, %problem, "a processor is not told; tried again");
                Outcome::Again
            });
            counter!(TOLD, "outcome" => outcome.name()).increment(1);
        }
        let waiting = sqlx::query_scalar("SELECT count(*) FROM processor_telling WHERE waits");
        let waiting: i64 = waiting.fetch_one(self.pool()).await?;
        gauge!(WAITING).set(waiting as f64);
        Ok(any)
    }

    /// Tells a card's processor what the card is, where it has not heard it.
    async fn tell_one(&self, card: CardId, now: Timestamp) -> Result<Outcome, Problem> {
        let _turn = self.turns.take(card).await?;
        // Written down before it is asked: nobody may know afterwards what came of it.
        let mut transaction = self.hold(card).await?;
        let (known, found) = self.seen(&mut transaction, card).await?;
        let wanted = known.to_tell(&found);
        if wanted.is_empty() {
            end(&mut transaction, card, (known, None)).await?;
            transaction.commit().await?;
            return Ok(Outcome::Known);
        }
        for one in &wanted {
            doubt(&mut transaction, card, *one).await?;
        }
        transaction.commit().await?;
        let mut transaction = self.hold(card).await?;
        let (known, found) = self.seen(&mut transaction, card).await?;
        let (mut has_heard, mut outcome) = (Vec::new(), Outcome::Told);
        for one in known.to_tell(&found) {
            // What came in between is in no doubt yet: it has its turn after this.
            if !wanted.contains(&one) {
                outcome = Outcome::Again;
                continue;
            }
            // One that is not taken keeps no other back.
            match self.tell(&mut transaction, &found, one).await? {
                Ok(()) => has_heard.push(one),
                Err(ProcessorFault::Refused) if outcome != Outcome::Again => {
                    outcome = Outcome::Refused;
                }
                Err(ProcessorFault::Refused) => {}
                Err(ProcessorFault::Unavailable) => outcome = Outcome::Again,
            }
        }
        for one in has_heard {
            heard(&mut transaction, card, (one, known.doubts, now)).await?;
        }
        match outcome {
            Outcome::Again => {}
            Outcome::Refused => end(&mut transaction, card, (known, Some(now))).await?,
            Outcome::Known | Outcome::Told => end(&mut transaction, card, (known, None)).await?,
        }
        transaction.commit().await?;
        Ok(outcome)
    }

    /// A transaction in which nobody else tells or changes anything of this card over the API.
    async fn hold(&self, card: CardId) -> Result<Transaction<'static, Postgres>, Problem> {
        let mut transaction = self.pool().begin().await?;
        let held = sqlx::query(HOLD).bind(card.0).fetch_optional(&mut *transaction).await?;
        let missing = || Problem::internal("telling a processor", &"its card is not noted yet");
        held.map(|_| transaction).ok_or_else(missing)
    }

    /// What its processor has heard, and then what the card is: not the other way round, or what
    /// became of it in between would be taken for heard.
    async fn seen(
        &self,
        transaction: &mut PgConnection,
        card: CardId,
    ) -> Result<(Known, Card), Problem> {
        let row = sqlx::query(KNOWN).bind(card.0).fetch_one(transaction).await?;
        let missing = || Problem::internal("telling a processor", &"there is no such card");
        let found = self.services.node.card(card).await.ok_or_else(missing)?;
        Ok((Known::read(&row)?, found))
    }

    /// Tells one thing. What came late is known by its turn, and to do any of these again changes
    /// nothing.
    async fn tell(
        &self,
        transaction: &mut PgConnection,
        card: &Card,
        what: Heard,
    ) -> Result<Result<(), ProcessorFault>, Problem> {
        let profile = profile::one(&mut *transaction, card).await?;
        let (processor, named) = self.its_processor(&profile)?;
        if !processor.is_told() {
            return Ok(Ok(()));
        }
        let told = next(transaction, named).await?;
        Ok(match what {
            Heard::Active => processor.activate(told).await,
            Heard::Month(until) => processor.renew(told, until).await,
            Heard::Lock(Some(code)) => processor.stop(told, code).await,
            Heard::Lock(None) => processor.unstop(told).await,
            Heard::Retired => processor.retire(told).await,
        })
    }
}

/// Nothing waits any more, unless something became of the card meanwhile.
async fn end(
    connection: &mut PgConnection,
    card: CardId,
    (known, refused): (Known, Option<Timestamp>),
) -> Result<(), Problem> {
    let ending = sqlx::query(ENDED).bind(card.0).bind(known.marks);
    ending.bind(refused.map(PgTimestamp)).execute(connection).await?;
    Ok(())
}

fn describe() {
    describe_gauge!(WAITING, "Cards of which a processor elsewhere has something to hear");
    describe_counter!(TOLD, "Tries to tell a processor what it has not heard, by outcome");
    describe_gauge!(FEED.gauge, "Rows of the journal that were not looked at for processors");
}
