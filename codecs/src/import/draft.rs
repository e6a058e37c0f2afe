//! A dialect in the making: forms of fields by number, and the file that they come to. It owns what
//! is written; reading is the importers' affair.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::iso8583::{Dialect, Version};

use super::within::Within;
use super::{About, ImportError, Imported};

/// How one field is written, in the words of a dialect file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Form {
    pub(super) kind: &'static str,
    /// Digits (bytes) of the length in front; 0 where it is fixed.
    pub(super) digits: usize,
    pub(super) length_encoding: &'static str,
    pub(super) encoding: &'static str,
    pub(super) max: u32,
    /// Side on which odd packed digits are filled with a zero.
    pub(super) pad: &'static str,
    /// A length of a hexadecimal field counts bytes.
    pub(super) counts_bytes: bool,
}

/// The whole.
pub(super) struct Draft {
    pub(super) mti: &'static str,
    pub(super) bitmap: &'static str,
    pub(super) bits: u16,
    pub(super) fields: BTreeMap<u8, (String, Form)>,
    /// What is within them, as far as it is known.
    pub(super) within: BTreeMap<u8, Within>,
    pub(super) remarks: Vec<String>,
}

/// Fields that answers take over, where there are such.
const ANSWER_FIELDS: [u8; 24] =
    [2, 3, 4, 7, 11, 12, 13, 15, 18, 19, 22, 23, 24, 25, 32, 33, 37, 41, 42, 49, 56, 70, 90, 95];

/// The longest field that a message can have.
const LONGEST: u32 = 9_999;

impl Draft {
    /// Writes the file and compiles it.
    pub(super) fn finish(mut self, about: &About) -> Result<Imported, ImportError> {
        let mut fields = String::new();
        for (number, (name, form)) in &mut self.fields {
            if name.trim().is_empty() {
                *name = format!("field {number}");
            }
            fields.push_str(&line(*number, name, form));
        }
        let last = u8::try_from(self.bits).unwrap_or(u8::MAX);
        let undefined: Vec<String> = (2..=last)
            .filter(|number| !self.fields.contains_key(number))
            .map(|number| number.to_string())
            .collect();
        let digit = about.version.mti_digit();
        let mut answers = String::new();
        for kind in ["110", "410", "810"] {
            let echoed: Vec<String> = ANSWER_FIELDS
                .into_iter()
                .filter(|field| self.fields.contains_key(field))
                .map(|field| field.to_string())
                .collect();
            let _ = writeln!(answers, "\"{digit}{kind}\" = [{}]", echoed.join(", "));
        }
        let text_field =
            self.fields.get(&44).filter(|(_, form)| form.kind == "ans" && form.max >= 25);
        let error_text = match text_field {
            Some(_) => "format_error_text_field = 44\n",
            None => "",
        };
        let (name, version) = (toml::Value::from(about.name.as_str()), about.version.as_str());
        let (mti, bitmap, bits) = (self.mti, self.bitmap, self.bits);
        let head = format!(
            "# Imported. Look through [answers], and certify against your peer's specification.\n\n\
             name = {name}\nversion = \"{version}\"\nmti = \"{mti}\"\nbitmap = \"{bitmap}\"\n\
             bitmap_bits = {bits}\nlength = \"{mti}\"\nundefined = [{}]\n{error_text}\n\
             [answers]\n{answers}\n[fields]\n{fields}",
            undefined.join(", ")
        );
        let tables: String = self.within.iter().map(|(number, one)| one.table(*number)).collect();
        let mut toml = head.clone() + &tables;
        if let Err(error) = Dialect::from_toml(&toml) {
            // Where the fields by themselves are no dialect either, they are what is wrong.
            Dialect::from_toml(&head).map_err(|error| ImportError::Unfit(error.to_string()))?;
            self.remarks.push(format!("nothing within fields is imported: {error}"));
            toml = head;
        }
        if about.version != Version::V1987 {
            let remark = "fields 12, 22, 24 and 56 are read as this edition has them";
            self.remarks.push(remark.into());
        }
        Ok(Imported { toml, remarks: self.remarks })
    }
}

fn line(number: u8, name: &str, form: &Form) -> String {
    format!("{number} = {{ {} }}\n", entry(name, form))
}

/// The members of a field or sub-element.
pub(super) fn entry(name: &str, form: &Form) -> String {
    let length = match form.digits {
        0 => "fixed".to_owned(),
        digits => "l".repeat(digits),
    };
    let mut out = format!(
        "name = {}, type = \"{}\", length = \"{length}\"",
        toml::Value::from(name.trim()),
        form.kind
    );
    if form.digits > 0 {
        let _ = write!(out, ", length_encoding = \"{}\"", form.length_encoding);
    }
    let _ = write!(out, ", max = {}, encoding = \"{}\"", form.max.min(LONGEST), form.encoding);
    if form.counts_bytes {
        out.push_str(", counts = \"bytes\"");
    }
    let can_be_odd = form.digits > 0 || form.packed_digits() % 2 == 1;
    if form.encoding == "bcd" && can_be_odd {
        let _ = write!(out, ", pad = \"{}\", nibble = \"0\"", form.pad);
    }
    out
}

impl Form {
    /// Whether its content is bytes as they are on the wire, in which sub-elements can be read.
    pub(super) fn is_bytes(&self) -> bool {
        !matches!(self.encoding, "bcd" | "hex")
    }

    fn packed_digits(&self) -> u32 {
        match self.kind {
            "x+n" => self.max.saturating_sub(1),
            _ => self.max,
        }
    }
}
