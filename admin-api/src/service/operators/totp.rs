//! The second factor: codes of thirty seconds (RFC 6238 over RFC 4226, HMAC-SHA-1, six digits, as
//! every authenticator application has them). It owns the computation and the form in which a
//! secret is handed over; that no code is taken twice is the table's affair.

use aws_lc_rs::hmac;
use switch_domain::Timestamp;
use zeroize::Zeroizing;

use crate::Problem;
use crate::service::proof::random;

/// Bytes of a secret: as many as the digest has (RFC 4226, requirement 6).
pub(super) const SECRET: usize = 20;
const STEP_MICROS: i64 = 30_000_000;
/// Steps before and after this one: clocks differ, and people type.
const EITHER_SIDE: i64 = 1;
const MODULUS: u32 = 1_000_000;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A code, as somebody typed it.
///
/// ```compile_fail
/// let code: admin_api::operators::TypedCode = unreachable!();
/// println!("{code:?}");
/// ```
pub struct TypedCode(Zeroizing<String>);

impl TypedCode {
    /// As it was typed.
    #[must_use]
    pub const fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

/// A secret, in the application of one operator and under our key. It cannot be printed.
pub(super) struct TotpSecret(Zeroizing<[u8; SECRET]>);

impl TotpSecret {
    pub(super) fn draw() -> Result<Self, Problem> {
        Ok(Self(random()?))
    }

    pub(super) const fn new(bytes: Zeroizing<[u8; SECRET]>) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &*self.0
    }

    /// The step whose code this is, if it is one that is taken now.
    pub(super) fn step_of(&self, code: &TypedCode, now: Timestamp) -> Option<i64> {
        let this = now.0.div_euclid(STEP_MICROS);
        let mut found = None;
        // All are computed, whichever it is.
        for step in this.saturating_sub(EITHER_SIDE)..=this.saturating_add(EITHER_SIDE) {
            let is = aws_lc_rs::constant_time::verify_slices_are_equal(
                self.code(step).as_bytes(),
                code.0.as_bytes(),
            );
            if is.is_ok() {
                found = Some(step);
            }
        }
        found
    }

    /// The code of a step.
    fn code(&self, step: i64) -> Zeroizing<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &*self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let bytes = tag.as_ref();
        // Dynamic truncation (RFC 4226, 5.3): the last four bits say where.
        let at = usize::from(bytes.last().copied().unwrap_or_default() & 0x0F);
        let four = bytes.iter().skip(at).take(4);
        let number = four.fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
        Zeroizing::new(format!("{:06}", (number & 0x7FFF_FFFF) % MODULUS))
    }

    /// As applications read it, from a picture or by hand.
    pub(super) fn uri(&self, name: &str) -> Zeroizing<String> {
        let secret = base32(&self.0);
        Zeroizing::new(format!(
            "otpauth://totp/Cardswitch:{name}?secret={}&issuer=Cardswitch&algorithm=SHA1&digits=6\
             &period=30",
            &*secret
        ))
    }
}

/// Twenty bytes are thirty-two digits, without anything to fill up.
fn base32(bytes: &[u8; SECRET]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(SECRET * 8 / 5));
    for five in bytes.chunks(5) {
        let number = five.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        for place in (0..8).rev() {
            let digit = usize::try_from((number >> (place * 5)) & 0x1F).unwrap_or_default();
            text.push(char::from(BASE32.get(digit).copied().unwrap_or(b'A')));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B, and of RFC 4226, appendix D.
    fn published() -> TotpSecret {
        TotpSecret::new(Zeroizing::new(*b"12345678901234567890"))
    }

    fn typed(text: &str) -> TypedCode {
        TypedCode::new(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn p_20_codes_are_those_of_the_standards() {
        // RFC 4226, appendix D: counters 0 to 9.
        let counted = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (step, code) in (0..).zip(counted) {
            assert_eq!(&*published().code(step), code);
        }
        // RFC 6238, appendix B: the last six of its eight digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp::from_unix_seconds(seconds);
            assert_eq!(published().step_of(&typed(code), now), Some(seconds / 30));
        }
    }

    #[test]
    fn one_step_either_side_is_taken_and_no_other() {
        let at = |step: i64| Timestamp::from_unix_seconds(step * 30 + 29);
        let taken: Vec<i64> = (2..=8)
            .filter(|step| published().step_of(&typed("254676"), at(*step)) == Some(5))
            .collect();
        assert_eq!(taken, [4, 5, 6]);
        for wrong in ["", "25467", "2546760", "254677", "abcdef"] {
            assert_eq!(published().step_of(&typed(wrong), at(5)), None);
        }
    }

    #[test]
    fn a_secret_is_handed_over_as_applications_read_it() {
        let uri = published().uri("ada");
        assert!(uri.starts_with("otpauth://totp/Cardswitch:ada?"));
        assert!(uri.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Cardswitch"));
    }
}
