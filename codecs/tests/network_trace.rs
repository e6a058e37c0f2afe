//! Where a dialect has the network's own identifier of a transaction: what the shipped ones say,
//! what is read of a message, and which tables are refused.

use bytes::BytesMut;
use codecs::iso8583::{Dialect, Encoder, Fields, Mti, NetworkTraceForm, Piece};

fn piece(field: u8, part: Option<&str>, first: usize, length: Option<usize>) -> Piece {
    Piece { field, part: part.map(Into::into), first, length }
}

#[test]
fn the_shipped_dialects_have_it_where_their_networks_say_in_public() {
    for name in Dialect::shipped_names() {
        let form = match name {
            "base1-like" => Some(NetworkTraceForm {
                own: vec![piece(62, Some("2"), 2, Some(15))],
                named: Vec::new(),
            }),
            "mip-like" => Some(NetworkTraceForm {
                own: vec![piece(63, None, 1, Some(9)), piece(15, None, 1, None)],
                named: vec![piece(48, Some("63"), 1, None)],
            }),
            "cmf-like" | "iso2003-binary" => Some(NetworkTraceForm {
                own: vec![piece(21, None, 2, Some(15))],
                named: Vec::new(),
            }),
            _ => None,
        };
        assert_eq!(Dialect::shipped(name).unwrap().network_trace_form(), form.as_ref(), "{name}");
    }
}

/// What stands in a message's own pieces, and in those of what it speaks of.
fn read(name: &str, texts: &[(u8, &str)], bytes: &[(u8, &str)]) -> [Option<String>; 2] {
    let dialect = Dialect::shipped(name).unwrap();
    let mti = Mti::from_digits([dialect.version().mti_digit(), 1, 0, 0]).unwrap();
    let mut encoder = Encoder::new();
    let mut message = encoder.start(&dialect, mti);
    message.text(11, "42").unwrap();
    for (field, text) in texts {
        message.text(*field, text).unwrap();
    }
    for (field, content) in bytes {
        message.bytes(*field, &hex::decode(content.replace(' ', "")).unwrap()).unwrap();
    }
    let mut out = BytesMut::new();
    message.finish(&mut out).unwrap();
    let mut fields = Fields::new();
    dialect.decode(&out, &mut fields).unwrap();
    let message = dialect.view(&out, &fields);
    let form = dialect.network_trace_form().unwrap();
    [&form.own, &form.named].map(|pieces| {
        let mut room = [0; NetworkTraceForm::LONGEST];
        let found = message.pieces(pieces, &mut room)?;
        (!pieces.is_empty()).then(|| String::from_utf8_lossy(found).into_owned())
    })
}

#[test]
fn it_is_read_where_it_stands_and_not_otherwise() {
    let some = |text: &str| Some(text.to_owned());
    let payment = "6000000000000000 0301234567890123 e5e5e5e5";
    assert_eq!(read("base1-like", &[], &[(62, payment)]), [some("301234567890123"), None]);
    // Only the first of the payment service fields, and none at all.
    assert_eq!(read("base1-like", &[], &[(62, "8000000000000000 c9")]), [None, None]);
    assert_eq!(read("base1-like", &[], &[]), [None, None]);

    let own = [(63, "MCC0042A1   "), (15, "1127")];
    assert_eq!(read("mip-like", &own, &[]), [some("MCC0042A11127"), None]);
    let both = [(63, "MCC0042A1"), (15, "1127"), (48, "R6315MCC0042B91126  ")];
    let wanted = [some("MCC0042A11127"), some("MCC0042B91126  ")];
    assert_eq!(read("mip-like", &both, &[]), wanted);
    // Without the date, and with a reference number that is cut short.
    assert_eq!(read("mip-like", &own[..1], &[]), [None, None]);
    assert_eq!(read("mip-like", &[(63, "MCC0042"), (15, "1127")], &[]), [None, None]);

    let life_cycle = "01 303030303030303030303030303432 01 0000";
    for name in ["cmf-like", "iso2003-binary"] {
        assert_eq!(read(name, &[], &[(21, life_cycle)]), [some("000000000000042"), None], "{name}");
    }
}

/// A table of `iso87-bcd`, the line of it and the field that is at fault, and what is said.
#[test]
fn what_no_identifier_could_be_in_is_refused_with_its_line() {
    let own = |piece: &str| format!("[network_trace]\nown = [{{ {piece} }}]\n");
    let rows = [
        (own("field = 65"), 1, Some(65), "not defined"),
        (own("field = 2, first = 1, length = 15"), 1, Some(2), "stored and shown"),
        (own("field = 35, first = 1, length = 15"), 1, Some(35), "stored and shown"),
        (own("field = 28"), 1, Some(28), "stored and shown"),
        (own("field = 55, first = 1, length = 15"), 1, Some(55), "stored and shown"),
        (own("field = 63, part = \"2\""), 1, Some(63), "no sub-element '2'"),
        (own("field = 48, first = 1, length = 15"), 1, Some(48), "stored and shown"),
        (own("field = 63"), 0, Some(63), "15 characters at most"),
        (own("field = 37, first = 0"), 1, Some(37), "a place from 1"),
        (own("field = 37, first = 13"), 1, Some(37), "from there on"),
        (own("field = 37, length = 0"), 1, Some(37), "a place from 1"),
        (own("field = 37, first = 2, length = 12"), 1, Some(37), "from there on"),
        (own("field = 37, last = 2"), 1, None, "unknown field `last`"),
        ("[network_trace]\nown = []\n".into(), 0, None, "own = [{ field = 63 }]"),
        (
            "[network_trace]\nown = [{ field = 37 }]\nnamed = [{ field = 37 }, { field = 38 }]\n"
                .into(),
            0,
            Some(38),
            "these pieces have 18",
        ),
    ];
    let base = Dialect::shipped_toml("iso87-bcd").unwrap();
    for (table, line, field, problem) in rows {
        let text = base.replace("[requests]", &format!("{table}\n[requests]"));
        let first = text.lines().position(|line| line == "[network_trace]").unwrap();
        let error = Dialect::from_toml(&text).unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains(problem), "{table}: {shown}");
        assert_eq!((error.line(), error.field()), (first + 1 + line, field), "{table}: {shown}");
    }
    let good = own("field = 37").replace("own", "named = [{ field = 63, length = 15 }]\nown");
    let text = base.replace("[requests]", &format!("{good}\n[requests]"));
    assert!(Dialect::from_toml(&text).unwrap().network_trace_form().is_some());
}

/// A field that no text may show has sub-elements that it may, and others.
#[test]
fn a_sub_element_that_no_text_may_show_is_refused_too() {
    let base = Dialect::shipped_toml("mip-like").unwrap();
    let good = "named = [{ field = 48, part = \"63\" }]";
    assert!(base.contains(good));
    let bad = base.replace(good, "named = [{ field = 48, part = \"92\" }]");
    let error = Dialect::from_toml(&bad).unwrap_err().to_string();
    assert!(error.contains("stored and shown"), "{error}");
}
