//! Whether an answer is what the peer must get. Must judge by the request as sent, the test card's
//! expected response code and the first answer only, and must name every fault it finds.

use std::collections::HashSet;

use super::plan::RepeatForm;
use super::request::{FirstAnswer, InFlight, Kind};
use crate::iso::Message;

/// Fields that an answer carries exactly as its request had them.
const ECHOED: [u8; 10] = [4, 7, 11, 12, 13, 32, 37, 41, 42, 49];

/// Checks answers; remembers the approval codes seen.
#[derive(Debug, Default)]
pub(super) struct Checker {
    /// Card, local date, DE38.
    approval_codes: HashSet<(usize, String, String)>,
}

impl Checker {
    /// Every fault of an answer; none for a good one. `expected` is the DE39 of a purchase with its
    /// card.
    pub(super) fn faults(
        &mut self,
        sent: &InFlight,
        answer: &Message,
        raw: &[u8],
        expected: &str,
    ) -> Vec<String> {
        let mut faults = Vec::new();
        let asked = sent.request.mti();
        let advice = asked.get(2..3) == Some("2");
        let function = if advice { "30" } else { "10" };
        let mti = format!("{}{function}", asked.get(..2).unwrap_or_default());
        if answer.mti() != mti {
            faults.push(format!("message type is {}, expected {mti}", answer.mti()));
        }
        for field in ECHOED {
            let (want, got) = (sent.request.bytes(field), answer.bytes(field));
            if want.is_some() && want != got {
                faults.push(format!("field {field} is {}, sent was {}", shown(got), shown(want)));
            }
        }
        match &sent.kind {
            Kind::Purchase => {
                response_code(answer, expected, &mut faults);
                self.approval_code(sent, answer, &mut faults);
            }
            Kind::Increment => {
                response_code(answer, "00", &mut faults);
                self.approval_code(sent, answer, &mut faults);
            }
            Kind::Other(variant) => {
                response_code(answer, variant.expected(), &mut faults);
                if variant.is_coded() {
                    self.approval_code(sent, answer, &mut faults);
                }
            }
            Kind::Reversal | Kind::Completion => response_code(answer, "00", &mut faults),
            Kind::Repeat(form, first) => same_as_first(*form, first, answer, raw, &mut faults),
        }
        faults
    }

    /// An approval carries six characters that its card has not had on this day.
    fn approval_code(&mut self, sent: &InFlight, answer: &Message, faults: &mut Vec<String>) {
        if answer.text(39) != Some("00") {
            return;
        }
        let code = answer.text(38).unwrap_or_default();
        if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_alphanumeric()) {
            faults.push("an approval without six characters in field 38".to_owned());
            return;
        }
        let day = sent.request.text(13).unwrap_or_default().to_owned();
        if !self.approval_codes.insert((sent.card, day, code.to_owned())) {
            faults.push(format!("field 38 {code} was given to this card before on this day"));
        }
    }
}

fn response_code(answer: &Message, expected: &str, faults: &mut Vec<String>) {
    let got = answer.text(39).unwrap_or("absent");
    if got != expected {
        faults.push(format!("field 39 is {got}, expected {expected}"));
    }
}

/// The same decision; and the same bytes, when the repeat was the same bytes.
fn same_as_first(
    form: RepeatForm,
    first: &FirstAnswer,
    answer: &Message,
    raw: &[u8],
    faults: &mut Vec<String>,
) {
    for field in [38, 39] {
        let (want, got) = (first.answer.bytes(field), answer.bytes(field));
        if want != got {
            let (got, want) = (shown(got), shown(want));
            faults.push(format!("field {field} of the repeat is {got}, first answer had {want}"));
        }
    }
    if faults.is_empty() && form == RepeatForm::Identical && raw != first.raw {
        faults.push("an identical resend was answered by other bytes than before".to_owned());
    }
}

fn shown(value: Option<&[u8]>) -> String {
    value.map_or_else(|| "absent".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
}
