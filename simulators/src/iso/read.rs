//! Bytes to message. Must name the field and place of whatever it cannot read, and accept nothing
//! that its field table does not describe: leniency here would hide a fault of the switch.

use anyhow::{Context, Result, bail, ensure};

use super::field_table::{Content, Length, shape};
use super::message::Message;

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let end = self.at + count;
        let Some(taken) = self.bytes.get(self.at..end) else {
            bail!("{count} bytes expected at offset {}, message has {}", self.at, self.bytes.len());
        };
        self.at = end;
        Ok(taken)
    }

    fn digits(&mut self, count: usize) -> Result<usize> {
        let at = self.at;
        let taken = self.take(count)?;
        ensure!(taken.iter().all(u8::is_ascii_digit), "no {count} digits at offset {at}");
        Ok(taken.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0')))
    }

    /// One bitmap of 64 bits, written as sixteen hexadecimal characters in upper case.
    fn bitmap(&mut self) -> Result<u64> {
        let at = self.at;
        let mut bits = 0;
        for character in self.take(16)? {
            let value = match character {
                b'0'..=b'9' => character - b'0',
                b'A'..=b'F' => character - b'A' + 10,
                _ => bail!("bitmap at offset {at} has 0x{character:02X}, not 0-9 or A-F"),
            };
            bits = bits << 4 | u64::from(value);
        }
        Ok(bits)
    }
}

impl Message {
    /// Reads a whole message, framing already taken off.
    ///
    /// # Errors
    /// When it is cut short, too long, has a field this peer does not know or a value that does not
    /// fit. The error never shows a field's content.
    pub fn from_bytes(bytes: &[u8]) -> Result<Message> {
        let mut cursor = Cursor { bytes, at: 0 };
        let mti = cursor.take(4).context("message type")?;
        let mut message = Message::new(std::str::from_utf8(mti).context("message type")?)?;
        let first = cursor.bitmap().context("primary bitmap")?;
        let second =
            if first >> 63 == 1 { cursor.bitmap().context("secondary bitmap")? } else { 0 };
        let bits = u128::from(first) << 64 | u128::from(second);
        for field in 2..=128u8 {
            if bits >> (128 - field) & 1 == 1 {
                let value = read_field(&mut cursor, field)?;
                message.fields.insert(field, value);
            }
        }
        ensure!(cursor.at == bytes.len(), "{} bytes after the last field", bytes.len() - cursor.at);
        Ok(message)
    }
}

fn read_field(cursor: &mut Cursor<'_>, field: u8) -> Result<Vec<u8>> {
    let at = cursor.at;
    let Some(shape) = shape(field) else {
        bail!("field {field} at offset {at} is not in this peer's table");
    };
    let what = || format!("field {field} ({}) at offset {at}", shape.name);
    let characters = if shape.content == Content::Binary { 2 } else { 1 };
    let length = match shape.length {
        Length::Fixed(length) => length * characters,
        Length::Ll(max) | Length::Lll(max) => {
            let digits = if matches!(shape.length, Length::Ll(_)) { 2 } else { 3 };
            let length = cursor.digits(digits).with_context(what)?;
            let max = max * characters;
            ensure!(length <= max, "{}: length {length}, at most {max}", what());
            length
        }
    };
    let value = cursor.take(length).with_context(what)?;
    let fits = match shape.content {
        Content::Digits => value.iter().all(u8::is_ascii_digit),
        Content::Track => value.iter().all(|b| b.is_ascii_digit() || matches!(b, b'=' | b'D')),
        Content::Text => value.iter().all(|b| (0x20..0x7F).contains(b)),
        Content::Binary => return hex::decode(value).with_context(what),
    };
    ensure!(fits, "{} holds a character it must not", what());
    Ok(value.to_vec())
}
