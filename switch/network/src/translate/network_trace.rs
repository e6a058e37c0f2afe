//! The identifier by which the network links the messages of one transaction, where the dialect
//! says that it stands. It owns that one which cannot be read counts as none: everything else of
//! the message is as good without it, and finds what it speaks of by its other fields.

use codecs::iso8583::{Message, NetworkTraceForm, Piece};
use switch_domain::NetworkTrace;

/// Whoever may be written in a dialect fits here.
const _: () = assert!(NetworkTraceForm::LONGEST == NetworkTrace::LONGEST);

/// That of the message's own transaction.
pub(super) fn own(message: &Message<'_>) -> NetworkTrace {
    let form = message.dialect().network_trace_form();
    form.map_or(NetworkTrace::NONE, |form| read(message, &form.own))
}

/// That of the transaction that the message speaks of.
pub(super) fn spoken_of(message: &Message<'_>) -> NetworkTrace {
    match message.dialect().network_trace_form() {
        Some(form) if form.named.is_empty() => read(message, &form.own),
        Some(form) => read(message, &form.named),
        None => NetworkTrace::NONE,
    }
}

fn read(message: &Message<'_>, pieces: &[Piece]) -> NetworkTrace {
    let mut room = [0; NetworkTrace::LONGEST];
    let characters = message.pieces(pieces, &mut room);
    characters.and_then(|text| NetworkTrace::new(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use codecs::iso8583::{Dialect, Encoder, Fields, Mti, Version};
    use switch_shard::{Command, Increment};

    use super::super::around::Around;
    use super::super::{Translated, advice, request, reversal};
    use super::*;

    /// What a message of this kind is to the engine, with these fields besides the usual ones.
    fn told(dialect: &Dialect, kind: [u8; 3], texts: &[(u8, &str)], raw: &[(u8, &str)]) -> Command {
        let later = dialect.version() != Version::V1987;
        let [class, function, origin] = kind;
        let mti = Mti::from_digits([dialect.version().mti_digit(), class, function, origin]);
        let mut encoder = Encoder::new();
        let mut draft = encoder.start(dialect, mti.expect("a type"));
        let mut all = vec![(2, "9999991200000018"), (3, "000000"), (11, "42"), (41, "TERM0001")];
        match dialect.version() {
            Version::V1987 => all.extend([(4, "000000001250"), (18, "5411"), (49, "978")]),
            _ => all.extend([
                (4, concat!("978", "2000000001250")),
                (12, "20261127120000"),
                (26, "5411"),
            ]),
        }
        if later && texts.iter().all(|(field, _)| *field != 24) {
            all.push((24, if class == 4 { "400" } else { "100" }));
        }
        for (field, text) in all.iter().chain(texts) {
            draft.text(*field, text).expect("a text that fits");
        }
        for (field, content) in raw {
            let content = hex::decode(content.replace(' ', "")).expect("digits");
            draft.bytes(*field, &content).expect("bytes that fit");
        }
        let mut out = BytesMut::new();
        draft.finish(&mut out).expect("a message");
        let mut fields = Fields::new();
        dialect.decode(&out, &mut fields).expect("readable");
        let message = dialect.view(&out, &fields);
        let translate = match (class, function) {
            (4, _) => reversal,
            (_, 2) => advice,
            _ => request,
        };
        match translate(&message, &Around { converts: false }) {
            Ok(Translated::Command(command, _)) => *command,
            Ok(Translated::Unsupported(reason, kind)) => panic!("{reason:?} {kind}"),
            Err(fault) => panic!("{fault}"),
        }
    }

    fn own_of(command: &Command) -> NetworkTrace {
        match command {
            Command::Authorize(request) => request.facts.network_trace,
            Command::Advise(advice) => advice.request.facts.network_trace,
            other => panic!("{other:?}"),
        }
    }

    fn spoken_of_by(command: &Command) -> NetworkTrace {
        let reference = match command {
            Command::Authorize(request) => request.spoken_of(),
            Command::Advise(advice) => advice.spoken_of(),
            Command::Reverse(reverse) => Some(&reverse.reference),
            other => panic!("{other:?}"),
        };
        reference.expect("it speaks of another").network_trace
    }

    fn increment_of(command: Command) -> Option<Increment> {
        match command {
            Command::Authorize(request) => request.adds_to.map(|increment| *increment),
            other => panic!("{other:?}"),
        }
    }

    fn trace(text: &str) -> NetworkTrace {
        NetworkTrace::new(text.as_bytes()).expect("a trace")
    }

    const PURCHASE: [u8; 3] = [1, 0, 0];
    const SETTLED: [u8; 3] = [2, 2, 0];
    const REVERSAL: [u8; 3] = [4, 0, 0];

    type Texts = &'static [(u8, &'static str)];
    /// A dialect, fields as text and as bytes, and the identifier in them.
    type Row<'a> = (&'a str, &'a [(u8, &'a str)], &'a [(u8, &'a str)], Option<&'a str>);

    /// A dialect, the fields with a message's own identifier, those with another's, and both.
    type Carrier = (&'static str, [Texts; 2], [Texts; 2], [&'static str; 2]);
    const CARRIERS: [Carrier; 4] = [
        (
            "base1-like",
            [&[], &[(62, "4000000000000000 0301234567890123")]],
            [&[], &[(62, "4000000000000000 0301234567890123")]],
            ["301234567890123", "301234567890123"],
        ),
        (
            "mip-like",
            [&[(63, "MCC0042A1"), (15, "1127"), (22, "051")], &[]],
            [&[(48, "R6315MCC0042B91126  "), (22, "051")], &[]],
            ["MCC0042A11127", "MCC0042B91126"],
        ),
        (
            "iso2003-binary",
            [&[], &[(21, "01 303132333435363738393041424344 01 0000")]],
            [&[], &[(21, "01 303132333435363738393041424344 01 0000")]],
            ["01234567890ABCD", "01234567890ABCD"],
        ),
        (
            "cmf-like",
            [&[], &[(21, "01 303132333435363738393041424344 01 0000")]],
            [&[], &[(21, "01 303132333435363738393041424344 01 0000")]],
            ["01234567890ABCD", "01234567890ABCD"],
        ),
    ];

    #[test]
    fn it_is_told_of_a_message_and_of_what_that_speaks_of() {
        for (name, own, named, [of_own, of_named]) in CARRIERS {
            let dialect = Dialect::shipped(name).expect("shipped");
            let asked = told(&dialect, PURCHASE, own[0], own[1]);
            assert_eq!(own_of(&asked), trace(of_own), "{name}");
            assert!(increment_of(asked).is_none(), "{name}");
            let settled = told(&dialect, SETTLED, named[0], named[1]);
            assert_eq!(spoken_of_by(&settled), trace(of_named), "{name}");
            let Command::Advise(advice) = settled else { panic!("an advice") };
            assert!(!advice.original.expect("financial").named, "{name}: by its fields");
            let reversed = told(&dialect, REVERSAL, named[0], named[1]);
            assert_eq!(spoken_of_by(&reversed), trace(of_named), "{name}");
            // Nothing where nothing is.
            assert!(own_of(&told(&dialect, PURCHASE, &[], &[])).is_none(), "{name}");
            assert!(spoken_of_by(&told(&dialect, REVERSAL, &[], &[])).is_none(), "{name}");
        }
        for name in ["iso87-ascii", "iso87-bcd", "iso87-ebcdic-037"] {
            let dialect = Dialect::shipped(name).expect("shipped");
            let texts = [(62, "301234567890123"), (63, "MCC0042A1")];
            assert!(own_of(&told(&dialect, PURCHASE, &texts, &[])).is_none(), "{name}");
        }
    }

    #[test]
    fn an_increment_needs_no_original_data_elements_where_the_network_links_it() {
        let increment = "c000000000000000 c9 0301234567890123";
        let first = "c000000000000000 e8 0301234567890123";
        let status = [(61, "0000004"), (48, "R6315MCC0042B91126  ")];
        let life_cycle = "01 303132333435363738393041424344 01 0000";
        let rows: [Row<'_>; 7] = [
            ("base1-like", &[], &[(62, increment)], Some("301234567890123")),
            ("base1-like", &[], &[(62, first)], None),
            ("base1-like", &[], &[(62, "8000000000000000 c9")], None),
            ("mip-like", &status, &[], Some("MCC0042B91126")),
            ("mip-like", &status[..1], &[], None),
            ("mip-like", &status[1..], &[], None),
            ("iso2003-binary", &[(24, "106")], &[(21, life_cycle)], Some("01234567890ABCD")),
        ];
        for (name, texts, raw, wanted) in rows {
            let dialect = Dialect::shipped(name).expect("shipped");
            let found = increment_of(told(&dialect, PURCHASE, texts, raw));
            let of = found.map(|increment| increment.reference.network_trace);
            assert_eq!(of, wanted.map(trace), "{name} {texts:?} {raw:?}");
            assert!(found.is_none_or(|increment| !increment.named && !increment.replaces));
        }
    }

    /// Whatever stands there, the message is as good as one without it.
    #[test]
    fn what_is_none_counts_as_none() {
        for life_cycle in ["00".repeat(19), "01".to_owned() + &"30".repeat(18), "ff".repeat(19)] {
            for name in ["cmf-like", "iso2003-binary"] {
                let dialect = Dialect::shipped(name).expect("shipped");
                let asked = told(&dialect, PURCHASE, &[], &[(21, &life_cycle)]);
                assert!(own_of(&asked).is_none(), "{name} {life_cycle}");
            }
        }
        let dialect = Dialect::shipped("base1-like").expect("shipped");
        let zeros = "4000000000000000 0000000000000000";
        assert!(own_of(&told(&dialect, PURCHASE, &[], &[(62, zeros)])).is_none());
    }
}
