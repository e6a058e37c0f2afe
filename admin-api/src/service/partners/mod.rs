//! Public keys that partners have registered for encrypted answers (J-07): added and retired by
//! command, several at a time, so that a partner can change over. It owns the table `partner_key`
//! and which rule a partner's answers are encrypted by; what the rule does is `jwe`'s.

mod memory;
mod table;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, gauge};
use sqlx::PgPool;
use switch_domain::{AsciiText, PartnerId, Timestamp};

use crate::jwe::{PartnerKey, PartnerRule};
use crate::{Problem, Services};
use memory::Memory;

pub use table::ListedKey;

/// Limits of registered keys.
#[derive(Clone, Copy, Debug)]
pub struct PartnerKeySettings {
    /// Of one partner that are in use at a time.
    pub most_live: u32,
    /// How old what is known of a partner may be before the tables are read again.
    pub refresh: Duration,
    /// Partners in memory.
    pub known: usize,
}

impl Default for PartnerKeySettings {
    fn default() -> Self {
        Self { most_live: 4, refresh: Duration::from_secs(5), known: 1_000 }
    }
}

/// Registered keys, and the rules that follow. Cloning gives another handle.
#[derive(Clone)]
pub struct PartnerKeys {
    services: Services,
    settings: PartnerKeySettings,
    memory: Arc<Mutex<Memory>>,
}

impl PartnerKeys {
    /// Over the other services.
    #[must_use]
    pub fn new(services: Services, settings: PartnerKeySettings) -> Self {
        describe();
        let refresh = i64::try_from(settings.refresh.as_micros()).unwrap_or(i64::MAX);
        let memory = Memory::new(settings.known.max(1), refresh);
        Self { services, settings, memory: Arc::new(Mutex::new(memory)) }
    }

    /// Registers a key for a partner. One that it has already is left as it is; whether it was new.
    ///
    /// # Errors
    /// `NOT_FOUND`: the partner. `CONFLICT`: the key was retired, or is another partner's.
    /// `EXHAUSTED`: the partner has as many as may be.
    pub async fn add(
        &self,
        partner: PartnerId,
        key: &PartnerKey,
        (by, now): (AsciiText<40>, Timestamp),
    ) -> Result<bool, Problem> {
        self.check_partner(partner)?;
        let most = i64::from(self.settings.most_live);
        let added = table::add(self.pool(), partner, key, most, (by, now)).await?;
        self.forget(partner);
        Ok(added)
    }

    /// Takes a key out of use, for good; whether it was in use.
    ///
    /// # Errors
    /// `NOT_FOUND`: the partner, or the key among its keys.
    pub async fn retire(
        &self,
        partner: PartnerId,
        thumbprint: &str,
        (by, now): (AsciiText<40>, Timestamp),
    ) -> Result<bool, Problem> {
        self.check_partner(partner)?;
        let retired = table::retire(self.pool(), partner, thumbprint, (by, now)).await?;
        self.forget(partner);
        Ok(retired)
    }

    /// A partner's keys, the newest first.
    ///
    /// # Errors
    /// `NOT_FOUND`: the partner.
    pub async fn list(&self, partner: PartnerId) -> Result<Vec<ListedKey>, Problem> {
        self.check_partner(partner)?;
        table::list(self.pool(), partner).await
    }

    /// That one of a partner's keys is in use: without one nothing could be encrypted for it.
    pub(crate) async fn check_some(&self, partner: PartnerId) -> Result<(), Problem> {
        if self.list(partner).await?.iter().any(|key| key.retired.is_none()) {
            return Ok(());
        }
        let problem = "no key is registered for the partner: `cardswitch partner key add` first";
        Err(Problem::new("CONFLICT", problem))
    }

    /// By which rule a partner's answers are encrypted: from memory, where that is young enough.
    ///
    /// # Errors
    /// `UNAVAILABLE`: it cannot be read. Nothing is encrypted to a key that might not be meant.
    pub async fn rule(&self, partner: PartnerId, now: Timestamp) -> Result<PartnerRule, Problem> {
        let (known, age) = self.with_memory(|memory| (memory.rule(partner, now), memory.age()));
        if let Some(rule) = known {
            return Ok(rule);
        }
        let read = table::rule(self.pool(), partner, i64::from(self.settings.most_live)).await;
        let outcome = if read.is_ok() { "read" } else { "failed" };
        counter!("cardswitch_api_partner_rule_reads_total", "outcome" => outcome).increment(1);
        let rule = read.map_err(|problem| {
            let told = "it cannot be told at present whom answers are encrypted to";
            tracing::warn!(%problem, "{told}");
            Problem::new("UNAVAILABLE", told)
        })?;
        let known = self.with_memory(|memory| {
            memory.learn(partner, rule.clone(), now, age);
            memory.len()
        });
        gauge!("cardswitch_api_partner_rules_known")
            .set(f64::from(u32::try_from(known).unwrap_or(u32::MAX)));
        Ok(rule)
    }

    /// What was known of a partner has changed: it is read again, also by who reads it just now.
    pub(crate) fn forget(&self, partner: PartnerId) {
        self.with_memory(|memory| memory.forget(partner));
    }

    fn check_partner(&self, partner: PartnerId) -> Result<(), Problem> {
        let known = self.services.node.control().partners.contains_key(&partner);
        if known { Ok(()) } else { Err(Problem::not_found("there is no such partner")) }
    }

    const fn pool(&self) -> &PgPool {
        self.services.store.pool()
    }

    /// Works on what is known. Nothing in it waits for anything.
    fn with_memory<T>(&self, work: impl FnOnce(&mut Memory) -> T) -> T {
        work(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn describe() {
    describe_counter!(
        "cardswitch_api_partner_rule_reads_total",
        "Readings of whom a partner's answers are encrypted to, which were not known or too old"
    );
    describe_gauge!(
        "cardswitch_api_partner_rules_known",
        "Partners of whom that is in memory; api.encryption.known_partners are the most"
    );
}
