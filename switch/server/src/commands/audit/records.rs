//! `cardswitch audit verify` and `head`: are the records of the management API as they were
//! written? It owns how a head is written and how the result is printed; the chain is the
//! service's.

use std::process::ExitCode;

use admin_api::audit::{self, Head, Whole};
use anyhow::Context;
use serde_json::json;

use crate::config::Config;
use crate::database;

pub(super) async fn verify(
    config: &Config,
    head: Option<&str>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let kept = head.map(read).transpose()?;
    let database = database::connect_beside(&config.database).await?;
    let verified = audit::verify(database.store.pool(), kept.as_ref()).await;
    database.close().await?;
    let (told, code) = match verified? {
        Ok(Whole { begins, head }) => {
            let told = json!({
                "records": head.number.saturating_sub(begins), "let_go": begins,
                "head": written(&head), "chain": "whole"
            });
            (told, ExitCode::SUCCESS)
        }
        Err(fault) => (json!({ "chain": "broken", "fault": fault.to_string() }), ExitCode::from(1)),
    };
    if as_json {
        println!("{told}");
    } else if let Some(fault) = told["fault"].as_str() {
        println!("the audit is not as it was written: {fault}");
    } else {
        let head = told["head"].as_str().unwrap_or_default();
        println!("{} record(s), each as it was written\nhead {head}", told["records"]);
        if told["let_go"] != 0 {
            println!("the {} before them were let go for their age", told["let_go"]);
        }
    }
    Ok(code)
}

pub(super) async fn head(config: &Config, as_json: bool) -> anyhow::Result<ExitCode> {
    let database = database::connect_beside(&config.database).await?;
    let head = audit::head_of(database.store.pool()).await;
    database.close().await?;
    let head = written(&head?);
    match as_json {
        true => println!("{}", json!({ "head": head })),
        false => println!("{head}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn written(head: &Head) -> String {
    format!("{}:{}", head.number, hex::encode(head.digest))
}

fn read(text: &str) -> anyhow::Result<Head> {
    let form = "a head is NUMBER:DIGEST, with 64 hexadecimal digits, as `audit verify` printed it";
    let (number, digest) = text.split_once(':').context(form)?;
    let bytes = hex::decode(digest).ok().and_then(|bytes| bytes.try_into().ok());
    let number = number.parse().ok().filter(|number: &i64| *number >= 0).context(form)?;
    Ok(Head { number, digest: bytes.context(form)? })
}
