//! Requests that may be sent again. It owns which header carries the key, which answers are kept,
//! and that a request that was begun is ended though its caller went away; keeping is the
//! service's.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use switch_domain::IdempotencyKey;
use uuid::Uuid;

use super::audited::repeated;
use super::caller::Caller;
use super::failure::{Failure, of_status, unread};
use super::finish::{RequestId, with_body};
use super::uploads::Place;
use crate::Problem;
use crate::service::audit::{AuditSink, Entry};
use crate::service::{Answers, Claimed, KeptAnswer, RequestDigest, Scope};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The seed's own name for it.
const OTHER_KEY: HeaderName = HeaderName::from_static("x-idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The longest key.
const LONGEST_KEY: usize = 255;
/// The longest answer that is kept: ours are far shorter.
const LONGEST_ANSWER: usize = 256 * 1024;

/// Under which keys a handler gives commands: the same for the same request sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idempotency(Scope);

impl Idempotency {
    /// The key of a command; where a request gives several, each has its own step.
    #[must_use]
    pub fn key(&self, step: u8) -> IdempotencyKey {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update([step]);
        let mut key = [0; 16];
        for (slot, byte) in key.iter_mut().zip(hash.finalize()) {
            *slot = byte;
        }
        IdempotencyKey(key)
    }
}

/// Put on a request of which nothing is kept, and whose key names what it makes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named(Scope);

impl Named {
    /// Of a key that came with it.
    pub(super) fn by(caller: &Caller, place: (&Method, &Uri), key: &str) -> Self {
        Self(scope_of(caller, place, key))
    }
}

/// Put on an answer that carries a secret: it is not kept, and a repeat is done again.
#[derive(Clone, Copy, Debug)]
pub struct Secret;

/// What the layer works with.
#[derive(Clone, Debug)]
pub struct Repeats {
    /// The kept answers.
    pub answers: Answers,
    /// The longest body of a request.
    pub body_limit: usize,
    /// Where is recorded that one is given again.
    pub audit: AuditSink,
}

/// The layer around everything, behind the channel. Of a POST with a key the answer is kept.
/// Without one a request is done once and nothing is kept.
pub async fn idempotent(
    State(kept): State<Arc<Repeats>>,
    ConnectInfo(origin): ConnectInfo<SocketAddr>,
    Extension(caller): Extension<Caller>,
    Extension(id): Extension<RequestId>,
    request: Request,
    next: Next,
) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    // Whoever begins something ends it, whether or not somebody still waits for the answer.
    let doing = tokio::spawn(async move {
        // Of a long body the place is its own until it is done.
        let _place = request.extensions().get::<Arc<Place>>().cloned();
        if request.method() != Method::POST {
            return next.run(request).await;
        }
        let (mut parts, body) = request.into_parts();
        let scope = match key_of(&parts.headers) {
            Ok(Some(key)) => scope_of(&caller, (&parts.method, &parts.uri), &key),
            Ok(None) => {
                let named = parts.extensions.get::<Named>();
                let scope = named.map_or_else(random_scope, |Named(scope)| *scope);
                parts.extensions.insert(Idempotency(scope));
                return next.run(Request::from_parts(parts, body)).await;
            }
            Err(problem) => return Failure::from(problem).into_response(),
        };
        match to_bytes(body, kept.body_limit).await {
            Ok(body) => {
                parts.extensions.insert(Idempotency(scope));
                let digest = digest_of(&parts, &body);
                let request = Request::from_parts(parts, Body::from(body));
                once(&kept, (&scope, &digest), (&origin, &caller, &id), request, next).await
            }
            Err(error) => unread(&error).into_response(),
        }
    });
    doing.await.unwrap_or_else(|_| {
        Failure::from(of_status(StatusCode::INTERNAL_SERVER_ERROR)).into_response()
    })
}

async fn once(
    Repeats { answers, audit, .. }: &Repeats,
    (scope, digest): (&Scope, &RequestDigest),
    around: (&SocketAddr, &Caller, &RequestId),
    request: Request,
    next: Next,
) -> Response {
    let claim = match answers.claim(scope, digest).await {
        Ok(Claimed::Ours(claim)) => claim,
        Ok(Claimed::Answered(kept)) => {
            return match repeated(around, &request) {
                Ok(entry) => told_again(audit, entry, kept).await,
                Err(problem) => Failure::from(problem).into_response(),
            };
        }
        Ok(Claimed::InProgress) => {
            let what =
                "a request with this idempotency key is being done: ask again for its answer";
            return Failure::from(Problem::new("REQUEST_IN_PROGRESS", what)).into_response();
        }
        Ok(Claimed::OtherRequest) => {
            let what = "this idempotency key was used for another request: use a new one";
            return Failure::from(Problem::new("IDEMPOTENCY_KEY_REUSED", what)).into_response();
        }
        Err(problem) => return Failure::from(problem).into_response(),
    };
    let (_, _, id) = around;
    let response = with_body(next.run(request).await, id);
    if !is_kept(&response) {
        if let Err(error) = answers.give_up(scope, claim).await {
            tracing::warn!(%error, "an idempotency key is free only when its claim has run out");
        }
        return response;
    }
    keep(answers, scope, claim, response).await
}

/// What was decided is kept. What was wrong with the request, its caller or us is not: the same
/// key may be sent with the request mended. Nor is what says to come again.
fn is_kept(response: &Response) -> bool {
    let decided = response.status().is_success() || response.status() == StatusCode::CONFLICT;
    decided && !response.headers().contains_key(header::RETRY_AFTER)
}

async fn keep(answers: &Answers, scope: &Scope, claim: Uuid, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_ANSWER).await else {
        tracing::error!("an answer of the management API is longer than what can be kept");
        return Failure::from(of_status(StatusCode::INTERNAL_SERVER_ERROR)).into_response();
    };
    let text = |name| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
    let secret = parts.extensions.get::<Secret>().is_some();
    let kept = KeptAnswer {
        status: parts.status.as_u16(),
        content_type: text(header::CONTENT_TYPE),
        etag: text(header::ETAG),
        location: text(header::LOCATION),
        body: (!secret).then(|| body.to_vec()),
    };
    if let Err(error) = answers.keep(scope, claim, &kept).await {
        tracing::warn!(%error, "an answer is not kept: its request would be done again");
    }
    Response::from_parts(parts, Body::from(body))
}

/// What cannot be recorded is not told either.
async fn told_again(audit: &AuditSink, entry: Entry, kept: KeptAnswer) -> Response {
    match audit.add(entry).await {
        Ok(()) => again(kept),
        Err(problem) => Failure::from(problem).into_response(),
    }
}

fn again(kept: KeptAnswer) -> Response {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, kept.body.unwrap_or_default()).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, text) in [
        (header::CONTENT_TYPE, kept.content_type),
        (header::ETAG, kept.etag),
        (header::LOCATION, kept.location),
    ] {
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// The key of a request, under either name.
pub(super) fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut found: Option<String> = None;
    for value in [KEY, OTHER_KEY].iter().flat_map(|name| headers.get_all(name)) {
        // A tab may stand in a header, and in no key.
        let fits = |key: &&str| (1..=LONGEST_KEY).contains(&key.len()) && !key.contains('\t');
        let key = value.to_str().ok().filter(fits);
        let Some(key) = key else {
            let what = format!("an idempotency key has 1 to {LONGEST_KEY} printable characters");
            return Err(Problem::field(KEY.as_str(), what));
        };
        if found.as_deref().is_some_and(|before| before != key) {
            let what = "Idempotency-Key and X-Idempotency-Key differ: send one";
            return Err(Problem::field(KEY.as_str(), what));
        }
        found = Some(key.to_owned());
    }
    Ok(found)
}

/// The lengths stand between, so that no two requests make the same text.
fn scope_of(caller: &Caller, (method, uri): (&Method, &Uri), key: &str) -> Scope {
    let scope = caller.scope();
    digest(&[scope.as_bytes(), method.as_str().as_bytes(), uri.path().as_bytes(), key.as_bytes()])
}

fn digest_of(parts: &Parts, body: &[u8]) -> RequestDigest {
    digest(&[parts.uri.query().unwrap_or_default().as_bytes(), body])
}

fn digest(texts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}

fn random_scope() -> Scope {
    digest(&[Uuid::new_v4().as_bytes(), Uuid::new_v4().as_bytes()])
}
