//! CSV (RFC 4180), for spreadsheets. It owns that what is in a cell is text there: a cell that a
//! spreadsheet would take for a formula has an apostrophe in front.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// A file of rows.
pub(crate) struct Csv(String);

impl Csv {
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut csv = Self(String::new());
        csv.row(columns.iter().copied());
        csv
    }

    pub(crate) fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        for (number, cell) in cells.into_iter().enumerate() {
            if number > 0 {
                self.0.push(',');
            }
            self.cell(cell);
        }
        self.0.push_str("\r\n");
    }

    fn cell(&mut self, text: &str) {
        // An amount below zero is a number and no formula.
        let number = text
            .strip_prefix('-')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let number = number && text.chars().all(|c| c.is_ascii_alphanumeric() || "-. ".contains(c));
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !number;
        let guard = if formula { "'" } else { "" };
        if formula || text.contains([',', '"', '\r', '\n']) {
            self.0.push('"');
            self.0.push_str(guard);
            self.0.push_str(&text.replace('"', "\"\""));
            self.0.push('"');
        } else {
            self.0.push_str(text);
        }
    }

    /// To be kept under a name.
    pub(crate) fn into_file(self, name: &str) -> Response {
        let name = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\""));
        let name = name.unwrap_or(HeaderValue::from_static("attachment"));
        let form = HeaderValue::from_static("text/csv; charset=utf-8");
        ([(header::CONTENT_TYPE, form), (header::CONTENT_DISPOSITION, name)], self.0)
            .into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_cell_is_text_there() {
        let mut csv = Csv::new(&["name", "amount"]);
        csv.row(["=1+2", "-12.50 EUR"]);
        csv.row(["Ada, \"Countess\"", "3"]);
        csv.row(["-2+3", "@x"]);
        csv.row(["a\nb", "\tx"]);
        let wanted = "name,amount\r\n\"'=1+2\",-12.50 EUR\r\n\"Ada, \"\"Countess\"\"\",3\r\n\
                      \"'-2+3\",\"'@x\"\r\n\"a\nb\",\"'\tx\"\r\n";
        assert_eq!(csv.0, wanted);
    }
}
