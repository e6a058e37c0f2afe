//! Rules about sums: what is held and what was settled follow from what the client was told, for
//! each authorization with all that names it, for each balance and for the pool; nothing available
//! is below zero; postings sum to zero, and the networks are owed what was settled.

use std::collections::BTreeMap;

use super::asks::Effect;
use super::families::{self, Family, Stands};
use super::history::{History, Stan, What};
use super::requests::Rows;
use super::tables::Amounts;
use super::{Evidence, Violation, general};

pub(super) const HELD: &str = "I2 sum of holds";
pub(super) const SETTLED: &str = "I3 sum of what settled";
pub(super) const STANDS: &str = "I7 what stands of it";
pub(super) const BELOW_ZERO: &str = "I4 below zero";
pub(super) const ZERO_SUM: &str = "I3 postings";

pub(super) fn check(evidence: &Evidence<'_>, rows: &Rows<'_>, found: &mut Vec<Violation>) {
    let told = told(evidence, rows, found);
    for (balance, amounts) in &evidence.tables.balances {
        let expected = told.get(balance).copied().unwrap_or_default();
        compare(&format!("balance {balance}"), *amounts, expected, found);
    }
    let missing = told.keys().filter(|id| !evidence.tables.balances.contains_key(id));
    for balance in missing {
        found.push(general(HELD, format!("balance {balance} is gone")));
    }
    let held = told.values().map(|one| one.held).sum();
    let opening: i64 = evidence.cards.iter().map(|(_, opening)| opening).sum();
    // The deposit pays the network what the customers pay.
    let settled = opening - told.values().map(|one| one.ledger).sum::<i64>();
    let (pool, deposit) = evidence.pool;
    let amounts = evidence.tables.pools.get(&pool).copied().unwrap_or_default();
    compare(&format!("pool {pool}"), amounts, Amounts { ledger: deposit - settled, held }, found);
    let owed = evidence.tables.network;
    if owed != settled {
        let what = format!("the networks are owed {owed}, the client was told of {settled}");
        found.push(general(SETTLED, what));
    }
    by_rows(evidence, found);
    for (currency, sum) in evidence.tables.postings.iter().filter(|(_, sum)| **sum != 0) {
        found.push(general(ZERO_SUM, format!("currency {currency} sums to {sum}")));
    }
}

/// What each balance must be by what the client was told at last. Every request has a definite
/// answer by now, so this is exact, but for the order of messages about one authorization that were
/// on their way at once: there the rows choose among the outcomes that are possible.
fn told(
    evidence: &Evidence<'_>,
    rows: &Rows<'_>,
    found: &mut Vec<Violation>,
) -> BTreeMap<i64, Amounts> {
    let opening = evidence.cards.iter().map(|(id, ledger)| (*id, *ledger));
    let mut told: BTreeMap<i64, Amounts> =
        opening.map(|(id, ledger)| (id, Amounts { ledger, held: 0 })).collect();
    for family in families::of(&evidence.history) {
        let stands = judge(&family, rows, found);
        let Some((balance, _)) = evidence.cards.get(family.card) else { continue };
        let amounts = told.entry(*balance).or_default();
        amounts.held += stands.held;
        let settled = stands.settled.iter();
        amounts.ledger -=
            settled.map(|(stan, minor)| signed(&evidence.history, *stan, *minor)).sum::<i64>();
    }
    told
}

/// What stands of a family: what the rows say, where that is possible.
fn judge(family: &Family<'_>, rows: &Rows<'_>, found: &mut Vec<Violation>) -> Stands {
    let (in_rows, may_stand) = (family.in_rows(rows), family.may_stand(rows));
    if may_stand.contains(&in_rows) {
        return in_rows;
    }
    let what = format!("the rows say {in_rows:?}, the answers allow {may_stand:?}");
    found.push(Violation { rule: STANDS, stan: Some(family.root), what });
    may_stand.into_iter().next().unwrap_or_default()
}

/// From the customer where above zero.
fn signed(history: &History, stan: Stan, minor: i64) -> i64 {
    match history.requests.get(&stan).map(|request| request.what) {
        Some(What::Ask(ask)) if ask.kind.effect() == Effect::Gives => -minor,
        _ => minor,
    }
}

fn compare(whose: &str, amounts: Amounts, expected: Amounts, found: &mut Vec<Violation>) {
    let Amounts { ledger, held } = amounts;
    if held != expected.held {
        let what = format!("{whose} holds {held}, the client was told of {}", expected.held);
        found.push(general(HELD, what));
    }
    if ledger != expected.ledger {
        let what = format!("{whose} has {ledger}, by what the client was told {}", expected.ledger);
        found.push(general(SETTLED, what));
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
