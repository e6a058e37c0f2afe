//! The key under which a message is known when it comes again (design section 2). It owns which
//! fields make it; DE7 is none of them, because peers renew it.

use codecs::iso8583::{Message, Version};
use switch_domain::{Acquirer, Fingerprint, LinkId, MessageClass, MessageKey};

use super::FieldFault;
use super::fault::{number, optional_number, text};

const TRANSMITTED: u8 = 7;
const STAN: u8 = 11;
pub(super) const LOCAL_TIME: u8 = 12;
const LOCAL_DATE: u8 = 13;
const ACQUIRER: u8 = 32;
pub(super) const RRN: u8 = 37;
pub(super) const TERMINAL: u8 = 41;

/// Room for hhmmss beside the date.
const TIME_RANGE: u64 = 1_000_000;

/// Reads the key.
pub(super) fn message_key(
    message: &Message<'_>,
    link: LinkId,
    class: MessageClass,
    card: Fingerprint,
) -> Result<MessageKey, FieldFault> {
    Ok(MessageKey {
        acquirer: acquirer(message, link)?,
        class,
        stan: stan(message)?,
        local_time: local_time(message)?,
        terminal: text(message, TERMINAL)?,
        rrn: text(message, RRN)?,
        card,
    })
}

/// DE7 as a number, 0 where absent.
pub(super) fn transmitted(message: &Message<'_>) -> Result<u64, FieldFault> {
    Ok(optional_number(message, TRANSMITTED, "a time, MMDDhhmmss")?.unwrap_or(0))
}

/// DE32, or the link.
pub(super) fn acquirer(message: &Message<'_>, link: LinkId) -> Result<Acquirer, FieldFault> {
    let institution = text(message, ACQUIRER)?;
    let absent = institution.is_empty();
    Ok(if absent { Acquirer::Link(link) } else { Acquirer::Institution(institution) })
}

/// DE11.
pub(super) fn stan(message: &Message<'_>) -> Result<u64, FieldFault> {
    number(message, STAN, "a trace number")
}

/// DE13 and DE12 as MMDDhhmmss; in the later editions DE12, which has the date. They are compared,
/// never read as a time.
pub(super) fn local_time(message: &Message<'_>) -> Result<u64, FieldFault> {
    let wanted = "a local time";
    let time = optional_number(message, LOCAL_TIME, wanted)?.unwrap_or(0);
    if message.dialect().version() != Version::V1987 {
        return Ok(time);
    }
    let date = optional_number(message, LOCAL_DATE, wanted)?.unwrap_or(0);
    let joined = date.checked_mul(TIME_RANGE).and_then(|date| date.checked_add(time));
    joined.ok_or(FieldFault::Invalid { field: LOCAL_TIME, wanted })
}
