//! What a person sees where something was refused. It owns that they are told what was wrong and
//! what to do, in the words of `/admin`, and that who has no session is asked to sign in.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::page::{Framed, Page};

/// Something that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) code: Box<str>,
    pub(crate) detail: Box<str>,
    field: Option<Box<str>>,
    request_id: Option<Box<str>>,
    retry_after: Option<Box<str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    code: Box<str>,
    detail: Box<str>,
    field: Option<Box<str>>,
    request_id: Option<Box<str>>,
}

impl Refused {
    /// By the panel itself.
    pub(crate) fn ours(status: StatusCode, code: &str, detail: &str) -> Self {
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
            field: None,
            request_id: None,
            retry_after: None,
        }
    }

    /// What was typed cannot stand in a request.
    pub(crate) fn unreadable() -> Self {
        Self::ours(StatusCode::BAD_REQUEST, "INVALID", "what was typed cannot be sent: look at it")
    }

    /// Of a form, a member of it.
    pub(crate) fn of_member(field: &str, detail: &str) -> Self {
        let field = Some(field.into());
        Self { field, ..Self::ours(StatusCode::BAD_REQUEST, "INVALID", detail) }
    }

    pub(crate) fn not_found() -> Self {
        Self::ours(StatusCode::NOT_FOUND, "NOT_FOUND", "there is no such page")
    }

    /// By `/admin`.
    pub(crate) fn of(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let retry_after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(Box::from);
        match serde_json::from_slice::<Said>(body) {
            Ok(Said { code, detail, field, request_id }) => {
                Self { status, code, detail, field, request_id, retry_after }
            }
            Err(_) => {
                Self { retry_after, ..Self::ours(status, "FAILED", "this cannot be done now") }
            }
        }
    }

    /// Whether whoever asked has to sign in first.
    pub(crate) fn wants_session(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    /// Whether nothing is done before they have chosen a password.
    pub(crate) fn wants_password(&self) -> bool {
        &*self.code == "PASSWORD_CHANGE_REQUIRED"
    }

    /// In words.
    pub(crate) fn says(&self) -> String {
        let of = self.field.as_deref().map(|field| format!(" ({field})")).unwrap_or_default();
        let again = self.retry_after.as_deref();
        let again = again.map(|s| format!(" Try again in {s} s.")).unwrap_or_default();
        format!("{}{of}.{again}", self.detail.trim_end_matches('.'))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        if self.wants_session() {
            return Redirect::to("/panel/sign-in?again=1").into_response();
        }
        if self.wants_password() {
            return Redirect::to("/panel/password").into_response();
        }
        let title = match self.status {
            StatusCode::FORBIDDEN => "Not allowed",
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => {
                "Not done: it is otherwise now"
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "Try again shortly",
            status if status.is_server_error() => "Failed",
            _ => "Not done",
        };
        let id = self.request_id.as_deref();
        let id = id.map(|id| format!("Request {id}, code {}.", self.code)).unwrap_or_default();
        let page = Page::new(title).warning(self.says()).note(id).back();
        Framed::alone(page).with_status(self.status)
    }
}
