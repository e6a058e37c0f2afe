//! Two shards run as `switch-shard` runs them: decide, take from the pool, apply what restricts,
//! commit in order, apply what relaxes. It owns the invariants that hold after every step; it never
//! looks inside a state.

use std::collections::{BTreeMap, HashMap, VecDeque};

use switch_domain::{
    Account, AnsweredReversal, AuthorizationId, Authorized, BalanceId, Cause, CommandDigest,
    Currency, DoneCommand, Effects, Event, Forgotten, Hold, IdempotencyKey, MessageClass,
    MessageKey, MinorUnits, PoolId, Reach, Recalled, Record, Reversed, ShardId, ShardImage,
    StandIn, Taken, Timestamp, Totals, TransactionType, Voided,
};
use switch_engine::{Answer, Command, Decision, Headroom, HoldEnd, Outcome, State};

/// The control shard: partners, pools, programmes.
pub(crate) const CONTROL: usize = 0;
/// The shard of all balances and cards.
pub(crate) const CARDS: usize = 1;

/// What every pool has left, as the caller's atomics would tell.
#[derive(Clone, Default)]
pub(crate) struct Pools(pub(crate) BTreeMap<PoolId, MinorUnits>);

impl Headroom for Pools {
    fn available(&self, pool: PoolId) -> MinorUnits {
        self.0.get(&pool).copied().unwrap_or(MinorUnits::ZERO)
    }
}

/// A control shard and a shard of cards, with the rows that are on their way to the journal.
pub(crate) struct Cluster {
    pub(crate) states: [State; 2],
    pub(crate) journals: [Vec<Record>; 2],
    /// Decided and not yet committed, in the order of deciding.
    pub(crate) in_flight: VecDeque<(usize, Record)>,
    pub(crate) now: Timestamp,
    /// Overrides what a pool has left, to play another shard that took from it.
    pub(crate) headroom: BTreeMap<PoolId, MinorUnits>,
    /// The answer that each message must get when it comes again.
    answers: HashMap<MessageKey, Decision>,
}

/// A command as the tables have it.
fn done(
    event: &Event,
    (key, digest): (IdempotencyKey, Option<CommandDigest>),
    record: &Record,
) -> DoneCommand {
    let made = match event {
        Event::BalanceOpened(opened) => Some(opened.balance.0),
        Event::CardIssued(issued) => Some(issued.card.0),
        Event::TransferSent(transfer) => Some(transfer.id.0),
        _ => None,
    };
    DoneCommand { key, digest, made, refused: event.refusal(), at: record.at }
}

pub(crate) fn empty(shard: usize) -> State {
    let number = u16::try_from(shard).expect("two shards");
    State::from_image(ShardImage::empty(ShardId(number)))
}

impl Cluster {
    pub(crate) fn new() -> Self {
        Self {
            states: [empty(CONTROL), empty(CARDS)],
            journals: [Vec::new(), Vec::new()],
            in_flight: VecDeque::new(),
            now: Timestamp::from_unix_seconds(1_813_060_800), // 2027-06-15
            headroom: BTreeMap::new(),
            answers: HashMap::new(),
        }
    }

    /// What every pool has left: the sum of its shares, unless a test says otherwise.
    pub(crate) fn pools(&self) -> Pools {
        let mut sums = BTreeMap::new();
        for (pool, share) in self.states.iter().flat_map(State::shares) {
            let sum: &mut MinorUnits = sums.entry(pool).or_default();
            *sum = sum.checked_add(share.available()).expect("in range");
        }
        sums.extend(self.headroom.iter().map(|(pool, left)| (*pool, *left)));
        Pools(sums)
    }

    /// Decides without consequences, twice: deciding must be pure.
    pub(crate) fn ask(&self, shard: usize, command: &Command) -> Outcome {
        let pools = self.pools();
        let once = self.states[shard].decide(command, &pools, self.now);
        let again = self.states[shard].decide(command, &pools, self.now);
        assert_eq!(once.answer, again.answer, "deciding is not pure");
        assert_eq!(once.record, again.record, "deciding is not pure");
        once
    }

    /// Decides and applies what restricts. The record waits for [`Cluster::commit`].
    pub(crate) fn submit(&mut self, shard: usize, command: &Command) -> Answer {
        self.submit_with(shard, command, |_| {})
    }

    /// The same, where something is done to the record before it counts.
    pub(crate) fn submit_with(
        &mut self,
        shard: usize,
        command: &Command,
        change: impl Fn(&mut Record),
    ) -> Answer {
        self.now = Timestamp(self.now.0 + 1_000);
        if let Some(what) = self.states[shard].forgotten_by(command) {
            let recalled = self.recall(shard, &what);
            self.states[shard].recall(recalled, self.now);
        }
        let mut outcome = self.ask(shard, command);
        outcome.record.iter_mut().for_each(change);
        self.judge(command, &outcome);
        if let Some(take) = outcome.pool_take() {
            let left = self.pools().available(take.pool);
            let forced = !matches!(command, Command::Authorize(_) | Command::Manage(_));
            let covered = forced || take.is_there(left);
            assert!(take.amount.is_positive() && covered, "{take:?} of {left}");
            if let Some(level) = self.headroom.get_mut(&take.pool) {
                *level = level.checked_sub(take.amount).expect("in range");
            }
        }
        if let Some(record) = outcome.record {
            postings_balance(&record);
            self.states[shard].apply_decided(&record).expect("a record fits its own state");
            if is_approval(&outcome.answer) {
                self.nothing_below_zero(&record);
            }
            self.in_flight.push_back((shard, record));
        }
        outcome.answer
    }

    /// What the tables have: here, what follows from the journal.
    fn recall(&self, shard: usize, what: &Forgotten) -> Recalled {
        let replayed = &self.replayed()[shard];
        let mut reach = Reach::of(what);
        loop {
            let recalled = self.reached(shard, what, reach.as_ref(), replayed);
            if !reach.as_mut().is_some_and(|reach| reach.grow(&recalled)) {
                return recalled;
            }
        }
    }

    /// The same, as far as a search has come.
    fn reached(
        &self,
        shard: usize,
        what: &Forgotten,
        reach: Option<&Reach>,
        replayed: &State,
    ) -> Recalled {
        let mut recalled = Recalled::default();
        for record in &self.journals[shard] {
            match (what, &record.event, &record.cause) {
                (_, Event::Authorized(one), _)
                    if reach.is_some_and(|reach| reach.has_key(&one.facts)) =>
                {
                    recalled.authorizations.extend(replayed.authorization(one.id).cloned());
                }
                (_, Event::Authorized(one), _)
                    if reach.is_some_and(|reach| reach.has_trace(&one.facts)) =>
                {
                    recalled.traced.extend(replayed.authorization(one.id).cloned());
                }
                (Forgotten::Hold(hold), Event::Authorized(one), _)
                    if one.id == hold.authorization =>
                {
                    assert_eq!(record.at, hold.decided_at, "the key of its row");
                    recalled.hold = replayed.authorization(one.id).cloned();
                }
                (Forgotten::Message { answered, .. }, Event::Reversed(one), _) => {
                    let row = AnsweredReversal {
                        id: one.id,
                        key: one.key,
                        reference: one.reference,
                        original: one.original,
                        standing: one.standing,
                        reason: one.reason,
                        decided_at: record.at,
                    };
                    let wanted = reach.is_some_and(|reach| reach.has_early(&one.reference));
                    if *answered == Some(one.key) {
                        recalled.reversal = Some(row);
                    } else if record.effects.authorization.is_none() && wanted {
                        recalled.early.push(row);
                    }
                }
                (Forgotten::Command(wanted), event, Cause::Command { key, digest, .. })
                    if key == wanted =>
                {
                    recalled.command = Some(done(event, (*key, *digest), record));
                }
                _ => {}
            }
        }
        let found = recalled.authorizations.iter().chain(&recalled.traced);
        let names = found.filter_map(|one| one.completes);
        let firsts = names.filter_map(|one| replayed.authorization(one.authorization));
        recalled.firsts = firsts.cloned().collect();
        recalled
    }

    /// The hold of an authorization, as its row in the tables names it.
    pub(crate) fn hold(&self, id: AuthorizationId) -> Hold {
        let made = self.all_records(CARDS).find_map(|record| match &record.event {
            Event::Authorized(one) if one.id == id => Some((record.at, one)),
            _ => None,
        });
        let (decided_at, made) = made.expect("an authorization");
        let balance = made.balance.unwrap_or(BalanceId(9));
        let original = made.facts.key.as_original();
        let row = self.replayed();
        let totals = row[CARDS].authorization(id).map(|one| one.totals).unwrap_or_default();
        let incremented = totals.incremented;
        Hold { authorization: id, balance, decided_at, original, incremented }
    }

    /// Commits the oldest `count` records in flight, in order.
    pub(crate) fn commit(&mut self, count: usize) {
        for _ in 0..count {
            let Some((shard, record)) = self.in_flight.pop_front() else { return };
            self.states[shard].apply_committed(&record).expect("a decided record fits");
            self.journals[shard].push(record);
            if shard == CONTROL {
                let control = self.states[CONTROL].control().clone();
                self.states[CARDS].install_control(control);
            }
        }
    }

    pub(crate) fn commit_all(&mut self) {
        self.commit(self.in_flight.len());
    }

    /// What has to be true of one answer and its record, whatever the command was.
    fn judge(&mut self, command: &Command, outcome: &Outcome) {
        if let Answer::Decided(decision) = outcome.answer {
            let coded = decision.approval_code.is_some();
            assert_eq!(coded, decision.reason.is_approval(), "DE38 goes with approvals alone");
            assert!(decision.approval_code.is_none_or(|code| code.as_str().len() == 6));
            let key = match command {
                Command::Authorize(request) => Some(request.facts.key),
                Command::Advise(advice) => Some(advice.request.facts.key),
                Command::Reverse(request) => Some(request.key),
                Command::Void { authorization, .. } => {
                    let original = self.states[CARDS].authorization(*authorization);
                    original.map(|original| original.facts.key)
                }
                _ => None,
            };
            let Some(key) = key else { return };
            if decision.repeated {
                assert!(outcome.record.is_none(), "a repeat makes nothing happen");
                let first = self.answers.get(&key).expect("a repeat of something");
                let amounts = decision.amounts; // as they are now
                assert_eq!(decision, Decision { repeated: true, amounts, ..*first });
            } else if outcome.record.is_some() && self.is_newest(command, &key) {
                self.answers.insert(key, decision);
            }
        } else if let Answer::HoldEnded(end) = outcome.answer {
            self.ends_what_is_held(end, outcome.record.as_ref());
        } else if !matches!(outcome.answer, Answer::Done(_) | Answer::Transferred(_)) {
            let only_told = |record: &Record| {
                record.event.refusal().is_some() && record.effects == Effects::default()
            };
            let nothing = outcome.record.as_ref().is_none_or(only_told);
            assert!(nothing, "a refusal makes nothing happen, but that some are on record");
        }
    }

    /// What is given back is what the events alone say that it holds; nothing else changes.
    fn ends_what_is_held(&self, end: HoldEnd, record: Option<&Record>) {
        let given = record.map(|record| {
            let Event::Expired(expired) = record.event else { panic!("{record:?}") };
            let hold = self.open_holds().remove(&expired.authorization).expect("an open hold");
            let delta = record.effects.authorization.expect("it is closed");
            assert!(delta.closes && delta.totals == Totals::default(), "{delta:?}");
            let balance = record.effects.balance.map(|delta| (delta.balance, delta.ledger.0));
            assert_eq!(balance, hold.0.map(|balance| (balance, 0)));
            assert_eq!(
                record.effects.pool.map(|delta| (delta.pool, delta.level.0)),
                hold.1.map(|pool| (pool, 0))
            );
            hold.2
        });
        let said = match end {
            HoldEnd::GivenBack(amount) => Some(amount.0),
            HoldEnd::HeldNothing | HoldEnd::BegunAgain | HoldEnd::NotThere => None,
        };
        assert_eq!(said, given, "the answer says what happened");
    }

    /// A void is of the message's own answer, unless that was forgotten and the message came again.
    fn is_newest(&self, command: &Command, key: &MessageKey) -> bool {
        let Command::Void { authorization, .. } = command else { return true };
        self.answers.get(key).is_none_or(|newest| newest.authorization == Some(*authorization))
    }

    fn nothing_below_zero(&self, record: &Record) {
        // What gives money, or none, may find the account below zero.
        let takes = |level: i64, held: i64| level < held;
        let effects = &record.effects;
        if let Some(delta) = effects.balance.filter(|it| takes(it.ledger.0, it.held.0)) {
            let balance = self.states[CARDS].balance(delta.balance).expect("charged");
            // What it completes is given back once it is committed.
            let available = balance.available().0 + delta.split().1.held.0.abs();
            assert!(available >= 0, "an approval overdrew {balance:?}");
        }
        if let Some(delta) = effects.pool.filter(|it| takes(it.level.0, it.held.0)) {
            let left = self.pools().available(delta.pool).0 + delta.split().1.available();
            assert!(left >= 0, "an approval overdrew pool {}: {left}", delta.pool);
        }
    }

    /// The states as they will be once everything in flight is committed.
    fn settled(&self) -> [State; 2] {
        let mut states = self.states.clone();
        for (shard, record) in &self.in_flight {
            states[*shard].apply_committed(record).expect("a decided record fits");
        }
        let control = states[CONTROL].control().clone();
        states[CARDS].install_control(control);
        states
    }

    fn all_records(&self, shard: usize) -> impl Iterator<Item = &Record> {
        let waiting = self.in_flight.iter().filter(move |(of, _)| *of == shard);
        self.journals[shard].iter().chain(waiting.map(|(_, record)| record))
    }

    /// Everything that was committed in the shard of cards, in order.
    pub(crate) fn committed_records(&self) -> Vec<Record> {
        self.all_records(CARDS).cloned().collect()
    }

    /// Both shards replayed from nothing, all records in order.
    pub(crate) fn replayed(&self) -> [State; 2] {
        let mut states = [empty(CONTROL), empty(CARDS)];
        for (shard, state) in states.iter_mut().enumerate() {
            for record in self.all_records(shard) {
                state.replay(record).expect("the journal fits");
            }
        }
        let control = states[CONTROL].control().clone();
        states[CARDS].install_control(control);
        states
    }

    /// Everything that must add up once what is in flight is committed: books, replay, postings,
    /// shares of pools, and an account of holds kept apart from the engine's.
    pub(crate) fn audit(&self) {
        let settled = self.settled();
        let replayed = self.replayed();
        for (live, rebuilt) in settled.iter().zip(&replayed) {
            assert_eq!(live.books(), []);
            assert_eq!(rebuilt.books(), []);
            assert_eq!(live.differences(rebuilt), []);
        }
        let holds = self.open_holds();
        let posted = self.posted();
        let fees = self.held_fees();
        for balance in settled[CARDS].balances() {
            let held: i64 =
                holds.values().filter(|hold| hold.0 == Some(balance.id)).map(|hold| hold.2).sum();
            let held = held + fees.get(&balance.id).copied().unwrap_or(0);
            let ledger = posted.get(&Account::Balance(balance.id)).copied().unwrap_or(0);
            assert_eq!((balance.ledger.0, balance.held.0), (ledger, held), "{balance:?}");
        }
        for pool in settled[CONTROL].control().pools.keys() {
            let shares: Vec<_> = settled.iter().map(|state| state.share(*pool)).collect();
            let level: i64 = shares.iter().map(|share| share.level.0).sum();
            let held: i64 = shares.iter().map(|share| share.held.0).sum();
            let stated: i64 =
                holds.values().filter(|hold| hold.1 == Some(*pool)).map(|hold| hold.2).sum();
            let ledger = posted.get(&Account::Pool(*pool)).copied().unwrap_or(0);
            assert_eq!((level, held), (ledger, stated), "pool {pool}");
        }
        self.fees_add_up(&posted);
    }

    /// Every fee that is taken at once is a posting and a line, and what is given back of it, too.
    fn fees_add_up(&self, posted: &BTreeMap<Account, i64>) {
        let mut lines: BTreeMap<Account, i64> = BTreeMap::new();
        for record in self.all_records(CARDS) {
            let of_act = match &record.event {
                Event::FeeCharged(one) => Some(&**one),
                _ => None,
            };
            let of_purchase = record.effects.fees.iter().flat_map(|fees| &fees.lines);
            for line in of_act.into_iter().chain(of_purchase) {
                assert!(!line.amount.minor.is_zero(), "{line:?}");
                if line.taken == Taken::AtOnce {
                    *lines.entry(Account::FeeIncome(line.partner)).or_default() +=
                        line.amount.minor.0;
                }
            }
        }
        let income = posted.iter().filter(|(to, _)| matches!(to, Account::FeeIncome(_)));
        let income: BTreeMap<_, _> = income.map(|(to, sum)| (*to, *sum)).collect();
        assert_eq!(lines, income);
    }

    /// What is held for fees on each account, by what records say.
    fn held_fees(&self) -> BTreeMap<BalanceId, i64> {
        let mut sums = BTreeMap::new();
        for record in self.all_records(CARDS) {
            let held = fees_held(record);
            if held != 0 {
                let balance = record.effects.balance.expect("an account").balance;
                *sums.entry(balance).or_default() += held;
            }
        }
        sums
    }

    /// What each open approval, our own or in our stead, holds by the events alone: account, pool,
    /// amount.
    fn open_holds(&self) -> BTreeMap<AuthorizationId, Open> {
        let mut holds: BTreeMap<AuthorizationId, Open> = BTreeMap::new();
        let mut added = BTreeMap::new();
        for record in self.all_records(CARDS) {
            match &record.event {
                Event::Authorized(a) if is_held(a) && a.completes.is_some() => {
                    let first = a.completes.expect("what it adds to").authorization;
                    let hold = holds.get_mut(&first).expect("an increment of what is open");
                    let held = record.effects.balance.expect("an account").held.0;
                    hold.2 += held - fees_held(record);
                    added.insert(a.id, first);
                }
                Event::Authorized(a) if is_held(a) => {
                    let reversed = record.effects.authorization.map_or(0, |d| d.totals.reversed.0);
                    let came_to = a.portion.as_ref().map_or(a.requested.minor, |p| p.sum());
                    let held = came_to.0 - reversed;
                    holds.insert(a.id, (a.balance, a.pool, held));
                }
                Event::Authorized(a) => {
                    let Some(completed) = a.completes.map(|one| one.authorization) else {
                        continue;
                    };
                    let delta = record.effects.completed.as_ref().expect("what it completes");
                    let Some(hold) = holds.get_mut(&completed) else { continue };
                    hold.2 -= delta.totals.cleared.0 + delta.totals.reversed.0;
                    if delta.closes {
                        holds.remove(&completed);
                    }
                }
                Event::Reversed(Reversed { original: Some(id), .. })
                | Event::Voided(Voided { authorization: id, .. })
                    if added.contains_key(id) =>
                {
                    let back = record.effects.balance.map_or(0, |delta| delta.held.0);
                    let back = back - fees_held(record);
                    if let Some(hold) = holds.get_mut(&added[id]) {
                        hold.2 += back;
                    } else {
                        assert_eq!(back, 0, "given back although nothing was held");
                    }
                }
                Event::Reversed(reversed) => {
                    let Some(original) = reversed.original else { continue };
                    if reversed.standing.is_zero() {
                        holds.remove(&original);
                    } else if let Some(hold) = holds.get_mut(&original) {
                        let totals = record.effects.authorization.map(|delta| delta.totals);
                        hold.2 -= totals.map_or(0, |totals| totals.reversed.0);
                    }
                }
                Event::Voided(voided) => {
                    holds.remove(&voided.authorization);
                }
                Event::Expired(expired) => {
                    let held = holds.remove(&expired.authorization);
                    assert!(held.is_some(), "ended although nothing was held: {expired:?}");
                }
                _ => {}
            }
        }
        holds
    }

    pub(crate) fn posted(&self) -> BTreeMap<Account, i64> {
        let mut sums = BTreeMap::new();
        for record in (0..2).flat_map(|shard| self.all_records(shard)) {
            for posting in &record.effects.postings {
                *sums.entry(posting.account).or_default() += posting.amount.0;
            }
        }
        sums
    }
}

/// What a record holds more for fees, or less.
fn fees_held(record: &Record) -> i64 {
    record.effects.of_fees().map(|(_, fees)| fees.held.0).sum()
}

/// Account, pool and amount of a hold.
type Open = (Option<BalanceId>, Option<PoolId>, i64);

fn is_approval(answer: &Answer) -> bool {
    matches!(answer, Answer::Decided(decision) if decision.reason.is_approval())
}

fn is_held(one: &Authorized) -> bool {
    use MessageClass::{AuthorizationAdvice, AuthorizationRequest};
    let settled = !matches!(one.facts.key.class, AuthorizationRequest | AuthorizationAdvice);
    let takes_nothing = matches!(
        one.facts.kind,
        TransactionType::Refund
            | TransactionType::BalanceInquiry
            | TransactionType::AccountVerification
    );
    if settled || takes_nothing {
        return false;
    }
    match one.stand_in {
        None => one.reason.is_approval(),
        Some(stand_in) => matches!(stand_in, StandIn::Agreed | StandIn::Forced(_)),
    }
}

fn postings_balance(record: &Record) {
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for posting in &record.effects.postings {
        *sums.entry(posting.currency).or_default() += posting.amount.0;
    }
    assert!(sums.values().all(|sum| *sum == 0), "postings of {record:?}");
}
