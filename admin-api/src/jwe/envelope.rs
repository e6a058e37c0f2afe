//! The body that carries a token: `{"payload":"<token>"}`, both ways (SR-060). It owns that form
//! alone; it judges no token.

use serde::{Deserialize, Serialize};

use super::json::one_object;
use super::problem::EncryptionProblem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Taken {
    payload: String,
}

#[derive(Serialize)]
struct Given<'a> {
    payload: &'a str,
}

/// The token of a body.
///
/// # Errors
/// The body is anything but one object with the one member `payload`, a text.
pub fn token_of(body: &[u8]) -> Result<String, EncryptionProblem> {
    let text = one_object(body).map_err(|_| EncryptionProblem::InvalidPayload)?;
    let taken: Taken = serde_json::from_str(text).map_err(|_| EncryptionProblem::InvalidPayload)?;
    Ok(taken.payload)
}

/// The body of a token.
#[must_use]
pub fn envelope(token: &str) -> String {
    // A text always has a JSON form.
    serde_json::to_string(&Given { payload: token }).unwrap_or_default()
}
