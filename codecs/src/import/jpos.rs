//! Packager files of jPOS (`GenericPackager`): one element for each field, whose class says the
//! form. The names of these classes are the vocabulary that is read here; what they mean is public.

use std::collections::BTreeMap;

use super::draft::{Draft, Form};
use super::within::{Part, Within};
use super::{About, ImportError, Imported, MAX_FILE};

/// Reads a packager file.
///
/// # Errors
/// It is not one, or its message type or bitmap has a form that is not known. Fields of an unknown
/// form become undefined and are named in the remarks.
pub fn from_jpos(xml: &str, about: &About) -> Result<Imported, ImportError> {
    if xml.len() > MAX_FILE {
        return Err(ImportError::TooLong { found: xml.len() });
    }
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(xml, options)
        .map_err(|error| ImportError::Malformed(format!("not XML: {error}")))?;
    let root = document.root_element();
    if !root.has_tag_name("isopackager") {
        let found = root.tag_name().name();
        return Err(ImportError::Malformed(format!("<{found}> is no <isopackager>")));
    }
    let mut classes = BTreeMap::new();
    let (mut fields, mut within) = (BTreeMap::new(), BTreeMap::new());
    let mut remarks = Vec::new();
    for node in root.children().filter(roxmltree::Node::is_element) {
        let text = |name: &str| node.attribute(name).unwrap_or_default();
        let class = text("class").rsplit('.').next().unwrap_or_default().to_owned();
        let (Ok(number), Ok(length)) = (text("id").parse::<u8>(), text("length").parse::<u32>())
        else {
            remarks.push(format!("an element without number or length: {:?}", text("name")));
            continue;
        };
        classes.insert(number, (class.clone(), length));
        if number < 2 {
            continue;
        }
        match form(&class, length, text("pad") == "true") {
            Some(form) => {
                if node.has_tag_name("isofieldpackager") {
                    match parts(&node).filter(|_| form.is_bytes()) {
                        Some(parts) => {
                            within.insert(number, Within::by_place(parts));
                        }
                        None => remarks
                            .push(format!("field {number}: what is within it is not imported")),
                    }
                }
                fields.insert(number, (text("name").to_owned(), form));
            }
            None if matches!(class.as_str(), "IF_NOP" | "IF_UNUSED" | "IFA_UNUSED") => {}
            None => remarks.push(format!("field {number}: class {class} is not known")),
        }
    }
    let (mti, bitmap, bits) = head(&classes)?;
    fields.retain(|number, _| u16::from(*number) <= bits);
    if bits > 128 {
        // What announces the third bitmap is no field.
        fields.remove(&65);
    }
    within.retain(|number, _| fields.contains_key(number));
    Draft { mti, bitmap, bits, fields, within, remarks }.finish(about)
}

/// How message type and bitmap are written, and the bits of the latter.
fn head(
    classes: &BTreeMap<u8, (String, u32)>,
) -> Result<(&'static str, &'static str, u16), ImportError> {
    let class_of = |number| classes.get(&number).cloned().unwrap_or_default();
    let unknown = |what, field| {
        let found = class_of(field).0;
        ImportError::Head { what, field, found }
    };
    let mti = match class_of(0).0.split('_').next() {
        Some("IFA" | "IF") => "ascii",
        Some("IFB") => "bcd",
        Some("IFE") => "ebcdic",
        _ => return Err(unknown("the message type", 0)),
    };
    let bitmap = match class_of(1).0.as_str() {
        "IFA_BITMAP" => "hex",
        "IFB_BITMAP" => "binary",
        _ => return Err(unknown("the bitmap", 1)),
    };
    let bits = match class_of(1).1 {
        0..=8 => 64,
        9..=16 => 128,
        _ => 192,
    };
    Ok((mti, bitmap, bits))
}

/// What is within a field, where one thing follows the other in the order of their numbers and the
/// form of each is known.
fn parts(field: &roxmltree::Node<'_, '_>) -> Option<Vec<Part>> {
    let attribute = |name| field.attribute(name).unwrap_or_default();
    let packager = attribute("packager").rsplit('.').next();
    if packager != Some("GenericSubFieldPackager") || attribute("emitBitmap") == "true" {
        return None;
    }
    let (mut parts, mut before) = (Vec::new(), None);
    for node in field.children().filter(roxmltree::Node::is_element) {
        let text = |name: &str| node.attribute(name).unwrap_or_default();
        let number = text("id").parse::<u8>().ok().filter(|_| node.has_tag_name("isofield"))?;
        if before.is_some_and(|before| before >= number) {
            return None;
        }
        before = Some(number);
        let class = text("class").rsplit('.').next().unwrap_or_default();
        let form = form(class, text("length").parse().ok()?, text("pad") == "true")?;
        parts.push(Part { key: None, name: text("name").to_owned(), form });
    }
    (!parts.is_empty()).then_some(parts)
}

/// The form that a class stands for.
fn form(class: &str, length: u32, padded_left: bool) -> Option<Form> {
    let (family, rest) = class.split_once('_')?;
    let digits = rest.bytes().take_while(|byte| *byte == b'L').count();
    let rest = rest.get(digits..)?;
    let (binary_length, rest) = match rest.strip_prefix('H') {
        Some(rest) if digits > 1 && !rest.is_empty() => (true, rest),
        _ => (false, rest),
    };
    // Not a length but the beginning of a word.
    if digits == 1 && !matches!(rest, "NUM" | "CHAR" | "BINARY") {
        return None;
    }
    let (text, length_encoding) = match family {
        "IFA" | "IF" => ("ascii", "ascii"),
        "IFB" => ("ascii", "bcd"),
        "IFE" => ("ebcdic-037", "ebcdic"),
        _ => return None,
    };
    let (kind, encoding, max) = match (family, rest) {
        ("IFB", "NUM" | "NUMERIC" | "AMOUNT2003") => ("n", "bcd", length),
        (_, "NUM" | "NUMERIC") => ("n", text, length),
        ("IFB", "AMOUNT") => ("x+n", "bcd", length),
        (_, "AMOUNT") => ("x+n", text, length),
        (_, "CHAR") => ("ans", text, length),
        (_, "ECHAR") => ("ans", "ebcdic-037", length),
        ("IFA", "BINARY") if digits == 0 => ("b", "hex", length.checked_mul(2)?),
        ("IFA", "ABINARY") => ("b", "hex", length.checked_mul(2)?),
        (_, "BINARY") => ("b", "raw", length),
        _ => return None,
    };
    Some(Form {
        kind,
        digits: if binary_length { digits.checked_sub(1)? } else { digits },
        length_encoding: if binary_length { "binary" } else { length_encoding },
        encoding,
        max,
        pad: if padded_left { "left" } else { "right" },
        counts_bytes: false,
    })
}
