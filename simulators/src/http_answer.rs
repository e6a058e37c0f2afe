//! What simulated servers send over HTTP. Must be able to send what no honest server would: half of
//! an answer, and then nothing.

use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

/// What is sent.
pub(crate) type Sent = Response<BoxBody<Bytes, io::Error>>;

/// JSON under this status.
pub(crate) fn with_status(status: StatusCode, text: String) -> Sent {
    let body = Full::new(Bytes::from(text)).map_err(|never: Infallible| match never {});
    let mut sent = Response::new(body.boxed());
    *sent.status_mut() = status;
    sent.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    sent
}

/// Half of a text, under its whole length.
pub(crate) fn half(text: String) -> Sent {
    let length = text.len();
    let first = Bytes::from(text).slice(..length / 2);
    let frames = [Ok(Frame::data(first)), Err(io::Error::other("cut short, as told"))];
    let mut sent = Response::new(StreamBody::new(stream::iter(frames)).boxed());
    sent.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    sent
}
