//! A node over a database of its own, with partners that have a programme each.

use std::sync::Arc;
use std::time::Duration;

use admin_api::kyc::{By, KycState, Mode, Mover, Moving, SettingsChange};
use admin_api::{
    Customer, NewProgramme, Problem, ProfileInput, Services, UserSettings, Users, idempotency_key,
};
use switch_domain::{
    AsciiText, Bin, BinRange, Currency, Funding, IdempotencyKey, PartnerId, PoolKind, ProgrammeId,
    Timestamp,
};
use switch_security::{PanKeys, SoftwareModule};
use switch_shard::{ProjectionSettings, Running, ShardSettings, TakeoverMode, start};
use switch_store::private_postgres::{TestDatabase, fresh_database};
use switch_store::{Store, StoreOptions, fresh_owner};
use uuid::Uuid;

/// 27 November 2026, noon.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_780_800);

pub(crate) struct World {
    database: TestDatabase,
    pub(crate) store: Store,
    running: Running,
    pub(crate) services: Services,
    pub(crate) users: Users,
    /// Two tenants.
    pub(crate) one: Tenant,
    pub(crate) other: Tenant,
}

#[derive(Clone, Copy)]
pub(crate) struct Tenant {
    pub(crate) partner: PartnerId,
    pub(crate) programme: ProgrammeId,
}

pub(crate) fn text<const N: usize>(value: &str) -> AsciiText<N> {
    AsciiText::new(value.as_bytes()).expect("short and printable")
}

pub(crate) fn key(name: &str) -> IdempotencyKey {
    idempotency_key("test", name)
}

/// So many seconds after the beginning of the test.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1_000_000)
}

pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, Problem>) -> &'static str {
    result.expect_err("a problem").code
}

pub(crate) fn profile(family_name: &str) -> ProfileInput {
    ProfileInput {
        given_name: "Ana".into(),
        family_name: family_name.into(),
        birth_date: "1990-05-17".into(),
        email: Some("ana@host.example".into()),
        ..Default::default()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(UserSettings::default()).await
    }

    pub(crate) async fn with(settings: UserSettings) -> Self {
        let database = fresh_database().await;
        let store = open(&database).await;
        store.migrate().await.expect("migrations");
        // As a switch that serves: what these services write, the ordinary role may write.
        let store = store.set_projector_apart().await.expect("roles");
        let (services, running) = serve(&store).await;
        let settings = UserSettings { has_provider: true, ..settings };
        let users = Users::new(services.clone(), settings);
        let one = tenant(&services, "ONE", 99_999_912).await;
        let other = tenant(&services, "OTHER", 99_999_913).await;
        Self { database, store, running, services, users, one, other }
    }

    /// A customer of the first tenant.
    pub(crate) async fn customer(&self, reference: &str) -> Customer {
        let made =
            self.users.register(self.one.partner, Some(reference), profile("Ruiz"), (None, NOW));
        made.await.expect("a customer")
    }

    /// The same, verified by the partner.
    pub(crate) async fn verified(&self, reference: &str) -> Uuid {
        let id = self.customer(reference).await.public_id;
        let flag = self.users.set_kyc_flag(
            self.one.partner,
            id,
            moving(KycState::Verified, Mover::Partner),
        );
        flag.await.expect("verified");
        id
    }

    pub(crate) async fn set_mode(&self, kyc_mode: Mode) {
        let change = SettingsChange { kyc_mode: Some(kyc_mode), ..Default::default() };
        let by = (text("operator:1"), NOW);
        let set = self.users.change_partner_settings(self.one.partner, change, by);
        set.await.expect("settings");
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let sql = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
        sql.fetch_one(self.store.pool()).await.expect("a count")
    }

    /// Done in the database by its owner, past the services.
    pub(crate) async fn as_owner(&self, sql: &str) {
        use sqlx::{ConnectOptions, Connection};
        let mut session = self.database.url().connect_options().connect().await.expect("open");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut session).await.expect("done");
        session.close().await.expect("closed");
    }

    pub(crate) async fn close(self) {
        self.running.stop(Duration::from_secs(60)).await.expect("a clean stop");
        self.store.pool().close().await;
        self.database.close().await;
    }
}

pub(crate) fn moving(to: KycState, mover: Mover) -> Moving<'static> {
    Moving { to, by: By { mover, name: text("tester") }, note: "", now: NOW }
}

async fn open(database: &TestDatabase) -> Store {
    use sqlx::postgres::PgConnectOptions;
    let connect: PgConnectOptions = database.url().connect_options();
    let options = StoreOptions { connect, owner: fresh_owner(), max_connections: 8 };
    Store::connect(options).await.expect("a connection")
}

async fn serve(store: &Store) -> (Services, Running) {
    let projection =
        ProjectionSettings { pace: Duration::from_millis(1), ..ProjectionSettings::default() };
    let settings = ShardSettings { data_shards: 2, projection, ..Default::default() };
    let (node, running) =
        start(store, settings, TakeoverMode::RefuseIfOwned).await.expect("a node");
    let keys = PanKeys::generate().expect("keys");
    let module = Arc::new(SoftwareModule::new(&keys).expect("a module"));
    (Services::new(node, store.clone(), module), running)
}

async fn tenant(services: &Services, name: &str, bin: u32) -> Tenant {
    let actor = text("operator:1");
    let of = |what: &str| key(&format!("{name} {what}"));
    let partner = services.define_partner(of("partner"), actor, text(name)).await;
    let partner = partner.expect("a partner");
    let currency = Currency::from_alphabetic("EUR").expect("listed");
    let pool = services.open_pool(of("pool"), actor, partner, PoolKind::Deposit, currency).await;
    let new = NewProgramme {
        partner,
        name: text("GOLD"),
        bins: BinRange { low: Bin(bin), high: Bin(bin), pan_length: 16 },
        currency,
        funding: Funding::Deposit(pool.expect("a pool")),
    };
    let programme = services.define_programme(of("programme"), actor, new).await;
    Tenant { partner, programme: programme.expect("a programme") }
}
