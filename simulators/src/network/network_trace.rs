//! How a message carries the network's own identifier of its transaction, and speaks of another by
//! that alone, in the dialects that have a place for it. Must not use what the codecs know of such
//! places: what is in a field is put together here by hand.

use codecs::iso8583::Version;

use super::draft::{Draft, Value};
use super::speech::Speech;

/// Bits of the first byte of the payment service fields: what they are for, and the identifier.
const CHARACTERISTICS: u8 = 0x80;
const IDENTIFIER: u8 = 0x40;
/// `I` in EBCDIC: an incremental authorization.
const INCREMENTAL: u8 = 0xC9;

/// Where a dialect has it.
enum Place {
    /// Field 62, behind a bitmap of its own.
    PaymentService,
    /// Fields 63 and 15; of another message, a sub-element of 48.
    NetworkData,
    /// Field 21 of 2003.
    LifeCycle,
    Nowhere,
}

impl Speech {
    fn trace_place(&self) -> Place {
        let has = |field| self.dialect().has_elements(field);
        match self.version() {
            Version::V2003 => Place::LifeCycle,
            Version::V1987 if has(62) => Place::PaymentService,
            Version::V1987 if has(48) && has(61) => Place::NetworkData,
            Version::V1987 | Version::V1993 => Place::Nowhere,
        }
    }

    /// The same message with this identifier: fifteen characters, thirteen for a network that has
    /// a reference number and a date. As it is, where the dialect has no place for one.
    #[must_use]
    pub fn traced(&self, mut draft: Draft, trace: &str) -> Draft {
        match self.trace_place() {
            Place::PaymentService => {
                let adds = draft.iter().any(|(field, _)| *field == 62);
                draft.retain(|(field, _)| *field != 62);
                draft.push((62, payment_service(Some(trace), adds)));
            }
            Place::NetworkData => {
                let (reference, date) = trace.split_at_checked(9).unwrap_or((trace, ""));
                draft.push((63, Value::Text(reference.to_owned())));
                draft.push((15, Value::Text(date.to_owned())));
            }
            Place::LifeCycle => {
                let data = [&[1], trace.as_bytes(), &[1, 0, 0]].concat();
                draft.push((21, Value::Bytes(data)));
            }
            Place::Nowhere => {}
        }
        draft
    }

    /// The same message, of which only this identifier says what it speaks of: original data
    /// elements are left out.
    #[must_use]
    pub fn by_trace(&self, mut draft: Draft, trace: &str) -> Draft {
        draft.retain(|(field, _)| ![56, 90].contains(field));
        if matches!(self.trace_place(), Place::NetworkData) {
            draft.push((48, Value::Text(format!("R6315{trace:<15}"))));
            return draft;
        }
        self.traced(draft, trace)
    }

    /// What says in field 62 that an authorization adds to an earlier one.
    pub(super) fn says_increment(&self) -> Option<(u8, Value)> {
        let here = matches!(self.trace_place(), Place::PaymentService);
        here.then(|| (62, payment_service(None, true)))
    }
}

/// Field 62: a bitmap of eight bytes, one character, and the identifier packed behind a zero.
fn payment_service(trace: Option<&str>, adds: bool) -> Value {
    let mut bytes = vec![0; 8];
    if adds {
        bytes[0] |= CHARACTERISTICS;
        bytes.push(INCREMENTAL);
    }
    if let Some(trace) = trace {
        bytes[0] |= IDENTIFIER;
        let digits: Vec<u8> = format!("0{trace}").bytes().map(|digit| digit & 0x0F).collect();
        bytes.extend(digits.chunks(2).map(|pair| pair.iter().fold(0, |sum, one| sum << 4 | one)));
    }
    Value::Bytes(bytes)
}
