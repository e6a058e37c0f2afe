//! `cardswitch controls backtest`: what a control would have declined of what was bought, had it
//! been in force. It owns how that is asked for and printed; it is told by the shard package, from
//! the tables, beside a switch that serves or without one. It has no effect on anything.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};
use switch_domain::{Amount, ControlId, Currency, Reason};
use switch_shard::{BacktestOf, BacktestReport, Listed, Sum, backtest};

use super::{SubjectArgs, TermsArgs};
use crate::cli::ConfigArgs;
use crate::commands::days::{Days, at};
use crate::commands::read;
use crate::database;

/// Which control, on what.
#[derive(Debug, Args)]
pub struct BacktestArgs {
    /// The configuration
    #[command(flatten)]
    config: ConfigArgs,
    /// Whom it is for
    #[command(flatten)]
    subject: SubjectArgs,
    /// What it says of which purchases
    #[command(flatten)]
    terms: Box<TermsArgs>,
    /// Of which days it is told what would have been declined, and how many are listed
    #[command(flatten)]
    days: Days,
    /// The control that it is a change of: what that one alone declined is tried again
    #[arg(long, value_name = "CONTROL")]
    change: Option<i64>,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: BacktestArgs) -> anyhow::Result<ExitCode> {
    let config = read(args.config.config.as_deref())?;
    let connected = database::connect_beside(&config.database).await?;
    let told = tell(&connected.store, args, config.controls.backtest_authorizations).await;
    connected.close().await?;
    told
}

async fn tell(
    store: &switch_store::Store,
    args: BacktestArgs,
    most_of_one: usize,
) -> anyhow::Result<ExitCode> {
    let (span, most) = (args.days.span()?, args.days.most);
    let subject = args.subject.subject().subject();
    let currency = store.currency_of(subject).await?;
    let currency = currency.with_context(|| format!("there is no such {subject:?}"))?;
    let of = BacktestOf {
        terms: args.terms.spec().terms(subject, currency)?,
        instead_of: args.change.map(ControlId),
        span,
        most_of_one,
        most_listed: usize::try_from(most).unwrap_or(usize::MAX),
    };
    let report = backtest(store, &of).await?;
    if args.json {
        println!("{}", to_json(&report));
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

fn amount(sum: Sum, currency: Currency) -> String {
    let places = u32::from(currency.exponent());
    let exact = rust_decimal::Decimal::try_from_i128_with_scale(sum.amount, places);
    let exact = exact.map_or_else(|_| format!("{} minor units", sum.amount), |it| it.to_string());
    format!("{exact} {currency}")
}

fn print(report: &BacktestReport) {
    let (asked, holders) = (report.asked, report.holders);
    println!("{asked} authorizations of {holders} cards or accounts");
    let kinds = [
        (&report.declined, "would have been declined"),
        (&report.over, "advices, never declined: a request would have been"),
        (&report.no_longer, "would be declined no longer"),
    ];
    for (sums, what) in kinds {
        for ((reason, currency), sum) in sums {
            let (count, amount) = (sum.count, amount(*sum, *currency));
            println!("{count:>8} of {amount} {what}: {}", reason.name());
        }
    }
    if report.declined.is_empty() {
        println!("nothing would have been declined");
    }
    for one in &report.listed {
        let requested = Amount { minor: one.requested, currency: one.currency };
        let (id, moment, reason) = (one.authorization, at(one.at), one.reason.name());
        println!("  {id} {moment} {requested}: {reason}");
    }
    let declined: u64 = report.declined.values().map(|sum| sum.count).sum();
    if declined > report.listed.len() as u64 {
        println!("There are more: list more with --most.");
    }
}

fn to_json(report: &BacktestReport) -> Value {
    let sums = |sums: &BTreeMap<(Reason, Currency), Sum>| -> Vec<Value> {
        let one = |((reason, currency), sum): (&(Reason, Currency), &Sum)| {
            json!({
                "reason": reason.name(),
                "count": sum.count,
                "amount": amount(*sum, *currency),
            })
        };
        sums.iter().map(one).collect()
    };
    let listed = |one: &Listed| {
        json!({
            "authorization": one.authorization.0,
            "card": one.card.map(|card| card.0),
            "at": at(one.at),
            "reason": one.reason.name(),
            "requested": Amount { minor: one.requested, currency: one.currency }.to_string(),
        })
    };
    json!({
        "asked": report.asked,
        "holders": report.holders,
        "declined": sums(&report.declined),
        "advices_over": sums(&report.over),
        "no_longer_declined": sums(&report.no_longer),
        "listed": report.listed.iter().map(listed).collect::<Vec<_>>(),
    })
}
