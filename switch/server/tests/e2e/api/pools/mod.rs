//! Pools of partners' money over the API, by the real binary: the seed's two diagrams, who reloads
//! them, and what they come to.

mod alarms;
mod diagrams;
mod invariants;
mod relay;
mod reloads;
mod summary;

use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::person::Person;
use super::platform::{Partner, Platform, euros};

const NONE: &Value = &Value::Null;

/// A platform with operators, where a reload of more than a thousand euros needs two of them, and a
/// partner.
struct Rig {
    platform: Platform,
    /// An administrator.
    ada: Client,
    /// Two managers.
    mia: Client,
    max: Client,
    acme: Partner,
}

/// An operator at the panel, with a session.
pub(super) fn operator(platform: &Platform, name: &str, role: &str) -> Client {
    let add = ["operator", "add", "--name", name, "--role", role];
    let mut person = Person::of(&platform.served.command(&add).expect("added"));
    let panel = platform.panel();
    panel.bearing(&person.begins(&panel))
}

impl Rig {
    async fn start() -> Self {
        Self::start_with(Vec::new()).await
    }

    async fn start_with(more: Vec<(&'static str, String)>) -> Self {
        let limits = ("CARDSWITCH_API__POOLS__FOUR_EYES_ABOVE", "{ EUR = \"1000\" }".to_owned());
        let quick = ("CARDSWITCH_API__POOLS__EVERY_MS", "20".to_owned());
        let platform =
            Platform::start_with([limits, quick].into_iter().chain(more).collect()).await;
        let [ada, mia, max] = [("ada", "admin"), ("mia", "manager"), ("max", "manager")]
            .map(|(name, role)| operator(&platform, name, role));
        let acme = platform.partner("Acme", "99999912");
        Self { platform, ada, mia, max, acme }
    }

    /// Opens a pool for the partner; its number.
    fn opens(&self, kind: &str, currency: &str) -> String {
        let partner: i64 = self.acme.id.parse().expect("a number");
        let new = json!({ "partnerId": partner, "kind": kind, "currency": currency });
        let key = format!("open {kind} {currency}");
        let opened = self.ada.post("/admin/pools", &key, &new).done(201);
        let id = opened.json()["poolId"].as_str().expect("a number").to_owned();
        assert_eq!(opened.header("location"), Some(format!("/admin/pools/{id}").as_str()));
        id
    }

    /// A manager books what came for a pool.
    fn reloads(
        &self,
        by: &Client,
        pool: &str,
        (value, currency): (&str, &str),
        key: &str,
    ) -> Answer {
        let amount = json!({ "value": value, "currency": currency });
        let body = json!({ "amount": amount, "reference": key });
        by.post(&format!("/admin/pools/{pool}/reloads"), key, &body)
    }

    /// What is in a pool: level, held, available.
    fn amounts(&self, pool: &str) -> [String; 3] {
        let shown = self.mia.get(&format!("/admin/pools/{pool}")).done(200).json();
        ["level", "held", "available"]
            .map(|one| shown[one]["value"].as_str().expect("an amount").to_owned())
    }

    /// The partner with a product that this pool funds.
    fn funded_by(&self, pool: &str, bin: &str) -> Partner {
        let create = ["programme", "create", "--partner", &self.acme.id, "--name", "Other"];
        let terms = ["--bin-low", bin, "--currency", "EUR", "--pool", pool];
        let programme = self.platform.served.make(&[&create[..], &terms].concat(), "programme");
        Partner {
            id: self.acme.id.clone(),
            programme: programme.parse().expect("a number"),
            client: self.acme.client.clone(),
        }
    }
}

/// Somebody verified, with an account; its path.
fn account(partner: &Partner, reference: &str) -> String {
    let customer = partner.registers(reference);
    partner.verifies(&customer);
    partner.opens(&customer, &format!("open {reference}"))
}

/// The partner asks for a top-up of an account.
fn tops_up(partner: &Partner, account: &str, value: &str, key: &str) -> Answer {
    let body = json!({ "amount": euros(value), "reference": key });
    partner.client.post(&format!("{account}/reload"), key, &body)
}

/// What is in an account: ledger, held, available.
fn in_account(partner: &Partner, account: &str) -> [String; 3] {
    let shown = partner.reads(account);
    ["ledger", "held", "available"]
        .map(|one| shown[one]["value"].as_str().expect("an amount").to_owned())
}
