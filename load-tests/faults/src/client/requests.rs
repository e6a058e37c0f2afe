//! The client's requests: what terminals ask for, what follows it, and repeats, as an acquirer
//! sends them. It owns the mixture and its chances, the same for the same seed.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use codecs::framing::{Framing, LengthHeader};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use simulators::demo_file::TestCard;

use crate::checker::asks::{AskKind, Effect};
use crate::checker::families;
use crate::checker::history::{Ask, Stan, What};

/// The framing of the link under test.
pub(crate) fn framing() -> Framing {
    Framing::new(LengthHeader::Binary2)
}

/// Something to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw {
    pub(crate) stan: Stan,
    pub(crate) what: What,
    /// As 0101, 0401 and so on.
    pub(crate) repeat: bool,
}

/// Kinds that name no other, each as often as it stands here.
const FIRST: [AskKind; 19] = [
    AskKind::Purchase,
    AskKind::Purchase,
    AskKind::Purchase,
    AskKind::Purchase,
    AskKind::Purchase,
    AskKind::Purchase,
    AskKind::Payment,
    AskKind::Payment,
    AskKind::Preauthorization,
    AskKind::Preauthorization,
    AskKind::Cash,
    AskKind::CashBack,
    AskKind::Verification,
    AskKind::Inquiry,
    AskKind::RefundAuthorization,
    AskKind::Refund,
    AskKind::Advice,
    AskKind::DeclinedAdvice,
    AskKind::FinancialAdvice,
];

/// Kinds of cards that run out: nothing that may take what is not there, or be taken back from it.
const OF_POOR: [AskKind; 3] = [AskKind::Purchase, AskKind::Cash, AskKind::Payment];

/// A shuffled deck of requests, the same for the same seed.
pub(crate) struct Deck {
    cards: Vec<TestCard>,
    /// Cards with funds for everything; the others run out.
    rich: usize,
    random: StdRng,
    next: Stan,
    drawn: BTreeMap<Stan, What>,
    /// How many requests there are about each that names no other.
    families: BTreeMap<Stan, usize>,
    /// Requests that were seen approved, for repeats.
    approved: Vec<Stan>,
    /// Those of them that something may follow.
    open: Vec<Stan>,
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
            drawn: BTreeMap::new(),
            families: BTreeMap::new(),
            approved: Vec::new(),
            open: Vec::new(),
            reversed: Vec::new(),
            recent: Vec::new(),
        }
    }

    pub(crate) const fn random(&mut self) -> &mut StdRng {
        &mut self.random
    }

    /// What a STAN was drawn for.
    pub(super) fn what(&self, stan: Stan) -> Option<What> {
        self.drawn.get(&stan).copied()
    }

    pub(super) fn card(&self, number: usize) -> Result<&TestCard> {
        self.cards.get(number).context("a card of the deck")
    }

    /// A request was approved.
    pub(crate) fn approved(&mut self, stan: Stan) {
        let Some(What::Ask(ask)) = self.what(stan) else { return };
        self.approved.push(stan);
        if ask.kind.effect() != Effect::Nothing {
            self.open.push(stan);
        }
    }

    /// The next request of the load.
    pub(crate) fn draw(&mut self) -> Draw {
        match self.random.random_range(0..100) {
            // What follows something approved; now and then it is taken back for the second time,
            // under another STAN.
            0..18 if !self.open.is_empty() => {
                let at = self.random.random_range(0..self.open.len());
                self.follow(at)
            }
            18..21 if !self.reversed.is_empty() => {
                let at = self.random.random_range(0..self.reversed.len());
                let of = self.reversed[at];
                if self.is_full(of) {
                    self.reversed.swap_remove(at);
                    return self.sure(AskKind::Purchase);
                }
                self.fresh(What::Reversal { of, standing: 0, advice: false })
            }
            // Asked again: something answered, or something just sent.
            21..26 if !self.approved.is_empty() => self.again(true, true),
            26..30 if !self.recent.is_empty() => {
                let marked = self.random.random_bool(0.5);
                self.again(false, marked)
            }
            _ => {
                let card = self.random.random_range(0..self.cards.len());
                let kind = if card < self.rich { self.pick(&FIRST) } else { self.pick(&OF_POOR) };
                self.first(kind, card)
            }
        }
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.random_range(0..of.len())]
    }

    fn again(&mut self, answered: bool, repeat: bool) -> Draw {
        let from = if answered { &self.approved } else { &self.recent };
        let stan = from.choose(&mut self.random).copied().unwrap_or_default();
        match self.what(stan) {
            Some(what) => Draw { stan, what, repeat },
            None => self.sure(AskKind::Purchase),
        }
    }

    /// A request with a card that has funds.
    pub(crate) fn sure(&mut self, kind: AskKind) -> Draw {
        let card = self.random.random_range(0..self.rich);
        self.first(kind, card)
    }

    fn first(&mut self, kind: AskKind, card: usize) -> Draw {
        let amount = match kind {
            AskKind::Verification | AskKind::Inquiry => 0,
            _ => self.random.random_range(100..=2_000),
        };
        self.fresh(What::Ask(Ask { kind, card, amount, of: None }))
    }

    /// What follows an approved request, and whether more may.
    fn follow(&mut self, at: usize) -> Draw {
        let of = self.open[at];
        let full = self.is_full(of);
        if full || !self.random.random_ratio(1, 3) {
            self.open.swap_remove(at);
        }
        let ask = match self.what(of) {
            Some(What::Ask(ask)) if !full => ask,
            _ => return self.sure(AskKind::Purchase),
        };
        let holds = ask.kind.effect() == Effect::Holds && ask.of.is_none();
        // Where money may run out, nothing follows that could take what is not there.
        let follows = holds && ask.card < self.rich;
        let kind = match self.random.random_range(0..8) {
            0..2 if follows => AskKind::Increment,
            2..4 if follows => AskKind::Completion,
            4 if follows => AskKind::CompletingRequest,
            _ => return self.taken_back(of, ask),
        };
        // Less than was authorized, or more.
        let percent = self.random.random_range(40..=120);
        self.following(kind, of, percent)
    }

    /// A request that names another, for so much of its amount.
    pub(crate) fn following(&mut self, kind: AskKind, of: Stan, percent: i64) -> Draw {
        let Some(What::Ask(ask)) = self.what(of) else { return self.sure(AskKind::Purchase) };
        let amount = (ask.amount * percent / 100).max(1);
        self.fresh(What::Ask(Ask { kind, amount, of: Some(of), ..ask }))
    }

    fn taken_back(&mut self, of: Stan, ask: Ask) -> Draw {
        let part = self.random.random_ratio(1, 3);
        let standing = if part { self.random.random_range(1..ask.amount.max(2)) } else { 0 };
        let advice = self.random.random_ratio(1, 3);
        if standing == 0 {
            self.reversed.push(of);
        }
        self.fresh(What::Reversal { of, standing, advice })
    }

    /// A reversal of a request that was not sent yet, and that request.
    pub(crate) fn reversal_first(&mut self) -> (Draw, Draw) {
        let kind = self.pick(&[AskKind::Purchase, AskKind::Preauthorization, AskKind::Payment]);
        let request = self.sure(kind);
        let of = request.stan;
        (self.fresh(What::Reversal { of, standing: 0, advice: false }), request)
    }

    /// A request under a STAN of its own.
    pub(crate) fn fresh(&mut self, what: What) -> Draw {
        let stan = self.next;
        self.next += 1;
        self.drawn.insert(stan, what);
        *self.families.entry(self.root_of(stan)).or_default() += 1;
        if self.recent.len() >= 32 {
            self.recent.remove(0);
        }
        self.recent.push(stan);
        Draw { stan, what, repeat: false }
    }

    /// Whether there are as many requests about the same as can be judged.
    fn is_full(&self, stan: Stan) -> bool {
        let root = self.root_of(stan);
        self.families.get(&root).is_some_and(|all| *all >= families::MOST)
    }

    fn root_of(&self, stan: Stan) -> Stan {
        match self.what(stan) {
            Some(What::Ask(Ask { of: Some(of), .. }) | What::Reversal { of, .. }) => {
                self.root_of(of)
            }
            _ => stan,
        }
    }
}
