//! The PIN of a user: what they prove themselves by on their device. It is no PIN of a card. It
//! owns what is taken for one; it cannot be printed, and is wiped when dropped.

use zeroize::Zeroizing;

use crate::Problem;
use crate::service::proof::Typed;

/// As long as one may be.
const MOST: usize = 12;

/// A user's PIN, as it was typed.
///
/// ```compile_fail
/// let pin: admin_api::UserPin = unreachable!();
/// println!("{pin:?}");
/// ```
///
/// ```compile_fail
/// let (one, other): (admin_api::UserPin, admin_api::UserPin) = unreachable!();
/// let _ = one == other;
/// ```
pub struct UserPin(Zeroizing<String>);

impl UserPin {
    /// A PIN to be tried: 4 to 12 digits.
    ///
    /// # Errors
    /// `INVALID_REQUEST`.
    pub fn read(text: &str) -> Result<Self, Problem> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if (4..=MOST).contains(&text.len()) && digits {
            return Ok(Self(Zeroizing::new(text.to_owned())));
        }
        Err(Problem::field("pin", "4 to 12 digits"))
    }

    /// That it may be chosen: long enough, and not what everybody tries first.
    pub(super) fn fit(&self, member: &'static str, least: u32) -> Result<(), Problem> {
        if self.0.len() < least as usize {
            return Err(Problem::field(member, format!("{least} to {MOST} digits")));
        }
        let digits = self.0.as_bytes();
        let steps: Vec<i16> = digits
            .iter()
            .zip(digits.iter().skip(1))
            .map(|(one, next)| i16::from(*next).saturating_sub(i16::from(*one)))
            .collect();
        let easy = [0, 1, -1].iter().any(|step| steps.iter().all(|s| s == step));
        if easy {
            return Err(Problem::field(member, "neither one digit again and again nor a row"));
        }
        Ok(())
    }
}

impl Typed for UserPin {
    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_digits_and_is_not_easy() {
        for wrong in ["", "123", "1234567890123", "12a456", "１２３４"] {
            assert!(UserPin::read(wrong).is_err(), "{wrong}");
        }
        for (text, fit) in [
            ("135790", true),
            ("13579", false),
            ("111111", false),
            ("123456", false),
            ("987654", false),
            ("123457", true),
            ("112233", true),
        ] {
            assert_eq!(UserPin::read(text).expect("digits").fit("pin", 6).is_ok(), fit, "{text}");
        }
    }
}
