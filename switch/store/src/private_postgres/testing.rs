//! An empty database for one test. Behind the feature `testing`: it panics where a test should
//! fail, and must never be part of a release.

use std::time::Duration;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::sync::OnceCell;

use super::temporary::TemporaryCluster;
use super::{
    DatabaseUrl, PrivatePostgresError, TEST_DATABASE_VARIABLE, create_database_if_missing,
};

/// One cluster for all tests of this process; its watchdog ends it with the process.
static CLUSTER: OnceCell<TemporaryCluster> = OnceCell::const_new();

/// How long dropping a database may hold up the end of a test.
const DROP_TIMEOUT: Duration = Duration::from_secs(20);

/// A database of one test's own. [`TestDatabase::close`] removes it; dropping it does so too as
/// well as can be done, so that a failed test leaves nothing on a shared server.
#[derive(Debug)]
pub struct TestDatabase {
    url: DatabaseUrl,
    admin: DatabaseUrl,
    name: String,
    gone: bool,
}

/// Makes an empty database with a unique name: on the server of `CARDSWITCH_TEST_DATABASE_URL` if
/// that is set (a superuser's URL; `make test` sets it), otherwise on a temporary private cluster
/// that is started for this process and goes with it.
///
/// # Panics
/// When there is no server to be had; the message says why.
pub async fn fresh_database() -> TestDatabase {
    match attempt().await {
        Ok(database) => database,
        Err(error) => panic!("no database for this test: {error}"),
    }
}

async fn attempt() -> Result<TestDatabase, PrivatePostgresError> {
    let given = std::env::var(TEST_DATABASE_VARIABLE).ok().filter(|url| !url.is_empty());
    let admin = match given {
        Some(url) => DatabaseUrl::parse(&url)?,
        None => CLUSTER.get_or_try_init(TemporaryCluster::start).await?.url()?,
    };
    let name = format!("cardswitch_test_{}", uuid::Uuid::new_v4().simple());
    let url = admin.with_database(&name)?;
    create_database_if_missing(&admin, &name).await?;
    Ok(TestDatabase { url, admin, name, gone: false })
}

impl TestDatabase {
    /// How to connect to the database, as a superuser.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Its name on the server.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Removes the database and ends what is still connected to it.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn close(mut self) {
        self.gone = true;
        if let Err(error) = remove(&self.admin, &self.name).await {
            panic!("removing {}: {error}", self.name);
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.gone {
            return;
        }
        let admin = self.admin.clone();
        let name = std::mem::take(&mut self.name);
        // A thread of its own: this may be the thread of a runtime, which cannot run another.
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                let _ = runtime.block_on(async {
                    tokio::time::timeout(DROP_TIMEOUT, remove(&admin, &name)).await
                });
            }
        });
        // Best effort: the test has its result already.
        let _ = removal.join();
    }
}

async fn remove(admin: &DatabaseUrl, name: &str) -> Result<(), sqlx::Error> {
    let mut connection = admin.connect_options().connect().await?;
    let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await
}
