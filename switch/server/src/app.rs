//! One running switch, wired together. It owns the order: everything is checked before a port
//! opens, and on stopping the links go first and PostgreSQL last (W-25).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use admin_api::audit::audit_sink;
use admin_api::cards::Cards as CardServices;
use admin_api::certificates::Certificates;
use admin_api::{Plastic, Services, Users};
use anyhow::{Context, bail};
use metrics_exporter_prometheus::PrometheusHandle;
use switch_attacks::Watch;
use switch_domain::{LinkId, Tolerances};
use switch_hsm::HsmModule;
use switch_network::{
    KeyChangeRule, KeyKeeper, LinkConfig, LinkHandle, OpenLink, Reconciler, Teller,
};
use switch_security::{KeyRing, KeyStore, SecurityModule, SoftwareModule};
use switch_shard::{Fatal, HoldSweep, Node, Running, TakeoverMode};
use switch_store::private_postgres::DatabaseUrl;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::api::processors::{self, Remotes};
use crate::api::{Managed, fees, personalisation, pools, programmes};
use crate::card_checks::Cards;
use crate::clock;
use crate::command_audit::CommandAudit;
use crate::config::{self, Config, Link, LinkMac};
use crate::control_socket::ControlSocket;
use crate::database::{self, Connected};
use crate::health::NodeHealth;
use crate::key_exchange::KeyExchange;
use crate::link_control::Links;
use crate::runtimes::Apart;
use crate::upkeep::Upkeep;
use crate::{
    api, attack_watch, audit_watch, heads, hsm, key_exchange, keys, operators, pan_keys,
    reconciler, telemetry, teller,
};

/// A switch that serves.
pub struct App {
    services: Services,
    certificates: Certificates,
    hardware: Option<Arc<HsmModule>>,
    running: Running,
    database: Connected,
    links: Vec<JoinHandle<()>>,
    others: Vec<JoinHandle<()>>,
    stop_links: CancellationToken,
    stop_others: CancellationToken,
    management: Apart,
    projection: Apart,
    within: Duration,
    addresses: Addresses,
}

/// Where a switch can be reached.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// Links that listen, by name.
    pub links: Vec<(String, SocketAddr)>,
    /// The HTTP service.
    pub http: SocketAddr,
    /// The control socket.
    pub control: PathBuf,
    /// Listeners of the management API, by name.
    pub api: Vec<(String, SocketAddr)>,
}

impl App {
    /// Starts a switch: database, keys, shards, and then the ports.
    ///
    /// # Errors
    /// Whatever does not work is said; nothing keeps running.
    pub async fn start(config: &Config, mode: TakeoverMode) -> anyhow::Result<Self> {
        let metrics = telemetry::metrics_handle();
        // Before anything is begun: a key that must not be here stops everything.
        let keys = keys::key_ring(config)?;
        let mut database = database::connect(&config.database).await?;
        // Each step of a start on the heap: in one piece they would outgrow a thread's stack.
        match Box::pin(Self::start_over(config, mode, keys, &mut database, metrics)).await {
            Ok(parts) => Ok(Self::assemble(config, database, parts)),
            Err(error) => {
                let _ = database.close().await;
                Err(error)
            }
        }
    }

    async fn start_over(
        config: &Config,
        mode: TakeoverMode,
        (ring, key_store): (KeyRing, Option<KeyStore>),
        database: &mut Connected,
        metrics: PrometheusHandle,
    ) -> anyhow::Result<Parts> {
        let authority = keys::authority(config)?;
        let as_owner = &database.store;
        as_owner.check_settings(config.database.allow_settings_that_lose_money).await?;
        as_owner.migrate().await?;
        database.store = as_owner.set_projector_apart().await?;
        let store = &database.store;
        let module = pan_keys::security_module(config, ring.clone(), store).await?;
        let exchange = key_store.map(|store| KeyExchange::new(config, store, Arc::clone(&module)));
        let security: Arc<dyn SecurityModule> = Arc::clone(&module) as _;
        let hardware = hsm::connect(config)?;
        let cards = Cards::new(config, (&module, ring.clone()), hardware.as_ref())?;
        heads::note_what_is_missing(store, &config.journal.lost_dir).await?;
        let mut settings = config.shards.settings();
        settings.control_limits = config.controls.limits();
        settings.lost_dir = Some(config.journal.lost_dir.clone());
        settings.rate_life = config.rates.life();
        let watch = config.attacks.watch();
        settings.attacks = watch.clone();
        let operators = Box::pin(operators::open(config, store)).await?;
        let projection = Apart::for_projection(&config.threads)?;
        settings.projectors = projection.handle();
        let (node, running) = Box::pin(switch_shard::start(store, settings, mode)).await?;
        let services = Services::new(node.clone(), store.clone(), Arc::clone(&security));
        let api = &config.api;
        let certificates = Certificates::new(store.clone(), authority, api.certificates.settings());
        if let Some(watch) = &watch {
            watch.restore(services.blocks_of_before(clock::now()).await?);
        }
        let data_dir = database.private.as_ref().map(|private| private.data_dir().to_owned());
        let (upkeep, warning) = Upkeep::new(config, store.clone(), data_dir);
        let sweep = config.holds.settings(&config.links);
        let sweep = HoldSweep::new(store.clone(), node.clone(), sweep);
        let health = Arc::new(NodeHealth { node, fatal: running.fatal(), warning });
        let (audit, recording) = audit_sink(store.pool().clone(), api.requests.audit_waiting);
        let behind = (metrics, upkeep, sweep, watch, Box::pin(recording) as Recording);
        let keys = (&module, &ring, &security);
        let (users, of_holders, plastic, remotes) = holders(config, &services, keys, &cards)?;
        let security = (security, exchange.map(Arc::new), cards);
        let (programmes, partner_keys) = programmes::service(api, &services, (&users, &of_holders));
        let managed = Managed {
            services: services.clone(),
            certificates: certificates.clone(),
            operators,
            store: store.clone(),
            users,
            plastic,
            pools: pools::service(api, &services),
            fees: fees::service(config, &services),
            programmes,
            partner_keys,
            cards: of_holders,
            audit,
            remotes,
        };
        let opened = Box::pin(open_ports(config, managed, security, health, behind)).await;
        match opened {
            Ok(ports) => Ok(Parts { services, certificates, hardware, running, projection, ports }),
            Err(error) => {
                let _ = running.stop(Duration::from_millis(config.shutdown.within_ms)).await;
                Err(error)
            }
        }
    }

    fn assemble(config: &Config, database: Connected, parts: Parts) -> Self {
        let Parts { services, certificates, hardware, running, projection, ports } = parts;
        tracing::info!(
            links = ?ports.addresses.links, http = %ports.addresses.http,
            control = %ports.addresses.control.display(), "serving"
        );
        Self {
            services,
            certificates,
            hardware,
            running,
            database,
            links: ports.links,
            others: ports.others,
            stop_links: ports.stop_links,
            stop_others: ports.stop_others,
            management: ports.management,
            projection,
            within: Duration::from_millis(config.shutdown.within_ms),
            addresses: ports.addresses,
        }
    }

    /// Where it can be reached.
    #[must_use]
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The management services of this switch.
    #[must_use]
    pub const fn services(&self) -> &Services {
        &self.services
    }

    /// The client certificates of partners.
    #[must_use]
    pub const fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// The hardware security modules, where there are any.
    #[must_use]
    pub const fn hardware_module(&self) -> Option<&Arc<HsmModule>> {
        self.hardware.as_ref()
    }

    /// The database that it writes to.
    #[must_use]
    pub const fn database_url(&self) -> &DatabaseUrl {
        &self.database.url
    }

    /// Notes the heads of the journal beside the database, for the next start to compare.
    pub(crate) async fn note_heads(&self, config: &Config) {
        if let Err(error) = heads::write(&self.database.store, &config.journal.lost_dir).await {
            tracing::warn!(%error, "the heads of the journal cannot be noted");
        }
    }

    /// Notes in the database that its journal went back in time: no start until that is settled.
    pub(crate) async fn note_went_back(&self, fatal: &Fatal) {
        if let Err(error) = self.database.store.note_went_back(&fatal.to_string()).await {
            tracing::error!(%error, "that the journal went back in time cannot be noted there");
        }
    }

    /// Follows the reason why the process must end.
    #[must_use]
    pub fn fatal(&self) -> watch::Receiver<Option<Fatal>> {
        self.running.fatal()
    }

    /// Stops: links take no more and answer what they took, shards commit and project to the head,
    /// and then the connections, the ports and the private PostgreSQL are closed.
    ///
    /// # Errors
    /// Something did not end in its time. What was committed is safe: the next start replays it.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop_links.cancel();
        for link in self.links {
            let _ = link.await;
        }
        self.stop_others.cancel();
        for other in self.others {
            let _ = other.await;
        }
        drop(self.management);
        let stopped = self.running.stop(self.within).await;
        drop(self.projection);
        self.database.close().await?;
        stopped.context("stopping the shards")
    }
}

struct Parts {
    services: Services,
    certificates: Certificates,
    hardware: Option<Arc<HsmModule>>,
    running: Running,
    projection: Apart,
    ports: Ports,
}

struct Ports {
    links: Vec<JoinHandle<()>>,
    others: Vec<JoinHandle<()>>,
    stop_links: CancellationToken,
    stop_others: CancellationToken,
    management: Apart,
    addresses: Addresses,
}

/// Who writes the records of the audit.
type Recording = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What goes on beside the answers.
type Behind = (PrometheusHandle, Upkeep, HoldSweep, Option<Arc<Watch>>, Recording);

async fn open_ports(
    config: &Config,
    managed: Managed,
    (security, exchange, cards): (Arc<dyn SecurityModule>, Option<Arc<KeyExchange>>, Cards),
    health: Arc<NodeHealth>,
    (metrics, upkeep, sweep, watch, recording): Behind,
) -> anyhow::Result<Ports> {
    let (stop_links, stop_others) = (CancellationToken::new(), CancellationToken::new());
    let services = managed.services.clone();
    let (reconciler, asked) = Reconciler::new(reconciler::ROOM);
    let (keeper, news) = key_exchange::channel();
    let (teller, inquiries) = Teller::new(config.mini_statement.waiting);
    let tolerances = Arc::new(config.tolerance.settings(&config.links));
    let askers = Askers { reconciler, teller, keeper, has_keys: exchange.is_some() };
    let bound = bind_links(config, services.node(), (&security, &cards), &tolerances, &askers)?;
    let listening = TcpListener::bind(config.http.listen).await;
    let http = listening.with_context(|| format!("http: listening on {}", config.http.listen))?;
    let control = ControlSocket::bind(&config.control.socket)?;
    let management = Apart::for_management(&config.threads)?;
    let api = Box::pin(api::open_on(&management, config, managed.clone(), &stop_others)).await?;
    let addresses = Addresses {
        links: places_of(&bound),
        http: http.local_addr()?,
        control: config.control.socket.clone(),
        api: api.addresses(),
    };
    let handles: Vec<LinkHandle> = bound.iter().map(OpenLink::handle).collect();
    let links = bound.into_iter().map(|link| tokio::spawn(link.run(stop_links.clone()))).collect();
    let router = admin_api::router(health, metrics.clone());
    let stopped = stop_others.clone().cancelled_owned();
    let reconciling = config.reconciliation.settings(&config.links, &config.retention);
    let clearing = config.clearing.settings(tolerances);
    let attacks = (watch.clone(), config.attacks.keep_days);
    let of_commands = (clearing, CommandAudit::new(managed.audit.clone()));
    let records = (managed.audit.clone(), managed.store.pool().clone());
    let others = vec![
        management.spawn(recording),
        management.spawn(audit_watch::run(records, config.api.audit, stop_others.clone())),
        management.spawn(async move {
            if let Err(error) = axum::serve(http, router).with_graceful_shutdown(stopped).await {
                tracing::error!(%error, "the HTTP service has ended");
            }
        }),
        management.spawn(control.run(
            managed,
            (Links { handles: handles.into(), exchange: exchange.clone() }, watch),
            of_commands,
            stop_others.clone(),
        )),
        management.spawn(api.run(stop_others.clone(), config.shutdown.within())),
        management.spawn(key_exchange::run(exchange, news, stop_others.clone())),
        management.spawn(reconciler::run(
            services.clone(),
            reconciling,
            asked,
            stop_others.clone(),
        )),
        management.spawn(teller::run(
            services.clone(),
            Duration::from_secs(u64::from(config.mini_statement.days).saturating_mul(86_400)),
            inquiries,
            stop_others.clone(),
        )),
        management.spawn(metrics_upkeep(metrics, stop_others.clone())),
        management.spawn(upkeep.run(stop_others.clone())),
        management.spawn(attack_watch::run(attacks, services.clone(), stop_others.clone())),
        management.spawn(sweep.run(stop_others.clone())),
    ];
    Ok(Ports { links, others, stop_links, stop_others, management, addresses })
}

/// Where links listen that do, by name.
fn places_of(bound: &[OpenLink<Node>]) -> Vec<(String, SocketAddr)> {
    let place = |link: &OpenLink<Node>| Some((link.handle().name().to_owned(), link.local_addr()?));
    bound.iter().filter_map(place).collect()
}

/// Whom links ask for what no shard decides.
struct Askers {
    reconciler: Reconciler,
    teller: Teller,
    keeper: KeyKeeper,
    /// Whether there are keys to exchange.
    has_keys: bool,
}

fn bind_links(
    config: &Config,
    node: &Node,
    (security, cards): (&Arc<dyn SecurityModule>, &Cards),
    tolerances: &Arc<Tolerances>,
    askers: &Askers,
) -> anyhow::Result<Vec<OpenLink<Node>>> {
    let mut bound = Vec::new();
    for (name, link) in &config.links {
        let link_config = LinkConfig {
            reconciler: Some(askers.reconciler.clone()),
            teller: Some(askers.teller.clone()),
            key_change: key_change(name, link, &askers.keeper, askers.has_keys)?,
            tolerances: Arc::clone(tolerances),
            card_checks: Some(Arc::new(cards.checks(name, link, config)?)),
            ..link_config(name, link)?
        };
        bound.push(OpenLink::open(link_config, node.clone(), Arc::clone(security))?);
    }
    Ok(bound)
}

/// Drains the histograms of the metrics now and then, so that they stay small when nobody asks.
async fn metrics_upkeep(metrics: PrometheusHandle, stop: CancellationToken) {
    let mut every = tokio::time::interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            _ = every.tick() => metrics.run_upkeep(),
            () = stop.cancelled() => return,
        }
    }
}

/// How keys come over a link, if they do: then there must be where to put them.
fn key_change(
    name: &str,
    link: &Link,
    keeper: &KeyKeeper,
    has_keys: bool,
) -> anyhow::Result<Option<KeyChangeRule>> {
    let Some(rule) = &link.key_change else { return Ok(None) };
    if !has_keys {
        bail!(
            "links.{name}.key_change: there are no keys to change: make the components of a local \
             master key with `cardswitch keys ceremony`, and import the keys of the link"
        );
    }
    Ok(Some(KeyChangeRule { field: rule.field, keeper: keeper.clone() }))
}

fn link_config(name: &str, link: &Link) -> anyhow::Result<LinkConfig> {
    let dialect = config::dialect(&link.dialect).map_err(anyhow::Error::msg)?;
    let millis = Duration::from_millis;
    let mac = link.mac.as_ref().map(LinkMac::rule).transpose();
    let mac = mac.map_err(|(key, message)| anyhow::anyhow!("link {name}: mac.{key}: {message}"))?;
    Ok(LinkConfig {
        name: name.to_owned(),
        id: LinkId(link.id),
        side: link.side(),
        tls: link.tls_settings(),
        requests: link.request_settings().map_err(|(_, fault)| anyhow::Error::msg(fault))?,
        framing: link.framing,
        dialect: Arc::new(dialect),
        sign_on_required: link.sign_on_required,
        max_connections: link.max_connections,
        max_in_flight: link.max_in_flight,
        answer_deadline: millis(link.answer_deadline_ms),
        frame_deadline: millis(link.frame_deadline_ms),
        idle_deadline: millis(link.idle_deadline_ms),
        drain_deadline: millis(link.answer_deadline_ms),
        unacknowledged: millis(link.unacknowledged_ms),
        max_output: link.output_limit_bytes,
        mac,
        institutions: link.institutions().map_err(|(_, fault)| anyhow::Error::msg(fault))?,
        reconciler: None,
        key_change: None,
        teller: None,
        card_checks: None,
        network_converts: link.network_converts,
        tolerances: Arc::default(),
        locks: link.lock_authority().map_err(|(_, fault)| anyhow::Error::msg(fault))?,
        peers: link.peers.clone(),
    })
}

/// The directory of a path, made if it is not there.
pub(crate) fn make_directory_of(path: &Path) -> anyhow::Result<()> {
    match path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        Some(directory) => std::fs::create_dir_all(directory)
            .with_context(|| format!("making {}", directory.display())),
        None => Ok(()),
    }
}

/// Customers of the management API, their cards, their plastic where any is made, and the
/// processors elsewhere that make cards.
fn holders(
    config: &Config,
    services: &Services,
    (module, ring, security): (&Arc<SoftwareModule>, &KeyRing, &Arc<dyn SecurityModule>),
    cards: &Cards,
) -> anyhow::Result<(Users, CardServices, Option<Plastic>, Remotes)> {
    let users = Users::new(services.clone(), config.api.user_settings());
    let (processors, remotes) = processors::open(&config.api.processors, (security, ring))?;
    let with = (services.clone(), users.clone());
    let of_plastic = (module, ring, cards);
    let rules = (&config.api.personalisation, config.api.cards.settings().pins);
    let plastic = personalisation::service(rules, with, of_plastic, processors.clone())?;
    let over = (services.clone(), users.clone());
    let settings = config.api.cards.settings();
    let of_holders = CardServices::new(over, cards.module(), processors, settings);
    Ok((users, of_holders, plastic, remotes))
}
