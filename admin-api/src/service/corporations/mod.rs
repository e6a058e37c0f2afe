//! Corporations: companies that a partner brings, whose employees get cards (SR-021, SR-035). It
//! owns the tables of corporations, of their verification (KYB) and of their documents. To the
//! shards a corporation is a customer; that it is none to anybody else is held by `users`.

mod counted;
mod documents;
mod kyb;
mod machine;
mod media;
mod panel;
mod profile;
mod registry;
mod seal;
mod settings;

use std::sync::Arc;

use super::Services;
use crate::Problem;

pub use documents::{Document, DocumentKind, NewDocument, OpenedDocument};
pub use kyb::{Decision, KybMove};
pub use machine::{KybState, NoMove, judge};
pub use media::MediaType;
pub use profile::{CorporationInput, CorporationProfile};
pub use registry::{Corporation, CorporationPage};
pub use seal::{DocumentKeyFile, DocumentSeal, Documents};
pub use settings::CorporationSettings;

/// The service of corporations. Cloning gives another handle.
#[derive(Clone)]
pub struct Corporations {
    services: Services,
    seal: Arc<DocumentSeal>,
    settings: Arc<CorporationSettings>,
}

impl Corporations {
    /// Over the other services, with the key that documents are sealed under.
    #[must_use]
    pub fn new(services: Services, seal: DocumentSeal, settings: CorporationSettings) -> Self {
        counted::describe();
        Self { services, seal: Arc::new(seal), settings: Arc::new(settings) }
    }

    /// How much there may be.
    #[must_use]
    pub fn settings(&self) -> &CorporationSettings {
        &self.settings
    }

    /// That what is kept was sealed under our key: with another one reviewers could open nothing of
    /// it, and what was handed in now could be opened nowhere else.
    ///
    /// # Errors
    /// It was not, or the database.
    pub async fn require_our_key(&self) -> Result<(), Problem> {
        let sql = "SELECT public_id, sealed FROM corporation_document \
                   JOIN corporation_document_content ON document_id = id ORDER BY id DESC LIMIT 1";
        let last = sqlx::query_as(sql).fetch_optional(self.pool()).await?;
        self.seal.require_ours(last)
    }

    const fn pool(&self) -> &sqlx::PgPool {
        self.services.store.pool()
    }
}

/// What is not there, and what is another tenant's: the same words for both.
fn no_corporation() -> Problem {
    Problem::not_found("there is no such corporation")
}
