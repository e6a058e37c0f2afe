//! Which problems the routes tell of, for the OpenAPI documents.

use utoipa::IntoResponses;

use crate::http::ProblemBody;

/// Of every route.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers, which are made of `Failure`")]
pub(super) enum Problems {
    /// The request is wrong: `code` and `field` say where.
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(ProblemBody),
    /// Nobody known.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(ProblemBody),
    /// Not for this caller.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// It is not there, or is not the caller's.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemBody),
    /// Too many requests: see `Retry-After`.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(ProblemBody),
    /// A fault of the service.
    #[response(status = 500, content_type = "application/problem+json")]
    Fault(ProblemBody),
    /// Not now: see `Retry-After`.
    #[response(status = 503, content_type = "application/problem+json")]
    NotNow(ProblemBody),
}

/// Of routes that change something.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers, which are made of `Failure`")]
pub(super) enum ChangeProblems {
    /// What is there does not allow it, or the same request is being done.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
    /// The body did not come in time.
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(ProblemBody),
    /// The body is too long.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLong(ProblemBody),
    /// The body is no JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    OtherForm(ProblemBody),
    /// The idempotency key was used for another request.
    #[response(status = 422, content_type = "application/problem+json")]
    KeyReused(ProblemBody),
}

/// Of routes behind which others are asked.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers, which are made of `Failure`")]
pub(super) enum LateProblems {
    /// Whoever was asked did not answer in time: ask again, with the same idempotency key.
    #[response(status = 504, content_type = "application/problem+json")]
    Late(ProblemBody),
}

/// Of routes that change one version of something.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers, which are made of `Failure`")]
pub(super) enum VersionProblems {
    /// It was changed since: read it again.
    #[response(status = 412, content_type = "application/problem+json")]
    Changed(ProblemBody),
    /// `If-Match` is missing.
    #[response(status = 428, content_type = "application/problem+json")]
    NoVersion(ProblemBody),
}
