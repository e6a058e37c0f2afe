//! Which cards the peer of a link may lock, with which codes (SR-209), and how many of its refusals
//! go on record. It owns these limits; what is asked for is read by `translate`, and decided by the
//! engine.

use std::sync::Mutex;

use codecs::iso8583::Dialect;
use switch_domain::{AsciiText, Bin, LinkId, LockCodes};
use tokio::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

/// Card numbers by their first eight digits, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BinSpan {
    /// The first.
    pub low: Bin,
    /// The last.
    pub high: Bin,
}

/// What the peer of a link may do to cards. The default is nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockAuthority {
    /// Card numbers that it may lock and unlock.
    pub bins: Vec<BinSpan>,
    /// Codes that it may set, and take back.
    pub codes: LockCodes,
    /// Refused attempts that are recorded within a minute; past it they are only counted.
    pub refusals_per_minute: u32,
}

impl Default for LockAuthority {
    fn default() -> Self {
        Self { bins: Vec::new(), codes: LockCodes::NONE, refusals_per_minute: 60 }
    }
}

impl LockAuthority {
    /// Whether it has authority over a card number, whatever the code.
    pub(crate) fn covers(&self, bin: Bin) -> bool {
        self.bins.iter().any(|span| (span.low..=span.high).contains(&bin))
    }

    /// The codes that it may set on a card of this number.
    pub(crate) fn over(&self, bin: Bin) -> LockCodes {
        if self.covers(bin) { self.codes } else { LockCodes::NONE }
    }

    /// The first setting that cannot work with a dialect, and why.
    pub(crate) fn unfit(&self, dialect: &Dialect) -> Option<(&'static str, String)> {
        let codes = self.codes != LockCodes::NONE;
        let (set, missing) = match (self.bins.is_empty(), codes) {
            (true, false) => return None,
            (true, true) => ("lock_codes", "lock_bins"),
            (false, false) => ("lock_bins", "lock_codes"),
            (false, true) if dialect.lock_form().is_some() => return None,
            (false, true) => {
                let name = dialect.name();
                let fault = format!("dialect {name} has no fields for file actions");
                return Some(("lock_bins", fault));
            }
        };
        Some((set, format!("locks nothing without {missing}: give both, or neither")))
    }
}

/// What a link is called in the audit trail: `link:NAME`, or `link-id:NUMBER` where the name is
/// longer than a row has room for.
pub(crate) fn actor(name: &str, id: LinkId) -> AsciiText<40> {
    AsciiText::new(format!("link:{name}").as_bytes())
        .or_else(|_| AsciiText::new(format!("link-id:{}", id.0).as_bytes()))
        .unwrap_or(AsciiText::EMPTY)
}

/// So many of something in each minute.
pub(crate) struct Allowance {
    per_minute: u32,
    /// When the minute began, and what is left of it.
    left: Mutex<Option<(Instant, u32)>>,
}

impl Allowance {
    pub(crate) const fn new(per_minute: u32) -> Self {
        Self { per_minute, left: Mutex::new(None) }
    }

    /// Takes one at `now`; false where none is left.
    pub(crate) fn take(&self, now: Instant) -> bool {
        let Ok(mut left) = self.left.lock() else { return false };
        let (since, count) = match *left {
            Some((since, count)) if now.saturating_duration_since(since) < MINUTE => (since, count),
            _ => (now, self.per_minute),
        };
        *left = Some((since, count.saturating_sub(1)));
        count > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_and_no_more() {
        let (allowance, begin) = (Allowance::new(2), Instant::now());
        for minute in 0..3 {
            let now = begin + MINUTE * minute;
            let taken = [0, 1, 30, 59].map(|s| allowance.take(now + Duration::from_secs(s)));
            assert_eq!(taken, [true, true, false, false]);
        }
        assert!(!Allowance::new(0).take(begin));
    }

    #[test]
    fn a_link_is_named_as_far_as_a_row_has_room() {
        assert_eq!(actor("visa", LinkId(7)).as_str(), "link:visa");
        assert_eq!(actor(&"v".repeat(36), LinkId(7)).as_str(), "link-id:7");
    }
}
