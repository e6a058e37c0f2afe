//! `cardswitch keys`: the keys of the switch, from their ceremony to their end. It owns what is
//! printed: names, uses, states and check values, and keys in blocks under other keys, never a
//! digit of one in clear. A running switch reads the key file at its start.

mod ceremony;
mod inventory;
mod life;
mod list;
mod movement;
mod said;

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use switch_security::KeyName;
use zeroize::Zeroizing;

use crate::cli::ConfigArgs;
use crate::production;
use said::{Cipher, Exportable, Mode, Usage};

/// Most bytes that are read from standard input: components, or a key block.
const MAX_INPUT: u64 = 16 * 1024;

/// Keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make the components of a local master key: one file for each person who is to hold one. A
    /// file that is there already is checked and counts. Prints their check values and the key's
    Ceremony {
        /// Two or three files
        #[arg(required = true, num_args = 2..=3)]
        components: Vec<PathBuf>,
    },
    /// What keys there are: name, version, use, state, times, check value
    List {
        /// As one JSON array
        #[arg(long)]
        json: bool,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// The algorithms in use and why, and the keys that they work with
    Inventory {
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Make a key at random. The first of its name is active at once, a later one is pending
    Generate {
        /// What it is called, what it is for
        #[command(flatten)]
        what: What,
        /// How many bytes it has [default: 16, or 32 of AES]
        #[arg(long)]
        bytes: Option<usize>,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Take in a key from standard input: components, one on each line with its check value behind
    /// it if known; or with --under a key block, or a cryptogram. Prints the check value to compare
    /// with the peer's. The first of its name is active at once, a later one is pending
    Import {
        /// What it is called, what it is for
        #[command(flatten)]
        what: What,
        /// How it comes
        #[command(flatten)]
        form: Form,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Print a key under another: as a key block, or as a cryptogram with its check value
    Export {
        /// What it is called
        name: Name,
        /// The key to put it under: for key blocks (K1), or for cryptograms (K0)
        #[arg(long, value_name = "KEY")]
        under: Name,
        /// Which version [default: the active one]
        #[arg(long)]
        version: Option<u32>,
        /// Not a key block, but the bare cryptogram of a triple DES key
        #[arg(long)]
        cryptogram: bool,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Make the next version of a key at random, like the active one: pending until `activate`
    Rotate {
        /// What it is called
        name: Name,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Make a pending version the active one. The one before is still taken for a while
    Activate {
        /// What it is called
        name: Name,
        /// Which version [default: the newest pending one]
        #[arg(long)]
        version: Option<u32>,
        /// For how many hours the one before is still taken
        #[arg(long, value_name = "HOURS", default_value_t = 24)]
        #[arg(value_parser = clap::value_parser!(i64).range(0..=8_784))]
        overlap: i64,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Destroy a version that is pending or old, now
    Retire {
        /// What it is called
        name: Name,
        /// Which version
        #[arg(long)]
        version: u32,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Make the next RSA key of the management API's encrypted bodies. It is published at once; the
    /// one before still opens what was encrypted to it, for a while
    RotateApi {
        /// For how many hours
        #[arg(long, value_name = "HOURS", default_value_t = 720)]
        #[arg(value_parser = clap::value_parser!(i64).range(0..=8_784))]
        overlap: i64,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Put every key under the current local master key. May be killed at any point and run again
    Rewrap {
        /// The configuration, which names the components of both local master keys
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Move keys that are in clear, in a MAC key file or a PAN key file of before, under the local
    /// master key, and destroy those files. May be killed at any point and run again
    Migrate {
        /// The configuration, which names both files
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// A key that comes to be.
#[derive(Clone, Debug, Args)]
pub struct What {
    /// What it is called: small letters, digits and hyphens
    name: Name,
    /// What it is for, as key blocks say it: P0, M3, C0, V2, E0, K1, ...
    #[arg(long)]
    usage: Usage,
    /// Its cipher
    #[arg(long, default_value = "tdes")]
    cipher: Cipher,
    /// Which way round it may be used, as key blocks say it [default: as its usage does]
    #[arg(long)]
    mode: Option<Mode>,
    /// How far it may go: E in any form, S in key blocks, N nowhere. Of a key block that comes in,
    /// the most that is taken, and what the block says holds
    #[arg(long, default_value = "S")]
    exportable: Exportable,
    /// Pending even where it is the first
    #[arg(long)]
    pending: bool,
}

/// How a key comes in.
#[derive(Clone, Debug, Args)]
pub struct Form {
    /// The key that it is under: for key blocks (K1), or for cryptograms (K0)
    #[arg(long, value_name = "KEY")]
    under: Option<Name>,
    /// It is the bare cryptogram of a triple DES key, with its check value behind it
    #[arg(long, requires = "under")]
    cryptogram: bool,
    /// Take key blocks of the versions A and C too
    #[arg(long, requires = "under")]
    legacy: bool,
    /// Take DES keys with bytes of even parity
    #[arg(long, requires = "under")]
    any_parity: bool,
    /// Take a key that is stronger than the one that it is under
    #[arg(long, requires = "under")]
    weaker: bool,
}

/// A key's name on the command line.
#[derive(Clone, Debug)]
pub struct Name(KeyName);

impl std::str::FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "a name has 1 to 32 small letters, digits and hyphens";
        KeyName::new(text).map(Self).ok_or_else(|| wanted.to_owned())
    }
}

/// Runs it.
///
/// # Errors
/// The file cannot be read or written, or what came is no key.
pub(super) fn run(command: KeysCommand) -> anyhow::Result<ExitCode> {
    production::keep_memory_private();
    let read = |config: &ConfigArgs| super::read(config.config.as_deref());
    match command {
        KeysCommand::Ceremony { components } => ceremony::run(&components)?,
        KeysCommand::List { json, config } => list::run(&read(&config)?, json)?,
        KeysCommand::Inventory { config } => inventory::run(&read(&config)?)?,
        KeysCommand::Generate { what, bytes, config } => {
            movement::generate(&read(&config)?, &what, bytes)?;
        }
        KeysCommand::Import { what, form, config } => {
            movement::import(&read(&config)?, &what, &form)?;
        }
        KeysCommand::Export { name, under, version, cryptogram, config } => {
            movement::export(&read(&config)?, (&name.0, version), &under.0, cryptogram)?;
        }
        KeysCommand::Rotate { name, config } => life::rotate(&read(&config)?, &name.0)?,
        KeysCommand::Activate { name, version, overlap, config } => {
            life::activate(&read(&config)?, &name.0, version, overlap)?;
        }
        KeysCommand::Retire { name, version, config } => {
            life::retire(&read(&config)?, &name.0, version)?;
        }
        KeysCommand::RotateApi { overlap, config } => {
            life::rotate_api(&read(&config)?, overlap)?;
        }
        KeysCommand::Rewrap { config } => life::rewrap(&read(&config)?)?,
        KeysCommand::Migrate { config } => life::migrate(&read(&config)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What came on standard input.
fn input() -> anyhow::Result<Zeroizing<String>> {
    let input = std::io::stdin();
    if input.is_terminal() {
        bail!(
            "the key is read from a file or a pipe, so that no digit of it shows on the screen or \
             stays in its history: cardswitch keys import ... < components"
        );
    }
    // All room at once: a buffer that grows leaves copies of the key behind.
    let room = usize::try_from(MAX_INPUT).unwrap_or(usize::MAX);
    let mut text = Zeroizing::new(String::with_capacity(room));
    input.lock().take(MAX_INPUT).read_to_string(&mut text).context("reading the key")?;
    Ok(text)
}
