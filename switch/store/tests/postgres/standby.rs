//! A synchronous standby that does not come (W-5): a commit whose wait for it was cancelled is
//! reported as success, and must not be taken for one. A cluster of its own, for the setting is the
//! whole server's.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use sqlx::{ConnectOptions, PgConnection};
use switch_store::private_postgres::{Options, PrivatePostgres};
use switch_store::{Appended, Journal, Store, StoreHealth, StoreOptions, fresh_owner};

use crate::life::{SHARD, control_rows};
use crate::stage::Writer;

/// Whoever waits for a standby.
const WAITING: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE $1";
const CANCEL: &str = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
    WHERE wait_event = 'SyncRep' AND query LIKE $1";

async fn standby(session: &mut PgConnection, name: &'static str) {
    let change = match name {
        "" => "ALTER SYSTEM SET synchronous_standby_names = ''",
        _ => "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
    };
    sqlx::raw_sql(change).execute(&mut *session).await.expect("a setting");
    sqlx::raw_sql("SELECT pg_reload_conf()").execute(&mut *session).await.expect("a reload");
    loop {
        let now: String = sqlx::query_scalar("SHOW synchronous_standby_names")
            .fetch_one(&mut *session)
            .await
            .expect("a setting");
        if now == name {
            return;
        }
    }
}

async fn until(session: &mut PgConnection, statement: &'static str, what: &str) {
    loop {
        let count: i64 = sqlx::query_scalar(statement)
            .bind(what)
            .fetch_one(&mut *session)
            .await
            .expect("a count");
        if count > 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_commit_whose_wait_was_cancelled_is_not_taken_for_one() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("open");
    let options = Options {
        shared_buffers_mb: 16,
        max_connections: 10,
        ..Options::new(directory.path().join("private"))
    };
    let postgres = PrivatePostgres::start(&options).await.expect("a server");
    let url = postgres.create_database("cards").await.expect("a database");
    let options = url.connect_options();
    let mut session = options.clone().connect().await.expect("a session");
    let opened = StoreOptions { connect: options, owner: fresh_owner(), max_connections: 2 };
    let store = Store::connect(opened).await.expect("a connection");
    store.migrate().await.expect("migrations");
    let mut writer = Writer::new(&store, SHARD);
    writer.append(&control_rows()[0]).await;
    standby(&mut session, "nobody").await;
    let row = writer.seal(&control_rows()[1]);
    let mut journal = store.appender().with_patience(Duration::from_secs(600));
    let health = journal.health();
    let append = tokio::spawn(async move { journal.append(&row).await });
    // The row's own commit, and then two barriers behind it: each is told that it succeeded.
    for statement in ["%INTO journal%", "%emit_message%", "%emit_message%"] {
        until(&mut session, WAITING, statement).await;
        until(&mut session, CANCEL, statement).await;
    }
    until(&mut session, WAITING, "%emit_message%").await;
    assert!(!append.is_finished(), "nobody has the row but this server");
    assert!(matches!(*health.borrow(), StoreHealth::Up));
    standby(&mut session, "").await;
    assert_eq!(append.await.expect("an outcome"), Appended::Committed);
    store.pool().close().await;
    postgres.stop().await.expect("a clean stop");
}
