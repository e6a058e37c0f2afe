//! Soft cards: what stands on a card that was made, as a file that the chip simulator takes. Must
//! be of test numbers, for whoever has the file has the card.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use crate::chip::{CardFacts, CardKind};

/// Writes the card of an order.
pub(super) fn write(directory: &Path, reference: &str, facts: &CardFacts) -> Result<()> {
    let CardFacts { pan, expiry, service_code, sequence, pin, kind } = facts;
    let card = json!({
        "pan": pan.digits(), "expiry": expiry, "service_code": service_code,
        "sequence": sequence, "pin": pin, "kind": kind.profile(),
    });
    let path = directory.join(format!("{reference}.json"));
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(&path);
    let mut file = file.with_context(|| path.display().to_string())?;
    file.write_all(card.to_string().as_bytes()).with_context(|| path.display().to_string())
}

/// Reads the card of an order.
///
/// # Errors
/// There is none, or it is none.
pub fn read_soft_card(directory: &Path, reference: &str) -> Result<CardFacts> {
    let path = directory.join(format!("{reference}.json"));
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// How many cards there are.
///
/// # Errors
/// The directory cannot be read.
pub fn read_soft_cards(directory: &Path) -> Result<usize> {
    Ok(std::fs::read_dir(directory).with_context(|| directory.display().to_string())?.count())
}

/// The kind of chip by the name that profiles have.
pub(super) fn kind_named(name: &str) -> Option<CardKind> {
    CardKind::ALL.into_iter().find(|kind| kind.profile() == name)
}
