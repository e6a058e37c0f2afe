//! Who may write what: the projector alone writes what is made from the journal (W-23), and where a
//! server's roles do not allow that, everything works all the same until somebody has made them.

use sqlx::{AssertSqlSafe, Row};
use switch_store::{Store, StoreOptions, books, fresh_owner};

use crate::projection::{journalled, project_all};
use crate::stage::Stage;

const PROJECTED: [&str; 15] = [
    "projection",
    "partner",
    "pool",
    "programme",
    "pool_share",
    "balance",
    "customer_state",
    "card",
    "card_authorization",
    "authorization_event",
    "posting",
    "audit_entry",
    "programme_fees",
    "programme_fee_rule",
    "fees_charged",
];

/// What the server says to a statement over the pool; empty where it is done.
async fn told(store: &Store, sql: &str) -> String {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(store.pool()).await;
    let error = done.err().and_then(|error| error.as_database_error()?.code().map(String::from));
    error.unwrap_or_default()
}

const NOT_ALLOWED: &str = "42501";

#[tokio::test]
async fn only_the_projector_can_write_what_it_projects() {
    let mut stage = Stage::new().await;
    stage.store = stage.store.set_projector_apart().await.expect("roles");
    journalled(&stage).await;
    project_all(&stage).await;
    assert_eq!(books(&stage.store).await.expect("a check"), []);
    assert!(stage.count("SELECT count(*) FROM posting").await > 0, "the projector has written");
    let partitions = "SELECT inhrelid::regclass::text AS name FROM pg_inherits
        WHERE inhparent::regclass::text = ANY($1)";
    let query = sqlx::query(partitions).bind(PROJECTED.map(String::from));
    let rows = query.fetch_all(stage.store.pool()).await.expect("partitions");
    let partitions = rows.iter().map(|row| row.get::<String, _>("name"));
    let tables: Vec<String> = PROJECTED.map(String::from).into_iter().chain(partitions).collect();
    assert!(tables.len() > PROJECTED.len(), "history is kept by day: {tables:?}");
    for table in tables {
        let column = format!(
            "SELECT attname::text FROM pg_attribute
             WHERE attrelid = '{table}'::regclass AND attnum = 1"
        );
        let query = sqlx::query_scalar::<_, String>(AssertSqlSafe(column));
        let column = query.fetch_one(stage.store.pool()).await.expect("a column");
        for sql in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("INSERT INTO {table} SELECT * FROM {table}"),
            format!("COPY {table} FROM STDIN"),
            format!("DROP TABLE {table}"),
        ] {
            assert_eq!(told(&stage.store, &sql).await, NOT_ALLOWED, "{sql}");
        }
    }
    for sql in ["UPDATE journal SET epoch = 1", "DELETE FROM journal", "TRUNCATE journal"] {
        assert_eq!(told(&stage.store, sql).await, NOT_ALLOWED, "{sql}");
    }
    let own = "INSERT INTO customer (partner_id, reference) VALUES (1, 'one')";
    assert_eq!(told(&stage.store, own).await, "", "what management owns it writes");
    stage.close().await;
}

/// A customer's server, on which our role may make no roles.
#[tokio::test]
async fn without_its_roles_everything_works_and_an_administrator_can_make_them() {
    let stage = Stage::new().await;
    let name = format!("plain_{}", stage.name());
    stage
        .run(&format!(
            "CREATE ROLE {name} LOGIN PASSWORD 'plain'; CREATE SCHEMA {name} AUTHORIZATION {name};
             ALTER ROLE {name} SET search_path = {name}"
        ))
        .await;
    let connect = stage.connect_options().username(&name).password("plain");
    let options = StoreOptions { connect, owner: fresh_owner(), max_connections: 2 };
    let store = Store::connect(options).await.expect("a connection");
    store.migrate().await.expect("migrations");
    let write = "UPDATE balance SET ledger = ledger";
    let store = store.set_projector_apart().await.expect("an answer");
    assert_eq!(told(&store, write).await, "", "one role for everything");
    for role in ["cardswitch_ordinary", "cardswitch_projector"] {
        // Another test may make it in the same moment.
        told(&stage.store, &format!("CREATE ROLE {role}")).await;
        stage.run(&format!("GRANT {role} TO {name}")).await;
    }
    let store = store.set_projector_apart().await.expect("roles");
    assert_eq!(told(&store, write).await, NOT_ALLOWED);
    store.pool().close().await;
    stage.run(&format!("DROP OWNED BY {name} CASCADE; DROP ROLE {name}")).await;
    stage.close().await;
}
