//! x100 and x101: an authorization request becomes `Authorize`. It owns which faults make a message
//! one that cannot be granted (recorded and answered by the engine) and which make it unreadable.

use codecs::iso8583::{Message, Mti};
use switch_domain::{Bin, Expiry, Merchant, MessageClass, MessageFacts, Reason};
use switch_shard::{Authorize, Command};

use super::amount::amount;
use super::card_source::{card_source, named_expiry};
use super::channel::place;
use super::fault::{number, text};
use super::function_code::{function_code, is_authorization};
use super::key::{message_key, transmitted};
use super::{FieldFault, Surroundings, Translated, Translation};

const PROCESSING_CODE: u8 = 3;
const MERCHANT_ID: u8 = 42;

/// What the first two digits of the processing code ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Purchase,
    Cash,
    Other,
}

/// Translates an authorization request.
pub(crate) fn authorization(message: &Message<'_>, around: &dyn Surroundings) -> Translation {
    let source = card_source(message)?;
    let card = around.fingerprint(&source.pan);
    let asked = asked(message)?;
    let place = place(message, asked == Asked::Cash)?;
    let (expiry, expiries_differ) = expiry(message, source.track_expiry)?;
    let fault = match (asked, source.numbers_differ, expiries_differ) {
        (Asked::Other, _, _) => Some(Reason::InvalidTransaction),
        (_, true, _) => Some(Reason::PanSourcesDiffer),
        // One of the two is not the card's own, whichever that is.
        (_, _, true) => Some(Reason::ExpiredCard),
        _ => None,
    };
    let command = Authorize {
        link: around.link(),
        facts: MessageFacts {
            key: message_key(message, around.link(), MessageClass::AuthorizationRequest, card)?,
            transmitted: transmitted(message)?,
            channel: place.channel,
            entry: place.entry,
            merchant: Merchant { category: place.category, id: text(message, MERCHANT_ID)? },
        },
        bin: Bin(source.pan.bin()),
        card: around.find(&card),
        expiry,
        fault,
        amount: amount(message)?,
        repeat: message.mti().is_some_and(Mti::is_repeat),
    };
    Ok(Translated::Command(Box::new(Command::Authorize(command)), card))
}

/// 00 purchase, 01 cash, 11 quasi-cash (ISO 8583:1987 annex A), unless the function code asks for
/// something else; nothing else is done yet.
fn asked(message: &Message<'_>) -> Result<Asked, FieldFault> {
    if !is_authorization(function_code(message)?) {
        return Ok(Asked::Other);
    }
    let code = number(message, PROCESSING_CODE, "a processing code")?;
    Ok(match code / 10_000 {
        0 | 11 => Asked::Purchase,
        1 => Asked::Cash,
        _ => Asked::Other,
    })
}

/// The month that the message names, and whether DE14 and the track name different ones.
fn expiry(
    message: &Message<'_>,
    by_track: Option<Expiry>,
) -> Result<(Option<Expiry>, bool), FieldFault> {
    let named = named_expiry(message)?;
    let differ = matches!((named, by_track), (Some(a), Some(b)) if a != b);
    Ok((named.or(by_track), differ))
}
