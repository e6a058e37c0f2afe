//! What bears a right by being known: session tokens, secrets of installations. It owns how they
//! are drawn, read and hashed; none can be printed, and none is kept.

use aws_lc_rs::rand;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::Problem;

/// Bytes of a secret.
const SECRET: usize = 32;

/// 256 random bits, as 64 hexadecimal digits: a session token, or the secret of an installation.
///
/// ```compile_fail
/// let token: admin_api::BearerSecret = unreachable!();
/// println!("{token}");
/// ```
///
/// ```compile_fail
/// let token: admin_api::BearerSecret = unreachable!();
/// println!("{token:?}");
/// ```
///
/// ```compile_fail
/// let (one, other): (admin_api::BearerSecret, admin_api::BearerSecret) = unreachable!();
/// let _ = one == other;
/// ```
pub struct BearerSecret(Zeroizing<String>);

impl BearerSecret {
    /// A new one.
    pub(crate) fn draw() -> Result<Self, Problem> {
        let bytes = random::<SECRET>()?;
        let mut text = Zeroizing::new(String::with_capacity(SECRET * 2));
        for byte in bytes.iter() {
            for nibble in [byte >> 4, byte & 0x0F] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        Ok(Self(text))
    }

    /// One that came from outside; none where it has not the shape of one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let shaped = text.len() == SECRET * 2 && text.bytes().all(digit);
        shaped.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The text, for the answer to who is to bear it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it: looked up, so that nothing is compared in a time that tells anything.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

/// Bytes of the system's random source.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Problem> {
    let mut bytes = Zeroizing::new([0; N]);
    let none = |_| Problem::internal("drawing a secret", &"there is no randomness");
    rand::fill(&mut *bytes).map_err(none)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_nothing_else_is_one() {
        let secret = BearerSecret::draw().expect("a secret");
        let text = secret.expose().to_owned();
        assert_eq!(BearerSecret::read(&text).expect("one").hash(), secret.hash());
        for wrong in ["", &text[1..], &format!("{text}0"), &text.replace(|_| true, "g")] {
            assert!(BearerSecret::read(wrong).is_none());
        }
        assert!(BearerSecret::draw().expect("another").expose() != text);
    }
}
