//! x400 and x401: a full reversal becomes `Reverse`. It owns what is told of the original. A
//! partial reversal is not done yet: it is answered so, instead of giving back too much.

use codecs::iso8583::{Message, Mti};
use switch_domain::{MessageClass, OriginalReference, Reason};
use switch_shard::{Command, Reverse};

use super::card_source::card_source;
use super::function_code::Reversed;
use super::key::message_key;
use super::original::{extent, original};
use super::{Surroundings, Translated, Translation};

/// Translates a reversal.
pub(crate) fn reversal(message: &Message<'_>, around: &dyn Surroundings) -> Translation {
    let source = card_source(message)?;
    if source.numbers_differ {
        let kind = "reversal_of_two_cards";
        return Ok(Translated::Unsupported(Reason::PanSourcesDiffer, kind));
    }
    let card = around.fingerprint(&source.pan);
    let key = message_key(message, around.link(), MessageClass::ReversalRequest, card)?;
    let original = original(message)?;
    let unsupported = match extent(message)? {
        Reversed::Whole => None,
        Reversed::Part => Some("partial_reversal"),
        Reversed::Unknown => Some("function_code"),
    };
    if let Some(kind) = unsupported {
        return Ok(Translated::Unsupported(Reason::InvalidTransaction, kind));
    }
    let mut reference = OriginalReference {
        key: key.as_original(),
        transmitted: original.transmitted,
        rrn: key.rrn,
    };
    if let Some(stan) = original.stan {
        reference.key.stan = stan;
    }
    let repeat = message.mti().is_some_and(Mti::is_repeat);
    let command = Reverse { link: around.link(), key, reference, repeat };
    Ok(Translated::Command(Box::new(Command::Reverse(command)), card))
}
