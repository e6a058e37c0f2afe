//! Any record that the domain can express.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use switch_domain::{
    Account, Acquirer, Amount, ApprovalCode, AsciiText, Authorization, AuthorizationDelta,
    AuthorizationId, Authorized, Balance, BalanceDelta, BalanceId, BalanceOpened, BalanceState,
    Bin, BinRange, Card, CardId, CardIssued, CardStatus, Cause, Channel, CheckSet, Compared,
    Completed, Currency, CustomerId, CustomerState, DecidedBy, DecisionTrace, Effects, EntryMode,
    Epoch, Estate, Event, Expired, Expiry, Fingerprint, Founded, Funding, IdempotencyKey, LinkId,
    LockCode, LockRefusal, Merchant, MessageClass, MessageFacts, MessageKey, MinorUnits,
    NetworkTrace, OriginalClass, OriginalKey, OriginalReference, OutsideAsk, OwnerId, Partner,
    PartnerId, PartnerState, Placement, Pool, PoolDelta, PoolId, PoolKind, PoolShare, Portion,
    Posting, Programme, ProgrammeId, Reason, Record, Reversed, Sealed, SealedHead, Seq, ShardId,
    StandIn, TakenOver, Timestamp, Totals, TransactionType, Transfer, TransferId, TransferOutcome,
    TransferReceived, VaultRef, Voided,
};

use crate::{card_security, controls, conversions, fees};

pub(crate) fn text<const N: usize>() -> impl Strategy<Value = AsciiText<N>> {
    vec(b' '..=b'~', 0..=N).prop_map(|bytes| AsciiText::new(&bytes).expect("printable"))
}

pub(crate) fn amount() -> impl Strategy<Value = MinorUnits> {
    any::<i64>().prop_map(MinorUnits)
}

pub(crate) fn currency() -> impl Strategy<Value = Currency> {
    select(vec![978, 840, 392, 48, 985, 36])
        .prop_map(|code| Currency::from_numeric(code).expect("listed"))
}

fn reason() -> impl Strategy<Value = Reason> {
    select(Reason::ALL.to_vec())
}

/// What an advice comes to: there for those and for nothing else.
fn stand_in() -> impl Strategy<Value = StandIn> {
    prop_oneof![
        Just(StandIn::Agreed),
        reason().prop_map(StandIn::Forced),
        reason().prop_map(StandIn::Suspense),
        Just(StandIn::Declined),
        Just(StandIn::Known),
        Just(StandIn::Reversed),
    ]
}

fn is_advice(facts: &MessageFacts) -> bool {
    facts.key.class.is_advice()
}

fn fingerprint() -> impl Strategy<Value = Fingerprint> {
    any::<[u8; 16]>().prop_map(Fingerprint)
}

fn acquirer() -> impl Strategy<Value = Acquirer> {
    prop_oneof![
        text().prop_map(Acquirer::Institution),
        any::<u16>().prop_map(|link| Acquirer::Link(LinkId(link))),
    ]
}

fn key() -> impl Strategy<Value = MessageKey> {
    let class = select(vec![
        MessageClass::AuthorizationRequest,
        MessageClass::ReversalRequest,
        MessageClass::AuthorizationAdvice,
        MessageClass::FinancialRequest,
        MessageClass::FinancialAdvice,
        MessageClass::ReversalAdvice,
    ]);
    (acquirer(), class, any::<u64>(), any::<u64>(), text(), text(), fingerprint()).prop_map(
        |(acquirer, class, stan, local_time, terminal, rrn, card)| MessageKey {
            acquirer,
            class,
            stan,
            local_time,
            terminal,
            rrn,
            card,
        },
    )
}

fn facts() -> impl Strategy<Value = MessageFacts> {
    let channel = select(vec![Channel::Pos, Channel::Atm, Channel::Ecommerce]);
    let entry = select(vec![
        EntryMode::Unknown,
        EntryMode::Manual,
        EntryMode::Stripe,
        EntryMode::Chip,
        EntryMode::Contactless,
        EntryMode::ContactlessStripe,
        EntryMode::Ecommerce,
    ]);
    let merchant = (any::<u16>(), text()).prop_map(|(category, id)| Merchant { category, id });
    let kind = select(TransactionType::ALL.to_vec());
    let country = option::of(controls::country());
    let named = (merchant, country, network_trace());
    (key(), any::<u64>(), channel, entry, kind, named).prop_map(
        |(key, transmitted, channel, entry, kind, named)| {
            let (merchant, country, network_trace) = named;
            MessageFacts {
                key,
                transmitted,
                channel,
                entry,
                kind,
                merchant,
                country,
                network_trace,
            }
        },
    )
}

fn network_trace() -> impl Strategy<Value = NetworkTrace> {
    "[0-9A-Z]{0,15}".prop_map(|text| NetworkTrace::new(text.as_bytes()).expect("a trace"))
}

fn control() -> impl Strategy<Value = Event> {
    let minimum = (amount(), currency()).prop_map(|(minor, currency)| Amount { minor, currency });
    let partner = (any::<i64>(), text(), any::<bool>(), vec(minimum, 0..3)).prop_map(
        |(id, name, active, partial_minimums)| {
            let state = if active { PartnerState::Active } else { PartnerState::Suspended };
            Event::PartnerDefined(Partner { id: PartnerId(id), name, state, partial_minimums })
        },
    );
    let pool = (any::<i64>(), any::<i64>(), any::<bool>(), currency()).prop_map(
        |(id, partner, credit, currency)| {
            let kind = if credit { PoolKind::Credit } else { PoolKind::Deposit };
            Event::PoolDefined(Pool { id: PoolId(id), partner: PartnerId(partner), kind, currency })
        },
    );
    let foreign = option::of(conversions::terms());
    let programme = (
        any::<[i64; 3]>(),
        text(),
        any::<[u32; 2]>(),
        any::<u8>(),
        currency(),
        any::<bool>(),
        (foreign, option::of(card_security::terms())),
    )
        .prop_map(
            |([id, partner, pool], name, [low, high], pan_length, currency, credit, terms)| {
                let pool = PoolId(pool);
                let (foreign, security) = terms;
                Event::ProgrammeDefined(Programme {
                    id: ProgrammeId(id),
                    name,
                    partner: PartnerId(partner),
                    bins: BinRange { low: Bin(low), high: Bin(high), pan_length },
                    currency,
                    funding: if credit { Funding::Credit(pool) } else { Funding::Deposit(pool) },
                    foreign,
                    security,
                })
            },
        );
    let reloaded = (any::<i64>(), text())
        .prop_map(|(pool, reference)| Event::PoolReloaded { pool: PoolId(pool), reference });
    let taken = (any::<u16>(), any::<i64>(), any::<[u8; 16]>(), any::<u16>()).prop_map(
        |(shard, epoch, owner, shards)| {
            Event::TakenOver(TakenOver {
                shard: ShardId(shard),
                epoch: Epoch(epoch),
                owner: OwnerId(owner),
                shards,
            })
        },
    );
    prop_oneof![partner, pool, programme, reloaded, taken]
}

fn accounts() -> impl Strategy<Value = Event> {
    let opened = (any::<[i64; 4]>(), currency()).prop_map(|(ids, currency)| {
        let [balance, programme, partner, customer] = ids;
        Event::BalanceOpened(BalanceOpened {
            balance: BalanceId(balance),
            programme: ProgrammeId(programme),
            partner: PartnerId(partner),
            customer: CustomerId(customer),
            currency,
        })
    });
    let states = vec![BalanceState::Active, BalanceState::Blocked, BalanceState::Closed];
    let changed = (any::<i64>(), select(states)).prop_map(|(balance, state)| {
        Event::BalanceStateChanged { balance: BalanceId(balance), state }
    });
    let credited = (any::<i64>(), text()).prop_map(|(balance, reference)| Event::BalanceCredited {
        balance: BalanceId(balance),
        reference,
    });
    let customer = (any::<i64>(), any::<bool>()).prop_map(|(customer, active)| {
        let state = if active { CustomerState::Active } else { CustomerState::Blocked };
        Event::CustomerStateChanged { customer: CustomerId(customer), state }
    });
    prop_oneof![opened, changed, credited, customer]
}

fn status() -> impl Strategy<Value = CardStatus> {
    select(vec![CardStatus::Inactive, CardStatus::Active, CardStatus::Removed])
}

fn cards() -> impl Strategy<Value = Event> {
    let issued = (any::<[i64; 5]>(), any::<i32>(), 0_u16..=99, 1_u16..=12, status()).prop_map(
        |([card, balance, programme, partner, row], version, year, month, status)| {
            Event::CardIssued(CardIssued {
                card: CardId(card),
                balance: BalanceId(balance),
                programme: ProgrammeId(programme),
                partner: PartnerId(partner),
                vault: VaultRef { row, version },
                expiry: Expiry::from_yymm(year * 100 + month).expect("a month"),
                status,
            })
        },
    );
    let status = (any::<i64>(), status())
        .prop_map(|(card, status)| Event::CardStatusChanged { card: CardId(card), status });
    let lock = (any::<i64>(), option::of(select(LockCode::ALL.to_vec())))
        .prop_map(|(card, lock)| Event::CardLockChanged { card: CardId(card), lock });
    prop_oneof![issued, status, lock]
}

fn trace() -> impl Strategy<Value = DecisionTrace> {
    let deciders = DecidedBy::WITHOUT_CHECK.into_iter().chain((1..64).map(DecidedBy::Check));
    let decider = select(deciders.collect::<Vec<_>>());
    (decider, any::<[u64; 2]>(), any::<Option<[i64; 2]>>()).prop_map(|(decided_by, sets, both)| {
        let [passed, failed] = sets.map(CheckSet::from_bits);
        let amounts = both.map(|both| both.map(MinorUnits));
        let compared = amounts.map(|[needed, there]| Compared { needed, there });
        DecisionTrace { decided_by, passed, failed, compared }
    })
}

fn authorizations() -> impl Strategy<Value = Event> {
    let code = option::of((any::<u32>(), any::<u64>()))
        .prop_map(|code| code.map(|(n, salt)| ApprovalCode::for_approval(n, salt)));
    let ids = (any::<i64>(), any::<[Option<i64>; 4]>(), any::<Option<(i64, i64)>>());
    let findings = (option::of(controls::findings()), portion());
    let verified = (option::of(card_security::evidence()), option::of(reason()));
    let said = (findings, option::of(trace()), verified);
    let decided = (reason(), code, any::<u32>(), any::<bool>(), stand_in(), said);
    let decided = (decided, option::of(conversions::conversion()));
    let authorized = (ids, facts(), amount(), currency(), decided).prop_map(
        |((id, [card, balance, partner, pool], completes), facts, minor, currency, decided)| {
            let (decided, conversion) = decided;
            let (reason, approval_code, approvals, reversed_before, stand_in, said) = decided;
            let ((findings, portion), trace, (evidence, answered)) = said;
            let stand_in = Some(stand_in).filter(|_| is_advice(&facts));
            Event::Authorized(Authorized {
                id: AuthorizationId(id),
                facts,
                card: card.map(CardId),
                balance: balance.map(BalanceId),
                partner: partner.map(PartnerId),
                pool: pool.map(PoolId),
                requested: Amount { minor, currency },
                reason,
                approval_code,
                stand_in,
                completes: completes.map(|(id, at)| Completed {
                    authorization: AuthorizationId(id),
                    decided_at: Timestamp(at),
                }),
                portion,
                findings,
                trace: trace.map(Box::new),
                evidence: evidence.map(Box::new),
                answered,
                conversion,
                approvals,
                reversed_before,
            })
        },
    );
    let class = option::of(select(vec![OriginalClass::Authorization, OriginalClass::Financial]));
    let key_of_original = (acquirer(), any::<u64>(), text(), fingerprint()).prop_map(
        |(acquirer, stan, terminal, card)| OriginalKey { acquirer, stan, terminal, card },
    );
    let original = (key_of_original, class, any::<u64>(), text(), network_trace()).prop_map(
        |(key, class, transmitted, rrn, network_trace)| OriginalReference {
            key,
            class,
            transmitted,
            rrn,
            network_trace,
        },
    );
    let ids = (any::<i64>(), any::<[Option<i64>; 2]>());
    let reversed = (ids, key(), original, amount(), reason()).prop_map(
        |((id, [original, partner]), key, reference, standing, reason)| {
            Event::Reversed(Reversed {
                id: AuthorizationId(id),
                key,
                reference,
                original: original.map(AuthorizationId),
                partner: partner.map(PartnerId),
                standing,
                reason,
            })
        },
    );
    let voided = (any::<i64>(), reason()).prop_map(|(id, reason)| {
        Event::Voided(Voided { authorization: AuthorizationId(id), reason })
    });
    let expired = any::<(i64, Option<i64>)>().prop_map(|(id, partner)| {
        Event::Expired(Expired {
            authorization: AuthorizationId(id),
            partner: partner.map(PartnerId),
        })
    });
    prop_oneof![authorized, reversed, voided, expired]
}

fn effects() -> impl Strategy<Value = Effects> {
    let totals = (amount(), amount(), amount(), amount(), amount()).prop_map(
        |(authorized, incremented, reversed, cleared, refunded)| Totals {
            authorized,
            incremented,
            reversed,
            cleared,
            refunded,
        },
    );
    let delta = (any::<i64>(), any::<i64>(), totals, any::<bool>());
    let delta = delta.prop_map(|(id, at, totals, closes)| AuthorizationDelta {
        authorization: AuthorizationId(id),
        decided_at: Timestamp(at),
        totals,
        closes,
    });
    let delta = delta.boxed();
    let authorizations = (option::of(delta.clone()), option::of(delta));
    let balance = (any::<i64>(), amount(), amount()).prop_map(|(id, ledger, held)| BalanceDelta {
        balance: BalanceId(id),
        ledger,
        held,
    });
    let pool = (any::<i64>(), amount(), amount()).prop_map(|(id, level, held)| PoolDelta {
        pool: PoolId(id),
        level,
        held,
    });
    let account = prop_oneof![
        any::<i64>().prop_map(|id| Account::Balance(BalanceId(id))),
        any::<i64>().prop_map(|id| Account::Pool(PoolId(id))),
        any::<i64>().prop_map(|id| Account::SettlementBank(PartnerId(id))),
        any::<i64>().prop_map(|id| Account::Memorandum(PartnerId(id))),
        any::<i64>().prop_map(|id| Account::InTransit(PartnerId(id))),
        any::<i64>().prop_map(|id| Account::NetworkSettlement(PartnerId(id))),
        any::<i64>().prop_map(|id| Account::FeeIncome(PartnerId(id))),
    ];
    let posting = (account, amount(), currency()).prop_map(|(account, amount, currency)| Posting {
        account,
        amount,
        currency,
    });
    let counters = option::of(card_security::effect());
    let of_fees = option::of(fees::effect());
    let legs = (vec(posting, 0..4), vec(controls::delta(), 0..3), counters, of_fees);
    let parts = (authorizations, option::of(balance), option::of(pool), legs);
    parts.prop_map(|((authorization, completed), balance, pool, legs)| {
        let (postings, usage, counters, fees) = legs;
        Effects {
            authorization,
            completed: completed.map(Box::new),
            balance,
            pool,
            postings,
            usage,
            counters: counters.map(Box::new),
            fees: fees.map(Box::new),
        }
    })
}

fn open_authorization() -> impl Strategy<Value = Authorization> {
    let ids = (any::<i64>(), option::of(any::<i64>()), option::of(any::<i64>()));
    let more = (any::<[i64; 7]>(), currency(), reason(), option::of("[A-Z0-9]{6}"), stand_in());
    let counted = vec(controls::counted(), 0..3).prop_map(Vec::into_boxed_slice);
    let answered = option::of(reason());
    let of_fees = option::of(fees::totals());
    let said = (counted, portion(), option::of(conversions::conversion()), answered, of_fees);
    (ids, facts(), more, said).prop_map(|((id, balance, pool), facts, more, said)| {
        let (counted, portion, conversion, answered, fees) = said;
        let (n, currency, reason, code, stand_in) = more;
        let [requested, authorized, incremented, reversed, cleared, refunded, at] = n;
        Authorization {
            id: AuthorizationId(id),
            facts,
            card: balance.map(CardId),
            balance: balance.map(BalanceId),
            pool: pool.map(PoolId),
            currency,
            requested: MinorUnits(requested),
            portion,
            reason,
            answered,
            approval_code: code.and_then(|code| ApprovalCode::from_text(&code)),
            stand_in: Some(stand_in).filter(|_| is_advice(&facts)),
            completes: None,
            conversion,
            counted: Some(counted).filter(|counted| !counted.is_empty()),
            fees: fees.map(Box::new),
            totals: Totals {
                authorized: MinorUnits(authorized),
                incremented: MinorUnits(incremented),
                reversed: MinorUnits(reversed),
                cleared: MinorUnits(cleared),
                refunded: MinorUnits(refunded),
            },
            decided_at: Timestamp(at),
            closed: false,
        }
    })
}

fn portion() -> impl Strategy<Value = Option<Box<Portion>>> {
    let some = (amount(), amount()).prop_map(|(approved, fee)| Portion { approved, fee });
    option::of(some.prop_map(Box::new))
}

fn estate() -> impl Strategy<Value = Estate> {
    let balance = (any::<[i64; 6]>(), currency()).prop_map(|(n, currency)| Balance {
        id: BalanceId(n[0]),
        programme: ProgrammeId(n[1]),
        partner: PartnerId(n[2]),
        customer: CustomerId(n[3]),
        currency,
        state: BalanceState::Blocked,
        ledger: MinorUnits(n[4]),
        held: MinorUnits(n[5]),
    });
    let references = option::of(card_security::references());
    let card = (any::<[i64; 4]>(), any::<i32>(), any::<u32>(), references).prop_map(
        |(n, version, approvals, references)| Card {
            id: CardId(n[0]),
            balance: BalanceId(n[1]),
            programme: ProgrammeId(n[2]),
            vault: VaultRef { row: n[3], version },
            expiry: Expiry::from_yymm(4912).expect("a month"),
            status: CardStatus::Active,
            lock: None,
            approvals,
            references: references.map(Box::new),
        },
    );
    let share = (any::<i64>(), amount(), amount())
        .prop_map(|(id, level, held)| (PoolId(id), PoolShare { level, held }));
    let customer = any::<i64>().prop_map(|id| (CustomerId(id), CustomerState::Blocked));
    let accounts = (vec(balance, 0..3), vec(card, 0..3), vec(open_authorization(), 0..3));
    let counters = vec(card_security::counters(), 0..3);
    let controlled = (vec(controls::control(), 0..3), vec(controls::usage(), 0..3), counters);
    (accounts, controlled, vec(share, 0..3), vec(customer, 0..3)).prop_map(
        |((balances, cards, authorizations), controlled, shares, customers)| {
            let (spend_controls, usage, counters) = controlled;
            Estate {
                balances,
                customers,
                cards,
                spend_controls,
                usage,
                counters,
                shares,
                authorizations,
            }
        },
    )
}

fn generations() -> impl Strategy<Value = Event> {
    let heirs = || {
        (1..1_000_u16, 0..300_u16)
            .prop_map(|(first, n)| Placement::new(ShardId(first), n).expect("numbers"))
    };
    let sealed = (any::<u16>(), heirs())
        .prop_map(|(shard, heirs)| Event::Sealed(Sealed { shard: ShardId(shard), heirs }));
    let head = (any::<u16>(), any::<i64>(), any::<[u8; 32]>())
        .prop_map(|(shard, seq, hash)| SealedHead { shard: ShardId(shard), seq: Seq(seq), hash });
    let founded = (any::<u16>(), heirs(), vec(head, 0..4)).prop_map(|(shard, heirs, from)| {
        Event::Founded(Founded { shard: ShardId(shard), heirs, from })
    });
    let inherited = estate().prop_map(|estate| Event::Inherited(Box::new(estate)));
    prop_oneof![sealed, founded, inherited]
}

fn transfer() -> impl Strategy<Value = Transfer> {
    let ids = (any::<i64>(), any::<i64>(), any::<i64>(), any::<i64>());
    (ids, amount(), currency(), text()).prop_map(|(ids, minor, currency, reference)| Transfer {
        id: TransferId(ids.0),
        from: BalanceId(ids.1),
        to: BalanceId(ids.2),
        partner: PartnerId(ids.3),
        amount: Amount { minor, currency },
        reference,
    })
}

fn transfers() -> impl Strategy<Value = Event> {
    let outcome = || {
        select(vec![
            TransferOutcome::Credited,
            TransferOutcome::NoSuchBalance,
            TransferOutcome::BalanceClosed,
            TransferOutcome::BalanceBlocked,
            TransferOutcome::OtherCurrency,
            TransferOutcome::OtherPartner,
            TransferOutcome::OtherFunding,
            TransferOutcome::AmountTooLarge,
        ])
    };
    let received = (transfer(), outcome(), any::<i64>()).prop_map(|(transfer, outcome, below)| {
        let settled_below = TransferId(below);
        Event::TransferReceived(TransferReceived { transfer, outcome, settled_below })
    });
    let closed = (any::<i64>(), any::<i64>(), outcome()).prop_map(|(id, partner, outcome)| {
        Event::TransferClosed { transfer: TransferId(id), partner: PartnerId(partner), outcome }
    });
    prop_oneof![transfer().prop_map(Event::TransferSent), received, closed]
}

/// Locks from outside that were refused.
fn refused_locks() -> impl Strategy<Value = Event> {
    let code = || select(LockCode::ALL.to_vec());
    let ask = prop_oneof![
        code().prop_map(OutsideAsk::Lock),
        option::of(code()).prop_map(OutsideAsk::Unlock),
    ];
    let refusal = select(LockRefusal::ALL.to_vec());
    (any::<Option<i64>>(), ask, refusal).prop_map(|(card, ask, refusal)| Event::LockRefused {
        card: card.map(CardId),
        ask,
        refusal,
    })
}

/// Any record.
pub(crate) fn record() -> impl Strategy<Value = Record> {
    let cause = prop_oneof![
        any::<u16>().prop_map(|link| Cause::Message(LinkId(link))),
        (any::<[u8; 16]>(), any::<Option<i64>>(), text()).prop_map(|(key, digest, actor)| {
            let digest = digest.map(switch_domain::CommandDigest);
            Cause::Command { key: IdempotencyKey(key), digest, actor }
        }),
        Just(Cause::Switch),
    ];
    let nothing = Just(Event::NothingChanged);
    let refused = refused_locks();
    let event = prop_oneof![
        control(),
        accounts(),
        cards(),
        authorizations(),
        transfers(),
        generations(),
        controls::events(),
        conversions::events(),
        fees::events(),
        card_security::events(),
        refused,
        nothing
    ];
    (any::<i64>(), cause, event, effects()).prop_map(|(at, cause, event, effects)| Record {
        at: Timestamp(at),
        cause,
        event,
        effects,
    })
}
