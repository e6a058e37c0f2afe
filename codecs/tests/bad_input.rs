//! Messages that are wrong, one row each: what the error says, and what can still be read of them.

use codecs::iso8583::{DecodeFault, Dialect, Fields, MAX_MESSAGE};

/// MTI, bitmap of the fields given, and their bytes as they are; `extra` bits are announced
/// besides.
fn message(dialect: &str, mti: &str, fields: &[(u8, &[u8])], extra: &[u8]) -> Vec<u8> {
    let mut bits = 0u128;
    for field in fields.iter().map(|(field, _)| field).chain(extra) {
        bits |= 1 << (128 - u32::from(*field));
    }
    let secondary = bits as u64 != 0;
    if secondary {
        bits |= 1 << 127;
    }
    let bitmap = &bits.to_be_bytes()[..if secondary { 16 } else { 8 }];
    let mut out = match dialect {
        "iso87-ascii" => [mti.as_bytes(), hex::encode_upper(bitmap).as_bytes()].concat(),
        _ => [&hex::decode(mti).unwrap(), bitmap].concat(),
    };
    for (_, wire) in fields {
        out.extend_from_slice(wire);
    }
    out
}

/// The message; whether reading stops at the fault; the fields readable nevertheless; then the
/// error: its field and place, what it expected, what it found.
type Row = (Vec<u8>, bool, &'static [u8], &'static str, &'static str, &'static str);

const STOPS: bool = true;
const GOES_ON: bool = false;
const ALL: &[u8] = &[2, 3, 4, 7, 11, 41, 49];
const ALL_BUT_2: &[u8] = &[3, 4, 7, 11, 41, 49];
const ALL_BUT_4: &[u8] = &[2, 3, 7, 11, 41, 49];

/// A request of well-formed fields with some replaced by wrong bytes.
fn ascii(replace: &[(u8, &[u8])]) -> Vec<u8> {
    let mut fields: Vec<(u8, &[u8])> = vec![
        (2, b"169999990000000003"),
        (3, b"000000"),
        (4, b"000000001000"),
        (7, b"1123091500"),
        (11, b"000042"),
        (41, b"TERM0001"),
        (49, b"840"),
    ];
    for (field, wire) in replace {
        match fields.iter_mut().find(|(there, _)| there == field) {
            Some(slot) => slot.1 = wire,
            None => fields.push((*field, wire)),
        }
    }
    fields.sort_by_key(|(field, _)| *field);
    message("iso87-ascii", "0100", &fields, &[])
}

/// A network message with fields 11 and 70, and bit 65 on between them.
fn undefined_bit(dialect: &str, stan: &[u8], code: &[u8]) -> Vec<u8> {
    message(dialect, "0800", &[(11, stan), (70, code)], &[65])
}

#[rustfmt::skip]
fn ascii_head_rows() -> Vec<Row> {
    vec![
        (vec![], STOPS, &[],
            "0 (message type) at byte 0", "4 bytes", "the end of the message after 0"),
        (b"01".to_vec(), STOPS, &[],
            "0 (message type) at byte 0", "4 bytes", "the end of the message after 2"),
        (b"01A0".to_vec(), STOPS, &[],
            "0 (message type) at byte 0", "4 digits", "0x41 at byte 2"),
        (b"0100".to_vec(), STOPS, &[],
            "1 (bitmap) at byte 4", "16 bytes", "the end of the message after 0"),
        (b"0100722000000080800".to_vec(), STOPS, &[],
            "1 (bitmap) at byte 4", "16 bytes", "the end of the message after 15"),
        (b"01007220 00000808000".to_vec(), STOPS, &[],
            "1 (bitmap) at byte 4", "16 hexadecimal characters", "0x20 at byte 8"),
        (b"0800C22000000000000004".to_vec(), STOPS, &[],
            "1 (bitmap) at byte 4", "32 bytes", "the end of the message after 18"),
    ]
}

#[rustfmt::skip]
fn ascii_content_rows() -> Vec<Row> {
    vec![
        // Amount not a number: the rest is read all the same.
        (ascii(&[(4, b"0000000010A0")]), GOES_ON, ALL_BUT_4,
            "4 (amount, transaction) at byte 44", "12 digits", "0x41 at byte 54"),
        (ascii(&[(4, b"            ")]), GOES_ON, ALL_BUT_4,
            "4 (amount, transaction) at byte 44", "12 digits", "0x20 at byte 44"),
        // Two faults of content: the first is told, neither field is readable.
        (ascii(&[(3, b"0X0000"), (41, b"TERM\x00001")]), GOES_ON, &[2, 4, 7, 11, 49],
            "3 (processing code) at byte 38", "6 digits", "0x58 at byte 39"),
        // A fault of content, then a structural one: still the first.
        (ascii(&[(3, b"0X0000"), (32, b"1x")]), GOES_ON, &[2, 4, 7, 11],
            "3 (processing code) at byte 38", "6 digits", "0x58 at byte 39"),
    ]
}

#[rustfmt::skip]
fn ascii_length_rows() -> Vec<Row> {
    vec![
        // Lengths. The kind of byte only is told of what is in a PAN; a length is no secret.
        (ascii(&[(2, b"1A9999990000000003")]), STOPS, &[],
            "2 (primary account number) at byte 20", "a length of 2 digits", "0x41 at byte 21"),
        (ascii(&[(2, b"-19999990000000003")]), STOPS, &[],
            "2 (primary account number) at byte 20", "a length of 2 digits", "0x2D at byte 20"),
        (ascii(&[(2, b"209999990000000000003")]), STOPS, &[],
            "2 (primary account number) at byte 20", "a length of at most 19", "20"),
        (ascii(&[(55, b"9999F02")]), STOPS, ALL,
            "55 (integrated circuit card data) at byte 83", "a length of at most 510", "999"),
        (ascii(&[(2, b"16999999000000000X")]), GOES_ON, ALL_BUT_2,
            "2 (primary account number) at byte 20", "16 digits", "a letter at byte 37"),
        (ascii(&[(2, b"16 999990000000003")]), GOES_ON, ALL_BUT_2,
            "2 (primary account number) at byte 20", "16 digits", "a space at byte 22"),
        (ascii(&[(14, b"29\xB2\xB3")]), GOES_ON, ALL,
            "14 (date, expiration) at byte 72", "4 digits", "a byte above 0x7F at byte 74"),
        (ascii(&[(35, b"219999990000000003^2912")]), GOES_ON, ALL,
            "35 (track 2 data) at byte 72",
            "21 digits or a separator (= or D)", "a punctuation character at byte 90"),
        (ascii(&[(52, b"123456789ABCDEFG")]), GOES_ON, ALL,
            "52 (personal identification number data) at byte 83",
            "16 hexadecimal characters", "a letter at byte 98"),
        (ascii(&[(55, b"0039F0")]), GOES_ON, ALL,
            "55 (integrated circuit card data) at byte 83",
            "an even number of hexadecimal characters", "3"),
        (ascii(&[(28, b"X00000000")]), GOES_ON, ALL,
            "28 (amount, transaction fee) at byte 72",
            "1 sign, C or D, with digits behind it", "0x58 at byte 72"),
        (ascii(&[(28, b"D0000000 ")]), GOES_ON, ALL,
            "28 (amount, transaction fee) at byte 72", "8 digits", "0x20 at byte 80"),
        // Cut short.
        (ascii(&[])[..82].to_vec(), STOPS, &[2, 3, 4, 7, 11, 41],
            "49 (currency code, transaction) at byte 80",
            "3 bytes", "the end of the message after 2"),
        (ascii(&[])[..30].to_vec(), STOPS, &[],
            "2 (primary account number) at byte 20",
            "18 bytes", "the end of the message after 10"),
        (ascii(&[])[..21].to_vec(), STOPS, &[],
            "2 (primary account number) at byte 20", "2 bytes", "the end of the message after 1"),
        ([ascii(&[]), b"840".to_vec()].concat(), GOES_ON, ALL,
            "1 (bitmap) at byte 83", "the end of the message", "3 more bytes"),
        // A bit the dialect does not know: what comes before it can be read.
        (undefined_bit("iso87-ascii", b"000042", b"301"), STOPS, &[11],
            "65 (not defined in this dialect) at byte 42", "bit 65 of the bitmap to be off",
            "it on, and no such field in the dialect, at byte 20"),
    ]
}

#[rustfmt::skip]
fn bcd_rows() -> Vec<Row> {
    let bcd = |fields: &[(u8, &[u8])]| message("iso87-bcd", "0100", fields, &[]);
    vec![
        (vec![0x01], STOPS, &[],
            "0 (message type) at byte 0", "2 bytes", "the end of the message after 1"),
        (vec![0x01, 0xC0], STOPS, &[],
            "0 (message type) at byte 0", "4 digits", "half byte 0xC at byte 1"),
        (bcd(&[(2, b"\x1A\x99"), (11, b"\x00\x00\x42")]), STOPS, &[],
            "2 (primary account number) at byte 10",
            "a length of 2 digits", "half byte 0xA at byte 10"),
        (bcd(&[(2, b"\x20\x99"), (11, b"\x00\x00\x42")]), STOPS, &[],
            "2 (primary account number) at byte 10", "a length of at most 19", "20"),
        (bcd(&[(3, b"\x00\x00\x00"), (4, b"\x00\x00\x00\x00\x1D\x00"), (11, b"\x00\x00\x42")]),
            GOES_ON, &[3, 11],
            "4 (amount, transaction) at byte 13", "12 digits", "half byte 0xD at byte 17"),
        (bcd(&[(2, b"\x03\x09\xA9"), (11, b"\x00\x00\x42")]), GOES_ON, &[11],
            "2 (primary account number) at byte 10", "3 digits", "a half byte above 9 at byte 12"),
        // Padded on the other side: read as it stands, the PAN would be another one.
        (bcd(&[(2, b"\x03\x99\x9F"), (11, b"\x00\x00\x42")]), GOES_ON, &[11],
            "2 (primary account number) at byte 10",
            "padding by half byte 0x0", "another half byte at byte 11"),
        (bcd(&[(11, b"\x00\x00\x42"), (22, b"\xF0\x51")]), GOES_ON, &[11],
            "22 (point of service entry mode) at byte 13",
            "padding by half byte 0x0", "half byte 0xF at byte 13"),
        (bcd(&[(11, b"\x00\x00\x42"), (35, b"\x05\x99\xD2\x90")]), GOES_ON, &[11],
            "35 (track 2 data) at byte 13",
            "padding by half byte 0xF", "another half byte at byte 16"),
        (bcd(&[(11, b"\x00\x00\x42"), (35, b"\x04\x99\xE2")]), GOES_ON, &[11],
            "35 (track 2 data) at byte 13",
            "4 digits or a separator (= or D)", "a half byte above 9 at byte 15"),
        (bcd(&[(11, b"\x00\x00\x42"), (28, b"C\x00\x00\x0A\x00")]), GOES_ON, &[11],
            "28 (amount, transaction fee) at byte 13", "8 digits", "half byte 0xA at byte 16"),
        (bcd(&[(11, b"\x00\x00\x42"), (55, b"\x02\x56\x9F\x02")]), STOPS, &[11],
            "55 (integrated circuit card data) at byte 13", "a length of at most 255", "256"),
        (bcd(&[(11, b"\x00\x00\x42"), (55, b"\x01\x00\x9F\x02")]), STOPS, &[11],
            "55 (integrated circuit card data) at byte 13",
            "102 bytes", "the end of the message after 4"),
        (undefined_bit("iso87-bcd", b"\x00\x00\x42", b"\x03\x01"), STOPS, &[11],
            "65 (not defined in this dialect) at byte 21", "bit 65 of the bitmap to be off",
            "it on, and no such field in the dialect, at byte 10"),
    ]
}

#[test]
fn every_fault_names_field_offset_expected_and_found_and_leaves_the_rest_readable() {
    let mut fields = Fields::new(); // one for all rows: nothing may stay behind from the row before
    let ascii_rows = [ascii_head_rows(), ascii_content_rows(), ascii_length_rows()].concat();
    for (name, rows) in [("iso87-ascii", ascii_rows), ("iso87-bcd", bcd_rows())] {
        let dialect = Dialect::shipped(name).unwrap();
        for (bytes, stops, readable, at, expected, found) in rows {
            let wanted = format!("field {at}: expected {expected}, found {found}");
            let error = dialect.decode(&bytes, &mut fields).expect_err(&wanted);
            assert_eq!(error.to_string(), wanted);
            assert_eq!(fields.present().iter().collect::<Vec<_>>(), readable, "{error}");
            assert_eq!(error.is_structural(), stops, "{error}");
            assert!(!error.to_string().contains("9999"), "{error}");
            let short = format!("FIELD {} BYTE {}", error.field(), error.found_at());
            assert!(short.len() <= 25 && error.answer_text() == short);
        }
    }
}

#[test]
fn type_and_trace_number_of_a_faulty_request_can_be_answered() {
    let dialect = Dialect::shipped("iso87-ascii").unwrap();
    let bytes = ascii(&[(4, b"0000000010A0")]);
    let mut fields = Fields::new();
    dialect.decode(&bytes, &mut fields).unwrap_err();
    let message = dialect.view(&bytes, &fields);
    assert_eq!(message.mti().unwrap().response().unwrap().to_string(), "0110");
    assert_eq!(message.text(11).unwrap(), "000042");
    assert_eq!(message.raw(4), None, "a field with a fault is not presented as read");
    assert!(fields.announced().contains(4));
}

#[test]
fn a_message_longer_than_any_frame_is_refused_unread() {
    let dialect = Dialect::shipped("iso87-ascii").unwrap();
    let mut fields = Fields::new();
    let error = dialect.decode(&vec![b'0'; MAX_MESSAGE + 1], &mut fields).unwrap_err();
    assert!(matches!(error.fault(), DecodeFault::MessageTooLong { length: 65_536, .. }));
    assert!(error.is_structural() && fields.mti().is_none());
}

#[test]
fn a_bitmap_is_read_in_either_case_and_an_empty_secondary_one_is_no_fault() {
    let dialect = Dialect::shipped("iso87-ascii").unwrap();
    let mut fields = Fields::new();
    for bitmap in ["002000000a000000", "002000000A000000", "802000000a0000000000000000000000"] {
        let bytes = format!("0110{bitmap}000042RRN00000000100");
        dialect.decode(bytes.as_bytes(), &mut fields).unwrap();
        assert_eq!(fields.present().iter().collect::<Vec<_>>(), [11, 37, 39]);
    }
}

#[test]
fn an_empty_variable_field_is_there_and_empty() {
    let dialect = Dialect::shipped("iso87-ascii").unwrap();
    let bytes = ascii(&[(32, b"00")]);
    let mut fields = Fields::new();
    dialect.decode(&bytes, &mut fields).unwrap();
    let message = dialect.view(&bytes, &fields);
    assert_eq!(message.content(32), Some(&b""[..]));
    assert_eq!(message.text(32).unwrap(), "");
    assert!(message.number(32).is_err(), "no digits are no number");
}
