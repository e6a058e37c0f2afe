//! The history of a partner or a programme in JSON: what it was before each change and after it,
//! who made it and when. It owns the form of a page of it, and what the audit is told of a change.

use axum::Json;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::super::Answered;
use super::super::served::{Panel, written};
use crate::http::{Cursor, Made, Page, page_limit};
use crate::service::programmes::{Noted, SetupChange, Subject};

/// A change of a partner or a programme.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct SetupChangeView {
    change_id: i64,
    /// In UTC.
    #[schema(format = DateTime)]
    changed_at: String,
    /// Who: an operator (`op:`), as the audit has it.
    changed_by: String,
    /// What it was; absent where it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// What it is since.
    #[schema(value_type = Object)]
    after: Value,
    /// SHA-256 of all that, in hexadecimal digits: the audit has it beside the change's number.
    digest: String,
}

impl From<&SetupChange> for SetupChangeView {
    fn from(change: &SetupChange) -> Self {
        Self {
            change_id: change.id,
            changed_at: written(change.at),
            changed_by: change.by.clone(),
            before: change.before.clone(),
            after: change.after.clone(),
            digest: change.digest.clone(),
        }
    }
}

/// Which changes.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct LatestChanges {
    /// What the page before gave.
    cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A page of them, the latest first.
pub(super) async fn page(
    this: &Panel,
    about: Subject,
    wanted: &LatestChanges,
) -> Answered<Json<Page<SetupChangeView>>> {
    let behind = wanted.cursor.as_deref().map(Cursor::<i64>::read).transpose()?;
    let most = page_limit(wanted.limit)?;
    let behind = behind.map(|Cursor(id)| id);
    let found = this.management.programmes.changes(about, (behind, most)).await?;
    let size = usize::try_from(most).unwrap_or(usize::MAX);
    let next = found.get(size).and_then(|_| found.get(size.saturating_sub(1)));
    Ok(Json(Page {
        items: found.iter().take(size).map(SetupChangeView::from).collect(),
        next_cursor: next.map(|last| Cursor(last.id).text()),
    }))
}

/// Has the audit say which change a request made, where it made one: its chain covers the digest.
pub(super) fn noted(response: &mut Response, place: &str, noted: Option<&Noted>) {
    let object = noted.map_or_else(
        || place.to_owned(),
        |Noted { id, digest }| format!("{place}/changes/{id} sha256:{digest}"),
    );
    response.extensions_mut().insert(Made(object));
}
