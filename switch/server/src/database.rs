//! The way to PostgreSQL: a server by URL, or a private one that starts and stops with the process.
//! It owns the choice, and that the private server outlives everything that writes to it.

use anyhow::Context;
use switch_domain::OwnerId;
use switch_store::private_postgres::{
    DatabaseUrl, Options, PrivatePostgres, reachable_data_dir, url_beside_owner,
};
use switch_store::{Store, StoreOptions, fresh_owner};

use crate::config::Database;

/// A connection to the database, and the private server behind it, if it is one.
pub(crate) struct Connected {
    pub(crate) store: Store,
    pub(crate) private: Option<PrivatePostgres>,
    /// For reports and tests; holds a password.
    pub(crate) url: DatabaseUrl,
}

/// Connects beside whoever serves: to the private server that a living switch runs, if one does.
pub(crate) async fn connect_beside(config: &Database) -> anyhow::Result<Connected> {
    let beside = match config.url {
        Some(_) => None,
        None => url_beside_owner(&reachable_data_dir(&config.data_dir), &config.name)?,
    };
    match beside {
        Some(url) => open(config, fresh_owner(), None, url).await,
        None => connect(config).await,
    }
}

/// Connects, starting a private server where no URL is given.
pub(crate) async fn connect(config: &Database) -> anyhow::Result<Connected> {
    let owner: OwnerId = fresh_owner();
    let (private, url) = match &config.url {
        Some(url) => (None, DatabaseUrl::parse(url)?),
        None => {
            let data_dir = reachable_data_dir(&config.data_dir);
            if data_dir != config.data_dir {
                tracing::info!(
                    wanted = %config.data_dir.display(), used = %data_dir.display(),
                    "PostgreSQL does not run as root, and its own user cannot reach the data \
                     directory; using another"
                );
            }
            let private = PrivatePostgres::start(&Options::new(data_dir)).await?;
            let url = private.create_database(&config.name).await?;
            (Some(private), url)
        }
    };
    open(config, owner, private, url).await
}

async fn open(
    config: &Database,
    owner: OwnerId,
    private: Option<PrivatePostgres>,
    url: DatabaseUrl,
) -> anyhow::Result<Connected> {
    let options = StoreOptions {
        connect: url.connect_options(),
        owner,
        max_connections: config.max_connections,
    };
    match Store::connect(options).await.context("connecting to PostgreSQL") {
        Ok(store) => Ok(Connected { store, private, url }),
        Err(error) => {
            if let Some(private) = private {
                let _ = private.stop().await;
            }
            Err(error)
        }
    }
}

impl Connected {
    /// Closes the connections, then stops the private server.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        self.store.pool().close().await;
        if let Some(private) = self.private {
            private.stop().await.context("stopping the private PostgreSQL")?;
        }
        Ok(())
    }
}
