//! `cardswitch explain`: why an authorization was answered as it was, and what came of it. It owns
//! how one is asked for and looked for; what the tables say of it is read by the store, beside a
//! switch that serves or without one. It changes nothing, and shows no card number: it has none.

mod json;
mod text;

use std::process::ExitCode;

use admin_api::authorizations::words;
use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;
use switch_domain::{AsciiText, AuthorizationId};
use switch_store::{FoundDecision, LookUp, Store};

use super::days::{Days, at};
use super::read;
use crate::cli::ConfigArgs;
use crate::database;

/// Which authorization, and how it is told.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The configuration
    #[command(flatten)]
    config: ConfigArgs,
    /// Which one
    #[command(flatten)]
    which: Which,
    /// Of look-ups, which days; of what came of it, at most so many events
    #[command(flatten)]
    days: Days,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// One authorization.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The authorization, by its number
    #[arg(value_name = "AUTHORIZATION")]
    id: Option<i64>,
    /// By the retrieval reference number, field 37; reads all that those days have
    #[arg(long)]
    rrn: Option<String>,
    /// By the approval code, field 38; reads all that those days have
    #[arg(long)]
    approval_code: Option<String>,
}

pub(super) async fn run(args: ExplainArgs) -> anyhow::Result<ExitCode> {
    let config = read(args.config.config.as_deref())?;
    let connected = database::connect_beside(&config.database).await?;
    let told = tell(&connected.store, &args).await;
    connected.close().await?;
    told
}

async fn tell(store: &Store, args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let Which { id, rrn, approval_code } = &args.which;
    let what = match (id, rrn, approval_code) {
        (Some(id), ..) => return explain(store, AuthorizationId(*id), args).await,
        (_, Some(rrn), _) => LookUp::Rrn(exactly("--rrn", rrn)?),
        (_, _, code) => {
            let code = code.as_deref().unwrap_or_default();
            LookUp::ApprovalCode(exactly("--approval-code", code)?)
        }
    };
    let found = store.find_decisions(what, args.days.span()?, args.days.most).await?;
    match &found[..] {
        [] => bail!("no authorization of those days has that number: give other days with --from"),
        [one] => explain(store, one.id, args).await,
        several => {
            list(several, args.json);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn exactly<const N: usize>(option: &str, given: &str) -> anyhow::Result<AsciiText<N>> {
    AsciiText::new(given.as_bytes()).with_context(|| format!("{option} {given:?}"))
}

async fn explain(
    store: &Store,
    id: AuthorizationId,
    args: &ExplainArgs,
) -> anyhow::Result<ExitCode> {
    let Some(explained) = store.explain(id, args.days.most).await? else {
        bail!(
            "no such authorization: {id}; its day may be kept no longer. --rrn looks for one by \
             field 37, --approval-code by field 38"
        );
    };
    if args.json {
        println!("{}", json::told(&explained));
    } else {
        print!("{}", text::told(&explained));
    }
    Ok(ExitCode::SUCCESS)
}

/// Several that fit: one a line, for the person to choose.
fn list(found: &[FoundDecision], as_json: bool) {
    let amount = |one: &FoundDecision| words::amount_of(one.requested, one.currency);
    if as_json {
        let found = found.iter().map(|one| {
            json!({
                "authorization": one.id.0,
                "at": at(one.at),
                "reason": one.reason,
                "requested": amount(one),
                "terminal": one.terminal,
            })
        });
        println!("{}", json!({ "found": found.collect::<Vec<_>>() }));
        return;
    }
    for one in found {
        let (id, moment, reason, terminal) = (one.id, at(one.at), &one.reason, &one.terminal);
        println!("{id} {moment} {reason}: {}, terminal {terminal}", amount(one));
    }
    println!("{} authorizations: explain one by its number", found.len());
}
