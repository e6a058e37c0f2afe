//! A platform that serves the API, with partners that have certificates of it.

use std::path::Path;

use rcgen::KeyPair;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use switch_store::private_postgres::{TestDatabase, fresh_database};

use super::client::Client;
use crate::certificates::{FILES, LMK, ca, files, request, server_files};
use crate::keys::ceremony;
use crate::stage::Served;

pub(super) struct Platform {
    pub(super) database: TestDatabase,
    pub(super) directory: tempfile::TempDir,
    root: CertificateDer<'static>,
    pub(super) served: Served,
}

/// A partner with money of its own and a product.
pub(super) struct Partner {
    pub(super) programme: i64,
    pub(super) client: Client,
}

impl Platform {
    pub(super) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With more configuration.
    pub(super) async fn start_with(more: &[(&str, &str)]) -> Self {
        let database = fresh_database().await;
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path();
        ceremony(at);
        assert!(ca(at, &["init"], true).0);
        let root = server_files(at);
        let served = serve(at, database.url().expose(), more);
        Self { database, directory, root, served }
    }

    /// Stops, and serves again over the same database.
    pub(super) fn restart(self) -> Self {
        let Self { database, directory, root, served } = self;
        served.terminate();
        let served = serve(directory.path(), database.url().expose(), &[]);
        Self { database, directory, root, served }
    }

    /// A partner whose credit is a thousand euros, and whose request was signed.
    pub(super) fn partner(&self, name: &str, bin: &str) -> Partner {
        let at = self.directory.path();
        let id = self.served.make(&["partner", "create", "--name", name], "partner");
        let pool = ["pool", "open", "--partner", &id, "--kind", "credit", "--currency", "EUR"];
        let pool = self.served.make(&pool, "pool");
        let reload = ["pool", "reload", "--pool", &pool, "--amount", "1000"];
        let reload = [&reload[..], &["--reference", "transfer 1"]].concat();
        self.served.command(&reload).expect("reloaded");
        let create = ["programme", "create", "--partner", &id, "--name", "Everyday"];
        let terms = ["--bin-low", bin, "--currency", "EUR", "--pool", &pool];
        let programme = self.served.make(&[&create[..], &terms].concat(), "programme");
        let [csr, pem] = files(at, name);
        let key: KeyPair = request(Path::new(&csr));
        std::fs::write(at.join(format!("{name}.key")), key.serialize_pem()).expect("written");
        let sign = ["partner", "csr", "--partner", &id, "--in", &csr, "--out", &pem];
        self.served.command(&sign).expect("signed");
        let certificate = CertificateDer::from_pem_file(&pem).expect("the certificate");
        let client = Client::new(self.served.api("secure"), &self.root, (&key, certificate));
        Partner { programme: programme.parse().expect("a number"), client }
    }

    /// A card for the only account, made by command; its number.
    pub(super) async fn issues_card(&self) -> String {
        let url = self.database.url();
        let mut session = url.connect_options().connect().await.expect("a session");
        let id: i64 = sqlx::query_scalar("SELECT balance_id FROM balance_handle")
            .fetch_one(&mut session)
            .await
            .expect("the account");
        let issue = ["card", "issue", "--balance", &id.to_string(), "--expiry", "4912"];
        self.served.make(&[&issue[..], &["--reveal-test-pan"]].concat(), "pan")
    }

    pub(super) async fn close(self) {
        self.served.terminate();
        self.database.close().await;
    }
}

fn serve(at: &Path, url: &str, more: &[(&str, &str)]) -> Served {
    let listener = [
        ("CARDSWITCH_API__SECURE__LISTEN", "127.0.0.1:0"),
        ("CARDSWITCH_API__SECURE__CERTIFICATE", "server.pem"),
        ("CARDSWITCH_API__SECURE__KEY", "server.key"),
        ("CARDSWITCH_API__ENCRYPTION__KEY_FILE", "keys/api.key"),
    ];
    let configuration: Vec<_> =
        FILES.into_iter().chain([LMK]).chain(listener).chain(more.iter().copied()).collect();
    Served::start_with(at, url, &configuration)
}

impl Partner {
    /// Registers somebody; the identifier.
    pub(super) fn registers(&self, reference: &str) -> String {
        let person = json!({
            "reference": reference,
            "person": { "givenName": "Ada", "familyName": "Lovelace", "birthDate": "1990-12-10" }
        });
        let made = self.client.post("/lifecycle/v1/customers", reference, &person).done(201);
        made.json()["customerId"].as_str().expect("an identifier").to_owned()
    }

    pub(super) fn verifies(&self, customer: &str) {
        let path = format!("/lifecycle/v1/customers/{customer}/kyc");
        let flag = json!({ "state": "VERIFIED" });
        self.client.post(&path, &format!("verify {customer}"), &flag).done(200);
    }

    /// Opens an account for somebody; its path.
    pub(super) fn opens(&self, customer: &str, key: &str) -> String {
        let path = format!("/secure/customers/{customer}/balances");
        let new = json!({ "programmeId": self.programme });
        let opened = self.client.post(&path, key, &new).done(201);
        opened.header("location").expect("a place").to_owned()
    }

    pub(super) fn reads(&self, balance: &str) -> Value {
        self.client.get(balance).done(200).json()
    }
}

/// Euros, as the API writes them.
pub(super) fn euros(value: &str) -> Value {
    json!({ "value": value, "currency": "EUR" })
}
