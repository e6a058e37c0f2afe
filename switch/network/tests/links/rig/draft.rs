//! A message as a peer writes it, field by field, without the codecs: what they cannot write must
//! be sent too.

use std::collections::BTreeMap;

/// How a field is written; only fields that the tests use.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Digits,
    CountedDigits,
    Track,
    Text,
    CountedText(usize),
    /// A sign, which is never packed, and digits.
    Signed,
}

const fn form(field: u8) -> Form {
    match field {
        2 | 32 | 33 => Form::CountedDigits,
        35 => Form::Track,
        37 | 38 | 39 | 41 | 42 | 49 | 91 | 95 => Form::Text,
        45 | 101 => Form::CountedText(2),
        63 | 120 | 125 | 126 => Form::CountedText(3),
        28..=30 => Form::Signed,
        _ => Form::Digits,
    }
}

/// A message being drafted.
#[derive(Clone)]
pub(crate) struct Draft {
    ascii: bool,
    mti: Vec<u8>,
    fields: BTreeMap<u8, Vec<u8>>,
    behind: Vec<u8>,
}

impl Draft {
    pub(crate) fn new(dialect: &str, mti: &str) -> Self {
        let ascii = dialect == "iso87-ascii";
        let mti = if ascii { mti.as_bytes().to_vec() } else { pack(mti) };
        Self { ascii, mti, fields: BTreeMap::new(), behind: Vec::new() }
    }

    /// Sets a field to these characters.
    pub(crate) fn set(mut self, field: u8, value: &str) -> Self {
        let count = value.len();
        let counted = matches!(form(field), Form::CountedDigits | Form::Track);
        let digits = match form(field) {
            Form::CountedText(digits) => digits,
            _ => 2,
        };
        let counted = counted || matches!(form(field), Form::CountedText(_));
        let mut wire = match (counted, self.ascii) {
            (true, true) => format!("{count:0digits$}").into_bytes(),
            (true, false) => pack(&format!("{count:0width$}", width = digits.next_multiple_of(2))),
            _ => Vec::new(),
        };
        match (form(field), self.ascii) {
            (Form::Text | Form::CountedText(_), _) | (_, true) => wire.extend(value.as_bytes()),
            (Form::Signed, false) => {
                wire.extend(&value.as_bytes()[..1]);
                wire.extend(pack(&value[1..]));
            }
            (Form::Track, false) => {
                let filled = if count % 2 == 1 { format!("{value}F") } else { value.to_owned() };
                wire.extend(pack(&filled.replace('=', "D")));
            }
            _ => {
                let filled = if count % 2 == 1 { format!("0{value}") } else { value.to_owned() };
                wire.extend(pack(&filled));
            }
        }
        self.fields.insert(field, wire);
        self
    }

    /// Sets a binary field to these bytes: the PIN block, or the chip's data with their length.
    pub(crate) fn binary(self, field: u8, bytes: &[u8]) -> Self {
        let digits = hex::encode_upper(bytes);
        let mut wire = match (field, self.ascii) {
            (55, true) => format!("{:03}", digits.len()).into_bytes(),
            (55, false) => pack(&format!("{:04}", bytes.len())),
            _ => Vec::new(),
        };
        if self.ascii {
            wire.extend(digits.into_bytes());
        } else {
            wire.extend(bytes);
        }
        self.raw(field, &wire)
    }

    /// Sets a field to these bytes, whatever they are.
    pub(crate) fn raw(mut self, field: u8, wire: &[u8]) -> Self {
        self.fields.insert(field, wire.to_vec());
        self
    }

    pub(crate) fn without(mut self, field: u8) -> Self {
        self.fields.remove(&field);
        self
    }

    /// Replaces the message type by these bytes.
    pub(crate) fn raw_mti(mut self, mti: &[u8]) -> Self {
        self.mti = mti.to_vec();
        self
    }

    /// Adds bytes behind the last field.
    pub(crate) fn behind(mut self, bytes: &[u8]) -> Self {
        self.behind = bytes.to_vec();
        self
    }

    /// The bytes of a field as they are sent.
    pub(crate) fn wire(&self, field: u8) -> Option<&[u8]> {
        self.fields.get(&field).map(Vec::as_slice)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bits = self.fields.keys().fold(0u128, |bits, field| bits | 1 << (128 - field));
        let secondary = bits as u64 != 0;
        if secondary {
            bits |= 1 << 127;
        }
        let bitmap = &bits.to_be_bytes()[..if secondary { 16 } else { 8 }];
        let mut out = self.mti.clone();
        if self.ascii {
            out.extend(hex::encode_upper(bitmap).into_bytes());
        } else {
            out.extend(bitmap);
        }
        self.fields.values().for_each(|wire| out.extend(wire));
        out.extend(&self.behind);
        out
    }

    /// All but the last `count` bytes.
    pub(crate) fn cut(&self, count: usize) -> Vec<u8> {
        let mut bytes = self.bytes();
        bytes.truncate(bytes.len() - count);
        bytes
    }
}

fn pack(hexadecimal: &str) -> Vec<u8> {
    hex::decode(hexadecimal).expect("hexadecimal characters, two for each byte")
}

/// A purchase by PAN that is in order.
pub(crate) fn request(dialect: &str, stan: u32) -> Draft {
    let (number, rrn) = (format!("{stan:06}"), format!("6327{stan:08}"));
    Draft::new(dialect, "0100")
        .set(2, "9999991200000018")
        .set(3, "000000")
        .set(4, "000000001250")
        .set(7, "1123091500")
        .set(11, &number)
        .set(12, "091459")
        .set(13, "1123")
        .set(14, "2912")
        .set(18, "5411")
        .set(22, "051")
        .set(25, "00")
        .set(32, "12345")
        .set(37, &rrn)
        .set(41, "TERM0001")
        .set(42, "MERCHANT0000001")
        .set(49, "978")
}

/// A file action of 1987 that asks for this lock of the card, in order.
pub(crate) fn file_action(dialect: &str, stan: u32, code: &str, record: &str) -> Draft {
    let (number, rrn) = (format!("{stan:06}"), format!("6327{stan:08}"));
    let draft = Draft::new(dialect, "0302")
        .set(2, "9999991200000018")
        .set(7, "1123091510")
        .set(11, &number)
        .set(12, "091510")
        .set(13, "1123")
        .set(32, "12345")
        .set(37, &rrn)
        .set(91, code)
        .set(101, "CARD-LOCK");
    if record.is_empty() { draft } else { draft.set(120, record) }
}

/// The full reversal of [`request`].
pub(crate) fn reversal(dialect: &str, stan: u32, original: u32) -> Draft {
    let (number, rrn) = (format!("{stan:06}"), format!("6327{original:08}"));
    let elements = format!("0100{original:06}1123091500{:011}{:011}", 12345, 0);
    Draft::new(dialect, "0400")
        .set(2, "9999991200000018")
        .set(3, "000000")
        .set(4, "000000001250")
        .set(7, "1123091505")
        .set(11, &number)
        .set(12, "091505")
        .set(13, "1123")
        .set(32, "12345")
        .set(37, &rrn)
        .set(41, "TERM0001")
        .set(42, "MERCHANT0000001")
        .set(49, "978")
        .set(90, &elements)
}
