//! `cardswitch keys list`: what keys there are, by the headers of their blocks. It needs no local
//! master key, and shows no key.

use anyhow::bail;
use switch_domain::Timestamp;
use switch_security::{KeyState, ListedKey, list_keys};

use super::said::cipher_words;
use crate::commands::days::at;
use crate::config::Config;

pub(super) fn run(config: &Config, json: bool) -> anyhow::Result<()> {
    let path = &config.security.key_file;
    if !path.exists() {
        bail!("{}: there is no such file: no key was made or imported yet", path.display());
    }
    let keys = list_keys(path)?;
    if json {
        let array: Vec<_> = keys.iter().map(as_json).collect();
        println!("{}", serde_json::Value::from(array));
    } else {
        keys.iter().for_each(|key| println!("{}", line(key)));
    }
    Ok(())
}

/// One key on one line.
pub(super) fn line(key: &ListedKey) -> String {
    let ListedKey { name, number, usage, check_value, .. } = key;
    let (words, cipher, state) = (usage.words(), cipher_words(key.cipher), key.state.name());
    let mode = key.mode;
    let (made, until) = (at(key.created), until(key.state).map(at));
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    let master = key.master.map(|master| format!(", under {master}")).unwrap_or_default();
    format!(
        "{name} {number}: {state}{until}, {usage} {words}, {cipher}, mode {mode}, check value \
         {check_value}, since {made}{master}"
    )
}

fn as_json(key: &ListedKey) -> serde_json::Value {
    serde_json::json!({
        "name": key.name.to_string(),
        "version": key.number,
        "state": key.state.name(),
        "until": until(key.state).map(at),
        "usage": key.usage.code(),
        "cipher": key.cipher.letter(),
        "mode": key.mode.letter(),
        "check_value": key.check_value.to_string(),
        "created": at(key.created),
        "under": key.master.map(|master| master.to_string()),
    })
}

const fn until(state: KeyState) -> Option<Timestamp> {
    if let KeyState::Old { until } = state { Some(until) } else { None }
}
