//! Who may write what (W-23): the projector's role writes the rows that are made from the journal,
//! and every other connection of a serving switch acts under one that can only read them. It owns
//! the names of both roles and what is said where the server does not have them; their rights
//! stand in the migrations.

use sqlx::Connection;
use sqlx::postgres::PgConnectOptions;

use crate::error::StoreError;
use crate::store::Store;

/// As whom a connection acts. Nobody logs in as either: a connection takes the role on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Reads everything, writes what is not made from the journal, and adds to the journal.
    Ordinary,
    /// Reads everything, and writes what is made from the journal.
    Projector,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "cardswitch_ordinary",
            Self::Projector => "cardswitch_projector",
        }
    }

    /// From its first statement on a connection that is made so acts under the role.
    pub(crate) fn taken_on(self, options: PgConnectOptions) -> PgConnectOptions {
        options.options([("role", self.name())])
    }
}

/// Gives the roles their rights; what stands in the way, or null.
const SET_APART: &str = "SELECT set_projector_apart()";

const DOING: &str = "setting the projector's role apart";

impl Store {
    /// The same store with the projector set apart: from here on its connections alone can write
    /// the rows that are made from the journal. Where the server's roles do not allow that, it
    /// says so, in the log and as a metric, and everything goes on under the one role.
    ///
    /// # Errors
    /// PostgreSQL. The tables are those of this version: see [`Store::migrate`].
    pub async fn set_projector_apart(&self) -> Result<Self, StoreError> {
        let mut connection =
            self.owner_connection().await.map_err(StoreError::database("connecting"))?;
        let in_the_way: Option<String> = sqlx::query_scalar(SET_APART)
            .fetch_one(&mut connection)
            .await
            .map_err(StoreError::database(DOING))?;
        let _ = connection.close().await;
        let apart = in_the_way.is_none();
        metrics::gauge!("cardswitch_projector_apart").set(if apart { 1.0 } else { 0.0 });
        if let Some(in_the_way) = in_the_way {
            tracing::warn!(
                %in_the_way,
                "every connection can write what the projector alone should write. To separate \
                 them, have an administrator of PostgreSQL run `CREATE ROLE cardswitch_ordinary; \
                 CREATE ROLE cardswitch_projector; GRANT cardswitch_ordinary, \
                 cardswitch_projector TO` the role that the switch logs in as (those that exist \
                 need not be made), and start again"
            );
            return Ok(self.clone());
        }
        self.apart().await
    }
}
