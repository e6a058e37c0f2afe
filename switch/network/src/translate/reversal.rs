//! x400 and x420, and their repeats: a reversal of all or of a part becomes `Reverse`. It owns what
//! is told of the original and of what stands of it.

use codecs::iso8583::{Message, Mti};
use switch_domain::{MessageClass, Reason};
use switch_shard::{Command, Reverse};

use super::card_source::card_source;
use super::key::message_key;
use super::original::{Extent, extent, reference};
use super::{Surroundings, Translated, Translation};

/// The function of an advice: the third digit of its type.
const ADVICE: u8 = 2;

/// Translates a reversal.
pub(crate) fn reversal(message: &Message<'_>, around: &dyn Surroundings) -> Translation {
    let source = card_source(message)?;
    if source.numbers_differ {
        let kind = "reversal_of_two_cards";
        return Ok(Translated::Unsupported(Reason::PanSourcesDiffer, kind));
    }
    let card = around.fingerprint(&source.pan);
    let class = match message.mti().map(Mti::function) {
        Some(ADVICE) => MessageClass::ReversalAdvice,
        _ => MessageClass::ReversalRequest,
    };
    let key = message_key(message, around.link(), class, card)?;
    let (reference, _) = reference(message, &key)?;
    let standing = match extent(message)? {
        Extent::Whole => None,
        Extent::Standing(amount) => Some(amount),
        Extent::TooMuch => {
            let kind = "reversal_above_amount";
            return Ok(Translated::Unsupported(Reason::InvalidAmount, kind));
        }
        Extent::Unknown => {
            return Ok(Translated::Unsupported(Reason::InvalidTransaction, "function_code"));
        }
    };
    let repeat = message.mti().is_some_and(Mti::is_repeat);
    let command = Reverse { link: around.link(), key, reference, standing, repeat };
    Ok(Translated::Command(Box::new(Command::Reverse(command)), card))
}
