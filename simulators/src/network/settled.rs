//! What this network settled with the issuer, by its own count, and the reconciliation that says
//! so. Must count only what was answered with a yes, and each message once.

use anyhow::{Context, Result};
use codecs::iso8583::Version;
use jiff::civil::DateTime;

use super::draft::{Draft, Value};
use super::speech::Speech;

/// Credits, their reversals, debits, their reversals: how many, and minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Messages of each kind.
    pub numbers: [u64; 4],
    /// What they settled.
    pub amounts: [u64; 4],
}

impl Settlement {
    /// Notes a message that was answered with a yes; what settles nothing is passed over.
    pub(super) fn note(&mut self, kind: &str, draft: &Draft) {
        let reversal = match kind {
            "200" | "220" => false,
            "400" | "420" if names_financial(draft) => true,
            _ => return,
        };
        let Some(amount) = characters(draft, 4).and_then(|text| {
            // In 2003 currency and exponent stand in front.
            text.get(text.len().checked_sub(12)?..)?.parse::<u64>().ok()
        }) else {
            return;
        };
        let credit = characters(draft, 3).is_some_and(|code| code.starts_with("20"));
        let place = usize::from(!credit) * 2 + usize::from(reversal);
        if let (Some(number), Some(sum)) =
            (self.numbers.get_mut(place), self.amounts.get_mut(place))
        {
            *number += 1;
            *sum += amount;
        }
    }

    /// Credits less debits, each less its reversals.
    fn net(&self) -> i128 {
        let [credits, credits_back, debits, debits_back] = self.amounts.map(i128::from);
        credits - credits_back - debits + debits_back
    }
}

/// Whether a reversal names a message that settled.
fn names_financial(draft: &Draft) -> bool {
    let named = characters(draft, 90).or_else(|| characters(draft, 56));
    named.is_some_and(|text| text.get(1..2) == Some("2"))
}

fn characters(draft: &Draft, wanted: u8) -> Option<&str> {
    draft.iter().find_map(|(field, value)| match value {
        Value::Text(text) if *field == wanted => Some(text.as_str()),
        _ => None,
    })
}

impl Speech {
    /// The kind of a reconciliation by an acquirer.
    pub(super) const RECONCILIATION: &'static str = "500";

    /// Whether field 39 of an answer is a yes to a message that settles, or takes that back.
    pub(super) fn is_yes(&self, action: &str) -> bool {
        let reversed = ["400", "4000"].contains(&action);
        reversed || ["901", "9001"].contains(&action) || action == self.approved()
    }

    /// Whether an advice says that it was declined.
    pub(super) fn tells_of_a_decline(&self, draft: &Draft) -> bool {
        characters(draft, 39).is_some_and(|action| action != self.approved())
    }

    /// Says what was settled on the day of `at`, in euro.
    ///
    /// # Errors
    /// When the dialect cannot say the net amount.
    pub fn reconciliation(&self, settled: &Settlement, stan: u32, at: DateTime) -> Result<Draft> {
        let text = |value: String| Value::Text(value);
        let written = |form| text(at.strftime(form).to_string());
        let mut draft: Draft = vec![
            (7, written("%m%d%H%M%S")),
            (11, text(format!("{stan:06}"))),
            (32, text("123456".to_owned())),
        ];
        draft.extend(self.local_time(at));
        draft.push(match self.version() {
            Version::V1987 => (15, written("%m%d")),
            Version::V1993 => (28, written("%y%m%d")),
            Version::V2003 => (28, written("%Y%m%d")),
        });
        if self.version() != Version::V1987 {
            draft.push((24, text("500".to_owned())));
        }
        let euro = if self.version() == Version::V2003 { "9782" } else { "" };
        if self.version() != Version::V2003 {
            draft.push((50, text("978".to_owned())));
            let numbers = (74..).zip(settled.numbers);
            let amounts = (86..).zip(settled.amounts);
            draft.extend(numbers.chain(amounts).map(|(field, sum)| (field, text(sum.to_string()))));
        }
        self.dialect().spec(97).context("the dialect has no net amount")?;
        let net = settled.net();
        let sign = if net < 0 { 'D' } else { 'C' };
        draft.push((97, text(format!("{sign}{euro}{:016}", net.unsigned_abs()))));
        Ok(draft)
    }
}
