//! The engine against a plain reference model, over random orders of everything that a network
//! sends: answers, accounts, deposit and what the networks are owed, after every step. It owns the
//! translation of arrivals into commands; what must come of them is the model's.

mod model;
mod traffic;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use switch_domain::{
    Account, Amount, AsciiText, AuthorizationId, BalanceId, CardId, Event, Hold, IdempotencyKey,
    LockCode, MessageClass, MessageKey, MinorUnits, NetworkTrace, OriginalReference, PoolId,
    Reason, Record, StandIn, Tolerance,
};
use switch_engine::{Act, Advise, Answer, Command, Increment, Manage, Original, Reverse, State};

use crate::harness::{CARDS, CONTROL, World, authorize, currency, fingerprint, key};
use model::{Arrival, Ask, Key, Model, Said, Undo};
use traffic::Traffic;

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
    cards: Vec<CardId>,
    balances: Vec<BalanceId>,
    pool: PoolId,
    /// By the model's numbers.
    messages: Vec<AuthorizationId>,
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
        let cards = (0..traffic::CARDS).map(|card| world.names.cards[&format!("c{card}")].0);
        let balances = (0..traffic::CARDS).map(|one| world.names.balances[&format!("b{one}")].0);
        Self {
            cards: cards.collect(),
            balances: balances.collect(),
            pool: world.names.pools["deposit"].0,
            seen: world.cluster.journals[CARDS].len(),
            world,
            messages: Vec::new(),
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
                self.messages.push(one.id);
                over |= one.stand_in == Some(OVER);
            }
            let legs = record.effects.postings.iter();
            let owed = legs.filter(|leg| matches!(leg.account, Account::NetworkSettlement(_)));
            self.network += owed.map(|leg| leg.amount.0).sum::<i64>();
        }
        self.seen += records.len();
        let Answer::Decided(decision) = answer else { return None };
        let about = decision.authorization;
        let about = about.map(|id| self.messages.iter().rposition(|one| *one == id));
        let (reason, repeated) = (decision.reason, decision.repeated);
        let about = about.map(|found| found.expect("one of ours"));
        Some(Said { reason, repeated, about, over })
    }

    fn command(&mut self, arrival: Arrival) -> Command {
        match arrival {
            Arrival::Request(ask) => Command::Authorize(self.request(ask)),
            Arrival::Advice(ask) => {
                let request = self.request(ask);
                let financial = request.facts.key.class.is_financial();
                let original = financial.then(|| original(&request.facts.key, ask));
                let approved = ask.approved;
                Command::Advise(Advise { request, approved, approval_code: None, original })
            }
            Arrival::Reversal(undo) => Command::Reverse(Self::reversal(undo)),
            Arrival::Void(message) => Command::Void {
                authorization: self.messages[message],
                reason: switch_domain::Reason::IssuerInoperative,
            },
            Arrival::Expire(message) => {
                let one = self.state().authorization(self.messages[message]);
                let hold = one.and_then(Hold::of).expect("one with an account");
                Command::Expire(hold)
            }
            Arrival::Lock(card) => {
                let card = self.cards[card];
                self.manage(Act::LockCard { card, lock: LockCode::SuspectedFraud })
            }
            Arrival::Unlock(card) => self.manage(Act::UnlockCard { card: self.cards[card] }),
            Arrival::Reload(minor) => self.manage(Act::ReloadPool {
                pool: self.pool,
                amount: MinorUnits(minor),
                reference: AsciiText::EMPTY,
            }),
            Arrival::Credit(account, minor) => self.manage(Act::CreditBalance {
                balance: self.balances[account],
                amount: MinorUnits(minor),
                reference: AsciiText::EMPTY,
            }),
        }
    }

    fn manage(&mut self, act: Act) -> Command {
        self.keys += 1;
        let key = IdempotencyKey(self.keys.to_be_bytes());
        Command::Manage(Manage { key, actor: AsciiText::EMPTY, act })
    }

    fn request(&self, ask: Ask) -> switch_engine::Authorize {
        let amount = Amount { minor: MinorUnits(ask.minor), currency: currency("EUR") };
        let mut request = authorize(message_key(ask.key), amount);
        request.card = Some(self.cards[ask.key.card]);
        request.facts.kind = ask.kind;
        let completes = ask.key.class == MessageClass::FinancialRequest && ask.names.is_some();
        request.completes = completes.then(|| Box::new(original(&request.facts.key, ask)));
        request.facts.network_trace = network_trace(ask.network);
        request.adds_to = ask.adds.map(|(named, replaces)| {
            let mut key = request.facts.key.as_original();
            key.stan = named.map_or(key.stan, u64::from);
            let reference = OriginalReference {
                key,
                class: None,
                transmitted: 0,
                rrn: request.facts.key.rrn,
                network_trace: network_trace(ask.of_network),
            };
            Box::new(Increment { reference, named: named.is_some(), replaces })
        });
        request
    }

    fn reversal(undo: Undo) -> Reverse {
        let key = message_key(undo.key);
        let mut original = key.as_original();
        original.stan = undo.stan.into();
        let minor = MinorUnits(undo.standing);
        let left = Amount { minor, currency: currency("EUR") };
        Reverse {
            link: switch_domain::LinkId(1),
            key,
            reference: OriginalReference {
                key: original,
                class: undo.class,
                transmitted: 0,
                rrn: key.rrn,
                network_trace: network_trace(undo.of_network),
            },
            standing: (undo.standing > 0).then_some(left),
            repeat: false,
        }
    }
}

/// The model's number as an identifier; none for 0, as the networks have it.
fn network_trace(number: u32) -> NetworkTrace {
    NetworkTrace::new(format!("{number:015}").as_bytes()).expect("fifteen digits")
}

/// What a financial message says of the authorization before it.
fn original(own: &MessageKey, ask: Ask) -> Original {
    let mut key = own.as_original();
    key.stan = ask.names.map_or(key.stan, u64::from);
    let reference = OriginalReference {
        key,
        class: None,
        transmitted: 0,
        rrn: own.rrn,
        network_trace: network_trace(ask.of_network),
    };
    let (percent, minor) = ask.on_top;
    let percent = u16::try_from(percent).expect("small");
    let tolerance = Tolerance { percent, minor: u32::try_from(minor).expect("small") };
    Original { reference, named: ask.names.is_some(), last: ask.last, tolerance }
}

fn message_key(of: Key) -> MessageKey {
    let mut made = key(of.class, of.stan, fingerprint(&format!("c{}", of.card)));
    made.terminal = AsciiText::new(format!("TERM{}", of.terminal).as_bytes()).expect("short");
    if of.rrn != 0 {
        made.rrn = AsciiText::new(format!("{:012}", of.rrn).as_bytes()).expect("short");
    }
    made
}

/// Arrivals by kind, and by what was there.
type Drawn = BTreeMap<(&'static str, &'static str), u32>;

fn kind_of(arrival: Arrival) -> Option<(&'static str, Key, u32)> {
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
            Some((kind, ask.key, named.unwrap_or(ask.key.stan)))
        }
        Arrival::Reversal(undo) => {
            let kind = if undo.standing == 0 { "reversal" } else { "partial reversal" };
            Some((kind, undo.key, undo.stan))
        }
        Arrival::Void(_)
        | Arrival::Expire(_)
        | Arrival::Lock(_)
        | Arrival::Unlock(_)
        | Arrival::Credit(..)
        | Arrival::Reload(_) => None,
    }
}

/// Runs both, and compares after every step.
fn compare(seed: u64, steps: u32, defect: Option<Defect>) -> (Drawn, Model) {
    let mut subject = Subject::new(defect);
    let mut model = Model::new(traffic::CARDS, EACH, DEPOSIT);
    let mut traffic = Traffic::new(seed);
    let mut drawn = Drawn::new();
    for step in 0..steps {
        let arrival = traffic.next(model.messages.len());
        if let Some((kind, key, stan)) = kind_of(arrival) {
            *drawn.entry((kind, model.there(key.card, stan, key.terminal))).or_default() += 1;
        }
        let expected = model.arrive(arrival);
        let found = subject.arrive(arrival);
        let told = || format!("seed {seed}, step {step}: {arrival:?}");
        assert_eq!(found, expected, "{}", told());
        for (card, account) in model.accounts.iter().enumerate() {
            let balance = subject.state().balance(subject.balances[card]).expect("an account");
            let (ledger, held) = (account.ledger, model.held(card));
            assert_eq!((balance.ledger.0, balance.held.0), (ledger, held), "{card} {}", told());
        }
        let share = subject.state().share(subject.pool);
        let reloaded = subject.world.cluster.states[0].share(subject.pool).level.0;
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
    for ((kind, there), count) in &drawn {
        println!("{count:>7} {kind} over {there}");
    }
    for what in ["completion", "increment", "message after its reversal", "reversal"] {
        let count = model.by_network.get(what).copied().unwrap_or(0);
        println!("{count:>7} {what} by the network's identifier alone");
        assert!(count > 100, "{what} hardly ever");
    }
    let kinds = [
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
    for kind in kinds {
        for there in ["nothing", "held", "settled", "over", "refused", "reversed early"] {
            assert!(drawn.contains_key(&(kind, there)), "{kind} over {there} never happened");
        }
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
