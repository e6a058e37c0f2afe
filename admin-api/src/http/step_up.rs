//! What is sensitive asks for the user's PIN again (SR-176). It owns that a route which needs it
//! says so by taking this, and cannot be reached without.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::failure::Failure;
use crate::Problem;
use crate::service::users::Session;

/// The PIN was given a moment ago.
#[derive(Clone, Copy, Debug)]
pub struct SteppedUp;

impl<S: Send + Sync> FromRequestParts<S> for SteppedUp {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let session = parts.extensions.get::<Session>();
        if session.is_some_and(|session| session.stepped_until.is_some()) {
            return Ok(Self);
        }
        let what = "give the PIN again: POST /customers/sessions/current/step-up";
        Err(Problem::new("STEP_UP_REQUIRED", what).into())
    }
}
