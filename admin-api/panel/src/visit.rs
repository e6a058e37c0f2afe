//! Who looks at a page: the session of the cookie, as `/admin` knows it. It owns that no page is
//! made for nobody.

use std::net::SocketAddr;

use admin_api::http::Role;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::call::{Call, allowed};
use crate::desk::{Answer, Brought, Desk};
use crate::forgery;
use crate::form::Form;
use crate::page::{Framed, Page};
use crate::refused::Refused;
use crate::session::Token;

/// A session, as `/admin` shows it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operator {
    pub(crate) operator_id: String,
    pub(crate) name: String,
    role: String,
    pub(crate) must_change_password: bool,
}

/// Somebody with a session.
pub(crate) struct Visit {
    desk: Desk,
    token: Token,
    origin: SocketAddr,
    pub(crate) operator: Operator,
    pub(crate) role: Role,
}

impl FromRequestParts<Desk> for Visit {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Refused> {
        let origin = origin(parts)?;
        let none = || Refused::ours(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "sign in first");
        let token = Token::of(&parts.headers).ok_or_else(none)?;
        let current = Call::get("/admin/sessions/current");
        let answer = desk.ask((Some(&token), origin), &current, Brought::default()).await?;
        let operator: Operator = answer.read()?;
        let role = Role::named(&operator.role).ok_or_else(none)?;
        Ok(Self { desk: desk.clone(), token, origin, operator, role })
    }
}

/// From where a request came.
pub(crate) fn origin(parts: &Parts) -> Result<SocketAddr, Refused> {
    let from = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|from| from.0);
    from.ok_or_else(|| {
        Refused::ours(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "the service failed")
    })
}

impl Visit {
    /// What forms of this session carry.
    pub(crate) fn proof(&self) -> String {
        forgery::proof(&self.token)
    }

    /// Whether such a call may be made: what may not is not offered.
    pub(crate) fn may(&self, method: &str, template: &str) -> bool {
        allowed(self.role, method, template)
    }

    pub(crate) async fn ask(&self, call: &Call, brought: Brought<'_>) -> Result<Answer, Refused> {
        self.desk.ask((Some(&self.token), self.origin), call, brought).await
    }

    /// Reads.
    pub(crate) async fn get<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Refused> {
        self.ask(call, Brought::default()).await?.read()
    }

    /// Does what a form asks for, once however often the form is sent.
    pub(crate) async fn act(
        &self,
        call: &Call,
        form: &Form,
        body: Option<&Value>,
    ) -> Result<Answer, Refused> {
        self.ask(call, Brought { body, key: form.key(), version: None }).await
    }

    /// Changes the version that the form was made of.
    pub(crate) async fn change(
        &self,
        call: &Call,
        form: &Form,
        body: &Value,
    ) -> Result<Answer, Refused> {
        let version = form.some("version");
        self.ask(call, Brought { body: Some(body), key: None, version }).await
    }

    /// A page for them.
    pub(crate) fn show(&self, page: Page) -> Response {
        Framed::of(self, page).into_ok()
    }
}
