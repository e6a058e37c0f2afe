//! A database with our tables, as the switch uses it: with its roles apart.

use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use switch_store::private_postgres::{TestDatabase, fresh_database};
use switch_store::{Store, StoreOptions, fresh_owner};

pub(crate) struct Stage {
    database: TestDatabase,
    /// The ordinary role.
    pub(crate) store: Store,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let database = fresh_database().await;
        let connect = database.url().connect_options();
        let options = StoreOptions { connect, owner: fresh_owner(), max_connections: 8 };
        let owner = Store::connect(options).await.expect("a connection");
        owner.migrate().await.expect("migrations");
        let store = owner.set_projector_apart().await.expect("roles");
        Self { database, store }
    }

    /// Done by the owner of the tables, who may do anything.
    pub(crate) async fn by_owner(&self, sql: &str) {
        let mut owner = self.database.url().connect_options().connect().await.expect("a session");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut owner).await.expect("statement");
        owner.close().await.expect("closed");
    }

    /// What the server says to the ordinary role; empty where it is done.
    pub(crate) async fn told(&self, sql: &str) -> String {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(self.store.pool()).await;
        let error =
            done.err().and_then(|error| error.as_database_error()?.code().map(String::from));
        error.unwrap_or_default()
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let query = sqlx::query_scalar(AssertSqlSafe(sql));
        query.fetch_one(self.store.pool()).await.expect("a count")
    }

    pub(crate) async fn close(self) {
        self.store.pool().close().await;
        self.database.close().await;
    }
}
