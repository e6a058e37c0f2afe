//! A message for people: which bytes are what. Must show nothing of a sensitive field but its
//! length, and of a card number its first six and last four digits.

use std::fmt::Write as _;

use crate::emv::{self, Tlv, TlvList};

use super::dialect::Dialect;
use super::element::Element;
use super::fields::Fields;
use super::message::Message;
use super::spec::{Encoding, FieldType};

const PAN: u8 = 2;
const CHIP: u8 = 55;
/// Bytes of a field that are shown; longer ones end in `...`.
const SHOWN: usize = 24;

/// One thing that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// `mti`, `bitmap`, a field number, or of what is within a field its path: `55.9F02`.
    pub path: String,
    /// What it is called.
    pub name: String,
    /// Offset of its first byte in the message, its length included.
    pub offset: usize,
    /// How many bytes it takes.
    pub bytes: usize,
    /// The bytes in hexadecimal; stars where they are sensitive.
    pub raw: String,
    /// What they say; masked where sensitive.
    pub value: String,
}

/// Describes a message, decoded into `fields` whether wholly or up to a fault.
#[must_use]
pub fn describe(dialect: &Dialect, bytes: &[u8], fields: &Fields) -> Vec<Line> {
    let message = dialect.view(bytes, fields);
    let mut lines = Vec::new();
    let head = fields.first_offset().unwrap_or(bytes.len());
    if let Some(mti) = message.mti() {
        let end = dialect.mti_bytes();
        let value = mti.to_string();
        lines.push(line("mti", dialect.field_name(0), 0, bytes.get(..end), value));
        let announced: Vec<String> =
            fields.announced().iter().map(|field| field.to_string()).collect();
        if !announced.is_empty() && head > end {
            let found = bytes.get(end..head);
            lines.push(line("bitmap", dialect.field_name(1), end, found, announced.join(" ")));
        }
    }
    for field in message.present() {
        describe_field(dialect, &message, fields, field, &mut lines);
    }
    lines
}

fn describe_field(
    dialect: &Dialect,
    message: &Message<'_>,
    fields: &Fields,
    field: u8,
    lines: &mut Vec<Line>,
) {
    let Some((offset, content)) = fields.place(field) else { return };
    let raw = message.raw(field).unwrap_or_default();
    let name = dialect.field_name(field);
    let spec = dialect.spec(field).filter(|spec| spec.kind == FieldType::Binary);
    if let (CHIP, Some(spec)) = (field, spec) {
        let value = format!("{} bytes", raw.len());
        lines.push(Line { raw: "*".into(), ..line("55", name, offset, Some(raw), value) });
        let mut room = vec![0; raw.len()];
        let unpacked = message.bytes(field, &mut room).unwrap_or_default();
        let scale = if spec.encoding == Encoding::Hex { 2 } else { 1 };
        match TlvList::parse(unpacked) {
            Ok(list) => list.iter().for_each(|tlv| describe_tlv(&tlv, "55", content, scale, lines)),
            Err(error) => lines.push(line("55", "not BER-TLV", offset, None, error.to_string())),
        }
        return;
    }
    let path = field.to_string();
    if let Some(elements) = message.elements(field) {
        let value = format!("{} bytes", raw.len());
        lines.push(Line { raw: "*".into(), ..line(&path, name, offset, Some(raw), value) });
        elements.iter().for_each(|one| describe_element(one, &path, content, lines));
        return;
    }
    if dialect.is_sensitive(field) {
        let value = match (field, message.text(field)) {
            (PAN, Ok(pan)) => mask_pan(&pan),
            (_, Ok(text)) => format!("{} characters", text.len()),
            _ => format!("{} bytes", raw.len()),
        };
        lines.push(Line { raw: "*".into(), ..line(&path, name, offset, Some(raw), value) });
        return;
    }
    let value = match message.text(field) {
        Ok(text) => format!("{:?}", &*text),
        Err(_) => hex(message.content(field).unwrap_or_default()),
    };
    lines.push(line(&path, name, offset, Some(raw), value));
}

fn describe_element(element: &Element<'_>, above: &str, base: usize, lines: &mut Vec<Line>) {
    let path = format!("{above}.{}", element.key);
    let name = element.name.as_deref().unwrap_or("not described");
    let offset = base.saturating_add(element.offset);
    let bytes = element.content.as_bytes();
    if element.sensitive {
        let value = format!("{} bytes", bytes.len());
        lines.push(Line { raw: "*".into(), ..line(&path, name, offset, Some(element.raw), value) });
        return;
    }
    let value = element.content.text().map_or_else(|| hex(bytes), |text| format!("{text:?}"));
    lines.push(line(&path, name, offset, Some(element.raw), value));
}

fn describe_tlv(tlv: &Tlv<'_>, above: &str, base: usize, scale: usize, lines: &mut Vec<Line>) {
    let path = format!("{above}.{}", tlv.tag);
    let name = emv::name(tlv.tag).unwrap_or("unknown tag");
    let offset = base.saturating_add(tlv.offset.saturating_mul(scale));
    if emv::is_sensitive(tlv.tag) {
        let value = format!("{} bytes", tlv.value.len());
        lines.push(Line { raw: "*".into(), ..line(&path, name, offset, Some(tlv.raw), value) });
        return;
    }
    lines.push(line(&path, name, offset, Some(tlv.raw), hex(tlv.value)));
    // Vendors put other things into constructed objects too: then its bytes are all there is.
    if let Ok(children) = tlv.children() {
        for child in children.iter() {
            describe_tlv(&child, &path, base, scale, lines);
        }
    }
}

fn line(path: &str, name: &str, offset: usize, raw: Option<&[u8]>, value: String) -> Line {
    let raw = raw.unwrap_or_default();
    let (path, name) = (path.to_owned(), name.to_owned());
    Line { path, name, offset, bytes: raw.len(), raw: hex(raw), value }
}

/// First six and last four digits.
fn mask_pan(pan: &str) -> String {
    let count = pan.chars().count();
    let kept = |index: usize| index < 6 || index.saturating_add(4) >= count;
    let masked = |(index, digit)| if count >= 13 && kept(index) { digit } else { '*' };
    pan.chars().enumerate().map(masked).collect()
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in bytes.iter().take(SHOWN) {
        let _ = write!(out, "{byte:02X}");
    }
    if bytes.len() > SHOWN {
        out.push_str("...");
    }
    out
}
