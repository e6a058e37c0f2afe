//! Records of a small issuer's life: a partner with a deposit, two customers, cards, and one of
//! every thing that happens to authorizations. The books of it balance.

use std::sync::Arc;

use switch_domain::{
    Account, Acquirer, Amount, ApprovalCode, AsciiText, AuthorizationDelta, AuthorizationId,
    Authorized, BalanceDelta, BalanceId, BalanceOpened, BalanceState, Bin, BinRange, CardId,
    CardIssued, CardSecurityTerms, CardStatus, Cause, Channel, CommandDigest, Currency, CustomerId,
    CustomerState, Effects, EntryMode, Event, Expired, Expiry, Fingerprint, Funding,
    IdempotencyKey, LinkId, LockCode, LockRefusal, Merchant, MessageClass, MessageFacts,
    MessageKey, MinorUnits, OriginalReference, OutsideAsk, Partner, PartnerId, PartnerState, Pool,
    PoolDelta, PoolId, PoolKind, Portion, Posting, Programme, ProgrammeId, Reason, Record,
    Reversed, ShardId, StandIn, Timestamp, Totals, VaultRef, Voided,
};
use switch_store::{SealedPan, Store};

pub(crate) const CONTROL: ShardId = ShardId::CONTROL;
pub(crate) const SHARD: ShardId = ShardId(1);
pub(crate) const START: i64 = 1_795_000_000_000_000;

pub(crate) fn partner() -> PartnerId {
    PartnerId::mint(CONTROL, 1)
}
pub(crate) fn pool() -> PoolId {
    PoolId::mint(CONTROL, 2)
}
fn programme() -> ProgrammeId {
    ProgrammeId::mint(CONTROL, 3)
}
pub(crate) fn balance(number: u64) -> BalanceId {
    BalanceId::mint(SHARD, number)
}
pub(crate) fn card(number: u64) -> CardId {
    CardId::mint(SHARD, 10 + number)
}
pub(crate) fn authorization(number: u64) -> AuthorizationId {
    AuthorizationId::mint(SHARD, 100 + number)
}
pub(crate) fn euro() -> Currency {
    Currency::from_numeric(978).expect("listed")
}
pub(crate) fn text<const N: usize>(text: &str) -> AsciiText<N> {
    AsciiText::new(text.as_bytes()).expect("text")
}

/// A record, so many seconds after the start.
pub(crate) fn record(second: i64, cause: Cause, event: Event, effects: Effects) -> Record {
    Record { at: Timestamp(START + second * 1_000_000), cause, event, effects }
}

pub(crate) fn command(key: u8) -> Cause {
    Cause::Command {
        key: IdempotencyKey([key; 16]),
        digest: Some(CommandDigest(i64::from(key) - 100)),
        actor: text("operator:7"),
    }
}

fn message() -> Cause {
    Cause::Message(LinkId(4))
}

fn posted(account: Account, amount: i64) -> Posting {
    Posting { account, amount: MinorUnits(amount), currency: euro() }
}

/// The numbers of two cards in the vault.
pub(crate) async fn keep_cards(store: &Store) -> [VaultRef; 2] {
    let mut rows = Vec::new();
    for number in [1_u8, 2] {
        let pan = SealedPan {
            fingerprint: Fingerprint([number; 16]),
            key_id: "k1".into(),
            nonce: vec![number; 12],
            ciphertext: vec![number; 32],
            last_four: "0018".into(),
        };
        rows.push(store.vault().insert_pan(&pan).await.expect("a free number"));
    }
    [rows[0], rows[1]]
}

/// Rows of the control shard: a partner with 100,000 in its deposit, and a programme renamed once.
pub(crate) fn control_rows() -> Vec<Vec<Record>> {
    let defined = |name: &str| {
        Event::ProgrammeDefined(Programme {
            id: programme(),
            name: text(name),
            partner: partner(),
            bins: BinRange { low: Bin(99_999_912), high: Bin(99_999_913), pan_length: 16 },
            currency: euro(),
            funding: Funding::Deposit(pool()),
            foreign: None,
            security: Some(Arc::new(CardSecurityTerms { pin_limit: 5, ..Default::default() })),
        })
    };
    let a_partner = Event::PartnerDefined(Partner {
        id: partner(),
        name: text("First Bank"),
        state: PartnerState::Active,
        partial_minimums: vec![Amount { minor: MinorUnits(500), currency: euro() }],
    });
    let a_pool = Event::PoolDefined(Pool {
        id: pool(),
        partner: partner(),
        kind: PoolKind::Deposit,
        currency: euro(),
    });
    let reloaded = Event::PoolReloaded { pool: pool(), reference: text("transfer 1") };
    let money = Effects {
        pool: Some(PoolDelta { pool: pool(), level: MinorUnits(100_000), held: MinorUnits(0) }),
        postings: vec![
            posted(Account::SettlementBank(partner()), -100_000),
            posted(Account::Pool(pool()), 100_000),
        ],
        ..Effects::default()
    };
    vec![
        vec![
            record(0, command(1), a_partner, Effects::default()),
            record(1, command(2), a_pool, Effects::default()),
        ],
        vec![record(2, command(3), defined("Debit"), Effects::default())],
        vec![
            record(3, command(4), defined("Debit Gold"), Effects::default()),
            record(4, command(5), reloaded, money),
        ],
    ]
}

fn opened(number: u64) -> Event {
    Event::BalanceOpened(BalanceOpened {
        balance: balance(number),
        programme: programme(),
        partner: partner(),
        customer: CustomerId(70 + i64::try_from(number).expect("small")),
        currency: euro(),
    })
}

fn issued(number: u64, vault: VaultRef) -> Event {
    Event::CardIssued(CardIssued {
        card: card(number),
        balance: balance(number),
        programme: programme(),
        partner: partner(),
        vault,
        expiry: Expiry::from_yymm(2911).expect("a month"),
        status: CardStatus::Inactive,
    })
}

fn credited(second: i64, key: u8, number: u64, amount: i64) -> Record {
    let event = Event::BalanceCredited { balance: balance(number), reference: text("top-up") };
    let effects = Effects {
        balance: Some(BalanceDelta {
            balance: balance(number),
            ledger: MinorUnits(amount),
            held: MinorUnits(0),
        }),
        postings: vec![
            posted(Account::Memorandum(partner()), -amount),
            posted(Account::Balance(balance(number)), amount),
        ],
        ..Effects::default()
    };
    record(second, command(key), event, effects)
}

fn key(stan: u32, class: MessageClass) -> MessageKey {
    let acquirer = if stan.is_multiple_of(2) {
        Acquirer::Link(LinkId(4))
    } else {
        Acquirer::Institution(text("12345678901"))
    };
    MessageKey {
        acquirer,
        class,
        stan: stan.into(),
        local_time: 1_123_094_500,
        terminal: text("TERM0001"),
        rrn: text(&format!("{stan:012}")),
        card: Fingerprint([1; 16]),
    }
}

/// When authorization `number` is answered in [`shard_rows`].
pub(crate) fn second_of(number: u64) -> i64 {
    match number {
        1 => 20,
        2..=4 => 19 + i64::try_from(number).expect("small"),
        _ => 30 + i64::try_from(number).expect("small"),
    }
}

/// What moves when so much more is held of authorization `number`.
fn held(number: u64, on: u64, totals: Totals, amount: i64, closes: bool) -> Effects {
    let (level, held) = (MinorUnits(0), MinorUnits(amount));
    Effects {
        authorization: Some(AuthorizationDelta {
            authorization: authorization(number),
            decided_at: Timestamp(START + second_of(number) * 1_000_000),
            totals,
            closes,
        }),
        balance: Some(BalanceDelta { balance: balance(on), ledger: level, held }),
        pool: Some(PoolDelta { pool: pool(), level, held }),
        ..Effects::default()
    }
}

pub(crate) fn answered(
    second: i64,
    number: u64,
    amount: i64,
    reason: Reason,
    approvals: u32,
) -> Record {
    let approved = reason.is_approval();
    let code = approved.then(|| ApprovalCode::for_approval(approvals, number));
    // With a fee of half a euro.
    let portion = (reason == Reason::ApprovedPartially)
        .then(|| Box::new(Portion { approved: MinorUnits(amount - 50), fee: MinorUnits(50) }));
    let event = Event::Authorized(Authorized {
        id: authorization(number),
        facts: MessageFacts {
            key: key(u32::try_from(number).expect("small"), MessageClass::AuthorizationRequest),
            transmitted: 1_123_094_501,
            channel: Channel::Pos,
            entry: EntryMode::Contactless,
            kind: switch_domain::TransactionType::Purchase,
            merchant: Merchant { category: 5_411, id: text("GROCER-1") },
            country: None,
            network_trace: Default::default(),
        },
        card: Some(card(1)),
        balance: Some(balance(1)),
        partner: Some(partner()),
        pool: approved.then(pool),
        requested: Amount { minor: MinorUnits(amount), currency: euro() },
        reason,
        approval_code: code,
        stand_in: None,
        portion,
        completes: None,
        conversion: None,
        findings: None,
        trace: None,
        evidence: None,
        answered: None,
        approvals,
        reversed_before: false,
    });
    let totals = Totals { authorized: MinorUnits(amount), ..Totals::default() };
    let effects =
        if approved { held(number, 1, totals, amount, false) } else { Effects::default() };
    record(second, message(), event, effects)
}

/// An advice about a purchase of 500; each in the second that follows from its number.
pub(crate) fn advised(number: u64, stand_in: StandIn) -> Record {
    let second = second_of(number);
    let reason = if stand_in.holds() { Reason::Approved } else { Reason::InsufficientFunds };
    let mut record = answered(second, number, 500, reason, 0);
    if let Event::Authorized(one) = &mut record.event {
        one.facts.key.class = MessageClass::AuthorizationAdvice;
        one.reason = Reason::AdviceAccepted;
        one.stand_in = Some(stand_in);
        one.approval_code = ApprovalCode::from_text("A1B2C3");
    }
    record
}

/// A reversal that found something which held nothing.
pub(crate) fn reversed_for_nothing(second: i64, stan: u32, original: u64) -> Record {
    Record { effects: Effects::default(), ..reversed(second, stan, Some(original), 0) }
}

pub(crate) fn reversed(second: i64, stan: u32, original: Option<u64>, amount: i64) -> Record {
    let of = original.map_or(999, |number| u32::try_from(number).expect("small"));
    let reference = OriginalReference {
        key: key(of, MessageClass::AuthorizationRequest).as_original(),
        class: None,
        transmitted: 1_123_094_501,
        rrn: text("000000000001"),
        network_trace: Default::default(),
    };
    let event = Event::Reversed(Reversed {
        id: authorization(u64::from(stan)),
        key: key(stan, MessageClass::ReversalRequest),
        reference,
        original: original.map(authorization),
        partner: original.map(|_| partner()),
        standing: MinorUnits::ZERO,
        reason: Reason::ReversalAccepted,
    });
    let totals = Totals { reversed: MinorUnits(amount), ..Totals::default() };
    let effects =
        original.map_or_else(Effects::default, |number| held(number, 1, totals, -amount, true));
    record(second, message(), event, effects)
}

fn voided(second: i64, number: u64, amount: i64) -> Record {
    let event = Event::Voided(Voided {
        authorization: authorization(number),
        reason: Reason::IssuerInoperative,
    });
    let totals = Totals { reversed: MinorUnits(amount), ..Totals::default() };
    record(second, Cause::Switch, event, held(number, 1, totals, -amount, true))
}

/// A lock that somebody outside asked for in vain.
fn refused_lock(number: u64) -> Event {
    let ask = OutsideAsk::Lock(LockCode::SuspectedFraud);
    Event::LockRefused { card: Some(card(number)), ask, refusal: LockRefusal::NotAllowed }
}

/// The end of a hold that lived its life.
pub(crate) fn expired(second: i64, number: u64, amount: i64) -> Record {
    let authorization = authorization(number);
    let event = Event::Expired(Expired { authorization, partner: Some(partner()) });
    record(second, Cause::Switch, event, held(number, 1, Totals::default(), -amount, true))
}

/// Rows of a data shard. At the end balance 1 has 50,000, of which 700 and 1,200 are held (numbers
/// 5 and 6); number 1 is reversed, 2 declined, 3 voided in a later row, 4 voided in its own.
pub(crate) fn shard_rows([first, second]: [VaultRef; 2]) -> Vec<Vec<Record>> {
    let none = Effects::default;
    let status = |number, status| Event::CardStatusChanged { card: card(number), status };
    let lock = |number, lock| Event::CardLockChanged { card: card(number), lock };
    let customer =
        |customer, state| Event::CustomerStateChanged { customer: CustomerId(customer), state };
    let state = |number, state| Event::BalanceStateChanged { balance: balance(number), state };
    vec![
        vec![
            record(10, command(10), opened(1), none()),
            record(11, command(11), opened(2), none()),
            record(12, command(12), issued(1, first), none()),
            credited(13, 13, 1, 30_000),
            record(14, command(14), status(1, CardStatus::Active), none()),
        ],
        vec![record(15, command(15), issued(2, second), none()), credited(16, 16, 1, 20_000)],
        vec![answered(20, 1, 2_500, Reason::Approved, 1)],
        vec![
            answered(21, 2, 9_000_000, Reason::InsufficientFunds, 1),
            answered(22, 3, 1_000, Reason::Approved, 2),
            answered(23, 4, 800, Reason::Approved, 3),
            voided(24, 4, 800),
        ],
        vec![voided(25, 3, 1_000), reversed(26, 50, Some(1), 2_500)],
        vec![reversed(27, 51, None, 0)],
        vec![
            record(30, command(20), lock(2, Some(LockCode::Stolen)), none()),
            record(31, command(21), customer(71, CustomerState::Blocked), none()),
            record(32, command(22), customer(72, CustomerState::Blocked), none()),
            record(33, command(23), state(2, BalanceState::Closed), none()),
        ],
        vec![
            record(34, command(24), customer(72, CustomerState::Active), none()),
            record(34, command(25), refused_lock(1), none()),
            answered(35, 5, 700, Reason::ApprovedPartially, 4),
        ],
        vec![answered(36, 6, 1_200, Reason::Approved, 5)],
    ]
}
