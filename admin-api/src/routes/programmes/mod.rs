//! Programmes in JSON (SR-025, SR-039): as operators set them up, and as their partner sees them.
//! It owns the names of members, and that a partner is told neither which keys there are nor who
//! makes its cards.

mod asked;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use switch_domain::{Funding, ProgrammeId};
use utoipa::{IntoParams, ToSchema};

use super::pools::PoolKindName;
use super::problems::Problems;
use super::served::Management;
use super::{Answered, tenant};
use crate::Problem;
use crate::http::{Caller, Cursor, Page, Query, page_limit};
use crate::service::programmes::{KeyRole, NamedKey, ProgrammeNow, ProgrammesWanted};

pub(super) use asked::{NewProgrammeBody, ProgrammeBody};

/// Card numbers of a programme.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BinsBody {
    /// The first eight digits of the first ones.
    #[schema(pattern = "^[0-9]{8}$")]
    low: String,
    /// The first eight digits of the last ones.
    #[schema(pattern = "^[0-9]{8}$")]
    high: String,
    /// Digits of a number, the check digit included.
    #[schema(minimum = 14, maximum = 19)]
    pan_length: u8,
}

/// Whose money a customer's account stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Custody {
    /// The platform holds it.
    Platform,
    /// The partner holds it, and the account is a memorandum.
    Partner,
}

/// Where the money of a programme comes from.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FundingView {
    kind: PoolKindName,
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pool_id: String,
    /// Who holds what is in customers' accounts; it follows from the kind.
    custody: Custody,
}

impl From<Funding> for FundingView {
    fn from(funding: Funding) -> Self {
        let (kind, custody) = match funding {
            Funding::Credit(_) => (PoolKindName::Credit, Custody::Platform),
            Funding::Deposit(_) => (PoolKindName::Deposit, Custody::Partner),
        };
        Self { kind, pool_id: funding.pool().0.to_string(), custody }
    }
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum KeyRoleName {
    /// Card values of stripe and chip.
    Cvk,
    /// Printed codes.
    Cvk2,
    /// PIN references.
    Pvk,
    /// Cryptograms.
    ImkAc,
    /// The integrity of scripts.
    ImkSmi,
    /// The confidentiality of scripts.
    ImkSmc,
}

/// A key by its name. Its value is shown to nobody.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct KeyView {
    role: KeyRoleName,
    name: String,
    /// Of the active version; absent where the module that keeps it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    check_value: Option<String>,
}

impl From<&NamedKey> for KeyView {
    fn from(key: &NamedKey) -> Self {
        let role = match key.role {
            KeyRole::Cvk => KeyRoleName::Cvk,
            KeyRole::Cvk2 => KeyRoleName::Cvk2,
            KeyRole::Pvk => KeyRoleName::Pvk,
            KeyRole::ImkAc => KeyRoleName::ImkAc,
            KeyRole::ImkSmi => KeyRoleName::ImkSmi,
            KeyRole::ImkSmc => KeyRoleName::ImkSmc,
        };
        Self { role, name: key.name.clone(), check_value: key.check_value.clone() }
    }
}

/// Who makes the cards of a programme.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MakerView {
    /// `in-process`: the switch itself.
    name: String,
    /// Whether the configuration has it; where not, no card can be ordered.
    configured: bool,
}

/// A programme.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProgrammeView {
    programme_id: i64,
    partner_id: i64,
    name: String,
    bins: BinsBody,
    /// Code of ISO 4217.
    currency: String,
    funding: FundingView,
    /// By which it may be named where cards are ordered: its partner's own word, or its number.
    configuration_id: String,
    /// What the processor calls the place where its cards are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal: Option<String>,
    /// Alpha-2 code of ISO 3166-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    home_country: Option<String>,
    /// For operators alone, as the keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    processor: Option<MakerView>,
    /// By which its cards are verified; absent where they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Vec<KeyView>>,
}

impl ProgrammeView {
    /// As operators see it.
    pub(super) fn in_full(now: &ProgrammeNow) -> Self {
        let (name, configured) = now.processor.clone();
        Self {
            processor: Some(MakerView { name, configured }),
            keys: now.keys.as_ref().map(|keys| keys.iter().map(KeyView::from).collect()),
            ..Self::for_partner(now)
        }
    }

    /// As its partner sees it.
    fn for_partner(now: &ProgrammeNow) -> Self {
        let programme = &now.programme;
        Self {
            programme_id: programme.id.0,
            partner_id: programme.partner.0,
            name: programme.name.to_string(),
            bins: BinsBody {
                low: format!("{:08}", programme.bins.low.0),
                high: format!("{:08}", programme.bins.high.0),
                pan_length: programme.bins.pan_length,
            },
            currency: programme.currency.to_string(),
            funding: programme.funding.into(),
            configuration_id: now.configuration_id(),
            terminal: now.profile.terminal.as_ref().map(|one| one.as_str().to_owned()),
            home_country: now.profile.home_country.map(|one| one.alpha2().to_owned()),
            processor: None,
            keys: None,
        }
    }
}

/// Which programmes.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OwnProgrammes {
    /// What the page before gave.
    cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A programme's number, as a path carries it.
pub(super) fn programme_id(text: &str) -> Result<ProgrammeId, Problem> {
    let id = text.parse().ok().filter(|id: &i64| *id > 0 && id.to_string() == text);
    id.map(ProgrammeId).ok_or_else(|| Problem::not_found("there is no such programme"))
}

/// A page of programmes.
pub(super) async fn page(
    this: &Management,
    wanted: ProgrammesWanted,
    (cursor, limit): (Option<&str>, Option<u32>),
    shown: fn(&ProgrammeNow) -> ProgrammeView,
) -> Answered<Json<Page<ProgrammeView>>> {
    let behind = cursor.map(Cursor::<i64>::read).transpose()?;
    let most = page_limit(limit)?;
    let behind = behind.map(|Cursor(id)| ProgrammeId(id));
    let found = this.programmes.programmes(ProgrammesWanted { behind, most, ..wanted }).await?;
    let size = usize::try_from(most).unwrap_or(usize::MAX);
    let next = found.get(size).and_then(|_| found.get(size.saturating_sub(1)));
    Ok(Json(Page {
        items: found.iter().take(size).map(shown).collect(),
        next_cursor: next.map(|last| Cursor(last.programme.id.0).text()),
    }))
}

/// List the partner's programmes.
#[utoipa::path(
    get, path = "/secure/programmes", tag = "programmes", operation_id = "list_own_programmes",
    params(OwnProgrammes), responses((status = 200, body = Page<ProgrammeView>), Problems)
)]
pub(super) async fn own(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Query(page_of): Query<OwnProgrammes>,
) -> Answered<Json<Page<ProgrammeView>>> {
    let wanted = ProgrammesWanted { partner: Some(tenant(&caller)?), ..Default::default() };
    let of = (page_of.cursor.as_deref(), page_of.limit);
    page(&this, wanted, of, ProgrammeView::for_partner).await
}

/// Read a programme of the partner.
#[utoipa::path(
    get, path = "/secure/programmes/{programmeId}", tag = "programmes",
    operation_id = "read_own_programme", params(("programmeId" = i64, Path)),
    responses((status = 200, body = ProgrammeView), Problems)
)]
pub(super) async fn own_one(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(programme): Path<String>,
) -> Answered<Json<ProgrammeView>> {
    let id = programme_id(&programme)?;
    let found = this.programmes.programme(id, Some(tenant(&caller)?)).await?;
    Ok(Json(ProgrammeView::for_partner(&found)))
}
