//! The client's requests: purchases, reversals and repeats as a terminal's acquirer sends them. It
//! owns the mixture and its chances; message fields are the simulators'.

use anyhow::{Context, Result};
use codecs::framing::{Framing, LengthHeader};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use simulators::acquirer::{
    Channel, NetworkCode, Numbers, Original, Purchase, network_management, purchase, reversal_of,
};
use simulators::demo_file::TestCard;
use simulators::iso::Message;

use super::Recorder;
use crate::checker::history::{Stan, What};

/// Euro.
const CURRENCY: &str = "978";

/// STAN of echoes.
const ECHO: Stan = 999_999;

/// The framing of the link under test.
pub(crate) fn framing() -> Framing {
    Framing::new(LengthHeader::Binary2)
}

/// Something to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw {
    pub(crate) stan: Stan,
    pub(crate) what: What,
    /// As 0101 or 0401.
    pub(crate) repeat: bool,
}

/// A shuffled deck of requests, the same for the same seed.
pub(crate) struct Deck {
    cards: Vec<TestCard>,
    /// Cards with funds for everything; the others run out.
    rich: usize,
    random: StdRng,
    next: Stan,
    /// Purchases that were seen approved, for reversals and repeats.
    approved: Vec<Stan>,
    reversed: Vec<Stan>,
    recent: Vec<Stan>,
}

impl Deck {
    pub(crate) fn new(cards: Vec<TestCard>, rich: usize, seed: u64) -> Self {
        Self {
            cards,
            rich,
            random: StdRng::seed_from_u64(seed),
            next: 1,
            approved: Vec::new(),
            reversed: Vec::new(),
            recent: Vec::new(),
        }
    }

    pub(crate) const fn random(&mut self) -> &mut StdRng {
        &mut self.random
    }

    /// A purchase was approved.
    pub(crate) fn approved(&mut self, stan: Stan) {
        self.approved.push(stan);
    }

    /// The next request of the load.
    pub(crate) fn draw(&mut self, recorder: &Recorder) -> Draw {
        let known = |recorder: &Recorder, stan: Stan| {
            recorder.look(|history| history.requests.get(&stan).map(|request| request.what))
        };
        match self.random.random_range(0..100) {
            // Taken back; now and then for the second time, under another STAN.
            0..10 if !self.approved.is_empty() => {
                let at = self.random.random_range(0..self.approved.len());
                let of = self.approved.swap_remove(at);
                self.reversed.push(of);
                self.fresh(What::Reversal { of })
            }
            10..14 if !self.reversed.is_empty() => {
                let of = self.reversed.choose(&mut self.random).copied().unwrap_or_default();
                self.fresh(What::Reversal { of })
            }
            // Asked again: something answered, or something just sent.
            14..20 if !self.approved.is_empty() => {
                let stan = self.approved.choose(&mut self.random).copied().unwrap_or_default();
                match known(recorder, stan) {
                    Some(what) => Draw { stan, what, repeat: true },
                    None => self.purchase(),
                }
            }
            20..24 if !self.recent.is_empty() => {
                let stan = self.recent.choose(&mut self.random).copied().unwrap_or_default();
                let repeat = self.random.random_bool(0.5);
                match known(recorder, stan) {
                    Some(what) => Draw { stan, what, repeat },
                    None => self.purchase(),
                }
            }
            _ => self.purchase(),
        }
    }

    fn purchase(&mut self) -> Draw {
        let card = self.random.random_range(0..self.cards.len());
        self.purchase_with(card)
    }

    /// A purchase with a card that has funds.
    pub(crate) fn sure_purchase(&mut self) -> Draw {
        let card = self.random.random_range(0..self.rich);
        self.purchase_with(card)
    }

    fn purchase_with(&mut self, card: usize) -> Draw {
        let amount = self.random.random_range(100..=2_000);
        let draw = self.fresh(What::Purchase { card, amount });
        if self.recent.len() >= 32 {
            self.recent.remove(0);
        }
        self.recent.push(draw.stan);
        draw
    }

    /// A reversal of a purchase that was not sent yet, and that purchase.
    pub(crate) fn reversal_first(&mut self) -> (Draw, Draw) {
        let purchase = self.sure_purchase();
        (self.fresh(What::Reversal { of: purchase.stan }), purchase)
    }

    fn fresh(&mut self, what: What) -> Draw {
        let stan = self.next;
        self.next += 1;
        Draw { stan, what, repeat: false }
    }

    /// The message, the same each time but for its type. `original` is what a reversal takes back.
    pub(crate) fn message(&self, draw: &Draw, original: Option<What>) -> Result<Message> {
        let message = match draw.what {
            What::Purchase { card, amount } => self.purchase_message(draw.stan, card, amount)?,
            What::Reversal { of } => {
                let Some(What::Purchase { card, amount }) = original else {
                    anyhow::bail!("STAN {of} is no purchase");
                };
                let request = self.purchase_message(of, card, amount)?;
                reversal_of(&request, &Original::of(&request)?, &numbers(draw.stan))?
            }
        };
        match draw.repeat {
            false => Ok(message),
            true => {
                let mti = message.mti().replace("00", "01");
                message.retyped(&mti)
            }
        }
    }

    /// An echo: is there a switch?
    pub(crate) fn echo(&self) -> Result<Message> {
        network_management(NetworkCode::Echo, &numbers(ECHO))
    }

    fn purchase_message(&self, stan: Stan, card: usize, amount: i64) -> Result<Message> {
        let card = self.cards.get(card).context("a card of the deck")?;
        let channel = match stan % 3 {
            0 => Channel::Pos,
            1 => Channel::Ecommerce,
            _ => Channel::KeyEntered,
        };
        let minor = amount.unsigned_abs();
        purchase(&Purchase { channel, card, minor, currency: CURRENCY }, &numbers(stan))
    }
}

/// Made from the STAN alone, so that a repeat is the same message.
fn numbers(stan: Stan) -> Numbers {
    let second = stan % 60;
    Numbers {
        stan: format!("{stan:06}"),
        rrn: format!("633012{stan:06}"),
        transmitted: format!("11251200{second:02}"),
        local_time: format!("1300{second:02}"),
        local_date: "1125".into(),
    }
}
