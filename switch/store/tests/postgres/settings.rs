//! A server that may lose what it has confirmed is refused by name.

use switch_store::{StoreError, UnsafeSetting};

use crate::stage::Stage;

#[tokio::test]
async fn unsafe_settings_are_refused_unless_allowed() {
    let stage = Stage::new().await;
    stage.store.check_settings(false).await.expect("a safe server");
    let database: String = sqlx::query_scalar("SELECT current_database()")
        .fetch_one(stage.store.pool())
        .await
        .expect("its name");
    stage.run(&format!("ALTER DATABASE {database} SET synchronous_commit = off")).await;
    let store = stage.another().await;
    match store.check_settings(false).await {
        Err(error @ StoreError::UnsafeSettings(_)) => {
            let text = error.to_string();
            assert!(text.contains("synchronous_commit is off, wanted is on"), "{text}");
            let StoreError::UnsafeSettings(settings) = error else { unreachable!() };
            assert_eq!(settings.len(), 1);
            let UnsafeSetting { setting, found, .. } = &settings[0];
            assert_eq!((*setting, found.as_str()), ("synchronous_commit", "off"));
        }
        other => panic!("{other:?}"),
    }
    store.check_settings(true).await.expect("allowed by name");
    store.pool().close().await;
    stage.close().await;
}

/// Nothing that is printed about a store may hold its password.
#[tokio::test]
async fn options_do_not_print_the_password() {
    let connect = "postgres://someone:hunter2-secret@127.0.0.1:5/cards".parse().expect("a URL");
    let owner = switch_store::fresh_owner();
    let options = switch_store::StoreOptions { connect, owner, max_connections: 1 };
    let text = format!("{options:?}");
    assert!(text.contains("127.0.0.1") && !text.contains("hunter2"), "{text}");
}
