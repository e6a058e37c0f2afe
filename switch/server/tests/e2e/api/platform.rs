//! A platform that serves the API, with partners that have certificates of it.

use std::path::Path;

use rcgen::KeyPair;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use switch_store::private_postgres::{TestDatabase, fresh_database};

use super::client::{Answer, Client, Heard};
use crate::certificates::{FILES, LMK, ca, files, request, server_files};
use crate::keys::ceremony;
use crate::stage::{Served, peer, purchase};

pub(super) struct Platform {
    pub(super) database: TestDatabase,
    pub(super) directory: tempfile::TempDir,
    root: CertificateDer<'static>,
    /// More of its configuration.
    more: Vec<(&'static str, String)>,
    pub(super) served: Served,
    /// What its clients were answered.
    pub(super) heard: Heard,
}

/// Where the log of a platform is whose filter was given.
pub(super) const LOG: &str = "switch.log";

/// The PIN of users in tests.
pub(super) const PIN: &str = "271828";

/// A partner with money of its own and a product.
pub(super) struct Partner {
    pub(super) id: String,
    pub(super) programme: i64,
    pub(super) client: Client,
}

impl Platform {
    pub(super) async fn start() -> Self {
        Self::start_with(Vec::new()).await
    }

    /// The same with more of its configuration.
    pub(super) async fn start_with(more: Vec<(&'static str, String)>) -> Self {
        Self::start_keyed(more, |_| {}).await
    }

    /// The same once somebody has put more keys there.
    pub(super) async fn start_keyed(
        more: Vec<(&'static str, String)>,
        keyed: impl FnOnce(&Path),
    ) -> Self {
        let database = fresh_database().await;
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path();
        ceremony(at);
        keyed(at);
        assert!(ca(at, &["init"], true).0);
        let root = server_files(at);
        let served = serve(at, database.url().expose(), &more);
        Self { database, directory, root, more, served, heard: Heard::default() }
    }

    /// Stops, and serves again over the same database.
    pub(super) fn restart(self) -> Self {
        let Self { database, directory, root, more, served, heard } = self;
        served.terminate();
        let served = serve(directory.path(), database.url().expose(), &more);
        Self { database, directory, root, more, served, heard }
    }

    /// Ends without a word (SIGKILL), and serves again over the same database, with more of its
    /// configuration; in between something may be done.
    pub(super) fn crash(
        self,
        meanwhile: impl FnOnce(&Path, &str),
        with: Vec<(&'static str, String)>,
    ) -> Self {
        let Self { database, directory, root, mut more, mut served, heard } = self;
        served.child.kill().expect("SIGKILL");
        served.child.wait().expect("it ended");
        let url = database.url().expose();
        meanwhile(directory.path(), url);
        more.extend(with);
        let served = serve(directory.path(), url, &more);
        Self { database, directory, root, more, served, heard }
    }

    /// Stops, and serves again over the same database with links alone: nobody at the API.
    pub(super) fn without_listeners(self) -> Self {
        let Self { database, directory, root, more, served, heard } = self;
        served.terminate();
        let quick = ("CARDSWITCH_API__WEBHOOKS__EVERY_MS", "20");
        let configuration: Vec<_> = FILES.into_iter().chain([LMK, quick]).collect();
        let served = Served::start_with(directory.path(), database.url().expose(), &configuration);
        Self { database, directory, root, more, served, heard }
    }

    /// A partner whose credit is a thousand euros, and whose request was signed.
    pub(super) fn partner(&self, name: &str, bin: &str) -> Partner {
        let id = self.served.make(&["partner", "create", "--name", name], "partner");
        let pool = ["pool", "open", "--partner", &id, "--kind", "credit", "--currency", "EUR"];
        let pool = self.served.make(&pool, "pool");
        let reload = ["pool", "reload", "--pool", &pool, "--amount", "1000"];
        let reload = [&reload[..], &["--reference", "transfer 1"]].concat();
        self.served.command(&reload).expect("reloaded");
        let create = ["programme", "create", "--partner", &id, "--name", "Everyday"];
        let terms = ["--bin-low", bin, "--currency", "EUR", "--pool", &pool];
        let programme = self.served.make(&[&create[..], &terms].concat(), "programme");
        let client = self.system_of(&id, name);
        Partner { id, programme: programme.parse().expect("a number"), client }
    }

    /// The system of a partner, whose request for a certificate was signed.
    pub(super) fn system_of(&self, id: &str, name: &str) -> Client {
        let at = self.directory.path();
        let [csr, pem] = files(at, name);
        let key: KeyPair = request(Path::new(&csr));
        std::fs::write(at.join(format!("{name}.key")), key.serialize_pem()).expect("written");
        let sign = ["partner", "csr", "--partner", id, "--in", &csr, "--out", &pem];
        self.served.command(&sign).expect("signed");
        let certificate = CertificateDer::from_pem_file(&pem).expect("the certificate");
        let client = Client::new(self.served.api("secure"), &self.root, (&key, certificate));
        client.noting(&self.heard)
    }

    /// Somebody at the open listener.
    pub(super) fn anonymous(&self) -> Client {
        Client::anonymous(self.served.api("open"), &self.root).noting(&self.heard)
    }

    /// The panel, as a browser of an operator sees it.
    pub(super) fn panel(&self) -> Client {
        self.anonymous()
    }

    /// Done in the database by hand.
    pub(super) async fn sql(&self, sql: &'static str) {
        let mut session = self.database.url().connect_options().connect().await.expect("open");
        sqlx::raw_sql(sql).execute(&mut session).await.expect("done");
        session.close().await.expect("closed");
    }

    pub(super) async fn count(&self, sql: &str) -> i64 {
        let mut session = self.database.url().connect_options().connect().await.expect("open");
        let count = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut session).await;
        session.close().await.expect("closed");
        count.expect("a count")
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

    /// A card for an account that paths name, made by command: its name, and its number.
    pub(super) async fn card_for(&self, balance: &str) -> (String, String) {
        self.card_until(balance, "4912").await
    }

    /// The same with this as its last month.
    pub(super) async fn card_until(&self, balance: &str, expiry: &str) -> (String, String) {
        let sql = format!("SELECT balance_id FROM balance_handle WHERE public_id = '{balance}'");
        let balance = self.count(&sql).await.to_string();
        let issue = ["card", "issue", "--balance", &balance, "--expiry", expiry];
        let issue = [&issue[..], &["--reveal-test-pan"]].concat();
        let made = self.served.command(&issue).expect("a card");
        let card = made["card"].as_i64().expect("its name").to_string();
        (card, made["pan"].as_str().expect("a test number").to_owned())
    }

    /// Buys something with a card at a terminal of an acquirer; the action code.
    pub(super) async fn buys(&self, pan: &str, stan: u32, cents: u64) -> String {
        let mut acquirer = peer(self.served.link, 1).await;
        let answer = acquirer.exchange(0, &purchase(pan, stan, cents)).await.expect("an answer");
        answer.text(39).expect("an action code").to_owned()
    }

    pub(super) async fn close(self) {
        self.served.terminate();
        self.database.close().await;
    }
}

/// The month after this one, YYMM: a card that ends with it is due to be renewed.
pub(super) fn next_month() -> String {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let next = today.first_of_month().saturating_add(jiff::Span::new().months(1));
    format!("{:02}{:02}", next.year() % 100, next.month())
}

/// Where the log goes, where a test is to read it; the switch itself does not know the name.
pub(super) const LOG_FILE: &str = "CARDSWITCH_TEST_LOG_FILE";
/// Where customers' apps and operators call.
const OPEN: &str = "CARDSWITCH_API__OPEN__LISTEN";

fn serve(at: &Path, url: &str, more: &[(&'static str, String)]) -> Served {
    let listener = [
        ("CARDSWITCH_API__SECURE__LISTEN", "127.0.0.1:0"),
        ("CARDSWITCH_API__SECURE__CERTIFICATE", "server.pem"),
        ("CARDSWITCH_API__SECURE__KEY", "server.key"),
        (OPEN, "127.0.0.1:0"),
        ("CARDSWITCH_API__OPEN__CERTIFICATE", "server.pem"),
        ("CARDSWITCH_API__OPEN__KEY", "server.key"),
        ("CARDSWITCH_API__ENCRYPTION__KEY_FILE", "keys/api.key"),
        ("CARDSWITCH_API__OPERATORS__KEY_FILE", "keys/operators.key"),
        ("CARDSWITCH_API__WEBHOOKS__KEY_FILE", "keys/webhooks.key"),
        ("CARDSWITCH_API__CORPORATIONS__KEY_FILE", "keys/documents.key"),
        ("CARDSWITCH_API__WEBHOOKS__CA", "root.pem"),
        ("CARDSWITCH_API__WEBHOOKS__ALLOW_LOOPBACK", "true"),
        // Two months and a week: whatever day it is, a card that ends with the next month is due.
        ("CARDSWITCH_API__CARDS__RENEW_BEFORE_DAYS", "70"),
        // Hashing costs little here: it is tried elsewhere.
        ("CARDSWITCH_API__OPERATORS__HASH_MEMORY_KIB", "64"),
        ("CARDSWITCH_API__OPERATORS__HASH_PASSES", "1"),
        // A test asks faster than anybody else: rates are tried where they are what is tried.
        ("CARDSWITCH_API__REQUESTS__SOURCE_BURST", "10000"),
        ("CARDSWITCH_API__REQUESTS__CALLER_BURST", "10000"),
        ("CARDSWITCH_API__REQUESTS__PROOF_BURST", "1000"),
        ("CARDSWITCH_API__SESSIONS__HASH_KIB", "64"),
        ("CARDSWITCH_API__SESSIONS__HASH_PASSES", "1"),
    ];
    // A listener is in clear or has a certificate.
    let in_clear = more.iter().any(|(name, _)| *name == "CARDSWITCH_API__OPEN__IN_CLEAR");
    let certified = |name: &str| name.starts_with("CARDSWITCH_API__OPEN__") && name != OPEN;
    let listener = listener.into_iter().filter(|(name, _)| !(in_clear && certified(name)));
    let log = more.iter().find(|(name, _)| *name == LOG_FILE).map(|(_, path)| path.clone());
    let more = more.iter().map(|(name, value)| (*name, value.as_str()));
    let configuration: Vec<_> =
        FILES.into_iter().chain([LMK]).chain(listener).chain(more).collect();
    // Whoever has the switch say more reads it.
    let logged = configuration.iter().any(|(name, _)| *name == "CARDSWITCH_LOG__FILTER");
    let log = log.map(std::path::PathBuf::from).or_else(|| logged.then(|| at.join(LOG)));
    let Some(log) = log else { return Served::start_with(at, url, &configuration) };
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("a file");
    Served::start_logging(at, url, &configuration, log)
}

/// An app on a paired device.
#[derive(Clone)]
pub(super) struct App {
    client: Client,
    pub(super) paired: Value,
}

impl App {
    /// Tries to open a session with this PIN.
    pub(super) fn tries(&self, pin: &str) -> Answer {
        let opening = json!({
            "installationId": self.paired["installationId"],
            "installationSecret": self.paired["installationSecret"], "pin": pin
        });
        self.client.send("POST", "/customers/sessions", &[], Some(&opening))
    }

    /// With a session.
    pub(super) fn opens(&self) -> Client {
        let opened = self.tries(PIN).done(201).json();
        self.client.bearing(opened["token"].as_str().expect("a token"))
    }

    /// The same app, at a switch that listens elsewhere now.
    pub(super) fn at(&self, client: Client) -> Self {
        Self { client, paired: self.paired.clone() }
    }
}

impl Partner {
    /// Registers somebody; the identifier.
    pub(super) fn registers(&self, reference: &str) -> String {
        self.registers_one(reference, "Lovelace")
    }

    /// The same with another family name.
    pub(super) fn registers_one(&self, reference: &str, family_name: &str) -> String {
        let person = json!({
            "reference": reference,
            "person": { "givenName": "Ada", "familyName": family_name, "birthDate": "1990-12-10" }
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

    /// Has a device of somebody paired by their app, with the PIN of tests.
    pub(super) fn pairs(&self, app: &Client, customer: &str, device: &str) -> App {
        let path = format!("/lifecycle/v1/customers/{customer}/pairing-code");
        let made = self.client.send("POST", &path, &[], None).done(201).json();
        let pairing = json!({
            "pairingCode": made["pairingCode"], "pin": PIN,
            "device": { "key": device, "platform": "ios", "model": "iPhone 17" }
        });
        let paired = app.send("POST", "/customers/devices", &[], Some(&pairing)).done(201).json();
        App { client: app.clone(), paired }
    }

    pub(super) fn reads(&self, balance: &str) -> Value {
        self.client.get(balance).done(200).json()
    }
}

/// Euros, as the API writes them.
pub(super) fn euros(value: &str) -> Value {
    json!({ "value": value, "currency": "EUR" })
}
