//! The cards of a simulated processor. Must do nothing twice under one reference, nothing that was
//! overtaken, and draw numbers of the test series alone.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use zeroize::Zeroizing;

use super::conduct::Conduct;
use super::question::{Act, Bins, Form, Order};
use super::tally::Tally;

/// Numbers of tests start so: ISO/IEC 7812 gives first digit 9 to national use, and no network
/// routes the series.
const TEST_BINS: std::ops::RangeInclusive<u32> = 99_990_000..=99_999_999;
/// Digits of a number that can be made.
const LENGTHS: std::ops::RangeInclusive<usize> = 14..=19;

/// Why something is not done: the status, and the code of the refusal.
pub(super) type Refusal = (u16, &'static str);

struct Card {
    name: String,
    number: Zeroizing<String>,
    expiry: String,
    active: bool,
    stopped: bool,
    retired: bool,
    /// Of the last act.
    turn: i64,
}

/// A card as an answer has it.
pub(super) struct Given {
    pub(super) name: String,
    pub(super) number: Zeroizing<String>,
    pub(super) expiry: String,
}

/// What was made and done.
#[derive(Default)]
pub(super) struct Book {
    cards: Vec<Card>,
    /// Which card a reference is of.
    orders: BTreeMap<String, usize>,
    acts: BTreeSet<String>,
}

impl Book {
    /// The card of an order: a new one, or the one that was made before.
    pub(super) fn create(
        &mut self,
        order: &Order,
        conduct: Option<Conduct>,
        tally: &mut Tally,
    ) -> Result<Given, Refusal> {
        let of_tests = TEST_BINS.contains(&order.bins.low) && TEST_BINS.contains(&order.bins.high);
        if !of_tests || !LENGTHS.contains(&order.bins.length) {
            return Err((422, "TEST_SERIES_ONLY"));
        }
        let before = self.orders.get(&order.reference).copied();
        let at = match before {
            Some(at) if conduct != Some(Conduct::OtherNumber) => {
                tally.repeated += 1;
                at
            }
            _ => {
                let number = self.free(order.bins);
                let at = self.cards.len();
                let name = format!("sim-{}", at + 1);
                tally.made += 1;
                tally.hears("create", &name, None);
                self.cards.push(Card {
                    name,
                    number,
                    expiry: order.expiry.clone(),
                    active: order.form == Form::Virtual,
                    stopped: false,
                    retired: false,
                    turn: 0,
                });
                self.orders.insert(order.reference.clone(), at);
                at
            }
        };
        let card = &self.cards[at];
        let mut number = match (conduct, self.cards.first()) {
            (Some(Conduct::Taken), Some(first)) => first.number.clone(),
            (Some(Conduct::Outside), _) => outside(order.bins),
            _ => card.number.clone(),
        };
        if conduct == Some(Conduct::NoCheckDigit) {
            let last = number.pop().and_then(|digit| digit.to_digit(10)).unwrap_or(0);
            number.push(char::from_digit((last + 1) % 10, 10).unwrap_or('0'));
        }
        let name = match conduct {
            Some(Conduct::Named) => format!("c-{}-{}", &number[..8], &number[8..]),
            _ => card.name.clone(),
        };
        Ok(Given { name, number, expiry: card.expiry.clone() })
    }

    /// Does an act on a card, where it was not done, and nothing that followed it was.
    pub(super) fn act(&mut self, name: &str, act: &Act, tally: &mut Tally) -> Result<(), Refusal> {
        let card = self.cards.iter_mut().find(|card| card.name == act.card);
        let card = card.ok_or((404, "NO_SUCH_CARD"))?;
        if !self.acts.insert(act.reference.clone()) {
            tally.repeated += 1;
            return Ok(());
        }
        if act.turn <= card.turn {
            tally.overtaken += 1;
            return Ok(());
        }
        if card.retired && name != "retire" {
            self.acts.remove(&act.reference);
            return Err((409, "CARD_RETIRED"));
        }
        card.turn = act.turn;
        match name {
            "activate" => card.active = true,
            "renew" => card.expiry = act.expiry.clone().unwrap_or_default(),
            "stop" => card.stopped = true,
            "unstop" => card.stopped = false,
            "retire" => card.retired = true,
            _ => {}
        }
        tally.hears(name, &card.name, act.code);
        Ok(())
    }

    /// Whether a card is in use as far as is known here.
    pub(super) fn is_in_use(&self, name: &str) -> bool {
        let in_use = |card: &Card| card.active && !card.stopped && !card.retired;
        self.cards.iter().any(|card| card.name == name && in_use(card))
    }

    /// Until when a card is good as far as is known here, YYMM.
    pub(super) fn expiry(&self, name: &str) -> Option<String> {
        let card = self.cards.iter().find(|card| card.name == name);
        card.map(|card| card.expiry.clone())
    }

    fn free(&self, bins: Bins) -> Zeroizing<String> {
        loop {
            let bin = rand::rng().random_range(bins.low..=bins.high);
            let number = drawn(bin, bins.length);
            if self.cards.iter().all(|card| card.number != number) {
                return number;
            }
        }
    }
}

/// A number of this BIN, with its check digit.
fn drawn(bin: u32, length: usize) -> Zeroizing<String> {
    let mut number = Zeroizing::new(String::with_capacity(length));
    number.push_str(&bin.to_string());
    while number.len() < length - 1 {
        number.push(char::from(b'0' + rand::rng().random_range(0..=9)));
    }
    let digit = check_digit(&number);
    number.push(digit);
    number
}

/// Of the test series, and yet of another range.
fn outside(bins: Bins) -> Zeroizing<String> {
    let other = TEST_BINS.rev().find(|bin| !(bins.low..=bins.high).contains(bin));
    drawn(other.unwrap_or(bins.low), bins.length)
}

/// ISO/IEC 7812-1 annex B: behind these digits.
fn check_digit(digits: &str) -> char {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(digit - b'0') * 2) {
            (0, doubled) => doubled / 10 + doubled % 10,
            (_, doubled) => doubled / 2,
        })
        .sum();
    char::from_digit((10 - sum % 10) % 10, 10).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processor::question::Question;

    fn order(reference: &str, low: u32) -> Order {
        let text = format!(
            r#"{{"reference":"{reference}","form":"PHYSICAL","programme":1,
                "bins":{{"low":{low},"high":{low},"length":16}},"expiry":"2912",
                "encryptTo":{{"kid":"k","publicKey":"AA=="}}}}"#
        );
        match Question::read("/create", text.as_bytes(), Some(reference)) {
            Some(Question::Create(order)) => order,
            _ => panic!("{text}"),
        }
    }

    fn act(reference: &str, card: &str, turn: i64) -> Act {
        serde_json::from_value(
            serde_json::json!({ "reference": reference, "card": card, "turn": turn }),
        )
        .unwrap()
    }

    #[test]
    fn one_reference_is_one_card_and_what_was_overtaken_changes_nothing() {
        assert_eq!(check_digit("999999120000001"), '0');
        let (first, other) = ("6f2c2b5e-8a4f-4a52-9f5e-3d1a2b3c4d5e", "second");
        let (mut book, mut tally) = (Book::default(), Tally::default());
        let order = order(first, 99_999_912);
        let made = book.create(&order, None, &mut tally).unwrap_or_else(|_| panic!("refused"));
        assert!(made.number.starts_with("99999912") && made.number.len() == 16);
        let again = book.create(&order, None, &mut tally).unwrap_or_else(|_| panic!("refused"));
        assert!(made.number == again.number && made.name == again.name);
        assert_eq!((tally.made, tally.repeated), (1, 1));
        for bent in [Conduct::OtherNumber, Conduct::Outside, Conduct::NoCheckDigit] {
            let bent = book.create(&order, Some(bent), &mut tally);
            assert!(bent.is_ok_and(|bent| bent.number != made.number));
        }
        let name = &made.name;
        assert!(!book.is_in_use(name), "plastic waits");
        assert_eq!(book.act("activate", &act("a", name, 3), &mut tally), Ok(()));
        assert_eq!(book.act("stop", &act("b", name, 5), &mut tally), Ok(()));
        assert!(!book.is_in_use(name));
        assert_eq!(book.act("unstop", &act("c", name, 4), &mut tally), Ok(()));
        assert!(!book.is_in_use(name), "the lock came after");
        assert_eq!(book.act("unstop", &act("d", name, 6), &mut tally), Ok(()));
        assert_eq!(book.act("stop", &act("b", name, 7), &mut tally), Ok(()), "done already");
        assert!(book.is_in_use(name));
        assert_eq!((tally.overtaken, tally.of(name).len()), (1, 4));
        assert_eq!(book.act("retire", &act("e", name, 8), &mut tally), Ok(()));
        let late = book.act("activate", &act("f", name, 9), &mut tally);
        assert_eq!(late, Err((409, "CARD_RETIRED")));
        assert_eq!(book.act("pin", &act(other, "x", 9), &mut tally), Err((404, "NO_SUCH_CARD")));
    }

    #[test]
    fn no_number_is_made_that_a_network_routes() {
        let (mut book, mut tally) = (Book::default(), Tally::default());
        let real = order("6f2c2b5e-8a4f-4a52-9f5e-3d1a2b3c4d5e", 41_111_111);
        let refused = book.create(&real, None, &mut tally).err();
        assert_eq!((refused, tally.made), (Some((422, "TEST_SERIES_ONLY")), 0));
    }
}
