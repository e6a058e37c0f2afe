//! The checker: what the client saw against what the database says, rule by rule. It owns the
//! rules; each violation names its invariant and, where there is one, the request.

pub(crate) mod asks;
pub(crate) mod families;
pub(crate) mod history;
mod requests;
mod sums;
pub(crate) mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use history::{History, Stan};
use tables::Tables;

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The invariant, by its name in the fault matrix.
    pub(crate) rule: &'static str,
    pub(crate) stan: Option<Stan>,
    pub(crate) what: String,
}

/// How many requests may go unanswered while their link lives, or be answered with a malfunction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// None: every request that came whole has its reply.
    #[default]
    None,
    /// One, in which something broke.
    One,
    /// Any may be silent: PostgreSQL or the process was disturbed (W-20). No malfunction is due.
    Any,
}

/// All that the checker looks at.
#[derive(Debug, Default)]
pub(crate) struct Evidence<'a> {
    pub(crate) history: History,
    pub(crate) tables: Tables,
    /// The balance of each card, and what was on it at first.
    pub(crate) cards: &'a [(i64, i64)],
    /// The pool behind them, and what was in it.
    pub(crate) pool: (i64, i64),
    pub(crate) unanswered: Unanswered,
    /// Whether messages were shed on purpose for a while.
    pub(crate) sheds: bool,
    /// What `cardswitch audit` found.
    pub(crate) findings: Vec<String>,
}

/// Every broken rule.
pub(crate) fn check(evidence: &Evidence<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut rows: BTreeMap<Stan, Vec<&tables::Authorization>> = BTreeMap::new();
    for row in &evidence.tables.authorizations {
        rows.entry(row.stan).or_default().push(row);
    }
    requests::check(evidence, &rows, &mut found);
    sums::check(evidence, &rows, &mut found);
    for finding in &evidence.findings {
        found.push(general("I6 audit", finding.clone()));
    }
    if evidence.tables.dated_back > 0 {
        let what =
            format!("{} decisions are dated before an earlier one", evidence.tables.dated_back);
        found.push(general("I8 time went back", what));
    }
    for leak in &evidence.tables.leaks {
        found.push(general("I11 card number", leak.clone()));
    }
    found
}

fn general(rule: &'static str, what: String) -> Violation {
    Violation { rule, stan: None, what }
}
