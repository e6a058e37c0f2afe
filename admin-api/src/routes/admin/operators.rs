//! `/admin/operators`: who is an operator, for administrators.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Answered;
use super::super::problems::{ChangeProblems, Problems};
use super::super::served::{Panel, written};
use super::operator;
use crate::http::{Body, Caller, Idempotency, Made, Role, Secret, now, public_id};
use crate::operators::{Given, ListedOperator, OperatorState, Which};

/// What an operator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum RoleName {
    /// Reads, and works on single customers.
    Employee,
    /// Also makes things, and decides on verifications.
    Manager,
    /// Everything, operators included.
    Admin,
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        match role {
            Role::Employee => Self::Employee,
            Role::Manager => Self::Manager,
            Role::Admin => Self::Admin,
        }
    }
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Employee => Self::Employee,
            RoleName::Manager => Self::Manager,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// Whether an operator gets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum OperatorStateName {
    /// They do.
    Active,
    /// Not for some time: too many wrong tries.
    Locked,
    /// Not before somebody unblocks them: they were not here for too long.
    Unseen,
    /// Not before somebody unblocks them.
    Blocked,
}

/// An operator.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct OperatorView {
    operator_id: Uuid,
    name: String,
    role: RoleName,
    state: OperatorStateName,
    /// Whether they have still to choose a password.
    must_change_password: bool,
    /// The last time that they got in, or were let back in.
    #[schema(format = DateTime)]
    seen_at: String,
    #[schema(format = DateTime)]
    made_at: String,
}

impl From<&ListedOperator> for OperatorView {
    fn from(operator: &ListedOperator) -> Self {
        Self {
            operator_id: operator.operator,
            name: operator.name.clone(),
            role: operator.role.into(),
            state: match operator.state {
                OperatorState::Active => OperatorStateName::Active,
                OperatorState::Locked => OperatorStateName::Locked,
                OperatorState::Unseen => OperatorStateName::Unseen,
                OperatorState::Blocked => OperatorStateName::Blocked,
            },
            must_change_password: operator.must_change,
            seen_at: written(operator.seen_at),
            made_at: written(operator.made_at),
        }
    }
}

/// Operators.
#[derive(Serialize, ToSchema)]
pub(in crate::routes) struct OperatorList {
    /// By name.
    items: Vec<OperatorView>,
}

/// An operator to be added.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "name": "grace", "role": "MANAGER" }))]
pub(in crate::routes) struct NewOperator {
    /// What they sign in with.
    #[schema(pattern = "^[a-z][a-z0-9._-]{2,31}$")]
    name: String,
    role: RoleName,
}

/// What an operator is given to get in with: told once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct GivenView {
    operator_id: Uuid,
    name: String,
    role: RoleName,
    /// To be changed before anything else.
    one_time_password: String,
    /// For the authenticator application; to be handed over by another way than the password.
    otpauth_uri: String,
}

fn given(status: StatusCode, given: &Given) -> Response {
    let view = GivenView {
        operator_id: given.operator,
        name: given.name.clone(),
        role: given.role.into(),
        one_time_password: given.password.expose().to_owned(),
        otpauth_uri: given.uri.to_string(),
    };
    let mut response = (status, Json(view)).into_response();
    response.extensions_mut().insert(Secret);
    response.extensions_mut().insert(Made(format!("/admin/operators/{}", given.operator)));
    response
}

/// List operators.
#[utoipa::path(
    get, path = "/admin/operators", tag = "operators",
    responses((status = 200, body = OperatorList), Problems)
)]
pub(in crate::routes) async fn list(State(this): State<Panel>) -> Answered<Json<OperatorList>> {
    let found = this.operators.list(now()).await?;
    Ok(Json(OperatorList { items: found.iter().map(OperatorView::from).collect() }))
}

/// Add an operator.
///
/// The password and the secret are told once. Sent again with its key, before anybody signed in by
/// it, the request gives the same operator others.
#[utoipa::path(
    post, path = "/admin/operators", tag = "operators", request_body = NewOperator,
    responses((status = 201, body = GivenView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn add(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewOperator>,
) -> Answered<Response> {
    let made = (caller.actor(), keys.key(0));
    let added = this.operators.add((&new.name, new.role.into()), made, now()).await?;
    Ok(given(StatusCode::CREATED, &added))
}

fn which(id: &str) -> Answered<Which<'static>> {
    Ok(Which::Id(public_id(id, "operator")?))
}

/// Block an operator: all that they have open ends.
#[utoipa::path(
    post, path = "/admin/operators/{operatorId}/block", tag = "operators",
    params(("operatorId" = Uuid, Path)),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn block(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered<StatusCode> {
    this.operators.block(which(&id)?, operator(&caller)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let an operator in again who was blocked, locked, or not here for too long.
#[utoipa::path(
    post, path = "/admin/operators/{operatorId}/unblock", tag = "operators",
    params(("operatorId" = Uuid, Path)),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn unblock(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered<StatusCode> {
    this.operators.unblock(which(&id)?, operator(&caller), now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give an operator a new one-time password and a new second factor.
#[utoipa::path(
    post, path = "/admin/operators/{operatorId}/reset", tag = "operators",
    params(("operatorId" = Uuid, Path)),
    responses((status = 200, body = GivenView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn reset(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered<Response> {
    let reset = this.operators.reset(which(&id)?, operator(&caller), now()).await?;
    Ok(given(StatusCode::OK, &reset))
}

/// Another role for an operator.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::routes) struct NewRole {
    role: RoleName,
}

/// Give an operator another role: all that they have open ends.
#[utoipa::path(
    post, path = "/admin/operators/{operatorId}/role", tag = "operators",
    params(("operatorId" = Uuid, Path)), request_body = NewRole,
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn set_role(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(new): Body<NewRole>,
) -> Answered<StatusCode> {
    this.operators.set_role(which(&id)?, new.role.into(), operator(&caller)).await?;
    Ok(StatusCode::NO_CONTENT)
}
