//! Channels put together: routes, and the layers around them in their order. It owns that order:
//! what is cheap stands outside of what is not, and nothing of a route runs before its caller is
//! known, within its rate, and its request not done before. One file a channel.

mod admin;
mod customer;
mod encryption;
mod partner;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use switch_domain::Timestamp;

use crate::authorizations::Authorizations;
use crate::cards::Cards;
use crate::http::{
    Encryption, Rates, Repeats, Uploads, audited, encrypted, finish, idempotent, in_a_place,
    limit_caller, limit_proof, limit_source, named_alone, unremembered,
};
use crate::jwe::{Jwe, OpenPolicy, Requirement};
use crate::service::audit::AuditSink;
use crate::service::corporations::Corporations;
use crate::service::fees::Fees;
use crate::service::personalisation::Plastic;
use crate::service::pools::Pools;
use crate::service::programmes::Programmes;
use crate::service::sandbox::Simulations;
use crate::service::users::Users;
use crate::service::webhooks::Webhooks;
use crate::{OpenedTokens, PartnerKeys, Services};

pub use admin::{Panel, admin_channel, admin_document};
pub use customer::{customer_channel, customer_document};
pub use partner::{partner_channels, secure_document};

/// What the routes work with. Cloning gives another handle.
#[derive(Clone)]
pub struct Management {
    /// Commands of the shards.
    pub services: Services,
    /// End users.
    pub users: Users,
    /// Companies, whose employees have cards.
    pub corporations: Corporations,
    /// What partners are told.
    pub webhooks: Webhooks,
    /// Their cards.
    pub cards: Cards,
    /// Partners and their products, as operators set them up.
    pub programmes: Programmes,
    /// Pools of partners' money.
    pub pools: Pools,
    /// What acts, periods and purchases cost.
    pub fees: Fees,
    /// What was decided of them.
    pub authorizations: Authorizations,
    /// Their plastic cards, where any are made.
    pub plastic: Option<Plastic>,
    /// What a developer tries them with, where that is allowed.
    pub sandbox: Option<Simulations>,
    /// Encrypted requests and answers.
    pub jwe: Arc<Jwe>,
}

/// A moment as JSON has it: RFC 3339, in UTC.
pub(super) fn written(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map(|at| at.to_string()).unwrap_or_default()
}

/// What stands around the routes of every channel.
#[derive(Clone)]
pub struct Around {
    /// How often.
    pub rates: Arc<Rates>,
    /// What was done before.
    pub repeats: Arc<Repeats>,
    /// In which time a body comes.
    pub body_within: Duration,
    /// Whose keys answers are encrypted to.
    pub partner_keys: PartnerKeys,
    /// Which encrypted bodies are taken.
    pub tokens_taken: OpenPolicy,
    /// Those that were.
    pub tokens: OpenedTokens,
    /// What is recorded.
    pub audit: AuditSink,
    /// Bodies that bring a document.
    pub uploads: Uploads,
}

/// The layers behind a channel: the caller is known.
fn inside(router: Router, jwe: &Arc<Jwe>, around: &Around) -> Router {
    let Around {
        rates,
        repeats,
        body_within,
        partner_keys,
        tokens_taken,
        tokens,
        audit,
        uploads: _,
    } = around.clone();
    let body_limit = repeats.body_limit;
    let encryption = Encryption {
        jwe: jwe.clone(),
        policy: tokens_taken,
        partners: Some(partner_keys),
        tokens: Some(tokens),
        requirement: Requirement::Optional,
        operations: encryption::TABLE,
        body_limit,
        body_within,
    };
    // The last is the outermost.
    router
        .layer(DefaultBodyLimit::max(body_limit))
        .layer(from_fn_with_state(audit, audited))
        .layer(from_fn_with_state(repeats, idempotent))
        .layer(from_fn_with_state(Arc::new(encryption), encrypted))
        .layer(from_fn_with_state(rates, limit_caller))
}

/// The layers behind a channel for what takes a PIN or a password: seldom, and not remembered.
fn inside_proving(router: Router, jwe: &Arc<Jwe>, around: &Around) -> Router {
    inside(router, jwe, around)
        .layer(from_fn_with_state(around.rates.clone(), limit_proof))
        .layer(from_fn(unremembered))
}

/// The layers behind a channel for what makes something and carries a PIN: not remembered either,
/// but once under a key.
fn inside_named(router: Router, jwe: &Arc<Jwe>, around: &Around) -> Router {
    inside(router, jwe, around).layer(from_fn(named_alone))
}

/// The layers behind a channel for what brings a document: longer bodies, and few at a time.
fn inside_bringing(router: Router, jwe: &Arc<Jwe>, around: &Around) -> Router {
    let (uploads, repeats) = (around.uploads.clone(), Repeats::clone(&around.repeats));
    let repeats = Arc::new(Repeats { body_limit: uploads.body_limit, ..repeats });
    let max_token_bytes = uploads.body_limit;
    let tokens_taken = OpenPolicy { max_token_bytes, ..around.tokens_taken };
    let longer = Around { repeats, tokens_taken, ..around.clone() };
    inside(router, jwe, &longer).layer(from_fn_with_state(uploads, in_a_place))
}

/// The layers in front of it.
fn outside(router: Router, around: &Around) -> Router {
    router.layer(from_fn_with_state(around.rates.clone(), limit_source)).layer(from_fn(finish))
}
