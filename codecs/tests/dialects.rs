//! The dialect files: the shipped ones say what the standard's field table says, and a wrong one is
//! refused with its line and field.

use codecs::iso8583::{Dialect, FieldSet, Mti, Version};

#[test]
fn every_shipped_dialect_compiles_and_is_complete() {
    for name in Dialect::shipped_names() {
        let text = Dialect::shipped_toml(name).unwrap();
        let dialect = Dialect::from_toml(text).unwrap();
        assert_eq!(dialect.name(), name);
        let first = dialect.version() == Version::V1987;
        // 65 would announce a third bitmap; the later editions have a field there.
        let all: FieldSet = (2..=128).filter(|field| !first || *field != 65).collect();
        if name != "base1-like" {
            assert_eq!(dialect.defined(), all, "{name}");
        }
        assert_eq!(dialect.field_name(4), "amount, transaction");
        let second = dialect.version() == Version::V1993;
        let text_field = dialect.format_error_text_field();
        assert_eq!(text_field.is_some(), first || second || name == "iso2003-binary", "{name}");
        let set_field = dialect.format_error_set_field();
        assert_eq!(set_field, (!first && !second).then_some(18), "{name}");
        let text_only = matches!(name, "iso87-ascii" | "iso93-ascii");
        assert_eq!(dialect.is_text(), text_only, "{name}");
    }
    assert!(Dialect::shipped("iso87-morse").is_none());
}

#[test]
fn answers_take_over_what_peers_match_by() {
    for name in Dialect::shipped_names() {
        let dialect = Dialect::shipped(name).unwrap();
        let digit = dialect.version().mti_digit();
        let answer = |kind| dialect.answer_fields(Mti::parse(&format!("{digit}{kind}")).unwrap());
        let echoed = |kind| answer(kind).unwrap();
        for field in [2, 3, 4, 7, 11, 32, 37, 41, 42] {
            for kind in ["110", "130", "210", "230", "410", "430"] {
                assert!(echoed(kind).contains(field), "{name} {kind} {field}");
            }
        }
        let (original, network) =
            if dialect.version() == Version::V1987 { (90, 70) } else { (56, 24) };
        assert!(echoed("410").contains(original), "{name}");
        assert!(echoed("430").contains(original), "{name}");
        for field in [7, 11, network] {
            assert!(echoed("810").contains(field), "{name} {field}");
        }
        assert_eq!(answer("510"), None);
    }
}

/// One edit of one line of a shipped file, and what is said of it. In the table `'` is `"`.
#[test]
fn a_wrong_file_is_refused_with_its_line_and_field() {
    #[rustfmt::skip]
    let table: &[(&str, &str, &str, Option<u8>, &str)] = &[
        // (line that begins so, replace, by, field, part of the problem)
        ("mti =", "bcd", "morse", None, "unknown variant `morse`"),
        ("version =", "1987", "2001", None, "unknown variant `2001`"),
        ("name =", "iso87-bcd", "", None, "name must be letters"),
        ("mti =", "mti", "colour", None, "unknown field `colour`"),
        ("undefined", "65", "65, 65", Some(65), "each once"),
        ("undefined", "65", "65, 1", Some(1), "from 2 to 128"),
        ("undefined", "65", "65, 4", Some(4), "but [fields] defines it"),
        ("4 =", "4 =", "3 =", Some(3), "duplicate key"),
        ("4 =", "4 =", "04 =", None, "'04' is not a field number"),
        ("128 =", "128 =", "129 =", None, "'129' is not a field number"),
        ("4 =", "max =", "size = 1, max =", Some(4), "unknown field `size`"),
        ("4 =", ", encoding = 'bcd'", "", Some(4), "missing field `encoding`"),
        ("4 =", "amount, transaction", " ", Some(4), "name is empty"),
        ("4 =", "12", "0", Some(4), "max = 0 is out of range, 1 to 999"),
        ("2 =", "19", "100", Some(2), "max = 100 is out of range, 1 to 99"),
        ("4 =", "12", "130", Some(4), "at most 128 digits"),
        ("4 =", "'bcd'", "'raw'", Some(4), "raw and hex are encodings of type b only"),
        ("4 =", "12", "11", Some(4), "needs pad"),
        ("4 =", "'bcd'", "'bcd', pad = 'left', nibble = '0'", Some(4), "never an odd digit"),
        ("35 =", "'f'", "'g'", Some(35), "one hexadecimal digit"),
        ("35 =", ", nibble = 'f'", "", Some(35), "must be given together"),
        ("43 =", "'ascii'", "'bcd'", Some(43), "bcd holds digits only"),
        ("43 =", "'ascii'", "'ascii', pad = 'left'", Some(43), "for encoding bcd only"),
        ("43 =", "max =", "length_encoding = 'bcd', max =", Some(43), "no meaning for a fixed"),
        ("55 =", "'raw'", "'hex'", Some(55), "must be even"),
        ("55 =", "'raw'", "'ascii'", Some(55), "type b must be encoded raw or hex"),
        ("97 =", "'fixed'", "'lll'", Some(97), "must be of fixed length"),
        ("'0810' =", "[7,", "[7, 7,", Some(7), "stands twice in the answer 0810"),
        ("'0810' =", "[7,", "[7, 65,", Some(65), "not defined"),
        ("'0810' =", "0810", "0800", None, "'0800' is not a response type of 1987"),
        ("'0810' =", "0810", "1810", None, "'1810' is not a response type of 1987"),
        ("format_error", "44", "39", Some(39), "type ans"),
        ("mti =", "bcd", "binary", None, "mti must be ascii, ebcdic or bcd"),
        ("bitmap =", "binary'", "binary'\nbitmap_bits = 96", None, "must be 64, 128 or 192"),
        ("undefined", "65", "'65-'", None, "field numbers and ranges"),
        ("undefined", "65", "'65-70'", Some(66), "but [fields] defines it"),
        ("43 =", "'ascii'", "'ascii', counts = 'bytes'", Some(43), "for bcd and hex only"),
        ("97 =", "'bcd'", "'bcd', counts = 'bytes'", Some(97), "cannot count bytes"),
        ("35 =", "'f'", "'0', counts = 'bytes'", Some(35), "cannot be counted in bytes"),
        ("sensitive", "[126]", "[65]", Some(65), "not defined"),
    ];
    let base = Dialect::shipped_toml("iso87-bcd").unwrap();
    for (begins, replace, by, field, problem) in table {
        let [begins, replace, by] = [begins, replace, by].map(|text| text.replace('\'', "\""));
        let at = base.lines().position(|line| line.starts_with(&begins)).expect(&begins);
        let mut lines: Vec<String> = base.lines().map(String::from).collect();
        assert!(lines[at].contains(&replace), "{begins} {replace}");
        lines[at] = lines[at].replacen(&replace, &by, 1);
        let error = Dialect::from_toml(&lines.join("\n")).expect_err(problem);
        let shown = error.to_string();
        assert!(shown.contains(problem), "{by}: {shown}");
        assert_eq!(error.field(), *field, "{by}: {shown}");
        assert_eq!(error.line(), at + 1 + by.matches('\n').count(), "{by}: {shown}");
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

#[test]
fn as_many_fields_as_the_bitmaps_announce_are_asked_for() {
    let base = Dialect::shipped_toml("iso87-bcd").unwrap();
    let with = |line: &str| base.replace("bitmap = \"binary\"", line);
    let one = with("bitmap = \"binary\"\nbitmap_bits = 64");
    let error = Dialect::from_toml(&one).unwrap_err().to_string();
    assert!(error.contains("is not a field number from 2 to 64"), "{error}");
    let three = with("bitmap = \"binary\"\nbitmap_bits = 192");
    let error = Dialect::from_toml(&three).unwrap_err();
    assert_eq!(error.field(), Some(129), "{error}");
    let whole = three.replace("undefined = [65]", "undefined = [65, \"129-192\"]");
    assert_eq!(Dialect::from_toml(&whole).unwrap().bitmaps().most, 3);
}
