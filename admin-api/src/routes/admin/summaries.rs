//! `/admin/summary-balances`: what all partners' customers and pools have, or those of one.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use switch_domain::PartnerId;
use utoipa::IntoParams;

use super::super::Answered;
use super::super::problems::Problems;
use super::super::served::Panel;
use super::super::summaries::{Summaries, summed_up};
use crate::Problem;
use crate::http::Query;

/// Of whom.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct Whose {
    /// Of one partner; of all where it is not said.
    #[param(minimum = 1)]
    partner_id: Option<i64>,
}

/// Read the summary balances of a partner, or of the platform, by currency.
///
/// All figures are of one moment, and equal to the ledger then.
#[utoipa::path(
    get, path = "/admin/summary-balances", tag = "pools", params(Whose),
    operation_id = "read_summary_balances_of_all",
    responses((status = 200, body = Summaries), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Panel>,
    Query(whose): Query<Whose>,
) -> Answered<Json<Summaries>> {
    if whose.partner_id.is_some_and(|id| id < 1) {
        return Err(Problem::field("partnerId", "the number of a partner: 1 or more").into());
    }
    summed_up(&this.management, whose.partner_id.map(PartnerId)).await
}
