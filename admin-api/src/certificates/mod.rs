//! Client certificates of partners (SR-051): the platform signs a partner's request, keeps what it
//! signed, takes certificates back, and says whose one is that is shown. It owns the table
//! `partner_certificate`. No certificate identifies anybody by what stands in it: its bytes must be
//! on record.

mod authority;
mod directory;
mod identify;
mod issue;
mod profile;
mod request;
mod revoke;
mod serial;
mod table;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metrics::{describe_counter, describe_gauge};
use switch_store::Store;

pub use authority::{Authority, AuthorityError, AuthorityFiles};
pub use directory::NotIdentified;
pub use issue::{Issued, Partnership};
pub use request::RequestFault;
pub use revoke::{Revocation, RevocationReason};
pub use serial::{NoSerial, Serial};
pub use table::ListedCertificate;

use crate::Problem;
use directory::Directory;

/// Limits of certificates.
#[derive(Clone, Copy, Debug)]
pub struct CertificateSettings {
    /// For how many days one is good.
    pub days: u32,
    /// Of one partner that are good at a time.
    pub most_live: u32,
    /// How old what is known of revoked ones may be before the table is read again.
    pub refresh: Duration,
    /// How old it may be at most, while the table cannot be read; past it nobody is let in.
    pub stale: Duration,
    /// Good ones in memory.
    pub known: usize,
}

impl Default for CertificateSettings {
    fn default() -> Self {
        Self {
            days: 397,
            most_live: 10,
            refresh: Duration::from_secs(5),
            stale: Duration::from_secs(60),
            known: 10_000,
        }
    }
}

/// Certificates of partners. Cloning gives another handle.
#[derive(Clone)]
pub struct Certificates {
    store: Store,
    authority: Arc<Authority>,
    settings: CertificateSettings,
    directory: Arc<Mutex<Directory>>,
    /// Who reads the table of revoked ones does it alone.
    reading: Arc<tokio::sync::Mutex<()>>,
}

impl Certificates {
    /// Over the platform's authority, which need not be made yet.
    #[must_use]
    pub fn new(store: Store, authority: Authority, settings: CertificateSettings) -> Self {
        describe();
        let directory = Arc::new(Mutex::new(Directory::new(settings.known.max(1))));
        let (authority, reading) = (Arc::new(authority), Arc::default());
        Self { store, authority, settings, directory, reading }
    }

    /// The authority.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Works on what is known. Nothing in it waits for anything.
    fn with_directory<T>(&self, work: impl FnOnce(&mut Directory) -> T) -> T {
        work(&mut self.directory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl From<RequestFault> for Problem {
    fn from(fault: RequestFault) -> Self {
        Self::invalid(fault.to_string())
    }
}

impl From<NoSerial> for Problem {
    fn from(fault: NoSerial) -> Self {
        Self::invalid(fault.to_string())
    }
}

impl From<AuthorityError> for Problem {
    fn from(error: AuthorityError) -> Self {
        match error {
            AuthorityError::None(_)
            | AuthorityError::NoMasterKey
            | AuthorityError::Exists(_)
            | AuthorityError::Over(_) => Self::new("CONFLICT", error.to_string()),
            AuthorityError::Name => Self::invalid(error.to_string()),
            other => Self::internal("signing the certificate", &other),
        }
    }
}

impl From<NotIdentified> for Problem {
    fn from(fault: NotIdentified) -> Self {
        let code = match fault {
            NotIdentified::Unavailable => "UNAVAILABLE",
            _ => "UNAUTHENTICATED",
        };
        Self::new(code, fault.to_string())
    }
}

fn describe() {
    describe_counter!(
        "cardswitch_api_certificates_total",
        "Requests by whether their client certificate told whose they are; outcome says why not"
    );
    describe_gauge!(
        "cardswitch_api_certificates_known",
        "Client certificates in memory: good ones, of which api.certificates.known are the most, \
         and revoked ones whose time is not over"
    );
    describe_counter!(
        "cardswitch_api_certificate_read_errors_total",
        "Readings of revoked client certificates that the database did not answer"
    );
}
