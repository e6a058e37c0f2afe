//! The client against a receiver over TLS: whatever that does is an outcome, and nothing goes to
//! where it should not.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use admin_api::webhooks::{
    AddressRules, EndpointUrl, HttpsSender, LookedUp, Outcome, Outgoing, Resolver, Said,
    SenderSettings, SystemResolver, WebhookSender,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use simulators::network::Identity;
use simulators::receiver::{Receiver, Reply};

struct Place {
    folder: tempfile::TempDir,
    receiver: Receiver,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let identity = identity(&folder);
        let receiver = Receiver::listen(([127, 0, 0, 1], 0).into(), identity).await;
        Self { folder, receiver: receiver.expect("listening") }
    }

    fn settings(&self, loopback: bool) -> SenderSettings {
        SenderSettings {
            ca: self.folder.path().join("ca.pem"),
            own: None,
            addresses: AddressRules { loopback },
            connect: Duration::from_secs(60),
            patience: Duration::from_secs(60),
            idle_connections: 2,
            idle: Duration::from_secs(60),
            answer_most: 16,
        }
    }

    fn sender(&self, loopback: bool, resolver: impl Resolver + 'static) -> HttpsSender {
        HttpsSender::new(self.settings(loopback), Arc::new(resolver)).expect("ready")
    }

    fn url(&self, host: &str) -> EndpointUrl {
        let text = format!("https://{host}:{}/hook?a=1", self.receiver.address().port());
        EndpointUrl::parse(&text, AddressRules { loopback: true }).expect("a URL")
    }
}

/// An authority, and a certificate of it for some names of a receiver.
fn identity(folder: &tempfile::TempDir) -> Identity {
    let at = |name: &str| folder.path().join(name);
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
    let issuer = issuer.expect("signed");
    std::fs::write(at("ca.pem"), issuer.pem()).expect("written");
    let key = KeyPair::generate().expect("a key");
    let names = ["localhost", "hooks.example", "127.0.0.1"].map(ToOwned::to_owned).to_vec();
    let certificate = CertificateParams::new(names).expect("names").signed_by(&key, &issuer);
    std::fs::write(at("own.pem"), certificate.expect("signed").pem()).expect("written");
    std::fs::write(at("own.key"), key.serialize_pem()).expect("written");
    Identity { chain: at("own.pem"), key: at("own.key") }
}

fn message() -> Outgoing {
    Outgoing {
        id: "6f2c2b5e-8a4f-4a52-9f5e-3d1a2b3c4d5e".into(),
        second: 1_795_780_800,
        signatures: "v1,abc v1,def".into(),
        body: r#"{"type":"webhook.test"}"#.into(),
    }
}

// covers: API-10, API-18
#[tokio::test]
async fn whatever_a_receiver_does_is_an_outcome_and_no_redirect_is_followed() {
    let place = Place::new().await;
    let (sender, url) = (place.sender(true, SystemResolver::default()), place.url("localhost"));
    let elsewhere = Receiver::listen(([127, 0, 0, 1], 0).into(), identity(&place.folder));
    let elsewhere = elsewhere.await.expect("listening");
    let there = format!("https://localhost:{}/", elsewhere.address().port());
    // The authority was made anew with the other's certificate.
    let of = |outcome, status: u16, answer: &str| Said {
        outcome,
        status: Some(status),
        retry_after: None,
        answer: answer.to_owned(),
    };
    let words = "said the receive";
    for (reply, expected) in [
        (Reply::Status(200), of(Outcome::Delivered, 200, words)),
        (Reply::Status(204), of(Outcome::Delivered, 204, "")),
        (Reply::Status(299), of(Outcome::Delivered, 299, words)),
        (Reply::Status(400), of(Outcome::Status, 400, words)),
        (Reply::Status(500), of(Outcome::Status, 500, words)),
        (Reply::Status(410), of(Outcome::Gone, 410, words)),
        (Reply::Redirect(there), of(Outcome::Redirect, 307, words)),
        (Reply::Open(202), of(Outcome::Delivered, 202, "")),
        (Reply::Open(500), of(Outcome::Status, 500, "")),
        (Reply::Endless, of(Outcome::Delivered, 200, "and on and on an")),
        (Reply::Cut, Said::nothing(Outcome::Unreached)),
    ] {
        place.receiver.answers([reply.clone()]);
        assert_eq!(sender.send(&url, message()).await, expected, "{reply:?}");
    }
    assert!(elsewhere.came().is_empty());
    place.receiver.answers([Reply::RetryAfter(503, 90)]);
    let said = sender.send(&url, message()).await;
    assert_eq!((said.outcome, said.retry_after.as_deref()), (Outcome::Status, Some("90")));
    let came = &place.receiver.came()[0];
    let wanted = message();
    assert_eq!((&came.id, &came.idempotency_key), (&wanted.id, &wanted.id));
    assert_eq!((came.timestamp.as_str(), &came.signature), ("1795780800", &wanted.signatures));
    assert_eq!((came.path.as_str(), &came.body), ("/hook?a=1", &wanted.body));
    place.receiver.die();
    let said = sender.send(&url, message()).await;
    assert_eq!(said, Said::nothing(Outcome::Unreached));
    place.receiver.revive().await.expect("there again");
    assert_eq!(sender.send(&url, message()).await.outcome, Outcome::Delivered);
}

#[tokio::test]
async fn who_hangs_is_late_and_who_shows_another_authoritys_certificate_is_told_nothing() {
    let place = Place::new().await;
    let url = place.url("localhost");
    let hasty = SenderSettings { patience: Duration::from_millis(300), ..place.settings(true) };
    let sender = HttpsSender::new(hasty, Arc::new(SystemResolver::default())).expect("ready");
    place.receiver.answers([Reply::Hang]);
    assert_eq!(sender.send(&url, message()).await, Said::nothing(Outcome::Late));
    let others = Place::new().await;
    let sender = others.sender(true, SystemResolver::default());
    let told = place.receiver.came().len();
    assert_eq!(sender.send(&url, message()).await, Said::nothing(Outcome::Unreached));
    assert_eq!(place.receiver.came().len(), told);
}

/// Answers with the addresses it was given.
struct Fixed(&'static [&'static str]);

impl Resolver for Fixed {
    fn look_up<'a>(&'a self, _: &'a str) -> LookedUp<'a> {
        let found: Vec<IpAddr> = self.0.iter().map(|a| a.parse().expect("one")).collect();
        Box::pin(async move { Ok(found) })
    }
}

// covers: API-07
#[tokio::test]
async fn a_name_is_looked_up_once_and_the_connection_goes_to_the_address_that_was_judged() {
    let place = Place::new().await;
    let url = place.url("hooks.example");
    // No DNS has this name: it goes to the address that our resolver gave.
    let sender = place.sender(true, Fixed(&["127.0.0.1"]));
    assert_eq!(sender.send(&url, message()).await.outcome, Outcome::Delivered);
    let refused = Said::nothing(Outcome::RefusedAddress);
    for addresses in [
        &["127.0.0.1"][..],
        &["::ffff:127.0.0.1"],
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["8.8.8.8", "127.0.0.1"],
    ] {
        let sender = place.sender(false, Fixed(addresses));
        assert_eq!(sender.send(&url, message()).await, refused, "{addresses:?}");
    }
    // An address is judged as well, though nothing is looked up, and though it was registered.
    let sender = place.sender(false, Fixed(&["8.8.8.8"]));
    assert_eq!(sender.send(&place.url("127.0.0.1"), message()).await, refused);
    assert_eq!(place.receiver.came().len(), 1, "nothing else came");
}
