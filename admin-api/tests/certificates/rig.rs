//! A platform with a certificate authority over a database of its own, and partners' keys.

use std::path::{Path, PathBuf};

use admin_api::certificates::{
    Authority, AuthorityFiles, CertificateSettings, Certificates, Issued, Partnership,
};
use admin_api::{Problem, idempotency_key};
use rcgen::{CertificateParams, KeyPair};
use switch_domain::{AsciiText, PartnerId, Timestamp};
use switch_security::{Component, LocalMasterKey, LocalMasterKeys};
use switch_store::private_postgres::{TestDatabase, fresh_database};
use switch_store::{Store, StoreOptions, fresh_owner};

/// Microseconds of a day.
pub(crate) const DAY: i64 = 86_400_000_000;

pub(crate) struct Platform {
    pub(crate) database: TestDatabase,
    pub(crate) directory: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) certificates: Certificates,
}

pub(crate) fn text(text: &str) -> AsciiText<40> {
    AsciiText::new(text.as_bytes()).expect("short text")
}

/// The real time: handshakes go by it.
pub(crate) fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

pub(crate) fn days(moment: Timestamp, days: i64) -> Timestamp {
    Timestamp(moment.0 + days * DAY)
}

pub(crate) fn partner(number: i64) -> Partnership {
    Partnership { id: PartnerId(number), name: text("Acme Bank") }
}

/// A request with nothing in it but the key.
pub(crate) fn request(key: &KeyPair) -> String {
    CertificateParams::default().serialize_request(key).expect("a request").pem().expect("PEM")
}

pub(crate) fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

pub(crate) fn files(directory: &Path) -> AuthorityFiles {
    AuthorityFiles { key: directory.join("ca.key"), certificate: directory.join("ca.pem") }
}

fn components(directory: &Path) -> [PathBuf; 2] {
    ["first.lmk", "second.lmk"].map(|name| directory.join(name))
}

/// The authority of a directory, with its local master key, which is made if need be.
pub(crate) fn authority(directory: &Path) -> Authority {
    let components = components(directory);
    for path in components.iter().filter(|path| !path.exists()) {
        Component::generate().expect("random").save(path).expect("written");
    }
    let master = LocalMasterKey::load(&components).expect("a local master key");
    Authority::new(files(directory), Some(LocalMasterKeys::new(master)))
}

impl Platform {
    pub(crate) async fn start(settings: CertificateSettings) -> Self {
        let database = fresh_database().await;
        let options = StoreOptions {
            connect: database.url().connect_options(),
            owner: fresh_owner(),
            max_connections: 4,
        };
        let store = Store::connect(options).await.expect("a store");
        store.migrate().await.expect("tables");
        let directory = tempfile::tempdir().expect("a directory");
        let authority = authority(directory.path());
        authority.init("Test partners", 3_660, days(now(), -600)).expect("an authority");
        let certificates = Certificates::new(store.clone(), authority, settings);
        Self { database, directory, store, certificates }
    }

    /// Another node over the same database.
    pub(crate) fn other_node(&self, settings: CertificateSettings) -> Certificates {
        let authority = Authority::new(files(self.directory.path()), None);
        Certificates::new(self.store.clone(), authority, settings)
    }

    /// Signs under an idempotency key.
    pub(crate) async fn sign(
        &self,
        name: &str,
        number: i64,
        request: &str,
        at: Timestamp,
    ) -> Result<Issued, Problem> {
        let caller = (idempotency_key("test", name), text("test"));
        self.certificates.sign(caller, partner(number), request, at).await
    }

    /// A key with its certificate.
    pub(crate) async fn member(&self, number: i64, at: Timestamp) -> (KeyPair, Issued) {
        let key = key();
        let name = key.serialize_pem();
        let issued = self.sign(&name, number, &request(&key), at).await.expect("signed");
        (key, issued)
    }

    pub(crate) async fn end(self) {
        self.store.pool().close().await;
        self.database.close().await;
    }
}
