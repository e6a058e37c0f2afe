//! Verification of customers by the real binary, in each mode: by the partner, by an operator, and
//! by a provider over HTTPS that fails, is gone, and is there again.

use std::time::Duration;

use serde_json::{Value, json};
use simulators::kyc::{Conduct, KycSettings, Plan, SimulatedKyc};
use simulators::network::Identity;
use sqlx::{ConnectOptions, PgConnection};

use super::platform::{Partner, Platform};
use crate::certificates::server_files;
use crate::http::get;

const SECRET: &str = "e2e-secret-of-the-provider";

/// A platform, the provider that it asks, and a session for looking.
pub(super) struct Stage {
    pub(super) platform: Platform,
    provider: SimulatedKyc,
    session: PgConnection,
    _files: tempfile::TempDir,
}

impl Stage {
    pub(super) async fn start() -> Self {
        let files = tempfile::tempdir().expect("a directory");
        server_files(files.path());
        let at = |name: &str| files.path().join(name);
        std::fs::write(at("secret"), SECRET).expect("written");
        let identity = Identity { chain: at("server.pem"), key: at("server.key") };
        let settings = KycSettings { identity, clients: None, secret: Some(SECRET.into()) };
        let provider = SimulatedKyc::listen(([127, 0, 0, 1], 0).into(), settings).await;
        let provider = provider.expect("listening");
        let path = |name: &str| at(name).display().to_string();
        let url = format!("https://localhost:{}/v1", provider.address().port());
        let platform = Platform::start_with(vec![
            ("CARDSWITCH_API__KYC__URL", url),
            ("CARDSWITCH_API__KYC__CA", path("root.pem")),
            ("CARDSWITCH_API__KYC__SECRET_FILE", path("secret")),
            ("CARDSWITCH_API__KYC__EVERY_MS", "10".into()),
            ("CARDSWITCH_API__KYC__PAUSE_MS", "20".into()),
            ("CARDSWITCH_API__KYC__PAUSE_MOST_MS", "50".into()),
            ("CARDSWITCH_API__KYC__ATTEMPTS", "10000".into()),
        ])
        .await;
        let session = platform.database.url().connect_options().connect().await;
        let session = session.expect("a session");
        Self { platform, provider, session, _files: files }
    }

    /// A partner whose customers are verified so.
    pub(super) fn partner(&self, name: &str, bin: &str, kyc: &str) -> Partner {
        let partner = self.platform.partner(name, bin);
        let set = ["partner", "settings", "set", "--partner", &partner.id, "--kyc", kyc];
        let chosen = self.platform.served.command(&set).expect("chosen");
        assert_eq!(chosen, json!({ "kyc": kyc, "registered_keys_only": false }));
        partner
    }

    /// Waits until a customer's verification stands so.
    pub(super) async fn until(&mut self, customer: &str, state: &str) {
        let sql = "SELECT count(*) FROM customer WHERE public_id = $1::uuid AND kyc_state = $2";
        let looking = async {
            let mut looks = tokio::time::interval(Duration::from_millis(10));
            loop {
                let query = sqlx::query_scalar::<_, i64>(sql).bind(customer).bind(state);
                if query.fetch_one(&mut self.session).await.expect("an answer") == 1 {
                    return;
                }
                looks.tick().await;
            }
        };
        let within = tokio::time::timeout(Duration::from_secs(60), looking).await;
        within.unwrap_or_else(|_| panic!("{customer} does not become {state}"));
    }

    /// Waits until an inquiry was asked so often, by one identifier alone.
    async fn until_asked(&self, times: u64) {
        let enough = self.provider.until(|tally| tally.inquiries.values().any(|n| *n >= times));
        let within = tokio::time::timeout(Duration::from_secs(60), enough).await;
        within.expect("it is asked again and again");
    }

    /// Waits until the switch has counted so.
    async fn until_counted(&self, line: &str) {
        let http = self.platform.served.http();
        let looking = async {
            let mut looks = tokio::time::interval(Duration::from_millis(10));
            loop {
                let fetched = tokio::task::spawn_blocking(move || get(http, "/metrics")).await;
                if fetched.expect("no panic").lines().any(|counted| counted == line) {
                    return;
                }
                looks.tick().await;
            }
        };
        let within = tokio::time::timeout(Duration::from_secs(60), looking).await;
        within.unwrap_or_else(|_| panic!("{line} is not counted"));
    }

    pub(super) async fn close(self) {
        drop(self.session);
        self.platform.close().await;
    }
}

impl Partner {
    /// Begins the platform's verification of a customer.
    pub(super) fn begins(&self, customer: &str, key: &str) {
        let path = format!("/secure/customers/{customer}/register");
        self.client.post(&path, key, &Value::Null).done(200);
    }

    /// Why no account is opened for a customer.
    fn is_refused(&self, customer: &str, key: &str) -> (u16, String) {
        let path = format!("/secure/customers/{customer}/balances");
        self.client.post(&path, key, &json!({ "programmeId": self.programme })).refused()
    }

    /// Says itself that a customer is verified.
    fn says(&self, customer: &str, key: &str) -> u16 {
        let path = format!("/lifecycle/v1/customers/{customer}/kyc");
        self.client.post(&path, key, &json!({ "state": "VERIFIED" })).status
    }

    /// The history of a verification: who moved it, where, and with what note.
    fn moves(&self, customer: &str) -> Vec<(String, String, String)> {
        let path = format!("/lifecycle/v1/customers/{customer}/kyc");
        let read = self.client.get(&path).done(200).json();
        let text = |of: &Value, member: &str| of[member].as_str().unwrap_or_default().to_owned();
        let moves = read["moves"].as_array().expect("moves");
        moves.iter().map(|one| (text(one, "by"), text(one, "to"), text(one, "note"))).collect()
    }
}

const NOT_VERIFIED: (u16, &str) = (409, "CUSTOMER_NOT_VERIFIED");

fn is_not_verified(refused: (u16, String)) -> bool {
    (refused.0, refused.1.as_str()) == NOT_VERIFIED
}

// covers: SR-030, SR-032, SR-034, SR-101, SR-147
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_verifies_and_rejects_and_only_who_is_verified_has_an_account() {
    let mut stage = Stage::start().await;
    let acme = stage.partner("Acme", "99999912", "automated");

    let ada = acme.registers("u-1");
    assert!(is_not_verified(acme.is_refused(&ada, "early")));
    acme.begins(&ada, "begin ada");
    stage.until(&ada, "VERIFIED").await;
    acme.opens(&ada, "open ada");
    let moves = acme.moves(&ada);
    assert_eq!((moves[0].0.as_str(), moves[0].1.as_str()), ("partner", "PENDING"));
    assert_eq!((moves[1].0.as_str(), moves[1].1.as_str()), ("provider", "VERIFIED"));
    assert!(moves[1].2.starts_with("SIM-"), "the provider's reference is kept: {moves:?}");

    // It takes a while: asked again by the same identifier.
    let eve = acme.registers_one("u-2", "Waiting");
    acme.begins(&eve, "begin eve");
    stage.until(&eve, "VERIFIED").await;
    let times: Vec<u64> = stage.provider.tally().inquiries.into_values().collect();
    assert!(times.len() == 2 && times.contains(&1) && times.contains(&3), "{times:?}");

    // Rejected, put right, and verified then: another inquiry.
    let bob = acme.registers_one("u-3", "Denied");
    acme.begins(&bob, "begin bob");
    stage.until(&bob, "REJECTED").await;
    assert!(is_not_verified(acme.is_refused(&bob, "rejected")));
    let path = format!("/lifecycle/v1/customers/{bob}");
    let tag = acme.client.get(&path).done(200).header("etag").expect("a version").to_owned();
    let person = json!({ "givenName": "Bob", "familyName": "Right", "birthDate": "1990-12-10" });
    acme.client.send("PUT", &path, &[("If-Match", &tag)], Some(&person)).done(200);
    acme.begins(&bob, "begin bob again");
    stage.until(&bob, "VERIFIED").await;
    acme.opens(&bob, "open bob");
    let moves = acme.moves(&bob);
    let to: Vec<&str> = moves.iter().map(|(_, to, _)| to.as_str()).collect();
    assert_eq!(to, ["PENDING", "REJECTED", "PENDING", "VERIFIED"]);
    assert!(moves[1].2.ends_with("SANCTIONS"), "{moves:?}");
    assert_eq!(stage.provider.tally().inquiries.len(), 4);
    stage.until_counted("cardswitch_kyc_answers_total{outcome=\"decided\"} 4").await;
    stage.until_counted("cardswitch_kyc_inquiries{state=\"asked\"} 0").await;
    stage.close().await;
}

// covers: SR-032
#[tokio::test(flavor = "multi_thread")]
async fn neither_an_outage_nor_a_restart_loses_an_inquiry_or_asks_it_by_another_name() {
    let mut stage = Stage::start().await;
    let mut acme = stage.partner("Acme", "99999912", "automated");
    let ada = acme.registers("u-1");
    stage.provider.plan(Some(Plan::always(Conduct::Status(503))));
    acme.begins(&ada, "begin");
    stage.until_asked(3).await;
    // What is pending is the provider's to say.
    assert_eq!(acme.says(&ada, "flag"), 403);
    assert!(is_not_verified(acme.is_refused(&ada, "early")));
    for conduct in [
        Conduct::Garbage,
        Conduct::TooLong,
        Conduct::Twice,
        Conduct::Other,
        Conduct::Redirect,
        Conduct::Cut,
        Conduct::Half,
    ] {
        let faults = stage.provider.tally().answers_of("FAULT");
        stage.provider.plan(Some(Plan::always(conduct)));
        let more = stage.provider.until(|tally| tally.answers_of("FAULT") >= faults + 2);
        tokio::time::timeout(Duration::from_secs(60), more).await.expect("asked again");
    }
    // Gone altogether, while the switch is stopped and started.
    stage.provider.die();
    stage.platform = stage.platform.restart();
    acme.client = acme.client.at(stage.platform.served.api("secure"));
    let asked = stage.provider.tally().questions;
    stage.provider.plan(Some(Plan::always(Conduct::Status(500))));
    stage.provider.revive().await.expect("there again");
    stage.until_asked(asked + 2).await;
    assert_eq!(acme.moves(&ada).len(), 1, "nothing was decided");
    // A stop in the middle of a question: it is asked again.
    stage.provider.plan(Some(Plan::always(Conduct::Late(Duration::from_secs(600)))));
    let asked = stage.provider.tally().questions;
    stage.until_asked(asked + 1).await;
    stage.platform = stage.platform.restart();
    acme.client = acme.client.at(stage.platform.served.api("secure"));
    stage.provider.plan(None);
    stage.until(&ada, "VERIFIED").await;
    acme.opens(&ada, "open");
    let moves = acme.moves(&ada);
    assert_eq!(moves.len(), 2, "{moves:?}");
    let tally = stage.provider.tally();
    assert_eq!((tally.inquiries.len(), tally.wrong), (1, 0), "by one identifier: {tally:?}");
    stage.close().await;
}

// covers: SR-032, SR-033, SR-034, SR-147, SR-263
#[tokio::test(flavor = "multi_thread")]
async fn a_partner_verifies_itself_or_leaves_it_to_an_operator_and_no_provider_is_asked() {
    let stage = Stage::start().await;
    let own = stage.partner("Own", "99999912", "own");
    let ada = own.registers("u-1");
    assert!(is_not_verified(own.is_refused(&ada, "early")));
    assert_eq!(own.says(&ada, "flag"), 200);
    own.opens(&ada, "open");

    let manual = stage.partner("Manual", "99999913", "manual");
    let bob = manual.registers("u-1");
    manual.begins(&bob, "begin");
    assert_eq!(manual.says(&bob, "flag"), 403, "an operator decides");
    assert!(is_not_verified(manual.is_refused(&bob, "early")));
    // The partner takes it over, without a restart: what is pending is its own to decide then.
    let served = &stage.platform.served;
    let set = ["partner", "settings", "set", "--partner", &manual.id, "--kyc", "own"];
    served.command(&set).expect("chosen");
    assert_eq!(manual.says(&bob, "flag again"), 200);
    manual.opens(&bob, "open");
    let show = ["partner", "settings", "show", "--partner", &manual.id];
    let shown = json!({ "kyc": "own", "registered_keys_only": false });
    assert_eq!(served.command(&show).expect("shown"), shown);
    assert_eq!(stage.provider.tally().questions, 0);
    stage.close().await;
}

// covers: SR-263
#[tokio::test(flavor = "multi_thread")]
async fn what_a_partner_chooses_is_refused_where_it_cannot_be() {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let set = |what: &[&str]| {
        let set = ["partner", "settings", "set", "--partner", &acme.id];
        platform.served.command(&[&set[..], what].concat())
    };
    let refused = set(&["--kyc", "automated"]).expect_err("there is no provider");
    assert!(refused.contains("no provider is configured"), "{refused}");
    let refused = set(&["--registered-keys-only", "true"]).expect_err("there is no key");
    assert!(refused.contains("partner key add"), "{refused}");
    let refused = set(&[]).expect_err("nothing is chosen");
    assert!(refused.contains("--kyc"), "{refused}");
    platform.close().await;
}

// covers: SR-066, A-10
#[tokio::test(flavor = "multi_thread")]
async fn answers_are_encrypted_to_the_keys_that_commands_register() {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let command = |of: &[&str], more: &[&str]| {
        let of = [&["partner"], of, &["--partner", &acme.id], more].concat();
        platform.served.command(&of)
    };
    // Any public key will do: here the platform's own.
    let published = acme.client.get("/lifecycle/v1/public-key").done(200).json();
    let text = |member: &str| published[member].as_str().expect("text").to_owned();
    let file = platform.directory.path().join("partner.pub");
    std::fs::write(&file, text("pem")).expect("written");
    let file = file.display().to_string();
    let added = command(&["key", "add"], &["--in", &file]).expect("added");
    let thumbprint = added["thumbprint"].as_str().expect("a thumbprint").to_owned();
    let listed = command(&["key", "list"], &[]).expect("listed");
    assert_eq!(
        (&listed[0]["state"], &listed[0]["thumbprint"]),
        (&"LIVE".into(), &added["thumbprint"])
    );

    let asked = |key: Option<&str>| {
        let mut headers = vec![("Encrypt-Response", "true")];
        headers.extend(key.map(|key| ("Public-Key", key)));
        acme.client.send("GET", "/lifecycle/v1/customers", &headers, None)
    };
    let refused = (400, "INVALID_PUBLIC_KEY".to_owned());
    assert_eq!(asked(None).refused(), refused, "as the seed has it");
    let only = ["--registered-keys-only", "true"];
    let set = command(&["settings", "set"], &only).expect("chosen");
    assert_eq!(set, json!({ "kyc": "own", "registered_keys_only": true }));
    assert!(asked(None).done(200).json()["payload"].is_string(), "to the registered one");
    assert!(asked(Some(&text("publicKey"))).done(200).json()["payload"].is_string());
    let retired = command(&["key", "retire", &thumbprint], &[]).expect("retired");
    assert_eq!(retired["before"], false);
    assert_eq!(asked(None).refused(), refused, "at once");
    assert_eq!(asked(Some(&text("publicKey"))).refused(), refused);
    platform.close().await;
}
