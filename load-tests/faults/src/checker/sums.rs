//! Rules about sums: what is held follows from what the client was told, for each balance and for
//! the pool; nothing available is below zero; postings sum to zero.

use std::collections::BTreeMap;

use super::history::Stan;
use super::tables::Amounts;
use super::{Evidence, Violation, general};

pub(super) const HELD: &str = "I2 sum of holds";
pub(super) const BELOW_ZERO: &str = "I4 below zero";
pub(super) const ZERO_SUM: &str = "I3 postings";

pub(super) fn check(evidence: &Evidence<'_>, found: &mut Vec<Violation>) {
    let told = told(evidence);
    for (balance, amounts) in &evidence.tables.balances {
        let expected = told.get(balance).copied().unwrap_or(0);
        compare(&format!("balance {balance}"), *amounts, expected, found);
    }
    let missing = told.keys().filter(|id| !evidence.tables.balances.contains_key(id));
    for balance in missing {
        found.push(general(HELD, format!("balance {balance} is gone")));
    }
    let total = told.values().sum();
    let pool = evidence.tables.pools.get(&evidence.pool).copied().unwrap_or_default();
    compare(&format!("pool {}", evidence.pool), pool, total, found);
    by_rows(evidence, found);
    for (currency, sum) in evidence.tables.postings.iter().filter(|(_, sum)| **sum != 0) {
        found.push(general(ZERO_SUM, format!("currency {currency} sums to {sum}")));
    }
}

/// What each balance holds by what the client was told at last: approved and not reversed. Every
/// request has a definite answer by now, so this is exact.
fn told(evidence: &Evidence<'_>) -> BTreeMap<i64, i64> {
    let reversed: std::collections::BTreeSet<Stan> = evidence
        .history
        .reversals()
        .filter(|(_, _, request)| request.is_approved())
        .map(|(_, of, _)| of)
        .collect();
    let mut held: BTreeMap<i64, i64> = evidence.cards.iter().map(|id| (*id, 0)).collect();
    for (stan, card, amount, request) in evidence.history.purchases() {
        if request.is_approved()
            && !reversed.contains(&stan)
            && let Some(balance) = evidence.cards.get(card)
        {
            *held.entry(*balance).or_default() += amount;
        }
    }
    held
}

fn compare(whose: &str, amounts: Amounts, expected: i64, found: &mut Vec<Violation>) {
    let Amounts { ledger, held } = amounts;
    if held != expected {
        let what = format!("{whose} holds {held}, the client was told of {expected}");
        found.push(general(HELD, what));
    }
    if held < 0 || ledger < held {
        found.push(general(BELOW_ZERO, format!("{whose}: ledger {ledger}, held {held}")));
    }
}

/// What each balance holds by its own rows.
fn by_rows(evidence: &Evidence<'_>, found: &mut Vec<Violation>) {
    let mut open: BTreeMap<i64, i64> = BTreeMap::new();
    for row in &evidence.tables.authorizations {
        if let Some(balance) = row.balance {
            *open.entry(balance).or_default() += row.held();
        }
    }
    for (balance, amounts) in &evidence.tables.balances {
        let sum = open.get(balance).copied().unwrap_or(0);
        if sum != amounts.held {
            let held = amounts.held;
            let what = format!("balance {balance} holds {held}, its rows hold {sum}");
            found.push(general(HELD, what));
        }
    }
}
