//! `cardswitch journal reconcile`: what this switch had committed and PostgreSQL no longer has,
//! told record by record, so that the answers behind it can be taken up with the networks (W-24).
//! It owns the report, and the acknowledgement without which nothing is served.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};
use switch_domain::{Authorized, Event, MessageKey, Record, Reversed, StandIn};
use switch_store::{ChainHead, JournalRow, Store, lost_files, read_lost_rows};

use super::recorded::recorded;
use crate::config::Config;
use crate::{database, heads};

/// What is asked for.
pub(super) struct Reconcile {
    /// Files of lost rows; none named: all in the configured directory.
    pub(super) files: Vec<PathBuf>,
    /// Who has seen the report, and allows serving again.
    pub(super) acknowledge: Option<String>,
    pub(super) json: bool,
}

pub(super) async fn run(config: &Config, asked: Reconcile) -> anyhow::Result<ExitCode> {
    let connected = database::connect_beside(&config.database).await?;
    let done = reconcile(config, &asked, &connected.store).await;
    connected.close().await?;
    let report = done?;
    if asked.json {
        println!("{report}");
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

async fn reconcile(config: &Config, asked: &Reconcile, store: &Store) -> anyhow::Result<Value> {
    store.migrate().await?;
    let lost_dir = &config.journal.lost_dir;
    let files = if asked.files.is_empty() { lost_files(lost_dir)? } else { asked.files.clone() };
    let mut notes = store.unreconciled().await?;
    if let Some(missing) = heads::missing(store, lost_dir).await?
        && !notes.contains(&missing)
    {
        notes.push(missing);
    }
    let mut told = Vec::new();
    for file in &files {
        told.push(file_report(store, file).await?);
    }
    let mut report = json!({ "notes": notes, "files": told, "acknowledged": false });
    if let Some(name) = &asked.acknowledge {
        let text = report.to_string();
        let work = acknowledged(store, lost_dir, (name, &text), &files);
        let act = ("journal-reconcile", "what was lost".to_owned());
        let noted = recorded(store, act, work).await?;
        report["acknowledged"] = json!(true);
        report["notes_acknowledged"] = json!(noted);
    }
    Ok(report)
}

/// Somebody has settled what was lost; how many notes that were.
async fn acknowledged(
    store: &Store,
    lost_dir: &Path,
    (name, report): (&str, &str),
    files: &[PathBuf],
) -> anyhow::Result<u64> {
    let noted = store.acknowledge(name, report).await?;
    heads::forget(store, lost_dir).await?;
    for file in files {
        let done = file.with_extension("reconciled");
        std::fs::rename(file, &done)
            .with_context(|| format!("setting {} aside", file.display()))?;
    }
    Ok(noted)
}

/// What the database lacks of one file.
async fn file_report(store: &Store, file: &PathBuf) -> anyhow::Result<Value> {
    let lost = read_lost_rows(file).with_context(|| file.display().to_string())?;
    let (mut answered, mut unanswered, mut lacking) = (Vec::new(), Vec::new(), 0_u64);
    for row in &lost.rows {
        let known = ChainHead { shard: row.shard, seq: row.seq, hash: row.hash };
        if store.still_has(&known).await? {
            continue;
        }
        lacking = lacking.saturating_add(1);
        let of = if row.seq <= lost.head.confirmed { &mut answered } else { &mut unanswered };
        of.extend(records(row)?);
    }
    Ok(json!({
        "file": file,
        "shard": lost.head.shard.0,
        "rows": lost.rows.len(),
        "rows_lacking": lacking,
        "committed_and_lacking": answered,
        "sent_and_never_answered": unanswered,
    }))
}

fn records(row: &JournalRow) -> anyhow::Result<Vec<Value>> {
    let records = row.decode().with_context(|| format!("row {}", row.seq))?;
    Ok(records.iter().map(|record| told(row, record)).collect())
}

/// One record, with what a network knows it by. No card number: a record has none.
fn told(row: &JournalRow, record: &Record) -> Value {
    let mut told = match &record.event {
        Event::Authorized(one) => authorized(one),
        Event::Reversed(one) => reversed(one),
        Event::Voided(one) => json!({ "kind": "void", "authorization": one.authorization.0 }),
        Event::Expired(one) => {
            json!({ "kind": "end of a hold", "authorization": one.authorization.0 })
        }
        other => json!({ "kind": name_of(other) }),
    };
    told["seq"] = json!(row.seq.0);
    told["at_micros"] = json!(record.at.0);
    told
}

fn authorized(one: &Authorized) -> Value {
    let mut told = message(&one.facts.key);
    told["kind"] =
        json!(if one.facts.key.class.is_financial() { "financial" } else { "authorization" });
    told["id"] = json!(one.id.0);
    told["approved"] = json!(one.reason.is_approval());
    told["reason"] = json!(one.reason.name());
    told["stand_in"] = json!(one.stand_in.map(StandIn::name));
    told["settled"] = json!(one.settles());
    told["completes"] = json!(one.completes.map(|earlier| earlier.authorization.0));
    told["approval_code"] = json!(one.approval_code.map(|code| code.as_str().to_owned()));
    told["card"] = json!(one.card.map(|card| card.0));
    told["minor_units"] = json!(one.requested.minor.0);
    told["currency"] = json!(one.requested.currency.numeric());
    told
}

fn reversed(one: &Reversed) -> Value {
    let mut told = message(&one.key);
    told["kind"] = json!("reversal");
    told["id"] = json!(one.id.0);
    told["original"] = json!(one.original.map(|id| id.0));
    told["standing"] = json!(one.standing.0);
    told["reason"] = json!(one.reason.name());
    told
}

fn message(key: &MessageKey) -> Value {
    json!({
        "stan": key.stan,
        "rrn": key.rrn.as_str(),
        "terminal": key.terminal.as_str(),
        "acquirer": format!("{:?}", key.acquirer),
    })
}

/// What else may be in a record, in a word.
fn name_of(event: &Event) -> &'static str {
    match event {
        Event::TakenOver(_) => "takeover",
        Event::PartnerDefined(_) => "partner",
        Event::PoolDefined(_) => "pool",
        Event::ProgrammeDefined(_) => "programme",
        Event::PoolReloaded { .. } => "pool reload",
        Event::BalanceOpened(_) => "balance opened",
        Event::BalanceStateChanged { .. } => "balance state",
        Event::BalanceCredited { .. } => "balance credit",
        Event::CustomerStateChanged { .. } => "customer state",
        Event::TransferSent(_) => "transfer sent",
        Event::TransferReceived(_) => "transfer received",
        Event::TransferClosed { .. } => "transfer closed",
        Event::CardIssued(_) => "card issued",
        Event::CardStatusChanged { .. } => "card status",
        Event::CardLockChanged { .. } => "card lock",
        Event::CardRenewed { .. } => "card renewed",
        _ => "other",
    }
}

fn print(report: &Value) {
    for note in report["notes"].as_array().into_iter().flatten() {
        println!("noted       {}", note.as_str().unwrap_or_default());
    }
    for file in report["files"].as_array().into_iter().flatten() {
        println!("file        {}", file["file"].as_str().unwrap_or_default());
        println!(
            "  rows      {}, of which the database lacks {}",
            file["rows"], file["rows_lacking"]
        );
        for (kind, words) in
            [("committed_and_lacking", "LACKING  "), ("sent_and_never_answered", "unanswered")]
        {
            for record in file[kind].as_array().into_iter().flatten() {
                println!("  {words} {record}");
            }
        }
    }
    if report["acknowledged"] == json!(true) {
        println!("acknowledged: the switch may be started");
    } else {
        println!("not acknowledged: run it again with --acknowledge NAME when this is settled");
    }
}
