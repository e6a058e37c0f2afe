//! The terminals: each has a connection and some cards, and does with one after the other what the
//! plan says, at a pace. Must send nothing of a card before the answer about it has come.

use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use jiff::tz::Offset;
use rand::RngExt;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::plan::{Place, Step, step};
use super::report::Report;
use crate::acquirer::{Acquirer, Channel, Purchase, purchase};
use crate::chip::{Flaw, Sale, SimulatedCard};
use crate::demo_file::{DemoFile, TestCard, VerifiedCards};
use crate::iso::Message;

/// Connections.
const TERMINALS: usize = 4;
/// Where the terminals stand, as their DE43 says: Malta.
const COUNTRY: u16 = 470;
/// DE126: the printed code.
const CODE: u8 = 126;
const PIN_BLOCK: u8 = 52;

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Requests a second, over all terminals.
    pub rate: u32,
    /// For so long.
    pub seconds: u32,
}

/// Runs the traffic and judges every answer.
///
/// # Errors
/// The file has no such cards, or the switch cannot be reached.
pub async fn drive(demo: &DemoFile, options: Options) -> Result<Report> {
    let of = demo.verified.as_ref().context("the demo's file has no cards that are verified")?;
    let mut terminals = JoinSet::new();
    for number in 0..TERMINALS {
        let acquirer = Acquirer::connect(&of.address, &demo.framing(), 1).await?;
        let cards = cards_of(number, of)?;
        let terminal = Terminal { acquirer, cards, currency: demo.currency.clone() };
        terminals.spawn(terminal.run(options));
    }
    let mut report = Report::default();
    while let Some(ended) = terminals.join_next().await {
        report.add(ended??);
    }
    Ok(report)
}

/// A card, with its number among all, and how often it had its turn.
struct Held {
    number: usize,
    turn: u64,
    card: SimulatedCard,
}

fn cards_of(terminal: usize, of: &VerifiedCards) -> Result<Vec<Held>> {
    let mine = of.cards.iter().enumerate().skip(terminal).step_by(TERMINALS);
    let held = |(number, facts): (usize, &crate::chip::CardFacts)| {
        let card = SimulatedCard::personalised(&of.keys, facts.clone())?;
        Ok(Held { number, turn: 0, card })
    };
    mine.map(held).collect()
}

struct Terminal {
    acquirer: Acquirer,
    cards: Vec<Held>,
    currency: String,
}

impl Terminal {
    async fn run(mut self, options: Options) -> Result<Report> {
        let share = f64::from(options.rate.max(1)) / TERMINALS as f64;
        let mut pace = interval(Duration::from_secs_f64(1.0 / share));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = Instant::now() + Duration::from_secs(options.seconds.into());
        let mut report = Report::default();
        while !self.cards.is_empty() {
            pace.tick().await;
            if Instant::now() >= end {
                break;
            }
            let mut held = self.cards.remove(0);
            // One that has nothing more to do is left out from here on.
            let Some(step) = step(held.number, held.turn) else { continue };
            held.turn += 1;
            if !self.perform(&mut held.card, &step, &mut report).await? {
                break;
            }
            self.cards.push(held);
        }
        Ok(report)
    }

    /// One step; false where the connection has ended.
    async fn perform(
        &mut self,
        card: &mut SimulatedCard,
        step: &Step,
        report: &mut Report,
    ) -> Result<bool> {
        let now = Timestamp::now();
        let minor = rand::rng().random_range(100..=2_000);
        let mut request = self.request(card, step, minor, now)?;
        let flaw = step.wrong.and_then(super::Wrong::flaw);
        let signed = match step.place {
            Place::Web => {
                request.set(CODE, card.code(flaw))?;
                None
            }
            Place::Shop | Place::CashMachine => Some(self.sign(card, &mut request, flaw, now)?),
        };
        report.sent += 1;
        match self.acquirer.exchange(0, &request).await {
            Ok(answer) => {
                let judged = signed.map(|signed| signed.judge(&answer));
                report.judge(step, answer.text(39).unwrap_or_default(), judged);
                Ok(true)
            }
            Err(error) => {
                report.unanswered(format!("{error:#}"));
                Ok(false)
            }
        }
    }

    fn request(
        &mut self,
        card: &SimulatedCard,
        step: &Step,
        minor: u64,
        now: Timestamp,
    ) -> Result<Message> {
        let facts = card.facts();
        let of = TestCard {
            pan: facts.pan.clone(),
            expiry: facts.expiry.clone(),
            state: "good".into(),
            expect: "00".into(),
        };
        let channel = match step.place {
            Place::Shop => Channel::Pos,
            Place::CashMachine => Channel::Atm,
            Place::Web => Channel::Ecommerce,
        };
        let what = Purchase { channel, card: &of, minor, currency: &self.currency };
        purchase(&what, &self.acquirer.numbers().next(now))
    }

    /// The holder enters the PIN, and the chip signs.
    fn sign(
        &self,
        card: &mut SimulatedCard,
        request: &mut Message,
        flaw: Option<Flaw>,
        now: Timestamp,
    ) -> Result<crate::chip::Signed> {
        request.set(PIN_BLOCK, card.pin_block_0(flaw))?;
        let year = Offset::constant(1).to_datetime(now).year().rem_euclid(100);
        let year = u8::try_from(year).context("a year of the century")?;
        let sale = Sale::of(request, year, COUNTRY, rand::rng().random())?;
        let signed = card.sign(&sale, flaw);
        signed.put_into(request)?;
        Ok(signed)
    }
}
