//! What makes an authorization an increment of an earlier one, and which one that is. The function
//! code (DE24) says so in 1993 and 2003. In 1987 an authorization that names an original is one,
//! unless the dialect asks for more: then it may name it by the network's identifier alone. It owns
//! nothing of how the original is found.

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
        Version::V1987 => change_of_1987(message),
        Version::V1993 | Version::V2003 => by_code,
    };
    let Some(change) = change else { return Ok(None) };
    let (reference, named) = reference(message, key)?;
    // All zeros name nothing, and nothing else says in 1987 that there is an earlier one, but the
    // network where the dialect has a word for increments.
    let traced =
        message.dialect().incremental_form().is_some() && !reference.network_trace.is_none();
    if !named && !traced && message.dialect().version() == Version::V1987 {
        return Ok(None);
    }
    Ok(Some(Box::new(Increment { reference, named, replaces: change == Change::InPlace })))
}

/// What an authorization that names an earlier one does to its amount.
fn change_of_1987(message: &Message<'_>) -> Option<Change> {
    let names = message.has(message.dialect().original_form().field);
    let Some(form) = message.dialect().incremental_form() else {
        return names.then_some(Change::OnTop);
    };
    if !names && message.dialect().network_trace_form().is_none() {
        return None;
    }
    // An increment says so in few messages; what others say is not copied.
    let is_one_of = |values: &[Box<str>]| values.iter().any(|value| says(message, form, value));
    if is_one_of(&form.adds) {
        Some(Change::OnTop)
    } else if is_one_of(&form.replaces) {
        Some(Change::InPlace)
    } else {
        None
    }
}

fn says(message: &Message<'_>, form: &IncrementalForm, value: &str) -> bool {
    match &form.part {
        Some(part) => message.element(form.field, part).is_some_and(|said| said.is(value)),
        None => message.text(form.field).is_ok_and(|said| said.as_str().trim_end() == value),
    }
}
