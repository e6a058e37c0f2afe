//! What the listeners of the management API serve, and what goes on behind it: the audit is
//! written, what is old goes. It owns how these are put together from the configuration.

use std::sync::Arc;
use std::time::Duration;

use admin_api::audit::{AuditLog, AuditSink};
use admin_api::authorizations::Authorizations;
use admin_api::cards::Cards;
use admin_api::certificates::Certificates;
use admin_api::channel::{CertificateChannel, OperatorChannel, Refusals, SessionChannel};
use admin_api::fees::Fees;
use admin_api::http::{Rates, Repeats};
use admin_api::openapi::try_it_page;
use admin_api::operators::Operators;
use admin_api::pools::Pools;
use admin_api::programmes::Programmes;
use admin_api::routes::{
    Around, Management, Panel, admin_channel, customer_channel, partner_channels,
};
use admin_api::{Answers, OpenedTokens, PartnerKeys, Plastic, Services, Users};
use axum::Router;
use switch_store::Store;
use tokio_util::sync::CancellationToken;

use super::processors::Remotes;
use super::upkeep::{Old, upkeep};
use super::{body_keys, corporations, sandbox, webhooks};
use crate::config::Config;
use crate::runtimes::Apart;

/// What the API manages.
#[derive(Clone)]
pub(crate) struct Managed {
    pub(crate) services: Services,
    pub(crate) certificates: Certificates,
    pub(crate) operators: Option<Operators>,
    pub(crate) store: Store,
    pub(crate) users: Users,
    pub(crate) plastic: Option<Plastic>,
    pub(crate) pools: Pools,
    pub(crate) fees: Fees,
    pub(crate) programmes: Programmes,
    pub(crate) partner_keys: PartnerKeys,
    pub(crate) cards: Cards,
    pub(crate) audit: AuditSink,
    /// Processors elsewhere.
    pub(crate) remotes: Remotes,
}

/// What is served.
#[derive(Default)]
pub(super) struct Routers {
    /// Where a client certificate is shown: /secure and /lifecycle.
    pub(super) secure: Router,
    /// Everywhere else: /customers and /admin.
    pub(super) open: Router,
}

/// What stands around every route.
fn around(
    config: &Config,
    (rates, answers, audit): (Arc<Rates>, Answers, AuditSink),
    (partner_keys, tokens): (PartnerKeys, OpenedTokens),
) -> Around {
    let requests = config.api.requests;
    let body_limit = requests.body_bytes;
    Around {
        rates,
        repeats: Arc::new(Repeats { answers, body_limit, audit: audit.clone() }),
        body_within: Duration::from_millis(requests.body_ms),
        partner_keys,
        tokens_taken: config.api.encryption.policy(),
        tokens,
        audit,
        uploads: config.api.corporations.uploads(),
    }
}

impl Routers {
    /// Puts them together, and begins what goes on behind them.
    pub(super) async fn new(
        management: &Apart,
        config: &Config,
        managed: Managed,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let Managed {
            services,
            certificates,
            operators,
            store,
            users,
            plastic,
            pools,
            fees,
            programmes,
            partner_keys,
            cards,
            audit,
            remotes: _, // they are looked after beside
        } = managed;
        let requests = config.api.requests;
        let pool = store.pool().clone();
        let log = AuditLog::new(pool.clone());
        let tokens = OpenedTokens::new(pool.clone());
        let answers = Answers::new(pool.clone(), Duration::from_millis(requests.claim_ms));
        let rates = Rates::new(requests.rates());
        let old = old(config, &answers, &rates, (&users, &tokens));
        management.spawn(upkeep(old, stop.clone()));
        let refusals = Refusals::new(audit.clone());
        let channel = CertificateChannel { certificates, refusals: refusals.clone() };
        let around = around(config, (rates, answers, audit), (partner_keys, tokens));
        let sessions = SessionChannel { users: users.clone(), refusals: refusals.clone() };
        let (jwe, keys) = body_keys::open(config)?;
        let every = Duration::from_secs(config.api.limits.reload_s);
        management.spawn(body_keys::look(keys, jwe.clone(), every, stop.clone()));
        let opening = webhooks::open(management, config, services.clone(), stop);
        let webhooks = Box::pin(opening).await?;
        let corporations = Box::pin(corporations::open(config, services.clone())).await?;
        let sandbox = sandbox::open(&config.api.sandbox, (&services, &cards), plastic.as_ref())?;
        let authorizations = Authorizations::new(store, config.api.history.settings());
        let managed = Management {
            services,
            users,
            corporations,
            webhooks,
            cards,
            programmes,
            pools,
            fees,
            authorizations,
            plastic,
            sandbox,
            jwe,
        };
        let admin = operators.map(|operators| {
            let channel = OperatorChannel { operators: operators.clone(), refusals };
            let panel = Panel { management: managed.clone(), operators, audit: log };
            with_pages(admin_channel(panel, channel, &around), &around)
        });
        let customers = customer_channel(managed.clone(), sessions, &around);
        let routers = Self {
            secure: partner_channels(managed, channel, &around),
            open: match admin {
                Some(admin) => customers.merge(admin),
                None => customers,
            },
        };
        Ok(routers.with_documents(config))
    }
}

/// `/admin`, and the pages that are made of its answers.
fn with_pages(admin: Router, around: &Around) -> Router {
    let rates = around.rates.clone();
    admin_api_panel::Panel { admin: admin.clone(), rates }.router().merge(admin)
}

/// What goes once it is old.
fn old(
    config: &Config,
    answers: &Answers,
    rates: &Arc<Rates>,
    (users, tokens): (&Users, &OpenedTokens),
) -> Old {
    Old {
        answers: answers.clone(),
        keep: hours(config.api.requests.keep_answers_hours),
        rates: rates.clone(),
        users: users.clone(),
        tokens: tokens.clone(),
        tokens_known: hours(config.api.encryption.tokens_known_hours),
    }
}

fn hours(hours: u32) -> Duration {
    Duration::from_secs(u64::from(hours).saturating_mul(3600))
}

impl Routers {
    /// With the page on which the API is tried, where it is to be shown.
    pub(super) fn with_documents(self, config: &Config) -> Self {
        if !config.api.shows_documents(config.mode) {
            return self;
        }
        let page = try_it_page();
        // What is nowhere is answered by the last one, which limits who asks for it.
        Self { secure: page.clone().merge(self.secure), open: page.merge(self.open) }
    }
}
