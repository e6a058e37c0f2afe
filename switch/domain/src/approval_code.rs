//! The approval code of DE38. It owns its six characters and how they follow from a card's counter;
//! it never repeats one for a card within a million approvals, so not within a day.

/// Six digits, as DE38 carries them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApprovalCode([u8; 6]);

const CODES: u64 = 1_000_000;
/// Coprime with a million, so that multiplying visits every code once before any repeats.
const STRIDE: u64 = 387_420_489;

impl ApprovalCode {
    /// The code of a card's approval number `counter`. `salt` (the card's id) keeps cards apart.
    #[must_use]
    pub fn for_approval(counter: u32, salt: u64) -> Self {
        let start = salt.wrapping_mul(0x9e37_79b9_7f4a_7c15) % CODES;
        let code = u64::from(counter).wrapping_mul(STRIDE % CODES).wrapping_add(start) % CODES;
        let mut digits = [b'0'; 6];
        let mut rest = code;
        for slot in digits.iter_mut().rev() {
            *slot = b'0'.saturating_add(u8::try_from(rest % 10).unwrap_or(0));
            rest /= 10;
        }
        Self(digits)
    }

    /// From its six characters, as stored.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let digits: [u8; 6] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_alphanumeric).then_some(Self(digits))
    }

    /// The six characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::fmt::Debug for ApprovalCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_card_never_sees_a_code_twice_in_a_million_approvals() {
        let codes: HashSet<_> =
            (0..1_000_000).map(|n| ApprovalCode::for_approval(n, 1_099_511_627_777)).collect();
        assert_eq!(codes.len(), 1_000_000);
    }
}
