//! `cardswitch ca`: the authority that signs client certificates of partners. It owns what is
//! printed of it, its certificate and what tells that from others, and never a word of its key.

use std::process::ExitCode;

use clap::Subcommand;

use crate::cli::ConfigArgs;
use crate::clock;
use crate::config::Config;
use crate::{keys, production};

/// The certificate authority.
#[derive(Debug, Subcommand)]
pub enum CaCommand {
    /// Make its key, under the local master key, and its certificate; once
    Init {
        /// What its certificate calls it
        #[arg(long, default_value = "Cardswitch partners")]
        name: String,
        /// For how many years it is good
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=30))]
        years: u32,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Print its certificate, and what tells it from others. It is public
    Show {
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// Days of a year, and a bit.
const YEAR: u32 = 366;

/// Runs it.
///
/// # Errors
/// There is one already, or none; a file cannot be read or written.
pub(super) fn run(command: &CaCommand) -> anyhow::Result<ExitCode> {
    production::keep_memory_private();
    match command {
        CaCommand::Init { name, years, config } => {
            let config = super::read(config.config.as_deref())?;
            init(&config, name, years.saturating_mul(YEAR))?;
        }
        CaCommand::Show { config } => show(&super::read(config.config.as_deref())?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn init(config: &Config, name: &str, days: u32) -> anyhow::Result<()> {
    let files = config.api.certificates.files();
    for file in [&files.key, &files.certificate] {
        if let Some(directory) = file.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            keys::make_private_directory(directory)?;
        }
    }
    let authority = keys::authority(config)?;
    let now = clock::now();
    authority.init(name, days, now)?;
    tracing::info!(target: "audit", act = "make_authority", name);
    println!("{}: the key, under the local master key; back it up", files.key.display());
    println!("{}: the certificate, which is public", files.certificate.display());
    for line in authority.describe()? {
        println!("{line}");
    }
    println!("A running switch signs with it at once");
    Ok(())
}

fn show(config: &Config) -> anyhow::Result<()> {
    let authority = keys::certificates_alone(config);
    for line in authority.describe()? {
        eprintln!("{line}");
    }
    print!("{}", authority.pem()?);
    Ok(())
}
