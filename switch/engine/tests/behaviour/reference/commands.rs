//! What an arrival of the model is to the engine: the same message with the names that the engine
//! gave to what the model has by number. It owns the translation and knows nothing of what must
//! come of it, nor of what decides: a bare engine or a whole node.

use switch_domain::{
    Acquirer, Amount, AsciiText, AuthorizationId, BalanceId, Bin, CardId, CardUse, CardUses,
    Channel, ControlRule, ControlSubject, ControlTerms, Currency, EntryMode, Fingerprint, LinkId,
    LockCode, Merchant, MessageClass, MessageFacts, MessageKey, MinorUnits, NetworkTrace,
    OriginalReference, PoolId, ProgrammeId, Selector, Tolerance, Window,
};
use switch_engine::{Act, Advise, Authorize, Command, Decision, Increment, Original, Reverse};

use super::controls::{Limit, Only, Over, Says, Whose};
use super::model::{Arrival, Ask, Key, Model, Said, Undo};

pub(crate) const BIN: Bin = Bin(99_999_912);

/// A card of the model and its account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder {
    pub(crate) card: CardId,
    pub(crate) balance: BalanceId,
    pub(crate) print: Fingerprint,
}

/// What the engine calls what the model counts.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) holders: Vec<Holder>,
    pub(crate) pool: PoolId,
    pub(crate) programme: ProgrammeId,
    pub(crate) messages: Vec<AuthorizationId>,
}

/// What is asked of the engine.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// A message of a link.
    Message(Box<Command>),
    Act(Act),
    /// The end of this hold.
    Expiry(AuthorizationId),
}

pub(crate) fn euro() -> Currency {
    Currency::from_alphabetic("EUR").expect("listed")
}

fn text<const N: usize>(value: &str) -> AsciiText<N> {
    AsciiText::new(value.as_bytes()).expect("short and printable")
}

impl Names {
    pub(crate) fn asked(&self, arrival: Arrival) -> Asked {
        let message = |command| Asked::Message(Box::new(command));
        match arrival {
            Arrival::Request(ask) => message(Command::Authorize(self.request(ask))),
            Arrival::Advice(ask) => message(Command::Advise(self.advice(ask))),
            Arrival::Reversal(undo) => message(Command::Reverse(self.reversal(undo))),
            Arrival::Void(of) => message(Command::Void {
                authorization: self.messages[of],
                reason: switch_domain::Reason::IssuerInoperative,
            }),
            Arrival::Expire(of) => Asked::Expiry(self.messages[of]),
            Arrival::Lock(card) => {
                let card = self.holders[card].card;
                Asked::Act(Act::LockCard { card, lock: LockCode::SuspectedFraud })
            }
            Arrival::Unlock(card) => Asked::Act(Act::UnlockCard { card: self.holders[card].card }),
            Arrival::Reload(minor) => Asked::Act(Act::ReloadPool {
                pool: self.pool,
                amount: MinorUnits(minor),
                reference: AsciiText::EMPTY,
            }),
            Arrival::Credit(account, minor) => Asked::Act(Act::CreditBalance {
                balance: self.holders[account].balance,
                amount: MinorUnits(minor),
                reference: AsciiText::EMPTY,
            }),
        }
    }

    /// What was decided, in the model's words.
    pub(crate) fn said(&self, decision: Decision) -> Said {
        let about = decision.authorization;
        let about = about.map(|id| self.messages.iter().rposition(|one| *one == id));
        let (reason, repeated) = (decision.reason, decision.repeated);
        let about = about.map(|found| found.expect("one of ours"));
        // What is settled above what was authorized stands in the record, not in the answer.
        Said { reason, repeated, about, over: false }
    }

    /// A control of the model, as the engine is told it.
    pub(crate) fn terms(&self, limit: &Limit) -> ControlTerms {
        let subject = match limit.whose {
            Whose::Card(one) => ControlSubject::Card(self.holders[one].card),
            Whose::Account(one) => ControlSubject::Balance(self.holders[one].balance),
            Whose::EachCard => ControlSubject::Programme(self.programme),
        };
        let selects = match limit.only {
            Only::Any => Selector::default(),
            Only::CashBack => {
                Selector { uses: CardUses::of(&[CardUse::CashBack]), ..Selector::default() }
            }
            Only::At(terminal) => {
                Selector { merchants: vec![shop(terminal)], ..Selector::default() }
            }
        };
        let rule = match limit.says {
            Says::Never => ControlRule::Forbid,
            Says::Always => ControlRule::AllowOnly,
            Says::OneMerchant => ControlRule::OneMerchant,
            Says::Amount(most, over) => ControlRule::Amount(MinorUnits(most), window(over)),
            Says::Count(most, over) => ControlRule::Count(most, window(over)),
        };
        ControlTerms { subject, name: text(limit.name), shadow: limit.shadow, selects, rule }
    }

    /// Whose use of a control counts.
    pub(crate) fn holder(&self, limit: &Limit, card: usize) -> i64 {
        match limit.whose {
            Whose::Account(_) => self.holders[card].balance.0,
            Whose::Card(_) | Whose::EachCard => self.holders[card].card.0,
        }
    }

    pub(crate) fn message_key(&self, of: Key) -> MessageKey {
        let rrn = if of.rrn == 0 { AsciiText::EMPTY } else { text(&format!("{:012}", of.rrn)) };
        MessageKey {
            acquirer: Acquirer::Institution(text("999001")),
            class: of.class,
            stan: of.stan.into(),
            local_time: 615_120_000,
            terminal: text(&format!("TERM{}", of.terminal)),
            rrn,
            card: self.holders[of.card].print,
        }
    }

    /// A reference to the message with this trace number and this identifier of the network, by who
    /// sends `of`.
    fn reference(&self, of: Key, stan: u32, network: u32) -> OriginalReference {
        let own = self.message_key(of);
        let mut key = own.as_original();
        key.stan = stan.into();
        let network_trace = network_trace(network);
        OriginalReference { key, class: None, transmitted: 0, rrn: own.rrn, network_trace }
    }

    /// What a financial message says of the authorization before it.
    fn original(&self, ask: Ask) -> Original {
        let stan = ask.names.unwrap_or(ask.key.stan);
        let reference = self.reference(ask.key, stan, ask.of_network);
        let (percent, minor) = ask.on_top;
        let percent = u16::try_from(percent).expect("small");
        let tolerance = Tolerance { percent, minor: u32::try_from(minor).expect("small") };
        Original { reference, named: ask.names.is_some(), last: ask.last, tolerance }
    }

    fn request(&self, ask: Ask) -> Authorize {
        let adds_to = ask.adds.map(|(named, replaces)| {
            let stan = named.unwrap_or(ask.key.stan);
            let reference = self.reference(ask.key, stan, ask.of_network);
            Box::new(Increment { reference, named: named.is_some(), replaces })
        });
        let completes = ask.key.class == MessageClass::FinancialRequest && ask.names.is_some();
        Authorize {
            link: LinkId(1),
            facts: MessageFacts {
                key: self.message_key(ask.key),
                transmitted: 0,
                channel: Channel::Pos,
                entry: EntryMode::Chip,
                kind: ask.kind,
                merchant: Merchant { category: 5411, id: shop(ask.key.terminal) },
                country: None,
                network_trace: network_trace(ask.network),
            },
            bin: BIN,
            card: Some(self.holders[ask.key.card].card),
            expiry: None,
            fault: None,
            amount: Amount { minor: MinorUnits(ask.minor), currency: euro() },
            terms: Default::default(),
            repeat: false,
            network: None,
            adds_to,
            completes: completes.then(|| Box::new(self.original(ask))),
            evidence: None,
            blocked: false,
        }
    }

    fn advice(&self, ask: Ask) -> Advise {
        let original = ask.key.class.is_financial().then(|| self.original(ask));
        let (request, approved) = (self.request(ask), ask.approved);
        Advise { request, approved, approval_code: None, original }
    }

    fn reversal(&self, undo: Undo) -> Reverse {
        let left = Amount { minor: MinorUnits(undo.standing), currency: euro() };
        let reference = self.reference(undo.key, undo.stan, undo.of_network);
        Reverse {
            link: LinkId(1),
            key: self.message_key(undo.key),
            reference: OriginalReference { class: undo.class, ..reference },
            standing: (undo.standing > 0).then_some(left),
            repeat: false,
        }
    }
}

/// The merchant of a terminal: each has one.
fn shop(terminal: u8) -> AsciiText<35> {
    text(&format!("MERCHANT{terminal:07}"))
}

fn window(over: Over) -> Window {
    // The names of the zones have it the other way round.
    let zone = |ahead: i64| match ahead {
        0 => text("UTC"),
        1.. => text(&format!("Etc/GMT-{ahead}")),
        _ => text(&format!("Etc/GMT+{}", -ahead)),
    };
    match over {
        Over::Once => Window::Transaction,
        Over::Day(ahead) => Window::Day(zone(ahead)),
        Over::Week(ahead) => Window::Week(zone(ahead)),
        Over::Hours(hours) => Window::Rolling(hours),
        Over::EverSince => Window::Lifetime,
    }
}

/// The model's number as an identifier of the network; none for 0, as the networks have it.
fn network_trace(number: u32) -> NetworkTrace {
    NetworkTrace::new(format!("{number:015}").as_bytes()).expect("fifteen digits")
}

/// Arrivals by kind, and by what was there.
#[derive(Debug, Default)]
pub(crate) struct Drawn(std::collections::BTreeMap<(&'static str, &'static str), u32>);

/// All kinds of messages that go where something may be.
const KINDS: [&str; 9] = [
    "authorization",
    "authorization advice",
    "completing request",
    "completion",
    "financial advice",
    "financial request",
    "increment",
    "partial reversal",
    "reversal",
];
const THERE: [&str; 6] = ["nothing", "held", "settled", "over", "refused", "reversed early"];
/// And what goes nowhere.
const OTHERS: [&str; 6] = ["credit", "expiry", "lock", "reload", "unlock", "void"];

fn kind_of(arrival: Arrival) -> (&'static str, Option<(Key, u32)>) {
    use switch_domain::MessageClass::{AuthorizationAdvice, AuthorizationRequest, FinancialAdvice};
    match arrival {
        Arrival::Request(ask) | Arrival::Advice(ask) => {
            let kind = match ask.key.class {
                AuthorizationRequest | AuthorizationAdvice if ask.adds.is_some() => "increment",
                AuthorizationRequest => "authorization",
                AuthorizationAdvice => "authorization advice",
                FinancialAdvice if ask.names.is_some() => "completion",
                FinancialAdvice => "financial advice",
                _ if ask.names.is_some() => "completing request",
                _ => "financial request",
            };
            let named = ask.names.or(ask.adds.and_then(|(named, _)| named));
            (kind, Some((ask.key, named.unwrap_or(ask.key.stan))))
        }
        Arrival::Reversal(undo) => {
            let kind = if undo.standing == 0 { "reversal" } else { "partial reversal" };
            (kind, Some((undo.key, undo.stan)))
        }
        Arrival::Void(_) => ("void", None),
        Arrival::Expire(_) => ("expiry", None),
        Arrival::Lock(_) => ("lock", None),
        Arrival::Unlock(_) => ("unlock", None),
        Arrival::Credit(..) => ("credit", None),
        Arrival::Reload(_) => ("reload", None),
    }
}

impl Drawn {
    /// Counts what arrives next.
    pub(crate) fn note(&mut self, model: &Model, arrival: Arrival) {
        let (kind, goes) = kind_of(arrival);
        let there = goes.map_or("", |(key, stan)| model.there(key.card, stan, key.terminal));
        *self.0.entry((kind, there)).or_default() += 1;
    }

    /// Prints all counts; none may be zero.
    pub(crate) fn expect_all(&self) {
        for ((kind, there), count) in &self.0 {
            println!("{count:>7} {kind}{}{there}", if there.is_empty() { "" } else { " over " });
        }
        let pairs = KINDS.iter().flat_map(|kind| THERE.map(|there| (*kind, there)));
        for pair in pairs.chain(OTHERS.map(|other| (other, ""))) {
            assert!(self.0.contains_key(&pair), "{} over {} never happened", pair.0, pair.1);
        }
    }
}
