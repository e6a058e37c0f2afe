//! Connections of a simulated processor: HTTP/1.1 over TLS. Must end a connection where it is told
//! to, and never because of what came in it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderValue, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::book::{Given, Refusal};
use super::conduct::Conduct;
use super::listen::Shared;
use super::question::{Order, QUESTION_MOST, Question};
use super::seal::sealed;
use crate::http_answer::{Sent, half, with_status};

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// A reference that nobody gave.
const NOBODYS: &str = "00000000-0000-4000-8000-000000000000";

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
    if parts.method != Method::POST {
        return wrong(StatusCode::METHOD_NOT_ALLOWED);
    }
    let Ok(body) = Limited::new(body, QUESTION_MOST).collect().await else {
        return wrong(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let key = parts.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let Some(question) = Question::read(parts.uri.path(), &body.to_bytes(), key) else {
        return wrong(StatusCode::BAD_REQUEST);
    };
    let conduct = shared.next();
    shared.count(|tally| tally.questions += 1);
    if let Some(sent) = undone(shared, conduct) {
        return Ok(sent);
    }
    let text = match done(shared, &question, conduct) {
        Ok(text) => text,
        Err((status, code)) => {
            shared.count(|tally| tally.answered("REFUSED"));
            return Ok(refused(status, code));
        }
    };
    match conduct {
        Some(Conduct::Late(by)) => tokio::time::sleep(by).await,
        Some(Conduct::Silent) => std::future::pending().await,
        _ => {}
    }
    shared.count(|tally| tally.answered(if conduct.is_none() { "DONE" } else { "FAULT" }));
    bent(conduct, &question, text).ok_or_else(|| io::Error::other("cut off, as told"))
}

/// What is sent where nothing is done.
fn undone(shared: &Shared, conduct: Option<Conduct>) -> Option<Sent> {
    let sent = match conduct {
        Some(Conduct::Refuse) => refused(422, "CARD_NOT_ALLOWED"),
        Some(Conduct::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
            with_status(status, "{}".into())
        }
        Some(Conduct::Redirect) => {
            let mut sent = with_status(StatusCode::TEMPORARY_REDIRECT, String::new());
            sent.headers_mut().insert(LOCATION, HeaderValue::from_static("/elsewhere"));
            sent
        }
        _ => return None,
    };
    let what = if conduct == Some(Conduct::Refuse) { "REFUSED" } else { "FAULT" };
    shared.count(|tally| tally.answered(what));
    Some(sent)
}

fn refused(status: u16, code: &str) -> Sent {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::CONFLICT);
    with_status(status, format!(r#"{{"code":"{code}"}}"#))
}

/// Does what is asked; the answer.
fn done(shared: &Shared, question: &Question, conduct: Option<Conduct>) -> Result<String, Refusal> {
    match question {
        Question::Create(order) => {
            let given = shared.with_book(|book, tally| book.create(order, conduct, tally))?;
            card(order, &given, conduct).ok_or((400, "KEY_CANNOT_BE_USED"))
        }
        Question::Act(name, act) => {
            shared.with_book(|book, tally| book.act(name, act, tally))?;
            Ok(format!(r#"{{"reference":"{}"}}"#, act.reference))
        }
    }
}

/// A card, its number encrypted to the key of the order.
fn card(order: &Order, given: &Given, conduct: Option<Conduct>) -> Option<String> {
    let Given { name, number, expiry } = given;
    let (reference, digits) = (&order.reference, number.as_str());
    let inside = serde_json::json!({
        "reference": reference, "number": digits, "expiry": expiry,
    });
    let number = match conduct {
        Some(Conduct::InClear) => digits.to_owned(),
        _ => sealed(&order.encrypt_to, &inside.to_string()).ok()?,
    };
    let told = serde_json::json!({ "reference": reference, "card": name, "number": number });
    Some(told.to_string())
}

/// What comes of a conduct, where the answer would be this text; none: the connection ends.
fn bent(conduct: Option<Conduct>, question: &Question, text: String) -> Option<Sent> {
    let good = |text| Some(with_status(StatusCode::OK, text));
    match conduct {
        Some(Conduct::Cut) => None,
        Some(Conduct::Half) => Some(half(text)),
        Some(Conduct::Garbage) => good("<html>\u{0}done</html>".into()),
        Some(Conduct::TooLong) => good(text + &" ".repeat(1 << 20)),
        Some(Conduct::Twice) => good(text.repeat(2)),
        Some(Conduct::Other) => good(text.replace(question.reference(), NOBODYS)),
        _ => good(text),
    }
}
