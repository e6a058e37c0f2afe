//! Identifiers in paths. It owns that one which cannot be is answered as one that is not there.

use uuid::Uuid;

use crate::Problem;

/// An opaque identifier, as a path carries it: 128 random bits in the form of a UUID.
pub type PublicId = Uuid;

/// Reads an identifier of this kind of thing ("customer").
///
/// # Errors
/// `NOT_FOUND`: it is not the one form in which we give identifiers away.
pub fn public_id(text: &str, what: &str) -> Result<PublicId, Problem> {
    let id = Uuid::try_parse(text).ok().filter(|id| id.hyphenated().to_string() == text);
    id.ok_or_else(|| Problem::not_found(format!("there is no such {what}")))
}
