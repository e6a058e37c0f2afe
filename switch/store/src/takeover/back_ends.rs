//! Ending the connections of an owner that is gone (W-11): a paused one can hold a key with no
//! timeout firing. It ends those of the names it is given and no others.

use sqlx::{PgConnection, Row};

use crate::error::StoreError;

/// Each is told to end, and waited for; one that does not end within five seconds is reported.
const END: &str = "\
    SELECT pid, pg_terminate_backend(pid, 5000) AS ended FROM pg_stat_activity
    WHERE application_name = ANY($1) AND pid <> pg_backend_pid() AND datname = current_database()";

/// Ends every connection to this database with one of these names.
pub(super) async fn end(connection: &mut PgConnection, names: &[String]) -> Result<(), StoreError> {
    let doing = "ending the connections of the previous owner";
    let rows = sqlx::query(END)
        .bind(names)
        .fetch_all(connection)
        .await
        .map_err(StoreError::database(doing))?;
    for row in rows {
        let pid: i32 = row.try_get("pid").map_err(StoreError::database(doing))?;
        let ended: bool = row.try_get("ended").map_err(StoreError::database(doing))?;
        if ended {
            tracing::info!(pid, "ended a connection of the previous owner");
        } else {
            tracing::warn!(pid, "a connection of the previous owner does not end");
        }
    }
    Ok(())
}
