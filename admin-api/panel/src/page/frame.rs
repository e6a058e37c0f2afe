//! The frame that pages stand in: navigation by role, who is signed in, the way out.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::input::Kind;
use super::{Page, Part};
use crate::assets::{SCRIPT, STYLE};
use crate::visit::Visit;

/// What the navigation leads to, with the call of `/admin` that it is made of: who may not make
/// that is not shown the way.
const PLACES: [(&str, &str, &str); 9] = [
    ("Overview", "/panel", "/admin/summary-balances"),
    ("Customers", "/panel/customers", "/admin/customers"),
    ("Partners", "/panel/partners", "/admin/partners"),
    ("Programmes", "/panel/programmes", "/admin/programmes"),
    ("Pools", "/panel/pools", "/admin/pools"),
    ("Reviews", "/panel/reviews", "/admin/kyc"),
    ("Webhooks", "/panel/webhooks", "/admin/webhooks"),
    ("Operators", "/panel/operators", "/admin/operators"),
    ("Audit", "/panel/audit", "/admin/audit"),
];

/// Who is at the panel, as every page shows it.
struct Who {
    name: String,
    role: &'static str,
    proof: String,
}

/// A page in its frame.
#[derive(Template)]
#[template(path = "frame.html")]
pub(crate) struct Framed {
    page: Page,
    places: Vec<(&'static str, &'static str)>,
    who: Option<Who>,
    style: &'static str,
    script: &'static str,
}

impl Framed {
    /// For somebody with a session.
    pub(crate) fn of(visit: &Visit, page: Page) -> Self {
        let places = PLACES.iter().filter(|(_, _, call)| visit.may("GET", call));
        // Nothing else is served before they have chosen a password.
        let places = places.filter(|_| !visit.operator.must_change_password);
        let who = Who {
            name: visit.operator.name.clone(),
            role: visit.role.name(),
            proof: visit.proof(),
        };
        Self {
            places: places.map(|(label, to, _)| (*label, *to)).collect(),
            who: Some(who),
            ..Self::alone(page)
        }
    }

    /// For nobody.
    pub(crate) fn alone(page: Page) -> Self {
        Self { page, places: Vec::new(), who: None, style: STYLE.path, script: SCRIPT.path }
    }

    pub(crate) fn into_ok(self) -> Response {
        self.with_status(StatusCode::OK)
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Response {
        let form = HeaderValue::from_static("text/html; charset=utf-8");
        match self.render() {
            Ok(text) => (status, [(header::CONTENT_TYPE, form)], text).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page of the panel cannot be made");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}
