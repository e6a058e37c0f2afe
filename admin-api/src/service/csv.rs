//! Tables as CSV (RFC 4180), for programs of others: spreadsheets among them. It owns that a text
//! which a spreadsheet would take for a formula is none there, that what has a comma, a quote or an
//! end of line in it is quoted, and that numbers stay numbers. All CSV that leaves the platform
//! for people is written here.

/// A table that is being written.
#[derive(Clone, Debug, Default)]
pub struct Csv(String);

impl Csv {
    /// With these names of columns.
    #[must_use]
    pub fn with_columns(names: &[&str]) -> Self {
        let mut csv = Self::default();
        csv.line(names);
        csv
    }

    /// Adds a line.
    pub fn line<T: AsRef<str>>(&mut self, fields: &[T]) {
        for (number, field) in fields.iter().enumerate() {
            if number > 0 {
                self.0.push(',');
            }
            self.field(field.as_ref());
        }
        self.0.push_str("\r\n");
    }

    /// The whole of it.
    #[must_use]
    pub fn text(self) -> String {
        self.0
    }

    fn field(&mut self, text: &str) {
        let guard = if may_be_formula(text) { "'" } else { "" };
        let quoted = text.contains([',', '"', '\r', '\n', '\'', ';', '\t']) || !guard.is_empty();
        if !quoted {
            self.0.push_str(text);
            return;
        }
        self.0.push('"');
        self.0.push_str(guard);
        self.0.push_str(&text.replace('"', "\"\""));
        self.0.push('"');
    }
}

/// Signs at which spreadsheets begin to compute, in both widths.
const BEGINS: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Whether a spreadsheet might compute it: told by the first sign, blanks before it left aside.
fn may_be_formula(text: &str) -> bool {
    let begins = text.trim_start_matches([' ', '\u{a0}', '\u{feff}']);
    begins.starts_with(BEGINS) && !is_number(text)
}

/// An amount below zero is what it is, also with its currency behind it.
fn is_number(text: &str) -> bool {
    let currency = |code: &str| code.len() == 3 && code.bytes().all(|one| one.is_ascii_uppercase());
    let amount = text.rsplit_once(' ').filter(|(_, code)| currency(code));
    let text = amount.map_or(text, |(amount, _)| amount);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    all(whole) && all(rest)
}

#[cfg(test)]
mod tests {
    use super::Csv;

    #[test]
    fn a_field_is_a_text_or_a_number_and_never_a_formula() {
        for (field, written) in [
            ("Gold", "Gold"),
            ("-12.50", "-12.50"),
            ("-12.50 EUR", "-12.50 EUR"),
            ("-12.50 eur", "\"'-12.50 eur\""),
            ("-A1 EUR", "\"'-A1 EUR\""),
            ("0.30", "0.30"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("=1+1", "\"'=1+1\""),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            ("+1", "\"'+1\""),
            ("-1+cmd|' /C calc'!A0", "\"'-1+cmd|' /C calc'!A0\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("  =1", "\"'  =1\""),
            ("\t=1", "\"'\t=1\""),
            ("\u{ff1d}1", "\"'\u{ff1d}1\""),
            ("-", "\"'-\""),
            ("-1.", "\"'-1.\""),
        ] {
            let mut csv = Csv::default();
            csv.line(&[field, "end"]);
            assert_eq!(csv.text(), format!("{written},end\r\n"), "{field:?}");
        }
    }
}
