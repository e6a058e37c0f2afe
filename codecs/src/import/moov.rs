//! Specifications of moov's `iso8583` in JSON: one object for each field, with its type, encoding
//! and prefix. The words of these files are the vocabulary that is read here.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::draft::{Draft, Form};
use super::{About, ImportError, Imported, MAX_FILE};

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
    subfields: Option<BTreeMap<String, serde::de::IgnoredAny>>,
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
    let mut fields = BTreeMap::new();
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
                fields.insert(number, (field.description.clone(), form));
                if field.subfields.is_some() {
                    remarks.push(format!("field {number}: what is within it is not imported"));
                }
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
    Draft { mti, bitmap, bits, fields, remarks }.finish(about)
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
