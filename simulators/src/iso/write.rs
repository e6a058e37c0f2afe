//! Message to bytes. Must refuse a value that does not fit its field, never cut it.

use anyhow::{Context, Result, bail, ensure};

use super::field_table::{Content, Length, shape};
use super::message::Message;

/// The value as it stands on the wire, filled to its fixed length.
pub(super) fn padded(field: u8, value: &[u8]) -> Result<Vec<u8>> {
    let shape = shape(field).with_context(|| format!("this peer has no field {field}"))?;
    let fits = match shape.content {
        Content::Digits => value.iter().all(u8::is_ascii_digit),
        Content::Track => value.iter().all(|b| b.is_ascii_digit() || matches!(b, b'=' | b'D')),
        Content::Text => value.iter().all(|b| (0x20..0x7F).contains(b)),
        Content::Binary => true,
    };
    ensure!(fits, "field {field} ({}) holds a character it must not", shape.name);
    let (Length::Fixed(max) | Length::Ll(max) | Length::Lll(max)) = shape.length;
    if value.len() > max {
        bail!("field {field} ({}) has {} bytes, at most {max} fit", shape.name, value.len());
    }
    let mut out = value.to_vec();
    if let Length::Fixed(length) = shape.length {
        match shape.content {
            Content::Digits => {
                out.splice(0..0, std::iter::repeat_n(b'0', length - value.len()));
            }
            Content::Text => out.resize(length, b' '),
            Content::Track | Content::Binary => {
                ensure!(value.len() == length, "field {field} must have {length} bytes");
            }
        }
    }
    Ok(out)
}

/// Type, bitmap as upper-case hexadecimal characters, fields.
pub(super) fn message(message: &Message) -> Vec<u8> {
    let mut bits = [0u8; 16];
    for field in message.present() {
        let index = usize::from(field - 1);
        bits[index / 8] |= 0x80 >> (index % 8);
    }
    let long = bits[8..].iter().any(|byte| *byte != 0);
    if long {
        bits[0] |= 0x80; // bit 1: a second bitmap follows
    }
    let mut out = message.mti.to_vec();
    for byte in &bits[..if long { 16 } else { 8 }] {
        out.extend_from_slice(format!("{byte:02X}").as_bytes());
    }
    for (field, value) in &message.fields {
        let shape = shape(*field);
        let binary = shape.is_some_and(|shape| shape.content == Content::Binary);
        let value = if binary { hex::encode_upper(value).into_bytes() } else { value.clone() };
        match shape.map(|shape| shape.length) {
            Some(Length::Ll(_)) => out.extend_from_slice(format!("{:02}", value.len()).as_bytes()),
            Some(Length::Lll(_)) => out.extend_from_slice(format!("{:03}", value.len()).as_bytes()),
            Some(Length::Fixed(_)) | None => {}
        }
        out.extend_from_slice(&value);
    }
    out
}
