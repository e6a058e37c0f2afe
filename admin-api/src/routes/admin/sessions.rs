//! `/admin/sessions` and `/admin/password`: an operator's own way in.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::super::Answered;
use super::super::problems::{ChangeProblems, Problems};
use super::super::served::{Panel, written};
use super::operators::RoleName;
use crate::http::{Body, Failure, Made, Secret, now};
use crate::operators::{NotSignedIn, Opened, OperatorPassword, OperatorSession, SignIn, TypedCode};

/// What an operator signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "ada", "password": "correct horse 7 battery", "code": "287082"
}))]
pub(in crate::routes) struct Credentials {
    #[schema(max_length = 32)]
    name: String,
    #[schema(max_length = 256, format = Password)]
    password: String,
    /// What the authenticator application shows.
    #[schema(pattern = "^[0-9]{6}$")]
    code: String,
}

/// A change of password.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::routes) struct PasswordChange {
    #[schema(max_length = 256, format = Password)]
    current_password: String,
    /// As many characters as the configuration says, at least 12; none of the latest.
    #[schema(min_length = 12, max_length = 256, format = Password)]
    new_password: String,
}

/// A session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct SessionView {
    operator_id: Uuid,
    name: String,
    role: RoleName,
    /// Nothing else is served before a password was chosen.
    must_change_password: bool,
    /// When it ends, however it is used; unused it ends earlier.
    #[schema(format = DateTime)]
    ends_at: String,
}

/// A session that was opened.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct OpenedSession {
    /// Sent with every request: `Authorization: Bearer`. It is told once.
    token: String,
    #[serde(flatten)]
    session: SessionView,
}

impl From<&OperatorSession> for SessionView {
    fn from(session: &OperatorSession) -> Self {
        Self {
            operator_id: session.operator,
            name: session.name.clone(),
            role: session.role.into(),
            must_change_password: session.must_change,
            ends_at: written(session.ends_at),
        }
    }
}

fn opened(status: StatusCode, opened: &Opened) -> Response {
    let session = SessionView::from(&opened.session);
    let view = OpenedSession { token: opened.token.expose().to_owned(), session };
    let mut response = (status, Json(view)).into_response();
    response.extensions_mut().insert(Secret);
    response
}

/// Sign in.
///
/// Name, password and code, all right or nothing: which of them was wrong is not told. A code is
/// taken once.
#[utoipa::path(
    post, path = "/admin/sessions", tag = "sessions", request_body = Credentials, security(()),
    responses((status = 201, body = OpenedSession), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn sign_in(
    State(this): State<Panel>,
    Body(typed): Body<Credentials>,
) -> Response {
    let asks = SignIn {
        name: typed.name,
        password: OperatorPassword::typed(Zeroizing::new(typed.password)),
        code: TypedCode::new(Zeroizing::new(typed.code)),
    };
    let (mut response, who) = match this.operators.sign_in(asks, now()).await {
        Ok(session) => (opened(StatusCode::CREATED, &session), Some(session.session.operator)),
        Err(NotSignedIn { tried, problem }) => (Failure::from(problem).into_response(), tried),
    };
    // The audit says under whose name somebody tried; the answer does not.
    if let Some(operator) = who {
        response.extensions_mut().insert(Made(format!("/admin/operators/{operator}")));
    }
    response
}

/// Read whose session this is.
#[utoipa::path(
    get, path = "/admin/sessions/current", tag = "sessions",
    responses((status = 200, body = SessionView), Problems)
)]
pub(in crate::routes) async fn current(
    Extension(session): Extension<OperatorSession>,
) -> Json<SessionView> {
    Json(SessionView::from(&session))
}

/// Sign out.
#[utoipa::path(
    delete, path = "/admin/sessions/current", tag = "sessions",
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn sign_out(
    State(this): State<Panel>,
    Extension(session): Extension<OperatorSession>,
) -> Answered<StatusCode> {
    this.operators.sign_out(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change one's own password.
///
/// All sessions of before end; the one that is answered takes their place, and ends when the one
/// that asked would have.
#[utoipa::path(
    post, path = "/admin/password", tag = "sessions", request_body = PasswordChange,
    responses((status = 200, body = OpenedSession), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn change_password(
    State(this): State<Panel>,
    Extension(session): Extension<OperatorSession>,
    Body(change): Body<PasswordChange>,
) -> Answered<Response> {
    let typed = |text: String| OperatorPassword::typed(Zeroizing::new(text));
    let change = (typed(change.current_password), typed(change.new_password));
    let changed = this.operators.change_password(&session, change, now()).await?;
    Ok(opened(StatusCode::OK, &changed))
}
