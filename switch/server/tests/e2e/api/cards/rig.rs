//! An issuer with keys of its own whose cards are verified, somebody with an account, and whoever
//! reads encrypted answers.

use std::path::Path;

use admin_api::jwe::{
    KeyRules, OpenPolicy, Openable, PartnerKey, PlatformKey, PlatformKeys, PublishedKey, RsaBits,
    seal,
};
use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::Dialect;
use serde_json::{Value, json};
use simulators::chip::{CardFacts, CardKind, SimulatedCard};
use simulators::demo_file::TestPan;
use simulators::network::{NetworkPeer, Sale, Settings};
use switch_domain::Timestamp;

use crate::api::client::{Answer, Client};
use crate::api::platform::{PIN, Partner, Platform, euros, next_month};
use crate::issuer::test_keys;
use crate::keys::keys;

pub(in crate::api) const DIALECT: &str = "iso2003-binary";
const LINKS: &str = "[links.test]\npin = { key = 'zpk', formats = [0] }\n";
const TERMS: &str = "\
    cvk = 'cvk'\ncvk2 = ['cvk2', 'cvk2-b']\npvk = 'pvk'\npin = { method = 'pvv' }\n\
    [needed]\npin = []\nstripe = []\ncode = []\ncryptogram = []\n";

/// Whoever reads encrypted answers: an app, or a partner's system.
pub(in crate::api) struct Reader {
    keys: PlatformKeys,
    /// Its key as headers carry it.
    pub(in crate::api) public: String,
}

impl Reader {
    pub(in crate::api) fn new() -> Self {
        let rules = KeyRules { allow_2048: true, ..KeyRules::default() };
        let key = PlatformKey::generate(RsaBits::Bits2048, &rules).expect("a key");
        let keys = PlatformKeys::new(key);
        let public = PublishedKey::of(keys.active()).public_key;
        Self { keys, public }
    }

    /// Asks for an encrypted answer.
    pub(in crate::api) fn ask(
        &self,
        client: &Client,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let headers = [("Encrypt-Response", "true"), ("Public-Key", self.public.as_str())];
        client.send(method, path, &headers, body)
    }

    /// The same under an idempotency key.
    pub(in crate::api) fn post(
        &self,
        client: &Client,
        path: &str,
        key: &str,
        body: &Value,
    ) -> Answer {
        let public = self.public.as_str();
        let headers =
            [("Encrypt-Response", "true"), ("Public-Key", public), ("Idempotency-Key", key)];
        client.send("POST", path, &headers, Some(body))
    }

    /// Sends a body that is encrypted itself.
    pub(in crate::api) fn tell(
        &self,
        client: &Client,
        path: &str,
        key: &str,
        body: &Value,
    ) -> Answer {
        let sealed = sealed(client, body);
        let headers = [
            ("Encrypted-Request", "true"),
            ("Public-Key", self.public.as_str()),
            ("Idempotency-Key", key),
        ];
        client.send("POST", path, &headers, Some(&sealed))
    }

    /// What an answer has in it.
    pub(in crate::api) fn opens(&self, answer: &Answer) -> Value {
        let envelope = answer.json();
        let token = envelope["payload"].as_str().unwrap_or_else(|| panic!("in clear: {answer:?}"));
        assert_eq!(envelope.as_object().map(serde_json::Map::len), Some(1), "{answer:?}");
        let checked = Openable::check(token, &self.keys, &OpenPolicy::default(), Timestamp(0));
        let payload = checked.and_then(Openable::open).unwrap_or_else(|e| panic!("{e:?}"));
        serde_json::from_slice(payload.json()).expect("JSON")
    }
}

/// A body for the platform alone.
pub(in crate::api) fn sealed(client: &Client, body: &Value) -> Value {
    // Apps and partners' systems each have a path to it.
    let ways = ["/customers/public-key", "/lifecycle/v1/public-key"].map(|path| client.get(path));
    let platform = ways.iter().find(|one| one.status == 200).expect("a key").json();
    let platform = platform["publicKey"].as_str().expect("a key");
    let platform = PartnerKey::from_base64(platform).expect("a key");
    let token = seal(&platform, body.to_string().as_bytes()).expect("sealed");
    json!({ "payload": token })
}

/// A card that was issued, as its holder knows it.
#[derive(Clone, Debug)]
pub(in crate::api) struct Known {
    pub(in crate::api) id: String,
    pub(in crate::api) pan: String,
    /// YYMM.
    pub(in crate::api) expiry: String,
    pub(in crate::api) cvv2: String,
}

impl Known {
    pub(in crate::api) fn of(opened: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{opened}")).to_owned();
        let shown = text(&opened["card"]["expiry"]);
        let (month, year) = shown.split_once('/').expect("MM/YY");
        Self {
            id: text(&opened["card"]["cardId"]),
            pan: text(&opened["cardNo"]),
            expiry: format!("{year}{month}"),
            cvv2: text(&opened["cvv"]),
        }
    }

    /// As a bureau that has the issuer's keys would make it.
    pub(in crate::api) fn by_the_issuers_keys(&self, pin: &str) -> SimulatedCard {
        let facts = CardFacts {
            pan: TestPan::new(self.pan.clone()),
            expiry: self.expiry.clone(),
            service_code: "101".to_owned(),
            sequence: 0,
            pin: pin.to_owned(),
            kind: CardKind::Visa10,
        };
        SimulatedCard::personalised(&test_keys(), facts).expect("a card")
    }
}

/// Everybody.
pub(in crate::api) struct Rig {
    pub(in crate::api) platform: Platform,
    pub(in crate::api) acme: Partner,
    /// The customer.
    pub(in crate::api) ada: String,
    /// The account, as paths name it.
    pub(in crate::api) balance: String,
    /// The customer's app, with a session.
    pub(in crate::api) app: Client,
    pub(in crate::api) reader: Reader,
    dialect: &'static str,
}

impl Rig {
    pub(in crate::api) async fn start() -> Self {
        Self::start_with(Vec::new()).await
    }

    pub(in crate::api) async fn start_with(more: Vec<(&'static str, String)>) -> Self {
        Self::speaking(DIALECT, more).await
    }

    /// Over a link of this dialect.
    pub(in crate::api) async fn speaking(
        dialect: &'static str,
        more: Vec<(&'static str, String)>,
    ) -> Self {
        let link = ("CARDSWITCH_LINKS__TEST__DIALECT", dialect.to_owned());
        let more = more.into_iter().chain([link]);
        let platform = keyed_platform(more.collect()).await;
        let acme = platform.partner("Acme", "99999912");
        terms(&platform, &acme);
        let ada = acme.registers("u-1");
        acme.verifies(&ada);
        let balance = acme.opens(&ada, "open");
        let amount = json!({ "amount": euros("500"), "reference": "top-up" });
        acme.client.post(&format!("{balance}/reload"), "reload", &amount).done(200);
        let balance = balance.rsplit('/').next().expect("an identifier").to_owned();
        let app = acme.pairs(&platform.anonymous(), &ada, "device-0001").opens();
        Self { platform, acme, ada, balance, app, reader: Reader::new(), dialect }
    }

    /// Stops, and serves again over the same database, looking for what waits at once.
    pub(in crate::api) fn restart(self) -> Self {
        let Self { platform, acme, ada, balance, app, reader, dialect } = self;
        let platform = platform.restart();
        let client = acme.client.at(platform.served.api("secure"));
        let app = app.at(platform.served.api("open"));
        Self { platform, acme: Partner { client, ..acme }, ada, balance, app, reader, dialect }
    }

    /// Cards of the customer, as the partner's system names them.
    pub(in crate::api) fn cards(&self) -> String {
        format!("/secure/customers/{}/cards", self.ada)
    }

    /// What a card is asked for with.
    pub(in crate::api) fn wanted(&self) -> Value {
        json!({ "balanceId": self.balance, "holderName": "ADA LOVELACE" })
    }

    /// The partner has a virtual card issued.
    pub(in crate::api) fn issue(&self, key: &str) -> Known {
        let path = format!("{}/virtual", self.cards());
        let answer = self.reader.post(&self.acme.client, &path, key, &self.wanted()).done(201);
        Known::of(&self.reader.opens(&answer))
    }

    /// A card of the account that is due to be renewed, made by command.
    pub(in crate::api) async fn due(&self) -> Known {
        let (card, pan) = self.platform.card_until(&self.balance, &next_month()).await;
        let path = format!("{}/{card}", self.cards());
        let read = self.reader.ask(&self.acme.client, "GET", &path, None).done(200);
        let due = Known::of(&self.reader.opens(&read));
        assert_eq!(due.pan, pan);
        due
    }

    /// The user gives the own PIN again.
    pub(in crate::api) fn step_up(&self) {
        let pin = json!({ "pin": PIN });
        self.app.send("POST", "/customers/sessions/current/step-up", &[], Some(&pin)).done(200);
    }

    /// A terminal, connected.
    pub(in crate::api) async fn terminal(&self) -> Terminal {
        Terminal::speaking(self.dialect, self.platform.served.link).await
    }
}

/// A terminal behind a network.
pub(in crate::api) struct Terminal {
    peer: NetworkPeer,
    speech: simulators::network::Speech,
}

impl Terminal {
    /// Connected to a link of the usual dialect.
    pub(in crate::api) async fn at(link: std::net::SocketAddr) -> Self {
        Self::speaking(DIALECT, link).await
    }

    async fn speaking(dialect: &str, link: std::net::SocketAddr) -> Self {
        let dialect = Dialect::shipped(dialect).expect("shipped");
        let settings = Settings::new(dialect.into(), Framing::new(LengthHeader::Binary2));
        let speech = settings.speech.clone();
        let peer = NetworkPeer::dial(link, settings).expect("a network");
        peer.ready().await.expect("connected");
        Self { peer, speech }
    }

    /// Buys something with a card; the action code.
    pub(in crate::api) async fn buys(&self, card: &Known) -> String {
        self.asks(card, None).await
    }

    /// The same with more fields.
    pub(in crate::api) async fn asks(
        &self,
        card: &Known,
        more: Option<(u8, simulators::network::Value)>,
    ) -> String {
        let sale = Sale { expiry: card.expiry.clone(), ..self.peer.sale(&card.pan, 100) };
        let mut draft = self.speech.purchase(&sale);
        draft.extend(more);
        self.peer.request("100", &draft).await.expect("an answer").action()
    }
}

/// A platform that has the issuer's keys.
pub(in crate::api) async fn keyed_platform(more: Vec<(&'static str, String)>) -> Platform {
    let ours = [
        ("CARDSWITCH_CONFIG", "links.toml"),
        ("CARDSWITCH_SECURITY__KEY_FILE", "keys/switch.keys"),
        ("CARDSWITCH_API__CARDS__PIN_KEY", "zpk"),
    ];
    let ours = ours.into_iter().map(|(name, value)| (name, value.to_owned()));
    Platform::start_keyed(ours.chain(more).collect(), import).await
}

fn import(at: &Path) {
    std::fs::write(at.join("links.toml"), LINKS).expect("written");
    let test_keys = test_keys();
    for (name, usage, key) in [
        ("cvk", "C0", &test_keys.card_values),
        ("cvk2", "C0", &test_keys.card_codes),
        ("cvk2-b", "C0", &test_keys.card_values),
        ("pvk", "V2", &test_keys.pin_values),
        ("zpk", "P0", &test_keys.zone),
    ] {
        let (good, said) = keys(at, &["import", name, "--usage", usage], &key.digits());
        assert!(good, "{name}: {said}");
    }
}

/// How the cards of a partner's programme are verified.
pub(in crate::api) fn terms(platform: &Platform, partner: &Partner) {
    let file = platform.directory.path().join("terms.toml");
    std::fs::write(&file, TERMS).expect("written");
    let programme = partner.programme.to_string();
    let file = file.to_str().expect("a path");
    let terms = ["security", "terms", "--programme", programme.as_str(), file];
    platform.served.command(&terms).expect("terms");
}
