//! Where a dialect has a card's printed code, what is said of its PIN block and to its chip: what
//! the shipped ones say, what is read of a message, and which tables are refused.

use bytes::BytesMut;
use codecs::iso8583::{CardCodeForm, Dialect, Encoder, Fields, Mti, PinFormatSaid};

/// A message of this dialect with these fields.
fn message(dialect: &Dialect, texts: &[(u8, &str)], bytes: &[(u8, Vec<u8>)]) -> BytesMut {
    let mti = Mti::from_digits([dialect.version().mti_digit(), 1, 0, 0]).unwrap();
    let mut encoder = Encoder::new();
    let mut message = encoder.start(dialect, mti);
    message.text(11, "42").unwrap();
    for (field, text) in texts {
        message.text(*field, text).unwrap();
    }
    for (field, content) in bytes {
        message.bytes(*field, content).unwrap();
    }
    let mut out = BytesMut::new();
    message.finish(&mut out).unwrap();
    out
}

fn code(dialect: &Dialect, texts: &[(u8, &str)], bytes: &[(u8, Vec<u8>)]) -> Option<String> {
    let wire = message(dialect, texts, bytes);
    let mut fields = Fields::new();
    dialect.decode(&wire, &mut fields).unwrap();
    let mut room = [0; CardCodeForm::LONGEST];
    let found = dialect.view(&wire, &fields).card_code(&mut room)?;
    Some(String::from_utf8_lossy(found).into_owned())
}

fn unhex(digits: &str) -> Vec<u8> {
    hex::decode(digits.replace(' ', "")).unwrap()
}

#[test]
fn every_shipped_dialect_has_a_place_for_the_code_and_shows_it_to_nobody() {
    for name in Dialect::shipped_names() {
        let dialect = Dialect::shipped(name).unwrap();
        let read = match name {
            "mip-like" => code(&dialect, &[(48, "R9203737")], &[]),
            "cmf-like" => code(&dialect, &[], &[(49, unhex("4000000000000000 0737"))]),
            "base1-like" => code(&dialect, &[], &[(126, unhex("0040000000000000 f1f1 40 f7f3f7"))]),
            "iso2003-binary" => code(&dialect, &[], &[(126, b"737".to_vec())]),
            _ => code(&dialect, &[(126, "737")], &[]),
        };
        assert_eq!(read.as_deref(), Some("737"), "{name}");
        assert_eq!(code(&dialect, &[], &[]), None, "{name}");
        let form = dialect.card_code_form().unwrap();
        assert!(dialect.is_sensitive(form.at.field), "{name}");
    }
}

#[test]
fn a_code_of_four_digits_is_read_and_what_is_none_is_not() {
    let dialect = Dialect::shipped("iso87-bcd").unwrap();
    for (text, wanted) in [("1234", Some("1234")), ("737 ", Some("737")), ("    ", None)] {
        assert_eq!(code(&dialect, &[(126, text)], &[]).as_deref(), wanted, "{text}");
    }
    assert_eq!(code(&dialect, &[(126, "12345")], &[]), None);
    let dialect = Dialect::shipped("base1-like").unwrap();
    // Another of the private-use fields, and a place that is only spaces.
    assert_eq!(code(&dialect, &[], &[(126, unhex("0800000000000000 f1f2f3f4f5f6"))]), None);
    assert_eq!(code(&dialect, &[], &[(126, unhex("0040000000000000 f0f1 40404040"))]), None);
}

#[test]
fn what_is_said_of_a_pin_block_is_read_where_the_network_says_it() {
    let control = |name: &str, text: &str| {
        let dialect = Dialect::shipped(name).unwrap();
        let wire = message(&dialect, &[(53, text)], &[]);
        let mut fields = Fields::new();
        dialect.decode(&wire, &mut fields).unwrap();
        let message = dialect.view(&wire, &fields);
        (message.pin_format(), message.pin_key_index())
    };
    let format = PinFormatSaid::Format;
    assert_eq!(control("base1-like", "2001010200000000"), (format(0), Some(2)));
    assert_eq!(control("base1-like", "2001470100000000"), (PinFormatSaid::Unknown, Some(1)));
    assert_eq!(control("mip-like", "9701010012000000"), (format(0), Some(12)));
    for name in ["iso87-ascii", "iso87-bcd", "iso87-ebcdic-037", "iso87-ebcdic-1047"] {
        assert_eq!(control(name, "2001010200000000"), (PinFormatSaid::Nothing, None), "{name}");
    }
    let dialect = Dialect::shipped("base1-like").unwrap();
    let wire = message(&dialect, &[], &[]);
    let mut fields = Fields::new();
    dialect.decode(&wire, &mut fields).unwrap();
    let without = dialect.view(&wire, &fields);
    assert_eq!((without.pin_format(), without.pin_key_index()), (PinFormatSaid::Unknown, None));
}

#[test]
fn what_an_answer_says_to_the_chip_is_the_dialects_affair() {
    for name in Dialect::shipped_names() {
        let dialect = Dialect::shipped(name).unwrap();
        assert!(dialect.chip_answer_form().response_code, "{name}");
    }
    let text = with_table("[chip_answer]\nresponse_code = false\n");
    let form = Dialect::from_toml(&text).unwrap().chip_answer_form();
    assert!(!form.response_code && form.script.tag() == 0x72);
    let text = text.replace("= false\n", "= false\nscript = 71\n");
    assert_eq!(Dialect::from_toml(&text).unwrap().chip_answer_form().script.tag(), 0x71);
    let new_pin = |name| Dialect::shipped(name).unwrap().pin_block_form().new_field;
    assert_eq!((new_pin("mip-like"), new_pin("iso87-bcd")), (Some(125), None));
}

/// `iso87-bcd` with a table more, in place of one that it has by that name.
fn with_table(table: &str) -> String {
    let base = Dialect::shipped_toml("iso87-bcd").unwrap();
    let base = base.replace("[card_code]\nat = { field = 126 }\n", "");
    base.replace("[requests]", &format!("{table}\n[requests]"))
}

#[test]
fn what_no_message_could_say_is_refused_with_its_line() {
    let code = |place: &str| format!("[card_code]\nat = {{ {place} }}\n");
    let pin = |keys: &str| format!("[pin_block]\n{keys}\n");
    let at = "format_at = { field = 53, first = 5, length = 2 }";
    let rows = [
        (code("field = 65"), 1, Some(65), "not defined"),
        (code("field = 63"), 1, Some(63), "listed as sensitive"),
        (code("field = 35"), 1, Some(35), "none that"),
        (code("field = 126, part = \"10\""), 1, Some(126), "no sub-element '10'"),
        (code("field = 126, length = 5"), 1, Some(126), "3 or 4 digits"),
        (code("field = 126, first = 998"), 1, Some(126), "3 or 4 digits"),
        (pin(at), 0, Some(53), "go together"),
        (pin("formats = { \"01\" = 0 }"), 0, None, "go together"),
        (pin(&format!("{at}\nformats = {{ \"01\" = 5 }}")), 2, Some(53), "formats 0 to 4"),
        (pin(&format!("{at}\nformats = {{ \"001\" = 0 }}")), 2, Some(53), "as long as"),
        (pin("key_at = { field = 53, first = 17 }"), 1, Some(53), "from there on"),
        (pin("key = 1"), 1, None, "unknown field `key`"),
        (pin("new_field = 126"), 1, Some(126), "a field of its own of type b"),
        (pin("new_field = 52"), 1, Some(52), "a field of its own of type b"),
        (pin("new_field = 65"), 1, Some(65), "listed as sensitive"),
        ("[chip_answer]\nresponse_code = true\nscript = 73\n".into(), 2, Some(55), "71 or 72"),
    ];
    for (table, line, field, problem) in rows {
        let text = with_table(&table);
        let head = table.lines().next().unwrap();
        let first = text.lines().position(|line| line == head).unwrap();
        let error = Dialect::from_toml(&text).unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains(problem), "{table}: {shown}");
        assert_eq!((error.line(), error.field()), (first + 1 + line, field), "{table}: {shown}");
    }
    let good = pin(&format!("{at}\nformats = {{ \"01\" = 0, \"48\" = 4 }}"));
    let form = Dialect::from_toml(&with_table(&good)).unwrap();
    assert_eq!(form.pin_block_form().formats, [("01".into(), 0), ("48".into(), 4)]);
}
