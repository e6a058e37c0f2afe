//! Pools of partners' money in JSON, as operators and partners see them. It owns the names of
//! members, the form of a pool's number in paths and of a cursor, and that partners are not told
//! who of the issuer's people asked or agreed.

pub(super) mod secure;

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use switch_domain::{Currency, Pool, PoolId, PoolKind};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Answered;
use super::amounts::Money;
use super::served::{Management, written};
use crate::Problem;
use crate::http::{Cursor, Page, etag, page_limit};
use crate::service::mail::MailAddress;
use crate::service::pools::{Alert, NewAlert, PoolNow, Reload, ReloadState};

/// What a pool is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum PoolKindName {
    /// Topping up a customer charges it.
    Credit,
    /// Each authorization charges it.
    Deposit,
}

impl From<PoolKind> for PoolKindName {
    fn from(kind: PoolKind) -> Self {
        match kind {
            PoolKind::Credit => Self::Credit,
            PoolKind::Deposit => Self::Deposit,
        }
    }
}

impl From<PoolKindName> for PoolKind {
    fn from(kind: PoolKindName) -> Self {
        match kind {
            PoolKindName::Credit => Self::Credit,
            PoolKindName::Deposit => Self::Deposit,
        }
    }
}

/// How far a reload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ReloadStateName {
    /// A second operator has to agree.
    Waiting,
    /// It is being booked.
    Booking,
    /// It is booked.
    Done,
    /// It was refused.
    Refused,
    /// Nobody agreed in time.
    Expired,
}

impl From<ReloadState> for ReloadStateName {
    fn from(state: ReloadState) -> Self {
        match state {
            ReloadState::Waiting => Self::Waiting,
            ReloadState::Booking => Self::Booking,
            ReloadState::Done => Self::Done,
            ReloadState::Refused => Self::Refused,
            ReloadState::Expired => Self::Expired,
        }
    }
}

/// A pool of a partner's money, as the shards have it now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PoolView {
    /// Its name: digits, as text.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pool_id: String,
    partner_id: i64,
    kind: PoolKindName,
    /// Code of ISO 4217.
    currency: String,
    /// What came in, less what was taken for good.
    level: Money,
    /// What open authorizations hold of it.
    held: Money,
    /// The level less what is held: what the next authorization, or top-up, can have.
    available: Money,
}

impl From<&PoolNow> for PoolView {
    fn from(now: &PoolNow) -> Self {
        let Pool { id, partner, kind, currency } = &now.pool;
        Self {
            pool_id: id.0.to_string(),
            partner_id: partner.0,
            kind: (*kind).into(),
            currency: currency.to_string(),
            level: Money::of(now.share.level, *currency),
            held: Money::of(now.share.held, *currency),
            available: Money::of(now.share.available(), *currency),
        }
    }
}

/// Pools of a partner.
#[derive(Serialize, ToSchema)]
pub(super) struct PoolList {
    /// The oldest first.
    items: Vec<PoolView>,
}

impl PoolList {
    pub(super) fn of(all: &[PoolNow]) -> Self {
        Self { items: all.iter().map(PoolView::from).collect() }
    }
}

/// A reload of a pool.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReloadView {
    reload_id: Uuid,
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pool_id: String,
    amount: Money,
    /// The bank's reference.
    reference: String,
    state: ReloadStateName,
    /// In UTC.
    #[schema(format = DateTime)]
    asked_at: String,
    /// When a second operator agreed, or refused, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    decided_at: Option<String>,
    /// Until when it waits, or waited, for a second operator, in UTC; absent where none was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    waits_until: Option<String>,
    /// When it was booked, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    booked_at: Option<String>,
    /// Who asked: an operator (`op:`), or somebody at the machine, by command (`uid:`). For the
    /// issuer's side alone, as the two that follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_by: Option<String>,
    /// The second operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    /// Why it was refused: an operator's words, or a code of problems.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
}

impl ReloadView {
    /// As the issuer's side sees it.
    pub(super) fn in_full(reload: &Reload) -> Self {
        Self {
            asked_by: Some(reload.asked_by.to_string()),
            decided_by: reload.decided_by.map(|by| by.to_string()),
            refusal: reload.refusal.clone(),
            ..Self::for_partner(reload)
        }
    }

    /// As its partner sees it.
    fn for_partner(reload: &Reload) -> Self {
        Self {
            reload_id: reload.public_id,
            pool_id: reload.pool.0.to_string(),
            amount: Money::of(reload.amount.minor, reload.amount.currency),
            reference: reload.reference.to_string(),
            state: reload.state.into(),
            asked_at: written(reload.asked_at),
            decided_at: reload.decided_at.map(written),
            waits_until: reload.waits_until.map(written),
            booked_at: reload.booked_at.map(written),
            asked_by: None,
            decided_by: None,
            refusal: None,
        }
    }
}

/// When a partner and its people are told that a pool is low.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AlertView {
    /// Below so much available, once; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<Money>,
    /// Who is told by e-mail; the partner's webhooks are too (`pool.low`).
    addresses: Vec<String>,
    /// Since when it is low, in UTC, where that was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    low_since: Option<String>,
}

impl AlertView {
    /// With its version.
    pub(super) fn shown(alert: &Alert, pool: &Pool) -> Response {
        let view = Self {
            below: alert.below.map(|below| Money::of(below, pool.currency)),
            addresses: alert.addresses.iter().map(|one| one.as_str().to_owned()).collect(),
            low_since: alert.low_since.map(written),
        };
        let mut response = Json(view).into_response();
        response.headers_mut().insert(header::ETAG, etag(alert.version));
        response
    }
}

/// When a partner and its people are to be told that a pool is low.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "below": { "value": "5000.00", "currency": "EUR" }, "addresses": ["treasury@acme.example"]
}))]
pub(super) struct AlertBody {
    /// Below so much available, in the pool's currency; where it is not said, never.
    below: Option<Money>,
    /// Who is told by e-mail, each once.
    #[serde(default)]
    #[schema(max_items = 10)]
    addresses: Vec<String>,
}

impl AlertBody {
    pub(super) fn checked(&self, currency: Currency) -> Result<NewAlert, Problem> {
        let below = self.below.as_ref().map(|below| {
            let (amount, of) = below.above_zero("below")?;
            let other = || Problem::field("below.currency", format!("this pool is in {currency}"));
            if of == currency { Ok(amount) } else { Err(other()) }
        });
        let addresses = self.addresses.iter().enumerate();
        let read =
            |(at, one): (usize, &String)| MailAddress::parse(one, &format!("addresses[{at}]"));
        let addresses = addresses.map(read).collect::<Result<_, _>>()?;
        Ok(NewAlert { below: below.transpose()?, addresses })
    }
}

/// Which reloads.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Latest {
    /// What the page before gave.
    cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A pool's number, as a path carries it.
pub(super) fn pool_id(text: &str) -> Result<PoolId, Problem> {
    let id = text.parse().ok().filter(|id: &i64| *id > 0 && id.to_string() == text);
    id.map(PoolId).ok_or_else(|| Problem::not_found("there is no such pool"))
}

/// A page of a pool's reloads, the latest first.
pub(super) async fn page(
    this: &Management,
    pool: &Pool,
    wanted: &Latest,
    shown: fn(&Reload) -> ReloadView,
) -> Answered<Json<Page<ReloadView>>> {
    let behind = wanted.cursor.as_deref().map(Cursor::<i64>::read).transpose()?;
    let most = page_limit(wanted.limit)?;
    let rows = this.pools.reloads(pool, (behind.map(|Cursor(id)| id), most)).await?;
    let size = usize::try_from(most).unwrap_or(usize::MAX);
    let next = rows.get(size).and_then(|_| rows.get(size.saturating_sub(1)));
    Ok(Json(Page {
        items: rows.iter().take(size).map(shown).collect(),
        next_cursor: next.map(|last| Cursor(last.id).text()),
    }))
}
