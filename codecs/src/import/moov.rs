//! Specifications of moov's `iso8583` in JSON: one object for each field, with its type, encoding
//! and prefix. The words of these files are the vocabulary that is read here.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::draft::{Draft, Form};
use super::within::{Found, Part, Within};
use super::{About, ImportError, Imported, MAX_FILE};

/// Characters of a tag at most, as in a dialect file.
const MAX_TAG: usize = 8;

#[derive(Deserialize)]
struct File {
    fields: BTreeMap<String, Field>,
}

#[derive(Deserialize)]
struct Field {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    length: u32,
    #[serde(default)]
    description: String,
    #[serde(default)]
    enc: String,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    tag: Option<serde_json::Value>,
    #[serde(default)]
    bitmap: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    subfields: Option<BTreeMap<String, serde_json::Value>>,
}

/// How sub-elements are found.
#[derive(Deserialize)]
struct Tag {
    #[serde(default)]
    length: usize,
    #[serde(default)]
    enc: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    padding: Option<Padding>,
}

#[derive(Deserialize)]
struct Padding {
    #[serde(rename = "type")]
    side: String,
    pad: String,
}

/// Reads a specification.
///
/// # Errors
/// It is not one, or its message type or bitmap has a form that is not known. Fields of an unknown
/// form become undefined and are named in the remarks.
pub fn from_moov(json: &str, about: &About) -> Result<Imported, ImportError> {
    if json.len() > MAX_FILE {
        return Err(ImportError::TooLong { found: json.len() });
    }
    let file: File = serde_json::from_str(json)
        .map_err(|error| ImportError::Malformed(format!("not a specification: {error}")))?;
    let head = |what, field: u8| {
        let found = file.fields.get(&field.to_string());
        let found =
            found.map(|found| format!("{} {}", found.enc, found.prefix)).unwrap_or_default();
        ImportError::Head { what, field, found }
    };
    let mti = match file.fields.get("0").map(|field| field.enc.as_str()) {
        Some("ASCII") => "ascii",
        Some("BCD" | "LBCD") => "bcd",
        Some("EBCDIC" | "EBCDIC1047") => "ebcdic",
        _ => return Err(head("the message type", 0)),
    };
    let bitmap = match file.fields.get("1").map(|field| field.enc.as_str()) {
        Some("HexToASCII" | "BytesToASCIIHex" | "Hex") => "hex",
        Some("Binary") => "binary",
        _ => return Err(head("the bitmap", 1)),
    };
    let (mut fields, mut inner) = (BTreeMap::new(), BTreeMap::new());
    let mut remarks = Vec::new();
    for (key, field) in &file.fields {
        let Ok(number) = key.parse::<u8>() else {
            remarks.push(format!("{key:?} is no field number"));
            continue;
        };
        if number < 2 {
            continue;
        }
        match form(field) {
            Some(form) if number <= 192 => {
                if field.subfields.is_some() {
                    match within(field).filter(|_| form.is_bytes()) {
                        Some(one) => {
                            inner.insert(number, one);
                        }
                        None => remarks
                            .push(format!("field {number}: what is within it is not imported")),
                    }
                }
                fields.insert(number, (field.description.clone(), form));
            }
            _ => remarks.push(format!(
                "field {number}: {} {} {} is not known",
                field.kind, field.enc, field.prefix
            )),
        }
    }
    let bits = match fields.keys().next_back() {
        Some(129..) => 192,
        _ => 128,
    };
    if bits > 128 {
        // What announces the third bitmap is no field.
        fields.remove(&65);
    }
    inner.retain(|number, _| fields.contains_key(number));
    Draft { mti, bitmap, bits, fields, within: inner, remarks }.finish(about)
}

/// What is within a field, where that is said in words that are known here.
fn within(field: &Field) -> Option<Within> {
    let subfields = field.subfields.as_ref().filter(|all| !all.is_empty())?;
    let tag: Tag = serde_json::from_value(field.tag.clone()?).ok()?;
    if field.bitmap.is_some() || tag.length > MAX_TAG {
        return None;
    }
    if tag.enc == "BerTLVTag" {
        return Some(Within { found: Found::BerTlv, parts: Vec::new() });
    }
    let mut parts = Vec::new();
    for (key, value) in subfields {
        let one: Field = serde_json::from_value(value.clone()).ok()?;
        let form = form(&one).filter(|_| one.subfields.is_none())?;
        parts.push((key, Part { key: None, name: one.description, form }));
    }
    if tag.length == 0 {
        let mut by_number = BTreeMap::new();
        for (key, part) in parts {
            by_number.insert(key.parse::<u32>().ok()?, part);
        }
        let in_order = by_number.len() == subfields.len() && tag.sort == "StringsByInt";
        return in_order.then(|| Within::by_place(by_number.into_values().collect()));
    }
    let encoding = match tag.enc.as_str() {
        "ASCII" => "ascii",
        "EBCDIC" => "ebcdic",
        _ => return None,
    };
    let padded = tag.padding.is_some_and(|pad| pad.side == "Left" && pad.pad == "0");
    let mut keyed = Vec::new();
    for (key, part) in parts {
        let missing =
            tag.length.checked_sub(key.len()).filter(|missing| *missing == 0 || padded)?;
        let key = "0".repeat(missing) + key;
        keyed.push(Part { key: Some(key), ..part });
    }
    Within::by_tag(encoding, tag.length, keyed)
}

fn form(field: &Field) -> Option<Form> {
    let (written, form) = field.prefix.split_once('.')?;
    let digits = match form {
        "Fixed" => 0,
        _ if !form.is_empty() && form.len() <= 6 && form.bytes().all(|byte| byte == b'L') => {
            form.len()
        }
        _ => return None,
    };
    let length_encoding = match written {
        "ASCII" => "ascii",
        "BCD" => "bcd",
        "EBCDIC" | "EBCDIC1047" => "ebcdic",
        "Binary" => "binary",
        // A length in hexadecimal characters is not one of ours; a fixed one is none.
        "Hex" if digits == 0 => "ascii",
        _ => return None,
    };
    let encoding = match field.enc.as_str() {
        "ASCII" => "ascii",
        "EBCDIC" => "ebcdic-037",
        "EBCDIC1047" => "ebcdic-1047",
        "BCD" | "LBCD" => "bcd",
        "Binary" | "ASCIIToHex" | "ASCIIHexToBytes" => "raw",
        "HexToASCII" | "BytesToASCIIHex" => "hex",
        // What is within has encodings of its own.
        "" if field.subfields.is_some() && written == "ASCII" => "ascii",
        "" if field.subfields.is_some() => "raw",
        _ => return None,
    };
    let kind = match (encoding, field.kind.as_str()) {
        ("raw" | "hex", _) => "b",
        ("bcd", "Track2") => "z",
        ("bcd", _) | (_, "Numeric") => "n",
        (_, "Track2" | "Track3") => "z",
        (_, "String" | "Composite" | "Track1") => "ans",
        _ => return None,
    };
    Some(Form {
        kind,
        digits,
        length_encoding,
        encoding,
        max: field.length,
        pad: if field.enc == "LBCD" { "right" } else { "left" },
        counts_bytes: encoding == "hex",
    })
}
