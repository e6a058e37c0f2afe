//! What the acquirer and the operator send: messages of every kind, copies of them, reversals,
//! commands. It owns what a peer that keeps to the rules may send in which world.

use std::time::Duration;

use switch_domain::{
    BalanceState, CustomerState, Expiry, Hold, LockCode, MinorUnits, OutsideAsk, TransferOutcome,
};
use switch_shard::{Act, Manage, ReplyTo, Submission};
use tokio::time::Instant;

use crate::driver::{Driver, Process, locked};
use crate::history::Entry;
use crate::judge::Order;
use crate::messages::{Copy, Heard, Kind, Request, text};
use crate::world::{Room, key};

/// A copy of a request on its way.
#[derive(Clone, Copy)]
struct Way {
    marked: bool,
    /// More than the request is for: then it is another message under the same key.
    more: i64,
    patience: Duration,
}

/// The patience of an acquirer that waits for as long as it takes.
pub(crate) const LONG: Duration = Duration::from_secs(600);

impl Driver {
    /// A purchase that was not sent before.
    fn new_purchase(&mut self) -> usize {
        let holder = self.some_holder();
        let minor = i64::try_from(1 + self.dice.below(400)).expect("small");
        self.new_request(Kind::Purchase { minor }, holder)
    }

    /// A message that was not sent before and is about money, or now and then about a card.
    fn new_message(&mut self) -> usize {
        let minor = i64::try_from(1 + self.dice.below(400)).expect("small");
        let odd = self.dice.below(24);
        let earlier = match odd {
            0..8 => self.some_request(|request| request.kind.holds()),
            _ => None,
        };
        let earlier = earlier.map(|request| {
            let judge = self.judge();
            let one = &judge.requests[request];
            (one.stan, one.holder, one.kind, one.heard)
        });
        if let Some((stan, holder, before, heard)) = earlier {
            let (replaces, last) = (odd == 2, odd < 5);
            let kind = match (odd, before) {
                // It was decided in our stead, for nobody heard from us.
                (7, Kind::Purchase { minor }) if heard.is_none() && !self.is_advised(stan) => {
                    let advice = Kind::Advice { minor, approved: self.dice.in_thousand(800) };
                    return self.new_request_as(stan, advice, holder);
                }
                (0..=2, _) => Kind::Increment { minor, of: stan, replaces },
                (3..=5, _) => Kind::Posting { minor, refund: false, of: Some(stan), last },
                _ => Kind::Posting { minor, refund: true, of: Some(stan), last: true },
            };
            return self.new_request(kind, holder);
        }
        let kind = match odd {
            8..10 => Kind::Financial { minor, refund: false },
            10 => Kind::Financial { minor, refund: true },
            11..13 => Kind::Advice { minor, approved: self.dice.in_thousand(800) },
            13 => Kind::Posting { minor, refund: false, of: None, last: true },
            14 => Kind::FileAction { ask: self.some_lock() },
            _ => return self.new_purchase(),
        };
        let holder = self.some_holder();
        self.new_request(kind, holder)
    }

    /// Whether an advice with this STAN was sent: it has one, whatever it tells.
    fn is_advised(&self, stan: u32) -> bool {
        let judge = self.judge();
        let advice = |one: &Request| one.stan == stan && matches!(one.kind, Kind::Advice { .. });
        judge.requests.iter().any(advice)
    }

    fn some_lock(&mut self) -> OutsideAsk {
        match self.dice.below(8) {
            0 => OutsideAsk::Lock(LockCode::PendingQuery),
            1 => OutsideAsk::Lock(LockCode::SuspectedFraud),
            // Of which the link has no authority.
            2 => OutsideAsk::Lock(LockCode::Lost),
            3 => OutsideAsk::Unlock(Some(LockCode::SuspectedFraud)),
            _ => OutsideAsk::Unlock(None),
        }
    }

    fn some_holder(&mut self) -> crate::world::Holder {
        let holder = self.dice.below(self.world.holders.len() as u64);
        self.world.holders[usize::try_from(holder).expect("small")]
    }

    fn new_request(&mut self, kind: Kind, holder: crate::world::Holder) -> usize {
        let stan = self.next_stan;
        self.next_stan += 1;
        self.new_request_as(stan, kind, holder)
    }

    fn new_request_as(&mut self, stan: u32, kind: Kind, holder: crate::world::Holder) -> usize {
        let request = Request {
            kind,
            holder,
            stan,
            copies: Vec::new(),
            heard: None,
            decided: None,
            reversed: false,
        };
        let mut judge = self.judge();
        judge.requests.push(request);
        judge.requests.len() - 1
    }

    /// How long this acquirer waits: mostly long, at times hardly at all.
    fn patience(&mut self) -> Duration {
        match self.dice.below(8) {
            0 => Duration::from_millis(self.dice.below(4)),
            1 | 2 => Duration::from_millis(5 + self.dice.below(300)),
            3 => Duration::from_secs(1 + self.dice.below(10)),
            _ => LONG,
        }
    }

    fn send(&mut self, process: Option<&Process>, request: usize, way: Way) {
        let process = process.unwrap_or(&self.current);
        let (number, link) = (process.number, process.link.clone());
        let (token, command, card) = {
            let mut judge = locked(&self.judge);
            let token = judge.copies.len() as u64;
            let first = judge.requests[request].copies.is_empty();
            judge.copies.push(Copy {
                request,
                process: number,
                altered: way.more != 0,
                first,
                admission: None,
                replies: 0,
                answered: false,
            });
            judge.note(Entry::Sent { token, request, process: number, marked: way.marked });
            let one = &mut judge.requests[request];
            one.copies.push(token);
            (token, one.command(way.marked, way.more), one.holder.print)
        };
        let deadline = Instant::now() + way.patience;
        let reply = ReplyTo::new(link, token);
        let admission =
            process.node.submit(Submission { command: Box::new(command), card, deadline, reply });
        locked(&self.judge).admitted(token, admission);
    }

    /// New messages, one behind the other; some come twice without a mark where nothing is lost by
    /// that.
    pub(crate) fn messages(&mut self) {
        for _ in 0..=self.dice.below(5) {
            let request = self.new_message();
            let way = Way { marked: false, more: 0, patience: self.patience() };
            self.send(None, request, way);
            if self.room == Room::Ample && self.dice.in_thousand(150) {
                self.send(None, request, way);
            }
            if self.dice.in_thousand(100) {
                let patience = self.patience();
                self.send(None, request, Way { marked: true, patience, ..way });
            }
        }
    }

    /// A request that was sent, by chance: the latest more often.
    fn some_request(&mut self, fits: impl Fn(&Request) -> bool) -> Option<usize> {
        let count = self.judge().requests.len() as u64;
        let back = if self.dice.in_thousand(500) { 6.min(count) } else { count };
        let index = usize::try_from(count.checked_sub(1 + self.dice.below(back))?).ok()?;
        fits(&self.judge().requests[index]).then_some(index)
    }

    /// Another copy of something that was sent, marked as such.
    pub(crate) fn repeat(&mut self) {
        // Nobody repeats what was declined without a record.
        let fits =
            |request: &Request| request.decided.is_some() || request.heard != Some(Heard::Declined);
        let Some(request) = self.some_request(fits) else { return };
        let patience = self.patience();
        self.send(None, request, Way { marked: true, more: 0, patience });
    }

    /// The key of something that was decided, for another amount.
    pub(crate) fn alter(&mut self) {
        let fits = |request: &Request| request.decided.is_some() && request.kind.minor().is_some();
        let Some(request) = self.some_request(fits) else { return };
        self.step("altered copy");
        self.send(None, request, Way { marked: true, more: 1, patience: LONG });
    }

    /// The hold of something that was decided lived its life, whatever became of it since.
    pub(crate) fn end_hold(&mut self) {
        let request = match self.dice.in_thousand(500) {
            true => self.some_added_to(),
            false => self.some_request(|request| request.kind.minor().is_some()),
        };
        let Some(request) = request else { return };
        let Some((hold, node)) = self.hold_of(request) else { return };
        self.judge().ends_pending += 1;
        let judge = std::sync::Arc::clone(&self.judge);
        tokio::spawn(async move {
            let end = node.expire(hold).await;
            locked(&judge).hold_ended(hold.authorization, end);
        });
    }

    /// An authorization that an increment names.
    fn some_added_to(&mut self) -> Option<usize> {
        let increment = |request: &Request| matches!(request.kind, Kind::Increment { .. });
        let increment = self.some_request(increment)?;
        let judge = self.judge();
        let Kind::Increment { of, .. } = judge.requests[increment].kind else { return None };
        judge.requests.iter().position(|request| request.stan == of)
    }

    /// As the sweep finds it, at times before what was added to it is in the tables.
    fn hold_of(&mut self, request: usize) -> Option<(Hold, switch_shard::Node)> {
        let behind = self.dice.in_thousand(500);
        let mut judge = self.judge();
        judge.follow();
        let (key, balance) = {
            let one = &judge.requests[request];
            (one.key(), one.holder.balance)
        };
        let (authorization, truth) = judge.oracle.of_key(&key)?;
        let (decided_at, original) = (truth.decided_at, key.as_original());
        let incremented = if behind { MinorUnits::ZERO } else { truth.totals.incremented };
        let hold = Hold { authorization, balance, decided_at, original, incremented };
        Some((hold, self.current.node.clone()))
    }

    /// A reversal of something that was sent.
    pub(crate) fn reverse(&mut self) {
        let of_money = |request: &Request| request.kind.minor().is_some();
        let Some(original) = self.some_request(of_money) else { return };
        let (stan, holder) = {
            let mut judge = self.judge();
            let one = &mut judge.requests[original];
            one.reversed = true;
            (one.stan, one.holder)
        };
        let request = self.new_request(Kind::Reversal { original: stan }, holder);
        let patience = self.patience();
        self.send(None, request, Way { marked: false, more: 0, patience });
    }

    /// A reversal that overtakes its original. Where little is remembered it may be let go before
    /// the original comes: then the original is another purchase.
    pub(crate) fn reverse_early(&mut self) {
        if self.room == Room::Scarce {
            return self.reverse();
        }
        let original = loop {
            let message = self.new_message();
            if self.judge().requests[message].kind.minor().is_some() {
                break message;
            }
        };
        let (stan, holder) = {
            let mut judge = self.judge();
            let one = &mut judge.requests[original];
            one.reversed = true;
            (one.stan, one.holder)
        };
        let request = self.new_request(Kind::Reversal { original: stan }, holder);
        let (patience, marked) = (self.patience(), false);
        self.send(None, request, Way { marked, more: 0, patience });
        self.send(None, original, Way { marked, more: 0, patience: LONG });
    }

    /// What waits in the sockets of a process that stood still: new purchases, one on each card so
    /// that each shard gets something to write.
    pub(crate) fn old_gets_requests(&mut self, old: &Process) {
        for holder in self.world.holders.clone() {
            let minor = 1;
            let request = self.new_request(Kind::Purchase { minor }, holder);
            self.send(Some(old), request, Way { marked: false, more: 0, patience: LONG });
        }
    }

    /// Sends again what has no definite answer. True when there was something to send.
    pub(crate) fn ask_again(&mut self) -> bool {
        let open: Vec<usize> = {
            let judge = self.judge();
            let requests = judge.requests.iter().enumerate();
            let open = requests.filter(|(_, request)| match request.copies.last() {
                None => false,
                Some(last) => {
                    let last = &judge.copies[usize::try_from(*last).expect("small")];
                    let given_up = request.reversed && request.decided.is_none();
                    !last.answered && !given_up
                }
            });
            open.map(|(index, _)| index).collect()
        };
        for request in &open {
            // Not all at once: a queue may be short.
            self.send(None, *request, Way { marked: true, more: 0, patience: LONG });
            if self.room == Room::Scarce {
                break;
            }
        }
        !open.is_empty()
    }

    /// A command: a new one, or one whose result is not known.
    pub(crate) fn order(&mut self) {
        let again = {
            let judge = self.judge();
            judge.orders.iter().position(|order| !order.settled && !order.pending)
        };
        let command = match again.filter(|_| self.dice.in_thousand(600)) {
            Some(command) => command,
            None => {
                let act = self.some_act();
                self.next_key += 1;
                let manage = Manage { key: key(self.next_key), actor: text("operator:1"), act };
                let mut judge = self.judge();
                judge.orders.push(Order::new(manage));
                judge.orders.len() - 1
            }
        };
        self.begin(command);
    }

    /// Sends every command again that has no result. True when there was one.
    pub(crate) fn order_again(&mut self) -> bool {
        let open: Vec<usize> = {
            let judge = self.judge();
            let orders = judge.orders.iter().enumerate();
            orders.filter(|(_, order)| !order.settled).map(|(index, _)| index).collect()
        };
        for command in &open {
            if !self.judge().orders[*command].pending {
                self.begin(*command);
            }
        }
        !open.is_empty()
    }

    fn begin(&self, command: usize) {
        let (node, judge) = (self.current.node.clone(), std::sync::Arc::clone(&self.judge));
        let process = self.current.number;
        let manage = {
            let mut judge = self.judge();
            judge.note(Entry::Ordered { command, process });
            judge.orders[command].pending = true;
            judge.orders[command].manage.clone()
        };
        tokio::spawn(async move {
            let result = node.manage(manage, None).await;
            locked(&judge).ordered(command, result);
        });
    }

    /// From one account to another, in the same shard or not, at times to one that is funded
    /// otherwise.
    fn some_transfer(&mut self, from: crate::world::Holder, amount: MinorUnits) -> Act {
        let to = self.dice.below(self.world.holders.len() as u64);
        let to = self.world.holders[usize::try_from(to).expect("small")];
        let (from, to) = (from.balance, to.balance);
        let target = TransferOutcome::NoSuchBalance;
        Act::Transfer { from, to, amount, reference: text("MORE"), target }
    }

    /// To any month after that of the issue: often one that it has already.
    fn some_renewal(&mut self, holder: crate::world::Holder) -> Act {
        let yymm = 5001 + u16::try_from(self.dice.below(12)).expect("small");
        let expiry = Expiry::from_yymm(yymm).expect("a month");
        Act::RenewCard { card: holder.card, expiry, plastic: None }
    }

    fn some_act(&mut self) -> Act {
        let holder = self.dice.below(self.world.holders.len() as u64);
        let holder = self.world.holders[usize::try_from(holder).expect("small")];
        let amount = MinorUnits(i64::try_from(1 + self.dice.below(500)).expect("small"));
        let reference = text("MORE");
        match self.dice.below(14) {
            13 => self.some_renewal(holder),
            10..=12 => self.some_transfer(holder, amount),
            0 => Act::LockCard { card: holder.card, lock: LockCode::PendingQuery },
            1 | 2 => Act::UnlockCard { card: holder.card },
            3 | 4 => Act::CreditBalance { balance: holder.balance, amount, reference },
            5 => Act::ReloadPool { pool: self.world.deposit, amount, reference },
            6 => Act::ReloadPool { pool: self.world.credit, amount, reference },
            7 => Act::SetBalanceState { balance: holder.balance, state: BalanceState::Blocked },
            8 => Act::SetBalanceState { balance: holder.balance, state: BalanceState::Active },
            _ => {
                let blocked = self.dice.in_thousand(300);
                let state = if blocked { CustomerState::Blocked } else { CustomerState::Active };
                Act::SetCustomerState { customer: holder.customer, state }
            }
        }
    }
}
