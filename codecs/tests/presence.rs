//! Presence rules: what a request must have, in every shipped dialect, and what a file may not say
//! of it.

use codecs::iso8583::{Dialect, FieldSet, Mti, Version};

fn set(fields: &[u8]) -> FieldSet {
    fields.iter().copied().collect()
}

fn mti(dialect: &Dialect, kind: &str) -> Mti {
    Mti::parse(&format!("{}{kind}", dialect.version().mti_digit())).unwrap()
}

#[test]
fn every_shipped_dialect_has_rules_for_what_the_switch_answers() {
    for name in Dialect::shipped_names() {
        let dialect = Dialect::shipped(name).unwrap();
        let mandatory = |kind| dialect.mandatory_fields(mti(&dialect, kind)).unwrap();
        for kind in [
            "100", "101", "120", "121", "200", "201", "220", "221", "400", "401", "420", "421",
            "800",
        ] {
            assert!(mandatory(kind).contains(11), "{name} {kind}");
        }
        for field in [3, 4] {
            assert!(mandatory("100").contains(field) && mandatory("400").contains(field), "{name}");
        }
        assert_eq!(mandatory("100").contains(49), dialect.version() != Version::V2003, "{name}");
        assert_eq!(dialect.mandatory_fields(mti(&dialect, "500")), None);
        assert_eq!(dialect.missing_field(mti(&dialect, "500"), FieldSet::EMPTY), None);

        // All that is mandatory, and one field after the other taken out.
        assert!(mandatory("120").contains(39), "{name}: what was decided");
        assert!(!mandatory("220").contains(39), "{name}: it tells what was done");
        let on_files = if dialect.version() == Version::V1987 { "302" } else { "304" };
        for kind in ["100", "120", "200", "220", "400", "420", "800", on_files] {
            let original = if dialect.version() == Version::V1987 { 90 } else { 56 };
            let whole = mandatory(kind).union(set(&[2, 12, 13, original]));
            let missing = |present| dialect.missing_field(mti(&dialect, kind), present);
            assert_eq!(missing(whole), None, "{name} {kind}");
            for field in mandatory(kind) {
                assert_eq!(missing(whole.without(set(&[field]))), Some(field), "{name} {kind}");
            }
        }
        // By number or by track.
        let request = mandatory("100");
        let missing = |present| dialect.missing_field(mti(&dialect, "101"), present);
        assert_eq!(missing(request), Some(2), "{name}");
        assert_eq!(missing(request.union(set(&[35]))), None, "{name}");
    }
}

#[test]
fn conditions_hold_when_and_unless() {
    let base = Dialect::shipped_toml("iso87-bcd").unwrap();
    let (before, behind) = base.split_once("[requests]").unwrap();
    let behind = behind.split_once("[fields]").unwrap().1;
    let rule = "\"0100\" = { mandatory = [11], conditional = [\
                { fields = [53, 96], when = [52, 55] }, \
                { fields = [41], when = [42], unless = [43] }, \
                { fields = [2, 14], unless = [35, 45] }] }";
    let dialect = format!("{before}[requests]\n{rule}\n[fields]{behind}");
    let dialect = Dialect::from_toml(&dialect).unwrap();
    let rows: [(&[u8], Option<u8>); 10] = [
        (&[], Some(2)),
        (&[2], Some(11)),
        (&[2, 11], Some(14)),
        (&[2, 11, 14], None),
        (&[11, 45], None),
        (&[11, 35, 52], Some(53)),
        (&[11, 35, 53, 55], Some(96)),
        (&[11, 35, 53, 55, 96], None),
        (&[11, 35, 42], Some(41)),
        (&[11, 35, 42, 43], None),
    ];
    for (present, expected) in rows {
        let missing = dialect.missing_field(Mti::AUTHORIZATION_REQUEST, set(present));
        assert_eq!(missing, expected, "{present:?}");
    }
    assert_eq!(dialect.missing_field(Mti::REVERSAL_REQUEST, FieldSet::EMPTY), None);
}

#[test]
fn a_wrong_rule_is_refused_with_its_line_and_field() {
    let base = Dialect::shipped_toml("iso87-bcd").unwrap();
    let line = base.lines().position(|line| line.starts_with("\"0800\" = {")).unwrap() + 1;
    let rows = [
        ("\"0810\" = { mandatory = [11] }", None, "is not a request type of 1987"),
        ("\"0801\" = { mandatory = [11] }", None, "follow the rule of their original"),
        ("\"1800\" = { mandatory = [11] }", None, "is not a request type of 1987"),
        ("\"0500\" = { mandatory = [11] }", None, "[answers] has none for 0510"),
        ("\"0800\" = { mandatory = [65] }", Some(65), "not defined in this dialect"),
        ("\"0800\" = { mandatory = [11, 11] }", Some(11), "stands twice"),
        ("\"0800\" = { mandatory = [11], optional = [7] }", None, "unknown field `optional`"),
        (
            "\"0800\" = { mandatory = [11], conditional = [{ fields = [7] }] }",
            None,
            "needs fields, and when or unless",
        ),
        (
            "\"0800\" = { mandatory = [11], conditional = [{ fields = [], when = [7] }] }",
            None,
            "needs fields, and when or unless",
        ),
        (
            "\"0800\" = { mandatory = [11], conditional = [{ fields = [11], when = [7] }] }",
            Some(11),
            "mandatory or the condition itself",
        ),
        (
            "\"0800\" = { mandatory = [11], conditional = [{ fields = [7], unless = [7] }] }",
            Some(7),
            "mandatory or the condition itself",
        ),
        (
            "\"0800\" = { mandatory = [11], conditional = [{ fields = [7], when = [65] }] }",
            Some(65),
            "not defined in this dialect",
        ),
    ];
    for (rule, field, problem) in rows {
        let mut lines: Vec<&str> = base.lines().collect();
        lines[line - 1] = rule;
        let error = Dialect::from_toml(&lines.join("\n")).unwrap_err();
        assert_eq!((error.line(), error.field()), (line, field), "{error}");
        assert!(error.to_string().contains(problem), "{error}");
    }
}
