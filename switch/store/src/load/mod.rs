//! Loading a shard's rows into an image, after takeover and before replay. It reads one consistent
//! snapshot and decides nothing: the tail of the journal is the caller's to replay (W-11, W-23).

mod accounts;
pub(crate) mod authorizations;
mod control;
mod controls;
mod fees;
mod holds;
pub(crate) mod moved;
mod rates;
pub(crate) mod recall;
pub(crate) mod row;
mod transfers;

pub use holds::{HoldMark, HoldPiece, HoldWatermark, OpenHold};

use rustc_hash::FxHashSet;
use sqlx::Connection;
use switch_domain::{
    Authorization, Balance, BalanceId, ControlSubject, Seq, ShardId, ShardImage, Timestamp,
};

use crate::error::StoreError;
use crate::pg_timestamp::PgTimestamp;
use crate::store::{SNAPSHOT, Store};

use row::{DOING, get};

const PROJECTION: &str = "\
    SELECT seq, flushed, last_counter, last_decided, control_version
    FROM projection WHERE shard = $1";

impl Store {
    /// The rows of a shard. Of authorizations, reversals and commands, those since
    /// `window_start`, and no more than the latest `most` of each kind; what is older is looked up
    /// when it is asked for (W-21). Rows that are flushed apart are brought to where the others are
    /// from the journal.
    ///
    /// # Errors
    /// A value that this version does not know, named; a card without its vault row; a journal row
    /// that is missing or changed; PostgreSQL.
    pub async fn load(
        &self,
        shard: ShardId,
        window_start: Timestamp,
        most: usize,
    ) -> Result<ShardImage, StoreError> {
        let mut connection = self.connection().await.map_err(StoreError::database("connecting"))?;
        let mut tx = connection.begin_with(SNAPSHOT).await.map_err(StoreError::database(DOING))?;
        let found = sqlx::query(PROJECTION)
            .bind(i32::from(shard.0))
            .fetch_optional(&mut *tx)
            .await
            .map_err(StoreError::database(DOING))?;
        let Some(found) = found else { return Ok(ShardImage::empty(shard)) };
        let last_decided: PgTimestamp = get(&found, "last_decided")?;
        let counter: i64 = get(&found, "last_counter")?;
        let version: i64 = get(&found, "control_version")?;
        let (projected, flushed) = (Seq(get(&found, "seq")?), Seq(get(&found, "flushed")?));
        let lineage = authorizations::Lineage::of(&mut tx, shard).await?;
        let since = authorizations::Since { lineage, start: window_start, most };
        let mut authorizations = authorizations::recent(&mut tx, &since).await?;
        let reversals = authorizations::reversals(&mut tx, &since).await?;
        let commands = authorizations::commands(&mut tx, &since).await?;
        let limited = [authorizations.len(), reversals.len(), commands.len()];
        let complete = limited.iter().all(|count| *count < most)
            && !authorizations::any_before(&mut tx, &since).await?;
        let balances = accounts::balances(&mut tx, shard).await?;
        keep_those_of(&balances, &mut authorizations);
        let mut image = ShardImage {
            shard,
            projected,
            last_counter: u64::try_from(counter).unwrap_or(0),
            last_decided: last_decided.0,
            authorizations,
            reversals,
            complete,
            control: control::control(&mut tx, shard, version).await?,
            balances,
            customers: accounts::customers(&mut tx, shard).await?,
            cards: accounts::cards(&mut tx, shard).await?,
            spend_controls: Vec::new(),
            usage: controls::usage(&mut tx, shard).await?,
            counters: accounts::counters(&mut tx, shard).await?,
            shares: accounts::shares(&mut tx, shard).await?,
            transfers: transfers::open(&mut tx, shard).await?,
            received: transfers::received(&mut tx, shard).await?,
            commands,
        };
        for one in controls::spend_controls(&mut tx, shard).await? {
            match one.terms.subject {
                ControlSubject::Programme(_) => image.control.put_spend_control(one),
                ControlSubject::Balance(_) | ControlSubject::Card(_) => {
                    image.spend_controls.push(one);
                }
            }
        }
        for one in rates::rates(&mut tx, shard).await? {
            image.control.put_rate(one);
        }
        for (programme, schedule) in fees::schedules(&mut tx, shard).await? {
            image.control.set_fees(programme, Some(schedule));
        }
        // Putting counts rows, as in `control`.
        image.control.version = u64::try_from(version).unwrap_or(0);
        let moves = moved::moves(&mut tx, shard, flushed, projected).await?;
        moved::apply(&mut image, &moves);
        Ok(image)
    }

    /// What a shard has that is not history, for one that serves no more (W-12): its rows, and of
    /// authorizations all that are not closed, however old.
    ///
    /// # Errors
    /// As [`Store::load`].
    pub async fn load_open(&self, shard: ShardId) -> Result<ShardImage, StoreError> {
        let mut image = self.load(shard, Timestamp(i64::MAX), 0).await?;
        let mut connection = self.connection().await.map_err(StoreError::database("connecting"))?;
        image.authorizations = authorizations::open(&mut connection, shard).await?;
        keep_those_of(&image.balances, &mut image.authorizations);
        Ok(image)
    }

    /// How far a shard's rows are; [`Seq::NONE`] where there are none.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn projected(&self, shard: ShardId) -> Result<Seq, StoreError> {
        let seq: Option<i64> = sqlx::query_scalar("SELECT seq FROM projection WHERE shard = $1")
            .bind(i32::from(shard.0))
            .fetch_optional(self.pool())
            .await
            .map_err(StoreError::database("reading how far the rows are"))?;
        Ok(seq.map_or(Seq::NONE, Seq))
    }
}

/// Lets go of authorizations whose account lives elsewhere: what a sealed shard minted, and what
/// other shards go on from (W-12).
fn keep_those_of(balances: &[Balance], authorizations: &mut Vec<Authorization>) {
    let here: FxHashSet<BalanceId> = balances.iter().map(|one| one.id).collect();
    authorizations.retain(|one| one.balance.is_none_or(|balance| here.contains(&balance)));
}
