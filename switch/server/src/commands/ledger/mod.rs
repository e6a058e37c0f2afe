//! `cardswitch ledger`: a trial balance, the statement of an account (`statement`), the advices
//! that people should look at. It owns how they are asked for and printed; what they say is read by
//! the store, beside a switch that serves or without one. It changes nothing.

mod statement;

use std::process::ExitCode;

use clap::Subcommand;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use switch_domain::{BalanceId, Currency};
use switch_store::{OddAdvice, Store, TrialLine};

use super::days::{Days, at};
use super::read;
use crate::cli::ConfigArgs;
use crate::database;

/// The ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// What stands on the accounts: debits, credits, and that they are equal
    TrialBalance {
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
        /// Each account by itself, and not only each kind
        #[arg(long)]
        each: bool,
        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// What was posted to an account and held on it, with what stood before and after each
    Statement {
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
        /// The account, by its number
        balance: i64,
        /// Which days
        #[command(flatten)]
        days: Days,
        /// Compare what stands now with the sum of all postings and of all open authorizations;
        /// exit code 1 where they differ. Reads all days that are kept
        #[arg(long)]
        reconcile: bool,
        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Advices that took effect although they would have been declined, with the reason
    Forced {
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
        /// Which days
        #[command(flatten)]
        days: Days,
        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Advices that nothing could be done about: for a person to look at
    Suspense {
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
        /// Which days
        #[command(flatten)]
        days: Days,
        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: LedgerCommand) -> anyhow::Result<ExitCode> {
    let config = match &command {
        LedgerCommand::TrialBalance { config, .. }
        | LedgerCommand::Statement { config, .. }
        | LedgerCommand::Forced { config, .. }
        | LedgerCommand::Suspense { config, .. } => read(config.config.as_deref())?,
    };
    let connected = database::connect_beside(&config.database).await?;
    let told = tell(&connected.store, command).await;
    connected.close().await?;
    told
}

async fn tell(store: &Store, command: LedgerCommand) -> anyhow::Result<ExitCode> {
    match command {
        LedgerCommand::TrialBalance { each, json, .. } => {
            let lines = store.trial_balance(each).await?;
            let unequal = unequal(&lines);
            if json {
                let balanced = unequal.is_empty();
                let lines: Vec<_> = lines.iter().map(trial_json).collect();
                println!("{}", json!({ "balanced": balanced, "accounts": lines }));
            } else {
                print_trial(&lines, &unequal);
            }
            Ok(if unequal.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
        }
        LedgerCommand::Statement { balance, days, reconcile, json, .. } => {
            statement::tell(store, BalanceId(balance), (days.span()?, days.most), reconcile, json)
                .await
        }
        LedgerCommand::Forced { days, json, .. } => {
            let found = store.forced(days.span()?, days.most).await?;
            tell_advices(&found, json, ("forced", "forced"));
            Ok(ExitCode::SUCCESS)
        }
        LedgerCommand::Suspense { days, json, .. } => {
            let found = store.suspended(days.span()?, days.most).await?;
            tell_advices(&found, json, ("suspense", "in suspense"));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Currencies in which debits and credits differ, and by how much.
fn unequal(lines: &[TrialLine]) -> Vec<(i16, i128)> {
    let mut sums = std::collections::BTreeMap::<i16, i128>::new();
    for line in lines {
        let sum = sums.entry(line.currency).or_default();
        *sum = sum.saturating_add(line.amount);
    }
    sums.into_iter().filter(|(_, sum)| *sum != 0).collect()
}

/// An amount in major units with its currency's letters; one of an unknown currency in minor units.
fn amount(minor: i128, currency: i16) -> String {
    let exponent = known(currency).map(|currency| u32::from(currency.exponent()));
    let exact = exponent.and_then(|places| Decimal::try_from_i128_with_scale(minor, places).ok());
    exact.map_or_else(|| format!("{minor} minor units"), |exact| exact.to_string())
}

fn letters(currency: i16) -> String {
    known(currency).map_or_else(|| format!("{currency:03}"), |known| known.to_string())
}

fn known(currency: i16) -> Option<Currency> {
    Currency::from_numeric(u16::try_from(currency).ok()?).ok()
}

fn debit_and_credit(line: &TrialLine) -> (String, String) {
    let shown = amount(line.amount.saturating_abs(), line.currency);
    if line.amount < 0 { (shown, String::new()) } else { (String::new(), shown) }
}

fn print_trial(lines: &[TrialLine], unequal: &[(i16, i128)]) {
    println!("{:<20} {:>20} {:>9} {:>20} {:>20}", "account", "id", "postings", "debit", "credit");
    for line in lines {
        let id = line.id.map(|id| id.to_string()).unwrap_or_default();
        let (debit, credit) = debit_and_credit(line);
        let (account, postings) = (&line.account, line.postings);
        let currency = letters(line.currency);
        println!("{account:<20} {id:>20} {postings:>9} {debit:>20} {credit:>20} {currency}");
    }
    for (currency, by) in unequal {
        println!("NOT BALANCED: {} differ by {}", letters(*currency), amount(*by, *currency));
    }
    if unequal.is_empty() {
        println!("balanced: debits are credits in every currency");
    }
}

fn trial_json(line: &TrialLine) -> Value {
    json!({
        "account": line.account,
        "id": line.id,
        "currency": letters(line.currency),
        "postings": line.postings,
        "amount": amount(line.amount, line.currency),
    })
}

/// Advices under a name, or one a line and how many there are.
fn tell_advices(found: &[OddAdvice], json: bool, (name, are): (&str, &str)) {
    if json {
        let found: Vec<_> = found.iter().map(advice_json).collect();
        println!("{}", json!({ name: found }));
    } else {
        found.iter().for_each(print_advice);
        println!("{} {are}", found.len());
    }
}

fn print_advice(one: &OddAdvice) {
    println!(
        "{} {} {}: {} of {} {}; acquirer {}, STAN {}, RRN {}, terminal {}, merchant {}",
        at(one.at),
        one.id,
        one.reason,
        one.class,
        amount(one.amount.0.into(), one.currency),
        letters(one.currency),
        one.acquirer,
        one.stan,
        one.rrn,
        one.terminal,
        one.merchant
    );
}

fn advice_json(one: &OddAdvice) -> Value {
    json!({
        "id": one.id,
        "at": at(one.at),
        "link": one.link,
        "reason": one.reason,
        "class": one.class,
        "acquirer": one.acquirer,
        "stan": one.stan,
        "rrn": one.rrn,
        "terminal": one.terminal,
        "merchant": one.merchant,
        "amount": amount(one.amount.0.into(), one.currency),
        "currency": letters(one.currency),
    })
}
