//! Hostile input at the ISO 8583 port, threat by threat (docs/threats.md): each over real sockets
//! against the whole switch. It owns what is common: links set for it, counts, and a peer that is
//! known to be well while others do harm.

mod amounts;
mod clocks;
mod frames;
mod logs;
mod messages;
mod peers;
mod relay;
mod repeats;
mod slow;

use std::net::SocketAddr;

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::{Dialect, Version};
use simulators::network::Function;
use switch_server::config::{AttackMode, Link};

use crate::http::get;
use crate::speaker::Speaker;
use crate::stage::Stage;

/// Field 39 in 1987, 1993 and 2003.
type Codes = [&'static str; 3];

const APPROVED: Codes = ["00", "000", "0000"];
const FORMAT_ERROR: Codes = ["30", "904", "9100"];

/// One of three, by the edition.
fn of(version: Version, codes: Codes) -> &'static str {
    let [first, second, third] = codes;
    match version {
        Version::V1987 => first,
        Version::V1993 => second,
        Version::V2003 => third,
    }
}

fn binary2() -> Framing {
    Framing::new(LengthHeader::Binary2)
}

/// A switch with these links, each on a free port and with a number of its own.
async fn stage_of(links: Vec<(String, Link)>) -> Stage {
    Stage::configured(|config| {
        config.links.clear();
        // Numbers of nobody's cards by the thousand are an attack, which has tests of its own.
        config.attacks.mode = AttackMode::Off;
        for (id, (name, mut link)) in (1..).zip(links) {
            link.id = id;
            link.listen = Some(([127, 0, 0, 1], 0).into());
            config.links.insert(name, link);
        }
    })
    .await
}

/// A switch with a link in each shipped dialect, named as it.
async fn stage_of_dialects() -> Stage {
    let link = |dialect: &str| Link { dialect: dialect.to_owned(), ..Link::default() };
    let named = |dialect: &'static str| (dialect.to_owned(), link(dialect));
    stage_of(Dialect::shipped_names().map(named).collect()).await
}

fn address(stage: &Stage, link: &str) -> SocketAddr {
    let mut links = stage.app.addresses().links.iter();
    links.find(|(name, _)| name == link).expect("it listens").1
}

/// A connection to the link that is named as its dialect.
async fn speaker(stage: &Stage, dialect: &str) -> Speaker {
    let known = Dialect::shipped(dialect).expect("shipped");
    Speaker::connect(address(stage, dialect), known, binary2()).await
}

/// A connection to the only link of a stage, in 1987's ASCII.
async fn ascii(stage: &Stage) -> Speaker {
    let dialect = Dialect::shipped("iso87-ascii").expect("shipped");
    Speaker::connect(stage.address(), dialect, binary2()).await
}

/// The connection is good: an echo on it is answered, and its answer is the next thing to come.
async fn is_well(speaker: &mut Speaker, stan: u32) {
    let draft = speaker.management(Function::Echo, stan);
    let said = speaker.ask("800", &draft).await;
    assert_eq!(said.action, of(speaker.version(), ["00", "800", "8000"]));
}

/// The sum of a metric's series that have all of these labels.
async fn counted(stage: &Stage, name: &'static str, labels: &[&str]) -> f64 {
    let http = stage.app.addresses().http;
    let text = tokio::task::spawn_blocking(move || get(http, "/metrics")).await.expect("no panic");
    let ours =
        |line: &&str| line.starts_with(name) && labels.iter().all(|label| line.contains(label));
    let values = text.lines().filter(ours).filter_map(|line| line.rsplit(' ').next()?.parse().ok());
    values.fold(0.0, |sum, value: f64| sum + value)
}

/// Waits until a metric is at least this.
async fn until_counted(stage: &Stage, name: &'static str, labels: &[&str], least: f64) {
    while counted(stage, name, labels).await < least {
        tokio::task::yield_now().await;
    }
}

/// What is held on the balance, in minor units.
async fn held(stage: &Stage, balance: switch_domain::BalanceId) -> i64 {
    stage.services().node().balance(balance).await.expect("known").held.0
}
