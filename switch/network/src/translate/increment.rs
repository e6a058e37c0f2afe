//! What makes an authorization an increment of an earlier one, and which one that is. The function
//! code (DE24) says so in 1993 and 2003. In 1987 an authorization that names an original is one,
//! unless the dialect asks for more. It owns nothing of how the original is found.

use codecs::iso8583::{IncrementalForm, Message, Version};
use switch_domain::MessageKey;
use switch_shard::Increment;

use super::FieldFault;
use super::function_code::Change;
use super::original::reference;

/// What it adds to, where it is an increment; `by_code` is what its function code says of that.
/// Boxed, because few are.
pub(super) fn increment(
    message: &Message<'_>,
    key: &MessageKey,
    by_code: Option<Change>,
) -> Result<Option<Box<Increment>>, FieldFault> {
    if key.class.is_financial() {
        return Ok(None);
    }
    let change = match message.dialect().version() {
        Version::V1987 => {
            let named = message.has(message.dialect().original_form().field);
            if named { change_of_1987(message) } else { None }
        }
        Version::V1993 | Version::V2003 => by_code,
    };
    let Some(change) = change else { return Ok(None) };
    let (reference, named) = reference(message, key)?;
    // All zeros name nothing, and nothing else says in 1987 that there is an earlier one.
    if !named && message.dialect().version() == Version::V1987 {
        return Ok(None);
    }
    Ok(Some(Box::new(Increment { reference, named, replaces: change == Change::InPlace })))
}

/// What an authorization that names an earlier one does to its amount.
fn change_of_1987(message: &Message<'_>) -> Option<Change> {
    let Some(form) = message.dialect().incremental_form() else { return Some(Change::OnTop) };
    let said = said(message, form)?;
    let is_one_of = |values: &[Box<str>]| values.iter().any(|value| **value == *said);
    if is_one_of(&form.adds) {
        Some(Change::OnTop)
    } else if is_one_of(&form.replaces) {
        Some(Change::InPlace)
    } else {
        None
    }
}

fn said(message: &Message<'_>, form: &IncrementalForm) -> Option<String> {
    match &form.part {
        Some(part) => message.element(form.field, part)?.text(),
        None => message.text(form.field).ok().map(|text| text.as_str().trim_end().to_owned()),
    }
}
