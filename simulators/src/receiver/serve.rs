//! Connections of a receiver: HTTP/1.1 over TLS. Must keep a message before it is answered: whoever
//! saw the answer finds it.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{HeaderValue, LOCATION, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::conduct::Reply;
use super::listener::{Delivery, Shared};

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest message.
const BODY_MOST: usize = 64 * 1024;

type Sent = Response<BoxBody<Bytes, io::Error>>;

/// Serves one until it ends.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    let shaken = tokio::time::timeout(PATIENCE, shared.handshake.shake(stream)).await;
    let Ok(Ok(wire)) = shaken else { return };
    let service = service_fn(|request| answer(&shared, request));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    // Whoever is cut off sees it; here nobody has to be told.
    let _ = http.serve_connection(TokioIo::new(wire), service).await;
}

/// An error ends the connection without an answer.
async fn answer(shared: &Shared, request: Request<Incoming>) -> io::Result<Sent> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_MOST).collect().await.map_err(io::Error::other)?;
    let header = |name: &str| {
        let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let reply = shared.next();
    let status = match &reply {
        Reply::Status(status) | Reply::RetryAfter(status, _) | Reply::Open(status) => Some(*status),
        Reply::Redirect(_) => Some(307),
        Reply::Endless => Some(200),
        Reply::Hang | Reply::Cut => None,
    };
    shared.keep(Delivery {
        path: parts.uri.to_string(),
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        idempotency_key: header("x-idempotency-key"),
        body: String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        status,
    });
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let mut sent = said(status.unwrap_or(StatusCode::OK));
    match reply {
        Reply::Status(_) => {}
        Reply::RetryAfter(_, seconds) => {
            sent.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        Reply::Redirect(to) => {
            let to = HeaderValue::from_str(&to).map_err(io::Error::other)?;
            sent.headers_mut().insert(LOCATION, to);
        }
        Reply::Endless => {
            let more = || Some((Ok(Frame::data(Bytes::from_static(b"and on\n"))), ()));
            let frames = stream::unfold((), move |()| async move { more() });
            *sent.body_mut() = StreamBody::new(frames).boxed();
        }
        Reply::Open(_) => *sent.body_mut() = StreamBody::new(stream::pending()).boxed(),
        Reply::Hang => std::future::pending().await,
        Reply::Cut => return Err(io::Error::other("cut off, as told")),
    }
    Ok(sent)
}

fn said(status: StatusCode) -> Sent {
    let words = if status == StatusCode::NO_CONTENT { "" } else { "said the receiver\n" };
    let body = Full::new(Bytes::from(words)).map_err(|never: Infallible| match never {});
    let mut sent = Response::new(body.boxed());
    *sent.status_mut() = status;
    sent
}
