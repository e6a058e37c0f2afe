//! The requests of a load run: small POS purchases on the good cards in turn. Must leave nothing to
//! chance, so that two runs ask for the same work.

use anyhow::{Result, ensure};
use jiff::Timestamp;
use simulators::acquirer::{Channel, NumberSource, Purchase, purchase};
use simulators::demo_file::TestCard;
use simulators::iso::Message;

/// 1.00 each: a run of millions stays within the test cards' funds as long as it can.
const MINOR: u64 = 100;

/// Makes one request after the other.
#[derive(Debug)]
pub struct Purchases {
    cards: Vec<TestCard>,
    currency: String,
    next: usize,
}

impl Purchases {
    /// On the good ones of these cards.
    ///
    /// # Errors
    /// When none is good.
    pub fn new(cards: &[TestCard], currency: &str) -> Result<Purchases> {
        let cards: Vec<_> = cards.iter().filter(|card| card.state == "good").cloned().collect();
        ensure!(!cards.is_empty(), "there is no good card to buy with");
        Ok(Purchases { cards, currency: currency.to_owned(), next: 0 })
    }

    /// The next request.
    pub(crate) fn next(&mut self, numbers: &mut NumberSource) -> Result<Message> {
        let card = &self.cards[self.next];
        self.next = (self.next + 1) % self.cards.len();
        let currency = &self.currency;
        let what = Purchase { channel: Channel::Pos, card, minor: MINOR, currency };
        purchase(&what, &numbers.next(Timestamp::now()))
    }
}
