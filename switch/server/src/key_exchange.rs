//! Keys that links exchange with their peers (x800): taken in under the zone key, kept, and made
//! active when the answer has left; and the same the other way round. It owns that a key is on disk
//! before anybody hears that it was taken, so that whoever dies in between can still be talked to:
//! what comes under a pending version is taken, and makes it the active one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use metrics::counter;
use switch_domain::Timestamp;
use switch_network::{KeyKeeper, KeyNews};
use switch_security::{
    Exportability, Function, ImportPolicy, Key, KeyCheckValue, KeyCryptogram, KeyName, KeyRing,
    KeyRingError, KeyState, KeyStore, KeyVersion, NamedKey, SoftwareModule, export_block,
    export_cryptogram, import_cryptogram, unwrap_key_block,
};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::config::{Config, KeyForm, LinkKeyChange, Mode};
use crate::production;

/// How many keys of peers wait while one is written down.
pub(crate) const ROOM: usize = 16;
/// Hexadecimal digits of a check value, behind those of a cryptogram.
const CHECK_DIGITS: usize = 6;

/// Who keeps the keys that links exchange.
pub(crate) struct KeyExchange {
    store: KeyStore,
    module: Arc<SoftwareModule>,
    rules: BTreeMap<String, LinkKeyChange>,
    mode: Mode,
    /// Links and commands change keys one at a time; the file's own lock is for other processes.
    turn: Mutex<()>,
}

impl KeyExchange {
    /// Of the links that have a rule for it.
    pub(crate) fn new(config: &Config, store: KeyStore, module: Arc<SoftwareModule>) -> Self {
        let rule = |(name, link): (&String, &crate::config::Link)| {
            Some((name.clone(), link.key_change.clone()?))
        };
        let rules = config.links.iter().filter_map(rule).collect();
        Self { store, module, rules, mode: config.mode, turn: Mutex::new(()) }
    }

    /// Takes in a key that came over a link: which version it became, on disk and pending.
    pub(crate) fn take_in(&self, link: &str, text: &str) -> anyhow::Result<u32> {
        let (rule, name) = self.rule(link)?;
        self.change(|ring| {
            let usage =
                ring.iter().find(|(other, _, _)| **other == name).map(|(_, usage, _)| usage);
            let usage = usage.with_context(|| format!("there is no key {name}"))?;
            let policy = ImportPolicy::strict(usage);
            let key = match rule.form {
                KeyForm::KeyBlock => {
                    let zone = zone(ring, &rule, Function::UnwrapKeyBlock)?;
                    unwrap_key_block(zone, text, &policy)?.0
                }
                KeyForm::Cryptogram => {
                    let zone = zone(ring, &rule, Function::DecryptKey)?;
                    import_cryptogram(zone, &cryptogram(text)?, &policy)?
                }
            };
            // With such a key the next start would be refused.
            if let Some(fault) = production::fault_of(self.mode, &key) {
                bail!("production: the key {fault}");
            }
            let check_value = key.check_value();
            let number = match ring.add(NamedKey { name: name.clone(), key }, now()) {
                // The answer to it was lost, and it comes again.
                Err(KeyRingError::SameKey { number, .. }) => number,
                added => added?,
            };
            tracing::info!(target: "audit", act = "take_key", link, %name, number, %check_value);
            Ok(number)
        })
    }

    /// Makes a version active, once its other holder knows that we have it.
    pub(crate) fn activate(&self, link: &str, number: u32) -> anyhow::Result<()> {
        let (rule, name) = self.rule(link)?;
        let grace = i64::try_from(rule.grace_s).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let until = Timestamp(now().0.saturating_add(grace));
        self.change(|ring| {
            let pending: Vec<u32> = versions(ring, &name)
                .filter(|one| one.state() == KeyState::Pending && one.number() <= number)
                .map(KeyVersion::number)
                .collect();
            // One of before whose answer was lost is as old as the one that was active.
            for number in pending {
                ring.activate(&name, number, until)?;
            }
            Ok(())
        })?;
        let grace_s = rule.grace_s;
        tracing::info!(target: "audit", act = "activate_key", link, %name, number, grace_s);
        Ok(())
    }

    /// A new key for the peer of a link, on disk and pending: its version, the field that it goes
    /// in, and what is to stand there.
    pub(crate) fn offer(&self, link: &str) -> anyhow::Result<(u32, u8, String)> {
        let (rule, name) = self.rule(link)?;
        let (number, text) = self.change(|ring| {
            let active = versions(ring, &name).find(|one| one.state() == KeyState::Active);
            let active = active.and_then(KeyVersion::key);
            let active = active.with_context(|| format!("no version of key {name} is active"))?;
            let key = Key::generate(active.usage(), active.cipher(), active.length())??;
            let key = key.with_other_mode(active.mode())?;
            let key = key.with_exportability(Exportability::Exportable);
            let text = match rule.form {
                KeyForm::KeyBlock => {
                    export_block(zone(ring, &rule, Function::WrapKeyBlock)?, &key)?
                }
                KeyForm::Cryptogram => {
                    let zone = zone(ring, &rule, Function::EncryptKey)?;
                    let KeyCryptogram { bytes, check_value } = export_cryptogram(zone, &key)?;
                    format!("{}{check_value}", hex::encode_upper(bytes))
                }
            };
            let check_value = key.check_value();
            let number = ring.add(NamedKey { name: name.clone(), key }, now())?;
            tracing::info!(target: "audit", act = "offer_key", link, %name, number, %check_value);
            Ok((number, text))
        })?;
        Ok((number, rule.field, text))
    }

    /// Lets go of a version that the peer has refused.
    pub(crate) fn withdraw(&self, link: &str, number: u32) -> anyhow::Result<()> {
        let (_, name) = self.rule(link)?;
        self.change(|ring| Ok(ring.destroy(&name, number)?))?;
        tracing::info!(target: "audit", act = "withdraw_key", link, %name, number);
        Ok(())
    }

    fn rule(&self, link: &str) -> anyhow::Result<(LinkKeyChange, KeyName)> {
        let rule = self.rules.get(link).cloned();
        let rule = rule.with_context(|| format!("link {link} has no [links.{link}.key_change]"))?;
        let name = KeyName::new(&rule.key).context("key_change.key is no name")?;
        Ok((rule, name))
    }

    /// Changes the file first, and what is in use after that.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut KeyRing) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let (result, ring) = self.store.change(now(), |ring| {
            let result = change(ring)?;
            anyhow::Ok((result, ring.clone()))
        })?;
        self.module.replace_keys(ring);
        Ok(result)
    }
}

/// Serves the links until it is stopped.
pub(crate) async fn run(
    exchange: Option<Arc<KeyExchange>>,
    mut news: Receiver<KeyNews>,
    stop: CancellationToken,
) {
    // Without keys no link has a rule.
    let Some(exchange) = exchange else { return };
    loop {
        let next = tokio::select! {
            next = news.recv() => next,
            () = stop.cancelled() => return,
        };
        let Some(news) = next else { return };
        let exchange = Arc::clone(&exchange);
        // The file is written and synced, which takes its time.
        let _ = tokio::task::spawn_blocking(move || hear(&exchange, news)).await;
    }
}

fn hear(exchange: &KeyExchange, news: KeyNews) {
    match news {
        KeyNews::Came(asked) => {
            let taken = exchange.take_in(&asked.link, &asked.text);
            let outcome = if taken.is_ok() { "taken" } else { "refused" };
            let labels = [("link", asked.link.clone()), ("outcome", outcome.to_owned())];
            counter!("cardswitch_key_changes_total", &labels).increment(1);
            let taken = taken.inspect_err(|error| {
                tracing::warn!(target: "security", link = %asked.link, %error, "key refused");
            });
            asked.answer(taken.ok());
        }
        KeyNews::Answered { link, version } => {
            if let Err(error) = exchange.activate(&link, version) {
                tracing::warn!(%link, version, %error, "a key is not active yet");
            }
        }
    }
}

/// The way to the keeper, and what it hears.
pub(crate) fn channel() -> (KeyKeeper, Receiver<KeyNews>) {
    KeyKeeper::new(ROOM)
}

fn versions<'a>(ring: &'a KeyRing, name: &KeyName) -> impl Iterator<Item = &'a KeyVersion> {
    let found = ring.iter().find(|(other, _, _)| *other == name);
    found.into_iter().flat_map(|(_, _, versions)| versions)
}

fn zone<'a>(
    ring: &'a KeyRing,
    rule: &LinkKeyChange,
    function: Function,
) -> anyhow::Result<&'a Key> {
    let name = KeyName::new(&rule.zone_key).context("key_change.zone_key is no name")?;
    let handle = ring.find(&name, function.usage())?;
    Ok(ring.active(handle, function)?)
}

/// The digits of a cryptogram with those of its check value behind them.
fn cryptogram(text: &str) -> anyhow::Result<KeyCryptogram> {
    let at = text.len().checked_sub(CHECK_DIGITS);
    let (digits, check) = at.and_then(|at| text.split_at_checked(at)).unwrap_or_default();
    let expected = "the field holds no cryptogram with its check value of six digits behind it";
    let Some(check_value) = KeyCheckValue::parse(check) else { bail!(expected) };
    Ok(KeyCryptogram { bytes: hex::decode(digits).ok().context(expected)?, check_value })
}
