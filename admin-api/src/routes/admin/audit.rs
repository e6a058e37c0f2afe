//! `/admin/audit`: the records of what was done, for administrators. Reading them is recorded too
//! (P-21).

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::Answered;
use super::super::problems::Problems;
use super::super::served::{Panel, written};
use crate::Problem;
use crate::http::{Cursor, Page, Query, page_limit};
use crate::service::audit::Entry;

/// A record.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct RecordView {
    /// Its place in the chain.
    number: i64,
    /// When, in UTC.
    #[schema(format = DateTime)]
    at: String,
    /// Who: `op:` and an operator, `partner:` and a partner, `customer:`, or `nobody`.
    actor: String,
    /// What: a method and a path's template.
    act: String,
    /// `begun`, `done`, `refused` or `failed`.
    outcome: String,
    /// From where.
    origin: String,
    /// About what.
    object: String,
    request_id: String,
    /// The problem's code, where it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

impl From<&(i64, Entry)> for RecordView {
    fn from((number, entry): &(i64, Entry)) -> Self {
        let Entry { at, actor, act, outcome, origin, object, request_id, code } = entry.clone();
        let (at, outcome) = (written(at), outcome.name().to_owned());
        Self { number: *number, at, actor, act, outcome, origin, object, request_id, code }
    }
}

/// Which records.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct AuditPage {
    /// What the page before gave.
    cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Those of one request.
    #[param(max_length = 64)]
    request_id: Option<String>,
}

/// Read records, the latest first. It is recorded.
#[utoipa::path(
    get, path = "/admin/audit", tag = "audit", params(AuditPage),
    responses((status = 200, body = Page<RecordView>), Problems)
)]
pub(in crate::routes) async fn page(
    State(this): State<Panel>,
    Query(wanted): Query<AuditPage>,
) -> Answered<Json<Page<RecordView>>> {
    let before = wanted.cursor.as_deref().map(Cursor::<i64>::read).transpose()?;
    let limit = page_limit(wanted.limit)?;
    if wanted.request_id.as_ref().is_some_and(|id| id.chars().count() > 64) {
        return Err(Problem::field("requestId", "at most 64 characters").into());
    }
    let before = before.map(|Cursor(number)| number);
    let found = this.audit.page(before, wanted.request_id.as_deref(), limit).await?;
    let full = u32::try_from(found.len()).is_ok_and(|count| count == limit);
    let last = found.last().filter(|(number, _)| full && *number > 1);
    Ok(Json(Page {
        items: found.iter().map(RecordView::from).collect(),
        next_cursor: last.map(|(number, _)| Cursor(*number).text()),
    }))
}
