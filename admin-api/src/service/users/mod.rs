//! End users: their data, their verification (KYC), and what their accounts are called outside. It
//! owns the ordinary tables of users; their state, their accounts and their cards are the shards'.
//! Whoever asks for a user names the partner, and SQL looks with both: what is another tenant's is
//! not there.

mod access;
mod balances;
mod customers;
mod holders;
pub mod kyc;
pub(in crate::service) mod pages;
mod panel;
mod personal;
mod profile;
pub(in crate::service) mod rules;
mod settings;

use std::sync::Arc;

use switch_domain::PartnerId;

use super::Services;
use super::proof::Hashing;
use crate::Problem;

pub use access::{
    AccessSettings, DeviceData, Opened, Paired, PairedInstallation, PairingCode, Removed, Session,
    UserPin,
};
pub use balances::{CustomersBalance, CustomersCard};
pub use customers::Customer;
pub(in crate::service) use holders::stands;
pub use pages::Page;
pub use panel::AwaitingReview;
pub use personal::Personal;
pub use profile::{Profile, ProfileInput};
pub use settings::{InquirySettings, UserSettings};

/// The services of end users. Cloning gives another handle.
#[derive(Clone)]
pub struct Users {
    services: Services,
    settings: Arc<UserSettings>,
    hashing: Hashing,
}

impl Users {
    /// Over the other services.
    #[must_use]
    pub fn new(services: Services, settings: UserSettings) -> Self {
        let hashing = Hashing::new(settings.access.hashing);
        Self { services, settings: Arc::new(settings), hashing }
    }

    /// How long things live, and how many there may be.
    #[must_use]
    pub fn settings(&self) -> &UserSettings {
        &self.settings
    }

    const fn pool(&self) -> &sqlx::PgPool {
        self.services.store.pool()
    }

    /// That there is such a partner.
    fn check_partner(&self, partner: PartnerId) -> Result<(), Problem> {
        let known = self.services.node.control().partners.contains_key(&partner);
        if known { Ok(()) } else { Err(Problem::not_found("there is no such partner")) }
    }
}

/// What is not there, and what is another tenant's: the same words for both.
fn no_customer() -> Problem {
    Problem::not_found("there is no such customer")
}
