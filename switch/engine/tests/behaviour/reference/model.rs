//! A plain reference model of what messages do to an issuer's books: lists and sums, written from
//! the rules and not from the engine. It imports the words of the domain and nothing else. One
//! partner, a deposit, one currency; every step is committed before the next.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use switch_domain::{Direction, LockCode, MessageClass, OriginalClass, Reason, TransactionType};

pub(crate) use super::arrival::{Arrival, Ask, Key, Said, Undo};
use super::arrival::{agree, is_advice, of_class, twin};
use super::controls::{Controls, Spend};

/// Card, trace number, terminal.
type Place = (usize, u32, u8);

/// What an advice came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    Taken,
    Known,
    Nothing,
}

/// A request or an advice that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) key: Key,
    kind: TransactionType,
    pub(crate) minor: i64,
    /// What it says was decided.
    approved: bool,
    pub(crate) reason: Reason,
    advice: Option<Became>,
    /// Whether it took effect at all.
    granted: bool,
    pub(crate) held: i64,
    /// What it settled itself, and what others settled of it.
    pub(crate) settled: i64,
    pub(crate) settled_by_others: i64,
    /// What was authorized of it and nobody took back.
    authorized: i64,
    /// Of an increment: what it added and nobody took back, and what stands of its amount.
    added: i64,
    left: i64,
    replaces: bool,
    belongs_to: Option<usize>,
}

impl Message {
    /// What counts towards controls: what may come of it, or has.
    pub(crate) const fn used(&self) -> i64 {
        self.held + self.settled + self.settled_by_others
    }
}

#[derive(Clone, Debug)]
struct Reversal {
    standing: i64,
    about: Option<usize>,
}

/// A reversal that waits for what it speaks of.
#[derive(Clone, Debug)]
struct Early {
    undo: Undo,
    /// Its request has come and was declined: it can mean the advice alone.
    advice_only: bool,
}

/// An account with one card.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    pub(crate) ledger: i64,
    pub(crate) locked: bool,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) accounts: Vec<Account>,
    pub(crate) deposit: i64,
    pub(crate) network: i64,
    pub(crate) messages: Vec<Message>,
    reversals: BTreeMap<Key, Reversal>,
    /// By card.
    early: BTreeMap<usize, Vec<Early>>,
    /// Where a card's messages of a trace number and terminal are.
    places: BTreeMap<Place, Vec<usize>>,
    /// Where those of a card with an identifier of the network are.
    networks: BTreeMap<(usize, u32), Vec<usize>>,
    /// How often only that led to a message, by what asked.
    pub(crate) by_network: BTreeMap<&'static str, u32>,
    pub(crate) controls: Controls,
    /// The card that the latest arrival was about.
    pub(crate) touched: usize,
    held: BTreeMap<usize, i64>,
    all_held: i64,
}

impl Model {
    pub(crate) fn new(accounts: usize, each: i64, deposit: i64) -> Self {
        let account = Account { ledger: each, locked: false };
        Self { accounts: vec![account; accounts], deposit, ..Self::default() }
    }

    /// What is held on an account.
    pub(crate) fn held(&self, account: usize) -> i64 {
        self.held.get(&account).copied().unwrap_or(0)
    }

    /// What is held on the deposit: every hold is.
    pub(crate) const fn deposit_held(&self) -> i64 {
        self.all_held
    }

    /// The same, added up over all messages.
    pub(crate) fn held_by_messages(&self) -> i64 {
        self.messages.iter().map(|one| one.held).sum()
    }

    /// Whether this very message was answered before: then whoever sends it marks it as a repeat.
    pub(crate) fn was_answered(&self, arrival: Arrival) -> bool {
        match arrival {
            Arrival::Request(ask) | Arrival::Advice(ask) => self.latest(ask.key).is_some(),
            Arrival::Reversal(undo) => self.reversals.contains_key(&undo.key),
            _ => false,
        }
    }

    /// What is there where a message with this key goes, in a word.
    pub(crate) fn there(&self, card: usize, stan: u32, terminal: u8) -> &'static str {
        match self.at(card, stan, terminal).last().map(|at| &self.messages[at]) {
            Some(one) if one.held > 0 => "held",
            Some(one) if one.settled > 0 => "settled",
            Some(one) if one.granted => "over",
            Some(_) => "refused",
            None => {
                let here = |one: &Early| (one.undo.stan, one.undo.key.terminal) == (stan, terminal);
                let mut early = self.early.get(&card).into_iter().flatten();
                if early.any(here) { "reversed early" } else { "nothing" }
            }
        }
    }

    /// Whether a reversal waits for a message with this identifier of the network.
    pub(crate) fn is_awaited(&self, ask: Ask) -> bool {
        let mut early = self.early.get(&ask.key.card).into_iter().flatten();
        ask.network != 0 && early.any(|one| one.undo.of_network == ask.network)
    }

    pub(crate) fn arrive(&mut self, arrival: Arrival) -> Option<Said> {
        let card = arrival.card(|message| self.messages[message].key.card);
        self.touched = card.unwrap_or(self.touched);
        match arrival {
            Arrival::Request(ask) => Some(self.request(ask)),
            Arrival::Advice(ask) => Some(self.advice(ask)),
            Arrival::Reversal(undo) => Some(self.reversal(undo)),
            Arrival::Void(message) => Some(self.void(message)),
            Arrival::Expire(message) => {
                self.hold(message, -self.messages[message].held);
                None
            }
            Arrival::Lock(card) => {
                self.accounts[card].locked = true;
                None
            }
            Arrival::Unlock(card) => {
                self.accounts[card].locked = false;
                None
            }
            Arrival::Reload(minor) => {
                self.deposit += minor;
                None
            }
            Arrival::Credit(account, minor) => {
                self.accounts[account].ledger += minor;
                None
            }
        }
    }

    fn request(&mut self, ask: Ask) -> Said {
        if let Some(before) = self.latest(ask.key) {
            return self.again(before, ask);
        }
        let of = self.spoken_of(ask).or_else(|| self.purchase_of(ask));
        let covered = match (of, ask.adds) {
            (Some(of), Some((_, true))) => self.authorized(of).min(ask.minor),
            (Some(of), None) => self.released(of, ask).min(ask.minor),
            _ => 0,
        };
        let reason = match self.latest(twin(ask.key)) {
            Some(_) => Reason::DuplicateTransmission,
            None => self.refusal(ask, of, covered).unwrap_or(Reason::Approved),
        };
        self.record(ask, reason, None, reason == Reason::Approved, of)
    }

    fn advice(&mut self, ask: Ask) -> Said {
        if let Some(before) = self.latest(ask.key) {
            return self.again(before, ask);
        }
        let request = self.latest(twin(ask.key)).map(|at| &self.messages[at]);
        let ours = request.filter(|ours| ours.reason == Reason::Approved);
        let moves = ask.kind.direction() != Direction::None;
        let nothing = !ask.approved
            || ours.is_some_and(|ours| ours.minor != ask.minor)
            || (ours.is_none() && self.standing(ask) == Some(0))
            || (ours.is_none() && moves && ask.minor <= 0);
        let became = match ours {
            _ if nothing => Became::Nothing,
            Some(_) => Became::Known,
            None => Became::Taken,
        };
        let of = self.spoken_of(ask).or_else(|| self.purchase_of(ask));
        let of = of.filter(|_| became == Became::Taken);
        self.record(ask, Reason::AdviceAccepted, Some(became), became == Became::Taken, of)
    }

    /// The stored answer; for another content under the same key, nobody knows which is meant.
    fn again(&self, before: usize, ask: Ask) -> Said {
        let message = &self.messages[before];
        let same = (message.minor, message.kind, message.approved);
        if same != (ask.minor, ask.kind, ask.approved) {
            let reason = Reason::DuplicateTransmission;
            return Said { reason, repeated: false, about: None, over: false };
        }
        Said { reason: message.reason, repeated: true, about: Some(before), over: false }
    }

    /// Why a request is declined, where `covered` of it is held already.
    fn refusal(&mut self, ask: Ask, of: Option<usize>, covered: i64) -> Option<Reason> {
        let direction = ask.kind.direction();
        if direction != Direction::None && ask.minor <= 0 {
            return Some(Reason::InvalidAmount);
        }
        if self.accounts[ask.key.card].locked {
            return Some(Reason::Locked(LockCode::SuspectedFraud));
        }
        let spend = Self::spend(ask, of, covered);
        let messages = &self.messages;
        let used = |at: usize| messages[at].used();
        if let Some(reason) = self.controls.forbids(&spend, &used) {
            return Some(reason);
        }
        if of.is_some_and(|of| self.exceeds(of, ask)) {
            return Some(Reason::ExceedsPreauthorizedAmount);
        }
        let messages = &self.messages;
        let used = |at: usize| messages[at].used();
        if let Some(reason) = self.controls.exceeded(&spend, &used) {
            return Some(reason);
        }
        let account = &self.accounts[ask.key.card];
        let needs = ask.minor - covered;
        if direction == Direction::Debit && needs > (self.deposit - self.all_held).max(0) {
            return Some(Reason::PartnerDepositInsufficient);
        }
        let short = needs > 0 && needs > account.ledger - self.held(ask.key.card);
        if direction == Direction::Debit && short {
            return Some(Reason::InsufficientFunds);
        }
        (self.standing(ask) == Some(0)).then_some(Reason::OriginalReversed)
    }

    /// A request as controls see it.
    fn spend(ask: Ask, of: Option<usize>, covered: i64) -> Spend {
        let takes = ask.kind.direction() == Direction::Debit;
        let financial = of_class(ask.key.class) == OriginalClass::Financial;
        Spend {
            card: ask.key.card,
            kind: ask.kind,
            terminal: ask.key.terminal,
            needs: if takes { ask.minor - covered } else { 0 },
            adds_to: of.filter(|_| !financial),
            completes: of.is_some() && financial,
        }
    }

    /// Keeps a message, and does what it does to money.
    fn record(
        &mut self,
        ask: Ask,
        reason: Reason,
        advice: Option<Became>,
        granted: bool,
        of: Option<usize>,
    ) -> Said {
        let at = self.messages.len();
        let stands = self.standing(ask).map_or(ask.minor, |left| left.min(ask.minor));
        let direction = ask.kind.direction();
        let financial = of_class(ask.key.class) == OriginalClass::Financial;
        let belongs_to = of.filter(|_| granted);
        let over = advice.is_some() && belongs_to.is_some_and(|of| self.exceeds(of, ask));
        self.messages.push(Message {
            key: ask.key,
            kind: ask.kind,
            minor: ask.minor,
            approved: ask.approved,
            reason,
            advice,
            granted,
            held: 0,
            settled: 0,
            settled_by_others: 0,
            authorized: 0,
            added: 0,
            left: 0,
            replaces: ask.adds.is_some_and(|(_, replaces)| replaces),
            belongs_to,
        });
        let place = (ask.key.card, ask.key.stan, ask.key.terminal);
        self.places.entry(place).or_default().push(at);
        self.networks.entry((ask.key.card, ask.network)).or_default().push(at);
        if granted && belongs_to.is_none() {
            self.controls.begin(&Self::spend(ask, None, 0), at);
        }
        match belongs_to {
            Some(of) if !financial => self.add(at, of, stands),
            _ if granted && direction == Direction::Debit && !financial => {
                self.messages[at].authorized = stands;
                self.hold(at, stands);
            }
            _ => {}
        }
        if granted && direction != Direction::None && financial {
            self.settle(at, stands, ask.last);
        }
        self.use_up(ask);
        Said { reason, repeated: false, about: Some(at), over }
    }

    /// The open purchase that an increment is of.
    fn purchase_of(&mut self, ask: Ask) -> Option<usize> {
        let (stan, _) = ask.adds?;
        let takes = ask.kind.direction() == Direction::Debit;
        if !takes || of_class(ask.key.class) == OriginalClass::Financial {
            return None;
        }
        self.granted_at(ask, stan).filter(|of| self.messages[*of].held > 0)
    }

    /// What was authorized of an open purchase and not taken back.
    fn authorized(&self, of: usize) -> i64 {
        self.messages[of].held + self.messages[of].settled_by_others
    }

    /// Adds to a purchase what stands of an increment, or makes that its amount.
    fn add(&mut self, at: usize, of: usize, stands: i64) {
        let replaces = self.messages[at].replaces;
        let change = if replaces { stands - self.authorized(of) } else { stands };
        let change = change.max(-self.messages[of].held);
        self.messages[at].added = change.max(0);
        self.messages[at].left = if replaces { self.messages[at].minor } else { stands };
        self.messages[of].authorized += change;
        self.hold(of, change);
    }

    fn hold(&mut self, at: usize, minor: i64) {
        self.messages[at].held += minor;
        *self.held.entry(self.messages[at].key.card).or_default() += minor;
        self.all_held += minor;
    }

    /// Moves money for good: from the customer and the deposit to the network, or back.
    fn post(&mut self, at: usize, minor: i64) {
        let takes = self.messages[at].kind.direction() == Direction::Debit;
        let signed = if takes { -minor } else { minor };
        self.accounts[self.messages[at].key.card].ledger += signed;
        self.deposit += signed;
        self.network -= signed;
        self.messages[at].settled += minor;
    }

    fn settle(&mut self, at: usize, minor: i64, last: bool) {
        self.post(at, minor);
        let Some(of) = self.messages[at].belongs_to else { return };
        if self.messages[at].kind.direction() != Direction::Debit {
            return;
        }
        self.messages[of].settled_by_others += minor;
        let asked = self.messages[at].minor;
        let held = self.messages[of].held;
        let released = if last || held <= asked { held } else { minor };
        self.hold(of, -released);
    }

    /// What a completion frees of a hold.
    fn released(&self, of: usize, ask: Ask) -> i64 {
        let held = self.messages[of].held;
        if ask.last { held } else { held.min(ask.minor) }
    }

    /// Whether more is settled of a purchase than it was for and its merchant is allowed on top.
    fn exceeds(&self, of: usize, ask: Ask) -> bool {
        if of_class(ask.key.class) != OriginalClass::Financial
            || ask.kind.direction() != Direction::Debit
        {
            return false;
        }
        let left = self.standing(ask).filter(|_| is_advice(ask.key.class));
        let stands = left.map_or(ask.minor, |left| left.min(ask.minor));
        let authorized = self.messages[of].authorized.max(0);
        let (percent, minor) = ask.on_top;
        let on_top = if authorized > 0 { (authorized * percent / 100).max(minor) } else { 0 };
        self.messages[of].settled_by_others + stands > authorized + on_top
    }

    /// The authorization that a financial message completes, or what it refunds.
    fn spoken_of(&mut self, ask: Ask) -> Option<usize> {
        let may_not_name = ask.key.class == MessageClass::FinancialAdvice;
        if of_class(ask.key.class) != OriginalClass::Financial
            || (!may_not_name && ask.names.is_none())
        {
            return None;
        }
        self.granted_at(ask, ask.names)
    }

    /// The purchase of the authorization that a message means by a trace number, or by its own; or
    /// else by the network's identifier.
    fn granted_at(&mut self, ask: Ask, named: Option<u32>) -> Option<usize> {
        let taken = |one: &Message| {
            one.granted
                && one.kind.direction() == Direction::Debit
                && of_class(one.key.class) == OriginalClass::Authorization
        };
        let stan = named.unwrap_or(ask.key.stan);
        let candidates = self.at(ask.key.card, stan, ask.key.terminal).filter(|at| {
            let one = &self.messages[*at];
            let fits = named.is_some() || agree(one.key.rrn, ask.key.rrn) == 1;
            fits && taken(one)
        });
        let key = |at: &usize| (agree(self.messages[*at].key.rrn, ask.key.rrn), *at);
        let found = candidates.max_by_key(key);
        let what = if ask.adds.is_some() { "increment" } else { "completion" };
        let found = found.or_else(|| self.of_network(what, (ask.key.card, ask.of_network), taken));
        found.map(|at| self.messages[at].belongs_to.unwrap_or(at))
    }

    /// Of the messages with an identifier of the network, the one that holds, else the first that
    /// ever did anything, else the first.
    fn of_network(
        &mut self,
        what: &'static str,
        place: (usize, u32),
        may_be: impl Fn(&Message) -> bool,
    ) -> Option<usize> {
        let all = self.networks.get(&place).filter(|_| place.1 != 0)?.iter().copied();
        let found = all.filter(|at| may_be(&self.messages[*at])).max_by_key(|at| {
            let one = &self.messages[*at];
            let financial = of_class(one.key.class) == OriginalClass::Financial;
            let direction = one.kind.direction();
            let moves =
                direction == Direction::Debit || (direction == Direction::Credit && financial);
            (one.held > 0, one.granted && moves, Reverse(*at))
        })?;
        *self.by_network.entry(what).or_default() += 1;
        Some(found)
    }

    fn reversal(&mut self, undo: Undo) -> Said {
        let accepted = Reason::ReversalAccepted;
        if let Some(before) = self.reversals.get(&undo.key) {
            if before.standing != undo.standing {
                let reason = Reason::DuplicateTransmission;
                return Said { reason, repeated: false, about: None, over: false };
            }
            return Said { reason: accepted, repeated: true, about: before.about, over: false };
        }
        let found = self.at(undo.key.card, undo.stan, undo.key.terminal).filter(|at| {
            let class = of_class(self.messages[*at].key.class);
            undo.class.is_none_or(|wanted| wanted == class)
        });
        let found = found.max_by_key(|at| (agree(self.messages[*at].key.rrn, undo.key.rrn), *at));
        let of_class = |one: &Message| undo.class.is_none_or(|it| it == of_class(one.key.class));
        let place = (undo.key.card, undo.of_network);
        let found = found.or_else(|| self.of_network("reversal", place, of_class));
        let about = found.map(|at| self.holder(at));
        let declined = about.is_some_and(|at| {
            let one = &self.messages[at];
            one.advice.is_none() && one.reason != Reason::Approved
        });
        if about.is_none() || declined {
            let early = Early { undo, advice_only: declined };
            self.early.entry(undo.key.card).or_default().push(early);
        }
        self.reversals.insert(undo.key, Reversal { standing: undo.standing, about });
        if let Some(at) = about {
            self.take_back(at, undo.standing);
        }
        Said { reason: accepted, repeated: false, about, over: false }
    }

    /// Of a request and its advice, the one that has effect.
    fn holder(&self, found: usize) -> usize {
        let one = &self.messages[found];
        let has_effect = |one: &Message| one.held > 0 || one.settled > 0 || one.added > 0;
        if has_effect(one) {
            return found;
        }
        match self.latest(twin(one.key)) {
            Some(other) if has_effect(&self.messages[other]) => other,
            Some(other) if one.advice == Some(Became::Known) => other,
            _ => found,
        }
    }

    /// Leaves no more of a message than this.
    fn take_back(&mut self, at: usize, standing: i64) {
        let one = &self.messages[at];
        if one.settled > 0 {
            let back = (one.settled - standing).max(0);
            self.post(at, -back);
            let debit = self.messages[at].kind.direction() == Direction::Debit;
            if let Some(of) = self.messages[at].belongs_to.filter(|_| debit) {
                self.messages[of].settled_by_others -= back;
                self.messages[of].authorized -= back;
            }
            return;
        }
        let authorization = of_class(one.key.class) == OriginalClass::Authorization;
        if let Some(of) = one.belongs_to.filter(|_| authorization) {
            let back = (one.left - standing).max(0).min(one.added).min(self.messages[of].held);
            self.messages[at].added -= back;
            self.messages[at].left -= back;
            self.messages[of].authorized -= back;
            return self.hold(of, -back);
        }
        let keeps = (standing - one.settled_by_others).max(0);
        let back = (one.held - keeps).max(0);
        self.messages[at].authorized -= back;
        self.hold(at, -back);
    }

    fn void(&mut self, at: usize) -> Said {
        let about = Some(at);
        if self.messages[at].reason != Reason::Approved {
            let reason = self.messages[at].reason;
            return Said { reason, repeated: false, about, over: false };
        }
        let advised = self.latest(twin(self.messages[at].key));
        let known = advised.is_some_and(|it| self.messages[it].advice == Some(Became::Known));
        if !known {
            self.take_back(at, 0);
            self.messages[at].reason = Reason::IssuerInoperative;
        }
        Said { reason: Reason::IssuerInoperative, repeated: false, about, over: false }
    }

    fn at(&self, card: usize, stan: u32, terminal: u8) -> impl Iterator<Item = usize> + '_ {
        self.places.get(&(card, stan, terminal)).into_iter().flatten().copied()
    }

    fn latest(&self, key: Key) -> Option<usize> {
        let all = self.at(key.card, key.stan, key.terminal);
        all.filter(|at| self.messages[*at].key == key).last()
    }

    /// How much a reversal that came first speaks of a message: by its fields, or at least by the
    /// network's identifier, by which no settlement is stopped unless it is named.
    fn speaks(early: &Early, ask: Ask) -> Option<u8> {
        let (key, undo) = (ask.key, early.undo);
        let of_class = undo.class.is_none_or(|class| class == of_class(key.class));
        if !of_class || (early.advice_only && !is_advice(key.class)) {
            return None;
        }
        if (undo.stan, undo.key.terminal) == (key.stan, key.terminal) {
            return Some(1 + agree(undo.key.rrn, key.rrn));
        }
        let stands = undo.class.is_none() && key.class == MessageClass::FinancialAdvice;
        (ask.network != 0 && undo.of_network == ask.network && !stands).then_some(0)
    }

    /// What a reversal that came first leaves of a message.
    fn standing(&self, ask: Ask) -> Option<i64> {
        let early = self.early.get(&ask.key.card).into_iter().flatten();
        let speaking =
            early.filter_map(|one| Some((Self::speaks(one, ask)? == 0, one.undo.standing)));
        speaking.min().map(|(_, standing)| standing)
    }

    /// What it spoke of has come: those that fit best have done their work, but for an advice.
    fn use_up(&mut self, ask: Ask) {
        let Some(early) = self.early.get_mut(&ask.key.card) else { return };
        let best = early.iter().filter_map(|one| Self::speaks(one, ask)).max();
        if best == Some(0) {
            *self.by_network.entry("message after its reversal").or_default() += 1;
        }
        let used = |one: &Early| best.is_some() && Self::speaks(one, ask) == best;
        if is_advice(ask.key.class) {
            early.retain(|one| !used(one));
        } else {
            early.iter_mut().filter(|one| used(one)).for_each(|one| one.advice_only = true);
        }
    }
}
