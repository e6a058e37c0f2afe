//! Connections of a simulated provider: HTTP/1.1 over TLS. Must end a connection where it is told
//! to, and never because of what came in it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::answer::{bent, written};
use super::conduct::{Conduct, Verdict};
use super::provider::Shared;
use super::question::{QUESTION_MOST, read};
use crate::http_answer::{Sent, with_status};

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves one until it ends.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    let shaken = tokio::time::timeout(PATIENCE, shared.handshake.shake(stream)).await;
    let Ok(Ok(wire)) = shaken else {
        return shared.count(|tally| tally.refused += 1);
    };
    shared.count(|tally| tally.connections += 1);
    let service = service_fn(|request| answer(&shared, request));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    // Whoever is cut off sees it; here nobody has to be told.
    let _ = http.serve_connection(TokioIo::new(wire), service).await;
}

/// An error ends the connection without an answer.
async fn answer(shared: &Shared, request: Request<Incoming>) -> io::Result<Sent> {
    let (parts, body) = request.into_parts();
    let wrong = |status| {
        shared.count(|tally| tally.wrong += 1);
        Ok(with_status(status, "{}".into()))
    };
    if !may_ask(shared, &parts.headers) {
        return wrong(StatusCode::UNAUTHORIZED);
    }
    if parts.method != Method::POST {
        return wrong(StatusCode::METHOD_NOT_ALLOWED);
    }
    let Ok(body) = Limited::new(body, QUESTION_MOST).collect().await else {
        return wrong(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let key = parts.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let Some(question) = read(&body.to_bytes(), key) else {
        return wrong(StatusCode::BAD_REQUEST);
    };
    let conduct = shared.next();
    let before = shared.count(|tally| tally.asked(&question.inquiry));
    let verdict = match conduct {
        Some(Conduct::Say(verdict)) => verdict,
        _ => Verdict::of(&question.family_name),
    };
    let (outcome, text) = written(&question.inquiry, verdict, before);
    if let Some(Conduct::Late(by)) = conduct {
        tokio::time::sleep(by).await;
    }
    let said = match conduct {
        None | Some(Conduct::Say(_) | Conduct::Late(_)) => outcome,
        Some(_) => "FAULT",
    };
    shared.count(|tally| tally.answered(said));
    bent(conduct, text).ok_or_else(|| io::Error::other("cut off, as told"))
}

fn may_ask(shared: &Shared, headers: &HeaderMap) -> bool {
    let Some(secret) = &shared.secret else { return true };
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    sent.and_then(|text| text.strip_prefix("Bearer ")) == Some(secret)
}
