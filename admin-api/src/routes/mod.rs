//! The routes, one file a resource. It owns which path leads to which service's function, and the
//! JSON of requests and answers; who calls, how often, and whether it was done already is settled
//! before a route is reached, and what is done is the services' affair.

mod accounts;
mod admin;
mod amounts;
mod authorizations;
mod balances;
mod cards;
mod controls;
mod corporate;
mod corporations;
mod customers;
mod devices;
mod fees;
mod kyc;
mod me;
mod partners;
mod plastic;
mod pools;
mod problems;
mod programmes;
mod public_key;
mod sandbox;
mod served;
mod statements;
mod summaries;
mod webhook_messages;
mod webhooks;

pub use admin::{Access, Needs};
pub use served::{
    Around, Management, Panel, admin_channel, admin_document, customer_channel, customer_document,
    partner_channels, secure_document,
};

use crate::Problem;
use crate::http::{Caller, Failure};
use switch_domain::PartnerId;

type Answered<T> = Result<T, Failure>;

/// The tenant that a partner's own system acts for. The channel lets nobody else in.
fn tenant(caller: &Caller) -> Result<PartnerId, Problem> {
    caller.partner().ok_or_else(|| Problem::new("FORBIDDEN", "this is for partners"))
}
