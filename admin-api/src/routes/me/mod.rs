//! `/customers`: what a customer's app asks for (SR-050). It owns its paths; whose data they are is
//! the session's, and never a path's.

pub(super) mod access;
pub(super) mod authorizations;
pub(super) mod balances;
pub(super) mod cards;
pub(super) mod controls;
pub(super) mod devices;
pub(super) mod fees;
pub(super) mod plastic;
pub(super) mod profile;

use super::accounts::Owner;
use crate::service::users::Session;

/// Whose accounts a session may see.
const fn owner(session: &Session) -> Owner {
    Owner { partner: session.partner, customer: session.customer_id }
}
