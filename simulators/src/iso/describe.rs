//! A message for people to read. Must mask card numbers to first six and last four, and show
//! nothing of tracks, PIN blocks and chip data but their length.

use std::fmt::Write as _;

use super::field_table::shape;
use super::message::Message;

/// First six and last four digits, stars between; all stars when too short for that.
#[must_use]
pub fn mask_pan(pan: &str) -> String {
    let count = pan.chars().count();
    pan.chars()
        .enumerate()
        .map(|(i, c)| if count >= 13 && (i < 6 || i + 4 >= count) { c } else { '*' })
        .collect()
}

/// Minor units with two decimals: 1250 is `12.50`.
#[must_use]
pub fn amount(minor: u64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

impl Message {
    /// One line a field: number, name, content (masked), after a line with the message type.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut out = format!("{}\n", self.mti());
        for (field, name, content) in self.described() {
            let _ = writeln!(out, "  {field:>3}  {name:<44} {content}");
        }
        out
    }

    /// Number, name and content (masked) of each field.
    pub fn described(&self) -> impl Iterator<Item = (u8, &'static str, String)> + '_ {
        self.fields.iter().map(|(field, value)| {
            let name = shape(*field).map_or("", |shape| shape.name);
            (*field, name, shown(*field, value))
        })
    }
}

fn shown(field: u8, value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    match field {
        2 => mask_pan(&text),
        35 => {
            let pan = text.split(['=', 'D']).next().unwrap_or_default();
            format!("{} and the rest of {} characters", mask_pan(pan), value.len())
        }
        52 | 55 => format!("({} bytes)", value.len()),
        4 => format!("{text} ({})", amount(text.parse().unwrap_or(0))),
        _ => text.into_owned(),
    }
}
