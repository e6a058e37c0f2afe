//! Messages that are wrong, one row each: what the error says, and what can still be read of them.

use codecs::iso8583::{DecodeFault, Dialect, Fields, MAX_MESSAGE};

/// MTI, bitmap of the fields given, and their bytes as they are; `extra` bits are announced besides.
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

struct Row {
    bytes: Vec<u8>,
    error: &'static str,
    structural: bool,
    readable: &'static [u8],
}

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

#[rustfmt::skip]
fn ascii_rows() -> Vec<Row> {
    let all_but_4: &[u8] = &[2, 3, 7, 11, 41, 49];
    vec![
        Row { bytes: vec![], structural: true, readable: &[],
            error: "field 0 (message type) at byte 0: expected 4 bytes, found the end of the message after 0" },
        Row { bytes: b"01".to_vec(), structural: true, readable: &[],
            error: "field 0 (message type) at byte 0: expected 4 bytes, found the end of the message after 2" },
        Row { bytes: b"01A0".to_vec(), structural: true, readable: &[],
            error: "field 0 (message type) at byte 0: expected 4 digits, found 0x41 at byte 2" },
        Row { bytes: b"0100".to_vec(), structural: true, readable: &[],
            error: "field 1 (bitmap) at byte 4: expected 16 bytes, found the end of the message after 0" },
        Row { bytes: b"0100722000000080800".to_vec(), structural: true, readable: &[],
            error: "field 1 (bitmap) at byte 4: expected 16 bytes, found the end of the message after 15" },
        Row { bytes: b"01007220 00000808000".to_vec(), structural: true, readable: &[],
            error: "field 1 (bitmap) at byte 4: expected 16 hexadecimal characters, found 0x20 at byte 8" },
        Row { bytes: b"0800C22000000000000004".to_vec(), structural: true, readable: &[],
            error: "field 1 (bitmap) at byte 4: expected 32 bytes, found the end of the message after 18" },
        // Amount not a number: the rest is read all the same.
        Row { bytes: ascii(&[(4, b"0000000010A0")]), structural: false, readable: all_but_4,
            error: "field 4 (amount, transaction) at byte 44: expected 12 digits, found 0x41 at byte 54" },
        Row { bytes: ascii(&[(4, b"            ")]), structural: false, readable: all_but_4,
            error: "field 4 (amount, transaction) at byte 44: expected 12 digits, found 0x20 at byte 44" },
        // Two faults of content: the first is told, neither field is readable.
        Row { bytes: ascii(&[(3, b"0X0000"), (41, b"TERM\x00001")]), structural: false, readable: &[2, 4, 7, 11, 49],
            error: "field 3 (processing code) at byte 38: expected 6 digits, found 0x58 at byte 39" },
        // A fault of content, then a structural one: still the first.
        Row { bytes: ascii(&[(3, b"0X0000"), (32, b"1x")]), structural: false, readable: &[2, 4, 7, 11],
            error: "field 3 (processing code) at byte 38: expected 6 digits, found 0x58 at byte 39" },
        // Lengths. The kind of byte only is told of what is in a PAN; a length is no secret.
        Row { bytes: ascii(&[(2, b"1A9999990000000003")]), structural: true, readable: &[],
            error: "field 2 (primary account number) at byte 20: expected a length of 2 digits, found 0x41 at byte 21" },
        Row { bytes: ascii(&[(2, b"-19999990000000003")]), structural: true, readable: &[],
            error: "field 2 (primary account number) at byte 20: expected a length of 2 digits, found 0x2D at byte 20" },
        Row { bytes: ascii(&[(2, b"209999990000000000003")]), structural: true, readable: &[],
            error: "field 2 (primary account number) at byte 20: expected a length of at most 19, found 20" },
        Row { bytes: ascii(&[(55, b"9999F02")]), structural: true, readable: &[2, 3, 4, 7, 11, 41, 49],
            error: "field 55 (integrated circuit card data) at byte 83: expected a length of at most 510, found 999" },
        Row { bytes: ascii(&[(2, b"16999999000000000X")]), structural: false, readable: &[3, 4, 7, 11, 41, 49],
            error: "field 2 (primary account number) at byte 20: expected 16 digits, found a letter at byte 37" },
        Row { bytes: ascii(&[(2, b"16 999990000000003")]), structural: false, readable: &[3, 4, 7, 11, 41, 49],
            error: "field 2 (primary account number) at byte 20: expected 16 digits, found a space at byte 22" },
        Row { bytes: ascii(&[(14, b"29\xB2\xB3")]), structural: false, readable: &[2, 3, 4, 7, 11, 41, 49],
            error: "field 14 (date, expiration) at byte 72: expected 4 digits, found a byte above 0x7F at byte 74" },
        Row { bytes: ascii(&[(35, b"219999990000000003^2912")]), structural: false, readable: &[2, 3, 4, 7, 11, 41, 49],
            error: "field 35 (track 2 data) at byte 72: expected 21 digits or a separator (= or D), found a punctuation character at byte 90" },
        Row { bytes: ascii(&[(52, b"123456789ABCDEFG")]), structural: false, readable: &[2, 3, 4, 7, 11, 41, 49],
            error: "field 52 (personal identification number data) at byte 83: expected 16 hexadecimal characters, found a letter at byte 98" },
        Row { bytes: ascii(&[(55, b"0039F0")]), structural: false, readable: &[2, 3, 4, 7, 11, 41, 49],
            error: "field 55 (integrated circuit card data) at byte 83: expected an even number of hexadecimal characters, found 3" },
        Row { bytes: ascii(&[(28, b"X00000000")]), structural: false, readable: &[2, 3, 4, 7, 11, 41, 49],
            error: "field 28 (amount, transaction fee) at byte 72: expected 1 sign, C or D, with digits behind it, found 0x58 at byte 72" },
        Row { bytes: ascii(&[(28, b"D0000000 ")]), structural: false, readable: &[2, 3, 4, 7, 11, 41, 49],
            error: "field 28 (amount, transaction fee) at byte 72: expected 8 digits, found 0x20 at byte 80" },
        // Cut short.
        Row { bytes: ascii(&[])[..82].to_vec(), structural: true, readable: &[2, 3, 4, 7, 11, 41],
            error: "field 49 (currency code, transaction) at byte 80: expected 3 bytes, found the end of the message after 2" },
        Row { bytes: ascii(&[])[..30].to_vec(), structural: true, readable: &[],
            error: "field 2 (primary account number) at byte 20: expected 18 bytes, found the end of the message after 10" },
        Row { bytes: ascii(&[])[..21].to_vec(), structural: true, readable: &[],
            error: "field 2 (primary account number) at byte 20: expected 2 bytes, found the end of the message after 1" },
        Row { bytes: [ascii(&[]), b"840".to_vec()].concat(), structural: false, readable: &[2, 3, 4, 7, 11, 41, 49],
            error: "field 1 (bitmap) at byte 83: expected the end of the message, found 3 more bytes" },
        // A bit the dialect does not know: what comes before it can be read.
        Row { bytes: message("iso87-ascii", "0800", &[(7, b"1123091500"), (11, b"000042"), (70, b"301")], &[65]),
            structural: true, readable: &[7, 11],
            error: "field 65 (not defined in this dialect) at byte 52: expected bit 65 of the bitmap to be off, \
                    found it on, and no such field in the dialect, at byte 20" },
    ]
}

#[rustfmt::skip]
fn bcd_rows() -> Vec<Row> {
    let bcd = |fields: &[(u8, &[u8])]| message("iso87-bcd", "0100", fields, &[]);
    vec![
        Row { bytes: vec![0x01], structural: true, readable: &[],
            error: "field 0 (message type) at byte 0: expected 2 bytes, found the end of the message after 1" },
        Row { bytes: vec![0x01, 0xC0], structural: true, readable: &[],
            error: "field 0 (message type) at byte 0: expected 4 digits, found half byte 0xC at byte 1" },
        Row { bytes: bcd(&[(2, b"\x1A\x99"), (11, b"\x00\x00\x42")]), structural: true, readable: &[],
            error: "field 2 (primary account number) at byte 10: expected a length of 2 digits, found half byte 0xA at byte 10" },
        Row { bytes: bcd(&[(2, b"\x20\x99"), (11, b"\x00\x00\x42")]), structural: true, readable: &[],
            error: "field 2 (primary account number) at byte 10: expected a length of at most 19, found 20" },
        Row { bytes: bcd(&[(3, b"\x00\x00\x00"), (4, b"\x00\x00\x00\x00\x1D\x00"), (11, b"\x00\x00\x42")]), structural: false, readable: &[3, 11],
            error: "field 4 (amount, transaction) at byte 13: expected 12 digits, found half byte 0xD at byte 17" },
        Row { bytes: bcd(&[(2, b"\x03\x09\xA9"), (11, b"\x00\x00\x42")]), structural: false, readable: &[11],
            error: "field 2 (primary account number) at byte 10: expected 3 digits, found a half byte above 9 at byte 12" },
        // Padded on the other side: read as it stands, the PAN would be another one.
        Row { bytes: bcd(&[(2, b"\x03\x99\x9F"), (11, b"\x00\x00\x42")]), structural: false, readable: &[11],
            error: "field 2 (primary account number) at byte 10: expected padding by half byte 0x0, found another half byte at byte 11" },
        Row { bytes: bcd(&[(11, b"\x00\x00\x42"), (22, b"\xF0\x51")]), structural: false, readable: &[11],
            error: "field 22 (point of service entry mode) at byte 13: expected padding by half byte 0x0, found half byte 0xF at byte 13" },
        Row { bytes: bcd(&[(11, b"\x00\x00\x42"), (35, b"\x05\x99\xD2\x90")]), structural: false, readable: &[11],
            error: "field 35 (track 2 data) at byte 13: expected padding by half byte 0xF, found another half byte at byte 16" },
        Row { bytes: bcd(&[(11, b"\x00\x00\x42"), (35, b"\x04\x99\xE2")]), structural: false, readable: &[11],
            error: "field 35 (track 2 data) at byte 13: expected 4 digits or a separator (= or D), found a half byte above 9 at byte 15" },
        Row { bytes: bcd(&[(11, b"\x00\x00\x42"), (28, b"C\x00\x00\x0A\x00")]), structural: false, readable: &[11],
            error: "field 28 (amount, transaction fee) at byte 13: expected 8 digits, found half byte 0xA at byte 16" },
        Row { bytes: bcd(&[(11, b"\x00\x00\x42"), (55, b"\x02\x56\x9F\x02")]), structural: true, readable: &[11],
            error: "field 55 (integrated circuit card data) at byte 13: expected a length of at most 255, found 256" },
        Row { bytes: bcd(&[(11, b"\x00\x00\x42"), (55, b"\x01\x00\x9F\x02")]), structural: true, readable: &[11],
            error: "field 55 (integrated circuit card data) at byte 13: expected 102 bytes, found the end of the message after 4" },
        Row { bytes: message("iso87-bcd", "0800", &[(11, b"\x00\x00\x42"), (70, b"\x03\x01")], &[65]), structural: true, readable: &[11],
            error: "field 65 (not defined in this dialect) at byte 21: expected bit 65 of the bitmap to be off, \
                    found it on, and no such field in the dialect, at byte 10" },
    ]
}

#[test]
fn every_fault_names_field_offset_expected_and_found_and_leaves_the_rest_readable() {
    let mut fields = Fields::new(); // one for all rows: nothing may stay behind from the row before
    for (name, rows) in [("iso87-ascii", ascii_rows()), ("iso87-bcd", bcd_rows())] {
        let dialect = Dialect::shipped(name).unwrap();
        for row in rows {
            let error = dialect.decode(&row.bytes, &mut fields).expect_err(row.error);
            assert_eq!(error.to_string(), row.error);
            let readable: Vec<u8> = fields.present().iter().collect();
            assert_eq!(readable, row.readable, "{error}");
            assert!(!error.to_string().contains("9999"), "{error}");
            assert!(error.answer_text().len() <= 25, "{}", error.answer_text());
            assert_eq!(
                error.answer_text(),
                format!("FIELD {} BYTE {}", error.field(), error.found_at())
            );
            assert_eq!(error.is_structural(), row.structural, "{error}");
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
