//! Imports of clearing files as data: what comes over the control socket, one JSON object each. It
//! owns the names and shapes of their members. What is wrong with one is said without its content,
//! which may hold card numbers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{ClearingLine, ClearingSettings, FileId, Problem, Services};

/// One step of an import. Their names all begin with `clearing-`, and those of no other do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "operation", deny_unknown_fields)]
pub enum ClearingOperation {
    /// Asks for the limits, before anything is read.
    #[serde(rename = "clearing-begin")]
    Begin,
    /// Takes lines.
    #[serde(rename = "clearing-lines")]
    Lines {
        /// The file's own identifier.
        file: String,
        /// Some of its lines, in their order.
        lines: Vec<ClearingLine>,
    },
}

/// What the sender of a file has to keep to.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ClearingLimits {
    /// Bytes of a file.
    pub max_file_bytes: u64,
    /// Bytes of a line.
    pub max_line_bytes: usize,
    /// Lines at a time.
    pub in_flight: usize,
}

/// Does a step and gives its result: the limits, or what the lines came to.
///
/// # Errors
/// The operation is none, or as for the step.
pub async fn perform(
    services: &Services,
    settings: &ClearingSettings,
    operation: Value,
) -> Result<Value, Problem> {
    // What serde says of a fault would repeat the content.
    let operation: ClearingOperation = serde_json::from_value(operation)
        .map_err(|_| Problem::invalid("not a step of an import of clearing files"))?;
    let result = match operation {
        ClearingOperation::Begin => {
            services.begin_clearing(settings).await?;
            let ClearingSettings { max_file_bytes, max_line_bytes, in_flight, .. } = *settings;
            json!(ClearingLimits { max_file_bytes, max_line_bytes, in_flight })
        }
        ClearingOperation::Lines { file, lines } => {
            let file = FileId::new(&file).ok_or_else(|| {
                Problem::invalid(
                    "the file's identifier has 1 to 64 letters, digits, \".\", \"_\" and \"-\", \
                     and not more than 11 digits in a row",
                )
            })?;
            json!(services.clear_lines(settings, &file, &lines).await?)
        }
    };
    Ok(result)
}
