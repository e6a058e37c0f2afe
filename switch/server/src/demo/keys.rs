//! The keys of a demo: a local master key of two components, fresh in the run's own directory, and
//! the test keys of its cards, which the simulated bureau makes. It owns their names; no person
//! holds any, and the bureau's file is the demo's own.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;
use switch_security::{Component, Key, KeyCipher, KeyName, KeyUsage, NamedKey};
use zeroize::Zeroizing;

use super::traffic;
use crate::cli::DemoArgs;
use crate::clock;
use crate::config::Config;
use crate::keys::{key_store, make_private_directory};

/// What the bureau calls each key, what it is called here, and what it is for. All are triple DES
/// keys of 16 bytes.
const KEYS: [(&str, &str, KeyUsage); 7] = [
    ("card_values", "demo-cvk", KeyUsage::C0),
    ("card_codes", "demo-cvk2", KeyUsage::C0),
    ("pin_values", "demo-pvk", KeyUsage::V2),
    ("zone", ZONE, KeyUsage::P0),
    ("cryptograms", "demo-imk-ac", KeyUsage::E0),
    ("script_integrity", "demo-imk-smi", KeyUsage::E2),
    ("script_confidentiality", "demo-imk-smc", KeyUsage::E1),
];

/// The key of PIN blocks.
pub(super) const ZONE: &str = "demo-zpk";

/// The test keys of the simulated cards, for the demo's file: test keys are all that it takes.
pub(super) struct BureauKeys(Value);

impl BureauKeys {
    /// As the bureau wrote them, for the file that its cards read.
    pub(super) const fn for_the_demo_file(&self) -> &Value {
        &self.0
    }
}

/// Makes them, and tells the configuration where they are.
pub(super) async fn make(
    args: &DemoArgs,
    config: &mut Config,
    directory: &Path,
) -> anyhow::Result<BureauKeys> {
    make_private_directory(directory)?;
    for name in ["first.lmk", "second.lmk"] {
        let path = directory.join(name);
        Component::generate()?.save(&path)?;
        config.security.lmk_components.push(path);
    }
    let made = traffic::bureau(args, &["keys"]).await?;
    let made: Value = serde_json::from_str(made.trim()).context("reading the bureau's keys")?;
    let made_at = clock::now();
    key_store(config)?.change(made_at, |ring| {
        for (theirs, name, usage) in KEYS {
            let digits = made[theirs].as_str().context("the bureau made no such key")?;
            let bytes = Zeroizing::new(hex::decode(digits).context("a key in hexadecimal")?);
            let key = Key::new(usage, KeyCipher::Tdes, &bytes)?;
            let name = KeyName::new(name).ok_or_else(|| anyhow::anyhow!("{name} is no name"))?;
            let number = ring.add(NamedKey { name: name.clone(), key }, made_at)?;
            ring.activate(&name, number, made_at)?;
        }
        anyhow::Ok(())
    })?;
    Ok(BureauKeys(made))
}
