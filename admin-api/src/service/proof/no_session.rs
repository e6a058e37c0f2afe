//! Why a token opens nothing, whoever's session it was to be of.

use crate::Problem;

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoSession {
    /// There was one, and it is over.
    Expired,
    /// There is none.
    Unknown,
    /// Nobody knows.
    Unavailable(Problem),
}

impl From<Problem> for NoSession {
    fn from(problem: Problem) -> Self {
        Self::Unavailable(problem)
    }
}

impl From<sqlx::Error> for NoSession {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<NoSession> for Problem {
    fn from(none: NoSession) -> Self {
        match none {
            NoSession::Unavailable(problem) => problem,
            NoSession::Expired => {
                Self::new("SESSION_EXPIRED", "the session has expired: authenticate again")
            }
            NoSession::Unknown => {
                let what = "open a session, and send its token: Authorization: Bearer <token>";
                Self::new("UNAUTHENTICATED", what)
            }
        }
    }
}
