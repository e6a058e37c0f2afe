//! Increments and reversals that only the network's own identifier links to their purchase, by the
//! real binary, in the dialects that have a place for it, and over a restart. What the wire says is
//! the simulated network's affair.

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::Dialect;
use serde_json::Value;
use switch_store::private_postgres::fresh_database;

use crate::speaker::{Draft, Speaker};
use crate::stage::{Served, cardswitch};

/// A dialect, what its edition answers (approved, reversed, taken note of), and two identifiers.
const DIALECTS: [(&str, [&str; 3], [&str; 2]); 4] = [
    ("base1-like", ["00", "00", "00"], ["301234567890123", "301234567890124"]),
    ("mip-like", ["00", "00", "00"], ["MCC0042A11127", "MCC0042A21127"]),
    ("iso2003-binary", ["0000", "4000", "9001"], ["LIFE-0000000042", "LIFE-0000000043"]),
    ("cmf-like", ["0000", "4000", "9001"], ["LIFE-0000000042", "LIFE-0000000043"]),
];

struct Told<'a> {
    served: &'a Served,
    speaker: Speaker,
    balance: &'a str,
    name: &'a str,
}

impl Told<'_> {
    async fn ask(&mut self, kind: &str, draft: &Draft, wanted: &str, held: &str) {
        let said = self.speaker.ask(kind, draft).await;
        assert_eq!(said.action, wanted, "{} x{kind} {}", self.name, said.text);
        let shown = self.served.command(&["balance", "show", self.balance]).expect("a balance");
        assert_eq!(shown["held"], Value::from(held), "{} x{kind}", self.name);
    }
}

fn framing() -> Framing {
    Framing::new(LengthHeader::Binary2)
}

async fn told<'a>(served: &'a Served, balance: &'a str, name: &'a str) -> Told<'a> {
    let dialect = Dialect::shipped(name).expect("shipped");
    let speaker = Speaker::connect(served.link, dialect, framing()).await;
    Told { served, speaker, balance, name }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_increment_and_a_reversal_are_linked_by_the_network_alone() {
    for (name, [approved, reversed, advised], [trace, other]) in DIALECTS {
        let database = fresh_database().await;
        let directory = tempfile::tempdir().expect("a directory");
        let url = database.url().expose().to_owned();
        let configuration = [("CARDSWITCH_LINKS__TEST__DIALECT", name)];
        let served = Served::start_with(directory.path(), &url, &configuration);
        let pan = served.set_up();
        let balance = only_balance(&url).await;
        let mut link = told(&served, &balance, name).await;
        let purchase = |speaker: &Speaker, stan, cents, trace: &str| {
            speaker.speech().traced(speaker.purchase(&pan, stan, cents), trace)
        };
        let increment = |speaker: &Speaker, stan, cents| {
            let draft = speaker.increment(&pan, stan, 999_999, cents);
            speaker.speech().by_trace(draft, trace)
        };
        let draft = purchase(&link.speaker, 1, 2_000, trace);
        link.ask("100", &draft, approved, "20.00").await;
        let draft = purchase(&link.speaker, 2, 700, other);
        link.ask("100", &draft, approved, "27.00").await;
        let draft = increment(&link.speaker, 3, 500);
        link.ask("100", &draft, approved, "32.00").await;
        drop(link);
        served.terminate();

        let served = Served::start_with(directory.path(), &url, &configuration);
        let mut link = told(&served, &balance, name).await;
        let draft = increment(&link.speaker, 4, 300);
        link.ask("100", &draft, approved, "35.00").await;
        // All of the purchase, increments and all; the other one stays.
        let draft = link.speaker.reversal(&pan, 5, 999_998, 2_800);
        let draft = link.speaker.speech().by_trace(draft, trace);
        link.ask("400", &draft, reversed, "7.00").await;
        let draft = link.speaker.completion(&pan, 6, 999_997, 650);
        let draft = link.speaker.speech().by_trace(draft, other);
        link.ask("220", &draft, advised, "0.00").await;
        drop(link);
        served.terminate();

        let mut audit = cardswitch(directory.path());
        let audit = audit.args(["audit", "--json"]).env("DATABASE_URL", &url).output();
        let audit = audit.expect("the audit runs");
        assert!(audit.status.success(), "{name}: {}", String::from_utf8_lossy(&audit.stdout));
    }
}

/// The account that there is.
async fn only_balance(url: &str) -> String {
    let parsed = switch_store::private_postgres::DatabaseUrl::parse(url).expect("a URL");
    let pool = sqlx::PgPool::connect_with(parsed.connect_options()).await.expect("connected");
    let id = sqlx::query_scalar("SELECT id::text FROM balance").fetch_one(&pool).await;
    pool.close().await;
    id.expect("one balance")
}
