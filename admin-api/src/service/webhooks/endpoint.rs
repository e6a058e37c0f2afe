//! Endpoints: where a partner is told of what, registered, changed, given another secret, removed.
//! It owns the table `webhook_endpoint`. Whoever asks for one names the partner, and SQL looks with
//! both.

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{IdempotencyKey, PartnerId, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::place::EndpointUrl;
use super::secret::WebhookSecret;
use super::{EventKind, Webhooks, no_endpoint, unreadable};
use crate::Problem;
use crate::service::span::after;

/// How long a description may be.
const DESCRIPTION_MOST: usize = 200;
/// For the look-up of a name while somebody registers it.
const LOOK_UP: Duration = Duration::from_secs(3);

/// Whoever makes the first or removes the last does it alone: the feed begins and ends with them.
pub(super) const ALONE: &str =
    "SELECT pg_advisory_xact_lock(hashtext('cardswitch webhook_endpoint'))";

const COLUMNS: &str = "public_id, partner_id, url, description, kinds, state, disabled_why, \
     version, created_at, previous_until";

const INSERT: &str = "\
    INSERT INTO webhook_endpoint (public_id, partner_id, url, description, kinds, state, secret,
        made_under, created_at)
    VALUES ($1, $2, $3, $4, $5, 'ENABLED', $6, $7, $8)";

/// From here on the journal is told of; where others are told already, nothing changes.
const BEGIN_FEED: &str = "\
    INSERT INTO webhook_feed (shard, seq) SELECT shard, seq FROM projection
    ON CONFLICT (shard) DO NOTHING";

const CHANGE: &str = "\
    UPDATE webhook_endpoint SET url = $4, description = $5, kinds = $6, state = $7,
        disabled_why = CASE WHEN $7 = 'ENABLED' THEN NULL ELSE coalesce(disabled_why, 'ASKED') END,
        failures = CASE WHEN $7 = 'ENABLED' THEN 0 ELSE failures END,
        paused_until = CASE WHEN $7 = 'ENABLED' THEN NULL ELSE paused_until END,
        version = version + 1
    WHERE partner_id = $1 AND public_id = $2 AND version = $3 AND removed_at IS NULL";

/// What comes first of each key goes at once, once it may: what stood before it may have gone while
/// nothing was sent.
const WAKE: &str = "\
    UPDATE webhook_message SET next_at = least(next_at, made_at) WHERE id IN (
        SELECT min(m.id) FROM webhook_message AS m
        JOIN webhook_endpoint AS e ON e.id = m.endpoint_id
        WHERE e.partner_id = $1 AND e.public_id = $2 AND m.state = 'WAITING' AND m.in_order
        GROUP BY m.ordering_key)";

const ROTATE: &str = "\
    UPDATE webhook_endpoint SET previous_secret = secret, previous_until = $3, secret = $2,
        rotated_under = $4, version = version + 1
    WHERE id = $1";

/// Whether messages are sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointState {
    /// They are.
    Enabled,
    /// They are not, and none are made.
    Disabled,
}

impl EndpointState {
    /// As in tables and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
        }
    }
}

/// Where a partner is told of what.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// As paths name it.
    pub public_id: Uuid,
    /// Whose.
    pub partner: PartnerId,
    /// Where.
    pub url: String,
    /// The partner's own words for it.
    pub description: String,
    /// Of what.
    pub kinds: Vec<EventKind>,
    /// Whether messages are sent.
    pub state: EndpointState,
    /// Why not: `ASKED`, `GONE` (it answered 410), `BACKLOG` (too many waited).
    pub disabled_why: Option<String>,
    /// Counts changes.
    pub version: i64,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when the secret of before signs as well.
    pub previous_until: Option<Timestamp>,
}

/// An endpoint to be.
#[derive(Clone, Debug)]
pub struct NewEndpoint<'a> {
    /// Where.
    pub url: &'a str,
    /// The partner's own words for it.
    pub description: &'a str,
    /// Of what, by name.
    pub kinds: &'a [String],
}

/// What an endpoint is from now on.
#[derive(Clone, Debug)]
pub struct EndpointChange<'a> {
    /// Where, and of what.
    pub to: NewEndpoint<'a>,
    /// Whether messages are sent.
    pub state: EndpointState,
    /// Of which version it was made.
    pub version: i64,
}

/// What was checked.
struct Checked {
    kinds: Vec<EventKind>,
}

impl Checked {
    /// All but where it leads.
    fn words(new: &NewEndpoint<'_>) -> Result<Self, Problem> {
        let printable = new.description.chars().all(|one| !one.is_control());
        if new.description.chars().count() > DESCRIPTION_MOST || !printable {
            let what = format!("at most {DESCRIPTION_MOST} printable characters");
            return Err(Problem::field("description", what));
        }
        let mut kinds = Vec::new();
        for name in new.kinds {
            let known = "each is one of the documented events, and is there once";
            let kind = EventKind::named(name).filter(|kind| !kinds.contains(kind));
            kinds.push(kind.ok_or_else(|| Problem::field("events", known))?);
        }
        if kinds.is_empty() {
            return Err(Problem::field("events", "at least one"));
        }
        Ok(Self { kinds })
    }

    fn names(&self) -> Vec<&'static str> {
        self.kinds.iter().map(|kind| kind.name()).collect()
    }
}

impl Webhooks {
    /// Registers an endpoint; under the same key the same one again, with its secret.
    ///
    /// # Errors
    /// `NOT_FOUND`: the partner. `INVALID_REQUEST`: a member; the URL leads to where nothing goes.
    /// `CONFLICT`: nothing is sent here. `EXHAUSTED`: the partner has as many as may be.
    pub async fn register(
        &self,
        partner: PartnerId,
        new: NewEndpoint<'_>,
        (under, now): (IdempotencyKey, Timestamp),
    ) -> Result<(Endpoint, WebhookSecret), Problem> {
        self.check_partner(partner)?;
        let checked = self.check(&new, false).await?;
        let mut transaction = self.pool().begin().await?;
        sqlx::query(ALONE).execute(&mut *transaction).await?;
        let sql =
            "SELECT public_id FROM webhook_endpoint WHERE made_under = $1 AND partner_id = $2";
        let made = sqlx::query_scalar::<_, Uuid>(sql).bind(&under.0[..]).bind(partner.0);
        if let Some(id) = made.fetch_optional(&mut *transaction).await? {
            drop(transaction);
            return self.with_secret(partner, id).await;
        }
        let sql = "SELECT count(*) FROM webhook_endpoint \
                   WHERE partner_id = $1 AND removed_at IS NULL";
        let count: i64 =
            sqlx::query_scalar(sql).bind(partner.0).fetch_one(&mut *transaction).await?;
        if count >= i64::from(self.settings().endpoints_most) {
            return Err(Problem::new("EXHAUSTED", "the partner has as many webhooks as may be"));
        }
        let (id, secret) = (Uuid::new_v4(), WebhookSecret::draw()?);
        sqlx::query(INSERT)
            .bind(id)
            .bind(partner.0)
            .bind(new.url)
            .bind(new.description)
            .bind(checked.names())
            .bind(self.seal.seal_secret(id, &secret)?)
            .bind(&under.0[..])
            .bind(PgTimestamp(now))
            .execute(&mut *transaction)
            .await?;
        sqlx::query(BEGIN_FEED).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok((self.endpoint(partner, id).await?, secret))
    }

    /// What an endpoint may be; its name is looked up, so that who mistypes learns it.
    async fn check(&self, new: &NewEndpoint<'_>, stops: bool) -> Result<Checked, Problem> {
        if !self.settings().sends && !stops {
            let what = "this platform sends no webhooks: api.webhooks.ca is not configured";
            return Err(Problem::new("CONFLICT", what));
        }
        let checked = Checked::words(new)?;
        let rules = self.settings().addresses;
        let url = EndpointUrl::parse(new.url, rules)?;
        if let super::place::Host::Name(name) = url.host() {
            let looking = rules.look_up(&*self.resolver, name);
            let found = tokio::time::timeout(LOOK_UP, looking).await;
            // What is not there yet may be once there is something to tell.
            if let Ok(Err(error)) = found
                && error.kind() == std::io::ErrorKind::PermissionDenied
            {
                return Err(Problem::field("url", super::RefusedAddress.to_string()));
            }
        }
        Ok(checked)
    }

    /// An endpoint.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn endpoint(&self, partner: PartnerId, id: Uuid) -> Result<Endpoint, Problem> {
        let sql = format!(
            "SELECT {COLUMNS} FROM webhook_endpoint \
             WHERE partner_id = $1 AND public_id = $2 AND removed_at IS NULL"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(partner.0).bind(id);
        let row = query.fetch_optional(self.pool()).await?.ok_or_else(no_endpoint)?;
        read(&row)
    }

    async fn with_secret(
        &self,
        partner: PartnerId,
        id: Uuid,
    ) -> Result<(Endpoint, WebhookSecret), Problem> {
        let endpoint = self.endpoint(partner, id).await?;
        let sql = "SELECT secret FROM webhook_endpoint WHERE public_id = $1";
        let sealed: Vec<u8> = sqlx::query_scalar(sql).bind(id).fetch_one(self.pool()).await?;
        Ok((endpoint, self.seal.open_secret(id, &sealed)?))
    }

    /// All of a partner, the oldest first.
    ///
    /// # Errors
    /// The database.
    pub async fn endpoints(&self, partner: PartnerId) -> Result<Vec<Endpoint>, Problem> {
        let sql = format!(
            "SELECT {COLUMNS} FROM webhook_endpoint \
             WHERE partner_id = $1 AND removed_at IS NULL ORDER BY id LIMIT $2"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(partner.0);
        let most = i64::from(self.settings().endpoints_most);
        query.bind(most).fetch_all(self.pool()).await?.iter().map(read).collect()
    }

    /// Whose an endpoint is: for operators, who work for all.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn partner_of(&self, id: Uuid) -> Result<PartnerId, Problem> {
        let sql = "SELECT partner_id FROM webhook_endpoint \
                   WHERE public_id = $1 AND removed_at IS NULL";
        let found = sqlx::query_scalar(sql).bind(id).fetch_optional(self.pool()).await?;
        found.map(PartnerId).ok_or_else(no_endpoint)
    }

    /// Changes an endpoint.
    ///
    /// # Errors
    /// As [`Webhooks::register`]; `PRECONDITION_FAILED`: it was changed since.
    pub async fn change(
        &self,
        partner: PartnerId,
        id: Uuid,
        change: EndpointChange<'_>,
    ) -> Result<Endpoint, Problem> {
        let now = self.endpoint(partner, id).await?;
        // Who wants no more messages is not told that this place takes none.
        let stops = change.state == EndpointState::Disabled;
        let checked = match stops && now.url == change.to.url {
            true => Checked::words(&change.to)?,
            false => self.check(&change.to, stops).await?,
        };
        let done = sqlx::query(CHANGE)
            .bind(partner.0)
            .bind(id)
            .bind(change.version)
            .bind(change.to.url)
            .bind(change.to.description)
            .bind(checked.names())
            .bind(change.state.name())
            .execute(self.pool())
            .await?;
        if done.rows_affected() == 0 {
            let what = "the webhook was changed since this version; read it";
            return Err(Problem::new("PRECONDITION_FAILED", what));
        }
        if !stops {
            sqlx::query(WAKE).bind(partner.0).bind(id).execute(self.pool()).await?;
        }
        self.endpoint(partner, id).await
    }

    /// Gives an endpoint another secret; under the same key the same one again. That of before
    /// signs as well for a while.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn rotate(
        &self,
        partner: PartnerId,
        id: Uuid,
        (under, now): (IdempotencyKey, Timestamp),
    ) -> Result<(Endpoint, WebhookSecret), Problem> {
        let mut transaction = self.pool().begin().await?;
        let sql = "SELECT id, rotated_under FROM webhook_endpoint WHERE partner_id = $1 \
                   AND public_id = $2 AND removed_at IS NULL FOR NO KEY UPDATE";
        let query = sqlx::query(sql).bind(partner.0).bind(id);
        let row = query.fetch_optional(&mut *transaction).await?.ok_or_else(no_endpoint)?;
        let before: Option<Vec<u8>> = row.try_get("rotated_under")?;
        if before.as_deref() != Some(&under.0[..]) {
            let secret = WebhookSecret::draw()?;
            sqlx::query(ROTATE)
                .bind(row.try_get::<i64, _>("id")?)
                .bind(self.seal.seal_secret(id, &secret)?)
                .bind(PgTimestamp(after(now, self.settings().overlap)))
                .bind(&under.0[..])
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        self.with_secret(partner, id).await
    }

    /// Removes an endpoint: nothing is sent there any more, and what waited goes with it.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn remove(
        &self,
        partner: PartnerId,
        id: Uuid,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let sql = "UPDATE webhook_endpoint SET removed_at = $3, state = 'DISABLED', \
                   disabled_why = 'ASKED' \
                   WHERE partner_id = $1 AND public_id = $2 AND removed_at IS NULL";
        let query = sqlx::query(sql).bind(partner.0).bind(id).bind(PgTimestamp(now));
        let done = query.execute(self.pool()).await?.rows_affected();
        if done == 0 { Err(no_endpoint()) } else { Ok(()) }
    }

    /// The endpoint's row, where it is the partner's.
    pub(super) async fn row_of(
        &self,
        connection: &mut PgConnection,
        partner: PartnerId,
        id: Uuid,
    ) -> Result<i64, Problem> {
        let sql = "SELECT id FROM webhook_endpoint \
                   WHERE partner_id = $1 AND public_id = $2 AND removed_at IS NULL";
        let found = sqlx::query_scalar(sql).bind(partner.0).bind(id);
        found.fetch_optional(connection).await?.ok_or_else(no_endpoint)
    }
}

fn read(row: &PgRow) -> Result<Endpoint, Problem> {
    let kinds: Vec<String> = row.try_get("kinds")?;
    let named = |name: &String| EventKind::named(name).ok_or_else(|| unreadable(&"an event"));
    let state: String = row.try_get("state")?;
    let previous: Option<PgTimestamp> = row.try_get("previous_until")?;
    Ok(Endpoint {
        public_id: row.try_get("public_id")?,
        partner: PartnerId(row.try_get("partner_id")?),
        url: row.try_get("url")?,
        description: row.try_get("description")?,
        kinds: kinds.iter().map(named).collect::<Result<_, _>>()?,
        state: match state.as_str() {
            "ENABLED" => EndpointState::Enabled,
            _ => EndpointState::Disabled,
        },
        disabled_why: row.try_get("disabled_why")?,
        version: row.try_get("version")?,
        created_at: row.try_get::<PgTimestamp, _>("created_at")?.0,
        previous_until: previous.map(|until| until.0),
    })
}
