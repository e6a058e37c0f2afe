//! Fees over the API, by the real binary: how they are set, what acts and periods are charged, and
//! what a month comes to.

mod acts;
mod invoices;
mod periods;
mod schedules;
mod told;

use serde_json::{Value, json};

use super::cards::rig::{Reader, keyed_platform};
use super::client::{Answer, Client};
use super::platform::{Partner, Platform, euros};
use super::pools::operator;

/// A platform with people at the panel and a partner, where fees are looked for all the time.
struct Rig {
    platform: Platform,
    /// A manager.
    mia: Client,
    /// An employee.
    eve: Client,
    acme: Partner,
    reader: Reader,
}

impl Rig {
    async fn start() -> Self {
        Self::start_with(Vec::new()).await
    }

    async fn start_with(more: Vec<(&'static str, String)>) -> Self {
        let quick = ("CARDSWITCH_API__FEES__EVERY_MS", "20".to_owned());
        let platform = keyed_platform([quick].into_iter().chain(more).collect()).await;
        let [mia, eve] = [("mia", "manager"), ("eve", "employee")]
            .map(|(name, role)| operator(&platform, name, role));
        let acme = platform.partner("Acme", "99999912");
        Self { platform, mia, eve, acme, reader: Reader::new() }
    }

    fn path(&self) -> String {
        format!("/admin/programmes/{}/fees", self.acme.programme)
    }

    /// Sets the fees of the programme, of which this version was seen.
    fn puts(&self, by: &Client, seen: Option<&str>, to: &Value) -> Answer {
        let headers: Vec<_> = seen.map(|seen| ("If-Match", seen)).into_iter().collect();
        by.send("PUT", &self.path(), &headers, Some(to))
    }

    /// The version that stands there now.
    fn version(&self) -> String {
        let read = self.mia.get(&self.path()).done(200);
        read.header("etag").expect("a version").to_owned()
    }

    /// Has the programme charge this and nothing else.
    fn charges(&self, rules: &Value) {
        self.charges_of(&json!({ "chargedBy": "PLATFORM", "rules": rules }));
    }

    fn charges_of(&self, fees: &Value) {
        self.puts(&self.mia, Some(&self.version()), fees).done(200);
    }

    /// Somebody verified: the customer, and the path of an account.
    fn somebody(&self, reference: &str) -> (String, String) {
        let customer = self.acme.registers(reference);
        self.acme.verifies(&customer);
        let account = self.acme.opens(&customer, &format!("open {reference}"));
        (customer, account)
    }

    fn tops_up(&self, account: &str, value: &str, key: &str) {
        let amount = json!({ "amount": euros(value), "reference": "top-up" });
        self.acme.client.post(&format!("{account}/reload"), key, &amount).done(200);
    }

    /// What is in an account.
    fn has(&self, account: &str) -> String {
        let ledger = self.acme.reads(account)["ledger"]["value"].clone();
        ledger.as_str().expect("an amount").to_owned()
    }

    /// A virtual card over the API.
    fn issues(&self, customer: &str, account: &str, key: &str) -> Answer {
        let wanted = json!({ "balanceId": handle(account), "holderName": "ADA LOVELACE" });
        let path = format!("/secure/customers/{customer}/cards/virtual");
        self.reader.post(&self.acme.client, &path, key, &wanted)
    }

    /// Charges what was over when this day began.
    fn runs(&self, on: &str) -> Value {
        let run = ["fees", "run", "--on", on];
        self.platform.served.command(&run).expect("it runs")
    }

    /// What was charged to an account, the latest first: event, amount, how.
    fn charged(&self, account: &str) -> Vec<(String, String, String)> {
        let listed = self.acme.client.get(&format!("{account}/fees")).done(200).json();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let items = listed["items"].as_array().expect("items").clone();
        let of =
            |one: &Value| (text(&one["event"]), text(&one["amount"]["value"]), text(&one["taken"]));
        items.iter().map(of).collect()
    }

    /// Waits until so many rows are so.
    async fn until(&self, what: &str, count: i64) {
        let sql = format!("SELECT count(*) FROM {what}");
        let waiting = async {
            while self.platform.count(&sql).await != count {
                tokio::task::yield_now().await;
            }
        };
        let within = tokio::time::timeout(std::time::Duration::from_secs(120), waiting).await;
        assert!(within.is_ok(), "{what} is not {count}");
    }
}

/// An account as bodies name it.
fn handle(account: &str) -> &str {
    account.rsplit('/').next().expect("a name")
}

/// The first day of the month so many months after this one.
fn month_on(months: i32) -> String {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let first = today.first_of_month().saturating_add(jiff::Span::new().months(months));
    first.to_string()
}
