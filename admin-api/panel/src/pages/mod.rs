//! The pages, one file a resource. Each reads what `/admin` answers and says how it is shown; what
//! can be done is in [`deeds`], one row an act.

mod audit;
mod authorizations;
mod balances;
mod cards;
mod customers;
mod deed;
mod deeds;
mod moves;
mod operators;
mod overview;
mod partners;
mod pools;
mod programmes;
mod reviews;
mod sign_in;
mod webhooks;

use axum::Router;
use axum::response::{IntoResponse, Response};

use crate::desk::Desk;
use crate::refused::Refused;

/// What a page comes to.
type Shown = Result<Response, Refused>;

/// All there are.
pub(crate) fn all() -> Router<Desk> {
    let pages = [
        sign_in::routes(),
        overview::routes(),
        customers::routes(),
        balances::routes(),
        cards::routes(),
        authorizations::routes(),
        partners::routes(),
        programmes::routes(),
        pools::routes(),
        reviews::routes(),
        webhooks::routes(),
        operators::routes(),
        audit::routes(),
        deed::routes(deeds::ALL),
    ];
    let all = pages.into_iter().fold(Router::new(), Router::merge);
    all.route("/panel/{*other}", axum::routing::any(|| async { nothing() }))
}

fn nothing() -> Response {
    Refused::not_found().into_response()
}
