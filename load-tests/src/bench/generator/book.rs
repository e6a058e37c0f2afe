//! What was asked and what must be answered: the numbers of requests, the mixture of purchases,
//! repeats and reversals, and the request of every answer. Must take no answer for right that is
//! not the one to its request.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::Chips;
use super::faults::Faults;
use crate::bench::wire::answer::{APPROVED, Answer};
use crate::bench::wire::request::{Digits, LocalTime, Template, TestPan};

/// Trace numbers go round; so many requests may be in flight at most.
const STANS: u32 = 999_999;
/// What each purchase is for, in minor units.
const MINOR: u64 = 100;

/// How many of a hundred approved purchases are sent again, and how many are reversed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mix {
    pub(crate) repeats: u64,
    pub(crate) reversals: u64,
}

impl Mix {
    /// A few of each, as networks see.
    pub(crate) const USUAL: Mix = Mix { repeats: 3, reversals: 3 };
    /// Purchases alone.
    pub(crate) const PURCHASES: Mix = Mix { repeats: 0, reversals: 0 };
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Asked {
    /// Nothing is in flight.
    #[default]
    Nothing,
    Purchase,
    Repeat,
    Reversal,
}

/// One trace number.
#[derive(Clone, Copy, Default)]
struct Slot {
    asked: Asked,
    approval: [u8; 6],
    card: u32,
    rrn: u64,
    intended: Duration,
}

/// What is to follow an approved purchase.
#[derive(Clone, Copy)]
enum FollowUp {
    Repeat(u32),
    Reverse(u32),
}

/// The requests of one load.
pub(crate) struct Book {
    purchase: Template,
    reversal: Template,
    cards: Arc<[TestPan]>,
    chips: Option<Chips>,
    mix: Mix,
    slots: Vec<Slot>,
    follow_ups: std::collections::VecDeque<FollowUp>,
    next_rrn: u64,
    dice: u64,
    in_flight: u64,
    pub(crate) faults: Faults,
}

impl Book {
    /// Requests of one euro each on these cards, numbered from `first` on: no two loads on one
    /// database may have a number in common.
    pub(crate) fn new(cards: Arc<[TestPan]>, mix: Mix, first: u64) -> Book {
        let at = LocalTime::now();
        Book {
            purchase: Template::purchase(&at, MINOR),
            reversal: Template::reversal(&at, MINOR),
            cards,
            chips: None,
            mix,
            slots: vec![Slot::default(); STANS as usize + 1],
            follow_ups: std::collections::VecDeque::new(),
            next_rrn: first,
            dice: first.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            in_flight: 0,
            faults: Faults::default(),
        }
    }

    /// The same, each purchase signed by its card's chip. Repeats are not: a chip signs once.
    pub(crate) fn signed_by(self, chips: Option<Chips>) -> Book {
        Book { chips, ..self }
    }

    /// Requests without an answer.
    pub(crate) const fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// The number of the next request: where the next load may begin.
    pub(crate) const fn next_number(&self) -> u64 {
        self.next_rrn
    }

    /// Appends the next request: what is to follow an answer, or else a purchase.
    pub(crate) fn append(&mut self, intended: Duration, out: &mut Vec<u8>) {
        self.in_flight += 1;
        match self.follow_ups.pop_front() {
            Some(FollowUp::Repeat(stan)) => self.append_repeat(stan, intended, out),
            Some(FollowUp::Reverse(original)) => self.append_reversal(original, intended, out),
            None => self.append_purchase(intended, out),
        }
    }

    fn append_purchase(&mut self, intended: Duration, out: &mut Vec<u8>) {
        let card = self.draw();
        let (stan, rrn) = self.number();
        self.occupy(stan, Slot { asked: Asked::Purchase, card, rrn, intended, approval: [0; 6] });
        if let Some(Chips { deck, code }) = &self.chips {
            let mut deck = deck.lock().unwrap_or_else(PoisonError::into_inner);
            if deck.append(card as usize, (stan, rrn), MINOR, *code, out).is_err() {
                self.faults.count("a card without a chip");
            }
            return;
        }
        let Some(pan) = self.cards.get(card as usize) else { return };
        self.purchase.append(&Digits { pan, stan, rrn, original: 0, repeat: false }, out);
    }

    fn append_repeat(&mut self, stan: u32, intended: Duration, out: &mut Vec<u8>) {
        let slot = &mut self.slots[stan as usize];
        slot.asked = Asked::Repeat;
        slot.intended = intended;
        let Slot { card, rrn, .. } = *slot;
        let Some(pan) = self.cards.get(card as usize) else { return };
        self.purchase.append(&Digits { pan, stan, rrn, original: 0, repeat: true }, out);
    }

    /// A reversal has a trace number of its own and the original's DE37.
    fn append_reversal(&mut self, original: u32, intended: Duration, out: &mut Vec<u8>) {
        let Slot { card, rrn, .. } = self.slots[original as usize];
        let (stan, _) = self.number();
        self.occupy(stan, Slot { asked: Asked::Reversal, card, rrn, intended, approval: [0; 6] });
        let Some(pan) = self.cards.get(card as usize) else { return };
        self.reversal.append(&Digits { pan, stan, rrn, original, repeat: false }, out);
    }

    /// The intended time of the request that this answers; `None` where it answers none.
    pub(crate) fn answered(&mut self, answer: &Answer) -> Option<Duration> {
        let slot = self.slots.get(answer.stan as usize).copied().unwrap_or_default();
        if slot.asked == Asked::Nothing || slot.rrn != answer.rrn {
            self.faults.count("answer to no request");
            return None;
        }
        self.slots[answer.stan as usize].asked = Asked::Nothing;
        self.in_flight -= 1;
        let mti = if slot.asked == Asked::Reversal { b"0410" } else { b"0110" };
        let same = slot.asked != Asked::Repeat || slot.approval == answer.approval;
        if &answer.mti != mti {
            self.faults.count("wrong message type");
        } else if answer.code != APPROVED {
            let code = String::from_utf8_lossy(&answer.code);
            self.faults.count(&format!("DE39 {code} instead of 00"));
        } else if !same {
            self.faults.count("repeat answered otherwise");
        } else if slot.asked == Asked::Purchase {
            self.slots[answer.stan as usize].approval = answer.approval;
            self.plan_follow_up(answer);
        }
        Some(slot.intended)
    }

    /// Everything that is still in flight will not be answered any more.
    pub(crate) fn give_up(&mut self) {
        self.faults.add("unanswered", self.in_flight);
        self.in_flight = 0;
        self.slots.iter_mut().for_each(|slot| slot.asked = Asked::Nothing);
        self.follow_ups.clear();
    }

    fn plan_follow_up(&mut self, answer: &Answer) {
        // Spread over the hundred, so that neither comes in rows.
        let place = answer.rrn.wrapping_mul(37) % 100;
        if place < self.mix.repeats {
            self.follow_ups.push_back(FollowUp::Repeat(answer.stan));
        } else if place < self.mix.repeats + self.mix.reversals {
            self.follow_ups.push_back(FollowUp::Reverse(answer.stan));
        }
    }

    fn number(&mut self) -> (u32, u64) {
        let rrn = self.next_rrn;
        self.next_rrn += 1;
        let stan = u32::try_from(rrn % u64::from(STANS)).unwrap_or_default() + 1;
        (stan, rrn)
    }

    fn occupy(&mut self, stan: u32, slot: Slot) {
        let place = &mut self.slots[stan as usize];
        if place.asked != Asked::Nothing {
            // A whole round of trace numbers went by.
            self.in_flight -= 1;
            self.faults.count("unanswered");
        }
        *place = slot;
    }

    /// A card by chance: the same ones in every run that begins with the same number.
    fn draw(&mut self) -> u32 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        u32::try_from(self.dice % (self.cards.len() as u64).max(1)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::wire::{LENGTH, answer, first_frame};

    fn book(mix: Mix) -> Book {
        Book::new(Arc::new([TestPan::new("9999991212345674").unwrap()]), mix, 1_000)
    }

    /// The request as an answer: the same fields, with DE38 and DE39 put in.
    fn echo(request: &[u8], code: &str, approval: &str) -> Answer {
        let (body, _) = first_frame(request).unwrap();
        let digits = |at: usize, count: usize| {
            std::str::from_utf8(&body[at..at + count]).unwrap().to_owned()
        };
        // MTI, bitmap, then DE2 (18), 3, 4, 7.
        let bitmaps = if body[4] >= b'8' { 32 } else { 16 };
        let stan = 4 + bitmaps + 18 + 6 + 12 + 10;
        let rrn = stan + 6 + 6 + 4 + 4 + 4 + 3 + 2 + 8;
        let class = if &body[..2] == b"04" { *b"0410" } else { *b"0110" };
        Answer {
            mti: class,
            stan: digits(stan, 6).parse().unwrap(),
            rrn: digits(rrn, 12).parse().unwrap(),
            code: code.as_bytes().try_into().unwrap(),
            approval: approval.as_bytes().try_into().unwrap(),
        }
    }

    fn next(book: &mut Book, intended: u64) -> Vec<u8> {
        let mut out = Vec::new();
        book.append(Duration::from_millis(intended), &mut out);
        out
    }

    #[test]
    fn an_answer_is_charged_from_the_intended_time_of_its_request() {
        let mut book = book(Mix::PURCHASES);
        let (first, second) = (next(&mut book, 5), next(&mut book, 7));
        assert_eq!(book.in_flight(), 2);
        let answered = book.answered(&echo(&second, "00", "AAAAAA"));
        assert_eq!(answered, Some(Duration::from_millis(7)));
        let answered = book.answered(&echo(&first, "00", "AAAAAB"));
        assert_eq!(answered, Some(Duration::from_millis(5)));
        assert_eq!((book.in_flight(), book.faults.total()), (0, 0));
    }

    #[test]
    fn what_is_not_as_wanted_is_a_fault() {
        let mut book = book(Mix::PURCHASES);
        let request = next(&mut book, 0);
        let right = echo(&request, "00", "AAAAAA");
        assert_eq!(book.answered(&Answer { rrn: right.rrn + 1, ..right }), None);
        assert!(book.answered(&Answer { code: *b"51", ..right }).is_some());
        assert_eq!(book.answered(&right), None, "answered twice");
        let request = next(&mut book, 0);
        book.answered(&Answer { mti: *b"0410", ..echo(&request, "00", "AAAAAA") });
        next(&mut book, 0);
        book.give_up();
        let wanted = "DE39 51 instead of 00: 1, answer to no request: 2, unanswered: 1, \
                      wrong message type: 1";
        assert_eq!(book.faults.to_string(), wanted);
    }

    #[test]
    fn repeats_and_reversals_follow_their_originals_and_are_judged() {
        let mut book = book(Mix { repeats: 50, reversals: 50 });
        let mut repeats: Vec<(Vec<u8>, String)> = Vec::new();
        let mut reversals = 0;
        for round in 0..200u32 {
            let request = next(&mut book, 0);
            let (body, _) = first_frame(&request).unwrap();
            let approval = format!("{:06}", round / 2);
            match &body[..4] {
                b"0101" => {
                    let mut plain = request.clone();
                    plain[LENGTH + 3] = b'0';
                    let (original, approval) = repeats.pop().unwrap();
                    assert_eq!(plain, original, "the same bytes but for the repeat digit");
                    book.answered(&echo(&request, "00", &approval));
                }
                b"0400" => {
                    reversals += 1;
                    book.answered(&echo(&request, "00", &approval));
                }
                _ => {
                    book.answered(&echo(&request, "00", &approval));
                    repeats.clear();
                    repeats.push((request, approval));
                }
            }
        }
        assert_eq!(book.faults.total(), 0, "{}", book.faults);
        assert!(reversals > 20);
    }

    #[test]
    fn a_repeat_with_another_approval_code_is_a_fault() {
        let mut book = book(Mix { repeats: 100, reversals: 0 });
        let request = next(&mut book, 0);
        book.answered(&echo(&request, "00", "AAAAAA"));
        let repeat = next(&mut book, 0);
        book.answered(&echo(&repeat, "00", "BBBBBB"));
        assert_eq!(book.faults.to_string(), "repeat answered otherwise: 1");
        assert!(answer::read(&[]).is_none());
    }

    #[test]
    fn the_mixture_is_as_it_says() {
        let mut book = book(Mix::USUAL);
        let mut counts = [0u32; 3];
        for _ in 0..10_600 {
            let request = next(&mut book, 0);
            let kind = match &first_frame(&request).unwrap().0[..4] {
                b"0101" => 1,
                b"0400" => 2,
                _ => 0,
            };
            counts[kind] += 1;
            book.answered(&echo(&request, "00", "AAAAAA"));
        }
        assert_eq!(book.faults.total(), 0, "{}", book.faults);
        assert!(counts[1].abs_diff(300) < 10 && counts[2].abs_diff(300) < 10, "{counts:?}");
    }
}
