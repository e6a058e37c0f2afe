//! `/admin/corporations` (SR-150): which corporations wait for somebody to look at them, their
//! documents, and what is decided (SR-036). A document leaves as a file to be kept, under a name of
//! ours: no browser is to show it, whatever its sender called it.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::super::Answered;
use super::super::corporations::{CorporationView, Documents, KybMoveView, KybName, listed};
use super::super::problems::{ChangeProblems, Problems};
use super::super::served::{Panel, written};
use crate::Problem;
use crate::http::{Body, Caller, Cursor, Page, Query, now, page_limit, public_id};
use crate::service::corporations::{Corporation, Decision, KybMove, KybState};

/// A corporation in the queue: nothing of it is told that could be personal.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct QueuedCorporation {
    dc_corporation_id: Uuid,
    partner_id: i64,
    kyb_state: KybName,
    /// Since when, in UTC.
    #[schema(format = DateTime)]
    since: String,
    /// When it was created, in UTC.
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<&Corporation> for QueuedCorporation {
    fn from(corporation: &Corporation) -> Self {
        Self {
            dc_corporation_id: corporation.public_id,
            partner_id: corporation.partner.0,
            kyb_state: corporation.state.into(),
            since: written(corporation.since),
            created_at: written(corporation.created_at),
        }
    }
}

/// A corporation of a tenant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct CorporationLine {
    partner_id: i64,
    #[serde(flatten)]
    corporation: CorporationView,
}

impl From<&Corporation> for CorporationLine {
    fn from(corporation: &Corporation) -> Self {
        Self { partner_id: corporation.partner.0, corporation: corporation.into() }
    }
}

/// A move of a verification, and who made it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct NamedKybMove {
    #[serde(flatten)]
    made: KybMoveView,
    /// Who, as the audit names them.
    by_name: String,
}

/// A corporation, and how its verification went.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct KybHistory {
    #[serde(flatten)]
    corporation: CorporationLine,
    /// The oldest first.
    moves: Vec<NamedKybMove>,
}

/// Which page of the queue.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct Queue {
    /// In which state; `PENDING` where it is not said.
    #[param(inline)]
    state: Option<KybName>,
    /// What the page before gave.
    cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum KybDecided {
    /// The company is what it says.
    Approve,
    /// That was not shown, or it is not wanted.
    Reject,
    /// Something has to be found out first.
    Hold,
    /// It is looked at again.
    Reopen,
}

impl From<KybDecided> for KybState {
    fn from(decided: KybDecided) -> Self {
        match decided {
            KybDecided::Approve => Self::Approved,
            KybDecided::Reject => Self::Rejected,
            KybDecided::Hold => Self::OnHold,
            KybDecided::Reopen => Self::Pending,
        }
    }
}

/// A decision.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "decision": "APPROVE", "note": "extract of the register, case 4711" }))]
pub(in crate::routes) struct KybDecision {
    decision: KybDecided,
    /// What it was decided by, which the partner sees; nothing personal.
    #[schema(min_length = 1, max_length = 200)]
    note: String,
}

/// List corporations by where their verification stands.
#[utoipa::path(
    get, path = "/admin/corporations", tag = "corporations", params(Queue),
    responses((status = 200, body = Page<QueuedCorporation>), Problems)
)]
pub(in crate::routes) async fn queue(
    State(this): State<Panel>,
    Query(wanted): Query<Queue>,
) -> Answered<Json<Page<QueuedCorporation>>> {
    let after = wanted.cursor.as_deref().map(Cursor::<Uuid>::read).transpose()?;
    let (after, limit) = (after.map(|Cursor(id)| id), page_limit(wanted.limit)?);
    let state = wanted.state.map_or(KybState::Pending, KybState::from);
    let page = this.management.corporations.queue(state, after, Some(limit)).await?;
    Ok(Json(Page {
        items: page.rows.iter().map(QueuedCorporation::from).collect(),
        next_cursor: page.next.map(|id| Cursor(id).text()),
    }))
}

/// The corporation that a path names.
async fn find(this: &Panel, id: &str) -> Result<Corporation, Problem> {
    let (id, corporations) = (public_id(id, "corporation")?, &this.management.corporations);
    corporations.corporation(corporations.partner_of(id).await?, id).await
}

async fn history_of(this: &Panel, id: &str) -> Answered<Json<KybHistory>> {
    let found = find(this, id).await?;
    let named = |made: &KybMove| NamedKybMove { made: made.into(), by_name: made.by.clone() };
    let moves = this.management.corporations.moves(&found).await?.iter().map(named).collect();
    Ok(Json(KybHistory { corporation: (&found).into(), moves }))
}

/// Read a corporation, and how its verification went. It is recorded.
#[utoipa::path(
    get, path = "/admin/corporations/{dcCorporationId}", tag = "corporations",
    params(("dcCorporationId" = Uuid, Path)),
    responses((status = 200, body = KybHistory), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Panel>,
    Path(id): Path<String>,
) -> Answered<Json<KybHistory>> {
    history_of(&this, &id).await
}

/// Decide on a corporation: approve or reject it, put it on hold, or look at it again.
///
/// Of several that decide at once one does; the others are told `CONFLICT`. None is approved
/// without a document.
#[utoipa::path(
    post, path = "/admin/corporations/{dcCorporationId}/kyb", tag = "corporations",
    params(("dcCorporationId" = Uuid, Path)), request_body = KybDecision,
    responses((status = 200, body = KybHistory), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn decide(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(decision): Body<KybDecision>,
) -> Answered<Json<KybHistory>> {
    let found = find(&this, &id).await?;
    let (to, note) = (decision.decision.into(), decision.note.as_str());
    let decision = Decision { to, note, by: caller.actor(), now: now() };
    this.management.corporations.decide(found.partner, found.public_id, decision).await?;
    history_of(&this, &id).await
}

/// List a corporation's documents.
#[utoipa::path(
    get, path = "/admin/corporations/{dcCorporationId}/documents", tag = "corporations",
    params(("dcCorporationId" = Uuid, Path)),
    responses((status = 200, body = Documents), Problems)
)]
pub(in crate::routes) async fn documents(
    State(this): State<Panel>,
    Path(id): Path<String>,
) -> Answered<Json<Documents>> {
    let found = find(&this, &id).await?;
    listed(&this.management, &found).await
}

/// A body that is wiped when it was sent.
struct Content(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Content {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// What is in a document.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "documents answers, which are made of bytes")]
pub(in crate::routes) struct DocumentFile(Vec<u8>);

/// Take a document away to look at it. It is recorded.
#[utoipa::path(
    get, path = "/admin/corporations/{dcCorporationId}/documents/{documentId}",
    tag = "corporations",
    params(("dcCorporationId" = Uuid, Path), ("documentId" = Uuid, Path)),
    responses(
        (status = 200, description = "The file.", content(
            (DocumentFile = "application/pdf"), (DocumentFile = "image/png"),
            (DocumentFile = "image/jpeg")
        )),
        Problems
    )
)]
pub(in crate::routes) async fn download(
    State(this): State<Panel>,
    Path((id, document)): Path<(String, String)>,
) -> Answered<Response> {
    let found = find(&this, &id).await?;
    let document = public_id(&document, "document")?;
    let opened = this.management.corporations.open_document(&found, document).await?;
    let (name, media) = (opened.document.public_id, opened.document.media);
    let disposition = format!("attachment; filename=\"{name}.{}\"", media.ending());
    let headers = [
        (header::CONTENT_TYPE, media.name().to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    Ok((headers, Bytes::from_owner(Content(opened.content))).into_response())
}
