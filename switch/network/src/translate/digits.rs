//! Parts of a field that is nothing but digits, as numbers.

/// Digits as a number; none at all are none.
pub(super) fn value(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |sum, digit| {
        let digit = digit.checked_sub(b'0').filter(|value| *value <= 9)?;
        sum.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
