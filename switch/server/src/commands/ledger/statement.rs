//! `cardswitch ledger statement`: how the statement of an account is printed, and what is said
//! where its row is not what it should follow from. It reads and changes nothing itself.

use std::process::ExitCode;

use anyhow::bail;
use serde_json::{Value, json};
use switch_domain::BalanceId;
use switch_store::{Reconciled, Span, Standing, Statement, StatementLine, Store};

use super::{amount, letters};
use crate::commands::days::at;

/// Prints the statement of a span, at most so many lines.
pub(super) async fn tell(
    store: &Store,
    balance: BalanceId,
    (span, most): (Span, u32),
    reconcile: bool,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let Some(statement) = store.statement(balance, span, most).await? else {
        bail!("no such balance: {}; `cardswitch balance show` looks for one", balance.0);
    };
    let reconciled = if reconcile { store.reconcile_balance(balance).await? } else { None };
    if as_json {
        println!("{}", statement_json(&statement, reconciled.as_ref()));
    } else {
        print_statement(&statement);
        if let Some(reconciled) = &reconciled {
            print_reconciled(&statement, reconciled);
        }
    }
    let agrees = reconciled.is_none_or(|one| one.stated == one.computed);
    Ok(if agrees { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn print_statement(statement: &Statement) {
    let shown = |minor| amount(minor, statement.currency);
    let stands = |label: &str, stands: Standing| {
        let (ledger, held, available) = (stands.ledger, stands.held, stands.available());
        let (ledger, held, available) = (shown(ledger), shown(held), shown(available));
        println!("{label:<82} {ledger:>16} {held:>16} {available:>16}");
    };
    println!("balance {} in {}", statement.balance.0, letters(statement.currency));
    println!(
        "{:<27} {:<20} {:>16} {:>16} {:>16} {:>16} {:>16}",
        "at", "event", "posted", "held more", "ledger", "held", "available"
    );
    stands("before", statement.opening);
    for line in &statement.lines {
        let (at, kind) = (at(line.at), &line.kind);
        let (posted, held) = (shown(line.amount.0.into()), shown(line.held.0.into()));
        let moved = format!("{at:<27} {kind:<20} {posted:>16} {held:>16}");
        stands(&moved, line.after);
        if !line.fee.is_zero() {
            println!("    fees within: {}", shown(line.fee.0.into()));
        }
        if let Some(reason) = &line.would_be {
            println!("    forced: a request would have been declined: {reason}");
        }
    }
    stands("after", statement.closing);
    if statement.more {
        println!("There are more lines: ask for fewer days, or for more with --most.");
    }
    stands("now", statement.now);
}

fn print_reconciled(statement: &Statement, reconciled: &Reconciled) {
    let Reconciled { stated, computed } = reconciled;
    if stated == computed {
        println!("reconciled: what stands now is what was posted, and what open holds come to");
    }
    let shown = |minor| amount(minor, statement.currency);
    let rows = [
        ("the ledger", "all postings", stated.ledger, computed.ledger),
        ("what is held", "all open authorizations", stated.held, computed.held),
    ];
    for (what, source, stated, computed) in rows.into_iter().filter(|row| row.2 != row.3) {
        let (stated, computed) = (shown(stated), shown(computed));
        println!("NOT RECONCILED: {what} is {stated}, {source} give {computed}");
    }
}

fn statement_json(statement: &Statement, reconciled: Option<&Reconciled>) -> Value {
    let shown = |minor| amount(minor, statement.currency);
    let stands = |one: Standing| {
        json!({
            "ledger": shown(one.ledger),
            "held": shown(one.held),
            "available": shown(one.available()),
        })
    };
    let line = |line: &StatementLine| {
        let journal = line
            .record
            .map(|(shard, seq, record)| json!({ "shard": shard, "seq": seq, "record": record }));
        json!({
            "at": at(line.at),
            "event": line.kind,
            "message": line.message,
            "posted": shown(line.amount.0.into()),
            "fees_within": shown(line.fee.0.into()),
            "held_more": shown(line.held.0.into()),
            "before": stands(line.before),
            "after": stands(line.after),
            "would_be": line.would_be,
            "journal": journal,
        })
    };
    let mut told = json!({
        "balance": statement.balance.0,
        "currency": letters(statement.currency),
        "opening": stands(statement.opening),
        "lines": statement.lines.iter().map(line).collect::<Vec<_>>(),
        "closing": stands(statement.closing),
        "more": statement.more,
        "now": stands(statement.now),
    });
    if let Some(reconciled) = reconciled {
        told["computed"] = stands(reconciled.computed);
        told["reconciled"] = (reconciled.stated == reconciled.computed).into();
    }
    told
}
