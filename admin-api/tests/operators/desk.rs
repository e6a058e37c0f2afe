//! The service over a database of its own, and people who use it.

use std::time::Duration;

use admin_api::operators::{
    Given, NotSignedIn, Opened, OperatorKeyFile, OperatorPassword, OperatorSettings, Operators,
    Role, SignIn, TypedCode,
};
use admin_api::{HashingSettings, idempotency_key};
use sqlx::AssertSqlSafe;
use switch_domain::{AsciiText, Timestamp};
use switch_security::{Component, LocalMasterKey, LocalMasterKeys};
use switch_store::private_postgres::{TestDatabase, fresh_database};
use switch_store::{Store, StoreOptions, fresh_owner};
use zeroize::Zeroizing;

use crate::code::code_at;

/// 27 November 2026, noon, in seconds.
pub(crate) const NOON: i64 = 1_795_780_800;

pub(crate) struct Desk {
    database: TestDatabase,
    store: Store,
    folder: tempfile::TempDir,
    masters: LocalMasterKeys,
    settings: OperatorSettings,
    pub(crate) operators: Operators,
}

/// Somebody who has what they need.
pub(crate) struct Person {
    pub(crate) id: uuid::Uuid,
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) uri: String,
}

/// So many seconds after noon.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOON + seconds)
}

pub(crate) fn password(text: &str) -> Option<OperatorPassword> {
    OperatorPassword::typed(Zeroizing::new(text.to_owned()))
}

pub(crate) fn by() -> AsciiText<40> {
    AsciiText::new(b"uid:0").expect("short")
}

/// Passwords that cost little, for tests.
pub(crate) fn settings() -> OperatorSettings {
    let hashing =
        HashingSettings { memory_kib: 64, passes: 1, waiting_most: 200, ..Default::default() };
    OperatorSettings { hashing, ..OperatorSettings::default() }
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::with(settings()).await
    }

    pub(crate) async fn with(settings: OperatorSettings) -> Self {
        let database = fresh_database().await;
        let connect = database.url().connect_options();
        let options = StoreOptions { connect, owner: fresh_owner(), max_connections: 8 };
        let owner = Store::connect(options).await.expect("a connection");
        owner.migrate().await.expect("migrations");
        let store = owner.set_projector_apart().await.expect("roles");
        let folder = tempfile::tempdir().expect("a folder");
        let components: Vec<_> =
            (0..2).map(|one| folder.path().join(format!("{one}.lmk"))).collect();
        for path in &components {
            Component::generate().expect("random").save(path).expect("saved");
        }
        let masters = LocalMasterKeys::new(LocalMasterKey::load(&components).expect("a key"));
        let operators = serve(&store, &folder, &masters, settings);
        Self { database, store, folder, masters, settings, operators }
    }

    /// As another process, or this one after a restart.
    pub(crate) fn again(&self) -> Operators {
        serve(&self.store, &self.folder, &self.masters, self.settings)
    }

    /// As a process whose key file is another one.
    pub(crate) fn with_another_key(&self) -> Operators {
        let folder = tempfile::tempdir().expect("a folder");
        serve(&self.store, &folder, &self.masters, self.settings)
    }

    pub(crate) async fn given(&self, name: &str, role: Role) -> Given {
        let key = idempotency_key("test", name);
        self.operators.add((name, role), (by(), key), at(0)).await.expect("an operator")
    }

    /// Somebody who has chosen a password: with the code of noon.
    pub(crate) async fn person(&self, name: &str, role: Role) -> Person {
        let mut person = Person::of(&self.given(name, role).await);
        let opened = self.signs_in(&person, 0).await.expect("in");
        assert!(opened.session.must_change);
        let digits: String = person.id.to_string().chars().filter(char::is_ascii_digit).collect();
        let chosen = format!("correct horse {digits}");
        let change = (password(&person.password), password(&chosen));
        let changed = self.operators.change_password(&opened.session, change, at(0)).await;
        assert!(!changed.expect("changed").session.must_change);
        person.password = chosen;
        person
    }

    pub(crate) async fn signs_in(
        &self,
        person: &Person,
        seconds: i64,
    ) -> Result<Opened, NotSignedIn> {
        let code = code_at(&person.uri, NOON + seconds);
        self.tries((&person.name, &person.password, &code), seconds).await
    }

    pub(crate) async fn tries(
        &self,
        (name, typed, code): (&str, &str, &str),
        seconds: i64,
    ) -> Result<Opened, NotSignedIn> {
        let code = TypedCode::new(Zeroizing::new(code.to_owned()));
        let asks = SignIn { name: name.to_owned(), password: password(typed), code };
        self.operators.sign_in(asks, at(seconds)).await
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let query = sqlx::query_scalar(AssertSqlSafe(sql));
        query.fetch_one(self.store.pool()).await.expect("a count")
    }

    /// All that is kept of operators, as text.
    pub(crate) async fn dump(&self) -> String {
        let mut dump = String::new();
        for table in ["operator", "operator_password", "operator_session"] {
            let sql = format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} AS t");
            let text: String = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(self.store.pool())
                .await
                .expect("text");
            dump.push_str(&text);
        }
        dump
    }

    pub(crate) async fn close(self) {
        self.store.pool().close().await;
        self.database.close().await;
    }
}

impl Person {
    pub(crate) fn of(given: &Given) -> Self {
        Self {
            id: given.operator,
            name: given.name.clone(),
            password: given.password.expose().to_owned(),
            uri: given.uri.to_string(),
        }
    }
}

fn serve(
    store: &Store,
    folder: &tempfile::TempDir,
    masters: &LocalMasterKeys,
    settings: OperatorSettings,
) -> Operators {
    let file = OperatorKeyFile::new(folder.path().join("operators.key"));
    let seal = file.load_or_make(masters).expect("a key");
    Operators::new(store.pool().clone(), settings, seal).expect("a service")
}

/// What is told to who was not let in.
pub(crate) fn told(result: Result<Opened, NotSignedIn>) -> (&'static str, String) {
    let Err(refused) = result else { panic!("somebody was let in") };
    (refused.problem.code, refused.problem.detail)
}

pub(crate) const MINUTES: i64 = 60;
pub(crate) const DAYS: i64 = 86_400;
pub(crate) const LOCK: Duration = Duration::from_secs(30 * 60);
