//! What a financial message says of the authorization that it completes, and what makes a request
//! one that does: its function code (DE24) in 1993 and 2003, in 1987 that it names one. It owns
//! nothing of how the original is found.

use codecs::iso8583::{Message, Version};
use switch_domain::{MessageClass, MessageFacts};
use switch_shard::Original;

use super::original::reference;
use super::{FieldFault, Surroundings};

/// What a financial message says of the authorization before it: by DE90 or DE56, else that it has
/// the same trace number. A message of a link is the last about it.
pub(super) fn completed(
    message: &Message<'_>,
    facts: &MessageFacts,
    around: &dyn Surroundings,
) -> Result<Original, FieldFault> {
    let (reference, named) = reference(message, &facts.key)?;
    let tolerance = around.tolerance(facts.merchant.category, facts.channel);
    Ok(Original { reference, named, last: true, tolerance })
}

/// The same of a financial request, where it completes anything; `by_code` where its function code
/// says so. Boxed, because few do. An advice always may, and says it for itself.
pub(super) fn completes(
    message: &Message<'_>,
    facts: &MessageFacts,
    by_code: bool,
    around: &dyn Surroundings,
) -> Result<Option<Box<Original>>, FieldFault> {
    if facts.key.class != MessageClass::FinancialRequest {
        return Ok(None);
    }
    let by_name = match message.dialect().version() {
        Version::V1987 => message.has(message.dialect().original_form().field),
        Version::V1993 | Version::V2003 => false,
    };
    if !by_name && !by_code {
        return Ok(None);
    }
    let original = completed(message, facts, around)?;
    // All zeros name nothing, and nothing else says in 1987 that there is an earlier one.
    Ok((original.named || by_code).then(|| Box::new(original)))
}
