//! Below what a partner and its people are told that a pool is low (SR-230), as operators set it.
//! It owns the table `pool_alert` but for whether it was told, which is the watch's (`watch`).

use sqlx::Row;
use sqlx::postgres::PgRow;
use switch_domain::{MinorUnits, Pool, Timestamp};
use switch_store::PgTimestamp;

use super::Pools;
use crate::Problem;
use crate::service::mail::MailAddress;

/// An alarm of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Below so much available it is told; none: never.
    pub below: Option<MinorUnits>,
    /// Who is told by e-mail.
    pub addresses: Vec<MailAddress>,
    /// Since when it is low, where that was told.
    pub low_since: Option<Timestamp>,
    /// Counts changes; 0 where nothing was ever set.
    pub version: i64,
}

/// What an alarm is from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewAlert {
    /// Below so much available it is told; none: never.
    pub below: Option<MinorUnits>,
    /// Who is told by e-mail.
    pub addresses: Vec<MailAddress>,
}

impl NewAlert {
    fn written(&self) -> Vec<&str> {
        self.addresses.iter().map(MailAddress::as_str).collect()
    }
}

const SET: &str = "\
    INSERT INTO pool_alert (pool_id, partner_id, below, addresses, state, version)
    VALUES ($1, $2, $3, $4, $5, 1) ON CONFLICT (pool_id) DO NOTHING";

/// With another limit it is armed anew: where less is there already, that is told.
const CHANGE: &str = "\
    UPDATE pool_alert SET below = $2, addresses = $3, version = version + 1,
        state = CASE WHEN below IS NOT DISTINCT FROM $2 THEN state ELSE 'ARMED' END,
        fired_at = CASE WHEN below IS NOT DISTINCT FROM $2 THEN fired_at END
    WHERE pool_id = $1 AND version = $4";

impl Pools {
    /// The alarm of a pool.
    ///
    /// # Errors
    /// The database.
    pub async fn alert(&self, pool: &Pool) -> Result<Alert, Problem> {
        let sql = "SELECT below, addresses, state, fired_at, version FROM pool_alert \
                   WHERE pool_id = $1";
        let found = sqlx::query(sql).bind(pool.id.0).fetch_optional(self.database()).await?;
        let none = Alert { below: None, addresses: Vec::new(), low_since: None, version: 0 };
        found.as_ref().map_or(Ok(none), read)
    }

    /// Sets the alarm of a pool.
    ///
    /// # Errors
    /// `INVALID_REQUEST`: too many addresses, or one twice. `CONFLICT`: no mail is sent here.
    /// `PRECONDITION_FAILED`: it was changed since.
    pub async fn set_alert(
        &self,
        pool: &Pool,
        new: &NewAlert,
        version: i64,
    ) -> Result<Alert, Problem> {
        self.check_alert(new)?;
        let changed = if version == 0 {
            self.make_alert(pool, new, "ARMED").await?
        } else {
            let query = sqlx::query(CHANGE).bind(pool.id.0).bind(new.below.map(|below| below.0));
            let query = query.bind(new.written()).bind(version);
            query.execute(self.database()).await?.rows_affected() == 1
        };
        if !changed {
            let what = "it was changed since: read it again";
            return Err(Problem::new("PRECONDITION_FAILED", what));
        }
        self.alert(pool).await
    }

    /// The alarm of a pool that was just opened, where it has none: empty as it is, nobody is told
    /// before there was more in it.
    pub(super) async fn begin_alert(&self, pool: &Pool, new: &NewAlert) -> Result<(), Problem> {
        self.make_alert(pool, new, "FIRED").await.map(|_| ())
    }

    async fn make_alert(
        &self,
        pool: &Pool,
        new: &NewAlert,
        state: &'static str,
    ) -> Result<bool, Problem> {
        let query = sqlx::query(SET).bind(pool.id.0).bind(pool.partner.0);
        let query = query.bind(new.below.map(|below| below.0)).bind(new.written()).bind(state);
        Ok(query.execute(self.database()).await?.rows_affected() == 1)
    }

    /// What an alarm may be.
    ///
    /// # Errors
    /// As [`Pools::set_alert`].
    pub(super) fn check_alert(&self, new: &NewAlert) -> Result<(), Problem> {
        let most = usize::try_from(self.settings().addresses_most).unwrap_or(usize::MAX);
        if new.addresses.len() > most {
            let what = format!("at most {most}");
            return Err(Problem::field("addresses", what));
        }
        let again = |(at, one): (usize, &MailAddress)| {
            new.addresses.iter().take(at).any(|other| other.as_str() == one.as_str())
        };
        if new.addresses.iter().enumerate().any(again) {
            return Err(Problem::field("addresses", "each once"));
        }
        if self.outbox.is_none() && !new.addresses.is_empty() {
            let what = "this platform sends no mail: api.mail.host is not configured";
            return Err(Problem::new("CONFLICT", what));
        }
        Ok(())
    }
}

fn read(row: &PgRow) -> Result<Alert, Problem> {
    let addresses: Vec<String> = row.try_get("addresses")?;
    let addresses = addresses.iter().map(|one| MailAddress::parse(one, "addresses"));
    let fired: Option<PgTimestamp> = row.try_get("fired_at")?;
    let state: String = row.try_get("state")?;
    Ok(Alert {
        below: row.try_get::<Option<i64>, _>("below")?.map(MinorUnits),
        addresses: addresses.collect::<Result<_, _>>()?,
        low_since: fired.filter(|_| state == "FIRED").map(|at| at.0),
        version: row.try_get("version")?,
    })
}
