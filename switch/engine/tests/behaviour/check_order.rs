//! The order of checks, pair by pair: two things are wrong at once, and the earlier check names the
//! reason. Each fault is also tried alone, so that a pair is known to be of two real faults.

use std::sync::Arc;

use switch_domain::{
    Amount, Authorization, AuthorizationId, Balance, BalanceId, BalanceState, Bin, BinRange, Card,
    CardId, CardReferences, CardSecurityTerms, CardStatus, Chip, ChipDifference, ChipDifferences,
    ChipFact, ChipFacts, Circumstances, Control, ControlId, ControlRule, ControlSubject,
    ControlTerms, CryptogramType, CustomerId, CustomerState, DecisionTrace, EntryMode, Event,
    Evidence, Expiry, Finding, Fingerprint, Funding, LockCode, MessageClass, MinorUnits,
    NeededChecks, OriginalReference, Part, Partner, PartnerId, PartnerState, PinMethod, Pool,
    PoolId, PoolKind, Programme, ProgrammeId, Reason, ServiceCode, ShardId, ShardImage,
    SpendControl, Timestamp, Tolerance, Totals, Unverified, Usage, Used, VaultRef, Window,
};
use switch_engine::{Answer, Authorize, CHECK_NAMES, Command, Original, State};

use crate::harness::{Pools, authorize, currency, fingerprint, key, reversal};

const PARTNER: PartnerId = PartnerId(1);
const POOL: PoolId = PoolId(2);
const PROGRAMME: ProgrammeId = ProgrammeId(3);
const BALANCE: BalanceId = BalanceId(4);
const CARD: CardId = CardId(5);
const CUSTOMER: CustomerId = CustomerId(6);
const AMOUNT: MinorUnits = MinorUnits(10_00);
/// Transaction counter of the chip.
const ATC: u16 = 40;

/// A request with nothing wrong in it, and all that it is judged by.
pub(crate) struct Case {
    image: ShardImage,
    pub(crate) request: Authorize,
    pub(crate) pools: Pools,
}

fn partner(state: PartnerState) -> Partner {
    let name = Default::default();
    Partner { id: PARTNER, name, state, partial_minimums: Vec::new() }
}

/// Everything is verified, and everything is needed.
fn terms() -> CardSecurityTerms {
    let everywhere = Circumstances::of(|_, _| true);
    let chip = Circumstances::of(|_, entry| entry == EntryMode::Chip);
    CardSecurityTerms {
        pin: Some(PinMethod::Pvv),
        needed: NeededChecks {
            pin: everywhere,
            stripe: everywhere,
            chip_value: everywhere,
            code: everywhere,
            cryptogram: chip,
        },
        refused_facts: [ChipFact::OnExceptionFile].into_iter().collect(),
        ..CardSecurityTerms::default()
    }
}

fn everything_right() -> Evidence {
    Evidence {
        references: 1,
        stripe: Finding::Matched,
        code: Finding::Matched,
        pin: Finding::Matched,
        chip: Some(Chip {
            atc: ATC,
            sequence: 1,
            cryptogram: Finding::Matched,
            kind: CryptogramType::Request,
            differs: ChipDifferences::NONE,
            tolerated: ChipDifferences::NONE,
            facts: ChipFacts::NONE,
        }),
        ..Evidence::default()
    }
}

pub(crate) fn sound() -> Case {
    let eur = currency("EUR");
    let mut image = ShardImage::empty(ShardId(0));
    image.last_counter = 100;
    image.control.put_partner(partner(PartnerState::Active));
    let pool = Pool { id: POOL, partner: PARTNER, kind: PoolKind::Deposit, currency: eur };
    image.control.put_pool(pool);
    image.control.put_programme(Programme {
        id: PROGRAMME,
        name: Default::default(),
        partner: PARTNER,
        bins: BinRange { low: Bin(99_999_912), high: Bin(99_999_912), pan_length: 16 },
        currency: eur,
        funding: Funding::Deposit(POOL),
        foreign: None,
        security: Some(Arc::new(terms())),
    });
    image.balances.push(Balance {
        id: BALANCE,
        programme: PROGRAMME,
        partner: PARTNER,
        customer: CUSTOMER,
        currency: eur,
        state: BalanceState::Active,
        ledger: AMOUNT,
        held: MinorUnits::ZERO,
    });
    let card = Card {
        id: CARD,
        balance: BALANCE,
        programme: PROGRAMME,
        vault: VaultRef { row: 1, version: 1 },
        expiry: Expiry::from_yymm(2712).expect("a month"),
        status: CardStatus::Active,
        lock: None,
        approvals: 0,
        references: Some(Box::new(CardReferences { version: 1, ..Default::default() })),
    };
    image.cards.push((card, Fingerprint([7; 16])));
    let key = key(MessageClass::AuthorizationRequest, 1, fingerprint("c1"));
    let mut request = authorize(key, Amount { minor: AMOUNT, currency: eur });
    request.card = Some(CARD);
    request.evidence = Some(Box::new(everything_right()));
    Case { image, request, pools: Pools([(POOL, AMOUNT)].into()) }
}

fn decide(case: Case) -> Reason {
    decide_and_trace(case).0
}

/// The same with what is recorded of what decided.
pub(crate) fn decide_and_trace(case: Case) -> (Reason, Option<DecisionTrace>) {
    let now = Timestamp::from_unix_seconds(1_813_060_800); // 2027-06-15
    let mut state = State::from_image(case.image);
    let outcome = state.decide(&Command::Authorize(case.request), &case.pools, now);
    let Answer::Decided(decision) = outcome.answer else { panic!("{:?}", outcome.answer) };
    let record = outcome.record.expect("declines are recorded too");
    let Event::Authorized(authorized) = &record.event else { panic!("{:?}", record.event) };
    assert_eq!(authorized.reversed_before, decision.reason == Reason::OriginalReversed);
    assert_eq!(authorized.approval_code, decision.approval_code);
    let moves = record.effects.balance.is_some() || record.effects.pool.is_some();
    assert_eq!(moves, decision.reason.is_approval(), "a decline moves nothing");
    state.apply_decided(&record).expect("fits");
    state.apply_committed(&record).expect("fits");
    assert_eq!(state.open_authorizations(), usize::from(decision.reason.is_approval()));
    let Event::Authorized(authorized) = record.event else { unreachable!("seen above") };
    (decision.reason, authorized.trace.map(|trace| *trace))
}

/// One way to fail a check: which one (by its place), what goes wrong, and the answer to it.
pub(crate) type Fault = (usize, &'static str, Reason, fn(&mut Case));

fn card(case: &mut Case) -> &mut Card {
    &mut case.image.cards[0].0
}

fn evidence(case: &mut Case) -> &mut Evidence {
    case.request.evidence.as_mut().expect("there is some")
}

fn chip(case: &mut Case) -> &mut Chip {
    let evidence = evidence(case);
    let chip = everything_right().chip;
    evidence.chip = evidence.chip.or(chip);
    evidence.chip.as_mut().expect("a chip")
}

/// Counts that the chip used this counter, beside what else is counted.
fn used_counter(case: &mut Case, counter: u16) {
    let mut counted = case.image.counters.pop().map_or_else(Default::default, |one| one.1);
    counted.add_chip(1, counter);
    case.image.counters.push((CARD, counted));
}

/// A control of the card, under the next number.
pub(crate) fn control(case: &mut Case, rule: ControlRule) {
    let id = ControlId(i64::try_from(case.image.spend_controls.len()).expect("few") + 1);
    let terms = ControlTerms {
        subject: ControlSubject::Card(CARD),
        name: Default::default(),
        shadow: false,
        selects: Default::default(),
        rule,
    };
    case.image.spend_controls.push(SpendControl { id, terms });
}

/// What was used of the last control.
pub(crate) fn used(case: &mut Case, part: Part, count: i32) {
    let id = case.image.spend_controls.last().expect("one").id;
    let usage = Usage::from_parts(vec![(part, Used { amount: MinorUnits(1), count })]);
    case.image.usage.push(((id, CARD.0), usage));
}

/// Makes it a message that settles an authorization of half as much, of which nothing is held now.
fn completes_too_much(case: &mut Case) {
    let facts = &mut case.request.facts;
    let mut original = authorize(facts.key, case.request.amount).facts;
    original.key.class = MessageClass::AuthorizationRequest;
    original.key.stan = 77;
    facts.key.class = MessageClass::FinancialRequest;
    case.image.last_counter += 1;
    let half = MinorUnits(AMOUNT.0 / 2);
    case.image.authorizations.push(Authorization {
        id: AuthorizationId::mint(case.image.shard, case.image.last_counter),
        facts: original,
        card: Some(CARD),
        balance: Some(BALANCE),
        pool: Some(POOL),
        currency: case.request.amount.currency,
        requested: half,
        portion: None,
        reason: Reason::Approved,
        answered: None,
        approval_code: None,
        stand_in: None,
        completes: None,
        conversion: None,
        counted: None,
        fees: None,
        totals: Totals { authorized: half, ..Totals::default() },
        decided_at: case.image.last_decided,
        closed: true,
    });
    case.request.completes = Some(Box::new(Original {
        reference: OriginalReference {
            key: original.key.as_original(),
            class: None,
            transmitted: 0,
            rrn: Default::default(),
            network_trace: Default::default(),
        },
        named: true,
        last: true,
        tolerance: Tolerance::percent(99),
    }));
}

/// What may be wrong with card and holder.
fn verification_faults() -> Vec<Fault> {
    vec![
        (7, "PIN wrong too often before", Reason::PinTriesExceeded, |c| {
            let mut counted = c.image.counters.pop().map_or_else(Default::default, |one| one.1);
            counted.wrong_pins = 3;
            c.image.counters.push((CARD, counted));
        }),
        (8, "chip could not be read", Reason::FallbackRefused, |c| {
            c.request.facts.entry = EntryMode::Stripe;
            evidence(c).fallback = true;
        }),
        (8, "stripe of a chip card", Reason::FallbackRefused, |c| {
            c.request.facts.entry = EntryMode::Stripe;
            let references = card(c).references.as_mut().expect("some");
            references.service_code = ServiceCode::new(201).ok();
        }),
        (9, "stripe value wrong", Reason::CardValueIncorrect, |c| {
            c.request.facts.entry = EntryMode::Stripe;
            evidence(c).stripe = Finding::Mismatched;
        }),
        (9, "stripe value missing", Reason::CardValueRequired, |c| {
            c.request.facts.entry = EntryMode::Stripe;
            evidence(c).stripe = Finding::Absent;
        }),
        (10, "chip value wrong", Reason::CardValueIncorrect, |c| {
            evidence(c).stripe = Finding::Mismatched;
        }),
        (11, "card code wrong", Reason::CardCodeIncorrect, |c| {
            evidence(c).code = Finding::Mismatched;
        }),
        (12, "cryptogram wrong", Reason::CryptogramIncorrect, |c| {
            chip(c).cryptogram = Finding::Mismatched;
        }),
        (12, "cryptogram missing", Reason::CryptogramRequired, |c| evidence(c).chip = None),
        (12, "no request of the chip", Reason::CryptogramNotARequest, |c| {
            chip(c).kind = CryptogramType::Certificate;
        }),
        (13, "amount of the chip differs", Reason::ChipDataDiffer, |c| {
            chip(c).differs.insert(ChipDifference::Amount);
        }),
        (14, "counter of the chip used", Reason::CryptogramReplayed, |c| {
            used_counter(c, ATC);
        }),
        (14, "counter of the chip below", Reason::CounterOutOfRange, |c| {
            used_counter(c, ATC + 1);
        }),
        (15, "exception file", Reason::ChipReportRefused, |c| {
            chip(c).facts.insert(ChipFact::OnExceptionFile);
        }),
        (16, "PIN wrong", Reason::IncorrectPin, |c| evidence(c).pin = Finding::Mismatched),
        (16, "PIN missing", Reason::PinRequired, |c| evidence(c).pin = Finding::Absent),
        (16, "PIN not verified", Reason::VerificationKeyMissing, |c| {
            evidence(c).pin = Finding::Unverified(Unverified::NoKey);
        }),
    ]
}

/// Every fault. Later faults are put in first, so that taking away a whole row comes last.
pub(crate) fn faults() -> Vec<Fault> {
    let mut faults: Vec<Fault> = vec![
        (0, "unreadable", Reason::FormatError, |c| c.request.fault = Some(Reason::FormatError)),
        (0, "two card numbers", Reason::PanSourcesDiffer, |c| {
            c.request.fault = Some(Reason::PanSourcesDiffer);
        }),
        (0, "no amount", Reason::InvalidAmount, |c| c.request.amount.minor = MinorUnits::ZERO),
        (1, "programme not in force here", Reason::NoRoute, |c| {
            let partners = std::mem::take(&mut c.image.control).partners;
            partners.into_values().for_each(|partner| c.image.control.put_partner(partner));
        }),
        (1, "BIN of somebody else", Reason::NoRoute, |c| {
            (c.request.card, c.request.bin) = (None, Bin(41_111_111));
        }),
        (2, "merchant blocked", Reason::AttemptsBlocked, |c| c.request.blocked = true),
        (3, "never issued", Reason::InvalidCardNumber, |c| c.request.card = None),
        (3, "account not here", Reason::InvalidCardNumber, |c| c.image.balances.clear()),
        (4, "not activated", Reason::CardNotActive, |c| card(c).status = CardStatus::Inactive),
        (4, "removed", Reason::InvalidCardNumber, |c| card(c).status = CardStatus::Removed),
        (6, "month over", Reason::ExpiredCard, |c| {
            card(c).expiry = Expiry::from_yymm(2705).expect("a month");
        }),
        (6, "another month named", Reason::ExpiredCard, |c| {
            c.request.expiry = Some(Expiry::from_yymm(2711).expect("a month"));
        }),
        (17, "balance blocked", Reason::BalanceBlocked, |c| {
            c.image.balances[0].state = BalanceState::Blocked;
        }),
        (17, "balance closed", Reason::BalanceClosed, |c| {
            c.image.balances[0].state = BalanceState::Closed;
        }),
        (18, "customer blocked", Reason::CustomerBlocked, |c| {
            c.image.customers.push((CUSTOMER, CustomerState::Blocked));
        }),
        (19, "partner suspended", Reason::PartnerSuspended, |c| {
            c.image.control.put_partner(partner(PartnerState::Suspended));
        }),
        (20, "another currency", Reason::CurrencyUnacceptable, |c| {
            c.request.amount.currency = currency("USD");
        }),
        (20, "account in another currency", Reason::CurrencyUnacceptable, |c| {
            c.image.balances[0].currency = currency("USD");
        }),
        (20, "programme in another currency", Reason::CurrencyUnacceptable, |c| {
            let programme = c.image.control.programmes[&PROGRAMME].clone();
            c.image.control.put_programme(Programme { currency: currency("USD"), ..programme });
        }),
        (21, "use forbidden", Reason::UseNotPermitted, |c| control(c, ControlRule::Forbid)),
        (22, "used at another merchant", Reason::MerchantNotPermitted, |c| {
            control(c, ControlRule::OneMerchant);
            used(c, Part(7), 1);
        }),
        (23, "more than was authorized", Reason::ExceedsPreauthorizedAmount, completes_too_much),
        (24, "more than at once", Reason::AmountLimitExceeded, |c| {
            let most = MinorUnits(AMOUNT.0 - 1);
            control(c, ControlRule::Amount(most, Window::Transaction));
        }),
        (24, "more than in the window", Reason::AmountLimitExceeded, |c| {
            control(c, ControlRule::Amount(AMOUNT, Window::Lifetime));
            used(c, Part(0), 1);
        }),
        (25, "more often than in the window", Reason::CountLimitExceeded, |c| {
            control(c, ControlRule::Count(1, Window::Lifetime));
            used(c, Part(0), 1);
        }),
        (26, "deposit short by one", Reason::PartnerDepositInsufficient, |c| {
            c.pools = Pools([(POOL, MinorUnits(AMOUNT.0 - 1))].into());
        }),
        (27, "funds short by one", Reason::InsufficientFunds, |c| {
            c.image.balances[0].ledger = MinorUnits(AMOUNT.0 - 1);
        }),
        (27, "funds held", Reason::InsufficientFunds, |c| c.image.balances[0].held = MinorUnits(1)),
        (28, "reversed before", Reason::OriginalReversed, |c| {
            let reversal = reversal(9, &c.request.facts.key);
            c.image.last_counter += 1;
            c.image.reversals.push(switch_domain::AnsweredReversal {
                id: AuthorizationId::mint(c.image.shard, c.image.last_counter),
                key: reversal.key,
                reference: reversal.reference,
                original: None,
                standing: switch_domain::MinorUnits::ZERO,
                reason: Reason::ReversalAccepted,
                decided_at: c.image.last_decided,
            });
        }),
    ];
    let locks: [fn(&mut Case); 9] = [
        |c| card(c).lock = Some(LockCode::Lost),
        |c| card(c).lock = Some(LockCode::Stolen),
        |c| card(c).lock = Some(LockCode::PendingQuery),
        |c| card(c).lock = Some(LockCode::Consolidation),
        |c| card(c).lock = Some(LockCode::Inactive),
        |c| card(c).lock = Some(LockCode::PinTriesExceeded),
        |c| card(c).lock = Some(LockCode::SuspectedFraud),
        |c| card(c).lock = Some(LockCode::Replaced),
        |c| card(c).lock = Some(LockCode::OfflinePinTriesExceeded),
    ];
    faults.extend(verification_faults());
    faults.extend(LockCode::ALL.iter().zip(locks).map(|(l, f)| (5, "locked", l.reason(), f)));
    faults
}

/// Pairs that cannot meet, for the later check then has nothing to look at. They are run all the
/// same: the later check fails closed, and the earlier one must still name the reason.
const CANNOT_MEET: [(usize, usize, &str); 11] = [
    (0, 24, "an amount of nothing is within every limit; it meets the other message faults"),
    (0, 26, "for an amount of nothing; it meets the other message faults"),
    (1, 16, "without a programme nothing is verified"),
    (1, 19, "without a programme there is no partner"),
    (1, 20, "without a programme there is no currency to compare with"),
    (1, 26, "without a programme no pool is charged"),
    (3, 17, "an account that is not here has no state"),
    (3, 18, "an account that is not here has no holder"),
    (3, 21, "a card that is not here has no controls"),
    (3, 27, "an account that is not here has no funds"),
    (9, 10, "a stripe was read, or a chip"),
];

/// Faults that are none of a message which completes another: it rests on that.
const OF_FIRST_REQUESTS: [&str; 8] = [
    "merchant blocked",
    "chip could not be read",
    "stripe of a chip card",
    "stripe value missing",
    "cryptogram missing",
    "no request of the chip",
    "amount of the chip differs",
    "PIN missing",
];

#[test]
fn the_order_is_the_documented_one() {
    assert_eq!(
        CHECK_NAMES,
        [
            "message valid",
            "BIN ours",
            "merchant not blocked",
            "card known",
            "card status",
            "lock code",
            "expiry",
            "PIN tries",
            "fallback",
            "stripe value",
            "chip value",
            "card code",
            "cryptogram",
            "chip data",
            "chip counter",
            "chip report",
            "PIN",
            "balance state",
            "customer state",
            "partner state",
            "programme currency",
            "use permitted",
            "one merchant",
            "preauthorized amount",
            "amount limit",
            "count limit",
            "partner deposit",
            "user funds",
            "not reversed before",
        ]
    );
}

#[test]
fn nothing_wrong_is_approved_and_each_fault_alone_is_answered_with_its_own_reason() {
    assert_eq!(decide(sound()), Reason::Approved);
    let mut covered = [false; CHECK_NAMES.len()];
    for (place, what, reason, spoil) in faults() {
        let mut case = sound();
        spoil(&mut case);
        assert_eq!(decide(case), reason, "{}: {what}", CHECK_NAMES[place]);
        covered[place] = true;
    }
    assert_eq!(covered, [true; CHECK_NAMES.len()], "every check has a fault here");
}

#[test]
fn of_every_two_faults_the_earlier_check_names_the_reason() {
    let mut pairs = std::collections::BTreeSet::new();
    for (early, early_fault, reason, spoil_early) in faults() {
        for (late, late_fault, _, spoil_late) in faults() {
            let completes = late_fault == "more than was authorized";
            if early >= late || (completes && OF_FIRST_REQUESTS.contains(&early_fault)) {
                continue;
            }
            let mut case = sound();
            spoil_late(&mut case);
            spoil_early(&mut case);
            let found = decide(case);
            let (one, other) = (CHECK_NAMES[early], CHECK_NAMES[late]);
            assert_eq!(found, reason, "{one} ({early_fault}) before {other} ({late_fault})");
            pairs.insert((early, late));
        }
    }
    assert_eq!(pairs.len(), 403, "every pair of twenty-nine but three");
    assert!(CANNOT_MEET.iter().all(|(early, late, _)| pairs.contains(&(*early, *late))));
}

/// All of them at once, then one fault taken away after the other: each has its turn.
#[test]
fn faults_surface_one_after_the_other_as_they_are_mended() {
    let one_each: Vec<Fault> = {
        let mut kept: Vec<Fault> = Vec::new();
        // Faults that leave the others something to look at.
        let whole = |what: &str| {
            !["BIN of somebody else", "never issued", "account not here"].contains(&what)
        };
        for fault in faults().into_iter().filter(|fault| whole(fault.1)) {
            if !kept.iter().any(|other| other.0 == fault.0) {
                kept.push(fault);
            }
        }
        kept.sort_by_key(|fault| fault.0);
        kept
    };
    assert_eq!(one_each.len(), 28, "all checks but the one for an unknown card");
    for mended in 0..=one_each.len() {
        let mut case = sound();
        one_each[mended..].iter().rev().for_each(|(.., spoil)| spoil(&mut case));
        let expected = one_each.get(mended).map_or(Reason::Approved, |fault| fault.2);
        assert_eq!(decide(case), expected, "after {mended} were mended");
    }
}

#[test]
fn a_default_control_serves_nobody() {
    let mut case = sound();
    case.image.control = Control::default();
    assert_eq!(decide(case), Reason::NoRoute);
}
