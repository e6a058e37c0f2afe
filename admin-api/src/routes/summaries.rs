//! Summary balances in JSON (SR-231 to SR-233), and a partner's own at `/secure/summary-balances`.
//! It owns the names of members.

use axum::extract::State;
use axum::{Extension, Json};
use rust_decimal::Decimal;
use serde::Serialize;
use switch_domain::{Currency, PartnerId};
use utoipa::ToSchema;

use super::amounts::Money;
use super::problems::Problems;
use super::served::Management;
use super::{Answered, tenant};
use crate::Problem;
use crate::http::Caller;
use crate::service::pools::Summary;

/// What there is in one currency.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SummaryView {
    /// Code of ISO 4217.
    currency: String,
    /// "Users": the sum of the customers' ledger balances.
    users: Money,
    /// The sum of the levels of the partner's pools, or of all partners'.
    partner_balances: Money,
    /// "Wallet": both together.
    wallet: Money,
}

/// What customers and partners have altogether, of one moment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summaries {
    /// Whose; absent where it is everybody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    partner_id: Option<i64>,
    /// By currency.
    items: Vec<SummaryView>,
}

impl SummaryView {
    fn of(summary: &Summary) -> Result<Self, Problem> {
        let money = |minor| whole(minor, summary.currency);
        Ok(Self {
            currency: summary.currency.to_string(),
            users: money(summary.users)?,
            partner_balances: money(summary.pools)?,
            wallet: money(summary.wallet)?,
        })
    }
}

/// Sums may pass what one account holds.
fn whole(minor: i128, currency: Currency) -> Result<Money, Problem> {
    let value = Decimal::try_from_i128_with_scale(minor, u32::from(currency.exponent()));
    let value = value.map_err(|error| Problem::internal("writing a sum", &error))?;
    Ok(Money { value: value.to_string(), currency: currency.to_string() })
}

/// The summary of one partner, or of all.
pub(super) async fn summed_up(
    this: &Management,
    partner: Option<PartnerId>,
) -> Answered<Json<Summaries>> {
    let all = this.pools.summary(partner).await?;
    let items = all.iter().map(SummaryView::of).collect::<Result<_, _>>()?;
    Ok(Json(Summaries { partner_id: partner.map(|id| id.0), items }))
}

/// Read the summary balances of the partner's customers and pools, by currency.
///
/// All figures are of one moment, and equal to the ledger then.
#[utoipa::path(
    get, path = "/secure/summary-balances", tag = "pools", operation_id = "read_summary_balances",
    responses((status = 200, body = Summaries), Problems)
)]
pub(super) async fn of_own(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
) -> Answered<Json<Summaries>> {
    summed_up(&this, Some(tenant(&caller)?)).await
}
