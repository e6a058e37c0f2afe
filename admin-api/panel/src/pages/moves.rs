//! How a verification went, of a customer or a corporation: who moved it from where to where.

use serde::Deserialize;

use crate::page::{Cell, Table};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Move {
    at: String,
    from: String,
    to: String,
    by_name: String,
    note: String,
}

/// All of them, the oldest first.
pub(super) fn table(heading: &str, moves: &[Move]) -> Table {
    let row = |one: &Move| {
        vec![
            Cell::moment(&one.at),
            Cell::state(&one.from),
            Cell::state(&one.to),
            Cell::text(one.by_name.as_str()),
            Cell::text(one.note.as_str()),
        ]
    };
    Table {
        heading: heading.to_owned(),
        columns: &["When", "From", "To", "By", "Note"],
        rows: moves.iter().map(row).collect(),
        empty: "Nothing was decided yet.",
        next: None,
        csv: None,
    }
}
