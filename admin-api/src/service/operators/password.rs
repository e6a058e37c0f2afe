//! Passwords of operators. It owns which may be chosen (P-18) and how a first one is drawn; none
//! can be printed, and what is kept of one is `proof`'s affair.

use zeroize::Zeroizing;

use super::settings::PasswordRules;
use crate::Problem;
use crate::service::proof::{Typed, random};

/// Bytes of the longest: nobody has us hash more.
const LONGEST: usize = 256;
/// Of a password that we draw: five bits each.
const DRAWN: usize = 24;
/// Nothing that is taken for something else when it is copied by hand. Thirty-two.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A password, as somebody typed it, or as we drew it.
///
/// ```compile_fail
/// let password: admin_api::operators::OperatorPassword = unreachable!();
/// println!("{password}");
/// ```
///
/// ```compile_fail
/// let password: admin_api::operators::OperatorPassword = unreachable!();
/// println!("{password:?}");
/// ```
///
/// ```compile_fail
/// fn serialized<T: serde::Serialize>() {}
/// serialized::<admin_api::operators::OperatorPassword>();
/// ```
pub struct OperatorPassword(Zeroizing<String>);

impl OperatorPassword {
    /// As it was typed. One that is too long for any of ours is none.
    #[must_use]
    pub fn typed(text: Zeroizing<String>) -> Option<Self> {
        (text.len() <= LONGEST).then_some(Self(text))
    }

    /// One for somebody who is to choose another at once.
    pub(super) fn draw() -> Result<Self, Problem> {
        let bytes = random::<DRAWN>()?;
        let mut text = Zeroizing::new(String::with_capacity(DRAWN));
        for byte in bytes.iter() {
            let letter = LETTERS.get(usize::from(byte & 0x1F)).copied().unwrap_or(b'a');
            text.push(char::from(letter));
        }
        Ok(Self(text))
    }

    /// The text, for the answer to who is to hand it over.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The same once more, to be compared with something else.
    pub(super) fn again(&self) -> Self {
        Self(self.0.clone())
    }

    /// Whether it may be chosen by who has this name.
    pub(super) fn check(&self, name: &str, rules: PasswordRules) -> Result<(), Problem> {
        let wrong = |what: String| Err(Problem::field("newPassword", what));
        let PasswordRules { least, letters_and_digits, .. } = rules;
        if self.0.chars().count() < least as usize {
            return wrong(format!("a password has at least {least} characters"));
        }
        let letter = self.0.chars().any(char::is_alphabetic);
        let digit = self.0.chars().any(|c| c.is_ascii_digit());
        if letters_and_digits && !(letter && digit) {
            return wrong("a password has letters and digits".to_owned());
        }
        if self.0.to_lowercase().contains(name) {
            return wrong("a password does not contain the name".to_owned());
        }
        Ok(())
    }
}

impl Typed for OperatorPassword {
    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> OperatorPassword {
        OperatorPassword::typed(Zeroizing::new(text.to_owned())).expect("short enough")
    }

    #[test]
    fn p_18_short_ones_and_those_of_one_kind_are_refused_where_the_rules_say_so() {
        let rules = PasswordRules::default();
        let good = |text: &str, rules| typed(text).check("ada", rules).is_ok();
        assert!(good("correct horse 7", rules) && good("12345678901x", rules));
        for bad in ["short 1", "only letters here", "123456789012", "this is Ada 12"] {
            assert!(!good(bad, rules), "{bad}");
        }
        let free = PasswordRules { letters_and_digits: false, ..rules };
        assert!(good("only letters here", free) && !good("eleven char", free));
    }

    #[test]
    fn what_is_drawn_is_long_and_never_the_same() {
        let drawn = OperatorPassword::draw().expect("a password");
        assert_eq!(drawn.expose().len(), DRAWN);
        assert!(drawn.expose().bytes().all(|byte| LETTERS.contains(&byte)));
        assert!(drawn.expose() != OperatorPassword::draw().expect("another").expose());
        let long = "a".repeat(LONGEST + 1);
        assert!(OperatorPassword::typed(Zeroizing::new(long)).is_none());
    }
}
