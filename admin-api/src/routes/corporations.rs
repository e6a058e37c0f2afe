//! `/lifecycle/v1/corporations` (SR-132, SR-150): companies whose employees get cards, and the
//! documents that they are verified by. What a document holds is taken here and never given.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::problems::{ChangeProblems, Problems};
use super::served::{Management, written};
use super::{Answered, tenant};
use crate::http::{
    Body, Caller, Cursor, Idempotency, Made, Page, Query, now, page_limit, public_id,
};
use crate::service::corporations::{
    Corporation, CorporationInput, CorporationProfile, Document, DocumentKind, KybMove, KybState,
    NewDocument,
};
use crate::service::users::Personal;

/// Where a verification (KYB) stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum KybName {
    /// It waits for documents, or for somebody to look at them.
    Pending,
    /// Accounts and cards may be made.
    Approved,
    /// There will be none, unless it is looked at again.
    Rejected,
    /// Nothing new is made meanwhile.
    OnHold,
}

impl From<KybState> for KybName {
    fn from(state: KybState) -> Self {
        match state {
            KybState::Pending => Self::Pending,
            KybState::Approved => Self::Approved,
            KybState::Rejected => Self::Rejected,
            KybState::OnHold => Self::OnHold,
        }
    }
}

impl From<KybName> for KybState {
    fn from(name: KybName) -> Self {
        match name {
            KybName::Pending => Self::Pending,
            KybName::Approved => Self::Approved,
            KybName::Rejected => Self::Rejected,
            KybName::OnHold => Self::OnHold,
        }
    }
}

/// What is known of a company.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "legalName": "Analytical Engines GmbH", "registrationNumber": "FN 123456a", "country": "AT",
    "street": "Hauptstrasse 1", "city": "Wien", "postalCode": "1010",
    "contactName": "Ada Lovelace", "email": "ada@example.com"
}))]
pub(super) struct Company {
    #[schema(min_length = 1, max_length = 120)]
    legal_name: String,
    /// In the register of its country.
    #[schema(min_length = 1, max_length = 40)]
    registration_number: String,
    /// Where it is registered: two letters of ISO 3166-1.
    #[schema(pattern = "^[A-Z]{2}$")]
    country: String,
    #[schema(min_length = 1, max_length = 120)]
    street: String,
    #[schema(min_length = 1, max_length = 80)]
    city: String,
    #[schema(min_length = 1, max_length = 16)]
    postal_code: String,
    /// Whom to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 80)]
    contact_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254)]
    email: Option<String>,
    /// `+`, and 7 to 15 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^\+[0-9]{7,15}$")]
    phone: Option<String>,
}

impl From<Company> for CorporationInput {
    fn from(company: Company) -> Self {
        Self {
            legal_name: company.legal_name,
            registration_number: company.registration_number,
            country: company.country,
            street: company.street,
            city: company.city,
            postal_code: company.postal_code,
            contact_name: company.contact_name,
            email: company.email,
            phone: company.phone,
        }
    }
}

impl From<&CorporationProfile> for Company {
    fn from(profile: &CorporationProfile) -> Self {
        let known = |text: &Personal| text.expose().to_owned();
        let maybe = |text: &Option<Personal>| text.as_ref().map(known);
        Self {
            legal_name: known(&profile.legal_name),
            registration_number: known(&profile.registration_number),
            country: known(&profile.country),
            street: known(&profile.street),
            city: known(&profile.city),
            postal_code: known(&profile.postal_code),
            contact_name: maybe(&profile.contact_name),
            email: maybe(&profile.email),
            phone: maybe(&profile.phone),
        }
    }
}

/// A corporation to be created.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewCorporation {
    /// The partner's own name for it, at most 64 characters.
    #[schema(min_length = 1, max_length = 64)]
    reference: Option<String>,
    company: Company,
}

/// A corporation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CorporationView {
    /// Names the corporation, and stands for `customerId` in the paths of its accounts and cards.
    dc_corporation_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    kyb_state: KybName,
    /// Since when, in UTC.
    #[schema(format = DateTime)]
    since: String,
    /// When it was created, in UTC.
    #[schema(format = DateTime)]
    created_at: String,
    company: Company,
}

impl From<&Corporation> for CorporationView {
    fn from(corporation: &Corporation) -> Self {
        Self {
            dc_corporation_id: corporation.public_id,
            reference: corporation.reference.clone(),
            kyb_state: corporation.state.into(),
            since: written(corporation.since),
            created_at: written(corporation.created_at),
            company: (&corporation.profile).into(),
        }
    }
}

/// A move of a corporation's verification.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct KybMoveView {
    /// When, in UTC.
    #[schema(format = DateTime)]
    at: String,
    from: KybName,
    to: KybName,
    /// What it was decided by.
    note: String,
}

impl From<&KybMove> for KybMoveView {
    fn from(made: &KybMove) -> Self {
        Self {
            at: written(made.at),
            from: made.from.into(),
            to: made.to.into(),
            note: made.note.clone(),
        }
    }
}

/// A corporation, and how its verification went.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CorporationInFull {
    #[serde(flatten)]
    corporation: CorporationView,
    /// The oldest first.
    moves: Vec<KybMoveView>,
}

/// What a document is to show.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum DocumentKindName {
    /// An extract of the register of companies.
    Register,
    /// Articles of association.
    Articles,
    /// Whose the company is.
    Ownership,
    /// Who acts for it.
    Identity,
    /// Where it is.
    Address,
    /// Anything else.
    Other,
}

impl From<DocumentKindName> for DocumentKind {
    fn from(name: DocumentKindName) -> Self {
        match name {
            DocumentKindName::Register => Self::Register,
            DocumentKindName::Articles => Self::Articles,
            DocumentKindName::Ownership => Self::Ownership,
            DocumentKindName::Identity => Self::Identity,
            DocumentKindName::Address => Self::Address,
            DocumentKindName::Other => Self::Other,
        }
    }
}

impl From<DocumentKind> for DocumentKindName {
    fn from(kind: DocumentKind) -> Self {
        match kind {
            DocumentKind::Register => Self::Register,
            DocumentKind::Articles => Self::Articles,
            DocumentKind::Ownership => Self::Ownership,
            DocumentKind::Identity => Self::Identity,
            DocumentKind::Address => Self::Address,
            DocumentKind::Other => Self::Other,
        }
    }
}

/// A document of a corporation.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "kind": "REGISTER", "fileName": "extract.pdf", "content": "JVBERi0xLjQKJSVFT0YK"
}))]
pub(super) struct NewDocumentBody {
    kind: DocumentKindName,
    #[schema(min_length = 1, max_length = 100)]
    file_name: String,
    /// A PDF, PNG or JPEG: base64.
    #[schema(pattern = "^[A-Za-z0-9+/]+={0,2}$")]
    content: String,
}

/// A document, as lists tell of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DocumentView {
    document_id: Uuid,
    kind: DocumentKindName,
    file_name: String,
    /// By its own bytes: `application/pdf`, `image/png` or `image/jpeg`.
    media_type: &'static str,
    /// How long it is.
    bytes: u32,
    /// SHA-256 of what is in it, in hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// When it came, in UTC.
    #[schema(format = DateTime)]
    sent_at: String,
}

impl From<&Document> for DocumentView {
    fn from(document: &Document) -> Self {
        let digits = document.sha256.iter().map(|byte| format!("{byte:02x}"));
        Self {
            document_id: document.public_id,
            kind: document.kind.into(),
            file_name: document.file_name.expose().to_owned(),
            media_type: document.media.name(),
            bytes: document.bytes,
            sha256: digits.collect(),
            sent_at: written(document.sent_at),
        }
    }
}

/// Documents of a corporation.
#[derive(Serialize, ToSchema)]
pub(super) struct Documents {
    /// The oldest first.
    items: Vec<DocumentView>,
}

/// Create a corporation.
///
/// It is `PENDING`: it has neither accounts nor cards before it is approved (SR-036), which
/// operators do by its documents.
#[utoipa::path(
    post, path = "/lifecycle/v1/corporations", tag = "corporations", request_body = NewCorporation,
    responses((status = 201, body = CorporationView), Problems, ChangeProblems)
)]
pub(super) async fn create(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewCorporation>,
) -> Answered<Response> {
    let (partner, made) = (tenant(&caller)?, (keys.key(0), now()));
    let reference = new.reference.as_deref();
    let created = this.corporations.create(partner, reference, new.company.into(), made).await?;
    let place = format!("/lifecycle/v1/corporations/{}", created.public_id);
    Ok(made_at(place, Json(CorporationView::from(&created))))
}

fn made_at(place: String, view: impl IntoResponse) -> Response {
    let mut response = (StatusCode::CREATED, view).into_response();
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response.extensions_mut().insert(Made(place));
    response
}

/// Which corporations.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// What the page before gave.
    cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Those in this state alone.
    #[param(inline)]
    state: Option<KybName>,
}

/// List corporations.
#[utoipa::path(
    get, path = "/lifecycle/v1/corporations", tag = "corporations", params(Wanted),
    responses((status = 200, body = Page<CorporationView>), Problems)
)]
pub(super) async fn list(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Answered<Json<Page<CorporationView>>> {
    let partner = tenant(&caller)?;
    let after = wanted.cursor.as_deref().map(Cursor::<Uuid>::read).transpose()?;
    let (after, limit) = (after.map(|Cursor(id)| id), page_limit(wanted.limit)?);
    let state = wanted.state.map(KybState::from);
    let page = this.corporations.corporations(partner, state, after, Some(limit)).await?;
    Ok(Json(Page {
        items: page.rows.iter().map(CorporationView::from).collect(),
        next_cursor: page.next.map(|id| Cursor(id).text()),
    }))
}

/// The corporation that a path names.
async fn find(this: &Management, caller: &Caller, id: &str) -> Result<Corporation, crate::Problem> {
    this.corporations.corporation(tenant(caller)?, public_id(id, "corporation")?).await
}

/// Read a corporation, and how its verification went.
#[utoipa::path(
    get, path = "/lifecycle/v1/corporations/{dcCorporationId}", tag = "corporations",
    params(("dcCorporationId" = Uuid, Path)),
    responses((status = 200, body = CorporationInFull), Problems)
)]
pub(super) async fn read(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered<Json<CorporationInFull>> {
    let found = find(&this, &caller, &id).await?;
    let moves = this.corporations.moves(&found).await?.iter().map(KybMoveView::from).collect();
    Ok(Json(CorporationInFull { corporation: CorporationView::from(&found), moves }))
}

/// Send a document of a corporation.
///
/// What it is is found out by its bytes. It is kept sealed, and shown to the operators who review
/// it and to nobody else.
#[utoipa::path(
    post, path = "/lifecycle/v1/corporations/{dcCorporationId}/documents", tag = "corporations",
    params(("dcCorporationId" = Uuid, Path)), request_body = NewDocumentBody,
    responses((status = 201, body = DocumentView), Problems, ChangeProblems)
)]
pub(super) async fn send(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(id): Path<String>,
    Body(new): Body<NewDocumentBody>,
) -> Answered<Response> {
    let whose = (tenant(&caller)?, public_id(&id, "corporation")?);
    let new = NewDocument {
        kind: new.kind.into(),
        file_name: Personal::new(new.file_name),
        content: Zeroizing::new(new.content),
    };
    let kept = this.corporations.keep(whose, new, (keys.key(0), caller.actor(), now())).await?;
    let place = format!("/lifecycle/v1/corporations/{id}/documents/{}", kept.public_id);
    let view = (StatusCode::CREATED, Json(DocumentView::from(&kept)));
    let mut response = view.into_response();
    // Nobody reads it there but operators: the place is for the audit.
    response.extensions_mut().insert(Made(place));
    Ok(response)
}

/// List a corporation's documents.
#[utoipa::path(
    get, path = "/lifecycle/v1/corporations/{dcCorporationId}/documents", tag = "corporations",
    params(("dcCorporationId" = Uuid, Path)),
    responses((status = 200, body = Documents), Problems)
)]
pub(super) async fn documents(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered<Json<Documents>> {
    let found = find(&this, &caller, &id).await?;
    listed(&this, &found).await
}

/// All documents of one.
pub(super) async fn listed(this: &Management, owner: &Corporation) -> Answered<Json<Documents>> {
    let found = this.corporations.documents(owner).await?;
    Ok(Json(Documents { items: found.iter().map(DocumentView::from).collect() }))
}
