//! The runner: it sends what is due, so many at a time, and writes down what came of it. It owns
//! that one endpoint takes no more than its share (one that fails: a single try at a time, and all
//! that fail half of all tries), so that those which hang hold up nobody else; that it sends where
//! no other runner does (`claims`); what is under way is known in memory alone, and after a crash
//! it is sent again with the identifier it had.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use switch_domain::Timestamp;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::claims::Claims;
use super::schedule::Schedule;
use super::signature::signatures;
use super::waiting::{self, Became, Due, Place, Tried};
use super::{EndpointUrl, Outcome, Outgoing, Said, WebhookSecret, WebhookSender, Webhooks};
use crate::Problem;
use crate::service::proof::random;

const MICROS: i64 = 1_000_000;
/// Ends of tries that are written down at a time: each takes a connection.
const SETTLED_AT_ONCE: usize = 3;
/// For so long an endpoint is left alone when the end of a try of it could not be written down.
const REST: Duration = Duration::from_secs(30);

/// A try that is over, or that ended by itself.
type Ended = Result<Tried, tokio::task::JoinError>;

/// Sends messages.
pub struct Runner {
    webhooks: Webhooks,
    sender: Arc<dyn WebhookSender>,
    schedule: Schedule,
    tries: JoinSet<Tried>,
    /// Messages under way, by endpoint.
    under_way: HashMap<i64, Vec<i64>>,
    /// Endpoints with tries under way that had failed when these began.
    failing: HashSet<i64>,
    claims: Claims,
    /// Endpoints whose secret does not open under our key, with what it was.
    foreign: HashMap<i64, Vec<u8>>,
    /// Endpoints of which the end of a try could not be written down, and since when: they would be
    /// sent the same again and again.
    resting: HashMap<i64, Instant>,
    /// The endpoint that was looked at last: the next round begins behind it.
    last: i64,
}

impl Runner {
    /// Over the service, with somebody who sends.
    #[must_use]
    pub fn new(webhooks: Webhooks, sender: Arc<dyn WebhookSender>) -> Self {
        describe();
        let schedule = webhooks.settings().schedule.clone();
        Self {
            webhooks,
            sender,
            schedule,
            tries: JoinSet::new(),
            under_way: HashMap::new(),
            failing: HashSet::new(),
            claims: Claims::default(),
            foreign: HashMap::new(),
            resting: HashMap::new(),
            last: 0,
        }
    }

    /// Sends as long as it is not dropped, by a clock, and looks for what is due this often at the
    /// least. To drop it loses nothing: what was under way is sent again.
    pub async fn run(mut self, now: impl Fn() -> Timestamp, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Whoever has just ended a try looks at once; where it cannot, the next tick does.
            if let Err(problem) = self.begin(now()).await {
                tracing::warn!(%problem, "no webhooks are sent; tried again");
                ticks.tick().await;
            }
            tokio::select! {
                _ = ticks.tick() => {}
                Some(tried) = self.tries.join_next() => self.ended_with(tried, now()).await,
            }
        }
    }

    /// Begins what is due and has room; how many tries.
    ///
    /// # Errors
    /// The database.
    pub async fn begin(&mut self, now: Timestamp) -> Result<usize, Problem> {
        let settings = self.webhooks.settings();
        let (each, all) = (settings.at_once_each, settings.at_once);
        let most = usize::try_from(all).unwrap_or(usize::MAX);
        if self.tries.len() >= most {
            return Ok(0);
        }
        let held = self.claims.are_held().await;
        self.keep_or_give_up(held).await?;
        let mut places = waiting::places(self.webhooks.pool(), now).await?;
        // Round and round, so that where there is no room for all nobody is passed over for ever.
        self.resting.retain(|_, since| since.elapsed() < REST);
        places.retain(|place| !self.resting.contains_key(&place.id));
        let behind = places.partition_point(|place| place.id <= self.last);
        places.rotate_left(behind);
        let mut begun = 0_usize;
        for place in places {
            let share = self.share(&place, (each, most));
            if share == 0 {
                continue;
            }
            let Some(secret) = self.secret_of(&place) else { continue };
            let claimed = self.claims.claim(self.webhooks.pool(), place.id).await;
            if !self.keep_or_give_up(claimed).await? {
                continue;
            }
            let own = self.under_way.get(&place.id).map_or(&[][..], Vec::as_slice);
            let due = waiting::due(self.webhooks.pool(), (place.id, own), now, share).await?;
            self.last = place.id;
            begun = begun.saturating_add(due.len());
            for message in due {
                self.send((&place, &secret), message, now);
            }
            self.let_go_if_idle(place.id).await?;
        }
        gauge!("cardswitch_webhook_tries").set(self.tries.len() as f64);
        Ok(begun)
    }

    /// How many tries more an endpoint may have now.
    fn share(&self, place: &Place, (each, most): (u32, usize)) -> u32 {
        let own = self.under_way.get(&place.id).map_or(0, Vec::len);
        let mut room = most.saturating_sub(self.tries.len());
        let mut share = usize::try_from(each).unwrap_or(usize::MAX);
        if place.fails {
            // However many fail, half of all tries is for those that do not.
            room = room.min((most / 2).max(1).saturating_sub(self.failing.len()));
            share = 1;
        }
        u32::try_from(share.saturating_sub(own).min(room)).unwrap_or(u32::MAX)
    }

    /// What was under way without a claim is somebody else's to send: it is given up, and comes
    /// again by the name it had.
    async fn keep_or_give_up<T>(&mut self, claims: Result<T, Problem>) -> Result<T, Problem> {
        if claims.is_err() {
            self.give_up().await;
        }
        claims
    }

    async fn give_up(&mut self) {
        self.tries.shutdown().await;
        self.under_way.clear();
        self.failing.clear();
    }

    async fn let_go_if_idle(&mut self, endpoint: i64) -> Result<(), Problem> {
        if self.under_way.contains_key(&endpoint) {
            return Ok(());
        }
        self.failing.remove(&endpoint);
        let done = self.claims.let_go(endpoint).await;
        self.keep_or_give_up(done).await
    }

    /// Waits for one try to end, and writes down what came of it; false where none is under way.
    pub async fn end_one(&mut self, now: Timestamp) -> bool {
        let Some(tried) = self.tries.join_next().await else { return false };
        self.ended(vec![tried], now).await;
        true
    }

    /// What has ended meanwhile is written down with it, before anything is looked for again.
    async fn ended_with(&mut self, first: Ended, now: Timestamp) {
        let mut all = vec![first];
        while let Some(tried) = self.tries.try_join_next() {
            all.push(tried);
        }
        self.ended(all, now).await;
    }

    /// Its secret, where it opens under our key; where it does not, the endpoint is another
    /// switch's to send to, and no try is counted.
    fn secret_of(&mut self, place: &Place) -> Option<WebhookSecret> {
        if self.foreign.get(&place.id) == Some(&place.secret) {
            return None;
        }
        match self.webhooks.seal.open_secret(place.public_id, &place.secret) {
            Ok(secret) => {
                self.foreign.remove(&place.id);
                Some(secret)
            }
            Err(_) => {
                let endpoint = place.public_id;
                tracing::error!(%endpoint, "a webhook's secret is under another key than ours");
                self.foreign.insert(place.id, place.secret.clone());
                None
            }
        }
    }

    fn send(&mut self, (place, secret): (&Place, &WebhookSecret), message: Due, now: Timestamp) {
        let outgoing = self.outgoing((place, secret), &message, now.0.div_euclid(MICROS));
        let url = EndpointUrl::parse(&place.url, self.webhooks.settings().addresses);
        let sender = Arc::clone(&self.sender);
        self.under_way.entry(place.id).or_default().push(message.id);
        if place.fails {
            self.failing.insert(place.id);
        }
        let endpoint = place.id;
        self.tries.spawn(async move {
            let began = Instant::now();
            let said = match &url {
                Ok(url) => sender.send(url, outgoing).await,
                // It was registered under other rules.
                Err(_) => Said::nothing(Outcome::RefusedAddress),
            };
            Tried { endpoint, message, began: now, took: began.elapsed(), said }
        });
    }

    fn outgoing(
        &self,
        (place, secret): (&Place, &WebhookSecret),
        due: &Due,
        second: i64,
    ) -> Outgoing {
        let open = |sealed: &[u8]| self.webhooks.seal.open_secret(place.public_id, sealed).ok();
        // One from before that does not open is missed by nobody: the present one signs.
        let previous = place.previous.as_deref().and_then(open);
        let mut keys = vec![secret.bytes()];
        keys.extend(previous.as_ref().map(WebhookSecret::bytes));
        let id = message_id(due.public_id);
        let signatures = signatures(&keys, &id, second, &due.body);
        Outgoing { id, second, signatures, body: due.body.clone() }
    }

    async fn ended(&mut self, ended: Vec<Ended>, now: Timestamp) {
        let mut tries = Vec::with_capacity(ended.len());
        for tried in ended {
            match tried {
                Ok(tried) => tries.push(tried),
                Err(error) => {
                    // A defect of ours: which one it was is not known; all are looked at anew.
                    tracing::error!(%error, "a try of a webhook ended by itself");
                    self.give_up().await;
                    self.claims = Claims::default();
                    return;
                }
            }
        }
        let (pool, schedule) = (self.webhooks.pool(), &self.schedule);
        let settling = tries.iter().map(|tried| {
            let die = random::<1>().map_or(0, |bytes| bytes[0]);
            waiting::settle(pool, schedule, tried, (now, die))
        });
        let settling = futures_util::stream::iter(settling.collect::<Vec<_>>());
        let settled: Vec<_> = settling.buffered(SETTLED_AT_ONCE).collect().await;
        for (tried, settled) in tries.iter().zip(settled) {
            self.settled(tried, settled).await;
        }
    }

    async fn settled(&mut self, tried: &Tried, settled: Result<Became, Problem>) {
        counter!("cardswitch_webhook_tries_total", "outcome" => tried.said.outcome.name())
            .increment(1);
        histogram!("cardswitch_webhook_try_seconds").record(tried.took);
        match settled {
            Ok(became) => count(became),
            // It is sent again: the receiver knows it by its identifier.
            Err(problem) => {
                tracing::warn!(%problem, "the end of a webhook's try is not written down");
                self.resting.insert(tried.endpoint, Instant::now());
            }
        }
        if let Some(own) = self.under_way.get_mut(&tried.endpoint) {
            own.retain(|message| *message != tried.message.id);
            if own.is_empty() {
                self.under_way.remove(&tried.endpoint);
            }
        }
        if let Err(problem) = self.let_go_if_idle(tried.endpoint).await {
            tracing::warn!(%problem, "claims of webhooks are lost; what was under way comes again");
        }
    }
}

/// As headers have it.
fn message_id(id: Uuid) -> String {
    id.hyphenated().to_string()
}

fn count(became: Became) {
    let end = match became {
        Became::Delivered => "delivered",
        Became::Failed => "failed",
        Became::Later | Became::Nothing => return,
    };
    counter!("cardswitch_webhook_messages_total", "end" => end).increment(1);
}

fn describe() {
    describe_counter!(
        "cardswitch_webhook_tries_total",
        "Tries to deliver a webhook, by what came of them: delivered, status, redirect, gone, \
         late, refused_address, unreached"
    );
    describe_counter!(
        "cardswitch_webhook_messages_total",
        "Webhooks that are over: delivered, or failed after the last try of the schedule"
    );
    describe_histogram!(
        "cardswitch_webhook_try_seconds",
        metrics::Unit::Seconds,
        "From the beginning of a try to its end"
    );
    describe_gauge!(
        "cardswitch_webhook_tries",
        "Tries under way, of which api.webhooks.at_once are the most"
    );
    describe_gauge!("cardswitch_webhook_waiting", "Webhooks that wait to be delivered");
    describe_gauge!(
        "cardswitch_webhook_feed_behind",
        "Rows of the journal of which webhooks were not made yet; they are not archived before"
    );
    describe_counter!(
        "cardswitch_webhook_disabled_total",
        "Endpoints that were disabled since too many messages waited (api.webhooks.waiting)"
    );
}
