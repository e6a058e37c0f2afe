//! Who plays the seed's diagrams: a platform whose log says what it can, two links, a partner with
//! a receiver of webhooks, a customer with an app and an account, a manager, and the bureau. It
//! owns what occurs of cards, for the search at the end.

use std::time::Duration;

use serde_json::{Value, json};
use simulators::bureau::{Bureau, read_soft_card};
use simulators::chip::{CardFacts, SimulatedCard, TestKeys};
use simulators::receiver::Receiver;

use crate::api::cards::rig::{DIALECT, Known, Reader};
use crate::api::client::Client;
use crate::api::person::Person;
use crate::api::plastic;
use crate::api::platform::{LOG_FILE, PIN, Partner, Platform, euros};
use crate::api::processors::Far;
use crate::api::webhooks;
use crate::issuer::test_keys;

/// The PIN of the plastic card.
pub(super) const CARD_PIN: &str = "8264";

/// Everything is verified that comes, and nothing has to.
const TERMS: &str = "\
    cvk = 'cvk'\ncvk2 = ['cvk2', 'cvk2-b']\npvk = 'pvk'\nimk_ac = 'imk'\n\
    pin = { method = 'pvv' }\nprofiles = ['mchip-10']\n\
    [needed]\npin = []\nstripe = []\ncode = []\ncryptogram = []\n";

pub(super) struct Cast {
    pub(super) platform: Platform,
    pub(super) acme: Partner,
    /// The customer.
    pub(super) ada: String,
    /// The account, as paths name it.
    pub(super) balance: String,
    /// The customer's app, with a session.
    pub(super) app: Client,
    /// A manager at the panel.
    pub(super) manager: Client,
    pub(super) reader: Reader,
    pub(super) bureau: Bureau,
    pub(super) receiver: Receiver,
    /// Who makes the numbers, where that is not the switch itself.
    pub(super) far: Option<Far>,
    /// Cards whose number and code occurred.
    pub(super) noted: Vec<Known>,
    keys: TestKeys,
    _files: tempfile::TempDir,
}

impl Cast {
    /// With a processor elsewhere, or none.
    pub(super) async fn assemble(far: Option<Far>) -> Self {
        let (receiver, files, trusted) = webhooks::receiver().await;
        let of = |name, value: &str| (name, value.to_owned());
        let ours = vec![
            of("CARDSWITCH_LOG__FILTER", "debug"),
            of("CARDSWITCH_SHARDS__DATA_SHARDS", "2"),
            of("CARDSWITCH_LINKS__NET__ID", "2"),
            of("CARDSWITCH_LINKS__NET__LISTEN", "127.0.0.1:0"),
            of("CARDSWITCH_LINKS__NET__DIALECT", DIALECT),
            of("CARDSWITCH_API__CARDS__PIN_KEY", "zpk"),
            of("CARDSWITCH_API__WEBHOOKS__EVERY_MS", "20"),
            trusted,
        ];
        let theirs = far.as_ref().map(Far::configuration).unwrap_or_default();
        // The log that is searched is the platform's own.
        let theirs = theirs.into_iter().filter(|(name, _)| *name != LOG_FILE);
        let platform = plastic::platform_with("50", ours.into_iter().chain(theirs).collect()).await;
        let at = platform.directory.path();
        let acme = platform.partner("Acme", "99999912");
        if let Some(far) = &far {
            far.is_chosen(&platform, acme.programme);
        }
        let terms = at.join("terms.toml");
        std::fs::write(&terms, TERMS).expect("written");
        let (programme, terms) = (acme.programme.to_string(), terms.display().to_string());
        let set = ["security", "terms", "--programme", &programme, &terms];
        platform.served.command(&set).expect("terms");
        let url = format!("https://localhost:{}/hook", receiver.address().port());
        let hook = json!({ "url": url, "events": webhooks::ALL });
        acme.client.post("/secure/webhooks", "hook", &hook).done(201);
        let ada = acme.registers("u-1");
        acme.verifies(&ada);
        let balance = acme.opens(&ada, "open");
        let amount = json!({ "amount": euros("500"), "reference": "top-up" });
        acme.client.post(&format!("{balance}/reload"), "reload", &amount).done(200);
        let balance = balance.rsplit('/').next().expect("an identifier").to_owned();
        let app = acme.pairs(&platform.anonymous(), &ada, "device-0001").opens();
        let add = ["operator", "add", "--name", "grace", "--role", "manager"];
        let mut grace = Person::of(&platform.served.command(&add).expect("added"));
        let panel = platform.panel();
        let manager = panel.bearing(&grace.begins(&panel));
        let (bureau, reader, noted) = (plastic::bureau(at), Reader::new(), Vec::new());
        let (keys, _files) = (test_keys(), files);
        Self {
            platform,
            acme,
            ada,
            balance,
            app,
            manager,
            reader,
            bureau,
            receiver,
            far,
            noted,
            keys,
            _files,
        }
    }

    /// The user gives the own PIN again.
    pub(super) fn step_up(&self) {
        let pin = json!({ "pin": PIN });
        self.app.send("POST", "/customers/sessions/current/step-up", &[], Some(&pin)).done(200);
    }

    /// Everything that is on a card, as its holder reads it.
    pub(super) fn revealed(&mut self, card: &str) -> Known {
        self.step_up();
        let path = format!("/customers/me/cards/{card}");
        let read = self.reader.ask(&self.app, "GET", &path, None).done(200);
        let card = Known::of(&self.reader.opens(&read));
        self.noted.push(card.clone());
        card
    }

    /// Waits until an order stands so; what it is then.
    pub(super) async fn until(&self, order: &str, state: &str) -> Value {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..3_000 {
            let found = self.app.get(order).done(200).json();
            if found["state"] == state {
                return found;
            }
            looks.tick().await;
        }
        panic!("{order} does not become {state}")
    }

    /// What the processor elsewhere has heard: each card as it calls it, and the act.
    pub(super) fn heard(&self) -> Vec<String> {
        let tally = self.far.as_ref().map(|far| far.processor.tally());
        let heard = tally.map(|tally| tally.heard).unwrap_or_default();
        let said = heard.into_iter().map(|one| match one.code {
            Some(code) => format!("{} {} {code}", one.card, one.act),
            None => format!("{} {}", one.card, one.act),
        });
        said.collect()
    }

    /// That the processor has heard these acts since, where there is one: each at least once.
    pub(super) fn heard_since(&self, before: &[String], acts: &[&str]) {
        let all = self.heard();
        let since = all.iter().skip(before.len()).filter_map(|one| one.split_once(' '));
        let mut since: Vec<&str> = since.map(|(_, act)| act).collect();
        since.dedup();
        assert!(self.far.is_none() || since == acts, "{since:?}, and not {acts:?}");
    }

    /// What the bureau made for an order, whose holder will choose this PIN.
    pub(super) fn delivered(&self, order: &str) -> SimulatedCard {
        let facts = read_soft_card(&self.platform.directory.path().join("soft"), order);
        let facts = CardFacts { pin: CARD_PIN.to_owned(), ..facts.expect("a soft card") };
        SimulatedCard::personalised(&self.keys, facts).expect("a card")
    }
}
