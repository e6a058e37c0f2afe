//! How pages ask: `/admin` itself, in this process, in the name of a session. It owns how long an
//! answer may be; what may be asked, and what is recorded of it, is settled behind it.

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt;
use zeroize::Zeroizing;

use crate::call::Call;
use crate::refused::Refused;
use crate::session::Token;

/// The longest answer that a page is made of, in bytes: documents of corporations are the longest.
pub const MOST_OF_AN_ANSWER: usize = 16 * 1024 * 1024;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Where pages ask. Cloning gives another handle.
#[derive(Clone)]
pub(crate) struct Desk {
    admin: Router,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// As what the document of `/admin` says it is.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        let body: &[u8] = if self.body.is_empty() { b"null" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| {
            tracing::error!(%error, "a page cannot read what /admin answered");
            Refused::ours(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "this page failed")
        })
    }

    /// The version of what was read, for who changes it.
    pub(crate) fn version(&self) -> String {
        let tag = self.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
        tag.unwrap_or_default().to_owned()
    }
}

/// What is sent along.
#[derive(Default)]
pub(crate) struct Brought<'a> {
    pub(crate) body: Option<&'a Value>,
    /// Under which it is done once.
    pub(crate) key: Option<HeaderValue>,
    /// The version that it is a change of.
    pub(crate) version: Option<&'a str>,
}

impl Desk {
    pub(crate) const fn new(admin: Router) -> Self {
        Self { admin }
    }

    /// Asks in the name of a session, or of nobody.
    pub(crate) async fn ask(
        &self,
        (token, origin): (Option<&Token>, SocketAddr),
        call: &Call,
        brought: Brought<'_>,
    ) -> Result<Answer, Refused> {
        let request = request((token, origin), call, brought)?;
        let response = match self.admin.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        answer(response).await
    }
}

fn request(
    (token, origin): (Option<&Token>, SocketAddr),
    call: &Call,
    brought: Brought<'_>,
) -> Result<Request<Body>, Refused> {
    let Brought { body, key, version } = brought;
    let mut request = Request::builder().method(call.method.clone()).uri(call.target());
    if let Some(token) = token {
        let bearer = Zeroizing::new(format!("Bearer {}", token.expose()));
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| Refused::unreadable())?;
        bearer.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, bearer);
    }
    if let Some(key) = key {
        request = request.header(IDEMPOTENCY_KEY, key);
    }
    if let Some(version) = version {
        request = request.header(header::IF_MATCH, version);
    }
    let body = match body {
        Some(body) => {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    let request = request.extension(ConnectInfo(origin)).body(body);
    request.map_err(|_| Refused::unreadable())
}

async fn answer(response: Response<Body>) -> Result<Answer, Refused> {
    let (parts, body) = response.into_parts();
    let read = Limited::new(body, MOST_OF_AN_ANSWER).collect().await;
    let body = read.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    if parts.status.is_success() {
        return Ok(Answer { headers: parts.headers, body });
    }
    Err(Refused::of(parts.status, &parts.headers, &body))
}
