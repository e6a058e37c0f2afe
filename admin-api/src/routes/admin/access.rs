//! Who may call what at `/admin` (SR-261): one table, by which calls are refused and which the
//! OpenAPI document shows. It owns that a path which is not in it is open to nobody.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::OpenApi;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, PathItem};

use crate::Problem;
use crate::channel::Refusals;
use crate::http::{Caller, Failure, RequestId, Role, now};
use crate::operators::OperatorSession;

/// What a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: it is how a session is opened.
    Nobody,
    /// A session, though its operator has still to choose a password.
    Session,
    /// A session of an operator of this role, or of one that may do more.
    AtLeast(Role),
}

impl Needs {
    /// Whether an operator of this role may.
    #[must_use]
    pub fn allows(self, role: Role) -> bool {
        match self {
            Self::Nobody | Self::Session => true,
            Self::AtLeast(least) => role >= least,
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The method.
    pub method: &'static str,
    /// The path, as the document has it.
    pub path: &'static str,
    /// What it needs.
    pub needs: Needs,
}

macro_rules! table {
    ($($method:literal $path:literal $needs:expr;)*) => {
        &[$(Access { method: $method, path: $path, needs: $needs },)*]
    };
}

const EMPLOYEE: Needs = Needs::AtLeast(Role::Employee);
const MANAGER: Needs = Needs::AtLeast(Role::Manager);
const ADMIN: Needs = Needs::AtLeast(Role::Admin);

impl Access {
    /// The table. Employees read and work on single customers; managers also decide on
    /// verifications, set up partners and programmes, and reload pools, two of them where it is
    /// much; administrators do everything, operators, the audit and new pools included.
    pub const TABLE: &[Self] = table! {
        "POST" "/admin/sessions" Needs::Nobody;
        "GET" "/admin/sessions/current" Needs::Session;
        "DELETE" "/admin/sessions/current" Needs::Session;
        "POST" "/admin/password" Needs::Session;
        "GET" "/admin/operators" ADMIN;
        "POST" "/admin/operators" ADMIN;
        "POST" "/admin/operators/{operatorId}/block" ADMIN;
        "POST" "/admin/operators/{operatorId}/unblock" ADMIN;
        "POST" "/admin/operators/{operatorId}/reset" ADMIN;
        "POST" "/admin/operators/{operatorId}/role" ADMIN;
        "GET" "/admin/customers" EMPLOYEE;
        "GET" "/admin/customers/{customerId}" EMPLOYEE;
        "POST" "/admin/customers/{customerId}/block" EMPLOYEE;
        "POST" "/admin/customers/{customerId}/unblock" EMPLOYEE;
        "GET" "/admin/kyc" EMPLOYEE;
        "GET" "/admin/customers/{customerId}/kyc" EMPLOYEE;
        "POST" "/admin/customers/{customerId}/kyc" MANAGER;
        "GET" "/admin/corporations" EMPLOYEE;
        "GET" "/admin/corporations/{dcCorporationId}" EMPLOYEE;
        "POST" "/admin/corporations/{dcCorporationId}/kyb" MANAGER;
        "GET" "/admin/corporations/{dcCorporationId}/documents" EMPLOYEE;
        "GET" "/admin/corporations/{dcCorporationId}/documents/{documentId}" MANAGER;
        "GET" "/admin/customers/{customerId}/balances" EMPLOYEE;
        "GET" "/admin/customers/{customerId}/balances/{balanceId}" EMPLOYEE;
        "POST" "/admin/customers/{customerId}/balances/{balanceId}/block" EMPLOYEE;
        "POST" "/admin/customers/{customerId}/balances/{balanceId}/unblock" EMPLOYEE;
        "GET" "/admin/partners" EMPLOYEE;
        "POST" "/admin/partners" MANAGER;
        "GET" "/admin/partners/{partnerId}" EMPLOYEE;
        "PUT" "/admin/partners/{partnerId}" MANAGER;
        "GET" "/admin/partners/{partnerId}/changes" EMPLOYEE;
        "GET" "/admin/programmes" EMPLOYEE;
        "POST" "/admin/programmes" MANAGER;
        "GET" "/admin/programmes/{programmeId}" EMPLOYEE;
        "PUT" "/admin/programmes/{programmeId}" MANAGER;
        "GET" "/admin/programmes/{programmeId}/changes" EMPLOYEE;
        "GET" "/admin/programmes/{programmeId}/controls" EMPLOYEE;
        "POST" "/admin/programmes/{programmeId}/controls" MANAGER;
        "PUT" "/admin/programmes/{programmeId}/controls/{controlId}" MANAGER;
        "DELETE" "/admin/programmes/{programmeId}/controls/{controlId}" MANAGER;
        "GET" "/admin/programmes/{programmeId}/fees" EMPLOYEE;
        "PUT" "/admin/programmes/{programmeId}/fees" MANAGER;
        "POST" "/admin/programmes/{programmeId}/fees/preview" EMPLOYEE;
        "GET" "/admin/partners/{partnerId}/invoices/{invoice}" EMPLOYEE;
        "GET" "/admin/customers/{customerId}/balances/{balanceId}/fees" EMPLOYEE;
        "GET" "/admin/pools" EMPLOYEE;
        "POST" "/admin/pools" ADMIN;
        "GET" "/admin/pools/{poolId}" EMPLOYEE;
        "GET" "/admin/pools/{poolId}/alert" EMPLOYEE;
        "PUT" "/admin/pools/{poolId}/alert" MANAGER;
        "GET" "/admin/pools/{poolId}/reloads" EMPLOYEE;
        "POST" "/admin/pools/{poolId}/reloads" MANAGER;
        "GET" "/admin/pools/{poolId}/reloads/{reloadId}" EMPLOYEE;
        "POST" "/admin/pools/{poolId}/reloads/{reloadId}/approve" MANAGER;
        "POST" "/admin/pools/{poolId}/reloads/{reloadId}/refuse" MANAGER;
        "GET" "/admin/summary-balances" EMPLOYEE;
        "GET" "/admin/webhooks" EMPLOYEE;
        "GET" "/admin/webhooks/{webhookId}" EMPLOYEE;
        "GET" "/admin/webhooks/{webhookId}/messages" EMPLOYEE;
        "GET" "/admin/webhooks/{webhookId}/messages/{messageId}/attempts" EMPLOYEE;
        "POST" "/admin/webhooks/{webhookId}/messages/{messageId}/resend" MANAGER;
        "POST" "/admin/customers/{customerId}/cards/virtual" MANAGER;
        "GET" "/admin/customers/{customerId}/cards" EMPLOYEE;
        "GET" "/admin/cards/{cardId}/details" EMPLOYEE;
        "POST" "/admin/cards/{cardId}/lock" EMPLOYEE;
        "POST" "/admin/cards/{cardId}/unlock" EMPLOYEE;
        "POST" "/admin/cards/{cardId}/activate" EMPLOYEE;
        "POST" "/admin/cards/{cardId}/replace" MANAGER;
        "POST" "/admin/cards/{cardId}/renew" MANAGER;
        "POST" "/admin/cards/{cardId}/cvv" EMPLOYEE;
        "DELETE" "/admin/cards/{cardId}" EMPLOYEE;
        "GET" "/admin/cards/{cardId}/controls" EMPLOYEE;
        "GET" "/admin/cards/{cardId}/authorizations" EMPLOYEE;
        "GET" "/admin/cards/{cardId}/authorizations/{authorizationId}" EMPLOYEE;
        "GET" "/admin/customers/{customerId}/balances/{balanceId}/authorizations" EMPLOYEE;
        "POST" "/admin/customers/{customerId}/cards/physical" EMPLOYEE;
        "GET" "/admin/customers/{customerId}/cards/orders/{orderId}" EMPLOYEE;
        "GET" "/admin/audit" ADMIN;
    };

    /// What a call needs; none where there is no such call.
    #[must_use]
    pub fn needed(method: &str, path: &str) -> Option<Needs> {
        let of = |row: &&Self| row.method == method && row.path == path;
        Self::TABLE.iter().find(of).map(|row| row.needs)
    }
}

/// The layer behind the channel: whoever passes may call what they called.
pub(super) async fn by_role(
    State(refusals): State<Refusals>,
    ConnectInfo(origin): ConnectInfo<SocketAddr>,
    Extension(id): Extension<RequestId>,
    Extension(session): Extension<OperatorSession>,
    request: Request,
    next: Next,
) -> Response {
    // Where no route is there is nothing that anybody may call.
    let Some(path) = request.extensions().get::<MatchedPath>().cloned() else {
        return next.run(request).await;
    };
    let head = *request.method() == Method::HEAD;
    let method = if head { &Method::GET } else { request.method() };
    let Some(needs) = Access::needed(method.as_str(), path.as_str()) else {
        return no_such_method(path.as_str());
    };
    let problem = if !needs.allows(session.role) {
        Problem::new("FORBIDDEN", "this is not for operators of your role")
    } else if session.must_change && needs != Needs::Session {
        Problem::new("PASSWORD_CHANGE_REQUIRED", "choose a password first: POST /admin/password")
    } else {
        return next.run(request).await;
    };
    // Of acts there is a record already.
    if *method == Method::GET {
        let caller = Caller::Operator { operator: session.operator, role: session.role };
        let act = (format!("{method} {}", path.as_str()), problem.code);
        refusals.record_of(caller.actor().as_str(), (origin, &id), act, now()).await;
    }
    Failure::from(problem).into_response()
}

fn no_such_method(path: &str) -> Response {
    let methods = Access::TABLE.iter().filter(|row| row.path == path).map(|row| row.method);
    let methods = methods.collect::<Vec<_>>().join(", ");
    let what = "this path does not have this method; see `Allow`";
    let mut response = Failure::from(Problem::new("METHOD_NOT_ALLOWED", what)).into_response();
    if let Ok(methods) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    response
}

/// Shows the table in a document: each operation says which roles may call it. None for signing
/// in, for which nobody has a role yet.
pub(in crate::routes) fn document_roles(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let needs = Access::needed(method, path);
            let may = |role: &Role| needs.is_some_and(|it| it != Needs::Nobody && it.allows(*role));
            let roles: Vec<_> = Role::ALL.into_iter().filter(may).map(Role::name).collect();
            let shown = ExtensionsBuilder::new().add("x-roles", roles).build();
            operation.extensions.get_or_insert_default().merge(shown);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, post, put, delete, patch, .. } = item;
    let all = [("GET", get), ("POST", post), ("PUT", put), ("DELETE", delete), ("PATCH", patch)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}
