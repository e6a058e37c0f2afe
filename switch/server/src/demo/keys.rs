//! The keys of a demo: a local master key of two components and a key of each use that cards are
//! verified with, all fresh, in the run's own directory. It owns their names; no person holds any.

use std::path::Path;

use switch_domain::Timestamp;
use switch_security::{Component, Key, KeyCipher, KeyName, KeyUsage, NamedKey};

use crate::config::Config;
use crate::keys::{key_store, make_private_directory};

/// What each key is called, and what it is for. All are triple DES keys of 16 bytes.
pub(super) const KEYS: [(&str, KeyUsage); 6] = [
    ("demo-cvk", KeyUsage::C0),
    ("demo-pvk", KeyUsage::V2),
    ("demo-zpk", KeyUsage::P0),
    ("demo-imk-ac", KeyUsage::E0),
    ("demo-imk-smi", KeyUsage::E2),
    ("demo-imk-smc", KeyUsage::E1),
];

/// Makes them, and tells the configuration where they are.
pub(super) fn make(config: &mut Config, directory: &Path) -> anyhow::Result<()> {
    make_private_directory(directory)?;
    for name in ["first.lmk", "second.lmk"] {
        let path = directory.join(name);
        Component::generate()?.save(&path)?;
        config.security.lmk_components.push(path);
    }
    let made_at = Timestamp(jiff::Timestamp::now().as_microsecond());
    key_store(config)?.change(made_at, |ring| {
        for (name, usage) in KEYS {
            let key = Key::generate(usage, KeyCipher::Tdes, 16)??;
            let name = KeyName::new(name).ok_or_else(|| anyhow::anyhow!("{name} is no name"))?;
            let number = ring.add(NamedKey { name: name.clone(), key }, made_at)?;
            ring.activate(&name, number, made_at)?;
        }
        anyhow::Ok(())
    })
}
