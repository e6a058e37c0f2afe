//! What a record does to money, read back from its stored shape. Every amount must be there: a
//! missing one is an error and never zero (W-6).

use switch_domain::{
    Account, AuthorizationDelta, AuthorizationId, BalanceDelta, BalanceId, Effects, PartnerId,
    PoolDelta, PoolId, Posting, Timestamp, Totals,
};

use super::card_security::read_effect;
use super::controls::read_delta;
use super::read::{amount, currency};
use super::{RecordFault, fees, shapes};

/// Effects from their stored shape.
pub(super) fn effects(stored: shapes::Effects) -> Result<Effects, RecordFault> {
    Ok(Effects {
        authorization: stored.authorization.as_ref().map(authorization).transpose()?,
        completed: stored.completed.as_ref().map(authorization).transpose()?.map(Box::new),
        balance: stored.balance.as_ref().map(balance).transpose()?,
        pool: stored.pool.as_ref().map(pool).transpose()?,
        postings: stored.postings.iter().map(posting).collect::<Result<_, _>>()?,
        usage: stored.usage.iter().map(read_delta).collect::<Result<_, _>>()?,
        counters: stored.counters.as_ref().map(read_effect).transpose()?,
        fees: stored.fees.as_ref().map(fees::read_effect).transpose()?,
    })
}

fn authorization(stored: &shapes::AuthorizationDelta) -> Result<AuthorizationDelta, RecordFault> {
    Ok(AuthorizationDelta {
        authorization: AuthorizationId(stored.authorization),
        decided_at: Timestamp(stored.decided_at.ok_or(RecordFault::Missing("decided_at"))?),
        totals: Totals {
            authorized: amount("authorized", stored.authorized)?,
            incremented: amount("incremented", stored.incremented)?,
            reversed: amount("reversed", stored.reversed)?,
            cleared: amount("cleared", stored.cleared)?,
            refunded: amount("refunded", stored.refunded)?,
        },
        closes: stored.closes,
    })
}

fn balance(stored: &shapes::AmountsDelta) -> Result<BalanceDelta, RecordFault> {
    Ok(BalanceDelta {
        balance: BalanceId(stored.id),
        ledger: amount("balance ledger", stored.level)?,
        held: amount("balance held", stored.held)?,
    })
}

fn pool(stored: &shapes::AmountsDelta) -> Result<PoolDelta, RecordFault> {
    Ok(PoolDelta {
        pool: PoolId(stored.id),
        level: amount("pool level", stored.level)?,
        held: amount("pool held", stored.held)?,
    })
}

fn posting(stored: &shapes::Posting) -> Result<Posting, RecordFault> {
    let account = match stored.account.ok_or(RecordFault::UnknownKind("posting account"))? {
        shapes::Account::Balance(id) => Account::Balance(BalanceId(id)),
        shapes::Account::Pool(id) => Account::Pool(PoolId(id)),
        shapes::Account::SettlementBank(id) => Account::SettlementBank(PartnerId(id)),
        shapes::Account::Memorandum(id) => Account::Memorandum(PartnerId(id)),
        shapes::Account::InTransit(id) => Account::InTransit(PartnerId(id)),
        shapes::Account::NetworkSettlement(id) => Account::NetworkSettlement(PartnerId(id)),
        shapes::Account::FeeIncome(id) => Account::FeeIncome(PartnerId(id)),
    };
    Ok(Posting {
        account,
        amount: amount("posting", stored.amount)?,
        currency: currency(stored.currency)?,
    })
}
