//! The engine against the plain reference model, over random orders of everything that a network
//! sends: answers, accounts, deposit and what the networks are owed, after every step. The same
//! arrivals go through whole nodes over PostgreSQL in the tests of `switch-shard`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use switch_domain::{
    Account, ControlId, Event, Hold, IdempotencyKey, MinorUnits, Reason, Record, StandIn, Timestamp,
};
use switch_engine::{Act, Answer, Command, Manage, State};

use crate::harness::{CARDS, CONTROL, World, fingerprint};
use crate::reference::commands::{Asked, Drawn, Holder, Names};
use crate::reference::controls::{Controls, LIMITS, Limit, Whose};
use crate::reference::model::{Arrival, Model, Said};
use crate::reference::traffic::{self, Traffic};

/// Arrivals of one run.
const STEPS: u32 = 100_000;
const SEED: u64 = 20_261_126;
const EACH: i64 = 20_000;
const DEPOSIT: i64 = 400_000;
/// A moment of the cluster.
const DECIDING_US: i64 = 1_000;
/// From one arrival to the next, at most: so that windows turn over.
const MINUTES: i64 = 12;
const OVER: StandIn = StandIn::Forced(Reason::ExceedsPreauthorizedAmount);

/// What is done to a record before it counts: a defect that must be seen.
type Defect = fn(&mut Record);

/// The engine, with the names of what the model has by number.
struct Subject {
    world: World,
    names: Names,
    /// Of the model's.
    controls: Vec<ControlId>,
    network: i64,
    seen: usize,
    keys: u128,
    defect: Option<Defect>,
}

impl Subject {
    fn new(defect: Option<Defect>) -> Self {
        let mut table = format!(
            "partner acme\npool deposit EUR {}.00\nprogramme gold deposit\n",
            DEPOSIT / 100
        );
        for card in 0..traffic::CARDS {
            table += &format!("balance b{card} {}.00\ncard c{card} b{card} exp 4912\n", EACH / 100);
        }
        let world = World::after(&table);
        let holders = (0..traffic::CARDS).map(|number| Holder {
            card: world.names.cards[&format!("c{number}")].0,
            balance: world.names.balances[&format!("b{number}")].0,
            print: fingerprint(&format!("c{number}")),
        });
        let pool = world.names.pools["deposit"].0;
        let programme = world.names.programmes["gold"].0;
        let names = Names { holders: holders.collect(), pool, programme, messages: Vec::new() };
        let mut subject = Self {
            names,
            controls: Vec::new(),
            seen: world.cluster.journals[CARDS].len(),
            world,
            network: 0,
            keys: 1 << 64,
            defect,
        };
        subject.controls = LIMITS.iter().map(|limit| subject.define(limit)).collect();
        subject.seen = subject.world.cluster.journals[CARDS].len();
        subject
    }

    /// A control of the model.
    fn define(&mut self, limit: &Limit) -> ControlId {
        let terms = Box::new(self.names.terms(limit));
        let shard = if limit.whose == Whose::EachCard { CONTROL } else { CARDS };
        let command = self.managed(Act::DefineControl(terms));
        let answer = self.world.cluster.submit(shard, &command);
        self.world.cluster.commit_all();
        let Answer::Done(Some(id)) = answer else { panic!("{limit:?}: {answer:?}") };
        ControlId(id)
    }

    fn state(&self) -> &State {
        &self.world.cluster.states[CARDS]
    }

    /// What the engine answers, in the model's words.
    fn arrive(&mut self, arrival: Arrival, marked: bool) -> Option<Said> {
        let mut command = self.command(arrival);
        match &mut command {
            Command::Authorize(request) => request.repeat = marked,
            Command::Advise(advice) => advice.request.repeat = marked,
            Command::Reverse(request) => request.repeat = marked,
            _ => {}
        }
        let shard = if matches!(arrival, Arrival::Reload(_)) { CONTROL } else { CARDS };
        let answer = match self.defect {
            Some(defect) => self.world.cluster.submit_with(shard, &command, defect),
            None => self.world.cluster.submit(shard, &command),
        };
        self.world.cluster.commit_all();
        let records = &self.world.cluster.journals[CARDS][self.seen..];
        let mut over = false;
        for record in records {
            if let Event::Authorized(one) = &record.event {
                self.names.messages.push(one.id);
                over |= one.stand_in == Some(OVER);
            }
            let legs = record.effects.postings.iter();
            let owed = legs.filter(|leg| matches!(leg.account, Account::NetworkSettlement(_)));
            self.network += owed.map(|leg| leg.amount.0).sum::<i64>();
        }
        self.seen += records.len();
        let Answer::Decided(decision) = answer else { return None };
        Some(Said { over, ..self.names.said(decision) })
    }

    fn command(&mut self, arrival: Arrival) -> Command {
        match self.names.asked(arrival) {
            Asked::Message(command) => *command,
            Asked::Expiry(message) => {
                let known = self.state().authorization(message).and_then(Hold::of);
                Command::Expire(known.unwrap_or_else(|| self.world.cluster.hold(message)))
            }
            Asked::Act(act) => self.managed(act),
        }
    }

    fn managed(&mut self, act: Act) -> Command {
        self.keys += 1;
        let key = IdempotencyKey(self.keys.to_be_bytes());
        Command::Manage(Manage { key, actor: switch_domain::AsciiText::EMPTY, act })
    }

    /// What was used of each control is what the model adds up from its purchases, by parts of its
    /// window; those of merchants have names of their own.
    fn expect_used(&self, model: &Model, card: usize, told: &dyn Fn() -> String) {
        for (number, (limit, id)) in LIMITS.iter().zip(&self.controls).enumerate() {
            let used = |at: usize| model.messages[at].used();
            let expected = model.controls.parts((number, card), &used).into_iter();
            let usage = self.state().usage(*id, self.names.holder(limit, card));
            let found = usage.into_iter().flat_map(switch_domain::Usage::parts);
            let found = found.map(|(part, used)| (part.0, (used.amount.0, used.count)));
            let (found, expected) = (limit.comparable(found), limit.comparable(expected));
            assert_eq!(found, expected, "{} of card {card}, {}", limit.name, told());
        }
    }
}

/// Runs both, and compares after every step.
fn compare(seed: u64, steps: u32, defect: Option<Defect>) -> (Drawn, Model) {
    let mut subject = Subject::new(defect);
    let mut model = Model::new(traffic::CARDS, EACH, DEPOSIT);
    model.controls = Controls::of(&LIMITS);
    let mut traffic = Traffic::new(seed);
    let mut clock = StdRng::seed_from_u64(seed);
    let mut drawn = Drawn::default();
    for step in 0..steps {
        let cluster = &mut subject.world.cluster;
        cluster.now = Timestamp(cluster.now.0 + clock.random_range(0..MINUTES * 60_000_000));
        let arrival = traffic.next(model.messages.len());
        drawn.note(&model, arrival);
        let command = subject.command(arrival);
        let came_before = subject.state().has_answered(&command);
        assert_eq!(came_before, model.was_answered(arrival), "seed {seed}, step {step}");
        // Deciding takes its time.
        model.controls.now = subject.world.cluster.now.0 + DECIDING_US;
        let expected = model.arrive(arrival);
        let found = subject.arrive(arrival, false);
        let told = || format!("seed {seed}, step {step}: {arrival:?}");
        assert_eq!(found, expected, "{}", told());
        for (card, account) in model.accounts.iter().enumerate() {
            let balance = subject.names.holders[card].balance;
            let balance = subject.state().balance(balance).expect("an account");
            let (ledger, held) = (account.ledger, model.held(card));
            assert_eq!((balance.ledger.0, balance.held.0), (ledger, held), "{card} {}", told());
            if step % 1_000 == 0 || model.touched == card {
                subject.expect_used(&model, card, &told);
            }
        }
        let pool = subject.names.pool;
        let share = subject.state().share(pool);
        let reloaded = subject.world.cluster.states[CONTROL].share(pool).level.0;
        assert_eq!(share.held.0, model.deposit_held(), "{}", told());
        assert_eq!(reloaded + share.level.0, model.deposit, "{}", told());
        assert_eq!(subject.network, model.network, "{}", told());
        if step % 10_000 == 9_999 {
            assert_eq!(model.held_by_messages(), model.deposit_held());
            assert_eq!(subject.state().books(), []);
            subject.world.cluster.states = subject.world.cluster.replayed();
        }
    }
    (drawn, model)
}

#[test]
fn the_engine_does_what_the_reference_model_does() {
    let (drawn, model) = compare(SEED, STEPS, None);
    println!("seed {SEED}, {STEPS} arrivals; over what was there:");
    drawn.expect_all();
    for what in ["completion", "increment", "message after its reversal", "reversal"] {
        let count = model.by_network.get(what).copied().unwrap_or(0);
        println!("{count:>7} {what} by the network's identifier alone");
        assert!(count > 100, "{what} hardly ever");
    }
    for Limit { name, shadow, .. } in LIMITS {
        let count = model.controls.declined.get(name).copied().unwrap_or(0);
        println!("{count:>7} declined by the control \"{name}\"");
        assert_eq!(count == 0, shadow, "{name}");
    }
    println!("{:>7} windows turned over", model.controls.turned_over);
    assert!(model.controls.turned_over > 100);
}

/// Arrivals where memory has room for so little that nearly everything is looked up: each time all
/// that ever happened is gone through.
const FORGETFUL_STEPS: u32 = 1_500;
const REMEMBERED: usize = 40;

/// What is looked up tells the same as what is remembered. Where memory may have let go what a
/// request repeats, or a reversal that waits for it, whoever sends it marks it as a repeat: others
/// are not looked up.
#[test]
fn the_engine_does_what_the_model_does_where_it_remembers_little() {
    let seed = SEED + 1;
    let mut subject = Subject::new(None);
    let mut model = Model::new(traffic::CARDS, EACH, DEPOSIT);
    model.controls = Controls::of(&LIMITS);
    let mut traffic = Traffic::new(seed);
    let mut looked_up = 0;
    for step in 0..FORGETFUL_STEPS {
        let arrival = traffic.next(model.messages.len());
        // Nobody takes back an answer that was sent.
        if matches!(arrival, Arrival::Void(_)) {
            continue;
        }
        let marked = match arrival {
            Arrival::Request(ask) => {
                let there = model.there(ask.key.card, ask.key.stan, ask.key.terminal);
                there != "nothing" || model.was_answered(arrival) || model.is_awaited(ask)
            }
            _ => model.was_answered(arrival),
        };
        let now = subject.world.cluster.now;
        model.controls.now = now.0 + DECIDING_US;
        subject.world.cluster.states[CARDS].forget(Timestamp(0), REMEMBERED, now);
        looked_up += u32::from(subject.state().remembered() < model.messages.len());
        let (expected, found) = (model.arrive(arrival), subject.arrive(arrival, marked));
        let told = || format!("seed {seed}, step {step}: {arrival:?}");
        assert_eq!(found, expected, "{}", told());
        for (card, account) in model.accounts.iter().enumerate() {
            let balance = subject.names.holders[card].balance;
            let balance = subject.state().balance(balance).expect("an account");
            let expected = (account.ledger, model.held(card));
            assert_eq!((balance.ledger.0, balance.held.0), expected, "{card} {}", told());
        }
        subject.expect_used(&model, model.touched, &told);
    }
    println!("seed {seed}, {looked_up} arrivals with messages let go");
}

/// A defect, and what it does to a record.
const DEFECTS: [(&str, Defect); 10] = [
    ("a limit that gets nothing back from a reversal", |record| {
        if matches!(record.event, Event::Reversed(_)) {
            record.effects.usage.clear();
        }
    }),
    ("an increment that counts towards no limit", |record| {
        if matches!(&record.event, Event::Authorized(one) if one.adds()) {
            record.effects.usage.clear();
        }
    }),
    ("a purchase that counts in the window before", |record| {
        for one in &mut record.effects.usage {
            if one.oldest.is_some() && one.counted.part.0 > 0 {
                one.counted.part.0 -= 1;
                one.oldest = Some(one.counted.part);
            }
        }
    }),
    ("an increment that its purchase does not know", |record| {
        if matches!(&record.event, Event::Authorized(one) if one.adds())
            && let Some(first) = &mut record.effects.completed
        {
            first.totals = Default::default();
        }
    }),
    ("a reversal that gives nothing back", |record| {
        if matches!(record.event, Event::Reversed(_)) {
            record.effects = Default::default();
        }
    }),
    ("a completion that leaves the hold", |record| {
        if let Some(completed) = &mut record.effects.completed {
            completed.closes = false;
            completed.totals = Default::default();
            if let Some(delta) = &mut record.effects.balance {
                delta.held = MinorUnits::ZERO;
            }
            if let Some(delta) = &mut record.effects.pool {
                delta.held = MinorUnits::ZERO;
            }
        }
    }),
    ("a contra posting with the wrong sign", |record| {
        if let (Event::Reversed(_), Some(delta)) = (&record.event, &mut record.effects.balance) {
            delta.ledger = MinorUnits(-delta.ledger.0);
            for leg in &mut record.effects.postings {
                leg.amount = MinorUnits(-leg.amount.0);
            }
        }
    }),
    ("a deposit that pays nothing", |record| {
        if matches!(record.event, Event::Authorized(_))
            && let Some(delta) = &mut record.effects.pool
        {
            delta.level = MinorUnits::ZERO;
        }
    }),
    ("a network that is paid twice", |record| {
        let mut twice = record.effects.postings.clone();
        if matches!(record.event, Event::Authorized(_)) {
            record.effects.postings.append(&mut twice);
        }
    }),
    ("a reversal of a part that ends the hold", |record| {
        if let Event::Reversed(one) = &record.event
            && !one.standing.is_zero()
            && let Some(delta) = &mut record.effects.authorization
        {
            delta.closes = true;
        }
    }),
];

#[test]
fn every_defect_that_is_put_in_is_seen() {
    for (name, defect) in DEFECTS {
        let run = AssertUnwindSafe(|| compare(SEED, 12_000, Some(defect)));
        assert!(catch_unwind(run).is_err(), "not seen: {name}");
    }
    // What sees them sees nothing where there is nothing.
    compare(SEED, 5_000, None);
}
