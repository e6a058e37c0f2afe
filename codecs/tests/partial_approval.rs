//! Where a message says that its terminal can go on with a part of the amount, and where its
//! acquirer's fee stands, in the shipped dialects and in others.

use bytes::BytesMut;
use codecs::iso8583::{Dialect, Encoder, FeeForm, Fields, Mti, Version};

/// Whether a request with these fields is of a terminal that takes a part.
fn takes_part(dialect: &Dialect, texts: &[(u8, &str)]) -> bool {
    let mti = Mti::from_digits([dialect.version().mti_digit(), 1, 0, 0]).unwrap();
    let mut encoder = Encoder::new();
    let mut message = encoder.start(dialect, mti);
    message.text(11, "42").unwrap();
    for (field, text) in texts {
        message.text(*field, text).unwrap();
    }
    let mut out = BytesMut::new();
    message.finish(&mut out).unwrap();
    let mut fields = Fields::new();
    dialect.decode(&out, &mut fields).unwrap();
    dialect.view(&out, &fields).takes_part()
}

type Row = (&'static str, &'static [(u8, &'static str)], bool);

#[test]
fn a_terminal_says_it_where_its_dialect_has_it_and_says_nothing_otherwise() {
    let rows: [Row; 19] = [
        ("iso87-ascii", &[(63, "PARTIAL")], true),
        ("iso87-ascii", &[(63, "PARTIAL ")], false),
        ("iso87-ascii", &[(63, "PARTIALLY")], false),
        ("iso87-ascii", &[(63, "1")], false),
        ("iso87-ascii", &[(62, "PARTIAL")], false),
        ("iso93-binary", &[(63, "PARTIAL")], true),
        ("iso2003-binary", &[(63, "PARTIAL")], true),
        ("iso2003-binary", &[], false),
        ("base1-like", &[(60, "000000000001")], true),
        ("base1-like", &[(60, "000000000003")], true),
        ("base1-like", &[(60, "000000000000")], false),
        ("base1-like", &[(60, "111111111112")], false),
        ("base1-like", &[(60, "1111")], false),
        ("base1-like", &[], false),
        ("mip-like", &[(48, "R610510000")], true),
        ("mip-like", &[(48, "R2001S610510000")], true),
        ("mip-like", &[(48, "R610500000")], false),
        ("mip-like", &[(48, "R610501111")], false),
        ("mip-like", &[(48, "R2001S")], false),
    ];
    for (name, texts, expected) in rows {
        let dialect = Dialect::shipped(name).unwrap();
        assert_eq!(takes_part(&dialect, texts), expected, "{name} {texts:?}");
    }
}

#[test]
fn every_shipped_dialect_has_a_place_and_one_without_takes_none() {
    for name in Dialect::shipped_names() {
        let dialect = Dialect::shipped(name).unwrap();
        assert!(dialect.partial_terminal().is_some(), "{name}");
        assert!(!takes_part(&dialect, &[]), "{name}");
        let text = Dialect::shipped_toml(name).unwrap();
        let without: String = text
            .lines()
            .filter(|line| !line.starts_with("terminal = "))
            .map(|l| l.to_owned() + "\n")
            .collect();
        let dialect = Dialect::from_toml(&without).unwrap();
        assert!(dialect.partial_terminal().is_none(), "{name}");
        assert!(!takes_part(&dialect, &[(11, "42")]), "{name}");
    }
}

#[test]
fn a_fee_stands_where_the_edition_has_it_unless_the_dialect_says_otherwise() {
    for name in Dialect::shipped_names() {
        let dialect = Dialect::shipped(name).unwrap();
        let field = if dialect.version() == Version::V1987 { 28 } else { 46 };
        let within = matches!(name, "base1-like" | "mip-like");
        let wanted = FeeForm { field, kind: *b"00", within };
        assert_eq!(dialect.fee_form(), Some(wanted), "{name}");
    }
    let with = |base: &str, table: &str| {
        let base = Dialect::shipped_toml(base).unwrap();
        let text = base.replace("[requests]", &format!("[acquirer_fee]\n{table}\n[requests]"));
        Dialect::from_toml(&text).unwrap().fee_form()
    };
    assert_eq!(with("iso87-ascii", "field = 0"), None);
    let other = FeeForm { field: 29, kind: *b"00", within: true };
    assert_eq!(with("iso87-ascii", "field = 29\nwithin = true"), Some(other));
    let other = FeeForm { field: 46, kind: *b"07", within: false };
    assert_eq!(with("iso93-ascii", "type = \"07\""), Some(other));
}

#[test]
fn what_no_message_could_say_is_refused_with_its_line() {
    let rows = [
        (
            "iso87-bcd",
            "[partial_approval]\namount_type = \"58\"",
            0,
            54,
            "goes with original_amount = 54",
        ),
        (
            "iso87-bcd",
            "[partial_approval]\nterminal = { at = { field = 65 }, says = [\"1\"] }",
            1,
            65,
            "is not defined",
        ),
        (
            "iso87-bcd",
            "[partial_approval]\nterminal = { at = { field = 63, part = \"1\" }, says = [\"1\"] }",
            1,
            63,
            "no sub-element '1'",
        ),
        (
            "iso87-bcd",
            "[partial_approval]\nterminal = { at = { field = 63, length = 2 }, says = [\"1\"] }",
            1,
            63,
            "as long as that is",
        ),
        (
            "iso87-bcd",
            "[partial_approval]\nterminal = { at = { field = 63 }, says = [] }",
            1,
            63,
            "as long as that is",
        ),
        (
            "iso87-bcd",
            "[partial_approval]\nterminal = { at = { field = 35 }, says = [\"1\"] }",
            1,
            35,
            "stored and shown",
        ),
        ("iso87-bcd", "[acquirer_fee]\nfield = 46", 0, 46, "type x+n or, from 1993 on, in 46"),
        ("iso87-bcd", "[acquirer_fee]\nfield = 4", 0, 4, "type x+n or"),
        ("iso93-ascii", "[acquirer_fee]\nfield = 28", 0, 28, "type x+n or"),
        ("iso87-bcd", "[acquirer_fee]\ntype = \"00\"", 0, 28, "for field 46 alone"),
        ("iso93-ascii", "[acquirer_fee]\ntype = \"0\"", 0, 46, "two digits"),
    ];
    for (base, tables, line, field, problem) in rows {
        let base: String = {
            let shipped = Dialect::shipped_toml(base).unwrap();
            let start = shipped.find("[partial_approval]\n").unwrap();
            let end = shipped[start..].find("\n\n").unwrap() + start;
            [&shipped[..start], &shipped[end..]].concat()
        };
        let text = base.replace("[requests]", &format!("{tables}\n[requests]"));
        let head = tables.lines().next();
        let first = text.lines().position(|line| Some(line) == head).unwrap();
        let error = Dialect::from_toml(&text).unwrap_err();
        let shown = error.to_string();
        assert_eq!((error.line(), error.field()), (first + 1 + line, Some(field)), "{shown}");
        assert!(shown.contains(problem), "{tables}: {shown}");
    }
}
