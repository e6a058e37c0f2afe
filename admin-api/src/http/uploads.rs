//! Long bodies. It owns that few of them are taken at a time: each stands in memory several times
//! over while it is read, hashed and sealed.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::counter;
use tokio::sync::Semaphore;

use super::failure::Failure;
use crate::Problem;

/// How long bodies are that bring a document, and how many are taken at a time.
#[derive(Clone, Debug)]
pub struct Uploads {
    /// Bytes of a body.
    pub body_limit: usize,
    /// Places for those that are on their way.
    pub places: Arc<Semaphore>,
}

impl Uploads {
    /// So many at a time.
    #[must_use]
    pub fn new(body_limit: usize, at_once: usize) -> Self {
        Self { body_limit, places: Arc::new(Semaphore::new(at_once)) }
    }
}

/// The layer around routes that take one.
pub(crate) async fn in_a_place(
    State(uploads): State<Uploads>,
    request: Request,
    next: Next,
) -> Response {
    let Ok(_place) = uploads.places.try_acquire() else {
        counter!("cardswitch_api_uploads_refused_total").increment(1);
        let what = "too many documents come in at once: try again, with the same key";
        return Failure::from(Problem::new("OVERLOADED", what)).into_response();
    };
    next.run(request).await
}
