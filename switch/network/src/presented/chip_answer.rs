//! Field 55 of an answer: the issuer's authentication data, and the response code that they are for
//! where the dialect wants it. It owns how these are written; what they say is the security
//! module's affair.

const RESPONSE_CODE: u8 = 0x8A;
const AUTHENTICATION_DATA: u8 = 0x91;
/// Both objects, each with tag and length.
const MOST_BYTES: usize = 2 + 2 + 2 + 16;

/// The field, in a buffer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChipAnswer {
    bytes: [u8; MOST_BYTES],
    length: usize,
}

impl ChipAnswer {
    /// With the authentication data, and the code before them where it is wanted.
    pub(crate) fn new(authentication: &[u8], code: Option<[u8; 2]>) -> Self {
        let mut written = Self { bytes: [0; MOST_BYTES], length: 0 };
        if let Some(code) = code {
            written.push(RESPONSE_CODE, &code);
        }
        written.push(AUTHENTICATION_DATA, authentication);
        written
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// An object whose tag and length have one byte each.
    fn push(&mut self, tag: u8, value: &[u8]) {
        let length = u8::try_from(value.len()).unwrap_or_default();
        for byte in [tag, length].iter().chain(value) {
            if let Some(slot) = self.bytes.get_mut(self.length) {
                *slot = *byte;
                self.length = self.length.saturating_add(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_the_code_before_what_is_for_it() {
        let data = [1, 2, 3, 4, 5, 6, 7, 8, 0x30, 0x30];
        let both = ChipAnswer::new(&data, Some(*b"00"));
        assert_eq!(hex::encode(both.bytes()), "8a023030910a01020304050607083030");
        assert_eq!(hex::encode(ChipAnswer::new(&data, None).bytes()), "910a01020304050607083030");
    }
}
