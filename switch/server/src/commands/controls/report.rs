//! `cardswitch controls report`: what each control declined in some days, and what each in shadow
//! would have. It owns how that is asked for and printed; the sums are the store's. It reads the
//! tables, beside a switch that serves or without one, and changes nothing.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use switch_domain::{ControlId, Currency, SpendControl};
use switch_store::{ControlLine, ControlReport, CountAndAmount, ReportPart};

use crate::cli::ConfigArgs;
use crate::commands::days::Days;
use crate::commands::read;
use crate::database;

/// Which days and controls.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The configuration
    #[command(flatten)]
    config: ConfigArgs,
    /// Which days
    #[command(flatten)]
    days: Days,
    /// Of this control alone
    #[arg(long)]
    control: Option<i64>,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: ReportArgs) -> anyhow::Result<ExitCode> {
    let config = read(args.config.config.as_deref())?;
    let (span, control) = (args.days.span()?, args.control.map(ControlId));
    let connected = database::connect_beside(&config.database).await?;
    let report = connected.store.control_report(span, control, args.days.most).await;
    connected.close().await?;
    let report = report?;
    if args.json {
        println!("{}", told(&report));
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

/// A control by its number, and its name where it is still there.
fn name(report: &ControlReport, id: ControlId) -> Option<&str> {
    let found = report.controls.iter().find(|control| control.id == id);
    found.map(|control| control.terms.name.as_str())
}

/// Controls in shadow that said nothing in that time.
fn silent(report: &ControlReport) -> impl Iterator<Item = &SpendControl> {
    let spoke = |id| report.lines.iter().any(|line| line.control == id);
    report.controls.iter().filter(move |one| one.terms.shadow && !spoke(one.id))
}

fn amount(sum: CountAndAmount, currency: i16) -> String {
    let known = u16::try_from(currency).ok().and_then(|code| Currency::from_numeric(code).ok());
    let Some(known) = known else { return format!("{} minor units of {currency:03}", sum.amount) };
    let places = u32::from(known.exponent());
    let exact = rust_decimal::Decimal::try_from_i128_with_scale(sum.amount, places);
    let exact = exact.map_or_else(|_| format!("{} minor units", sum.amount), |it| it.to_string());
    format!("{exact} {known}")
}

fn part(part: &ReportPart) -> String {
    match part {
        ReportPart::Whole => "in all".into(),
        ReportPart::Day(day) => day.clone(),
        ReportPart::Category(mcc) => format!("MCC {mcc:04}"),
    }
}

fn print(report: &ControlReport) {
    for line in &report.lines {
        if line.part == ReportPart::Whole {
            let called = name(report, line.control)
                .map_or_else(|| "(removed since)".into(), |name| format!("\"{name}\""));
            let did = if line.shadow { "in shadow, would have declined" } else { "declined" };
            println!("control {} {called}: {did}", line.control);
        }
        let (all, granted) = (line.all, line.granted);
        let sum = amount(all, line.currency);
        let of_them = match (granted.count, line.shadow) {
            (0, _) => String::new(),
            (count, true) => {
                format!("; {count} of them were granted, of {}", amount(granted, line.currency))
            }
            (count, false) => {
                let sum = amount(granted, line.currency);
                format!("; {count} of them were granted in our stead, of {sum}")
            }
        };
        println!("  {:<12} {:>8} of {sum}{of_them}", part(&line.part), all.count);
    }
    for control in silent(report) {
        println!("control {} \"{}\": in shadow, said nothing", control.id, control.terms.name);
    }
    if report.more {
        println!("There are more lines: ask for fewer days, or for more with --most.");
    }
}

fn told(report: &ControlReport) -> Value {
    let line = |line: &ControlLine| {
        let (day, category) = match &line.part {
            ReportPart::Whole => (None, None),
            ReportPart::Day(day) => (Some(day.clone()), None),
            ReportPart::Category(mcc) => (None, Some(format!("{mcc:04}"))),
        };
        json!({
            "control": line.control.0,
            "name": name(report, line.control),
            "shadow": line.shadow,
            "day": day,
            "mcc": category,
            "count": line.all.count,
            "amount": amount(line.all, line.currency),
            "granted": line.granted.count,
            "granted_amount": amount(line.granted, line.currency),
        })
    };
    let silent = silent(report)
        .map(|control| json!({ "control": control.id.0, "name": control.terms.name.as_str() }));
    json!({
        "lines": report.lines.iter().map(line).collect::<Vec<_>>(),
        "silent_in_shadow": silent.collect::<Vec<_>>(),
        "more": report.more,
    })
}
