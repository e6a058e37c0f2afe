//! What authorizations, financial messages and reversals do to money. It owns the posting table of
//! `docs/ledger.md` as far as messages go: holds are no postings, what is settled is posted at
//! once, what is taken back after that is posted the other way round. It decides nothing.
//!
//! A deposit programme's money is at the partner: the customer's account is a memorandum with a
//! contra, and what the network is owed comes out of the deposit. So a purchase pays it once.

use switch_domain::{
    Account, Authorization, AuthorizationDelta, AuthorizationId, BalanceDelta, BalanceId, Currency,
    Direction, Effects, MinorUnits, PartnerId, PoolDelta, PoolId, Posting, Timestamp, Totals,
    TransactionType,
};

use crate::checks::Case;
use crate::{State, fees, increment};

/// What a new authorization holds: `standing` of what was asked for, where a part was reversed
/// before it came.
pub(crate) fn hold(
    case: &Case<'_>,
    id: AuthorizationId,
    standing: MinorUnits,
    now: Timestamp,
) -> Effects {
    let authorized = case.comes_to();
    let reversed = less(authorized, standing);
    let totals = Totals { authorized, reversed, ..Totals::default() };
    let (ledger, held) = (MinorUnits::ZERO, standing);
    let mut effects = Effects {
        authorization: Some(AuthorizationDelta {
            authorization: id,
            decided_at: now,
            totals,
            closes: false,
        }),
        balance: case.balance.map(|balance| BalanceDelta { balance: balance.id, ledger, held }),
        pool: case.deposit.map(|pool| PoolDelta { pool, level: MinorUnits::ZERO, held }),
        ..Effects::default()
    };
    fees::add(&mut effects, fees::held(case, standing));
    effects
}

/// What a financial message settles: `standing` of its amount, out of what the authorization that
/// it completes holds, and out of the account.
pub(crate) fn settle(
    case: &Case<'_>,
    id: AuthorizationId,
    standing: MinorUnits,
    now: Timestamp,
) -> Effects {
    let Some(balance) = case.balance else { return Effects::default() };
    let amount = case.comes_to();
    let kind = case.request.facts.kind;
    let completes = case.completes;
    // What belongs to another is authorized there.
    let authorized = if completes.is_some() { MinorUnits::ZERO } else { amount };
    let reversed = less(authorized, standing);
    let totals = Totals { authorized, reversed, cleared: standing, ..Totals::default() };
    let mut effects = posted(Movement {
        amount: signed(kind, standing),
        balance: balance.id,
        partner: balance.partner,
        pool: case.deposit,
        currency: balance.currency,
    });
    effects.authorization =
        Some(AuthorizationDelta { authorization: id, decided_at: now, totals, closes: true });
    if let Some(hold) = completes {
        let released = hold.released(standing, standing == amount);
        let unneeded = if hold.closes { MinorUnits::ZERO } else { less(released, standing) };
        let totals = of_completed(kind, standing, unneeded);
        effects.completed = Some(Box::new(AuthorizationDelta {
            authorization: hold.completed.authorization,
            decided_at: hold.completed.decided_at,
            totals,
            closes: hold.closes,
        }));
        let back = negative(released);
        if let Some(delta) = &mut effects.balance {
            delta.held = back;
        }
        if let Some(delta) = &mut effects.pool {
            delta.held = back;
        }
    }
    fees::add(&mut effects, fees::settled(case, standing));
    effects
}

/// What a reversal, void or expiry gives back, so that `standing` is left: of a hold what it holds
/// above that, of what was settled the difference, posted the other way round. Nothing where no
/// more than that is left already.
pub(crate) fn give_back(state: &State, original: &Authorization, standing: MinorUnits) -> Effects {
    if let Some(first) = original.adds_to() {
        return increment::take_back(state, original, first, standing);
    }
    if original.totals.cleared.is_positive() && original.class().is_financial() {
        return contra(state, original, standing);
    }
    // What was settled of it stands as well.
    let keeps = less(standing, original.totals.cleared);
    let back = less(original.held(), keeps);
    if !back.is_positive() {
        return Effects::default();
    }
    let totals = Totals { reversed: back, ..Totals::default() };
    let (level, held) = (MinorUnits::ZERO, negative(back));
    let mut effects = Effects {
        authorization: Some(AuthorizationDelta {
            authorization: original.id,
            decided_at: original.decided_at,
            totals,
            closes: keeps.is_zero(),
        }),
        balance: original.balance.map(|balance| BalanceDelta { balance, ledger: level, held }),
        pool: original.pool.map(|pool| PoolDelta { pool, level, held }),
        ..Effects::default()
    };
    fees::add(&mut effects, fees::freed(state, original, keeps));
    effects
}

/// Takes a posting back, as far as it stands above `standing`.
fn contra(state: &State, original: &Authorization, standing: MinorUnits) -> Effects {
    let back = less(original.totals.cleared, standing);
    let partner = state.partner_of(original);
    let (Some(balance), Some(partner)) = (original.balance, partner) else {
        return Effects::default();
    };
    if !back.is_positive() {
        return Effects::default();
    }
    let kind = original.facts.kind;
    let totals = Totals { reversed: back, cleared: negative(back), ..Totals::default() };
    let mut effects = posted(Movement {
        amount: negative(signed(kind, back)),
        balance,
        partner,
        pool: original.pool,
        currency: original.currency,
    });
    effects.authorization = Some(AuthorizationDelta {
        authorization: original.id,
        decided_at: original.decided_at,
        totals,
        closes: true,
    });
    effects.completed = original.completes.map(|completed| {
        Box::new(AuthorizationDelta {
            authorization: completed.authorization,
            decided_at: completed.decided_at,
            totals: of_completed(kind, negative(back), back),
            closes: false,
        })
    });
    fees::add(&mut effects, fees::taken_back(state, original, back));
    effects
}

/// What is added to the totals of an authorization that another completes or refunds.
fn of_completed(kind: TransactionType, settled: MinorUnits, reversed: MinorUnits) -> Totals {
    match kind.direction() {
        Direction::Debit => Totals { cleared: settled, reversed, ..Totals::default() },
        Direction::Credit | Direction::None => Totals { refunded: settled, ..Totals::default() },
    }
}

/// What is moved for good, and between whom.
struct Movement {
    /// To the customer where above zero, from the customer where below.
    amount: MinorUnits,
    balance: BalanceId,
    partner: PartnerId,
    /// The deposit that is charged, where the partner holds the money.
    pool: Option<PoolId>,
    currency: Currency,
}

fn posted(movement: Movement) -> Effects {
    let Movement { amount, balance, partner, pool, currency } = movement;
    let back = negative(amount);
    let posting = |account, amount| Posting { account, amount, currency };
    let mut postings = vec![posting(Account::Balance(balance), amount)];
    if let Some(pool) = pool {
        postings.push(posting(Account::Memorandum(partner), back));
        postings.push(posting(Account::Pool(pool), amount));
    }
    postings.push(posting(Account::NetworkSettlement(partner), back));
    let held = MinorUnits::ZERO;
    Effects {
        balance: Some(BalanceDelta { balance, ledger: amount, held }),
        pool: pool.map(|pool| PoolDelta { pool, level: amount, held }),
        postings,
        ..Effects::default()
    }
}

/// From the customer for what takes money, to the customer for what gives it.
const fn signed(kind: TransactionType, amount: MinorUnits) -> MinorUnits {
    match kind.direction() {
        Direction::Debit => negative(amount),
        Direction::Credit => amount,
        Direction::None => MinorUnits::ZERO,
    }
}

/// The other way round. No amount here is the lowest of an i64: all are sums of amounts of
/// messages.
pub(crate) const fn negative(amount: MinorUnits) -> MinorUnits {
    MinorUnits(amount.0.saturating_neg())
}

/// How far the first is above the second; zero where it is not.
pub(crate) fn less(amount: MinorUnits, other: MinorUnits) -> MinorUnits {
    MinorUnits(amount.0.saturating_sub(other.0).max(0))
}
