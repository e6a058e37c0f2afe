//! The administration panel: pages for operators, made on the server and usable without script. It
//! owns how they look, the cookie that a session is kept in, and that no form is taken from another
//! site. It never asks a service or a table itself: every page is made of what `/admin` answers to
//! the same session, asked in this process, so that roles, rates, records of the audit and repeats
//! are those of `/admin` and cannot differ.

mod amounts;
mod assets;
mod call;
mod csv;
mod desk;
mod forgery;
mod form;
mod guard;
mod listing;
mod page;
mod pages;
mod refused;
mod session;
mod visit;

use std::sync::Arc;

use admin_api::http::{Rates, limit_source};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};

pub use desk::MOST_OF_AN_ANSWER;
pub use form::MOST_OF_A_FORM;
pub use listing::MOST_EXPORTED;

use desk::Desk;

/// What the panel is made of.
pub struct Panel {
    /// `/admin`, as operators' programs are served it.
    pub admin: Router,
    /// How often somebody may ask.
    pub rates: Arc<Rates>,
}

impl Panel {
    /// Its pages, all under `/panel`.
    pub fn router(self) -> Router {
        let Self { admin, rates } = self;
        // The last is the outermost.
        pages::all()
            .with_state(Desk::new(admin))
            .merge(assets::all())
            .layer(from_fn_with_state(rates, limit_source))
            .layer(from_fn(guard::headers))
    }
}
