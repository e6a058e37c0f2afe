//! `demo.json`: where the demo's switch can be reached and which test cards it has. It owns the
//! file's shape. The card numbers in it are of the test BINs and were made by this demo; the keys
//! in it are those of simulated cards alone.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};
use switch_store::private_postgres::DatabaseUrl;

use super::keys::BureauKeys;
use super::plan::Kind;
use super::seed::{SetUp, TestCard};
use super::traffic::TERMINALS;
use super::verified::VerifiedCard;
use crate::app::Addresses;

/// Writes the file, readable by its owner alone: it has the password of the demo's database.
pub(super) fn write(
    path: &Path,
    addresses: &Addresses,
    database: &DatabaseUrl,
    (set_up, keys): (&SetUp, &BureauKeys),
) -> anyhow::Result<()> {
    let iso = addresses.links.first().map(|(_, address)| address.to_string());
    let mut links = addresses.links.iter();
    let terminals = links.find(|(name, _)| name == TERMINALS).map(|(_, address)| address);
    let verified: Vec<Value> = set_up.verified.iter().map(VerifiedCard::to_json).collect();
    let manifest = json!({
        "iso": {
            "address": iso,
            "framing": "binary2",
            "dialect": "iso87-ascii",
        },
        "http": addresses.http.to_string(),
        "metrics": format!("http://{}/metrics", addresses.http),
        "control_socket": addresses.control,
        "database": database.expose(),
        "currency": format!("{:03}", set_up.currency.numeric()),
        "cards": set_up.cards.iter().map(card).collect::<Vec<Value>>(),
        "verified": {
            "address": terminals,
            "keys": keys.for_the_demo_file(),
            "cards": verified,
        },
    });
    // Written aside and moved, so that who waits for it never reads half of it.
    let aside = path.with_extension("json.new");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&aside)
        .with_context(|| format!("writing {}", aside.display()))?;
    file.write_all(serde_json::to_string_pretty(&manifest)?.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&aside, path).with_context(|| format!("writing {}", path.display()))
}

fn card(card: &TestCard) -> Value {
    let reason = card.kind.reason();
    json!({
        "pan": card.pan,
        "expiry": format!("{:04}", card.expiry.yymm()),
        "state": card.kind.name(),
        "expect": reason.action_code_1987(),
        "expect_2003": reason.action_code_2003(),
    })
}

/// Tells how to send a message to the switch.
pub(super) fn explain(addresses: &Addresses, set_up: &SetUp, manifest: &Path) {
    let iso = addresses.links.first().map(|(_, address)| address.to_string()).unwrap_or_default();
    let good = set_up.cards.iter().find(|card| card.kind == Kind::Good);
    let pan = good.map(|card| card.pan.as_str()).unwrap_or_default();
    println!(
        "\nServing until Ctrl-C.\n\
         \n  ISO 8583  {iso}  (2-byte big-endian length, 1987 ASCII, bitmap in hexadecimal)\
         \n  metrics   http://{}/metrics\
         \n  control   {}\n\
         \nSend a purchase with the simulator:\
         \n  cardswitch-sim pos purchase --demo {} --card good --amount 12.50\
         \n\nor have chips sign and holders enter PINs, some of them wrong:\n\
         \n  cardswitch-sim verified --demo {} --seconds 5\
         \n\nor by hand, with Python and pyiso8583:\n\
         \n  import iso8583, socket\
         \n  from iso8583.specs import default_ascii as spec\
         \n  host, port = \"{iso}\".split(\":\")\
         \n  link = socket.create_connection((host, int(port)))\
         \n  raw, _ = iso8583.encode({{\"t\": \"0100\", \"2\": \"{pan}\", \"3\": \"000000\",\
         \n      \"4\": \"000000001250\", \"7\": \"1123120000\", \"11\": \"000001\",\
         \n      \"12\": \"120000\", \"13\": \"1123\", \"18\": \"5411\", \"22\": \"012\",\
         \n      \"25\": \"00\", \"37\": \"000000000001\", \"41\": \"TERM0001\",\
         \n      \"42\": \"MERCHANT0000001\", \"49\": \"978\"}}, spec)\
         \n  link.sendall(len(raw).to_bytes(2, \"big\") + raw)\
         \n  size = int.from_bytes(link.recv(2), \"big\")\
         \n  print(iso8583.decode(link.recv(size), spec)[0])\n\
         \nMore cards, and what each answers: {}",
        addresses.http,
        addresses.control.display(),
        manifest.display(),
        manifest.display(),
        manifest.display(),
    );
}
