//! x302, x304 and their advices (x322, x324): a file action that asks for the lock of a card. It
//! owns where the editions say what is to be done, to which file and with which code, and under
//! which key the same action is known when it comes again. Who may lock what is not its affair.

use codecs::iso8583::{LockForm, Message, ValueError, Version};
use sha2::{Digest as _, Sha256};
use switch_domain::{
    Acquirer, Bin, CardId, Fingerprint, IdempotencyKey, LockCode, OutsideAsk, Reason,
};

use super::card_source::card_source;
use super::fault::{number, text};
use super::key::{LOCAL_TIME, RRN, TERMINAL, acquirer, local_time, stan};
use super::{FieldFault, Surroundings};

/// Hexadecimal characters or bytes of a record that are looked at.
const LONGEST_RECORD: usize = 64;

/// What became of a file action that can be read.
pub(crate) enum FileAction {
    /// The lock of a card is to be changed.
    Ask(Asked),
    /// To be answered so at once; nothing is remembered of it. The word names the kind in metrics.
    Unsupported(Reason, &'static str),
}

/// A lock that is asked for.
pub(crate) struct Asked {
    /// The first eight digits of the card number.
    pub(crate) bin: Bin,
    /// The keyed hash of the card number.
    pub(crate) print: Fingerprint,
    /// The card, where the directory knows it.
    pub(crate) card: Option<CardId>,
    /// What is to be done.
    pub(crate) ask: OutsideAsk,
    /// The same for every sending of this action.
    pub(crate) key: IdempotencyKey,
}

/// What is to be done to the file.
enum Action {
    Put,
    Delete,
    Other,
}

/// Translates a file action.
pub(crate) fn file_action(
    message: &Message<'_>,
    around: &dyn Surroundings,
) -> Result<FileAction, FieldFault> {
    let unsupported = |reason, kind| Ok(FileAction::Unsupported(reason, kind));
    let source = card_source(message)?;
    if source.numbers_differ {
        return unsupported(Reason::PanSourcesDiffer, "file_action_of_two_cards");
    }
    let Some(form) = message.dialect().lock_form() else {
        return unsupported(Reason::FileActionNotSupported, "file_action");
    };
    let file = text::<99>(message, LockForm::FILE)?;
    if file.is_empty() {
        return Err(FieldFault::Absent(LockForm::FILE));
    }
    if file.as_str() != &*form.file {
        return unsupported(Reason::FileUnknown, "file_name");
    }
    let action = action(message, form.action)?;
    let record = record(message, form.record)?;
    let code = match &record {
        None => None,
        Some(record) => match lock_code(record) {
            Some(code) => Some(code),
            None => return unsupported(Reason::FileRecordInvalid, "lock_code"),
        },
    };
    let ask = match (action, code) {
        (Action::Put, Some(code)) => OutsideAsk::Lock(code),
        (Action::Put, None) => return Err(FieldFault::Absent(form.record)),
        (Action::Delete, code) => OutsideAsk::Unlock(code),
        (Action::Other, _) => return unsupported(Reason::FileActionNotSupported, "file_action"),
    };
    let print = around.fingerprint(&source.pan);
    Ok(FileAction::Ask(Asked {
        bin: Bin(source.pan.bin()),
        print,
        card: around.find(&print),
        ask,
        key: key(message, around, print)?,
    }))
}

/// DE91 of 1987: 1 add, 2 change, 3 delete, 4 replace. DE24 of the later editions: 301 add, 302
/// change, 303 delete, 304 replace. A card has one lock, so that the first, second and fourth are
/// the same here. Inquiries and whole files are nobody's affair over a link.
fn action(message: &Message<'_>, field: u8) -> Result<Action, FieldFault> {
    let base = match message.dialect().version() {
        Version::V1987 => 0,
        Version::V1993 | Version::V2003 => 300,
    };
    let code = number(message, field, "a code of a file action")?;
    Ok(match code.checked_sub(base) {
        Some(1 | 2 | 4) => Action::Put,
        Some(3) => Action::Delete,
        _ => Action::Other,
    })
}

/// The record's characters without the spaces around them; `None` where there is no record.
fn record(message: &Message<'_>, field: u8) -> Result<Option<Vec<u8>>, FieldFault> {
    let wrong = FieldFault::Invalid { field, wanted: "the number of a lock code" };
    let mut room = [0; LONGEST_RECORD];
    let found = match message.text(field) {
        Ok(text) => text.as_bytes().to_vec(),
        Err(ValueError::Absent(_)) => return Ok(None),
        Err(_) => message.bytes(field, &mut room).map_err(|_| wrong)?.to_vec(),
    };
    Ok(Some(found.trim_ascii().to_vec()))
}

/// One or two digits.
fn lock_code(record: &[u8]) -> Option<LockCode> {
    let digits = (1..=2).contains(&record.len()) && record.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(record).ok().filter(|_| digits)?.parse().ok()?;
    LockCode::from_number(number)
}

/// The key of the management command that the action becomes (W-18): the fields of other messages'
/// keys, and the link, so that what one link may not do cannot be put in the way of another that
/// may. What is asked for is none of it: another action under the same key is one that its sender
/// has numbered wrongly. Such a key is never forgotten, so that it must not come again after a
/// million trace numbers: a time or a reference must be in it.
fn key(
    message: &Message<'_>,
    around: &dyn Surroundings,
    print: Fingerprint,
) -> Result<IdempotencyKey, FieldFault> {
    let time = local_time(message)?;
    let (rrn, terminal) = (text::<12>(message, RRN)?, text::<16>(message, TERMINAL)?);
    if time == 0 && rrn.is_empty() {
        return Err(FieldFault::Absent(LOCAL_TIME));
    }
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(b"file action");
    part(&around.link().0.to_be_bytes());
    match acquirer(message, around.link())? {
        Acquirer::Institution(institution) => part(institution.as_str().as_bytes()),
        Acquirer::Link(_) => part(&[]),
    }
    part(&stan(message)?.to_be_bytes());
    part(&time.to_be_bytes());
    part(terminal.as_str().as_bytes());
    part(rrn.as_str().as_bytes());
    part(&print.0);
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..]: [u8; 32] = hash.finalize().into();
    Ok(IdempotencyKey([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_the_number_of_a_lock_code() {
        let rows: [(&[u8], Option<u8>); 12] = [
            (b"1", Some(1)),
            (b"01", Some(1)),
            (b"08", Some(8)),
            (b"11", Some(11)),
            (b"00", None),
            (b"09", None),
            (b"10", None),
            (b"12", None),
            (b"007", None),
            (b"", None),
            (b"+7", None),
            (b"7A", None),
        ];
        for (record, expected) in rows {
            assert_eq!(lock_code(record).map(LockCode::number), expected, "{record:?}");
        }
    }
}
