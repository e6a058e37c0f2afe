//! The JSON body of a request. It owns that a body is JSON, of a bounded length, and has no member
//! that its type does not name; whoever sends another learns which member it was.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use super::failure::{Failure, of_status};
use crate::Problem;

/// A body of this type. Types of bodies are `deny_unknown_fields`.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            let what = "the body must be JSON, with Content-Type: application/json";
            return Err(Problem::new("UNSUPPORTED_MEDIA_TYPE", what).into());
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| of_status(rejection.status()))?;
        Ok(Self(read(&bytes)?))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let form = headers.get(header::CONTENT_TYPE).and_then(|form| form.to_str().ok());
    let Some(form) = form else { return false };
    let mut parts = form.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|form| form.eq_ignore_ascii_case("application/json"));
    is_json && parts.all(|part| part.eq_ignore_ascii_case("charset=utf-8"))
}

/// Reads a body, and names the member that it fails at. No value is repeated: it may be secret.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut source).map_err(|error| {
        let path = error.path().to_string();
        let problem = Problem::invalid(what_is_wrong(error.inner()));
        // Where the body ends or is none, there is no member to name.
        if path == "." || path.contains('?') {
            problem
        } else {
            Problem { field: Some(path), ..problem }
        }
    })?;
    source.end().map_err(|_| Problem::invalid("there is more behind the body's JSON value"))?;
    Ok(read)
}

/// In words without any value of the body: serde_json puts strings of it into its messages.
fn what_is_wrong(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof => format!("the body ends too early, at line {line} column {column}"),
        Category::Syntax | Category::Io => {
            format!("the body is not JSON at line {line} column {column}")
        }
        Category::Data => {
            let text = error.to_string();
            // A name, which stands between the first two of these; a name tells no value.
            let name: String =
                text.split('`').nth(1).unwrap_or_default().chars().take(64).collect();
            match text.split(' ').next() {
                Some("missing") => format!("member `{name}` is missing"),
                Some("unknown") => format!("member `{name}` is not one of this request"),
                Some("duplicate") => format!("member `{name}` is there twice"),
                _ => format!("this member cannot have such a value (line {line} column {column})"),
            }
        }
    }
}
