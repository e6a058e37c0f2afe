//! Encryption around a route (SR-060 to SR-073): the body that came is opened, the answer that goes
//! is sealed. It owns where in a call that is done; tokens and rules are `jwe`'s.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::audited::now;
use super::caller::Caller;
use super::failure::{Failure, of_status, unread};
use crate::jwe::{
    Asked, EncryptionProblem, Jwe, JweError, OpenPolicy, PartnerKey, PartnerRule, Payload,
    RequestBody, Requirement, envelope, negotiate, token_of,
};
use crate::service::Call;
use crate::{OpenedTokens, PartnerKeys, Problem};

const ENCRYPTED_REQUEST: HeaderName = HeaderName::from_static("encrypted-request");
const ENCRYPT_RESPONSE: HeaderName = HeaderName::from_static("encrypt-response");
const PUBLIC_KEY: HeaderName = HeaderName::from_static("public-key");
/// The longest answer that is sealed: ours are far shorter.
const LONGEST_ANSWER: usize = 32 * 1024 * 1024;

/// What the layer works with.
#[derive(Clone)]
pub struct Encryption {
    /// Keys, and room for the work.
    pub jwe: Arc<Jwe>,
    /// Which tokens are taken.
    pub policy: OpenPolicy,
    /// Whose keys answers are encrypted to; without it, to the one in the request.
    pub partners: Option<PartnerKeys>,
    /// Which tokens came with which call; without it, any comes with any.
    pub tokens: Option<OpenedTokens>,
    /// What its routes need.
    pub requirement: Requirement,
    /// Those of them that need more.
    pub operations: &'static [NeedsEncryption],
    /// The longest body.
    pub body_limit: usize,
    /// In which time it comes.
    pub body_within: Duration,
}

/// An operation, and what it needs.
#[derive(Clone, Copy, Debug)]
pub struct NeedsEncryption {
    /// The method.
    pub method: &'static str,
    /// The path, as the document has it.
    pub path: &'static str,
    /// What it needs.
    pub requirement: Requirement,
}

/// Put on an answer that has card data in it: it goes encrypted, or not at all.
#[derive(Clone, Copy, Debug)]
pub struct Sealed;

/// The layer around routes.
pub async fn encrypted(
    State(this): State<Arc<Encryption>>,
    request: Request,
    next: Next,
) -> Response {
    match through(&this, request, next).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    }
}

async fn through(this: &Encryption, request: Request, next: Next) -> Result<Response, Failure> {
    let (mut parts, body) = request.into_parts();
    let reading = timeout(this.body_within, to_bytes(body, this.body_limit)).await;
    let slow = "the body did not come in time";
    let bytes = reading
        .map_err(|_| Problem::new("BODY_TOO_SLOW", slow))?
        .map_err(|error| unread(&error))?;
    let headers = [ENCRYPTED_REQUEST, ENCRYPT_RESPONSE, PUBLIC_KEY];
    let [request_flag, response_flag, key] = headers.map(|name| joined(&parts.headers, &name));
    let asked = Asked {
        encrypted_request: request_flag.as_deref(),
        encrypt_response: response_flag.as_deref(),
        public_key: key.as_deref(),
        method: parts.method.as_str(),
        has_body: !bytes.is_empty(),
    };
    let rule = rule(this, parts.extensions.get(), &asked).await?;
    let requirement = requirement(this, &parts);
    let negotiated = negotiate(&asked, requirement, &rule).map_err(Problem::from)?;
    let bytes = match negotiated.request {
        RequestBody::Plain => bytes,
        RequestBody::Encrypted => {
            let token = token_of(&bytes).map_err(Problem::from)?;
            let opened = this.jwe.open(&token, &this.policy, now()).await.map_err(told)?;
            belongs(this, &token, &parts).await?;
            parts.headers.remove(header::CONTENT_LENGTH);
            Bytes::from_owner(Opened(opened))
        }
    };
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    match negotiated.response.key_for(response.status().as_u16()) {
        Some(key) => sealed(&this.jwe, key.clone(), response).await,
        None if response.extensions().get::<Sealed>().is_some() => {
            Err(Problem::from(EncryptionProblem::EncryptionRequired).into())
        }
        None => Ok(response),
    }
}

/// What the operation needs.
fn requirement(this: &Encryption, parts: &Parts) -> Requirement {
    let Some(path) = parts.extensions.get::<MatchedPath>() else { return this.requirement };
    let method = if parts.method == Method::HEAD { "GET" } else { parts.method.as_str() };
    let of = |one: &&NeedsEncryption| one.method == method && one.path == path.as_str();
    this.operations.iter().find(of).map_or(this.requirement, |one| one.requirement)
}

/// A token that was part of another call was captured, by whoever sends it now or by whom they have
/// it from. They are told what those are told whose token does not open.
async fn belongs(this: &Encryption, token: &str, parts: &Parts) -> Result<(), Problem> {
    let Some(tokens) = &this.tokens else { return Ok(()) };
    if tokens.belongs(token, &call_of(parts)).await? {
        return Ok(());
    }
    metrics::counter!("cardswitch_jwe_refused_total", "stage" => "call").increment(1);
    tracing::warn!("a token came again with another call: it was captured somewhere");
    Err(EncryptionProblem::CantDecryptPayload.into())
}

/// Who calls what. The lengths stand between, so that no two calls make the same text.
fn call_of(parts: &Parts) -> Call {
    let caller = parts.extensions.get::<Caller>().map(Caller::scope).unwrap_or_default();
    let mut hash = Sha256::new();
    for text in [caller.as_str(), parts.method.as_str(), parts.uri.path()] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}

/// Whose key the answer is encrypted to, if it is to be: otherwise it makes no difference.
async fn rule(
    this: &Encryption,
    caller: Option<&Caller>,
    asked: &Asked<'_>,
) -> Result<PartnerRule, Problem> {
    let yes = Some("true");
    let needed = asked.encrypted_request == yes || asked.encrypt_response == yes;
    // The rule of a partner is that of its customers' apps too: who has stolen a session reads
    // nothing with a key of their own (J-07).
    match (&this.partners, caller.and_then(Caller::partner)) {
        (Some(keys), Some(partner)) if needed => keys.rule(partner, now()).await,
        _ => Ok(PartnerRule::KeyInRequest),
    }
}

/// Wiped when the last of the body is dropped.
struct Opened(Payload);

impl AsRef<[u8]> for Opened {
    fn as_ref(&self) -> &[u8] {
        self.0.json()
    }
}

async fn sealed(jwe: &Jwe, key: Arc<PartnerKey>, response: Response) -> Result<Response, Failure> {
    let (mut parts, body) = response.into_parts();
    let plain = to_bytes(body, LONGEST_ANSWER)
        .await
        .map_err(|_| Failure::from(of_status(StatusCode::INTERNAL_SERVER_ERROR)))?;
    if plain.is_empty() {
        return Ok(Response::from_parts(parts, Body::empty()));
    }
    let token = jwe.seal(key, Zeroizing::new(plain.to_vec())).await.map_err(told)?;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(Response::from_parts(parts, Body::from(envelope(&token))))
}

fn told(error: JweError) -> Problem {
    match error {
        JweError::Refused(problem) => problem.into(),
        JweError::Pool(error) => Problem::new("OVERLOADED", error.to_string()),
        JweError::Seal(error) => Problem::internal("encrypting an answer", &error),
    }
}

/// Values of a header that came several times are one, with commas; what is no text is none of the
/// values that are taken.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?"));
    let values: Vec<&str> = values.collect();
    (!values.is_empty()).then(|| values.join(","))
}
