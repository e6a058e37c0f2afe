//! Reads the configuration: file, environment, checks, in that order. It owns the error messages:
//! each names the file and line, or the variable.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Table;

use super::{Config, Fault, check, locate, overlay};

/// Where a configuration came from, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// No file: defaults and environment alone.
    Defaults,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Defaults => f.write_str("the defaults"),
        }
    }
}

/// A configuration that is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not TOML, or a key is unknown or of the wrong type. The message has the line.
    #[error("{source_name}: {message}")]
    Malformed {
        /// The file.
        source_name: Source,
        /// What the reader says, with line and column.
        message: String,
    },
    /// An environment variable sets an unknown key, or one to a wrong type.
    #[error("environment variable {variable}: {message}")]
    Variable {
        /// The variable.
        variable: String,
        /// What is wrong.
        message: String,
    },
    /// Values that cannot work.
    #[error("{}", .0.join("\n"))]
    Faults(Vec<String>),
}

/// Reads the file at `path`, or the defaults without one, and lays the environment over it.
///
/// # Errors
/// See [`ConfigError`]; all faults are told at once where possible.
pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
    let variables = std::env::vars();
    match path {
        None => parse("", &Source::Defaults, variables),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| ConfigError::Unreadable { path: path.into(), error })?;
            parse(&text, &Source::File(path.into()), variables)
        }
    }
}

/// Reads a configuration text with variables laid over it.
///
/// # Errors
/// See [`ConfigError`].
pub fn parse(
    text: &str,
    source: &Source,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let malformed = |error: toml::de::Error| ConfigError::Malformed {
        source_name: source.clone(),
        message: error.to_string(),
    };
    // Once straight from the text, for its errors know the line; then with the environment.
    let mut config: Config = toml::from_str(text).map_err(malformed)?;
    let mut table: Table = text.parse().map_err(malformed)?;
    let settings = overlay::settings(variables);
    for setting in &settings {
        overlay::apply(&mut table, setting);
        config = Config::deserialize(table.clone()).map_err(|error| ConfigError::Variable {
            variable: setting.variable.clone(),
            message: error.message().to_owned(),
        })?;
    }
    let faults = check::faults(&config);
    if faults.is_empty() {
        return Ok(config);
    }
    let told = faults.iter().map(|fault| tell(fault, text, source, &settings)).collect();
    Err(ConfigError::Faults(told))
}

/// A fault with the place that it came from.
fn tell(fault: &Fault, text: &str, source: &Source, settings: &[overlay::Setting]) -> String {
    let key = fault.path.join(".");
    if let Some(setting) = settings.iter().find(|setting| setting.path == fault.path) {
        return format!("environment variable {}: {key}: {}", setting.variable, fault.message);
    }
    let path: Vec<&str> = fault.path.iter().map(String::as_str).collect();
    match locate::line_of(text, &path) {
        Some(line) => format!("{source}, line {line}: {key}: {}", fault.message),
        None => format!("{source}: {key} (not set): {}", fault.message),
    }
}
