//! The dialect files: the shipped ones say what the standard's field table says, and a wrong one is
//! refused with its line and field.

use codecs::iso8583::{Dialect, FieldSet, Mti};

#[test]
fn every_shipped_dialect_compiles_and_is_complete() {
    let all: FieldSet = (2..=128).filter(|field| *field != 65).collect();
    for name in Dialect::shipped_names() {
        let text = Dialect::shipped_toml(name).unwrap();
        let dialect = Dialect::from_toml(text).unwrap();
        assert_eq!(dialect.name(), name);
        assert_eq!(dialect.version().as_str(), "1987");
        assert_eq!(dialect.defined(), all, "{name}");
        assert_eq!(dialect.format_error_text_field(), Some(44));
        assert_eq!(dialect.field_name(4), "amount, transaction");
    }
    assert!(Dialect::shipped("iso87-morse").is_none());
}

#[test]
fn answers_take_over_what_peers_match_by() {
    for name in Dialect::shipped_names() {
        let dialect = Dialect::shipped(name).unwrap();
        let echoed = |mti| dialect.answer_fields(Mti::parse(mti).unwrap()).unwrap();
        for field in [2, 3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49] {
            assert!(echoed("0110").contains(field) && echoed("0410").contains(field), "{field}");
        }
        assert!(echoed("0410").contains(90));
        for field in [7, 11, 70] {
            assert!(echoed("0810").contains(field), "{field}");
        }
        assert_eq!(dialect.answer_fields(Mti::parse("0210").unwrap()), None);
    }
}

/// One edit of a shipped file, and the message it must give.
#[test]
fn a_wrong_file_is_refused_with_its_line_and_field() {
    let base = Dialect::shipped_toml("iso87-bcd").unwrap();
    let line_of = |text: &str, needle: &str| {
        1 + text.lines().position(|line| line.contains(needle)).expect(needle)
    };
    #[rustfmt::skip]
    let table: &[(&str, &str, Option<u8>, &str)] = &[
        // (replace, by, field, part of the problem)
        ("mti = \"bcd\"", "mti = \"morse\"", None, "unknown variant `morse`"),
        ("version = \"1987\"", "version = \"2001\"", None, "unknown variant `2001`"),
        ("name = \"iso87-bcd\"", "name = \"\"", None, "name must be letters"),
        ("undefined = [65]", "undefined = [65]\ncolour = 1", None, "unknown field `colour`"),
        ("undefined = [65]", "undefined = [65, 65]", Some(65), "each once"),
        ("undefined = [65]", "undefined = [65, 4]", Some(4), "but [fields] defines it"),
        ("\n4 = { name", "\n3 = { name", Some(3), "duplicate key"),
        ("\n4 = { name", "\n04 = { name", None, "'04' is not a field number"),
        ("\n128 = { name", "\n129 = { name", None, "'129' is not a field number"),
        ("\n4 = { name = \"amount, transaction\", type = \"n\"", "\n4 = { name = \"amount, transaction\", size = 1, type = \"n\"", Some(4), "unknown field `size`"),
        ("max = 12, encoding = \"bcd\" }\n5 =", "max = 0, encoding = \"bcd\" }\n5 =", Some(4), "max = 0 is out of range, 1 to 999"),
        ("type = \"n\", length = \"ll\", max = 19", "type = \"n\", length = \"ll\", max = 100", Some(2), "max = 100 is out of range, 1 to 99"),
        ("max = 12, encoding = \"bcd\" }\n5 =", "max = 130, encoding = \"bcd\" }\n5 =", Some(4), "at most 128 digits"),
        ("max = 12, encoding = \"bcd\" }\n5 =", "max = 12, encoding = \"raw\" }\n5 =", Some(4), "raw and hex are encodings of type b only"),
        ("max = 12, encoding = \"bcd\" }\n5 =", "max = 12 }\n5 =", Some(4), "missing field `encoding`"),
        ("max = 12, encoding = \"bcd\" }\n5 =", "max = 11, encoding = \"bcd\" }\n5 =", Some(4), "needs pad"),
        ("max = 12, encoding = \"bcd\" }\n5 =", "max = 12, encoding = \"bcd\", pad = \"left\", nibble = \"0\" }\n5 =", Some(4), "never an odd digit"),
        ("pad = \"right\", nibble = \"f\"", "pad = \"right\", nibble = \"g\"", Some(35), "one hexadecimal digit"),
        ("pad = \"right\", nibble = \"f\"", "pad = \"right\"", Some(35), "must be given together"),
        ("max = 40, encoding = \"ascii\"", "max = 40, encoding = \"bcd\"", Some(43), "bcd holds digits only"),
        ("max = 40, encoding = \"ascii\"", "max = 40, encoding = \"ascii\", pad = \"left\", nibble = \"0\"", Some(43), "for encoding bcd only"),
        ("max = 40, encoding = \"ascii\"", "max = 40, length_encoding = \"bcd\", encoding = \"ascii\"", Some(43), "no meaning for a fixed field"),
        ("max = 255, encoding = \"raw\"", "max = 255, encoding = \"hex\"", Some(55), "must be even"),
        ("max = 255, encoding = \"raw\"", "max = 255, encoding = \"ascii\"", Some(55), "type b must be encoded raw or hex"),
        ("length = \"fixed\", max = 17", "length = \"lll\", max = 17", Some(97), "must be of fixed length"),
        ("\"0810\" = [7, 11", "\"0810\" = [7, 7, 11", Some(7), "stands twice in the answer 0810"),
        ("\"0810\" = [7, 11", "\"0810\" = [7, 65, 11", Some(65), "not defined"),
        ("\"0810\" = [7, 11", "\"0800\" = [7, 11", None, "'0800' is not a response type of 1987"),
        ("\"0810\" = [7, 11", "\"1810\" = [7, 11", None, "'1810' is not a response type of 1987"),
        ("format_error_text_field = 44", "format_error_text_field = 39", Some(39), "type ans"),
        ("format_error_text_field = 44", "format_error_text_field = 44\nsensitive = [65]", Some(65), "not defined"),
    ];
    for (replace, by, field, problem) in table {
        assert_eq!(base.matches(replace).count(), 1, "{replace}");
        let text = base.replace(replace, by);
        let error = Dialect::from_toml(&text).expect_err(by);
        let shown = error.to_string();
        assert!(shown.contains(problem), "{by}: {shown}");
        assert_eq!(error.field(), *field, "{by}: {shown}");
        let inserted = by.trim().lines().last().unwrap();
        let near = line_of(&text, inserted);
        assert!(error.line().abs_diff(near) <= 1, "{by}: {shown}, expected near line {near}");
        assert!(shown.starts_with(&format!("line {}", error.line())), "{shown}");
    }
}

#[test]
fn a_forgotten_field_is_named() {
    let base = Dialect::shipped_toml("iso87-ascii").unwrap();
    let text: Vec<&str> = base.lines().filter(|line| !line.starts_with("77 =")).collect();
    let error = Dialect::from_toml(&text.join("\n")).unwrap_err();
    assert_eq!(error.field(), Some(77));
    assert!(error.to_string().contains("field 77: is missing"), "{error}");
}
