//! Cards that a processor elsewhere makes, by the real binary: over HTTPS with certificates on both
//! sides, while it is slow, refuses, is gone and comes back. A card is made once, what restricts
//! holds here first, what relaxes waits for it, and no number is in any log.

use std::path::Path;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use simulators::bureau::Worked;
use simulators::expected;
use simulators::network::Identity;
use simulators::processor::{Conduct, Plan, ProcessorSettings, SimulatedProcessor};

use super::cards::rig::{Known, Reader, Rig};
use super::client::{Answer, Client};
use super::plastic::{Shop, buys};
use super::platform::{LOG_FILE, Platform};
use crate::certificates::server_files;
use crate::http::get;
use crate::issuer::connect;

const UNAVAILABLE: (u16, &str) = (503, "PROCESSOR_UNAVAILABLE");
const REFUSED: (u16, &str) = (409, "PROCESSOR_REFUSED");

/// A processor elsewhere, and the files of both sides.
pub(super) struct Far {
    pub(super) processor: SimulatedProcessor,
    files: tempfile::TempDir,
}

/// An authority of certificates for those who ask, and one of them.
pub(super) fn client_files(at: &Path) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Askers");
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
    let issuer = issuer.expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["switch".into()]).expect("a name");
    let certificate = params.signed_by(&key, &issuer).expect("signed");
    for (name, text) in [
        ("clients.pem", issuer.pem()),
        ("own.pem", certificate.pem()),
        ("own.key", key.serialize_pem()),
    ] {
        std::fs::write(at.join(name), text).expect("written");
    }
}

impl Far {
    pub(super) async fn start() -> Self {
        let files = tempfile::tempdir().expect("a directory");
        server_files(files.path());
        client_files(files.path());
        let at = |name: &str| files.path().join(name);
        let identity = Identity { chain: at("server.pem"), key: at("server.key") };
        let settings = ProcessorSettings { identity, clients: at("clients.pem") };
        let processor = SimulatedProcessor::listen(([127, 0, 0, 1], 0).into(), settings);
        Self { processor: processor.await.expect("listening"), files }
    }

    /// The configuration of a switch that knows it as `far`.
    pub(super) fn configuration(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.files.path().join(name).display().to_string();
        let url = format!("https://localhost:{}/v1", self.processor.address().port());
        vec![
            ("CARDSWITCH_API__PROCESSORS__FAR__URL", url),
            ("CARDSWITCH_API__PROCESSORS__FAR__CA", path("root.pem")),
            ("CARDSWITCH_API__PROCESSORS__FAR__CERTIFICATE", path("own.pem")),
            ("CARDSWITCH_API__PROCESSORS__FAR__KEY", path("own.key")),
            ("CARDSWITCH_API__PROCESSORS__FAR__PIN_KEY", "zpk".into()),
            // Failures are what is tried here: that they give it a rest is tried elsewhere.
            ("CARDSWITCH_API__PROCESSORS__FAR__FAILURES", "1000".into()),
            // Nothing here is late on a slow machine.
            ("CARDSWITCH_API__PROCESSORS__FAR__CONNECT_MS", "30000".into()),
            ("CARDSWITCH_API__PROCESSORS__FAR__PATIENCE_MS", "30000".into()),
            ("CARDSWITCH_API__CARDS__EVERY_MS", "10".into()),
            ("CARDSWITCH_API__CARDS__PAUSE_MS", "20".into()),
            ("CARDSWITCH_API__CARDS__PAUSE_MOST_MS", "50".into()),
            (LOG_FILE, path("switch.log")),
        ]
    }

    pub(super) fn does(&self, conduct: Conduct) {
        self.processor.plan(Some(Plan::always(conduct)));
    }

    pub(super) fn does_right(&self) {
        self.processor.plan(None);
    }

    /// Has the cards of a programme made by it.
    pub(super) fn is_chosen(&self, platform: &Platform, programme: i64) {
        let chosen = choose(platform, programme, &["set", "--processor", "far"]).expect("chosen");
        assert_eq!((&chosen["processor"], &chosen["configured"]), (&json!("far"), &json!(true)));
        let by = chosen["changed_by"].as_str().expect("somebody");
        assert!(by.starts_with("uid:"), "{chosen}");
    }

    /// None of these stands in the log of the switch, nor in what the processor counted.
    pub(super) fn keeps_quiet(&self, numbers: &[&str]) {
        let log = std::fs::read_to_string(self.files.path().join("switch.log")).expect("a log");
        let tally = serde_json::to_string(&self.processor.tally()).expect("JSON");
        assert!(log.contains("a processor did not do it"), "it is the log");
        for number in numbers {
            assert!(!log.contains(number) && !tally.contains(number));
        }
    }
}

/// `cardswitch programme processor`.
fn choose(platform: &Platform, programme: i64, what: &[&str]) -> Result<Value, String> {
    let programme = programme.to_string();
    let command = ["programme", "processor", what[0], "--programme", programme.as_str()];
    platform.served.command(&[&command[..], &what[1..]].concat())
}

/// A rig whose programme has its cards made elsewhere.
pub(super) async fn start() -> (Far, Rig) {
    let far = Far::start().await;
    let rig = Rig::start_with(far.configuration()).await;
    far.is_chosen(&rig.platform, rig.acme.programme);
    (far, rig)
}

/// Asks for a card, under this key.
fn asks(rig: &Rig, key: &str) -> Answer {
    let path = format!("{}/virtual", rig.cards());
    rig.reader.post(&rig.acme.client, &path, key, &rig.wanted())
}

fn is(refused: (u16, String), wanted: (u16, &str)) -> bool {
    (refused.0, refused.1.as_str()) == wanted
}

// covers: SR-104, SR-107, SR-160, SR-161
#[tokio::test(flavor = "multi_thread")]
async fn a_card_made_elsewhere_is_made_once_and_spent_from_at_once() {
    let (far, rig) = start().await;
    let terminal = rig.terminal().await;
    far.does(Conduct::Late(Duration::from_millis(300)));
    let first = rig.issue("slow");
    assert_eq!(terminal.buys(&first).await, "0000", "the answer is there, and so is the card");
    assert!(first.pan.starts_with("99999912") && first.pan.len() == 16);
    // What is no answer, or none of ours, is asked again under the same reference.
    far.does(Conduct::Cut);
    assert!(is(asks(&rig, "second").refused(), UNAVAILABLE));
    assert_eq!(far.processor.tally().made, 2, "it was done, and nobody knew");
    for conduct in [Conduct::Status(503), Conduct::Garbage, Conduct::InClear, Conduct::Named] {
        far.does(conduct);
        assert!(is(asks(&rig, "second").refused(), UNAVAILABLE), "{conduct:?}");
    }
    far.processor.die();
    assert!(is(asks(&rig, "second").refused(), UNAVAILABLE), "gone");
    far.processor.revive().await.expect("there again");
    far.does_right();
    let second = rig.issue("second");
    assert_eq!(far.processor.tally().made, 2, "the same card, made once");
    assert_eq!(terminal.buys(&second).await, "0000");
    assert_eq!(
        (rig.issue("second").pan, rig.issue("slow").pan),
        (second.pan.clone(), first.pan.clone())
    );
    // What cannot be one of ours is refused, and so is a number that a card has.
    for conduct in [Conduct::Refuse, Conduct::Outside, Conduct::NoCheckDigit, Conduct::Taken] {
        far.does(conduct);
        let key = format!("{conduct:?}");
        assert!(is(asks(&rig, &key).refused(), REFUSED), "{conduct:?}");
    }
    let listed = rig.acme.client.get(&rig.cards()).done(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2), "{listed}");
    let metrics = get(rig.platform.served.http(), "/metrics");
    let of = |outcome: &str| {
        let labels = format!("processor=\"far\",call=\"create\",outcome=\"{outcome}\"");
        metrics.contains(&format!("cardswitch_processor_calls_total{{{labels}}}"))
    };
    for outcome in ["done", "refused", "status", "unreached", "bad_answer"] {
        assert!(of(outcome), "{outcome}: {metrics}");
    }
    far.keeps_quiet(&[&first.pan, &second.pan]);
    rig.platform.close().await;
}

// covers: SR-105, SR-162
#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_nobody_waits_for_is_made_once_over_an_outage_and_a_restart() {
    let (far, rig) = start().await;
    far.does(Conduct::Cut);
    let path = format!("{}/virtual/async", rig.cards());
    let asked = rig.acme.client.post(&path, "later", &rig.wanted()).done(202);
    let place = asked.header("location").expect("a place").to_owned();
    until(&far, |tally| tally.repeated >= 2).await;
    assert_eq!(rig.acme.client.get(&place).done(200).json()["state"], "WAITING");
    far.processor.die();
    let rig = rig.restart();
    far.does_right();
    far.processor.revive().await.expect("there again");
    let done = ends(&rig.acme.client, &place);
    assert_eq!((&done["state"], far.processor.tally().made), (&json!("DONE"), 1), "{done}");
    let path = format!("{}/{}", rig.cards(), done["cardId"].as_str().expect("a name"));
    let read = rig.reader.ask(&rig.acme.client, "GET", &path, None).done(200);
    let card = Known::of(&rig.reader.opens(&read));
    assert_eq!(rig.terminal().await.buys(&card).await, "0000");

    // One that was cut off before it was noted: asked again, it is the same card, also where the
    // processor has another number under its reference by then, which is taken for nothing.
    let again = "UPDATE card_profile SET card_id = NULL, made_at = NULL; \
                 UPDATE card_job SET state = 'WAITING', ended_at = NULL, next_at = now()";
    rig.platform.sql(again).await;
    assert_eq!(ends(&rig.acme.client, &place)["cardId"], done["cardId"]);
    far.does(Conduct::OtherNumber);
    rig.platform.sql(again).await;
    assert_eq!(ends(&rig.acme.client, &place)["cardId"], done["cardId"]);
    assert_eq!(rig.platform.count("SELECT count(*) FROM pan_vault").await, 1, "kept nowhere");
    far.keeps_quiet(&[&card.pan]);
    rig.platform.close().await;
}

// covers: SR-109, SR-110, SR-112, SR-127, SR-172, SR-174, SR-175
#[tokio::test(flavor = "multi_thread")]
async fn what_restricts_holds_here_first_and_what_relaxes_waits_for_the_processor() {
    let (far, rig) = start().await;
    let (terminal, card) = (rig.terminal().await, rig.issue("first"));
    let place = format!("{}/{}", rig.cards(), card.id);
    let client = &rig.acme.client;
    let act =
        |name: &str, key: &str, body: Value| client.post(&format!("{place}/{name}"), key, &body);
    let lock = json!({ "reasonCode": 3 });
    // It is away: the lock holds all the same, and cannot be lifted. It hears of it later.
    far.processor.die();
    act("lock", "1", lock.clone()).done(204);
    let locked = terminal.buys(&card).await;
    assert_ne!(locked, "0000", "in force here");
    assert!(is(act("unlock", "2", Value::Null).refused(), UNAVAILABLE));
    assert_eq!(terminal.buys(&card).await, locked, "not before the processor");
    far.processor.revive().await.expect("there again");
    until(&far, |tally| tally.of("sim-1").ends_with(&["stop 3".to_owned()])).await;
    act("lock", "3", lock).done(204);
    act("unlock", "4", Value::Null).done(204);
    assert_eq!(terminal.buys(&card).await, "0000");
    // A refusal of the processor is one here.
    far.does(Conduct::Refuse);
    assert!(is(act("lock", "5", json!({ "reasonCode": 4 })).refused(), REFUSED));
    assert!(is(act("unlock", "6", Value::Null).refused(), REFUSED));
    assert_ne!(terminal.buys(&card).await, "0000");
    far.does_right();
    act("unlock", "7", Value::Null).done(204);
    // A PIN is told first, and is not in force where it could not be.
    let path = format!("/customers/me/cards/{}/pin", card.id);
    let pin = json!({ "pin": "8264" });
    let details = || client.get(&format!("{place}/details")).done(200).json();
    rig.step_up();
    far.does(Conduct::Status(500));
    assert!(is(rig.reader.tell(&rig.app, &path, "p1", &pin).refused(), UNAVAILABLE));
    assert_eq!(details()["pinStatus"], "NOT_SET");
    far.does_right();
    rig.step_up();
    rig.reader.tell(&rig.app, &path, "p2", &pin).done(204);
    assert_eq!(details()["pinStatus"], "SET");
    // Removed, though the processor hears of it later.
    far.does(Conduct::Status(500));
    let remove = |key: &str| client.send("DELETE", &place, &[("Idempotency-Key", key)], None);
    remove("8").done(204);
    assert_ne!(terminal.buys(&card).await, "0000");
    far.does_right();
    until(&far, |tally| tally.of("sim-1").ends_with(&["retire".to_owned()])).await;
    remove("9").done(204);
    // The lock that was refused may have been told once more before it was lifted.
    let mut heard = far.processor.tally().of("sim-1");
    heard.retain(|one| one != "stop 4");
    heard.dedup();
    assert_eq!(heard, ["create", "stop 3", "unstop", "pin", "retire"]);
    far.keeps_quiet(&[&card.pan, "8264"]);
    rig.platform.close().await;
}

// covers: SR-165, SR-166, SR-167, SR-170
#[tokio::test(flavor = "multi_thread")]
async fn plastic_has_the_processors_number_and_is_active_when_the_processor_knows() {
    let far = Far::start().await;
    let pin_key = ("CARDSWITCH_API__CARDS__PIN_KEY", "zpk".to_owned());
    let mut shop = Shop::open_with([far.configuration(), vec![pin_key]].concat()).await;
    far.is_chosen(&shop.platform, shop.partner.programme);
    far.does(Conduct::Refuse);
    let never = shop.orders("never");
    assert_eq!(shop.until(&never, "REFUSED").await["refusal"], "PROCESSOR_REFUSED");
    far.does(Conduct::Outside);
    let strange = shop.orders("strange");
    assert_eq!(shop.until(&strange, "REFUSED").await["refusal"], "PROCESSOR_REFUSED");
    far.does_right();
    let order = shop.orders("first");
    shop.until(&order, "SENT").await;
    let worked = shop.bureau.look(None).expect("it works");
    assert_eq!(worked, Worked { files: 1, cards: 1, refused: 0 });
    let linked = shop.until(&order, "LINKED").await;
    let id = linked["cardId"].as_str().expect("a card").to_owned();
    let mut soft = shop.soft_card(&order);
    let pan = soft.facts().pan.clone();
    let tally = far.processor.tally();
    let name = tally.heard.last().expect("a card").card.clone();
    assert!(!far.processor.is_in_use(&name), "it waits there too");

    // Told first: it stays inactive where the processor cannot be told.
    let client = &shop.partner.client;
    let place = format!("/secure/customers/{}/cards/{id}", shop.customer);
    let activate = |key: &str| client.post(&format!("{place}/activate"), key, &Value::Null);
    far.does(Conduct::Status(503));
    assert!(is(activate("1").refused(), UNAVAILABLE));
    let mut peer = connect(&shop.platform.served, "test", "iso87-ascii").await;
    let inactive = expected::response_code("inactive").expect("a code");
    assert_eq!(buys(&mut peer, &mut soft, 1, None).await.0, inactive);
    far.does_right();
    activate("2").done(204);
    assert!(far.processor.is_in_use(&name));
    let app = shop.platform.anonymous();
    let session = shop.partner.pairs(&app, &shop.customer, "device-ada1").opens();
    let step_up = json!({ "pin": super::platform::PIN });
    session.send("POST", "/customers/sessions/current/step-up", &[], Some(&step_up)).done(200);
    let path = format!("/customers/me/cards/{id}/pin");
    let reader: &Reader = &shop.reader;
    reader.tell(&session, &path, "pin", &json!({ "pin": super::plastic::PIN })).done(200);
    assert_eq!(buys(&mut peer, &mut soft, 2, None).await.0, "00", "with chip and PIN");
    assert_eq!(far.processor.tally().of(&name), ["create", "activate", "pin"]);
    far.keeps_quiet(&[pan.digits()]);
    drop(peer);
    shop.close().await;
}

// covers: SR-161
#[tokio::test(flavor = "multi_thread")]
async fn a_processor_is_chosen_by_command_and_every_change_leaves_a_row() {
    let (far, rig) = start().await;
    let (platform, programme) = (&rig.platform, rig.acme.programme);
    let unknown = choose(platform, programme, &["set", "--processor", "nobody"]);
    let unknown = unknown.expect_err("it is not configured");
    assert!(unknown.contains("far, in-process") && unknown.contains("CONFLICT"), "{unknown}");
    let nothing = choose(platform, 4711, &["show"]).expect_err("no such programme");
    assert!(nothing.contains("NOT_FOUND"), "{nothing}");
    rig.issue("far");
    assert_eq!(far.processor.tally().made, 1);
    // In force for the next order, and the same again is no change.
    let cleared = choose(platform, programme, &["clear"]).expect("cleared");
    assert_eq!(cleared["processor"], "in-process");
    assert_eq!(choose(platform, programme, &["clear"]).expect("cleared"), cleared);
    assert_eq!(choose(platform, programme, &["show"]).expect("shown"), cleared);
    rig.issue("near");
    assert_eq!(far.processor.tally().made, 1);
    far.is_chosen(platform, programme);
    rig.issue("far again");
    assert_eq!(far.processor.tally().made, 2);
    let rows = "SELECT count(*) FROM programme_processor_change WHERE changed_by LIKE 'uid:%'";
    assert_eq!(platform.count(rows).await, 3);
    rig.platform.close().await;
}

/// Waits until the processor has counted so.
pub(super) async fn until(far: &Far, reached: impl FnMut(&simulators::processor::Tally) -> bool) {
    let within = tokio::time::timeout(Duration::from_secs(60), far.processor.until(reached)).await;
    within.expect("it is asked");
}

/// Asks until a job is no more on its way.
fn ends(client: &Client, place: &str) -> Value {
    let patience = Instant::now();
    loop {
        let told = client.get(place).done(200).json();
        if told["state"] != "WAITING" {
            return told;
        }
        assert!(patience.elapsed() < Duration::from_secs(60), "{told}");
        std::thread::yield_now();
    }
}
