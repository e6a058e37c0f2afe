//! This peer's own ISO 8583 form: bytes fixed by hand, what it refuses to read, what it refuses to
//! show.

use simulators::iso::{Message, mask_pan};

/// As pyiso8583 4.0.1 encodes the same fields with its `default_ascii` specification.
const ECHO: &[u8] = b"0800822000000000000004000000000000000704101112000042301";
const PURCHASE: &[u8] = b"01006000000000000000169999991200000001003000";

fn echo() -> Message {
    let message = Message::new("0800").unwrap();
    message.with(7, "0704101112").unwrap().with(11, "42").unwrap().with(70, "301").unwrap()
}

#[test]
fn bytes_are_those_of_an_independent_encoder() {
    assert_eq!(echo().to_bytes(), ECHO);
    let short = Message::new("0100").unwrap().with(2, "9999991200000001").unwrap();
    assert_eq!(short.with(3, "3000").unwrap().to_bytes(), PURCHASE);
}

#[test]
fn what_is_written_is_read() {
    let message = Message::new("0100")
        .unwrap()
        .with(2, "9999991200000001")
        .unwrap()
        .with(35, "9999991200000001=301220100000000")
        .unwrap()
        .with(41, "T1")
        .unwrap()
        .with(52, [0u8, 1, 2, 3, 4, 5, 0xFE, 0xFF])
        .unwrap()
        .with(55, [0x9F, 0x26, 0x01, 0x00])
        .unwrap()
        .with(90, "1")
        .unwrap();
    let read = Message::from_bytes(&message.to_bytes()).unwrap();
    assert_eq!(read, message);
    assert_eq!(read.text(41), Some("T1      "));
    assert_eq!(read.text(90).map(str::len), Some(42));
}

#[test]
fn every_cut_of_a_message_is_refused() {
    for length in 0..ECHO.len() {
        assert!(Message::from_bytes(&ECHO[..length]).is_err(), "{length} bytes");
    }
    assert!(Message::from_bytes(&[ECHO, b"x"].concat()).is_err());
}

#[test]
fn faults_are_named_and_contents_are_not() {
    let cases: [(&[u8], &str); 7] = [
        (b"08a0", "not four digits"),
        (b"0800822000000000000g", "bitmap"),
        (b"0800022000000000000a", "bitmap"),
        (b"01000800000000000000", "field 5"),
        (b"01004000000000000000209999", "field 2"),
        (b"010040000000000000001699999912000000x1", "field 2"),
        (b"01004000000000000000xx", "field 2"),
    ];
    for (bytes, says) in cases {
        let why = format!("{:#}", Message::from_bytes(bytes).unwrap_err());
        assert!(why.contains(says), "{why}");
        assert!(!why.contains("999999"), "{why}");
    }
}

#[test]
fn a_value_that_does_not_fit_is_refused() {
    let mut message = Message::new("0100").unwrap();
    let too_long = "9".repeat(20);
    for (field, value) in
        [(4, "1234567890123"), (4, "12.50"), (2, &too_long), (39, "é"), (8, "1"), (52, "1234567")]
    {
        assert!(message.set(field, value).is_err(), "field {field}");
    }
}

#[test]
fn nothing_shows_a_card_number_or_track() {
    let pan = "9999991200000001";
    let mut message = Message::new("0100").unwrap().with(2, pan).unwrap();
    message.set(35, "9999991200000001=30122011234567").unwrap();
    message.set(52, [0x41; 8]).unwrap();
    let shown = format!("{message:?}{}", message.describe());
    for secret in [pan, "1200000001", "3012201", "1234567", "AAAA"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("999999******0001"));
    assert_eq!(mask_pan("123456789012"), "************");
}
