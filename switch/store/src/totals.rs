//! What a partner's customers, and its pools, have altogether: the summary balances (SR-231 to
//! SR-233). It owns that all of it is of one moment: amounts as they were flushed, and what was
//! posted since, up to the projector's watermark, in one statement and so of one snapshot.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;
use switch_domain::PartnerId;

use crate::books::number;
use crate::error::StoreError;
use crate::store::Store;

/// What there is in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// Numeric code.
    pub currency: i16,
    /// The sum of the customers' ledger balances, in minor units.
    pub users: i128,
    /// The sum of the levels of the partners' pools.
    pub pools: i128,
}

const DOING: &str = "adding up balances and pools";

const WITHIN: &str = "SELECT set_config('statement_timeout', $1, true)";

/// PostgreSQL's code for a statement that was ended for its time.
const ENDED: &str = "57014";

/// Postings and watermark are written in one transaction; a flush moves the other watermark with
/// its amounts. So each figure has every posting up to `seq` once, and the two of them are what the
/// ledger says then. A currency of which there is nothing but a pool is told too.
const TOTALS: &str = "
    WITH since AS (
        SELECT posting.account, posting.account_id, posting.amount
        FROM projection AS at JOIN posting
            ON posting.shard = at.shard AND posting.seq > at.flushed AND posting.seq <= at.seq
        WHERE posting.account IN ('balance', 'pool')
    )
    SELECT currency, sum(users)::text AS users, sum(pools)::text AS pools
    FROM (
        SELECT currency, ledger::numeric AS users, 0::numeric AS pools FROM balance
        WHERE $1::int8 IS NULL OR partner_id = $1
        UNION ALL
        SELECT balance.currency, since.amount, 0
        FROM since JOIN balance ON balance.id = since.account_id
        WHERE since.account = 'balance' AND ($1::int8 IS NULL OR balance.partner_id = $1)
        UNION ALL
        SELECT pool.currency, 0, coalesce(pool_share.level, 0)
        FROM pool LEFT JOIN pool_share ON pool_share.pool_id = pool.id
        WHERE $1::int8 IS NULL OR pool.partner_id = $1
        UNION ALL
        SELECT pool.currency, 0, since.amount
        FROM since JOIN pool ON pool.id = since.account_id
        WHERE since.account = 'pool' AND ($1::int8 IS NULL OR pool.partner_id = $1)
    ) AS figures
    GROUP BY currency ORDER BY currency";

impl Store {
    /// What one partner's customers and pools have, or those of all partners, by currency.
    ///
    /// None where that took longer than it may: PostgreSQL ends it then, and the connection is
    /// free.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn totals(
        &self,
        partner: Option<PartnerId>,
        within: Duration,
    ) -> Result<Option<Vec<Total>>, StoreError> {
        match self.added_up(partner, within).await {
            Ok(rows) => {
                let totals: Result<_, _> = rows.iter().map(total).collect();
                totals.map(Some).map_err(StoreError::database(DOING))
            }
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(ENDED) => Ok(None),
            Err(error) => Err(StoreError::database(DOING)(error)),
        }
    }

    async fn added_up(
        &self,
        partner: Option<PartnerId>,
        within: Duration,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut transaction = self.pool().begin().await?;
        let limit = sqlx::query(WITHIN).bind(format!("{}ms", within.as_millis().max(1)));
        limit.execute(&mut *transaction).await?;
        let rows = sqlx::query(TOTALS).bind(partner.map(|id| id.0));
        let rows = rows.fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(rows)
    }
}

fn total(row: &PgRow) -> Result<Total, sqlx::Error> {
    Ok(Total {
        currency: row.try_get("currency")?,
        users: number(row, "users")?,
        pools: number(row, "pools")?,
    })
}
