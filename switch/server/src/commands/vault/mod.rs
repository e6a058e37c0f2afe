//! `cardswitch vault`: the keys that card numbers are encrypted with. It owns the order of the
//! steps of a rotation, so that each may be killed at any point and run again, and beside a switch
//! that serves; no number and no digit of a key is ever printed.

mod reencrypt;
mod status;

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use switch_security::{KeyId, PanKeyForm, PanKeyStore, PanKeys};
use switch_store::{Store, Vault};

use super::recorded::recorded;
use crate::cli::ConfigArgs;
use crate::clock;
use crate::config::Config;
use crate::pan_keys::{check_against, pan_key_store};
use crate::{database, production};

/// The keys of card numbers.
#[derive(Debug, Subcommand)]
pub enum VaultCommand {
    /// Which keys there are, and how many card numbers are under each
    Status {
        /// As one JSON object
        #[arg(long)]
        json: bool,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Make a new key at random and the active one: the next card number comes under it, of a
    /// running switch too. Those before it keep what is under them
    Rotate {
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Encrypt card numbers of other keys again under the active one, a batch at a time; exit code
    /// 1 if any is left. May be killed at any point and run again, beside a switch that serves
    Reencrypt {
        /// Stop after so many batches [default: when none is left]
        #[arg(long)]
        batches: Option<u64>,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Destroy a key that no card number is under any more
    Retire {
        /// Its id, as `status` prints it
        key: String,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// Runs it.
///
/// # Errors
/// The keys or the database cannot be used, or the step is refused.
pub(super) async fn run(command: VaultCommand) -> anyhow::Result<ExitCode> {
    production::keep_memory_private();
    let (config, step) = match command {
        VaultCommand::Status { json, config } => (config, Step::Status { json }),
        VaultCommand::Rotate { config } => (config, Step::Rotate),
        VaultCommand::Reencrypt { batches, config } => (config, Step::Reencrypt { batches }),
        VaultCommand::Retire { key, config } => (config, Step::Retire(key.parse()?)),
    };
    let config = super::read(config.config.as_deref())?;
    let path = &config.security.pan_key_file;
    match PanKeyStore::form(path)? {
        PanKeyForm::Blocks => {}
        PanKeyForm::Missing => bail!("{}: there are no keys of card numbers yet", path.display()),
        PanKeyForm::Clear => bail!(
            "{}: keys of card numbers lie in clear: run `cardswitch keys migrate` first",
            path.display()
        ),
    }
    let file = pan_key_store(&config)?;
    let connected = database::connect_beside(&config.database).await?;
    let done = take(&config, step, &file, &connected.store).await;
    connected.close().await?;
    done
}

enum Step {
    Status { json: bool },
    Rotate,
    Reencrypt { batches: Option<u64> },
    Retire(KeyId),
}

async fn take(
    config: &Config,
    step: Step,
    file: &PanKeyStore,
    store: &Store,
) -> anyhow::Result<ExitCode> {
    store.migrate().await?;
    let (vault, keys) = (store.vault(), file.load()?);
    // What is wrong between file and database is seen by looking at both.
    if !matches!(step, Step::Status { .. }) {
        let path = config.security.pan_key_file.as_path();
        check_against(&vault, &vault.known_keys().await?, &keys, path).await?;
    }
    let active = || format!("key {}", keys.id());
    match step {
        Step::Status { json } => status::run(&vault, &keys, json).await?,
        Step::Rotate => {
            recorded(store, ("vault-rotate", active()), rotate(&vault, file)).await?;
        }
        Step::Reencrypt { batches } => {
            let rows = config.security.reencrypt_batch_rows;
            let work = reencrypt::run(&vault, &keys, rows, batches);
            return recorded(store, ("vault-reencrypt", active()), work).await;
        }
        Step::Retire(key) => {
            let act = ("vault-retire", format!("key {key}"));
            recorded(store, act, retire(&vault, file, &keys, key)).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// First the key is on disk; what is under it can be read from then on.
async fn rotate(vault: &Vault, file: &PanKeyStore) -> anyhow::Result<()> {
    let keys = file.rotate(clock::now())?;
    let active = keys.id();
    tracing::info!(target: "audit", act = "rotate_pan_key", %active);
    for key in keys.list() {
        vault.set_key_check(&key.id.to_string(), key.check_value.as_str().as_bytes()).await?;
    }
    println!("{active}: active. Back up the key file, then run `cardswitch vault reencrypt`");
    Ok(())
}

/// First the database takes no number under it any more; then the key is destroyed.
async fn retire(
    vault: &Vault,
    file: &PanKeyStore,
    keys: &PanKeys,
    key: KeyId,
) -> anyhow::Result<()> {
    if keys.id() == key {
        bail!("key {key} is the active one: make another with `cardswitch vault rotate` first");
    }
    if !keys.list().iter().any(|one| one.id == key) {
        bail!("there is no key {key} of card numbers: `cardswitch vault status` lists them");
    }
    vault.retire_key(&key.to_string()).await?;
    file.retire(key)?;
    tracing::info!(target: "audit", act = "retire_pan_key", %key);
    println!("{key}: destroyed. It may still stand in backups of the key file");
    Ok(())
}
