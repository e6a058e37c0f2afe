//! The message that is measured: a 0100 of 20 fields and 354 bytes in ASCII with a binary bitmap,
//! and the same with its numbers packed. Its card number is of a test range.

use bytes::BytesMut;
use codecs::iso8583::{Dialect, Encoder, Mti};

/// A field as one sets it.
#[derive(Clone)]
pub(crate) enum Value {
    Text(&'static str),
    Bytes(Vec<u8>),
}

/// The fields in their order; 55 is opaque.
pub(crate) fn fields() -> Vec<(u8, Value)> {
    let text = [
        (2, "9999991200000018"),
        (3, "000000"),
        (4, "000000001250"),
        (7, "1123091500"),
        (11, "000042"),
        (12, "101500"),
        (13, "1123"),
        (14, "2912"),
        (18, "5411"),
        (22, "051"),
        (25, "00"),
        (32, "123456"),
        (35, "9999991200000018=29122010000012345678"),
        (37, "632709150042"),
        (41, "TERM0001"),
        (42, "MERCHANT0000001"),
        (43, "CORNER SHOP              SPRINGFIELD  US"),
        (49, "840"),
    ];
    let mut fields: Vec<_> =
        text.into_iter().map(|(field, value)| (field, Value::Text(value))).collect();
    fields.push((52, Value::Bytes(vec![0xA5; 8])));
    fields.push((55, Value::Bytes((0..131).collect())));
    fields
}

/// ASCII, but for the bitmap and the binary fields.
pub(crate) fn ascii() -> Dialect {
    let text = Dialect::shipped_toml("iso87-ascii").expect("shipped");
    let raw = text
        .replace("bitmap = \"hex\"", "bitmap = \"binary\"")
        .lines()
        .map(|line| match line.split(' ').next() {
            Some("52") => line.replace("max = 16", "max = 8").replace("\"hex\"", "\"raw\""),
            Some("55") => line.replace("\"hex\"", "\"raw\""),
            _ => line.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("\n");
    Dialect::from_toml(&raw).expect("a dialect")
}

/// Numbers packed.
pub(crate) fn packed() -> Dialect {
    Dialect::shipped("iso87-bcd").expect("shipped")
}

/// Sets all fields and writes the message.
pub(crate) fn write(
    dialect: &Dialect,
    encoder: &mut Encoder,
    fields: &[(u8, Value)],
    out: &mut BytesMut,
) {
    out.clear();
    let mut message = encoder.start(dialect, Mti::AUTHORIZATION_REQUEST);
    for (field, value) in fields {
        let set = match value {
            Value::Text(text) => message.text(*field, text),
            Value::Bytes(bytes) => message.bytes(*field, bytes),
        };
        set.expect("a value that fits");
    }
    message.finish(out).expect("a message");
}
