//! `cardswitch keys inventory`: which algorithms are in use, why, and what is to follow them, with
//! the keys of each (PCI DSS 12.3.3). It owns the list; who adds an algorithm adds its line.

use switch_security::{KeyCipher, KeyUsage, ListedKey, list_keys};

use super::list;
use crate::config::Config;

/// What is in use, where, and what follows it.
const ALGORITHMS: [(&str, &str, &str); 10] = [
    ("AES-256-GCM", "card numbers at rest", "stays"),
    ("HMAC-SHA-256", "finding a card by its number", "stays"),
    ("AES-256 key blocks, version D", "every key at rest, keys of peers", "stays"),
    ("ECDSA P-384 with SHA-384", "client certificates of partners", "stays until TLS has other"),
    ("TLS 1.3 and 1.2 with AEAD", "the management API; links, where they are told to", "1.3 alone"),
    (
        "triple DES",
        "CVV, PVV, IBM 3624, EMV options A and B: the schemes prescribe it",
        "EMV option C",
    ),
    ("triple DES PIN blocks", "zone PIN keys of peers without AES", "PIN block format 4"),
    ("triple DES key blocks, version B, and cryptograms", "keys of peers without AES", "version D"),
    ("CBC-MAC, retail MAC", "codes of peers without CMAC", "AES-CMAC"),
    ("SHA-1", "EMV option B, prescribed", "EMV option C"),
];

pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    println!("Algorithms:");
    for (algorithm, place, successor) in ALGORITHMS {
        println!("  {algorithm}: {place}; to follow: {successor}");
    }
    let keys = list_keys(&config.security.key_file)?;
    println!("Keys, of {}:", config.security.key_file.display());
    for usage in KeyUsage::ALL {
        for key in keys.iter().filter(|key| key.usage == usage) {
            println!("  {}", list::line(key));
        }
    }
    let single = |key: &&ListedKey| key.cipher == KeyCipher::Des && key.master.is_some();
    for key in keys.iter().filter(single) {
        println!("  {}: one DES key, broken by search: ask the peer for another", key.name);
    }
    Ok(())
}
