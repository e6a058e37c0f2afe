//! What the listeners of the management API serve, and what goes on behind it: the audit is
//! written, old answers are forgotten. It owns how these are put together from the configuration.

use std::sync::Arc;
use std::time::Duration;

use admin_api::audit::audit_sink;
use admin_api::certificates::Certificates;
use admin_api::channel::{CertificateChannel, Refusals};
use admin_api::http::{MOST, Rates, Repeats};
use admin_api::jwe::{Jwe, KeyRules, PlatformKeyFile, PoolSettings, RsaBits, RsaPool};
use admin_api::openapi::try_it_page;
use admin_api::routes::{Around, Management, partner_channels};
use admin_api::{Answers, Services, UserSettings, Users};
use anyhow::Context;
use axum::Router;
use switch_domain::Timestamp;
use switch_store::Store;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::keys::{make_private_directory, master_keys};
use crate::runtimes::Apart;

/// How often old answers are forgotten, and rates that nobody uses.
const EVERY: Duration = Duration::from_secs(60);
/// Answers that are forgotten in one statement, and statements of one round.
const AT_A_TIME: u32 = 1_000;
const ROUNDS: u32 = 100;

/// What the API manages.
#[derive(Clone)]
pub(crate) struct Managed {
    pub(crate) services: Services,
    pub(crate) certificates: Certificates,
    pub(crate) store: Store,
}

/// What is served.
#[derive(Default)]
pub(super) struct Routers {
    /// Where a client certificate is shown: /secure and /lifecycle.
    pub(super) secure: Router,
    /// Everywhere else: /customers and /admin. Nothing is there yet.
    pub(super) open: Router,
}

impl Routers {
    /// Puts them together, and begins what goes on behind them.
    pub(super) fn new(
        management: &Apart,
        config: &Config,
        managed: Managed,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let Managed { services, certificates, store } = managed;
        let requests = config.api.requests;
        let pool = store.pool().clone();
        let (audit, writer) = audit_sink(pool.clone(), requests.audit_waiting);
        management.spawn(writer);
        let answers = Answers::new(pool, Duration::from_millis(requests.claim_ms));
        let rates = Rates::new(requests.rates());
        let keep = Duration::from_secs(u64::from(requests.keep_answers_hours).saturating_mul(3600));
        management.spawn(forget(answers.clone(), keep, rates.clone(), stop.clone()));
        let channel = CertificateChannel { certificates, refusals: Refusals::new(audit.clone()) };
        let around = Around {
            rates,
            repeats: Arc::new(Repeats { answers, body_limit: requests.body_bytes }),
            body_within: Duration::from_millis(requests.body_ms),
            audit,
        };
        let settings = UserSettings { page_most: MOST, ..UserSettings::default() };
        let users = Users::new(services.clone(), settings);
        let management = Management { services, users, jwe: Arc::new(encryption(config)?) };
        let routers =
            Self { secure: partner_channels(management, channel, &around), open: Router::new() };
        Ok(routers.with_documents(config))
    }
}

impl Routers {
    /// With the page on which the API is tried, where it is to be shown.
    pub(super) fn with_documents(self, config: &Config) -> Self {
        if !config.api.shows_documents(config.mode) {
            return self;
        }
        let page = try_it_page();
        Self { secure: self.secure.merge(page.clone()), open: self.open.merge(page) }
    }
}

/// The platform's keys; a first one is made where there is none.
fn encryption(config: &Config) -> anyhow::Result<Jwe> {
    let settings = &config.api.encryption;
    let masters = master_keys(config)?.context(
        "the management API needs a local master key, under which its keys lie: make its \
         components with `cardswitch keys ceremony first.lmk second.lmk`, and name them in \
         security.lmk_components",
    )?;
    if let Some(directory) = settings.key_file.parent().filter(|it| !it.as_os_str().is_empty()) {
        make_private_directory(directory)?;
    }
    let file = PlatformKeyFile::new(settings.key_file.clone(), KeyRules::default());
    let now = Timestamp(jiff::Timestamp::now().as_microsecond());
    let keys = match file.load(&masters, now)? {
        Some(keys) => keys,
        None => file.create(&masters, RsaBits::Bits3072)?,
    };
    tracing::info!(kid = keys.active().kid().as_str(), "key for encrypted requests");
    let pool = PoolSettings { workers: settings.workers, waiting: settings.waiting };
    Ok(Jwe::new(keys, RsaPool::new(pool)))
}

/// Forgets what is old, a few at a time.
async fn forget(answers: Answers, keep: Duration, rates: Arc<Rates>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        rates.shrink();
        for _ in 0..ROUNDS {
            match answers.forget(keep, AT_A_TIME).await {
                Ok(gone) if gone == u64::from(AT_A_TIME) => {}
                Ok(_) => break,
                Err(problem) => {
                    tracing::warn!(%problem, "old answers cannot be forgotten; tried again");
                    break;
                }
            }
        }
    }
}
