//! What a full verification costs the switch: purchases with chip, PIN, track and authentication
//! code, beside plain ones of other cards over a plain link of the same switch, by turns. Must count
//! all that the switch does for a purchase, so that nothing of the cost is left out.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use serde_json::json;

use super::switch::Stage;
use crate::bench::arguments::Arguments;
use crate::bench::bounds::Bound;
use crate::bench::cluster::Cluster;
use crate::bench::generator::{Load, Mix, Shape};
use crate::bench::measure::Series;
use crate::bench::subject::cards::{Issued, Population, issue_cards};
use crate::bench::subject::control::Control;
use crate::bench::subject::switch::{Starting, Switch};
use crate::bench::table;
use crate::bench::wire::request::TestPan;
use crate::bench::wire::signed::{BenchKeys, Deck, KEY_INDEX, ON_FILE};

/// Cards of both kinds. More would take longer to make, and cost no more to verify.
const CARDS: usize = 4_000;
const CONNECTIONS: usize = 8;
const WINDOW: usize = 128;
/// Microseconds of the switch's processor time for one purchase, all of it.
const MOST_US: f64 = 40.0;
/// The kinds of cards that chips come from.
const PROFILES: [&str; 5] = ["visa-10", "visa-18", "visa-22", "mchip-10", "mchip-15"];

/// Both loads.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verified {
    pub(crate) plain: Series,
    pub(crate) verified: Series,
}

impl Verified {
    /// What it may cost.
    pub(crate) fn bounds(&self) -> [Bound; 2] {
        let cost = self.verified.cpu_us_subject.median;
        let plain = self.plain.cpu_us_subject.median;
        let wrong = self.plain.faults.total() + self.verified.faults.total();
        [
            Bound::at_most("CPU us of the switch, chip and PIN and code verified", cost, MOST_US)
                .remark(format!("a plain purchase beside it {plain:.2}")),
            Bound::at_most("verified answers not as wanted (and one)", wrong as f64 + 1.0, 1.0),
        ]
    }
}

/// Measures both: plain, verified, verified, plain and so on.
pub(crate) fn measure_verified(arguments: &Arguments, cluster: &mut Cluster) -> Result<Verified> {
    let database = cluster.fresh_database("bench_verified")?;
    let directory = arguments.dir.join("verified");
    let _ = std::fs::remove_dir_all(&directory);
    let settings = settings(&directory);
    let starting = Starting {
        binary: arguments.switch.as_deref(),
        directory: &directory,
        database: &database,
        settings: &settings,
        take_over: false,
    };
    let keys = BenchKeys::new();
    make_keys(&starting, &keys)?;
    let switch = Switch::start(&starting)?;
    let cards = arguments.cards().min(CARDS);
    let issued = issue_cards(&switch.socket, Population { partners: 2, cards })?;
    let [plain, verified] = [0, 1].map(|programme| of_programme(&issued, programme));
    set_terms(&switch, &issued, &verified, &keys)?;
    cluster.settle(&database)?;
    let pans = |cards: &[usize]| cards.iter().map(|card| issued.pans[*card]).collect::<Arc<_>>();
    let chips = Deck::new(&keys, &pans(&verified))?;
    let time = arguments.window();
    let plain = load(switch.address, pans(&plain), None, time);
    let chips = Some(Arc::new(Mutex::new(chips)));
    let verified = load(switch.link("signed")?, pans(&verified), chips, time);
    let mut stage = Stage { switch, database, cards: Arc::clone(&issued.pans), next: 1 };
    let result = alternate(arguments, cluster, &mut stage, [&plain, &verified]);
    stage.switch.stop()?;
    result
}

/// Every second pair the other way round.
fn alternate(
    arguments: &Arguments,
    cluster: &mut Cluster,
    stage: &mut Stage,
    [plain, verified]: [&Load; 2],
) -> Result<Verified> {
    let (mut of_plain, mut of_verified) = (Vec::new(), Vec::new());
    for pair in 0..arguments.runs() {
        if pair % 2 == 0 {
            of_plain.push(stage.run(cluster, plain)?);
            of_verified.push(stage.run(cluster, verified)?);
        } else {
            of_verified.push(stage.run(cluster, verified)?);
            of_plain.push(stage.run(cluster, plain)?);
        }
    }
    let result = Verified {
        plain: Series::of("plain, 8 connections", &of_plain),
        verified: Series::of("chip and PIN, 8 connections", &of_verified),
    };
    println!("\nchip, PIN, track and authentication code verified; its generator signs each");
    println!("{}", table::HEAD);
    println!("{}\n{}", table::line(&result.plain), table::line(&result.verified));
    Ok(result)
}

fn load(
    address: std::net::SocketAddr,
    cards: Arc<[TestPan]>,
    chips: Option<Arc<Mutex<Deck>>>,
    time: Duration,
) -> Load {
    Load {
        address,
        connections: CONNECTIONS,
        shape: Shape::Closed { window: WINDOW },
        mix: Mix::PURCHASES,
        warm_up: Duration::from_secs(1),
        windows: 1,
        window_time: time,
        patience: Duration::from_secs(10),
        cards,
        chips,
    }
}

/// A link whose messages have PIN blocks and codes, and where its keys are.
fn settings(directory: &Path) -> [(&'static str, String); 6] {
    let component = |name: &str| directory.join(name).display().to_string();
    let components = json!([component("first.lmk"), component("second.lmk")]).to_string();
    let mac = "{ algorithm = \"algorithm-3\", padding = 2, key = \"bench-link\" }";
    [
        ("CARDSWITCH_SECURITY__LMK_COMPONENTS", components),
        ("CARDSWITCH_SECURITY__KEY_FILE", directory.join("keys").display().to_string()),
        ("CARDSWITCH_LINKS__SIGNED__ID", "2".into()),
        ("CARDSWITCH_LINKS__SIGNED__LISTEN", "127.0.0.1:0".into()),
        ("CARDSWITCH_LINKS__SIGNED__PIN", "{ key = \"bench-zone\" }".into()),
        ("CARDSWITCH_LINKS__SIGNED__MAC", mac.into()),
    ]
}

/// A ceremony, and the test keys taken in as components.
fn make_keys(starting: &Starting<'_>, keys: &BenchKeys) -> Result<()> {
    let component = |name: &str| starting.directory.join(name).display().to_string();
    starting.keys(&["ceremony", &component("first.lmk"), &component("second.lmk")], "")?;
    let all = [
        ("bench-zone", "P0", &keys.cards.zone),
        ("bench-cvk", "C0", &keys.cards.card_values),
        ("bench-imk-ac", "E0", &keys.cards.cryptograms),
        ("bench-pvk", "V2", &keys.pin_values),
        ("bench-link", "M3", &keys.link),
    ];
    all.into_iter().try_for_each(|(name, usage, key)| {
        starting.keys(&["import", name, "--usage", usage], &format!("{}\n", key.digits()))
    })
}

/// The cards of a programme.
fn of_programme(issued: &Issued, programme: usize) -> Vec<usize> {
    (0..issued.cards.len()).filter(|card| issued.programme_of(*card) == programme).collect()
}

/// The second programme has its cards verified, and its cards have something to be compared with.
fn set_terms(switch: &Switch, issued: &Issued, cards: &[usize], keys: &BenchKeys) -> Result<()> {
    let mut control = Control::connect(&switch.socket)?;
    for (number, card) in cards.iter().enumerate() {
        let (pan, card) = (&issued.pans[*card], issued.cards[*card]);
        let (service_code, sequence) = ON_FILE;
        let members = json!({ "card": card, "service_code": service_code, "sequence": sequence });
        control.call(&format!("data {number}"), "security-card-data", members)?;
        let digits = keys.pin_reference(pan)?;
        let members = json!({ "card": card, "key_index": KEY_INDEX, "digits": digits });
        control.call(&format!("reference {number}"), "security-pin-reference", members)?;
    }
    let terms = json!({
        "cvk": "bench-cvk", "pvk": "bench-pvk", "imk_ac": "bench-imk-ac",
        "pin": { "method": "pvv" }, "profiles": PROFILES,
        // Of one card several purchases are on their way at a time, over several connections.
        "takes_lower_counters": true,
    });
    let members = json!({ "programme": issued.programmes[1], "terms": terms });
    control.call("terms", "security-terms", members)?;
    Ok(())
}
