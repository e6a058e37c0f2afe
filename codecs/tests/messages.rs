//! Messages through the public face: what is set is read back, alike in every dialect; what does
//! not fit is refused; nothing shows content.

use bytes::BytesMut;
use codecs::iso8583::{Dialect, EncodeFault, Encoder, Fields, Mti, ValueError};

/// Those that write the fields of 1987 in one way and another.
fn dialects() -> impl Iterator<Item = Dialect> {
    let names = Dialect::shipped_names().filter(|name| name.starts_with("iso87-"));
    names.map(|name| Dialect::shipped(name).unwrap())
}

/// The same request in any dialect.
fn purchase(dialect: &Dialect) -> BytesMut {
    let mut encoder = Encoder::new();
    let mut message = encoder.start(dialect, Mti::AUTHORIZATION_REQUEST);
    message.text(41, "TERM0001").unwrap(); // out of order on purpose
    message.text(2, "9999991234567890123").unwrap();
    message.text(3, "0").unwrap();
    message.number(4, 1250).unwrap();
    message.text(7, "1123091500").unwrap();
    message.number(11, 42).unwrap();
    message.number(22, 51).unwrap();
    message.text(28, "D00000100").unwrap();
    message.text(32, "12345").unwrap();
    message.text(35, "9999991234567890123D29122010000000000000").unwrap_err();
    message.text(35, "999999123456789D29122010000").unwrap();
    message.text(37, "RRN1").unwrap();
    message.text(42, "MERCHANT").unwrap();
    message.number(49, 840).unwrap();
    message.bytes(52, &[0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0]).unwrap();
    message.bytes(55, &[0x9F, 0x02, 0x01, 0x00]).unwrap();
    message.number(70, 301).unwrap();
    let mut out = BytesMut::new();
    message.finish(&mut out).unwrap();
    out
}

#[test]
fn what_was_set_is_read_back_alike_in_every_dialect() {
    for dialect in dialects() {
        let bytes = purchase(&dialect);
        let mut fields = Fields::new();
        dialect.decode(&bytes, &mut fields).unwrap();
        let message = dialect.view(&bytes, &fields);
        assert_eq!(message.mti(), Some(Mti::AUTHORIZATION_REQUEST));
        assert_eq!(message.present().len(), 16);
        for (field, text) in [
            (2, "9999991234567890123"),
            (3, "000000"),
            (4, "000000001250"),
            (11, "000042"),
            (22, "051"),
            (28, "D00000100"),
            (32, "12345"),
            (35, "999999123456789=29122010000"),
            (37, "RRN1        "),
            (41, "TERM0001"),
            (42, "MERCHANT       "),
            (49, "840"),
            (70, "301"),
        ] {
            assert_eq!(message.text(field).unwrap(), text, "{} {field}", dialect.name());
        }
        assert_eq!(message.number(4), Ok(1250));
        assert_eq!(message.number(49), Ok(840));
        let mut buffer = [0; 64];
        assert_eq!(message.digits(22, &mut buffer).unwrap(), b"051");
        assert_eq!(message.bytes(55, &mut buffer).unwrap(), [0x9F, 0x02, 0x01, 0x00]);
        assert_eq!(message.bytes(52, &mut buffer).unwrap()[..2], [0x12, 0x34]);
    }
}

#[test]
fn values_that_are_not_there_say_so() {
    for dialect in dialects() {
        let bytes = purchase(&dialect);
        let mut fields = Fields::new();
        dialect.decode(&bytes, &mut fields).unwrap();
        let message = dialect.view(&bytes, &fields);
        let mut short = [0; 2];
        assert_eq!(message.number(38), Err(ValueError::Absent(38)));
        assert_eq!(message.number(90), Err(ValueError::Absent(90)));
        let not_a_number = ValueError::WrongType { field: 42, wanted: "a number" };
        assert_eq!(message.number(42), Err(not_a_number));
        assert_eq!(message.number(2), Ok(9_999_991_234_567_890_123));
        assert!(matches!(message.text(55), Err(ValueError::WrongType { field: 55, .. })));
        assert!(matches!(message.bytes(41, &mut short), Err(ValueError::WrongType { .. })));
        let too_short = ValueError::BufferTooShort { field: 11, needed: 6 };
        assert_eq!(message.digits(11, &mut short), Err(too_short));
    }
}

#[test]
fn a_track_reads_alike_whichever_separator_came_and_is_echoed_as_it_came() {
    let dialect = Dialect::shipped("iso87-ascii").unwrap();
    for track in
        ["9999990000000003=2912201", "9999990000000003D2912201", "9999990000000003d2912201"]
    {
        let bytes = format!("01000000000020000000{}{track}", track.len());
        let mut fields = Fields::new();
        dialect.decode(bytes.as_bytes(), &mut fields).unwrap();
        let message = dialect.view(bytes.as_bytes(), &fields);
        assert_eq!(message.text(35).unwrap(), "9999990000000003=2912201");
        let mut encoder = Encoder::new();
        let mut copy = encoder.start(&dialect, Mti::AUTHORIZATION_REQUEST);
        assert!(copy.echo(35, &message).unwrap());
        let mut out = BytesMut::new();
        copy.finish(&mut out).unwrap();
        assert_eq!(out, bytes.as_bytes());
    }
}

#[test]
fn an_answer_echoes_its_request_byte_for_byte() {
    for dialect in dialects() {
        let bytes = purchase(&dialect);
        let mut fields = Fields::new();
        dialect.decode(&bytes, &mut fields).unwrap();
        let request = dialect.view(&bytes, &fields);
        let mut encoder = Encoder::new();
        let mut answer = encoder.start(&dialect, request.mti().unwrap().response().unwrap());
        answer.echo_answer_fields(&request).unwrap();
        answer.text(38, "A1B2C3").unwrap();
        answer.text(39, "05").unwrap();
        answer.text(39, "00").unwrap(); // set again: replaced
        assert!(!answer.echo(90, &request).unwrap());
        let mut out = BytesMut::new();
        answer.finish(&mut out).unwrap();

        let mut answer_fields = Fields::new();
        dialect.decode(&out, &mut answer_fields).unwrap();
        let answer = dialect.view(&out, &answer_fields);
        assert_eq!(answer.mti(), Mti::parse("0110"));
        assert_eq!(answer.text(39).unwrap(), "00");
        let echoed = dialect.answer_fields(Mti::AUTHORIZATION_RESPONSE).unwrap();
        for field in echoed {
            assert_eq!(answer.raw(field), request.raw(field), "{} {field}", dialect.name());
        }
        assert!(!answer.has(35) && !answer.has(55));
    }
}

#[test]
fn a_field_is_not_copied_into_a_dialect_that_writes_it_otherwise() {
    let [ascii, bcd] = ["iso87-ascii", "iso87-bcd"].map(|name| Dialect::shipped(name).unwrap());
    let bytes = purchase(&ascii);
    let mut fields = Fields::new();
    ascii.decode(&bytes, &mut fields).unwrap();
    let message = ascii.view(&bytes, &fields);
    let mut encoder = Encoder::new();
    let mut other = encoder.start(&bcd, Mti::AUTHORIZATION_REQUEST);
    let error = other.echo(11, &message).unwrap_err();
    assert_eq!(error.fault(), &EncodeFault::OtherDialect);
    assert!(other.echo(41, &message).unwrap(), "ASCII in both");
}

#[test]
fn what_does_not_fit_is_refused_and_never_cut() {
    #[rustfmt::skip]
    let table: &[(u8, &str, &str)] = &[
        (4, "1234567890123", "the value has length 13, the most is 12"),
        (4, "12A4", "(amount, transaction) cannot be written: character 3 of the value is not"),
        (4, "-5", "character 1 of the value is not one of: digits"),
        (4, "", "the value has length 0, it must be 12"),
        (2, "99999900000000000000", "the value has length 20, the most is 19"),
        (28, "100", "character 1 of the value is not one of: a sign, C or D"),
        (28, "D100", "the value has length 4, it must be 9"),
        (28, "D0000010X", "character 9 of the value is not one of: digits"),
        (35, "9999990000000000^2912", "character 17 of the value is not one of: digits or"),
        (41, "TERM00011", "the value has length 9, the most is 8"),
        (41, "TERM\n", "character 5 of the value is not one of: printable ASCII"),
        (43, "CAF\u{c9}", "character 4 of the value is not one of: printable ASCII"),
        (52, "1234", "it is binary and takes bytes, not text"),
        (65, "1", "(not defined in this dialect) cannot be written: the dialect does not"),
        (0, "1", "the dialect does not define it"),
        (1, "1", "the dialect does not define it"),
        (200, "1", "the dialect does not define it"),
    ];
    for dialect in dialects() {
        let mut encoder = Encoder::new();
        let mut message = encoder.start(&dialect, Mti::NETWORK_REQUEST);
        message.number(11, 7).unwrap();
        for (field, value, wanted) in table {
            let error = message.text(*field, value).unwrap_err();
            assert!(error.to_string().contains(wanted), "{field} {value:?}: {error}");
            assert_eq!(error.field(), *field);
        }
        let too_short = message.bytes(52, &[0; 7]).unwrap_err();
        assert!(matches!(too_short.fault(), EncodeFault::TooShort { .. }));
        let too_long = message.bytes(52, &[0; 9]).unwrap_err();
        assert!(matches!(too_long.fault(), EncodeFault::TooLong { .. }));
        assert_eq!(message.bytes(41, b"x").unwrap_err().fault(), &EncodeFault::NotBinary);
        message.number(70, 1).unwrap();
        let mut out = BytesMut::new();
        message.finish(&mut out).unwrap();
        let mut fields = Fields::new();
        dialect.decode(&out, &mut fields).unwrap();
        assert_eq!(fields.present().iter().collect::<Vec<_>>(), [11, 70], "no trace of refusals");
    }
}

#[test]
fn nothing_printable_shows_content() {
    for dialect in dialects() {
        let bytes = purchase(&dialect);
        let mut fields = Fields::new();
        dialect.decode(&bytes, &mut fields).unwrap();
        let message = dialect.view(&bytes, &fields);
        let shown = format!("{message:?} {fields:?} {:?}", message.text(2).unwrap());
        assert!(shown.contains("2: 19") && shown.contains("Text(19 characters)"), "{shown}");
        for secret in ["999999", "TERM", "MERCHANT", "1250"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn message_types_know_their_answers() {
    for (request, response, plain) in [
        ("0100", Some("0110"), "0100"),
        ("0101", Some("0110"), "0100"),
        ("0120", Some("0130"), "0120"),
        ("0121", Some("0130"), "0120"),
        ("0400", Some("0410"), "0400"),
        ("0401", Some("0410"), "0400"),
        ("0420", Some("0430"), "0420"),
        ("0800", Some("0810"), "0800"),
        ("0803", Some("0812"), "0802"),
        ("1804", Some("1814"), "1804"),
        ("0110", None, "0110"),
        ("0140", None, "0140"),
    ] {
        let mti = Mti::parse(request).unwrap();
        assert_eq!(mti.response(), response.map(|text| Mti::parse(text).unwrap()), "{request}");
        assert_eq!(mti.without_repeat().to_string(), plain);
        assert_eq!(mti.is_repeat(), request != plain);
        assert_eq!(mti.is_request(), request != "0110");
        assert_eq!(mti.to_string(), request);
    }
    for wrong in ["", "010", "01000", "01x0", "0 00", "\u{661}100"] {
        assert_eq!(Mti::parse(wrong), None, "{wrong:?}");
    }
}

/// The request's fields, with or without those of the gap, in ascending order.
fn echo<'e>(
    encoder: &'e mut Encoder,
    dialect: &'e Dialect,
    request: &codecs::iso8583::Message<'_>,
) -> codecs::iso8583::MessageWriter<'e> {
    let mut answer = encoder.start(dialect, Mti::AUTHORIZATION_RESPONSE);
    for field in [3, 4, 7, 11, 32, 37, 41, 42, 49, 70] {
        assert!(answer.echo(field, request).unwrap());
    }
    answer
}

#[test]
fn an_answer_ended_later_is_the_one_written_at_once() {
    for dialect in dialects() {
        let bytes = purchase(&dialect);
        let mut fields = Fields::new();
        dialect.decode(&bytes, &mut fields).unwrap();
        let request = dialect.view(&bytes, &fields);
        let mut encoder = Encoder::new();
        let amounts = Some("0001978C000000012345");
        let code = Some("A1B2C3");
        let chip = Some([0x8A, 0x02, 0x30, 0x30]);
        for (code, amounts, chip) in [
            (None, None, None),
            (code, None, None),
            (code, amounts, None),
            (None, amounts, chip),
            (code, None, chip),
        ] {
            let begun = echo(&mut encoder, &dialect, &request);
            let begun = begun.into_fields(38..=39, [Some(54), Some(55)]).unwrap();
            assert_eq!(begun.present().len(), 10);
            let mut late = BytesMut::from(&b"before"[..]);
            let mut decided = encoder.start(&dialect, Mti::AUTHORIZATION_RESPONSE);
            if let Some(code) = code {
                decided.text(38, code).unwrap();
            }
            decided.text(39, "00").unwrap();
            if let Some(amounts) = amounts {
                decided.text(54, amounts).unwrap();
            }
            if let Some(chip) = chip {
                decided.bytes(55, &chip).unwrap();
            }
            decided.finish_around(&begun, &mut late).unwrap();
            let mut whole = echo(&mut encoder, &dialect, &request);
            if let Some(code) = code {
                whole.text(38, code).unwrap();
            }
            whole.text(39, "00").unwrap();
            if let Some(amounts) = amounts {
                whole.text(54, amounts).unwrap();
            }
            if let Some(chip) = chip {
                whole.bytes(55, &chip).unwrap();
            }
            let mut at_once = BytesMut::from(&b"before"[..]);
            whole.finish(&mut at_once).unwrap();
            assert_eq!(late, at_once);
        }
    }
}

#[test]
fn what_does_not_belong_into_the_gap_is_refused() {
    let dialect = Dialect::shipped("iso87-ascii").unwrap();
    let mut encoder = Encoder::new();
    let fault = |error: codecs::iso8583::EncodeError| (error.field(), error.fault().clone());
    let mut message = encoder.start(&dialect, Mti::AUTHORIZATION_RESPONSE);
    message.text(39, "00").unwrap();
    let refused = message.into_fields(38..=39, [None; 2]).unwrap_err();
    assert_eq!(fault(refused), (39, EncodeFault::NotInGap));
    let mut message = encoder.start(&dialect, Mti::AUTHORIZATION_RESPONSE);
    message.number(11, 1).unwrap();
    message.number(4, 1).unwrap();
    assert_eq!(
        fault(message.into_fields(38..=39, [None; 2]).unwrap_err()),
        (11, EncodeFault::NotInGap)
    );
    let mut message = encoder.start(&dialect, Mti::AUTHORIZATION_RESPONSE);
    message.number(4, 1).unwrap();
    let begun = message.into_fields(38..=39, [None; 2]).unwrap();
    let mut out = BytesMut::new();
    let mut message = encoder.start(&dialect, Mti::AUTHORIZATION_RESPONSE);
    message.number(11, 1).unwrap();
    let refused = message.finish_around(&begun, &mut out).unwrap_err();
    assert_eq!(fault(refused), (11, EncodeFault::NotInGap));
    assert!(out.is_empty());
    // One more is taken only where it was said to come, and not twice.
    let mut message = encoder.start(&dialect, Mti::AUTHORIZATION_RESPONSE);
    message.text(54, "0001978C000000012345").unwrap();
    let refused = message.finish_around(&begun, &mut out).unwrap_err();
    assert_eq!(fault(refused), (54, EncodeFault::NotInGap));
    let mut message = encoder.start(&dialect, Mti::AUTHORIZATION_RESPONSE);
    message.text(54, "0001978C000000012345").unwrap();
    let refused = message.into_fields(38..=39, [Some(54), None]).unwrap_err();
    assert_eq!(fault(refused), (54, EncodeFault::NotInGap));
}
