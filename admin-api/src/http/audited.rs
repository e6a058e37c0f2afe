//! Acts leave records: one before, one after; and one where an answer that was kept is given again.
//! It owns which requests are acts, and that one whose record cannot be made is not done.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp as Now;
use switch_domain::Timestamp;

use super::caller::Caller;
use super::failure::Failure;
use super::finish::RequestId;
use crate::Problem;
use crate::service::audit::{AuditSink, Entry, Outcome};

/// Put on the answer of a request that made something: what is audited as its object.
#[derive(Clone, Debug)]
pub struct Made(pub String);

/// Where the record of a request comes from.
type Around = (ConnectInfo<SocketAddr>, Extension<Caller>, Extension<RequestId>);

/// The layer around everything that changes something.
pub async fn audited(
    State(sink): State<AuditSink>,
    around: Around,
    request: Request,
    next: Next,
) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    record(&sink, around, request, next).await
}

/// The layer around reads of card data: each is recorded (P-21).
pub async fn read_audited(
    State(sink): State<AuditSink>,
    around: Around,
    request: Request,
    next: Next,
) -> Response {
    record(&sink, around, request, next).await
}

async fn record(sink: &AuditSink, around: Around, request: Request, next: Next) -> Response {
    let (ConnectInfo(address), Extension(caller), Extension(id)) = around;
    // Where no route is there is nothing to be done.
    let Some(path) = request.extensions().get::<MatchedPath>().cloned() else {
        return next.run(request).await;
    };
    let begun = entry((&address, &caller, &id), &path, &request);
    let mut ended = begun.clone();
    if let Err(problem) = sink.add(begun).await {
        return Failure::from(problem).into_response();
    }
    let response = next.run(request).await;
    ended.at = now();
    ended.outcome = outcome_of(response.status());
    ended.code = code_of(&response);
    if let Some(Made(object)) = response.extensions().get::<Made>() {
        ended.object.clone_from(object);
    }
    // Where its end cannot be recorded, that it began is: the answer says that nobody knows.
    match sink.add(ended).await {
        Ok(()) => response,
        Err(problem) => Failure::from(problem).into_response(),
    }
}

/// Of a request that is about to be done.
fn entry(
    (address, caller, id): (&SocketAddr, &Caller, &RequestId),
    path: &MatchedPath,
    request: &Request,
) -> Entry {
    Entry {
        at: now(),
        actor: caller.actor().as_str().to_owned(),
        act: format!("{} {}", request.method(), path.as_str()),
        outcome: Outcome::Begun,
        origin: address.ip().to_canonical().to_string(),
        object: request.uri().path().to_owned(),
        request_id: id.0.clone(),
        code: None,
    }
}

/// The record of an answer of before that is given again, when nothing is done.
pub(super) fn repeated(
    around: (&SocketAddr, &Caller, &RequestId),
    request: &Request,
) -> Result<Entry, Problem> {
    let Some(path) = request.extensions().get::<MatchedPath>() else {
        return Err(Problem::internal("recording a repeat", &"the request has no route"));
    };
    Ok(Entry { outcome: Outcome::Repeated, ..entry(around, path, request) })
}

fn outcome_of(status: StatusCode) -> Outcome {
    match status.as_u16() {
        200..=399 => Outcome::Done,
        400..=499 => Outcome::Refused,
        _ => Outcome::Failed,
    }
}

fn code_of(response: &Response) -> Option<String> {
    Some(response.extensions().get::<Failure>()?.problem().code.to_owned())
}

/// The time of requests.
pub(crate) fn now() -> Timestamp {
    Timestamp(Now::now().as_microsecond())
}
