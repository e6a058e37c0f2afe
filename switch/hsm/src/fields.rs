//! Fields of commands, written, and of answers, read. It owns lengths and alphabets: what comes
//! from a unit is hostile until it was read here, and a fault names the field, never its content.

use crate::error_code::ErrorCode;
use crate::frame::{CODE, Header, LENGTH};
use crate::secret::Secret;

/// A field of an answer is not what it should be, or one of a command does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not what it should be")]
pub struct Malformed(pub &'static str);

/// A command as it is written, with room in front for length and header.
pub struct CommandWriter {
    bytes: Secret,
    header_length: usize,
    most: usize,
}

/// A whole command but for its header.
pub(crate) struct CommandFrame {
    bytes: Secret,
    header_length: usize,
}

impl CommandWriter {
    /// For a command of these letters, of at most so many bytes behind the length.
    pub(crate) fn new(header_length: usize, most: usize, code: [u8; CODE]) -> Self {
        let mut bytes = Secret::with_capacity(256);
        bytes.extend(&[0; LENGTH]);
        bytes.extend([0; 16].get(..header_length).unwrap_or_default());
        bytes.extend(&code);
        Self { bytes, header_length, most }
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// Bytes as hexadecimal digits.
    pub(crate) fn hex(&mut self, bytes: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let digit = |value: u8| DIGITS.get(usize::from(value & 15)).copied().unwrap_or(b'0');
        for byte in bytes {
            self.bytes.extend(&[digit(byte >> 4), digit(*byte)]);
        }
    }

    /// A number of `width` decimal digits.
    pub(crate) fn number(
        &mut self,
        field: &'static str,
        value: usize,
        width: usize,
    ) -> Result<(), Malformed> {
        let text = format!("{value:0width$}");
        self.sized(field, text.as_bytes(), width)
    }

    /// A number of `width` hexadecimal digits.
    pub(crate) fn hex_number(
        &mut self,
        field: &'static str,
        value: usize,
        width: usize,
    ) -> Result<(), Malformed> {
        let text = format!("{value:0width$X}");
        self.sized(field, text.as_bytes(), width)
    }

    /// Decimal digits as they are.
    pub(crate) fn digits(&mut self, field: &'static str, digits: &[u8]) -> Result<(), Malformed> {
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(Malformed(field));
        }
        self.bytes.extend(digits);
        Ok(())
    }

    fn sized(&mut self, field: &'static str, text: &[u8], width: usize) -> Result<(), Malformed> {
        if text.len() != width {
            return Err(Malformed(field));
        }
        self.bytes.extend(text);
        Ok(())
    }

    /// What was written behind the letters, to be put into a command later.
    pub(crate) fn into_fields(self) -> Secret {
        let from = LENGTH.saturating_add(self.header_length).saturating_add(CODE);
        Secret::of(self.bytes.as_slice().get(from..).unwrap_or_default())
    }

    /// The whole command, where it is not too long.
    pub(crate) fn finish(mut self) -> Result<CommandFrame, Malformed> {
        let too_long = Malformed("length of the command");
        let length = self.bytes.len().saturating_sub(LENGTH);
        let in_front = u16::try_from(length).ok().filter(|_| length <= self.most);
        let in_front = in_front.ok_or(too_long)?.to_be_bytes();
        let front = self.bytes.as_mut_slice().first_chunk_mut().ok_or(too_long)?;
        *front = in_front;
        Ok(CommandFrame { bytes: self.bytes, header_length: self.header_length })
    }
}

impl CommandFrame {
    /// The bytes to send, under this header.
    pub(crate) fn under(mut self, header: Header) -> Secret {
        let room = self.bytes.as_mut_slice().get_mut(LENGTH..).unwrap_or_default();
        for (slot, byte) in room.iter_mut().zip(header.as_bytes()).take(self.header_length) {
            *slot = *byte;
        }
        self.bytes
    }

    /// The same, where it may have to be sent again.
    pub(crate) fn copy_under(&self, header: Header) -> Secret {
        let bytes = Secret::of(self.bytes.as_slice());
        Self { bytes, header_length: self.header_length }.under(header)
    }

    /// The letters of the command.
    pub(crate) fn code(&self) -> [u8; CODE] {
        let from = LENGTH.saturating_add(self.header_length);
        let code = self.bytes.as_slice().get(from..).and_then(<[u8]>::first_chunk);
        code.copied().unwrap_or_default()
    }
}

/// The letters of the answer to a command: the second one is one further in the alphabet, and
/// behind 9 and Z it begins again.
pub(crate) const fn answer_code([first, second]: [u8; CODE]) -> [u8; CODE] {
    let next = match second {
        b'9' => b'0',
        b'Z' => b'A',
        other => other.wrapping_add(1),
    };
    [first, next]
}

/// An answer as it is read.
pub struct AnswerReader<'a> {
    left: &'a [u8],
}

impl<'a> AnswerReader<'a> {
    /// Of what follows the letters: the error code, and the rest to be read.
    pub(crate) fn new(rest: &'a [u8]) -> Result<(ErrorCode, Self), Malformed> {
        let fault = Malformed("error code");
        let (code, left) = rest.split_first_chunk().ok_or(fault)?;
        let code = ErrorCode::read(*code).ok_or(fault)?;
        Ok((code, Self { left }))
    }

    pub(crate) fn bytes(
        &mut self,
        field: &'static str,
        count: usize,
    ) -> Result<&'a [u8], Malformed> {
        let (bytes, left) = self.left.split_at_checked(count).ok_or(Malformed(field))?;
        self.left = left;
        Ok(bytes)
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], Malformed> {
        let (bytes, left) = self.left.split_first_chunk().ok_or(Malformed(field))?;
        self.left = left;
        Ok(*bytes)
    }

    /// Exactly `N` decimal digits, in ASCII.
    pub(crate) fn digits<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], Malformed> {
        let digits: [u8; N] = self.array(field)?;
        digits.iter().all(u8::is_ascii_digit).then_some(digits).ok_or(Malformed(field))
    }

    /// Exactly `N` bytes as hexadecimal digits.
    pub(crate) fn hex<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], Malformed> {
        let mut bytes = [0; N];
        self.hex_into(field, &mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn hex_into(
        &mut self,
        field: &'static str,
        into: &mut [u8],
    ) -> Result<(), Malformed> {
        let digits = self.bytes(field, into.len().saturating_mul(2))?;
        hex::decode_to_slice(digits, into).map_err(|_| Malformed(field))
    }

    pub(crate) const fn left(&self) -> &'a [u8] {
        self.left
    }

    /// Nothing more: an answer with more than was asked for is not the answer to it.
    pub(crate) fn end(&self) -> Result<(), Malformed> {
        self.left.is_empty().then_some(()).ok_or(Malformed("end of the answer"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_its_length_header_and_letters_in_front() {
        let mut writer = CommandWriter::new(4, 64, *b"CY");
        writer.hex(&[0x0A, 0xFF]);
        writer.number("n", 7, 2).unwrap();
        writer.hex_number("h", 30, 4).unwrap();
        writer.digits("d", b"123").unwrap();
        assert_eq!(writer.number("n", 100, 2), Err(Malformed("n")));
        assert_eq!(writer.digits("d", b"12x"), Err(Malformed("d")));
        let frame = writer.finish().unwrap();
        assert_eq!(frame.code(), *b"CY");
        let sent = frame.under(Header::of(b"WXYZ").unwrap());
        assert_eq!(sent.as_slice(), b"\x00\x13WXYZCY0AFF07001E123");
    }

    #[test]
    fn a_command_that_is_too_long_is_not_made() {
        let mut writer = CommandWriter::new(4, 64, *b"M6");
        writer.bytes(&[0; 58]);
        assert!(writer.finish().is_ok());
        let mut writer = CommandWriter::new(4, 64, *b"M6");
        writer.bytes(&[0; 59]);
        assert!(writer.finish().is_err());
    }

    #[test]
    fn the_second_letter_of_an_answer_is_one_further() {
        for (command, answer) in
            [(b"CY", b"CZ"), (b"NO", b"NP"), (b"B2", b"B3"), (b"A0", b"A1"), (b"KW", b"KX")]
        {
            assert_eq!(answer_code(*command), *answer);
        }
    }

    #[test]
    fn an_answer_is_read_to_its_end_and_never_past_it() {
        let (code, mut reader) = AnswerReader::new(b"0012ab").unwrap();
        assert_eq!(code, ErrorCode::NONE);
        assert_eq!(reader.digits::<2>("d").unwrap(), *b"12");
        assert_eq!(reader.end(), Err(Malformed("end of the answer")));
        assert_eq!(reader.left(), b"ab");
        assert_eq!(reader.hex::<1>("h").unwrap(), [0xAB]);
        assert!(reader.end().is_ok());
        assert_eq!(reader.array::<1>("more"), Err(Malformed("more")));
        assert!(AnswerReader::new(b"0").is_err() && AnswerReader::new(b"0x").is_err());
    }
}
