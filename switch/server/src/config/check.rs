//! What a configuration must satisfy beyond its types. It owns the rules; each fault names its key.

use std::collections::BTreeMap;

use super::Config;
use super::check_links::each_link;

/// One value that cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key, from the root.
    pub path: Vec<String>,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// Those found so far.
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn require(&mut self, holds: bool, path: &[&str], message: impl Into<String>) {
        if !holds {
            let path = path.iter().map(|&name| name.to_owned()).collect();
            self.0.push(Fault { path, message: message.into() });
        }
    }
}

/// All faults.
pub(super) fn faults(config: &Config) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    database(config, &mut faults);
    shards(config, &mut faults);
    growth(config, &mut faults);
    config.holds.check(&config.links, config.shards.lookup_limit, &mut faults);
    config.tolerance.check(&config.links, &mut faults);
    config.clearing.check(config.shards.reserved_queue, &mut faults);
    config.reconciliation.check(&mut faults);
    config.rates.check(&mut faults);
    config.security.check(config, &mut faults);
    config.mini_statement.check(&mut faults);
    config.controls.check(&mut faults);
    config.attacks.check(&mut faults);
    config.api.check(config.mode, &mut faults);
    let connections = config.database.max_connections;
    super::processors::check(&config.api.processors, connections, &mut faults);
    config.hsm.check(&config.links, &mut faults);
    config.hsm.check_clear_pins(config.mode, config.api.cards.pin_digits_most, &mut faults);
    let filter = config.log.filter.parse::<tracing_subscriber::filter::Targets>();
    faults.require(
        filter.is_ok(),
        &["log", "filter"],
        "write a level, or target=level pairs with commas between: switch_shard=debug,info",
    );
    faults.require(
        config.shutdown.within_ms >= 100,
        &["shutdown", "within_ms"],
        "at least 100: what was taken must have time to be committed",
    );
    faults.require(
        config.threads.links <= 1024 && (1..=1024).contains(&config.threads.management),
        &["threads"],
        "links from 0 (half as many as processors) to 1024, management from 1 to 1024",
    );
    for (name, link) in &config.links {
        each_link(name, link, &mut faults);
    }
    unique_links(config, &mut faults);
    faults.0
}

fn database(config: &Config, faults: &mut Faults) {
    let database = &config.database;
    if let Some(url) = &database.url {
        let known = switch_store::private_postgres::DatabaseUrl::parse(url).is_ok();
        faults.require(
            known,
            &["database", "url"],
            "write postgres://user:password@host:port/database",
        );
    }
    faults.require(
        (2..=500).contains(&database.max_connections),
        &["database", "max_connections"],
        "from 2 to 500",
    );
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    faults.require(
        !database.name.is_empty() && database.name.chars().all(plain),
        &["database", "name"],
        "letters, digits and underscores",
    );
}

fn shards(config: &Config, faults: &mut Faults) {
    let shards = &config.shards;
    let path = |key| ["shards", key];
    let in_range = |value: usize, low: usize, high: usize| (low..=high).contains(&value);
    faults.require((1..=256).contains(&shards.data_shards), &path("data_shards"), "from 1 to 256");
    faults.require(
        in_range(shards.queue_limit, 1, 1_000_000),
        &path("queue_limit"),
        "from 1 to 1000000",
    );
    faults.require(
        in_range(shards.reserved_queue, 1, 1_000_000),
        &path("reserved_queue"),
        "from 1 to 1000000: reversals cannot be declined, they need room",
    );
    faults.require(
        in_range(shards.batch_limit, 1, 16_384),
        &path("batch_limit"),
        "from 1 to 16384",
    );
    faults.require(
        shards.projection_lag_limit >= shards.batch_limit,
        &path("projection_lag_limit"),
        "at least batch_limit, or every full batch would shed the next",
    );
    faults.require(
        shards.repeat_window_s >= 60,
        &path("repeat_window_s"),
        "at least 60: repeats come minutes after their original",
    );
    faults.require(
        in_range(shards.lookup_limit, 1, 100_000),
        &path("lookup_limit"),
        "from 1 to 100000",
    );
    let patient = (10..=60_000).contains(&shards.lookup_timeout_ms);
    faults.require(patient, &path("lookup_timeout_ms"), "from 10 to 60000");
    faults.require(shards.repeat_limit >= 1_000, &path("repeat_limit"), "at least 1000");
    let paced = (1..=10_000).contains(&shards.projection_pace_ms);
    faults.require(paced, &path("projection_pace_ms"), "from 1 to 10000");
    faults.require(
        in_range(shards.projection_chunk, 100, 100_000),
        &path("projection_chunk"),
        "from 100 to 100000",
    );
    let flushed = (10..=600_000).contains(&shards.flush_interval_ms);
    faults.require(
        flushed,
        &path("flush_interval_ms"),
        "from 10 to 600000: a start reads the journal from the last flush on",
    );
}

fn growth(config: &Config, faults: &mut Faults) {
    faults.require(
        (1..=100_000).contains(&config.shards.transfer_limit),
        &["shards", "transfer_limit"],
        "from 1 to 100000",
    );
    faults.require(
        (1_000..=100_000_000).contains(&config.shards.journal_part_rows),
        &["shards", "journal_part_rows"],
        "from 1000 to 100000000",
    );
    let retention = &config.retention;
    // PCI DSS 10.5.1: twelve months of audit history.
    faults.require(
        retention.audit_entry_days == 0 || retention.audit_entry_days >= 366,
        &["retention", "audit_entry_days"],
        "at least 366, or 0 to keep them for ever: a year of audit entries has to be at hand",
    );
    for (table, days) in [
        ("card_authorization_days", retention.card_authorization_days),
        ("authorization_event_days", retention.authorization_event_days),
        ("posting_days", retention.posting_days),
        ("audit_entry_days", retention.audit_entry_days),
    ] {
        let kept_for = u64::from(days).saturating_mul(86_400);
        faults.require(
            days == 0 || kept_for > config.shards.repeat_window_s,
            &["retention", table],
            "longer than repeat_window_s: repeats and reversals look these rows up",
        );
    }
    let seconds = 1..=86_400;
    faults.require(seconds.contains(&retention.every_s), &["retention", "every_s"], "1 to 86400");
    faults.require(seconds.contains(&config.disk.every_s), &["disk", "every_s"], "1 to 86400");
}

/// Two links must not have one number; addresses are taken by binding, which tells by itself.
fn unique_links(config: &Config, faults: &mut Faults) {
    let mut by_id: BTreeMap<u16, &str> = BTreeMap::new();
    for (name, link) in config.links.iter().filter(|(_, link)| link.id > 0) {
        if let Some(other) = by_id.insert(link.id, name) {
            let message = format!("link {other} has number {} already", link.id);
            faults.require(false, &["links", name, "id"], message);
        }
    }
}
