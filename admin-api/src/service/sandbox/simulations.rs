//! Simulations as partners ask for them. It owns that a card is simulated for its own partner
//! alone, that a simulation is followed by who asked for it, which problem each fault is, and how
//! the authorization behind a simulation is found.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use switch_domain::{Currency, MinorUnits, PartnerId, Timestamp};
use switch_store::PgTimestamp;
use tokio::time::{Instant, MissedTickBehavior};
use uuid::Uuid;

use super::{Act, Following, Played, Presented, Said, Sandbox, SandboxFault, Simulation, Terminal};
use crate::Problem;
use crate::service::Services;
use crate::service::cards::Cards;
use crate::service::personalisation::{OrderState, PlasticOrder, Steps};

/// The tables follow behind the answer: for so long an authorization is looked for.
const LOOKED_FOR: Duration = Duration::from_secs(3);
/// And so often.
const LOOKS: Duration = Duration::from_millis(20);
/// A simulation that is asked for again was played this long ago at most: an hour in microseconds.
const AGO: i64 = 3_600_000_000;

const FOUND: &str = "\
    SELECT id FROM card_authorization
    WHERE card_id = $1 AND stan = $2 AND rrn = $3 AND class = $4 AND decided_at > $5
    ORDER BY decided_at DESC LIMIT 1";

/// A card that is to be presented.
#[derive(Clone, Debug)]
pub struct NewAuthorization {
    /// As paths name it.
    pub card: String,
    /// For how much.
    pub amount: MinorUnits,
    /// In which currency.
    pub currency: Currency,
    /// How, and where.
    pub at: Terminal,
}

/// What follows a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// A network approved it in our stead.
    Advice,
    /// It is settled.
    Clearing,
    /// It is given back.
    Refund,
    /// It is taken back.
    Reversal,
}

/// What came of a simulation.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The message and its answer.
    pub played: Played,
    /// What the switch calls the authorization, where it has one and the tables had it in time.
    pub authorization: Option<i64>,
}

/// The service of simulations. Cloning gives another handle.
#[derive(Clone)]
pub struct Simulations {
    services: Services,
    cards: Cards,
    /// What is done about plastic, where any is made.
    plastic: Option<Arc<Steps>>,
    sandbox: Arc<dyn Sandbox>,
}

impl Simulations {
    /// Over the other services, played by this one.
    #[must_use]
    pub fn new(
        (services, cards): (Services, Cards),
        plastic: Option<Steps>,
        sandbox: Arc<dyn Sandbox>,
    ) -> Self {
        Self { services, cards, plastic: plastic.map(Arc::new), sandbox }
    }

    /// Presents a card of the partner; asked for again under the same name, it is not presented
    /// again.
    ///
    /// # Errors
    /// `NOT_FOUND`: the card. `CONFLICT`: it is no test card. `SANDBOX_UNAVAILABLE`,
    /// `SANDBOX_TIMEOUT`, `OVERLOADED`: nobody plays it now.
    pub async fn authorize(
        &self,
        (partner, id): (PartnerId, Uuid),
        new: NewAuthorization,
        now: Timestamp,
    ) -> Result<Outcome, Problem> {
        let NewAuthorization { card, amount, currency, at } = new;
        let card = self.cards.of_partner(partner, &card).await?.card;
        let pan = self.services.number_of(card.vault).await?;
        let (card, expiry) = (card.id, card.expiry);
        let presented = Presented { card, pan, expiry, amount, currency, at };
        let act = Act::Authorization(Box::new(presented));
        self.play((partner, id), act, (Some("authorization"), now)).await
    }

    /// Goes on with a simulation of the partner.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is none. `CONFLICT`: that does not go with it. Others as of
    /// [`Self::authorize`].
    pub async fn follow(
        &self,
        (partner, id): (PartnerId, Uuid),
        (follow, following): (Follow, Following),
        now: Timestamp,
    ) -> Result<Outcome, Problem> {
        let (act, class) = match follow {
            Follow::Advice => (Act::Advice(following), Some("authorization_advice")),
            Follow::Clearing => (Act::Clearing(following), Some("financial_advice")),
            Follow::Refund => (Act::Refund(following), Some("financial_advice")),
            // It is none of its own.
            Follow::Reversal => (Act::Reversal(following), None),
        };
        self.play((partner, id), act, (class, now)).await
    }

    /// Has the bureau work, so that an order's card is made, reported and linked. What else waits
    /// for the bureau is made with it.
    ///
    /// # Errors
    /// `NOT_FOUND`: the order. `CONFLICT`: no plastic is made here, or by the simulator. Others as
    /// of [`Self::authorize`].
    pub async fn ship(
        &self,
        (owner, id): ((PartnerId, Uuid), Uuid),
        order: Uuid,
        now: Timestamp,
    ) -> Result<PlasticOrder, Problem> {
        let none = || Problem::new("CONFLICT", "no plastic cards are made here");
        let steps = self.plastic.as_ref().ok_or_else(none)?;
        let known = steps.plastic().order_of(owner, order).await?;
        if matches!(known.state, OrderState::Linked | OrderState::Refused) {
            return Ok(known);
        }
        // Its record goes into a file, if it is in none; and what the bureau says of it is read.
        steps.step(now).await?;
        let simulation = Simulation { id, owner: owner.0, act: Act::Shipment };
        self.said(simulation).await?;
        steps.step(now).await?;
        steps.plastic().order_of(owner, order).await
    }

    async fn play(
        &self,
        (owner, id): (PartnerId, Uuid),
        act: Act,
        (class, now): (Option<&'static str>, Timestamp),
    ) -> Result<Outcome, Problem> {
        let Said::Played(played) = self.said(Simulation { id, owner, act }).await? else {
            return Err(problem(SandboxFault::BadAnswer));
        };
        let authorization = match class {
            Some(class) => self.found(&played, class, now).await?,
            None => None,
        };
        Ok(Outcome { played: *played, authorization })
    }

    async fn said(&self, simulation: Simulation) -> Result<Said, Problem> {
        let act = simulation.act.name();
        let said = self.sandbox.simulate(simulation).await;
        let result = said.as_ref().map_or_else(|fault| fault.name(), |_| "done");
        counter!("cardswitch_sandbox_total", "act" => act, "result" => result).increment(1);
        said.map_err(problem)
    }

    /// The authorization that a message became. A message that was refused for its form, or that
    /// only says what was known, is none.
    async fn found(
        &self,
        played: &Played,
        class: &str,
        now: Timestamp,
    ) -> Result<Option<i64>, Problem> {
        let until = Instant::now() + LOOKED_FOR;
        let mut looks = tokio::time::interval(LOOKS);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let since = PgTimestamp(Timestamp(now.0.saturating_sub(AGO)));
        let stan = i32::try_from(played.stan).unwrap_or_default();
        loop {
            looks.tick().await;
            let found = sqlx::query_scalar(FOUND).bind(played.card.0).bind(stan);
            let found = found.bind(&played.rrn).bind(class).bind(since);
            let found = found.fetch_optional(self.services.store.pool()).await?;
            if found.is_some() || Instant::now() >= until {
                return Ok(found);
            }
        }
    }
}

/// What a caller is told of a fault.
fn problem(fault: SandboxFault) -> Problem {
    let code = match fault {
        SandboxFault::Unreachable
        | SandboxFault::BadAnswer
        | SandboxFault::NoLink
        | SandboxFault::NoBureau => "SANDBOX_UNAVAILABLE",
        SandboxFault::Late | SandboxFault::Silent => "SANDBOX_TIMEOUT",
        SandboxFault::Busy => "OVERLOADED",
        SandboxFault::Unknown => "NOT_FOUND",
        SandboxFault::InProgress => "REQUEST_IN_PROGRESS",
        SandboxFault::NotATestCard | SandboxFault::Unfit => "CONFLICT",
    };
    Problem::new(code, fault.to_string())
}
