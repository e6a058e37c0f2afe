//! x100 and x200, and their repeats: a request becomes `Authorize`; x120 and x220, the advice of
//! one, an `Advise` of the same. It owns which faults make a message one that cannot be granted
//! (recorded and answered by the engine) and which make it unreadable, and how an advice says what
//! was decided.

use codecs::iso8583::{Message, Mti, ValueError};
use switch_domain::{
    ApprovalCode, Bin, Expiry, Fingerprint, Merchant, MessageClass, MessageFacts, Reason,
    TransactionType,
};
use switch_shard::{Advise, Authorize, Command};

use crate::answer::action_code;

use super::amount::amount;
use super::card_source::{card_source, named_expiry};
use super::channel::place;
use super::completion::{completed, completes};
use super::converted::converted;
use super::country::country;
use super::fault::text;
use super::increment::increment;
use super::key::{message_key, transmitted};
use super::terms::terms;
use super::transaction::asked;
use super::{FieldFault, Surroundings, Translated, Translation, network_trace};

const APPROVAL_CODE: u8 = 38;
const ACTION_CODE: u8 = 39;
const MERCHANT_ID: u8 = 42;

/// Translates an authorization or financial request.
pub(crate) fn request(message: &Message<'_>, around: &dyn Surroundings) -> Translation {
    let class = match is_financial(message) {
        true => MessageClass::FinancialRequest,
        false => MessageClass::AuthorizationRequest,
    };
    let (request, card) = read(message, around, class)?;
    Ok(Translated::Command(Box::new(Command::Authorize(request)), card))
}

/// Translates an advice of what was decided in our stead, or of what an authorization came to.
pub(crate) fn advice(message: &Message<'_>, around: &dyn Surroundings) -> Translation {
    let financial = is_financial(message);
    let class = match financial {
        true => MessageClass::FinancialAdvice,
        false => MessageClass::AuthorizationAdvice,
    };
    let (request, card) = read(message, around, class)?;
    let original = match financial {
        true => Some(completed(message, &request.facts, around)?),
        false => None,
    };
    let (approved, approval_code) = (approved(message, financial)?, approval_code(message)?);
    let advice = Advise { request, approved, approval_code, original };
    Ok(Translated::Command(Box::new(Command::Advise(advice)), card))
}

fn is_financial(message: &Message<'_>) -> bool {
    message.mti().is_some_and(|mti| mti.class() == 2)
}

/// What is asked for, or was.
fn read(
    message: &Message<'_>,
    around: &dyn Surroundings,
    class: MessageClass,
) -> Result<(Authorize, Fingerprint), FieldFault> {
    let source = card_source(message)?;
    let card = around.fingerprint(&source.pan);
    let amount = amount(message)?;
    let asked = asked(message, class, amount.minor.is_zero())?;
    let place = place(message, asked.kind == TransactionType::Cash)?;
    let (expiry, expiries_differ) = expiry(message, source.track_expiry)?;
    let fault = match (asked.fault, source.numbers_differ, expiries_differ) {
        (Some(fault), _, _) => Some(fault),
        (_, true, _) => Some(Reason::PanSourcesDiffer),
        // One of the two is not the card's own, whichever that is.
        (_, _, true) => Some(Reason::ExpiredCard),
        _ => None,
    };
    let key = message_key(message, around.link(), class, card)?;
    let facts = MessageFacts {
        key,
        transmitted: transmitted(message)?,
        channel: place.channel,
        entry: place.entry,
        kind: asked.kind,
        merchant: Merchant { category: place.category, id: text(message, MERCHANT_ID)? },
        country: country(message),
        network_trace: network_trace::own(message),
    };
    let request = Authorize {
        link: around.link(),
        facts,
        bin: Bin(source.pan.bin()),
        card: around.find(&card),
        expiry,
        fault,
        amount,
        terms: terms(message, amount.currency)?,
        repeat: message.mti().is_some_and(Mti::is_repeat),
        network: converted(message, around)?,
        adds_to: increment(message, &key, asked.change)?,
        completes: completes(message, &facts, asked.completes, around)?,
        evidence: None,
        blocked: false,
    };
    Ok((request, card))
}

/// DE39 of an advice: whether it was approved. That of an authorization must have it: a hold is not
/// made by guessing. A financial advice without it tells what was done.
fn approved(message: &Message<'_>, financial: bool) -> Result<bool, FieldFault> {
    let wrong = FieldFault::Invalid { field: ACTION_CODE, wanted: "an action code" };
    match message.text(ACTION_CODE) {
        // A peer may have a code of its own for it.
        Ok(code) if code.as_str() == action_code(Reason::Approved, message.dialect()) => Ok(true),
        Ok(code) => Reason::approved_in_our_stead(code.as_str()).ok_or(wrong),
        Err(ValueError::Absent(_)) if financial => Ok(true),
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

/// The month that the message names, and whether DE14 and the track name different ones.
fn expiry(
    message: &Message<'_>,
    by_track: Option<Expiry>,
) -> Result<(Option<Expiry>, bool), FieldFault> {
    let named = named_expiry(message)?;
    let differ = matches!((named, by_track), (Some(a), Some(b)) if a != b);
    Ok((named.or(by_track), differ))
}
