//! What a full verification costs the switch: purchases with chip, PIN, track and authentication
//! code, beside plain ones of other cards over a plain link of the same switch, by turns. Must
//! count all that the switch does for a purchase, so that nothing of the cost is left out, and show
//! what a code of DES costs beside one of AES.

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
use crate::bench::generator::{Chips, Load, Mix, Shape};
use crate::bench::measure::Series;
use crate::bench::subject::cards::{Issued, Population, issue_cards};
use crate::bench::subject::control::Control;
use crate::bench::subject::switch::{Starting, Switch};
use crate::bench::table;
use crate::bench::wire::request::TestPan;
use crate::bench::wire::signed::{BenchKeys, Code, Deck, KEY_INDEX, ON_FILE};

/// Cards of both kinds. More would take longer to make, and cost no more to verify.
const CARDS: usize = 4_000;
const CONNECTIONS: usize = 8;
const WINDOW: usize = 128;
/// Microseconds of the switch's processor time for one purchase, all of it.
const MOST_US: f64 = 40.0;
/// The kinds of cards that chips come from.
const PROFILES: [&str; 5] = ["visa-10", "visa-18", "visa-22", "mchip-10", "mchip-15"];

/// The loads: plain ones, and verified ones over a link with codes of AES and one of DES.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verified {
    pub(crate) plain: Series,
    pub(crate) cmac: Series,
    pub(crate) retail: Series,
}

impl Verified {
    /// What it may cost.
    pub(crate) fn bounds(&self) -> [Bound; 2] {
        let cost = |series: &Series| series.cpu_us_subject.median;
        let (plain, retail) = (cost(&self.plain), cost(&self.retail));
        let all = [&self.plain, &self.cmac, &self.retail];
        let wrong: u64 = all.iter().map(|series| series.faults.total()).sum();
        [
            Bound::at_most("CPU us of the switch, chip, PIN, CMAC", cost(&self.cmac), MOST_US)
                .remark(format!("with a retail MAC {retail:.2}, a plain purchase {plain:.2}")),
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
    let deck = Arc::new(Mutex::new(Deck::new(&keys, &pans(&verified))?));
    let time = arguments.window();
    let chips = |code| Some(Chips { deck: Arc::clone(&deck), code });
    let plain = load(switch.address, pans(&plain), None, time);
    let cmac = load(switch.link("cmac")?, pans(&verified), chips(Code::Cmac), time);
    let retail = load(switch.link("retail")?, pans(&verified), chips(Code::Retail), time);
    let mut stage = Stage { switch, database, cards: Arc::clone(&issued.pans), next: 1 };
    let result = alternate(arguments, cluster, &mut stage, [&plain, &cmac, &retail]);
    stage.switch.stop()?;
    result
}

/// Every second round the other way round.
fn alternate(
    arguments: &Arguments,
    cluster: &mut Cluster,
    stage: &mut Stage,
    loads: [&Load; 3],
) -> Result<Verified> {
    let mut runs = [const { Vec::new() }; 3];
    for round in 0..arguments.runs() {
        for turn in 0..loads.len() {
            let turn = if round % 2 == 0 { turn } else { loads.len() - 1 - turn };
            runs[turn].push(stage.run(cluster, loads[turn])?);
        }
    }
    let [plain, cmac, retail] = &runs;
    let result = Verified {
        plain: Series::of("plain, 8 connections", plain),
        cmac: Series::of("chip, PIN, CMAC (AES)", cmac),
        retail: Series::of("chip, PIN, retail MAC (DES)", retail),
    };
    println!("\nchip, PIN, track and authentication code verified; the generator signs each");
    println!("{}", table::HEAD);
    for series in [&result.plain, &result.cmac, &result.retail] {
        println!("{}", table::line(series));
    }
    Ok(result)
}

fn load(
    address: std::net::SocketAddr,
    cards: Arc<[TestPan]>,
    chips: Option<Chips>,
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

/// Links whose messages have PIN blocks and codes, and where their keys are.
fn settings(directory: &Path) -> [(&'static str, String); 10] {
    let component = |name: &str| directory.join(name).display().to_string();
    let components = json!([component("first.lmk"), component("second.lmk")]).to_string();
    let anywhere = "127.0.0.1:0".to_owned();
    let pin = "{ key = \"bench-zone\" }".to_owned();
    let retail = "{ algorithm = \"algorithm-3\", padding = 2, key = \"bench-retail\" }".into();
    let cmac = "{ algorithm = \"cmac\", key = \"bench-cmac\" }".into();
    [
        ("CARDSWITCH_SECURITY__LMK_COMPONENTS", components),
        ("CARDSWITCH_SECURITY__KEY_FILE", directory.join("keys").display().to_string()),
        ("CARDSWITCH_LINKS__RETAIL__ID", "2".into()),
        ("CARDSWITCH_LINKS__RETAIL__LISTEN", anywhere.clone()),
        ("CARDSWITCH_LINKS__RETAIL__PIN", pin.clone()),
        ("CARDSWITCH_LINKS__RETAIL__MAC", retail),
        ("CARDSWITCH_LINKS__CMAC__ID", "3".into()),
        ("CARDSWITCH_LINKS__CMAC__LISTEN", anywhere),
        ("CARDSWITCH_LINKS__CMAC__PIN", pin),
        ("CARDSWITCH_LINKS__CMAC__MAC", cmac),
    ]
}

/// A ceremony, and the test keys taken in as components.
fn make_keys(starting: &Starting<'_>, keys: &BenchKeys) -> Result<()> {
    let component = |name: &str| starting.directory.join(name).display().to_string();
    starting.keys(&["ceremony", &component("first.lmk"), &component("second.lmk")], "")?;
    let [retail, cmac] = &keys.links;
    let all = [
        ("bench-zone", "P0", "tdes", &keys.cards.zone),
        ("bench-cvk", "C0", "tdes", &keys.cards.card_values),
        ("bench-imk-ac", "E0", "tdes", &keys.cards.cryptograms),
        ("bench-pvk", "V2", "tdes", &keys.cards.pin_values),
        ("bench-retail", "M3", "tdes", retail),
        ("bench-cmac", "M6", "aes", cmac),
    ];
    all.into_iter().try_for_each(|(name, usage, cipher, key)| {
        let arguments = ["import", name, "--usage", usage, "--cipher", cipher];
        starting.keys(&arguments, &format!("{}\n", key.digits()))
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
