//! Verification of customers (SR-032, SR-033, SR-101): the partner's own flag, and the beginning of
//! the platform's.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::customers::{CustomerView, shown};
use super::problems::{ChangeProblems, Problems};
use super::served::Management;
use super::{Answered, tenant};
use crate::http::{Body, Caller, now, public_id};
use crate::service::users::kyc::{By, KycMove, KycState, Mover, Moving};

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum KycName {
    /// Nothing was begun.
    NotStarted,
    /// Begun, and not decided.
    Pending,
    /// Who they say they are: balances may be opened.
    Verified,
    /// Not so.
    Rejected,
    /// It was, and is to be done again.
    Expired,
    /// It was taken back.
    Revoked,
}

impl From<KycState> for KycName {
    fn from(state: KycState) -> Self {
        match state {
            KycState::NotStarted => Self::NotStarted,
            KycState::Pending => Self::Pending,
            KycState::Verified => Self::Verified,
            KycState::Rejected => Self::Rejected,
            KycState::Expired => Self::Expired,
            KycState::Revoked => Self::Revoked,
        }
    }
}

impl From<KycName> for KycState {
    fn from(name: KycName) -> Self {
        match name {
            KycName::NotStarted => Self::NotStarted,
            KycName::Pending => Self::Pending,
            KycName::Verified => Self::Verified,
            KycName::Rejected => Self::Rejected,
            KycName::Expired => Self::Expired,
            KycName::Revoked => Self::Revoked,
        }
    }
}

/// What the partner says of a customer.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Flag {
    state: KycName,
    /// Why; nothing personal.
    #[serde(default)]
    #[schema(max_length = 200)]
    note: String,
}

/// A move of a verification.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MoveView {
    /// When, in UTC.
    #[schema(format = DateTime)]
    at: String,
    from: KycName,
    to: KycName,
    /// Who: `partner`, `customer`, `operator` or `provider`.
    by: String,
    note: String,
}

impl From<&KycMove> for MoveView {
    fn from(made: &KycMove) -> Self {
        Self {
            at: super::served::written(made.at),
            from: made.from.into(),
            to: made.to.into(),
            by: made.mover.name().to_owned(),
            note: made.note.clone(),
        }
    }
}

/// The history of a verification.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct KycView {
    state: KycName,
    /// The oldest first.
    moves: Vec<MoveView>,
}

/// Set a customer's verification.
///
/// For partners that verify their customers themselves; where the platform does, it is refused.
#[utoipa::path(
    post, path = "/lifecycle/v1/customers/{customerId}/kyc", tag = "verification",
    params(("customerId" = Uuid, Path)), request_body = Flag,
    responses((status = 200, body = CustomerView), Problems, ChangeProblems)
)]
pub(super) async fn set(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(flag): Body<Flag>,
) -> Answered<Response> {
    let (partner, id) = (tenant(&caller)?, public_id(&id, "customer")?);
    let by = By { mover: Mover::Partner, name: caller.actor() };
    let moving = Moving { to: flag.state.into(), by, note: &flag.note, now: now() };
    this.users.set_kyc_flag(partner, id, moving).await?;
    Ok(shown(StatusCode::OK, &this.users.customer(partner, id).await?))
}

/// Read how a verification went.
#[utoipa::path(
    get, path = "/lifecycle/v1/customers/{customerId}/kyc", tag = "verification",
    params(("customerId" = Uuid, Path)),
    responses((status = 200, body = KycView), Problems)
)]
pub(super) async fn read(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered<Json<KycView>> {
    let (partner, id) = (tenant(&caller)?, public_id(&id, "customer")?);
    let customer = this.users.customer(partner, id).await?;
    let moves = this.users.kyc_moves(partner, id).await?;
    let moves = moves.iter().map(MoveView::from).collect();
    Ok(Json(KycView { state: customer.kyc.into(), moves }))
}

/// Begin the verification of a customer.
///
/// For partners whose customers the platform verifies: an operator or a provider decides.
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/register", tag = "verification",
    params(("customerId" = Uuid, Path)),
    responses((status = 200, body = CustomerView), Problems, ChangeProblems)
)]
pub(super) async fn begin(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered<Response> {
    let (partner, id) = (tenant(&caller)?, public_id(&id, "customer")?);
    let by = By { mover: Mover::Partner, name: caller.actor() };
    let moving = Moving { to: KycState::Pending, by, note: "", now: now() };
    this.users.move_kyc(partner, id, moving).await?;
    Ok(shown(StatusCode::OK, &this.users.customer(partner, id).await?))
}
