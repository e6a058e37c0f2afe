//! The outermost layer: every answer gets the request's identifier, headers that keep browsers and
//! caches from harm, and, where it is a failure, its body. It owns that no failure leaves without a
//! stable code, and that nothing of a panic reaches the caller.

use std::panic::AssertUnwindSafe;

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use uuid::Uuid;

use super::failure::{Failure, ProblemBody, of_status};
use crate::Problem;

/// Names one request: drawn by us, and sent back in `X-Request-Id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Headers of every answer. What the API says is for its caller alone: it is never kept, framed,
/// sniffed, or run.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
];

/// The layer; it goes around all others.
pub async fn finish(mut request: Request, next: Next) -> Response {
    let id = RequestId(Uuid::new_v4().to_string());
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let started = std::time::Instant::now();
    // What unwinds here is a defect of ours: the caller learns that, and no more.
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let response = answered.unwrap_or_else(|_| {
        metrics::counter!("cardswitch_api_panics_total").increment(1);
        tracing::error!(request = id.0, "a handler of the management API panicked");
        Failure::from(Problem::new("INTERNAL", "the service failed; its log says why"))
            .into_response()
    });
    let mut response = with_body(response, &id);
    if let Some(failure) = response.extensions().get::<Failure>() {
        let code = failure.problem.code;
        metrics::counter!("cardswitch_api_problems_total", "code" => code).increment(1);
    }
    let status = response.status().as_u16().to_string();
    let labels = [("method", method.to_string()), ("status", status)];
    metrics::histogram!("cardswitch_api_request_seconds", &labels).record(started.elapsed());
    put_headers(response.headers_mut(), &id);
    response
}

/// A failure with its body. What already has one of ours (an answer that is repeated) keeps it.
pub(super) fn with_body(response: Response, id: &RequestId) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let failure = match response.extensions().get::<Failure>() {
        Some(failure) => failure.clone(),
        None if is_problem(response.headers()) => return response,
        None => Failure::from(of_status(status)),
    };
    let body = ProblemBody::new(status, &failure.problem, &id.0);
    let mut named = (status, Json(body)).into_response();
    let form = HeaderValue::from_static("application/problem+json");
    named.headers_mut().insert(header::CONTENT_TYPE, form);
    for name in [header::ALLOW, header::WWW_AUTHENTICATE] {
        if let Some(value) = response.headers().get(&name) {
            named.headers_mut().insert(name, value.clone());
        }
    }
    if let Some(seconds) = failure.retry_after {
        named.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    named.extensions_mut().insert(failure);
    named
}

fn is_problem(headers: &HeaderMap) -> bool {
    let form = headers.get(header::CONTENT_TYPE).and_then(|form| form.to_str().ok());
    form.is_some_and(|form| form.starts_with("application/problem+json"))
}

fn put_headers(headers: &mut HeaderMap, id: &RequestId) {
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, value);
    }
}
