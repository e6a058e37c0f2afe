//! The code that pairs a device, as a person types it. It owns how it is drawn, read and hashed; it
//! cannot be printed, and is not kept.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::Problem;
use crate::service::proof::random;

/// Letters and digits that are not taken for one another when read aloud or typed.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Finds the row of a code: 25 bits.
const LOCATOR: usize = 5;
/// The rest of it: 45 bits, and a few tries.
const CODE: usize = 14;
/// What a person types to pair a device: 14 letters and digits.
///
/// ```compile_fail
/// let code: admin_api::PairingCode = unreachable!();
/// println!("{code:?}");
/// ```
pub struct PairingCode(Zeroizing<String>);

impl PairingCode {
    /// A new one.
    pub(super) fn draw() -> Result<Self, Problem> {
        let bytes = random::<CODE>()?;
        let mut text = Zeroizing::new(String::with_capacity(CODE));
        for byte in bytes.iter() {
            let letter = LETTERS.get(usize::from(byte & 0x1F)).copied().unwrap_or(b'0');
            text.push(char::from(letter));
        }
        Ok(Self(text))
    }

    /// One that was typed: small letters, spaces and hyphens do no harm.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > CODE * 3 {
            return None;
        }
        let typed = text.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| match c {
            'o' | 'O' => '0',
            'i' | 'I' | 'l' | 'L' => '1',
            other => other.to_ascii_uppercase(),
        });
        let mut code = Zeroizing::new(String::with_capacity(CODE * 3));
        code.extend(typed);
        let shaped = code.len() == CODE && code.bytes().all(|b| LETTERS.contains(&b));
        shaped.then_some(Self(code))
    }

    /// The text, for the answer to the partner.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn locator(&self) -> &str {
        self.0.get(..LOCATOR).unwrap_or_default()
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = PairingCode::draw().expect("a code");
        let text = code.expose().to_owned();
        assert_eq!(text.len(), CODE);
        let typed = format!(" {}-{} ", text[..7].to_lowercase(), &text[7..]);
        let read = PairingCode::read(&typed).expect("the same");
        assert!(read.hash() == code.hash() && read.locator() == &text[..5]);
        let confused = PairingCode::read("oIl0000000000a").expect("a code");
        assert_eq!(confused.expose(), "0110000000000A");
        for wrong in ["", &text[1..], &format!("{text}0"), "UUUUUUUUUUUUUU", "ééééééé"] {
            assert!(PairingCode::read(wrong).is_none(), "{wrong}");
        }
        assert!(PairingCode::read(&"-".repeat(1000)).is_none());
    }
}
