//! Pages of a list. It owns the form of a cursor, which only we can read, and the limit of a page.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::failure::Failure;
use crate::Problem;

/// Items of a page where nobody says how many.
pub const USUAL: u32 = 50;
/// The most items of a page.
pub const MOST: u32 = 200;
/// The longest cursor: ours are far shorter.
const LONGEST_CURSOR: usize = 256;

/// Where a page begins: behind this key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor<K>(pub K);

impl<K: Serialize> Cursor<K> {
    /// As the next request sends it back.
    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&self.0).unwrap_or_default())
    }
}

impl<K: DeserializeOwned> Cursor<K> {
    /// Reads what a caller sent back.
    ///
    /// # Errors
    /// It is not one of ours.
    pub fn read(text: &str) -> Result<Self, Problem> {
        let wrong = || Problem::field("cursor", "this is no cursor that an answer gave");
        if text.len() > LONGEST_CURSOR {
            return Err(wrong());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
        serde_json::from_slice(&bytes).map(Self).map_err(|_| wrong())
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Sent back as `cursor` it gives the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// How many items a page is to have.
///
/// # Errors
/// None, or more than [`MOST`].
pub fn page_limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked {
        None => Ok(USUAL),
        Some(limit @ 1..=MOST) => Ok(limit),
        Some(_) => Err(Problem::field("limit", format!("a page has 1 to {MOST} items"))),
    }
}

/// Parameters behind the path. Their types are `deny_unknown_fields`; a value is never repeated.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let read = axum::extract::Query::from_request_parts(parts, state).await;
        let axum::extract::Query(value) = read.map_err(|_| {
            let what = "a parameter of the query is unknown, missing, or cannot have that value";
            Failure::from(Problem::invalid(what))
        })?;
        Ok(Self(value))
    }
}
