//! `/admin/kyc` and a customer's verification: what waits for somebody to look at it, and what they
//! decide (SR-032). Who may decide by which mode of the partner is the machine's affair.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::Answered;
use super::super::kyc::{KycName, MoveView};
use super::super::problems::{ChangeProblems, Problems};
use super::super::served::{Panel, written};
use super::customers::customer_of;
use crate::Problem;
use crate::http::{Body, Caller, Cursor, Page, Query, now, page_limit, public_id};
use crate::service::users::AwaitingReview;
use crate::service::users::kyc::{By, KycMove, KycState, Mover, Moving};

/// A customer who waits.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct WaitingLine {
    customer_id: Uuid,
    partner_id: i64,
    /// How the partner's customers are verified: `manual` or `automated`.
    mode: String,
    /// Whether a provider was asked, and is asked no more.
    provider_gave_up: bool,
    /// Since when, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    since: Option<String>,
}

impl From<&AwaitingReview> for WaitingLine {
    fn from(waiting: &AwaitingReview) -> Self {
        Self {
            customer_id: waiting.public_id,
            partner_id: waiting.partner.0,
            mode: waiting.mode.name().to_owned(),
            provider_gave_up: waiting.given_up,
            since: waiting.since.map(written),
        }
    }
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct WaitingPage {
    /// What the page before gave.
    cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A move of a verification, and who made it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct NamedMove {
    #[serde(flatten)]
    made: MoveView,
    /// Who, as the audit names them.
    by_name: String,
}

/// A verification, and how it went.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct KycHistory {
    state: KycName,
    /// The oldest first.
    moves: Vec<NamedMove>,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum Decided {
    /// It begins, or begins again.
    Begin,
    /// The customer is who they say.
    Approve,
    /// That was not shown.
    Reject,
    /// It was shown once, and no longer holds.
    Revoke,
    /// It was shown too long ago.
    Expire,
}

impl From<Decided> for KycState {
    fn from(decided: Decided) -> Self {
        match decided {
            Decided::Begin => Self::Pending,
            Decided::Approve => Self::Verified,
            Decided::Reject => Self::Rejected,
            Decided::Revoke => Self::Revoked,
            Decided::Expire => Self::Expired,
        }
    }
}

/// A decision.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "decision": "APPROVE", "note": "passport seen, case 4711" }))]
pub(in crate::routes) struct Decision {
    decision: Decided,
    /// What it was decided by; nothing personal.
    #[schema(min_length = 1, max_length = 200)]
    note: String,
}

/// List who waits for a decision.
///
/// Customers of partners that verify their customers themselves are not among them.
#[utoipa::path(
    get, path = "/admin/kyc", tag = "verification", params(WaitingPage),
    responses((status = 200, body = Page<WaitingLine>), Problems)
)]
pub(in crate::routes) async fn waiting(
    State(this): State<Panel>,
    Query(wanted): Query<WaitingPage>,
) -> Answered<Json<Page<WaitingLine>>> {
    let after = wanted.cursor.as_deref().map(Cursor::<Uuid>::read).transpose()?;
    let limit = page_limit(wanted.limit)?;
    let after = after.map(|Cursor(id)| id);
    let page = this.management.users.awaiting_review(after, Some(limit)).await?;
    Ok(Json(Page {
        items: page.rows.iter().map(WaitingLine::from).collect(),
        next_cursor: page.next.map(|id| Cursor(id).text()),
    }))
}

async fn history_of(this: &Panel, id: &str) -> Answered<Json<KycHistory>> {
    let (partner, id) = customer_of(this, id).await?;
    let users = &this.management.users;
    let state = users.customer(partner, id).await?.kyc.into();
    let named = |made: &KycMove| NamedMove { made: made.into(), by_name: made.name.clone() };
    let moves = users.kyc_moves(partner, id).await?.iter().map(named).collect();
    Ok(Json(KycHistory { state, moves }))
}

/// Read how a customer's verification went.
#[utoipa::path(
    get, path = "/admin/customers/{customerId}/kyc", tag = "verification",
    params(("customerId" = Uuid, Path)),
    responses((status = 200, body = KycHistory), Problems)
)]
pub(in crate::routes) async fn history(
    State(this): State<Panel>,
    Path(id): Path<String>,
) -> Answered<Json<KycHistory>> {
    history_of(&this, &id).await
}

/// Begin a verification, decide on one that waits, or take one back.
///
/// Of several that decide at once one does; the others are told `CONFLICT`.
#[utoipa::path(
    post, path = "/admin/customers/{customerId}/kyc", tag = "verification",
    params(("customerId" = Uuid, Path)), request_body = Decision,
    responses((status = 200, body = KycHistory), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn decide(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(decision): Body<Decision>,
) -> Answered<Json<KycHistory>> {
    public_id(&id, "customer")?;
    if decision.note.trim().is_empty() {
        return Err(Problem::field("note", "say what it was decided by").into());
    }
    let (partner, customer) = customer_of(&this, &id).await?;
    let to = KycState::from(decision.decision);
    let by = By { mover: Mover::Operator, name: caller.actor() };
    let moving = Moving { to, by, note: &decision.note, now: now() };
    let moved = this.management.users.move_kyc(partner, customer, moving).await;
    // What is not for operators is here a matter of the partner's mode, not of anybody's role.
    moved.map_err(|problem| match problem.code {
        "FORBIDDEN" => Problem::new("CONFLICT", problem.detail),
        _ => problem,
    })?;
    history_of(&this, &id).await
}
