//! A failed request as an answer: `application/problem+json` (RFC 9457) with a stable code. It owns
//! which code has which status; a body never says more than its problem does.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Problem;

/// What went wrong, for programs (`code`, `field`) and for people (`title`, `detail`).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "type": "urn:cardswitch:problem:not-found", "title": "Not Found", "status": 404,
    "code": "NOT_FOUND", "detail": "there is no such customer",
    "requestId": "9f3c1f2e-58a5-4d5e-9a0c-3f6f6a0c1b52"
}))]
pub struct ProblemBody {
    /// A name of the kind of problem: the code once more, as a URN.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// Stable: programs decide by it.
    pub code: String,
    /// What was wrong, and what to do.
    pub detail: String,
    /// The member of the request that it is about, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Names this request in our logs and in the audit.
    pub request_id: String,
}

impl ProblemBody {
    pub(super) fn new(status: StatusCode, problem: &Problem, request_id: &str) -> Self {
        Self {
            kind: format!(
                "urn:cardswitch:problem:{}",
                problem.code.to_ascii_lowercase().replace('_', "-")
            ),
            title: status.canonical_reason().unwrap_or("Failed").to_owned(),
            status: status.as_u16(),
            code: problem.code.to_owned(),
            detail: problem.detail.clone(),
            field: problem.field.clone(),
            request_id: request_id.to_owned(),
        }
    }
}

/// A problem on its way out of a handler or a layer. The outermost layer gives it its body, for it
/// alone knows the request's identifier.
#[derive(Clone, Debug)]
pub struct Failure {
    pub(super) problem: Problem,
    /// Seconds after which it may be tried again.
    pub(super) retry_after: Option<u64>,
}

impl Failure {
    /// May be tried again after so many seconds.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The problem.
    #[must_use]
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        // What passes by itself is worth another try soon.
        let passing = matches!(
            problem.code,
            "OVERLOADED"
                | "STOPPING"
                | "OUTCOME_UNKNOWN"
                | "UNAVAILABLE"
                | "PROCESSOR_UNAVAILABLE"
                | "SANDBOX_UNAVAILABLE"
                | "SECURITY_MODULE_UNAVAILABLE"
                | "HISTORY_TIMEOUT"
                | "REQUEST_IN_PROGRESS"
        );
        Self { problem, retry_after: passing.then_some(1) }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = status(self.problem.code).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The status of a code.
pub(super) fn status(code: &str) -> StatusCode {
    match code {
        "INVALID_REQUEST" | "INVALID_PUBLIC_KEY" | "INVALID_PAYLOAD" | "CANT_DECRYPT_PAYLOAD" => {
            StatusCode::BAD_REQUEST
        }
        "UNAUTHENTICATED" | "SESSION_EXPIRED" => StatusCode::UNAUTHORIZED,
        "FORBIDDEN" | "ENCRYPTION_REQUIRED" | "STEP_UP_REQUIRED" | "PASSWORD_CHANGE_REQUIRED" => {
            StatusCode::FORBIDDEN
        }
        "NOT_FOUND" => StatusCode::NOT_FOUND,
        "METHOD_NOT_ALLOWED" => StatusCode::METHOD_NOT_ALLOWED,
        "NOT_ACCEPTABLE" => StatusCode::NOT_ACCEPTABLE,
        "CONFLICT"
        | "CUSTOMER_NOT_VERIFIED"
        | "CORPORATION_NOT_APPROVED"
        | "REQUEST_IN_PROGRESS"
        | "INSUFFICIENT_FUNDS"
        | "BIN_RANGE_FULL"
        | "EXHAUSTED"
        | "PROCESSOR_REFUSED" => StatusCode::CONFLICT,
        "PRECONDITION_FAILED" => StatusCode::PRECONDITION_FAILED,
        "BODY_TOO_SLOW" => StatusCode::REQUEST_TIMEOUT,
        "BODY_TOO_LARGE" => StatusCode::PAYLOAD_TOO_LARGE,
        "UNSUPPORTED_MEDIA_TYPE" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "IDEMPOTENCY_KEY_REUSED" => StatusCode::UNPROCESSABLE_ENTITY,
        "PRECONDITION_REQUIRED" => StatusCode::PRECONDITION_REQUIRED,
        "TOO_MANY_REQUESTS" => StatusCode::TOO_MANY_REQUESTS,
        "OVERLOADED"
        | "STOPPING"
        | "OUTCOME_UNKNOWN"
        | "AUDIT_UNAVAILABLE"
        | "UNAVAILABLE"
        | "PROCESSOR_UNAVAILABLE"
        | "SANDBOX_UNAVAILABLE"
        | "SECURITY_MODULE_UNAVAILABLE"
        | "HISTORY_TIMEOUT" => StatusCode::SERVICE_UNAVAILABLE,
        "SANDBOX_TIMEOUT" => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The problem of a body that did not come whole: too long, or not what its head says.
pub(super) fn unread(error: &axum::Error) -> Failure {
    let source = std::error::Error::source(error);
    let too_long =
        source.is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
    let status = if too_long { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
    of_status(status).into()
}

/// The problem of a status that no handler of ours gave: the router's own refusals, and limits.
pub(super) fn of_status(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::not_found("there is nothing at this path"),
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::new("METHOD_NOT_ALLOWED", "this path does not have this method; see `Allow`")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new("BODY_TOO_LARGE", "the body is longer than this service takes")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::new("UNSUPPORTED_MEDIA_TYPE", "the body must be application/json")
        }
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            Problem::invalid("the request cannot be read")
        }
        _ => Problem::new("INTERNAL", "the service failed; its log says why"),
    }
}
