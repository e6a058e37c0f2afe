//! Random runs of every command, committed late and in order. After each step the audit of the
//! harness runs: books, replay from nothing, postings, shares of pools, and holds by the events
//! alone. The seeds are fixed, so that a failure can be looked at twice.

use std::collections::HashSet;

use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use switch_domain::{
    Amount, ApprovalCode, AuthorizationId, BalanceId, BalanceState, BasisPoints, Bin, BinRange,
    CardId, CardStatus, ChargedBy, Currency, CustomerId, CustomerState, Event, Expiry, FeeEvent,
    FeeRule, FeeSchedule, Funding, IdempotencyKey, LockCode, MessageClass, MinorUnits,
    PartnerState, Price, PriceTerms, ProgrammeId, Reason, ServiceCode, Taken, Timestamp, VaultRef,
};
use switch_engine::{Act, Advise, Answer, Command, Manage};

use crate::harness::{
    CARDS, CONTROL, Cluster, World, authorize, currency, ended, fingerprint, key, reversal,
};

/// A step; numbers choose among what there is, modulo how many there are.
#[derive(Clone, Copy, Debug)]
enum Step {
    Authorize {
        card: usize,
        minor: i64,
        stan: u32,
        rrn: u8,
        dollars: bool,
    },
    Advise {
        card: usize,
        minor: i64,
        stan: u32,
        rrn: u8,
        approved: bool,
    },
    Reverse {
        card: usize,
        stan: u32,
        own: u32,
        transmitted: u64,
    },
    Void {
        approval: usize,
    },
    /// The hold of one of the latest, whatever became of it, lived its life.
    Expire {
        authorization: usize,
    },
    OpenBalance {
        programme: usize,
        customer: i64,
    },
    Credit {
        balance: usize,
        minor: i64,
    },
    SetBalance {
        balance: usize,
        state: BalanceState,
    },
    SetCustomer {
        customer: i64,
        state: CustomerState,
    },
    Issue {
        balance: usize,
        active: bool,
    },
    Activate {
        card: usize,
    },
    Remove {
        card: usize,
    },
    Lock {
        card: usize,
        code: usize,
    },
    Unlock {
        card: usize,
    },
    Renew {
        card: usize,
        yymm: u16,
        sequence: Option<u8>,
    },
    Reload {
        pool: usize,
        minor: i64,
    },
    SetPartner {
        state: PartnerState,
    },
    Programme {
        low: u32,
        width: u32,
        pool: usize,
    },
    /// A fee for an act, or one given back.
    Charge {
        balance: usize,
        minor: i64,
    },
    /// The fees of a programme are other ones from now on.
    Fees {
        programme: usize,
        fixed: i64,
        rate: u16,
    },
    /// The last management command once more, with its key.
    Again,
    /// Another shard took from the pools: they have no more than this left, until the next commit.
    Starve {
        minor: i64,
    },
    Commit {
        count: usize,
    },
    Forget {
        micros: i64,
        most: usize,
    },
    Restart,
}

fn messages() -> impl Strategy<Value = Step> {
    let stan = 0..6_u32;
    prop_oneof![
        18 => (0..8_usize, 1..4_000_i64, stan.clone(), 0..3_u8, 0..24_u8).prop_map(
            |(card, minor, stan, rrn, odd)| Step::Authorize {
                card, minor, stan, rrn, dollars: odd == 0
            }
        ),
        12 => (0..8_usize, stan.clone(), 0..4_u32, 0..2_u64).prop_map(
            |(card, stan, own, transmitted)| Step::Reverse { card, stan, own, transmitted }
        ),
        3 => (0..64_usize).prop_map(|approval| Step::Void { approval }),
        4 => (0..24_usize).prop_map(|authorization| Step::Expire { authorization }),
        2 => (0..8_usize, 1..1_000_i64, stan, 0..3_u8, 0..8_u8).prop_map(
            |(card, minor, stan, rrn, odd)| Step::Advise {
                card, minor, stan, rrn, approved: odd != 0
            }
        ),
    ]
}

fn of_cards() -> impl Strategy<Value = Step> {
    let balance_state = prop_oneof![
        1 => Just(BalanceState::Blocked),
        6 => Just(BalanceState::Active),
        1 => Just(BalanceState::Closed),
    ];
    let customer_state = prop_oneof![
        1 => Just(CustomerState::Blocked),
        4 => Just(CustomerState::Active),
    ];
    prop_oneof![
        1 => (0..3_usize, 0..3_i64)
            .prop_map(|(programme, customer)| Step::OpenBalance { programme, customer }),
        8 => (0..8_usize, -5..5_000_i64)
            .prop_map(|(balance, minor)| Step::Credit { balance, minor }),
        2 => (0..8_usize, balance_state)
            .prop_map(|(balance, state)| Step::SetBalance { balance, state }),
        1 => (0..3_i64, customer_state)
            .prop_map(|(customer, state)| Step::SetCustomer { customer, state }),
        2 => (0..8_usize, 0..4_u8)
            .prop_map(|(balance, odd)| Step::Issue { balance, active: odd != 0 }),
        2 => (0..8_usize).prop_map(|card| Step::Activate { card }),
        1 => (0..8_usize).prop_map(|card| Step::Remove { card }),
        2 => (0..8_usize, 0..9_usize).prop_map(|(card, code)| Step::Lock { card, code }),
        6 => (0..8_usize).prop_map(|card| Step::Unlock { card }),
        1 => (0..8_usize, 2710..2713_u16, proptest::option::of(0..5_u8))
            .prop_map(|(card, yymm, sequence)| Step::Renew { card, yymm, sequence }),
        2 => (0..8_usize, -200..200_i64)
            .prop_map(|(balance, minor)| Step::Charge { balance, minor }),
        1 => Just(Step::Again),
    ]
}

fn of_control() -> impl Strategy<Value = Step> {
    let state = prop_oneof![
        1 => Just(PartnerState::Suspended),
        5 => Just(PartnerState::Active),
    ];
    prop_oneof![
        4 => (0..2_usize, -5..3_000_i64).prop_map(|(pool, minor)| Step::Reload { pool, minor }),
        2 => state.prop_map(|state| Step::SetPartner { state }),
        1 => (99_999_800..99_999_999_u32, 0..4_u32, 0..2_usize)
            .prop_map(|(low, width, pool)| Step::Programme { low, width, pool }),
        1 => (0..3_usize, 0..60_i64, 0..400_u16)
            .prop_map(|(programme, fixed, rate)| Step::Fees { programme, fixed, rate }),
        3 => (0..3_000_i64).prop_map(|minor| Step::Starve { minor }),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => messages(),
        6 => of_cards(),
        2 => of_control(),
        8 => (1..6_usize).prop_map(|count| Step::Commit { count }),
        1 => (0..60_000_i64, 0..40_usize).prop_map(|(micros, most)| Step::Forget { micros, most }),
        1 => Just(Step::Restart),
    ]
}

/// A cluster that is driven at random, and what it has made so far.
struct Drive {
    cluster: Cluster,
    pools: [switch_domain::PoolId; 2],
    programmes: Vec<(ProgrammeId, Currency)>,
    partner: switch_domain::PartnerId,
    balances: Vec<BalanceId>,
    cards: Vec<CardId>,
    approvals: Vec<AuthorizationId>,
    /// All that may hold something, our approvals and advices of others'.
    authorizations: Vec<AuthorizationId>,
    codes: HashSet<(CardId, ApprovalCode)>,
    keys: u64,
    last: Option<(usize, Command)>,
    answered: std::collections::BTreeMap<&'static str, u64>,
}

impl Drive {
    fn new() -> Self {
        let world = World::after(
            "
            partner acme
            pool deposit EUR 300.00
            pool credit EUR 300.00
            programme gold deposit
            programme blue credit bins 99999900-99999900
            rate USD EUR 0.9234
            foreign blue 200 500
            fees gold pos_domestic_authorized 0.30 150 least 0.40 most 2.00
            fees blue pos_domestic_authorized 0.05 333
            fees blue pos_domestic_cleared 0.10 50
            fees blue conversion_authorized 0.00 100
            fees blue pos_domestic_authorized 0.50 0 form physical taken invoiced
            balance alice 40.00 under gold
            balance bob 30.00 under blue
            card c1 alice exp 2712
            card c2 alice exp 2712
            card c3 bob exp 2712
            ",
        );
        let names = &world.names;
        Self {
            pools: [names.pools["deposit"].0, names.pools["credit"].0],
            programmes: vec![names.programmes["gold"], names.programmes["blue"]],
            partner: names.partners["acme"],
            balances: vec![names.balances["alice"].0, names.balances["bob"].0],
            cards: ["c1", "c2", "c3"].map(|name| names.cards[name].0).to_vec(),
            approvals: Vec::new(),
            authorizations: Vec::new(),
            codes: HashSet::new(),
            keys: 1_000_000,
            last: None,
            answered: Default::default(),
            cluster: world.cluster,
        }
    }

    fn card(&self, index: usize) -> CardId {
        // The latest few, so that a long run goes on with cards that are not removed yet.
        self.cards[self.cards.len().saturating_sub(8)..][index % self.cards.len().min(8)]
    }

    fn balance(&self, index: usize) -> BalanceId {
        self.balances[self.balances.len().saturating_sub(8)..][index % self.balances.len().min(8)]
    }

    fn message_key(&self, card: CardId, stan: u32, rrn: u8) -> switch_domain::MessageKey {
        let mut key =
            key(MessageClass::AuthorizationRequest, stan, fingerprint(&format!("card {}", card.0)));
        if rrn != 0 {
            key.rrn = switch_domain::AsciiText::new(&[b'A' + rrn]).expect("short");
        }
        key
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Authorize { card, minor, stan, rrn, dollars } => {
                self.authorize(card, minor, (stan, rrn), dollars);
            }
            Step::Advise { card, minor, stan, rrn, approved } => {
                self.advise(card, minor, (stan, rrn), approved);
            }
            Step::Reverse { card, stan, own, transmitted } => {
                let original = self.message_key(self.card(card), stan, 0);
                let mut request = reversal(100 + own, &original);
                request.reference.transmitted = transmitted;
                let answer = self.submit(CARDS, Command::Reverse(request));
                assert_eq!(reason(answer), Reason::ReversalAccepted, "never declined");
            }
            Step::Void { approval } => {
                if let Some(authorization) = self.approvals.iter().rev().nth(approval).copied() {
                    let reason = Reason::IssuerInoperative;
                    self.submit(CARDS, Command::Void { authorization, reason });
                }
            }
            Step::Expire { authorization } => {
                if let Some(id) = self.authorizations.iter().rev().nth(authorization).copied() {
                    let hold = self.cluster.hold(id);
                    self.submit(CARDS, Command::Expire(hold));
                }
            }
            Step::Again => {
                if let Some((shard, command)) = self.last.clone() {
                    self.submit(shard, command);
                }
            }
            Step::Starve { minor } => {
                let left = self.cluster.pools().0;
                let starved = left.into_iter().map(|(p, had)| (p, had.min(MinorUnits(minor))));
                self.cluster.headroom = starved.collect();
            }
            Step::Commit { count } => {
                self.cluster.headroom.clear();
                self.cluster.commit(count);
            }
            Step::Forget { micros, most } => self.forget(micros, most),
            Step::Restart => {
                self.cluster.commit_all();
                self.cluster.states = self.cluster.replayed();
            }
            _ => self.manage(step),
        }
    }

    fn authorize(&mut self, card: usize, minor: i64, (stan, rrn): (u32, u8), dollars: bool) {
        let card = self.card(card);
        let currency = currency(if dollars { "USD" } else { "EUR" });
        let key = self.message_key(card, stan, rrn);
        let mut request = authorize(key, Amount { minor: MinorUnits(minor), currency });
        request.card = Some(card);
        request.facts.transmitted = u64::from(rrn % 2);
        let answer = self.submit(CARDS, Command::Authorize(request));
        let Answer::Decided(decision) = answer else { panic!("{answer:?}") };
        if decision.reason == Reason::DuplicateTransmission && decision.authorization.is_none() {
            assert!(!decision.repeated);
            return;
        }
        let id = decision.authorization.expect("every request gets a number");
        if let Some(code) = decision.approval_code.filter(|_| !decision.repeated) {
            assert!(self.codes.insert((card, code)), "{code:?} a second time");
            self.approvals.push(id);
            self.authorizations.push(id);
        }
    }

    /// Often of one of the latest approvals, which a random key would hardly ever hit; at times for
    /// another amount than that, or in dollars.
    fn advise(&mut self, card: usize, minor: i64, (stan, rrn): (u32, u8), approved: bool) {
        let ours = self.approvals.iter().rev().nth(stan as usize).filter(|_| minor % 3 == 0);
        let ours = ours.and_then(|id| self.cluster.states[CARDS].authorization(*id));
        let ours = ours.map(|one| (one.card, one.facts.key, one.requested));
        let card = self.card(card);
        let other = (Some(card), self.message_key(card, stan, rrn), MinorUnits(minor));
        let (card, mut key, asked) = ours.unwrap_or(other);
        let minor = if minor % 4 == 0 { MinorUnits(minor) } else { asked };
        let currency = currency(if minor.0 % 11 == 0 { "USD" } else { "EUR" });
        key.class = MessageClass::AuthorizationAdvice;
        let mut request = authorize(key, Amount { minor, currency });
        request.card = card;
        request.facts.transmitted = u64::from(rrn % 2);
        let advice = Advise { request, approved, approval_code: None, original: None };
        let answer = reason(self.submit(CARDS, Command::Advise(advice)));
        let refused = Reason::DuplicateTransmission;
        assert!(answer == Reason::AdviceAccepted || answer == refused, "{answer:?}");
        let came_to = self.cluster.in_flight.back().and_then(|(_, record)| match &record.event {
            Event::Authorized(one) if one.facts.key == key => Some((one.id, one.stand_in?)),
            _ => None,
        });
        if let Some((id, came_to)) = came_to {
            self.authorizations.push(id);
            *self.answered.entry(came_to.name()).or_default() += 1;
        }
    }

    fn manage(&mut self, step: Step) {
        let reference = Default::default();
        let (shard, act) = match step {
            Step::OpenBalance { programme, customer } => {
                let (programme, _) = self.programmes[programme % self.programmes.len()];
                (CARDS, Act::OpenBalance { programme, customer: CustomerId(customer) })
            }
            Step::Credit { balance, minor } => {
                let (balance, amount) = (self.balance(balance), MinorUnits(minor));
                (CARDS, Act::CreditBalance { balance, amount, reference })
            }
            Step::SetBalance { balance, state } => {
                (CARDS, Act::SetBalanceState { balance: self.balance(balance), state })
            }
            Step::SetCustomer { customer, state } => {
                (CARDS, Act::SetCustomerState { customer: CustomerId(customer), state })
            }
            Step::Issue { balance, active } => (CARDS, self.issue(balance, active)),
            Step::Activate { card } => (CARDS, Act::ActivateCard { card: self.card(card) }),
            Step::Remove { card } => (CARDS, Act::RemoveCard { card: self.card(card) }),
            Step::Lock { card, code } => {
                (CARDS, Act::LockCard { card: self.card(card), lock: LockCode::ALL[code] })
            }
            Step::Unlock { card } => (CARDS, Act::UnlockCard { card: self.card(card) }),
            Step::Renew { card, yymm, sequence } => {
                let code = ServiceCode::new(201).expect("three digits");
                let expiry = Expiry::from_yymm(yymm).expect("a month");
                let plastic = sequence.map(|sequence| (code, sequence));
                (CARDS, Act::RenewCard { card: self.card(card), expiry, plastic })
            }
            Step::Reload { pool, minor } => {
                let (pool, amount) = (self.pools[pool], MinorUnits(minor));
                (CONTROL, Act::ReloadPool { pool, amount, reference })
            }
            Step::SetPartner { state } => {
                (CONTROL, Act::SetPartnerState { partner: self.partner, state })
            }
            Step::Programme { low, width, pool } => (CONTROL, self.programme(low, width, pool)),
            Step::Charge { balance, minor } => (CARDS, self.charge(balance, minor)),
            Step::Fees { programme, fixed, rate } => (CONTROL, self.fees(programme, fixed, rate)),
            _ => unreachable!("no management step: {step:?}"),
        };
        self.keys += 1;
        let mut key = [0; 16];
        key[..8].copy_from_slice(&self.keys.to_be_bytes());
        let manage = Manage { key: IdempotencyKey(key), actor: Default::default(), act };
        let command = Command::Manage(manage);
        let answer = self.submit(shard, command.clone());
        if let Answer::Done(Some(id)) = answer {
            match step {
                Step::OpenBalance { .. } => self.balances.push(BalanceId(id)),
                Step::Issue { .. } => self.cards.push(CardId(id)),
                Step::Programme { .. } => {
                    self.programmes.push((ProgrammeId(id), currency("EUR")));
                }
                _ => {}
            }
        }
        self.last = Some((shard, command));
    }

    fn issue(&self, balance: usize, active: bool) -> Act {
        Act::IssueCard {
            balance: self.balance(balance),
            vault: VaultRef { row: 1, version: 1 },
            expiry: Expiry::from_yymm(2710).expect("a month"),
            status: if active { CardStatus::Active } else { CardStatus::Inactive },
        }
    }

    fn charge(&self, balance: usize, minor: i64) -> Act {
        let (balance, fee) = (self.balance(balance), MinorUnits(minor.abs()));
        let (event, taken) = (FeeEvent::CardMonthly, Taken::AtOnce);
        let (card, reference) = (None, Default::default());
        if minor < 0 {
            return Act::RefundFee { balance, card, event, fee, taken, reference };
        }
        Act::ChargeFee { balance, card, event, fee, taken, reference }
    }

    /// One rule for what is used, or none at all.
    fn fees(&self, programme: usize, fixed: i64, rate: u16) -> Act {
        let (programme, currency) = self.programmes[programme % self.programmes.len()];
        let event = FeeEvent::from_name("pos_domestic_authorized").expect("a name");
        let rate = BasisPoints::new(rate).expect("points");
        let terms = PriceTerms { fixed: MinorUnits(fixed), rate, ..PriceTerms::default() };
        let price = Price::new(terms).expect("a price");
        let rule = FeeRule { event, form: None, price, taken: Taken::AtOnce };
        let schedule = FeeSchedule::new(currency, ChargedBy::Platform, vec![rule]);
        let schedule = schedule.ok().filter(|_| fixed % 3 != 0).map(Box::new);
        Act::SetFees { programme, schedule }
    }

    fn programme(&self, low: u32, width: u32, pool: usize) -> Act {
        let funding = match pool {
            0 => Funding::Deposit(self.pools[0]),
            _ => Funding::Credit(self.pools[1]),
        };
        Act::DefineProgramme {
            partner: self.partner,
            name: Default::default(),
            bins: BinRange { low: Bin(low), high: Bin(low + width), pan_length: 16 },
            currency: currency("EUR"),
            funding,
        }
    }

    fn submit(&mut self, shard: usize, command: Command) -> Answer {
        let answer = self.cluster.submit(shard, &command);
        let name = match &answer {
            Answer::Decided(decision) if decision.repeated => "repeated",
            Answer::Decided(decision) => decision.reason.name(),
            Answer::Done(_) => "done",
            Answer::Refused(_) => "refused",
            Answer::HoldEnded(end) => ended(*end),
            Answer::Transferred(_) => "transferred",
            Answer::Busy => "busy",
        };
        *self.answered.entry(name).or_default() += 1;
        answer
    }

    /// Lets go of what is old. Nothing about money may change, and nothing undurable may go.
    fn forget(&mut self, micros: i64, most: usize) {
        let waiting = self.cluster.in_flight.front().map(|(_, record)| record.at);
        let now = self.cluster.now;
        let projected = waiting.unwrap_or(Timestamp(now.0 + 1));
        for state in &mut self.cluster.states {
            let before = state.clone();
            let gone = state.forget(now.minus_micros(micros), most, projected);
            assert_eq!(before.remembered() - gone, state.remembered());
            assert_eq!(before.differences(state), []);
        }
    }
}

fn reason(answer: Answer) -> Reason {
    match answer {
        Answer::Decided(decision) => decision.reason,
        other => panic!("{other:?}"),
    }
}

fn seeded(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn any_short_run_keeps_the_books_after_every_step() {
    let runs = proptest::collection::vec(steps(), 1..60);
    let outcome = seeded(160).run(&runs, |run| {
        let mut drive = Drive::new();
        for step in run {
            drive.step(step);
            drive.cluster.audit();
        }
        drive.cluster.commit_all();
        drive.cluster.audit();
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn one_long_run_keeps_the_books() {
    let mut runner = seeded(1);
    let mut drive = Drive::new();
    for number in 0..30_000 {
        let step = steps().new_tree(&mut runner).expect("a step").current();
        drive.step(step);
        if number % 500 == 0 {
            drive.cluster.audit();
        }
    }
    drive.cluster.commit_all();
    drive.cluster.audit();
    // The run is worth something only if it came by every kind of answer.
    for name in [
        "approved",
        "reversal_accepted",
        "original_reversed",
        "insufficient_funds",
        "partner_deposit_insufficient",
        "partner_suspended",
        "balance_blocked",
        "customer_blocked",
        "invalid_card_number",
        "card_not_active",
        "locked_lost",
        "duplicate_transmission",
        "currency_unacceptable",
        "issuer_inoperative",
        "advice_accepted",
        "agreed",
        "forced",
        "suspense",
        "declined",
        "known",
        "reversed",
        "given_back",
        "held_nothing",
        "repeated",
        "done",
        "refused",
        "busy",
    ] {
        let times = drive.answered.get(name).copied().unwrap_or(0);
        assert!(times >= 20, "{name} came {times} times: {:?}", drive.answered);
    }
}
