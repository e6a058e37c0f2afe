//! The feeder: it follows the journal (`service/follow`) and makes messages of what partners asked
//! to be told. It owns `webhook_feed`. The journal is the outbox here: what is committed stands
//! there in the order in which it was decided, and messages are made in one transaction with the
//! position up to which they were, so that each is made once. It reads no row that is not
//! projected, for what a message says beside the record stands in the tables. Where there is no
//! endpoint, nothing is read.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{Country, Record, Timestamp};
use switch_store::PgTimestamp;
use tokio::time::MissedTickBehavior;

use super::bodies::{self, Before, CardFacts, Known};
use super::facts::{About, Fact, external, facts};
use super::{EventKind, Webhooks, outbox};
use crate::Problem;
use crate::service::follow::{Feed, Follower, feed};

static FEED: Feed = feed!("webhook_feed", "cardswitch_webhook_feed_behind");

const WHO_ASKED: &str = "\
    SELECT id, partner_id, kinds, created_at FROM webhook_endpoint
    WHERE state = 'ENABLED' AND removed_at IS NULL ORDER BY id";

const CARDS: &str = "\
    SELECT card.id, card.partner_id, pan_vault.last_four, handle.public_id
    FROM card JOIN pan_vault ON pan_vault.id = card.vault_row
    LEFT JOIN balance_handle AS handle ON handle.balance_id = card.balance_id
    WHERE card.id = ANY ($1)";

const BALANCES: &str = "\
    SELECT balance_id, public_id FROM balance_handle WHERE balance_id = ANY ($1)";

const AUTHORIZATIONS: &str = "\
    SELECT id, partner_id, card_id, decided_at, currency, rrn, stan::int8 AS stan, channel,
        entry_mode, mcc, merchant, country, transaction_type
    FROM card_authorization WHERE id = ANY ($1)";

const MAKE: &str = "\
    INSERT INTO webhook_message (public_id, endpoint_id, kind, ordering_key, body, made_at, next_at)
    SELECT gen_random_uuid(), new.endpoint, new.kind, new.key, new.body, new.at, $6
    FROM UNNEST($1::int8[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
        WITH ORDINALITY AS new (endpoint, kind, key, body, at, place)
    ORDER BY new.place";

/// What a step made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// Rows of the journal that were read.
    pub rows: u64,
    /// Messages that were made of them.
    pub messages: u64,
    /// Whether there is more to be read at once.
    pub more: bool,
}

/// Follows the journal.
pub struct Feeder {
    webhooks: Webhooks,
}

/// Who wants to be told of what, and from when on.
struct Asked {
    endpoint: i64,
    kinds: Vec<EventKind>,
    since: Timestamp,
}

type ByPartner = HashMap<i64, Vec<Asked>>;

/// Messages to be, column by column.
#[derive(Default)]
struct Made {
    endpoints: Vec<i64>,
    kinds: Vec<&'static str>,
    keys: Vec<String>,
    bodies: Vec<String>,
    at: Vec<PgTimestamp>,
}

impl Feeder {
    /// Over the service.
    #[must_use]
    pub const fn new(webhooks: Webhooks) -> Self {
        Self { webhooks }
    }

    /// Follows as long as it is not dropped, and looks this often at the least. To drop it loses
    /// nothing.
    pub async fn run(self, now: impl Fn() -> Timestamp, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            match self.step(now()).await {
                Ok(fed) if fed.more => tokio::task::yield_now().await,
                Ok(_) => {
                    ticks.tick().await;
                }
                Err(problem) => {
                    tracing::warn!(%problem, "no webhooks are made of the journal; tried again");
                    ticks.tick().await;
                }
            }
        }
    }

    /// Reads some rows of each shard, and makes messages of them.
    ///
    /// # Errors
    /// The database; a row that cannot be read. The other shards went on.
    pub async fn step(&self, now: Timestamp) -> Result<Fed, Problem> {
        let most = self.webhooks.settings().rows_at_once;
        let followed = FEED.step(self.webhooks.pool(), &Makes, (most, now)).await?;
        Ok(Fed { rows: followed.rows, messages: followed.made, more: followed.more })
    }
}

/// Makes messages of records.
struct Makes;

impl Follower for Makes {
    async fn take(
        &self,
        connection: &mut PgConnection,
        records: Vec<Record>,
        now: Timestamp,
    ) -> Result<u64, Problem> {
        let asked = who_asked(connection).await?;
        let all = records.into_iter().flat_map(facts);
        let all: Vec<Fact> = all.filter(|fact| is_asked_for(&asked, fact)).collect();
        let known = known(connection, &all).await?;
        let mut made = Made::default();
        for fact in &all {
            made.tell(fact, &asked, &known);
        }
        made.write(connection, now).await
    }
}

/// What nobody can want is not looked up.
fn is_asked_for(asked: &ByPartner, fact: &Fact) -> bool {
    let wants = |one: &Asked| one.wants(fact);
    match fact.partner {
        Some(partner) => asked.get(&partner.0).is_some_and(|all| all.iter().any(wants)),
        None => asked.values().flatten().any(wants),
    }
}

impl Asked {
    fn wants(&self, fact: &Fact) -> bool {
        fact.at >= self.since && self.kinds.contains(&fact.kind)
    }
}

impl Made {
    /// Whoever asked for it is told.
    fn tell(&mut self, fact: &Fact, asked: &ByPartner, known: &Known) {
        let Some((partner, key, body)) = body_of(fact, known) else { return };
        let text = outbox::text(fact.kind, body);
        for one in asked.get(&partner).into_iter().flatten().filter(|one| one.wants(fact)) {
            self.endpoints.push(one.endpoint);
            self.kinds.push(fact.kind.name());
            self.keys.push(key.clone());
            self.bodies.push(text.clone());
            self.at.push(PgTimestamp(fact.at));
        }
    }

    async fn write(&self, connection: &mut PgConnection, now: Timestamp) -> Result<u64, Problem> {
        if self.endpoints.is_empty() {
            return Ok(0);
        }
        let done = sqlx::query(MAKE)
            .bind(&self.endpoints)
            .bind(&self.kinds)
            .bind(&self.keys)
            .bind(&self.bodies)
            .bind(&self.at)
            .bind(PgTimestamp(now))
            .execute(connection)
            .await?;
        Ok(done.rows_affected())
    }
}

/// Whose a fact is, in the order of what it is told, and what is said; `None` where it is nobody's:
/// a card number of no card of ours.
fn body_of(fact: &Fact, known: &Known) -> Option<(i64, String, serde_json::Value)> {
    let of_card = |card: i64| format!("card:{card}");
    match &fact.about {
        About::Answered(made) => {
            let key = made
                .card
                .map_or_else(|| format!("authorization:{}", made.id.0), |card| of_card(card.0));
            let body = bodies::answered(fact.kind, fact.at, made, known);
            Some((made.partner?.0, key, body))
        }
        About::Later(later) => {
            let before = known.authorizations.get(&later.authorization)?;
            let key = before
                .card
                .map_or_else(|| format!("authorization:{}", later.authorization), of_card);
            Some((before.partner?, key, bodies::later(fact.at, later, before, known)))
        }
        About::Fee(fee) => {
            let of_account = || format!("balance:{}", fee.balance.0);
            let key = fee.card.map_or_else(of_account, |card| of_card(card.0));
            Some((fee.partner.0, key, bodies::fee(fact.at, fee, known)))
        }
        About::Card(id, now) => {
            let card = known.cards.get(&id.0)?;
            Some((card.partner, of_card(id.0), bodies::card(fact.at, (id.0, *now), card)))
        }
    }
}

async fn who_asked(connection: &mut PgConnection) -> Result<ByPartner, Problem> {
    let mut asked = ByPartner::new();
    for row in sqlx::query(WHO_ASKED).fetch_all(connection).await? {
        let kinds: Vec<String> = row.try_get("kinds")?;
        let one = Asked {
            endpoint: row.try_get("id")?,
            kinds: kinds.iter().filter_map(|name| EventKind::named(name)).collect(),
            since: row.try_get::<PgTimestamp, _>("created_at")?.0,
        };
        asked.entry(row.try_get("partner_id")?).or_default().push(one);
    }
    Ok(asked)
}

/// What the tables say of the cards and authorizations that these are about.
async fn known(connection: &mut PgConnection, all: &[Fact]) -> Result<Known, Problem> {
    let (mut cards, mut authorizations) = (BTreeSet::new(), BTreeSet::new());
    let mut balances = BTreeSet::new();
    for fact in all {
        match &fact.about {
            About::Answered(made) => {
                cards.extend(made.card.map(|card| card.0));
                authorizations.extend(made.completes.map(|one| one.authorization.0));
            }
            About::Later(later) => {
                authorizations.insert(later.authorization);
            }
            About::Card(card, _) => {
                cards.insert(card.0);
            }
            About::Fee(fee) => {
                balances.insert(fee.balance.0);
            }
        }
    }
    let mut known = Known::default();
    if !balances.is_empty() {
        let ids: Vec<i64> = balances.into_iter().collect();
        let names = sqlx::query_as(BALANCES).bind(ids).fetch_all(&mut *connection).await?;
        known.balances = names.into_iter().collect();
    }
    if !authorizations.is_empty() {
        let names: Vec<i64> = authorizations.into_iter().collect();
        let rows = sqlx::query(AUTHORIZATIONS).bind(names).fetch_all(&mut *connection).await?;
        for row in &rows {
            let before = before(row)?;
            cards.extend(before.card);
            known.authorizations.insert(row.try_get("id")?, before);
        }
    }
    if !cards.is_empty() {
        let names: Vec<i64> = cards.into_iter().collect();
        for row in sqlx::query(CARDS).bind(names).fetch_all(connection).await? {
            let card = CardFacts {
                partner: row.try_get("partner_id")?,
                last_four: row.try_get("last_four")?,
                balance: row.try_get("public_id")?,
            };
            known.cards.insert(row.try_get("id")?, card);
        }
    }
    Ok(known)
}

fn before(row: &PgRow) -> Result<Before, Problem> {
    let (rrn, stan): (String, i64) = (row.try_get("rrn")?, row.try_get("stan")?);
    let country: Option<i16> = row.try_get("country")?;
    let country = country.and_then(|code| u16::try_from(code).ok());
    let country = country.and_then(|code| Country::from_numeric(code).ok());
    let kind: Option<String> = row.try_get("transaction_type")?;
    Ok(Before {
        partner: row.try_get("partner_id")?,
        card: row.try_get("card_id")?,
        at: row.try_get::<PgTimestamp, _>("decided_at")?.0,
        currency: bodies::currency(row.try_get("currency")?),
        external: external(&rrn, u64::try_from(stan).unwrap_or_default()),
        channel: row.try_get("channel")?,
        entry: row.try_get("entry_mode")?,
        mcc: row.try_get("mcc")?,
        merchant: row.try_get("merchant")?,
        country: country.map(Country::alpha3),
        credit: kind.as_deref() == Some("refund"),
    })
}
