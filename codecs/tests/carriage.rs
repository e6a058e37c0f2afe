//! What editions put in different places, as a dialect file says it: action codes, the original of
//! a reversal, the amounts of a partial approval, balances, the lock of a file action, what an
//! increment is.

use bytes::BytesMut;
use codecs::iso8583::{
    AccountBalances, Dialect, EncodeFault, Encoder, Fields, IncrementalForm, LockForm, Mti,
    OriginalAmount, OriginalForm, PartOf, StatementEntry, Version, WireAmount,
};

const fn euros(minor: u64) -> WireAmount {
    WireAmount { currency: 978, exponent: 2, minor, negative: false }
}

fn with(base: &str, tables: &str) -> String {
    let mut base = Dialect::shipped_toml(base).unwrap().to_owned();
    // No table may stand there twice.
    for table in ["[partial_approval]\n", "[acquirer_fee]\n"] {
        if let Some(start) = base.find(table).filter(|_| tables.contains(table.trim_end())) {
            let end = base[start..].find("\n\n").unwrap() + start;
            base.replace_range(start..end, "");
        }
    }
    base.replace("[requests]", &format!("{tables}\n[requests]"))
}

/// Fields 4, 30 and 54 of an answer with these amounts; "" where one is absent.
fn written(
    dialect: &Dialect,
    part: Option<PartOf>,
    balances: Option<AccountBalances>,
) -> [String; 3] {
    let mti = Mti::from_digits([dialect.version().mti_digit(), 1, 1, 0]).unwrap();
    let mut encoder = Encoder::new();
    let mut answer = encoder.start(dialect, mti);
    answer.text(11, "000042").unwrap();
    answer.amounts(part, balances).unwrap();
    let mut out = BytesMut::new();
    answer.finish(&mut out).unwrap();
    let mut fields = Fields::new();
    dialect.decode(&out, &mut fields).unwrap();
    let message = dialect.view(&out, &fields);
    [4, 30, 54].map(|field| message.text(field).map(|text| text.to_string()).unwrap_or_default())
}

#[test]
fn every_shipped_dialect_carries_a_partial_approval_and_balances_as_its_edition_has_them() {
    let part = PartOf { approved: euros(4_000), asked: euros(12_500) };
    let owed = WireAmount { negative: true, ..euros(250) };
    let balances = AccountBalances { ledger: euros(9_999), available: owed };
    for name in Dialect::shipped_names() {
        let dialect = Dialect::shipped(name).unwrap();
        let (amount, original, [asked, ledger, available]) = match dialect.version() {
            Version::V1987 => (
                "000000004000",
                "",
                ["0057978C000000012500", "0001978C000000009999", "0002978D000000000250"],
            ),
            Version::V1993 => (
                "000000004000",
                "000000012500000000000000",
                ["", "0001978C000000009999", "0002978D000000000250"],
            ),
            Version::V2003 => (
                "9782000000004000",
                "97820000000125000000000000000000",
                ["", "00019782C000000009999", "00029782D000000000250"],
            ),
        };
        let all = format!("{asked}{ledger}{available}");
        let both = written(&dialect, Some(part), Some(balances));
        assert_eq!(both, [amount, original, &all], "{name}");
        let only_part = written(&dialect, Some(part), None);
        assert_eq!(only_part, [amount, original, asked], "{name}");
        let only_balances = written(&dialect, None, Some(balances));
        assert_eq!(only_balances, ["", "", &format!("{ledger}{available}")], "{name}");
        assert_eq!(written(&dialect, None, None), ["", "", ""], "{name}");
    }
}

#[test]
fn other_types_and_no_amounts_at_all_are_settings() {
    let part = PartOf { approved: euros(1), asked: euros(2) };
    let balances = AccountBalances { ledger: euros(3), available: euros(4) };
    let tables = "[partial_approval]\noriginal_amount = 54\namount_type = \"58\"\n\
                  [balances]\naccount_type = \"20\"\nledger = \"91\"\navailable = \"92\"\n";
    let dialect = Dialect::from_toml(&with("iso93-binary", tables)).unwrap();
    let all = "2058978C0000000000022091978C0000000000032092978C000000000004";
    assert_eq!(written(&dialect, Some(part), Some(balances)), ["000000000001", "", all]);
    let tables = "[partial_approval]\noriginal_amount = 0\n[balances]\ncarried = false\n";
    let dialect = Dialect::from_toml(&with("iso93-binary", tables)).unwrap();
    assert_eq!(written(&dialect, Some(part), Some(balances)), ["000000000001", "", ""]);
    assert_eq!((dialect.original_amount(), dialect.balance_form()), (None, None));
}

#[test]
fn an_amount_that_does_not_fit_is_refused_and_never_cut() {
    let long = WireAmount { minor: 1_000_000_000_000, ..euros(0) };
    let owed = WireAmount { negative: true, ..euros(1) };
    let currency = WireAmount { currency: 1_000, ..euros(1) };
    let exponent = WireAmount { exponent: 10, ..euros(1) };
    let too_long = |length, max| EncodeFault::TooLong { length, max };
    let good = euros(999_999_999_999);
    let part = |approved, asked| (Some(PartOf { approved, asked }), None);
    let balances = |ledger| (None, Some(AccountBalances { ledger, available: good }));
    let dialect = Dialect::shipped("iso2003-binary").unwrap();
    let mut encoder = Encoder::new();
    let rows = [
        (part(good, good), None),
        (part(long, good), Some((4, too_long(13, 12)))),
        (part(good, long), Some((30, too_long(13, 12)))),
        (part(currency, good), Some((4, too_long(4, 3)))),
        (part(exponent, good), Some((4, too_long(2, 1)))),
        (balances(long), Some((54, too_long(13, 12)))),
        (balances(currency), Some((54, too_long(4, 3)))),
        (balances(owed), None),
    ];
    for ((part, balances), expected) in rows {
        let mut answer = encoder.start(&dialect, Mti::from_digits([2, 1, 1, 0]).unwrap());
        let refused = answer.amounts(part, balances).err();
        let refused = refused.map(|error| (error.field(), error.fault().clone()));
        assert_eq!(refused, expected);
    }
    let mut answer = encoder.start(&dialect, Mti::from_digits([2, 1, 1, 0]).unwrap());
    let (part, _) = part(owed, good);
    let error = answer.amounts(part, None).unwrap_err();
    assert!(matches!(error.fault(), EncodeFault::Character { .. }), "{error}");
}

#[test]
fn action_codes_follow_the_field_and_are_replaced_where_the_peer_has_others() {
    for name in Dialect::shipped_names() {
        let dialect = Dialect::shipped(name).unwrap();
        let digits = match dialect.version() {
            Version::V1987 => 2,
            Version::V1993 => 3,
            Version::V2003 => 4,
        };
        assert_eq!(dialect.action_code_digits(), digits, "{name}");
        assert_eq!(dialect.action_code("98"), "98", "{name}");
    }
    let tables = "[action_codes]\nreplace = { \"98\" = \"63\", \"62\" = \"N7\" }\n";
    let dialect = Dialect::from_toml(&with("iso87-bcd", tables)).unwrap();
    let codes = ["98", "62", "00", "63"].map(|code| dialect.action_code(code));
    assert_eq!(codes, ["63", "N7", "00", "63"]);

    // A layout of 1987 whose field has three digits.
    let three = Dialect::shipped_toml("iso87-bcd").unwrap().replace(
        "39 = { name = \"response code\", type = \"an\", length = \"fixed\", max = 2",
        "39 = { name = \"response code\", type = \"an\", length = \"fixed\", max = 3",
    );
    assert_eq!(Dialect::from_toml(&three).unwrap().action_code_digits(), 3);
    let two = three.replace("[requests]", "[action_codes]\ndigits = 2\n[requests]");
    assert_eq!(Dialect::from_toml(&two).unwrap().action_code_digits(), 2);
}

#[test]
fn the_original_stands_where_the_edition_or_the_file_says() {
    for name in Dialect::shipped_names() {
        let dialect = Dialect::shipped(name).unwrap();
        assert_eq!(dialect.original_form(), OriginalForm::of(dialect.version()), "{name}");
        let amount = match dialect.version() {
            Version::V1987 => OriginalAmount::Field54(*b"57"),
            _ => OriginalAmount::Field30,
        };
        assert_eq!(dialect.original_amount(), Some(amount), "{name}");
    }
    let tables = "[original]\nfield = 90\ntrace_digits = 12\ntransmitted_digits = 10\n";
    let dialect = Dialect::from_toml(&with("iso87-bcd", tables)).unwrap();
    let form = OriginalForm { field: 90, trace_digits: 12, transmitted_digits: 10 };
    assert_eq!(dialect.original_form(), form);
}

#[test]
fn the_lock_of_a_file_action_stands_where_the_edition_or_the_file_says() {
    for name in Dialect::shipped_names() {
        let dialect = Dialect::shipped(name).unwrap();
        let usual = LockForm::of(dialect.version());
        let record = if name == "base1-like" { 127 } else { usual.record };
        assert_eq!(dialect.lock_form(), Some(&LockForm { record, ..usual }), "{name}");
    }
    let tables = "[lock_outside]\nrecord = 48\nfile = \"HOTCARDS\"\n";
    let dialect = Dialect::from_toml(&with("iso93-binary", tables)).unwrap();
    let form = LockForm { action: 24, record: 48, file: "HOTCARDS".into() };
    assert_eq!(dialect.lock_form(), Some(&form));
    // A layout without file actions has none, and is good for all the rest.
    let without = Dialect::shipped_toml("iso87-bcd").unwrap();
    let without: Vec<&str> = without
        .lines()
        .filter(|line| !line.starts_with("91 =") && !line.starts_with("\"03"))
        .collect();
    let without = without.join("\n").replace("undefined = [65]", "undefined = [65, 91]");
    assert_eq!(Dialect::from_toml(&without).unwrap().lock_form(), None);
}

#[test]
fn what_an_increment_is_says_the_dialect_and_its_sub_element_is_read() {
    for name in Dialect::shipped_names() {
        let dialect = Dialect::shipped(name).unwrap();
        let by_part = |field, part: &str, adds: &str| IncrementalForm {
            field,
            part: Some(part.into()),
            adds: vec![adds.into()],
            replaces: Vec::new(),
        };
        let wanted = match name {
            "mip-like" => Some(by_part(61, "7", "4")),
            "base1-like" => Some(by_part(62, "1", "I")),
            _ => None,
        };
        assert_eq!(dialect.incremental_form(), wanted.as_ref(), "{name}");
    }
    let tables = "[incremental]\nfield = 60\nadds = [\"10\"]\nreplaces = [\"20\"]\n";
    let dialect = Dialect::from_toml(&with("iso87-ascii", tables)).unwrap();
    let form = dialect.incremental_form().unwrap();
    assert_eq!((form.field, form.part.as_deref()), (60, None));
    assert_eq!((&*form.adds, &*form.replaces), (&["10".into()][..], &["20".into()][..]));

    let dialect = Dialect::shipped("mip-like").unwrap();
    for (status, found) in [("0000004", Some("4")), ("000000", None), ("0000000000001", Some("0"))]
    {
        let mut encoder = Encoder::new();
        let mut message = encoder.start(&dialect, Mti::AUTHORIZATION_REQUEST);
        message.text(11, "000042").unwrap();
        message.text(61, status).unwrap();
        let mut out = BytesMut::new();
        message.finish(&mut out).unwrap();
        let mut fields = Fields::new();
        dialect.decode(&out, &mut fields).unwrap();
        let message = dialect.view(&out, &fields);
        let part = message.element(61, "7").and_then(|content| content.text());
        assert_eq!(part.as_deref(), found, "{status}");
        let is_four = message.element(61, "7").is_some_and(|content| content.is("4"));
        assert_eq!(is_four, found == Some("4"), "{status}");
        assert!(message.element(61, "70").is_none() && message.element(48, "63").is_none());
    }
}

#[test]
fn movements_are_written_as_the_dialect_says() {
    let shipped = |name: &str| {
        let form = Dialect::shipped(name).unwrap().mini_statement_form().cloned();
        form.map(|form| (form.field, form.entries))
    };
    let found = ["iso87-ascii", "iso87-bcd", "iso93-ascii", "iso87-ebcdic-037", "mip-like"];
    let expected = [Some((125, 10)), Some((125, 10)), Some((48, 10)), None, None];
    assert_eq!(found.map(shipped), expected);

    let movements = [(true, 1_250, (2026, 11, 27)), (false, 50_000, (2026, 1, 3))];
    let movements =
        movements.map(|(debit, minor, date)| StatementEntry { date, debit, minor, currency: 978 });
    let rows = [
        ("", "261127D000000001250978260103C000000050000978"),
        ("date = \"MMDD\"\namount_digits = 5", "1127D012509780103C50000978"),
        ("date = \"YYYYMMDD\"\namount_digits = 6\nentries = 1", "20261127D001250978"),
        ("debit = \"-\"\ncredit = \"+\"\namount_digits = 5", "261127-01250978260103+50000978"),
    ];
    let parts = "parts = [\"date\", \"sign\", \"amount\", \"currency\"]";
    for (more, expected) in rows {
        let tables = format!("[mini_statement]\nfield = 48\n{parts}\n{more}\n");
        let dialect = Dialect::from_toml(&with("iso87-ebcdic-037", &tables)).unwrap();
        let form = dialect.mini_statement_form().unwrap();
        assert_eq!(form.write(&movements).as_deref(), Some(expected), "{more}");
        assert_eq!(form.write(&[]).as_deref(), Some(""));
    }
    let parts = "parts = [\"amount\", \"sign\"]\namount_digits = 4";
    let tables = format!("[mini_statement]\nfield = 48\n{parts}\n");
    let dialect = Dialect::from_toml(&with("iso87-ebcdic-037", &tables)).unwrap();
    let form = dialect.mini_statement_form().unwrap();
    assert_eq!(form.write(&movements[..1]).as_deref(), Some("1250D"));
    assert_eq!(form.write(&movements), None, "a part of an amount is none");
}

#[test]
fn what_the_fields_cannot_carry_is_refused_with_its_line() {
    let rows = [
        (
            "iso93-binary",
            "[mini_statement]\nfield = 48\nparts = [\"date\", \"amount\"]",
            0,
            48,
            "parts are sign, amount",
        ),
        (
            "iso93-binary",
            "[mini_statement]\nfield = 48\nparts = [\"sign\", \"amount\", \"sign\"]",
            0,
            48,
            "each once",
        ),
        (
            "iso93-binary",
            "[mini_statement]\nfield = 48\nparts = [\"sign\", \"amount\"]\nentries = 77",
            0,
            48,
            "room for all of them: 1001 characters",
        ),
        (
            "iso93-binary",
            "[mini_statement]\nfield = 38\nparts = [\"sign\", \"amount\"]",
            0,
            38,
            "from 40 on",
        ),
        (
            "iso93-binary",
            "[mini_statement]\nfield = 48\nparts = [\"sign\", \"amount\"]\namount_digits = 19",
            0,
            48,
            "amount_digits from 1 to 18",
        ),
        (
            "iso93-binary",
            "[mini_statement]\nfield = 48\nparts = [\"sign\", \"amount\"]\ndebit = \"C\"",
            0,
            48,
            "two different printable characters",
        ),
        ("iso87-bcd", "[action_codes]\ndigits = 3", 1, 39, "no more than the field"),
        ("iso87-bcd", "[action_codes]\ndigits = 5", 1, 39, "2, 3 or 4 digits"),
        ("iso87-bcd", "[action_codes]\nreplace = { \"980\" = \"63\" }", 1, 39, "of 2 digits"),
        ("iso87-bcd", "[action_codes]\nreplace = { \"9A\" = \"63\" }", 1, 39, "of 2 digits"),
        ("iso87-bcd", "[action_codes]\nreplace = { \"98\" = \"630\" }", 1, 39, "can carry"),
        ("iso87-bcd", "[action_codes]\nreplace = { \"98\" = \"\" }", 1, 39, "can carry"),
        ("iso93-binary", "[incremental]\nfield = 60\nadds = [\"1\"]", 0, 60, "function code"),
        ("iso87-bcd", "[incremental]\nfield = 65\nadds = [\"1\"]", 0, 65, "not defined"),
        ("iso87-bcd", "[incremental]\nfield = 60", 0, 60, "adds or replaces"),
        ("iso87-bcd", "[incremental]\nfield = 60\nadds = [\"\"]", 0, 60, "adds or replaces"),
        (
            "iso87-bcd",
            "[incremental]\nfield = 60\npart = \"7\"\nadds = [\"4\"]",
            0,
            60,
            "no sub-element '7'",
        ),
        ("iso87-bcd", "[original]\nfield = 91\ntrace_digits = 6", 0, 91, "type n with a max"),
        ("iso87-bcd", "[original]\nfield = 65\ntrace_digits = 6", 0, 65, "type n with a max"),
        ("iso87-bcd", "[original]\nfield = 90\ntrace_digits = 13", 0, 90, "from 1 to 12"),
        (
            "iso87-bcd",
            "[original]\nfield = 90\ntrace_digits = 6\ntransmitted_digits = 4",
            0,
            90,
            "10, or 0 for none",
        ),
        ("iso87-bcd", "[partial_approval]\noriginal_amount = 30", 0, 30, "in 1993"),
        ("iso87-bcd", "[partial_approval]\noriginal_amount = 4", 0, 4, "30, 54, or 0"),
        (
            "iso93-ascii",
            "[partial_approval]\noriginal_amount = 30\namount_type = \"57\"",
            0,
            30,
            "field 54 alone",
        ),
        (
            "iso87-bcd",
            "[partial_approval]\noriginal_amount = 54\namount_type = \"5\"",
            0,
            54,
            "two digits",
        ),
        ("iso87-bcd", "[balances]\nledger = \"1a\"", 0, 54, "two digits"),
        ("iso87-bcd", "[lock_outside]\nrecord = 65", 0, 65, "room for two digits"),
        ("iso87-bcd", "[lock_outside]\nrecord = 35", 0, 35, "room for two digits"),
        ("iso87-bcd", "[lock_outside]\nrecord = 91", 0, 91, "room for two digits"),
        ("iso87-bcd", "[lock_outside]\nfile = \"\"", 0, 101, "printable characters"),
        ("iso87-bcd", "[lock_outside]\nfile = \"A NAME\"", 0, 101, "printable characters"),
        ("iso87-bcd", "[lock_outside]\nfile = \"ABCDEFGHIJKLMNOPQR\"", 0, 101, "no more than"),
    ];
    for (base, tables, line, field, problem) in rows {
        let text = with(base, tables);
        let head = tables.lines().next();
        let first = text.lines().position(|line| Some(line) == head).unwrap();
        let error = Dialect::from_toml(&text).unwrap_err();
        let shown = error.to_string();
        assert_eq!((error.line(), error.field()), (first + 1 + line, Some(field)), "{shown}");
        assert!(shown.contains(problem), "{tables}: {shown}");
    }
    let short = with("iso87-bcd", "[balances]").replace(
        "54 = { name = \"additional amounts\", type = \"ans\", length = \"lll\", max = 240",
        "54 = { name = \"additional amounts\", type = \"ans\", length = \"lll\", max = 59",
    );
    let error = Dialect::from_toml(&short).unwrap_err().to_string();
    assert!(error.contains("room for three amounts"), "{error}");
}
