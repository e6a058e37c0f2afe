//! x100 and x101: an authorization request becomes `Authorize`; x120 and x121, the advice of one,
//! an `Advise` of the same. It owns which faults make a message one that cannot be granted
//! (recorded and answered by the engine) and which make it unreadable, and how an advice says what
//! was decided.

use codecs::iso8583::{Message, Mti, ValueError};
use switch_domain::{
    ApprovalCode, Bin, Expiry, Fingerprint, Merchant, MessageClass, MessageFacts, Reason,
};
use switch_shard::{Advise, Authorize, Command};

use crate::answer::action_code;

use super::amount::amount;
use super::card_source::{card_source, named_expiry};
use super::channel::place;
use super::fault::{number, text};
use super::function_code::{function_code, is_authorization};
use super::key::{message_key, transmitted};
use super::{FieldFault, Surroundings, Translated, Translation};

const PROCESSING_CODE: u8 = 3;
const APPROVAL_CODE: u8 = 38;
const ACTION_CODE: u8 = 39;
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
    let (request, card) = read(message, around, MessageClass::AuthorizationRequest)?;
    Ok(Translated::Command(Box::new(Command::Authorize(request)), card))
}

/// Translates an advice of what was decided in our stead.
pub(crate) fn advice(message: &Message<'_>, around: &dyn Surroundings) -> Translation {
    let (request, card) = read(message, around, MessageClass::AuthorizationAdvice)?;
    let (approved, approval_code) = (approved(message)?, approval_code(message)?);
    let advice = Advise { request, approved, approval_code };
    Ok(Translated::Command(Box::new(Command::Advise(advice)), card))
}

/// What is asked for, or was.
fn read(
    message: &Message<'_>,
    around: &dyn Surroundings,
    class: MessageClass,
) -> Result<(Authorize, Fingerprint), FieldFault> {
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
    let request = Authorize {
        link: around.link(),
        facts: MessageFacts {
            key: message_key(message, around.link(), class, card)?,
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
    Ok((request, card))
}

/// DE39 of an advice: whether it was approved. It must be there: a hold is not made by guessing.
fn approved(message: &Message<'_>) -> Result<bool, FieldFault> {
    let wrong = FieldFault::Invalid { field: ACTION_CODE, wanted: "an action code" };
    match message.text(ACTION_CODE) {
        // A peer may have a code of its own for it.
        Ok(code) if code.as_str() == action_code(Reason::Approved, message.dialect()) => Ok(true),
        Ok(code) => Reason::approved_in_our_stead(code.as_str()).ok_or(wrong),
        Err(ValueError::Absent(_)) => Err(FieldFault::Absent(ACTION_CODE)),
        Err(_) => Err(wrong),
    }
}

/// DE38 of an advice, as it was given in our stead. Nothing depends on it: one that is none is not
/// kept, and the advice is taken all the same.
fn approval_code(message: &Message<'_>) -> Result<Option<ApprovalCode>, FieldFault> {
    let code = text::<6>(message, APPROVAL_CODE)?;
    Ok(ApprovalCode::from_text(code.as_str()))
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
