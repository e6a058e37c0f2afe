//! The table `[incremental]` of a dialect file of 1987: what makes an authorization that names an
//! earlier one an increment of it. Must refuse what no message could say.

use serde::Deserialize;
use toml::Spanned;

use super::carriage::IncrementalForm;
use super::dialect_error::DialectError;
use super::dialect_file::Source;
use super::spec::{FieldSpec, Version};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IncrementalEntry {
    field: u8,
    part: Option<String>,
    #[serde(default)]
    adds: Vec<String>,
    #[serde(default)]
    replaces: Vec<String>,
}

/// Checks it; `spec` and `part` tell of the fields and sub-elements that there are.
pub(super) fn compile_incremental(
    source: &Source<'_>,
    entry: &Spanned<IncrementalEntry>,
    version: Version,
    spec: &dyn Fn(u8) -> Option<FieldSpec>,
    part: &dyn Fn(u8, &str) -> bool,
) -> Result<IncrementalForm, DialectError> {
    let IncrementalEntry { field, part: key, adds, replaces } = entry.get_ref();
    let wrong = |problem: String| Err(source.error(&entry.span(), Some(*field), problem));
    if version != Version::V1987 {
        return wrong("the function code (24) says in this edition what an increment is".into());
    }
    if spec(*field).is_none() {
        return wrong("says what an increment is, and is not defined".into());
    }
    if let Some(key) = key.as_deref().filter(|key| !part(*field, key)) {
        return wrong(format!("has no sub-element '{key}' in [elements.{field}]"));
    }
    let values = || adds.iter().chain(replaces);
    if values().next().is_none() || values().any(String::is_empty) {
        return wrong("adds or replaces lists what the field says, as in adds = [\"4\"]".into());
    }
    if let Some(both) = adds.iter().find(|value| replaces.contains(value)) {
        return wrong(format!("'{both}' cannot both add and replace"));
    }
    let boxed = |all: &[String]| all.iter().map(|value| value.as_str().into()).collect();
    Ok(IncrementalForm {
        field: *field,
        part: key.as_deref().map(Into::into),
        adds: boxed(adds),
        replaces: boxed(replaces),
    })
}
