//! The engine against the plain reference model, over random orders of everything that a network
//! sends: answers, accounts, deposit and what the networks are owed, after every step. The same
//! arrivals go through whole nodes over PostgreSQL in the tests of `switch-shard`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use switch_domain::{Account, Event, Hold, IdempotencyKey, MinorUnits, Reason, Record, StandIn};
use switch_engine::{Answer, Command, Manage, State};

use crate::harness::{CARDS, CONTROL, World, fingerprint};
use crate::reference::commands::{Asked, Drawn, Holder, Names};
use crate::reference::model::{Arrival, Model, Said};
use crate::reference::traffic::{self, Traffic};

/// Arrivals of one run.
const STEPS: u32 = 100_000;
const SEED: u64 = 20_261_126;
const EACH: i64 = 20_000;
const DEPOSIT: i64 = 400_000;
const OVER: StandIn = StandIn::Forced(Reason::ExceedsPreauthorizedAmount);

/// What is done to a record before it counts: a defect that must be seen.
type Defect = fn(&mut Record);

/// The engine, with the names of what the model has by number.
struct Subject {
    world: World,
    names: Names,
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
        Self {
            names: Names { holders: holders.collect(), pool, messages: Vec::new() },
            seen: world.cluster.journals[CARDS].len(),
            world,
            network: 0,
            keys: 1 << 64,
            defect,
        }
    }

    fn state(&self) -> &State {
        &self.world.cluster.states[CARDS]
    }

    /// What the engine answers, in the model's words.
    fn arrive(&mut self, arrival: Arrival) -> Option<Said> {
        let command = self.command(arrival);
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
                let one = self.state().authorization(message);
                Command::Expire(one.and_then(Hold::of).expect("one with an account"))
            }
            Asked::Act(act) => {
                self.keys += 1;
                let key = IdempotencyKey(self.keys.to_be_bytes());
                Command::Manage(Manage { key, actor: switch_domain::AsciiText::EMPTY, act })
            }
        }
    }
}

/// Runs both, and compares after every step.
fn compare(seed: u64, steps: u32, defect: Option<Defect>) -> (Drawn, Model) {
    let mut subject = Subject::new(defect);
    let mut model = Model::new(traffic::CARDS, EACH, DEPOSIT);
    let mut traffic = Traffic::new(seed);
    let mut drawn = Drawn::default();
    for step in 0..steps {
        let arrival = traffic.next(model.messages.len());
        drawn.note(&model, arrival);
        let command = subject.command(arrival);
        let came_before = subject.state().has_answered(&command);
        assert_eq!(came_before, model.was_answered(arrival), "seed {seed}, step {step}");
        let expected = model.arrive(arrival);
        let found = subject.arrive(arrival);
        let told = || format!("seed {seed}, step {step}: {arrival:?}");
        assert_eq!(found, expected, "{}", told());
        for (card, account) in model.accounts.iter().enumerate() {
            let balance = subject.names.holders[card].balance;
            let balance = subject.state().balance(balance).expect("an account");
            let (ledger, held) = (account.ledger, model.held(card));
            assert_eq!((balance.ledger.0, balance.held.0), (ledger, held), "{card} {}", told());
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
}

/// A defect, and what it does to a record.
const DEFECTS: [(&str, Defect); 7] = [
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
