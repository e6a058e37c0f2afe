//! The fields this peer sends or understands, by number. Must hold no field it has no use for: an
//! answer with another one is an answer it cannot read.

/// What a field is made of (ISO 8583:1987, table of data elements).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// `n`: ASCII digits, right-justified, zero-filled when the length is fixed.
    Digits,
    /// `a`, `an`, `ans`: printable ASCII, left-justified, blank-filled when the length is fixed.
    Text,
    /// `z`: track 2, digits with `=` or `D` as separator.
    Track,
    /// `b`: bytes, each as two hexadecimal characters on the wire. Lengths are of the bytes here,
    /// and of the characters there.
    Binary,
}

/// How the end of a field is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// Always so many bytes.
    Fixed(usize),
    /// Two ASCII digits in front, at most so many bytes.
    Ll(usize),
    /// Three ASCII digits in front, at most so many bytes.
    Lll(usize),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct FieldShape {
    /// The standard's name.
    pub name: &'static str,
    /// What it is made of.
    pub content: Content,
    /// How long it is.
    pub length: Length,
}

const fn digits(name: &'static str, length: usize) -> FieldShape {
    FieldShape { name, content: Content::Digits, length: Length::Fixed(length) }
}

const fn text(name: &'static str, length: usize) -> FieldShape {
    FieldShape { name, content: Content::Text, length: Length::Fixed(length) }
}

const fn other(name: &'static str, content: Content, length: Length) -> FieldShape {
    FieldShape { name, content, length }
}

/// The shape of a field; `None` for one this peer does not know.
#[must_use]
pub const fn shape(field: u8) -> Option<FieldShape> {
    use Content::{Binary, Digits, Text, Track};
    use Length::{Fixed, Ll, Lll};
    Some(match field {
        2 => other("primary account number", Digits, Ll(19)),
        3 => digits("processing code", 6),
        4 => digits("amount, transaction", 12),
        5 => digits("amount, settlement", 12),
        6 => digits("amount, cardholder billing", 12),
        7 => digits("transmission date and time", 10),
        9 => digits("conversion rate, settlement", 8),
        10 => digits("conversion rate, cardholder billing", 8),
        11 => digits("system trace audit number", 6),
        12 => digits("time, local transaction", 6),
        13 => digits("date, local transaction", 4),
        14 => digits("date, expiration", 4),
        15 => digits("date, settlement", 4),
        18 => digits("merchant type", 4),
        22 => digits("point of service entry mode", 3),
        23 => digits("card sequence number", 3),
        24 => digits("network international identifier", 3),
        25 => digits("point of service condition code", 2),
        32 => other("acquiring institution identification code", Digits, Ll(11)),
        33 => other("forwarding institution identification code", Digits, Ll(11)),
        35 => other("track 2 data", Track, Ll(37)),
        37 => text("retrieval reference number", 12),
        38 => text("authorization identification response", 6),
        39 => text("response code", 2),
        41 => text("card acceptor terminal identification", 8),
        42 => text("card acceptor identification code", 15),
        43 => text("card acceptor name and location", 40),
        44 => other("additional response data", Text, Ll(25)),
        48 => other("additional data, private", Text, Lll(999)),
        49 => digits("currency code, transaction", 3),
        50 => digits("currency code, settlement", 3),
        51 => digits("currency code, cardholder billing", 3),
        52 => other("personal identification number data", Binary, Fixed(8)),
        54 => other("additional amounts", Text, Lll(120)),
        55 => other("chip data", Binary, Lll(255)),
        70 => digits("network management information code", 3),
        90 => digits("original data elements", 42),
        95 => text("replacement amounts", 42),
        63 | 125 => other("reserved for private use", Text, Lll(999)),
        126 => other("printed code", Text, Lll(999)),
        _ => return None,
    })
}
