//! What is within a field of a dialect in the making: its sub-elements, and how they are found. It
//! owns what is written; reading is the importers' affair.

use std::fmt::Write as _;

use super::draft::{Form, entry};

/// How sub-elements are found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// One follows the other.
    ByPlace,
    /// By a tag of so many characters, behind which a length stands.
    ByTag {
        encoding: &'static str,
        tag_length: usize,
        digits: usize,
        length_encoding: &'static str,
    },
    /// As chip cards write them.
    BerTlv,
}

/// One sub-element.
pub(super) struct Part {
    /// Its tag; none where they follow by place.
    pub(super) key: Option<String>,
    pub(super) name: String,
    pub(super) form: Form,
}

/// All of a field.
pub(super) struct Within {
    pub(super) found: Found,
    pub(super) parts: Vec<Part>,
}

impl Within {
    /// Sub-elements that follow each other.
    pub(super) const fn by_place(parts: Vec<Part>) -> Self {
        Self { found: Found::ByPlace, parts }
    }

    /// Sub-elements by tag; none where their lengths are not all written alike.
    pub(super) fn by_tag(
        encoding: &'static str,
        tag_length: usize,
        parts: Vec<Part>,
    ) -> Option<Self> {
        let Form { digits, length_encoding, .. } = parts.first()?.form;
        let alike = |part: &Part| {
            let Form { digits: of_it, length_encoding: written, .. } = part.form;
            of_it == digits && written == length_encoding
        };
        let fits = digits > 0 && parts.iter().all(alike);
        let found = Found::ByTag { encoding, tag_length, digits, length_encoding };
        fits.then_some(Self { found, parts })
    }

    /// Its table in a dialect file.
    pub(super) fn table(&self, number: u8) -> String {
        let mut out = format!("\n[elements.{number}]\nform = ");
        let _ = match &self.found {
            Found::ByPlace => writeln!(out, "\"positional\""),
            Found::BerTlv => writeln!(out, "\"ber-tlv\""),
            Found::ByTag { encoding, tag_length, digits, length_encoding } => writeln!(
                out,
                "\"tagged\"\ntag = \"{encoding}\"\ntag_length = {tag_length}\nlength = \"{}\"\n\
                 length_encoding = \"{length_encoding}\"",
                "l".repeat(*digits)
            ),
        };
        out.push_str("parts = [\n");
        for (place, part) in (1..).zip(&self.parts) {
            let name = match part.name.trim() {
                "" => format!("sub-element {}", part.key.clone().unwrap_or(format!("{place}"))),
                name => name.to_owned(),
            };
            let key = part.key.as_ref().map(|key| format!("key = {}, ", toml::Value::from(&**key)));
            let _ =
                writeln!(out, "    {{ {}{} }},", key.unwrap_or_default(), entry(&name, &part.form));
        }
        out.push_str("]\n");
        out
    }
}
