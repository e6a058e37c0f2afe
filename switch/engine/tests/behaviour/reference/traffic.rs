//! What arrives next, drawn from a seed: every kind of message, most of them about something that
//! is there. It owns the odds and knows nothing of what must come of it.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use switch_domain::{MessageClass, OriginalClass, TransactionType};

use super::model::{Arrival, Ask, Key, Undo};

/// Cards, terminals and reference numbers are few, and so are the trace numbers of a time, so that
/// everything meets; they rise by one with so many arrivals, so that there is room for new things.
pub(crate) const CARDS: usize = 24;
const STANS: u32 = 12;
const ARRIVALS_OF_A_STAN: u32 = 120;
const TERMINALS: u8 = 2;
const REFERENCES: u8 = 3;

/// The source of arrivals.
pub(crate) struct Traffic {
    random: StdRng,
    /// What came lately, to be repeated.
    lately: Vec<Arrival>,
    own: u32,
    arrivals: u32,
}

impl Traffic {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            lately: Vec::new(),
            own: 1_000_000,
            arrivals: 0,
        }
    }

    fn one_in(&mut self, odds: u32) -> bool {
        self.random.random_range(0..odds) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.random_range(0..of.len())]
    }

    /// The next arrival, where so many messages were answered.
    pub(crate) fn next(&mut self, answered: usize) -> Arrival {
        self.arrivals += 1;
        if self.one_in(12) && !self.lately.is_empty() {
            let at = self.random.random_range(0..self.lately.len());
            return self.lately[at];
        }
        let arrival = match self.random.random_range(0..100) {
            0..28 => Arrival::Request(self.ask(MessageClass::AuthorizationRequest)),
            28..42 => Arrival::Request(self.ask(MessageClass::FinancialRequest)),
            42..50 => Arrival::Advice(self.ask(MessageClass::AuthorizationAdvice)),
            50..66 => Arrival::Advice(self.ask(MessageClass::FinancialAdvice)),
            66..86 => Arrival::Reversal(self.undo()),
            86..89 if answered > 0 => Arrival::Void(self.late(answered)),
            89..91 if answered > 0 => Arrival::Expire(self.late(answered)),
            91..93 => Arrival::Lock(self.card()),
            93..96 => Arrival::Unlock(self.card()),
            96 => Arrival::Reload(self.random.random_range(1..60_000)),
            _ => {
                let minor = self.random.random_range(1..12_000);
                Arrival::Credit(self.card(), minor)
            }
        };
        if matches!(arrival, Arrival::Request(_) | Arrival::Advice(_) | Arrival::Reversal(_)) {
            self.lately.push(arrival);
            if self.lately.len() > 40 {
                self.lately.remove(0);
            }
        }
        arrival
    }

    fn card(&mut self) -> usize {
        self.random.random_range(0..CARDS)
    }

    fn stan(&mut self) -> u32 {
        self.arrivals / ARRIVALS_OF_A_STAN + self.random.random_range(0..STANS)
    }

    /// An identifier of the network, or 0 for none: as few as trace numbers, and most are others.
    fn network(&mut self) -> u32 {
        if self.one_in(3) { 0 } else { self.stan() + 1 }
    }

    /// One of the latest.
    fn late(&mut self, answered: usize) -> usize {
        answered - 1 - self.random.random_range(0..answered.min(30))
    }

    fn key(&mut self, class: MessageClass) -> Key {
        Key {
            class,
            card: self.card(),
            stan: self.stan(),
            terminal: self.random.random_range(0..TERMINALS),
            rrn: self.random.random_range(0..REFERENCES),
        }
    }

    fn ask(&mut self, class: MessageClass) -> Ask {
        use TransactionType::{
            AccountVerification, BalanceInquiry, Cash, CashBack, Preauthorization, Purchase, Refund,
        };
        let usual = [Purchase, Purchase, Purchase, Cash, CashBack, Preauthorization];
        let kind = match self.random.random_range(0..10) {
            0 => Refund,
            1 => self.pick(&[BalanceInquiry, AccountVerification]),
            _ => self.pick(&usual),
        };
        let advice =
            matches!(class, MessageClass::AuthorizationAdvice | MessageClass::FinancialAdvice);
        let names = match class {
            MessageClass::FinancialAdvice => !self.one_in(3),
            MessageClass::FinancialRequest => self.one_in(2),
            _ => false,
        };
        let names = names.then(|| self.stan());
        let authorizes =
            matches!(class, MessageClass::AuthorizationRequest | MessageClass::AuthorizationAdvice);
        let adds = (authorizes && self.one_in(4)).then(|| {
            let named = (!self.one_in(3)).then(|| self.stan());
            (named, self.one_in(3))
        });
        let network = self.network();
        Ask {
            network,
            of_network: if self.one_in(3) { self.network() } else { network },
            key: self.key(class),
            kind,
            adds,
            minor: if self.one_in(40) { 0 } else { self.random.random_range(1..1_200) },
            approved: !advice || !self.one_in(6),
            names,
            last: !self.one_in(3),
            on_top: self.pick(&[(0, 0), (20, 0), (15, 0), (0, 150), (10, 300)]),
        }
    }

    fn undo(&mut self) -> Undo {
        let class = self.pick(&[MessageClass::ReversalRequest, MessageClass::ReversalAdvice]);
        let of = Key { ..self.key(class) };
        self.own += 1;
        let classes = [None, Some(OriginalClass::Authorization), Some(OriginalClass::Financial)];
        Undo {
            key: Key { stan: self.own, ..of },
            stan: of.stan,
            class: self.pick(&classes),
            of_network: self.network(),
            standing: if self.one_in(2) { 0 } else { self.random.random_range(1..900) },
        }
    }
}
