//! `cardswitch dialect`: which forms of ISO 8583 are shipped, what is in one, and whether a file of
//! one's own is right. It owns what is printed; the rules stand in `codecs`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use codecs::import::{About, from_jpos, from_moov};
use codecs::iso8583::{Dialect, Version};
use switch_network::missing_field;

use crate::config;

/// Dialects: forms of ISO 8583 as files.
#[derive(Debug, Subcommand)]
pub enum DialectCommand {
    /// The dialects that are shipped
    List,
    /// The file of a shipped dialect: a base to write one of your own from
    Show {
        /// Its name
        name: String,
    },
    /// Make a dialect file of a jPOS packager (.xml) or a moov specification (.json), and say what
    /// of it is not in there
    Import {
        /// The file
        file: PathBuf,
        /// The dialect's name [default: the file's]
        #[arg(long)]
        name: Option<String>,
        /// The edition of the standard: 1987, 1993 or 2003
        #[arg(long, default_value = "1987")]
        edition: String,
    },
    /// Check dialect files, and name every fault with its line and field; exit code 2 if there is
    /// one
    Check {
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Runs it.
///
/// # Errors
/// There is no such dialect.
pub(super) fn run(command: &DialectCommand) -> anyhow::Result<ExitCode> {
    match command {
        DialectCommand::List => {
            Dialect::shipped_names().filter_map(Dialect::shipped).for_each(|one| {
                println!("{}", line(&one));
            });
            Ok(ExitCode::SUCCESS)
        }
        DialectCommand::Show { name } => match Dialect::shipped_toml(name) {
            Some(text) => {
                print!("{text}");
                Ok(ExitCode::SUCCESS)
            }
            None => {
                let names: Vec<_> = Dialect::shipped_names().collect();
                anyhow::bail!("no dialect {name:?} is shipped; there are {}", names.join(", "))
            }
        },
        DialectCommand::Check { files } => Ok(check(files)),
        DialectCommand::Import { file, name, edition } => {
            let name = match (name, file.file_stem().and_then(|stem| stem.to_str())) {
                (Some(name), _) => name.clone(),
                (None, Some(stem)) => stem.to_owned(),
                (None, None) => anyhow::bail!("give the dialect a --name"),
            };
            let versions = [Version::V1987, Version::V1993, Version::V2003];
            let version = versions.into_iter().find(|version| version.as_str() == edition);
            let Some(version) = version else {
                anyhow::bail!("--edition {edition}: there are 1987, 1993 and 2003")
            };
            import(file, &About { name, version })
        }
    }
}

/// To standard output, and what there is to say of it beside it.
fn import(file: &Path, about: &About) -> anyhow::Result<ExitCode> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).with_context(|| shown.to_string())?;
    let imported = match file.extension().and_then(|extension| extension.to_str()) {
        Some("xml") => from_jpos(&text, about),
        Some("json") => from_moov(&text, about),
        _ => anyhow::bail!("{shown}: jPOS packagers end in .xml, moov specifications in .json"),
    };
    let imported = imported.with_context(|| shown.to_string())?;
    for remark in &imported.remarks {
        eprintln!("{shown}: {remark}");
    }
    print!("{}", imported.toml);
    Ok(ExitCode::SUCCESS)
}

/// Name, edition, how much is defined, and how numbers are written.
fn line(dialect: &Dialect) -> String {
    format!(
        "{:20} ISO 8583:{}  {:3} fields, message type {}, bitmap {}",
        dialect.name(),
        dialect.version().as_str(),
        dialect.defined().len(),
        format!("{:?}", dialect.mti_encoding()).to_lowercase(),
        format!("{:?}", dialect.bitmap_encoding()).to_lowercase()
    )
}

fn check(files: &[PathBuf]) -> ExitCode {
    let mut wrong = false;
    for path in files {
        let name = path.display().to_string();
        match config::read_dialect(path) {
            Err(problem) => {
                wrong = true;
                eprintln!("{problem}");
            }
            Ok(dialect) => match missing_field(&dialect) {
                Some(field) => {
                    wrong = true;
                    eprintln!("{name}: field {field} is not defined, and every link needs it");
                }
                None => println!("{name}: good. {}", line(&dialect)),
            },
        }
    }
    if wrong { ExitCode::from(2) } else { ExitCode::SUCCESS }
}
