//! `cardswitch keys`: the keys of authentication codes, in and listed. It owns what is printed:
//! names, uses and check values, never a digit of a key. A running switch reads the file at its
//! start.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use switch_security::{MacAlgorithm, MacCipher, MacKeyName, MacKeys, NamedMacKey, combine};
use zeroize::Zeroizing;

use crate::cli::ConfigArgs;
use crate::keys::make_private_directory;

/// Most bytes of components that are read: a key has at most 64 digits.
const MAX_INPUT: u64 = 16 * 1024;

/// Keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// What keys there are: name, usage, cipher, check value
    List {
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Take in the key of a peer's authentication codes, from standard input: one component on each
    /// line in hexadecimal digits, its check value behind it if known. One alone is the key. Prints
    /// the check value to compare with the peer's
    Import {
        /// What links call it: small letters, digits and hyphens
        name: String,
        /// What it is for
        #[arg(long)]
        algorithm: Algorithm,
        /// Its cipher
        #[arg(long)]
        cipher: Cipher,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// What a key is for; the names are those of a link's `mac`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Algorithm {
    /// ISO 9797-1 algorithm 1, CBC-MAC
    #[value(name = "algorithm-1")]
    One,
    /// ISO 9797-1 algorithm 3, retail MAC
    #[value(name = "algorithm-3")]
    Three,
    /// CMAC
    Cmac,
}

/// The cipher of a key.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Cipher {
    /// One DES key, for peers that have nothing else
    Des,
    /// Two or three DES keys
    Tdes,
    /// 128, 192 or 256 bits
    Aes,
}

impl From<Algorithm> for MacAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::One => Self::CbcMac,
            Algorithm::Three => Self::RetailMac,
            Algorithm::Cmac => Self::Cmac,
        }
    }
}

impl From<Cipher> for MacCipher {
    fn from(cipher: Cipher) -> Self {
        match cipher {
            Cipher::Des => Self::Des,
            Cipher::Tdes => Self::Tdes,
            Cipher::Aes => Self::Aes,
        }
    }
}

/// Runs it.
///
/// # Errors
/// The file cannot be read or written, or what came is no key.
pub(super) fn run(command: KeysCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeysCommand::List { config } => {
            let path = super::read(config.config.as_deref())?.security.mac_key_file;
            if !path.exists() {
                bail!("{}: there is no such file: no key was imported yet", path.display());
            }
            MacKeys::load(&path)?.iter().for_each(|key| println!("{}", line(key)));
        }
        KeysCommand::Import { name, algorithm, cipher, config } => {
            let path = super::read(config.config.as_deref())?.security.mac_key_file;
            let wanted = "a name has 1 to 32 small letters, digits and hyphens";
            let name = MacKeyName::new(&name).with_context(|| format!("{name:?}: {wanted}"))?;
            let mut keys = if path.exists() { MacKeys::load(&path)? } else { MacKeys::default() };
            let key = combine(algorithm.into(), cipher.into(), &components()?)?;
            let named = NamedMacKey { name, key };
            let line = line(&named);
            let (name, check_value) = (named.name.clone(), named.key.check_value());
            keys.insert(named)?;
            if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                make_private_directory(directory)?;
            }
            keys.save(&path)?;
            tracing::info!(target: "audit", act = "import_mac_key", %name, %check_value);
            println!("{line}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What came on standard input.
fn components() -> anyhow::Result<Zeroizing<String>> {
    let input = std::io::stdin();
    if input.is_terminal() {
        bail!(
            "the components are read from a file or a pipe, so that no digit of them shows on the \
             screen or stays in its history: cardswitch keys import ... < components"
        );
    }
    // All room at once: a buffer that grows leaves copies of the key behind.
    let room = usize::try_from(MAX_INPUT).unwrap_or(usize::MAX);
    let mut text = Zeroizing::new(String::with_capacity(room));
    input.lock().take(MAX_INPUT).read_to_string(&mut text).context("reading the components")?;
    Ok(text)
}

fn line(NamedMacKey { name, key }: &NamedMacKey) -> String {
    let algorithm = match key.algorithm() {
        MacAlgorithm::CbcMac => "ISO 9797-1 algorithm 1",
        MacAlgorithm::RetailMac => "ISO 9797-1 algorithm 3",
        MacAlgorithm::Cmac => "CMAC",
    };
    let cipher = match key.cipher() {
        MacCipher::Des => "DES",
        MacCipher::Tdes => "triple DES",
        MacCipher::Aes => "AES",
    };
    let usage = key.algorithm().usage();
    format!("{name:32} {usage}, {algorithm}, {cipher}, check value {}", key.check_value())
}
