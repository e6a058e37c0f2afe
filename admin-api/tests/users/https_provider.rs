//! The client of the provider against a simulated one, over TLS: whatever that sends is a finding
//! or a fault, and personal data go to it alone.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use admin_api::kyc::{
    BadAnswer, Finding, HttpsProvider, KycProvider, KycQuestion, NoProvider, ProviderFault,
    ProviderSettings, ProviderUrl,
};
use admin_api::{Profile, ProfileInput};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use simulators::kyc::{Conduct, KycSettings, Plan, SimulatedKyc, Verdict};
use simulators::network::Identity;
use uuid::Uuid;

use crate::world::NOW;

const SECRET: &str = "a secret-of-16+ b";

/// An authority in a directory.
pub(crate) struct Pki {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
        let (folder, issuer) = (tempfile::tempdir().expect("a directory"), issuer.expect("signed"));
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).expect("written");
        std::fs::write(folder.path().join("secret"), format!("{}\n", secret())).expect("written");
        Self { folder, issuer }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn identity(&self, name: &str) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let (chain, file) = (self.at(&format!("{name}.pem")), self.at(&format!("{name}.key")));
        std::fs::write(&chain, certificate.pem()).expect("written");
        std::fs::write(&file, key.serialize_pem()).expect("written");
        Identity { chain, key: file }
    }

    /// A provider that asks for a certificate and the secret.
    async fn provider(&self) -> SimulatedKyc {
        let settings = KycSettings {
            identity: self.identity("localhost"),
            clients: Some(self.at("ca.pem")),
            secret: Some(secret()),
        };
        let listen = SimulatedKyc::listen(([127, 0, 0, 1], 0).into(), settings);
        listen.await.expect("listening")
    }

    /// How it is reached by whoever may.
    fn settings(&self, provider: &SimulatedKyc) -> ProviderSettings {
        let url = format!("https://localhost:{}/v1", provider.address().port());
        let own = self.identity("client");
        ProviderSettings {
            url: ProviderUrl::parse(&url).expect("an address"),
            ca: self.at("ca.pem"),
            own: Some((own.chain, own.key)),
            secret_file: Some(self.at("secret")),
            connect: Duration::from_secs(60),
            idle_connections: 4,
            idle: Duration::from_secs(60),
        }
    }
}

fn secret() -> String {
    SECRET.replace(' ', "-")
}

fn question(family_name: &str) -> KycQuestion {
    let input = ProfileInput {
        given_name: "Ana \"\\".into(),
        family_name: family_name.into(),
        birth_date: "1990-05-17".into(),
        email: Some("ana@host.example".into()),
        phone: Some("+4366012345".into()),
        street: Some("Straße 1".into()),
        city: Some("Łódź".into()),
        postal_code: Some("1010".into()),
        country: Some("AT".into()),
        language: Some("de".into()),
    };
    KycQuestion { inquiry: Uuid::new_v4(), profile: Profile::of(input, NOW).expect("good") }
}

// covers: SR-032
#[tokio::test]
async fn whatever_the_provider_sends_is_a_finding_or_a_fault() {
    let pki = Pki::new();
    let provider = pki.provider().await;
    let client = HttpsProvider::new(&pki.settings(&provider)).expect("ready");
    let verified = client.ask(question("Ruiz")).await.expect("found");
    assert!(matches!(&verified, Finding::Verified(reference) if reference.starts_with("SIM-")));
    let rejected = client.ask(question("Denied")).await.expect("found");
    let why = |reference: &str| reference.ends_with("SANCTIONS");
    assert!(matches!(&rejected, Finding::Rejected(reference) if why(reference)), "{rejected:?}");
    let waiting = question("Waiting");
    for expected in ["NothingYet", "NothingYet", "Verified"] {
        let found = client.ask(waiting.clone()).await.expect("found");
        assert!(format!("{found:?}").starts_with(expected), "{found:?}");
    }
    assert_eq!(provider.tally().connections, 1, "one after the other on one connection");
    let bad = ProviderFault::BadAnswer;
    for (conduct, fault) in [
        (Conduct::Status(500), ProviderFault::Status(500)),
        (Conduct::Status(404), ProviderFault::Status(404)),
        (Conduct::Redirect, ProviderFault::Status(307)),
        (Conduct::Garbage, bad(BadAnswer::Shape)),
        (Conduct::Twice, bad(BadAnswer::Shape)),
        (Conduct::TooLong, bad(BadAnswer::TooLong)),
        (Conduct::Other, bad(BadAnswer::OtherInquiry)),
        (Conduct::Cut, ProviderFault::Unavailable),
        (Conduct::Half, ProviderFault::Unavailable),
    ] {
        provider.plan(Some(Plan::once(conduct)));
        let asked = provider.tally().questions;
        assert_eq!(client.ask(question("Ruiz")).await, Err(fault), "{conduct:?}");
        assert_eq!(provider.tally().questions, asked + 1, "{conduct:?}: asked once");
    }
    provider.plan(Some(Plan::once(Conduct::Late(Duration::from_secs(600)))));
    let late = tokio::time::timeout(Duration::from_millis(50), client.ask(question("Ruiz")));
    assert!(late.await.is_err(), "whoever asks has a limit of its own");
    provider.plan(Some(Plan::once(Conduct::Say(Verdict::Rejected("TOLD")))));
    let after = client.ask(question("Ruiz")).await.expect("found");
    assert!(matches!(after, Finding::Rejected(_)), "nothing of before is taken for it");
    provider.die();
    assert_eq!(client.ask(question("Ruiz")).await, Err(ProviderFault::Unavailable));
    provider.revive().await.expect("there again");
    assert!(client.ask(question("Ruiz")).await.is_ok());
}

#[tokio::test]
async fn only_the_provider_itself_is_asked_and_only_by_whom_it_knows() {
    let (pki, others) = (Pki::new(), Pki::new());
    let provider = pki.provider().await;
    let good = pki.settings(&provider);
    let ask = async |settings: ProviderSettings| {
        HttpsProvider::new(&settings).expect("ready").ask(question("Ruiz")).await
    };
    assert!(ask(good.clone()).await.is_ok());
    let trust = ProviderSettings { ca: others.at("ca.pem"), ..good.clone() };
    assert_eq!(ask(trust).await, Err(ProviderFault::Unavailable), "of another authority");
    let port = provider.address().port();
    let elsewhere = ProviderUrl::parse(&format!("https://127.0.0.1:{port}/v1")).expect("a URL");
    let name = ProviderSettings { url: elsewhere, ..good.clone() };
    assert_eq!(ask(name).await, Err(ProviderFault::Unavailable), "of another name");
    let nobody = ProviderSettings { own: None, ..good.clone() };
    assert_eq!(ask(nobody).await, Err(ProviderFault::Unavailable), "without a certificate");
    assert_eq!(provider.tally().questions, 1, "nothing personal was sent to anybody else");
    let silent = ProviderSettings { secret_file: None, ..good.clone() };
    assert_eq!(ask(silent).await, Err(ProviderFault::Status(401)), "without the secret");

    let missing = ProviderSettings { ca: pki.at("none.pem"), ..good.clone() };
    assert!(matches!(HttpsProvider::new(&missing), Err(NoProvider::Tls(_))));
    let empty = ProviderSettings { ca: pki.at("secret"), ..good.clone() };
    assert!(matches!(HttpsProvider::new(&empty), Err(NoProvider::Tls(_))));
    for text in ["short", "has a blank within it", "ünprintable-characters", ""] {
        std::fs::write(pki.at("bad"), text).expect("written");
        let bad = ProviderSettings { secret_file: Some(pki.at("bad")), ..good.clone() };
        let refused = HttpsProvider::new(&bad).expect_err("no secret").to_string();
        assert!(refused.contains("holds no secret"), "{refused}");
        assert!(text.is_empty() || !refused.contains(text), "{refused}");
    }
    let shown = format!("{:?}", HttpsProvider::new(&good).expect("ready"));
    assert!(!shown.contains(&secret()), "{shown}");
    assert!(Path::new(&pki.at("secret")).exists());
}

#[tokio::test]
async fn files_that_changed_are_used_from_then_on_and_broken_ones_change_nothing() {
    let pki = Pki::new();
    let provider = pki.provider().await;
    let settings = pki.settings(&provider);
    let write = |name: &str, text: &str| std::fs::write(pki.at(name), text).expect("written");
    write("secret", "another-secret-of-before");
    let client = HttpsProvider::new(&settings).expect("ready");
    assert_eq!(client.ask(question("Ruiz")).await, Err(ProviderFault::Status(401)));
    assert!(!client.reload().expect("read"), "nothing has changed");
    write("secret", &secret());
    assert!(client.reload().expect("read"), "the secret has");
    assert!(client.ask(question("Ruiz")).await.is_ok());
    let trusted = std::fs::read_to_string(pki.at("ca.pem")).expect("text");
    write("ca.pem", "half of a file");
    client.reload().expect_err("broken");
    assert!(client.ask(question("Ruiz")).await.is_ok(), "as before");
    write("ca.pem", &std::fs::read_to_string(Pki::new().at("ca.pem")).expect("text"));
    assert!(client.reload().expect("read"));
    let distrusted = client.ask(question("Ruiz")).await;
    assert_eq!(distrusted, Err(ProviderFault::Unavailable), "no connection of before is used");
    write("ca.pem", &trusted);
    assert!(client.reload().expect("read") && client.ask(question("Ruiz")).await.is_ok());
}

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn whatever_goes_wrong_nothing_personal_and_no_secret_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("made").block_on(async {
            let pki = Pki::new();
            let provider = pki.provider().await;
            let client = HttpsProvider::new(&pki.settings(&provider)).expect("ready");
            for conduct in [Conduct::Cut, Conduct::Half, Conduct::Garbage, Conduct::Status(500)] {
                provider.plan(Some(Plan::once(conduct)));
                client.ask(question("Ruiz")).await.expect_err("told to");
            }
            client.ask(question("Ruiz")).await.expect("found");
            provider.die();
            client.ask(question("Ruiz")).await.expect_err("gone");
        });
    });
    let bytes = log.0.lock().expect("no panic").clone();
    let text = String::from_utf8(bytes).expect("text");
    assert!(text.contains("the provider of verifications gives no answer"), "{text}");
    let words = ["Ana", "Ruiz", "1990-05-17", "ana@host", "4366012345", "Stra", "dź"];
    for word in words.into_iter().chain([secret().as_str()]) {
        assert!(!text.contains(word), "{word}: {text}");
    }
}
