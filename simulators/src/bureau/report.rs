//! The report of a run: a line of CSV for each card, with its masked number, the reference of its
//! order, a tracking number and when it was made. Must never hold a whole number unless it is told
//! to be wrong that way, and then a test number.

use jiff::Timestamp;

use super::fault::BureauFault;
use crate::demo_file::TestPan;
use crate::iso::mask_pan;

/// A card that was made.
pub(super) struct Line {
    pub(super) pan: TestPan,
    pub(super) reference: String,
    pub(super) tracking_number: String,
}

/// The text of a report; `None` where there is none yet.
pub(super) fn text(lines: &[Line], now: Timestamp, fault: Option<BureauFault>) -> Option<String> {
    use BureauFault::{
        Damaged, Duplicated, Late, OtherNumber, Partial, Unknown, Unmasked, WrongCount,
    };
    if fault == Some(Late) {
        return None;
    }
    let mut written: Vec<String> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Line { pan, reference, tracking_number } = line;
        let first = fault.filter(|_| at == 0);
        let masked = mask_pan(pan.digits());
        let number = match first {
            Some(Unmasked) => pan.digits().to_owned(),
            Some(OtherNumber) => {
                let last = masked.chars().next_back().filter(|last| *last != '0');
                let other = if last.is_some() { '0' } else { '1' };
                format!("{}{other}", masked.get(..masked.len().saturating_sub(1))?)
            }
            _ => masked,
        };
        let reference = match first {
            Some(Unknown) => "00000000-0000-4000-8000-000000000000",
            Some(Damaged) => "not a reference",
            _ => reference,
        };
        let made = format!("{number},{reference},{tracking_number},{now:.0}");
        if fault == Some(Duplicated) {
            written.push(made.clone());
        }
        written.push(made);
    }
    let count = written.len() + usize::from(fault == Some(WrongCount));
    let mut text = String::from("cardNumber,reference,trackingNumber,created\n");
    for line in &written {
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(&format!("END,{count}\n"));
    if fault == Some(Partial) {
        text.truncate(text.len() / 2);
    }
    Some(text)
}

#[test]
fn a_report_is_wrong_as_it_was_told_to_be() {
    let line = |number: &str| Line {
        pan: TestPan::new(number.to_owned()),
        reference: "6f2c2b5e-8a4f-4a52-9f5e-3d1a2b3c4d5e".to_owned(),
        tracking_number: "SIM1".to_owned(),
    };
    let lines = [line("9999991200000010"), line("9999991200000028")];
    let now = Timestamp::UNIX_EPOCH;
    let of = |fault| text(&lines, now, fault);
    let right = of(None).expect("a report");
    assert_eq!(right.lines().count(), 4);
    assert!(right.contains("1970-01-01T00:00:00Z") && right.ends_with("END,2\n"), "{right}");
    assert!(!right.contains("9999991200000010"), "{right}");
    for fault in BureauFault::ALL {
        let wrong = of(Some(fault));
        assert_ne!(wrong.as_ref(), Some(&right), "{fault:?}");
        assert_eq!(wrong.is_none(), fault == BureauFault::Late);
        assert_eq!(fault.name().parse(), Ok(fault));
    }
}
