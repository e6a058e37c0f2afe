//! What was decided of a card or an account, as it looks from outside: the same list for the
//! partner, the holder and the panel. It owns which days are taken, the form of the cursor, and
//! that a holder is not told what the checks said; which paths lead here stands with the channels'
//! routes.

pub(super) mod secure;
mod trace;
mod view;

use axum::Json;
use serde::{Deserialize, Serialize};
use switch_domain::{AuthorizationId, BalanceId, Timestamp};
use switch_store::{DecidedOf, DecidedPosition, DecidedSpan};
use utoipa::{IntoParams, ToSchema};

use super::Answered;
use super::served::Management;
use super::statements::span;
use crate::Problem;
use crate::http::{Cursor, page_limit};
use crate::service::authorizations::Asker;
use crate::service::cards::OwnedCard;

pub(in crate::routes) use trace::TracedAuthorization;
pub(in crate::routes) use view::{AuthorizationView, HoldersAuthorization, Reader};

/// The most days of a list.
const DAYS: i32 = 31;

/// Which days, in UTC, and which authorizations of them.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct Decisions {
    /// The first day, `YYYY-MM-DD`; as far back as may be, where it is not said.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<String>,
    /// The last day; today where it is not said. At most 31 days, the first one counted.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<String>,
    /// Those alone that were granted, or those that were not.
    approved: Option<bool>,
    /// How many at most, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `nextCursor` of the page before, of the same days.
    cursor: Option<String>,
}

/// A page of what was decided.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct DecisionPage {
    /// The latest first.
    items: Vec<AuthorizationView>,
    /// Sent back as `cursor` it gives the next page; absent on the last. A page may have fewer
    /// items than were asked for, even none, and a next one all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What was decided of a card.
pub(super) async fn of_card(
    this: &Management,
    (asker, reader): (Asker, Reader),
    owned: &OwnedCard,
    wanted: &Decisions,
) -> Answered<Json<DecisionPage>> {
    listed(this, (asker, reader), DecidedOf::Card(owned.card.id), wanted).await
}

/// What was decided of an account.
pub(super) async fn of_balance(
    this: &Management,
    (asker, reader): (Asker, Reader),
    balance: BalanceId,
    wanted: &Decisions,
) -> Answered<Json<DecisionPage>> {
    listed(this, (asker, reader), DecidedOf::Balance(balance), wanted).await
}

async fn listed(
    this: &Management,
    (asker, reader): (Asker, Reader),
    of: DecidedOf,
    wanted: &Decisions,
) -> Answered<Json<DecisionPage>> {
    let (from, to) = span(wanted.from.as_deref(), wanted.to.as_deref(), DAYS)?;
    let before = match &wanted.cursor {
        None => DecidedPosition::before(to),
        Some(cursor) => position(cursor, (from, to))?,
    };
    let most = page_limit(wanted.limit)?;
    let span = DecidedSpan { from, before, granted: wanted.approved };
    let page = this.authorizations.page(asker, of, span, most).await?;
    let view = |line: &switch_store::DecidedLine| {
        AuthorizationView::of(&line.authorization, &line.words, reader)
    };
    Ok(Json(DecisionPage {
        items: page.lines.iter().map(view).collect(),
        next_cursor: page.next.map(|next| Cursor((next.at.0, next.id.0)).text()),
    }))
}

fn position(text: &str, (from, to): (Timestamp, Timestamp)) -> Result<DecidedPosition, Problem> {
    let Cursor((at, id)) = Cursor::<(i64, i64)>::read(text)?;
    let position = DecidedPosition { at: Timestamp(at), id: AuthorizationId(id) };
    if position.at < from || position.at > to {
        return Err(Problem::field("cursor", "it is of other days"));
    }
    Ok(position)
}

/// One of a card, as its holder is told of it.
pub(super) async fn told_to_holder(
    this: &Management,
    asker: Asker,
    owned: &OwnedCard,
    id: &str,
) -> Answered<Json<HoldersAuthorization>> {
    let one = this.authorizations.one(asker, owned.card.id, id).await?;
    Ok(Json(HoldersAuthorization::of(&one, Reader::Holder)))
}

/// One of a card, with what every check said.
pub(super) async fn traced(
    this: &Management,
    asker: Asker,
    owned: &OwnedCard,
    id: &str,
) -> Answered<Json<TracedAuthorization>> {
    let one = this.authorizations.one(asker, owned.card.id, id).await?;
    // Of one that was removed there is no name any more.
    let said = one.declined_by.iter().chain(&one.would_decline);
    let there: Vec<_> = said.filter(|said| said.control.is_some()).map(|said| said.id).collect();
    let names = match there.is_empty() {
        true => std::collections::BTreeMap::new(),
        false => this.services.names_of_controls(&there).await?,
    };
    Ok(Json(TracedAuthorization::of(&one, &names)))
}
