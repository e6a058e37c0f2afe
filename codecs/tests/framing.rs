//! Frames out of a byte stream and into it: split and joined anywhere, at the limit, past it, and
//! from peers that frame otherwise.

use bytes::{Bytes, BytesMut};
use codecs::framing::{
    Frame, FrameCodec, FrameError, Framing, FramingError, Header, HeaderForm, LengthHeader, Tpdu,
    Trailer,
};
use proptest::prelude::*;
use tokio_util::codec::{Decoder, Encoder};

/// Every length in front of a frame, counting itself and not, without and with a trailer.
fn framings() -> Vec<Framing> {
    let mut all = Vec::new();
    for length in LengthHeader::all() {
        for (inclusive, trailer) in [
            (false, Trailer::None),
            (true, Trailer::None),
            (false, Trailer::Etx),
            (true, Trailer::Etx),
        ] {
            let framing = Framing { inclusive, trailer, ..Framing::new(length) };
            if framing.check().is_ok() || length.capacity() < 4096 {
                all.push(framing);
            }
        }
    }
    assert_eq!(all.len(), 12 * 4 + 1, "a length form of none has one way");
    all
}

/// The framing with the longest frame that its length can say, up to so many bytes.
fn upto(framing: Framing, max_frame: usize) -> FrameCodec {
    let besides = framing.length.bytes() + framing.trailer.bytes();
    let max_frame = max_frame.min(framing.length.capacity() - besides);
    Framing { max_frame, ..framing }.codec().unwrap()
}

fn codec(length: LengthHeader, tpdu: bool, max_frame: usize) -> FrameCodec {
    let header = if tpdu { HeaderForm::Tpdu } else { HeaderForm::None };
    Framing { header, max_frame, ..Framing::new(length) }.codec().unwrap()
}

fn tpdu(destination: [u8; 2], source: [u8; 2]) -> Option<Header> {
    Some(Header::from(Tpdu::new(destination, source)))
}

/// A station header: destination 123456, source 654321, and something in all the rest.
fn station() -> Header {
    let bytes = hex::decode("1601020000123456654321c1a2a3a4a5a6a7a8a9aaab").unwrap();
    Header::take(HeaderForm::Station, &bytes).unwrap()
}

/// Feeds the bytes in pieces of `step` and collects what comes out.
fn feed(codec: &mut FrameCodec, bytes: &[u8], step: usize) -> Result<Vec<Frame>, FrameError> {
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    for piece in bytes.chunks(step) {
        buffer.extend_from_slice(piece);
        while let Some(frame) = codec.decode(&mut buffer)? {
            frames.push(frame);
        }
    }
    assert!(codec.decode_eof(&mut buffer)?.is_none());
    Ok(frames)
}

#[test]
fn frames_come_out_whole_however_the_segments_fall() {
    let echo = Header::take(HeaderForm::Echo(12), b"ISO005000070").unwrap();
    let headers = [
        (HeaderForm::None, None),
        (HeaderForm::Tpdu, tpdu([0, 3], [0x12, 0x34])),
        (HeaderForm::Echo(12), Some(echo)),
        (HeaderForm::Station, Some(station())),
    ];
    for framing in framings() {
        // ETX may not stand in a frame that only ETX ends: these headers and bodies have none.
        for (form, header) in headers {
            let numbers = matches!(form, HeaderForm::Tpdu | HeaderForm::Station);
            if framing.length == LengthHeader::None && numbers {
                continue;
            }
            let longest = if framing.length == LengthHeader::Ascii(2) { 60 } else { 700 };
            let mut codec = upto(Framing { header: form, ..framing }, 2000);
            let mut wire = BytesMut::new();
            let bodies = [vec![b'a'], vec![b'b'; longest], vec![0; 50], b"0800".to_vec()];
            for body in &bodies {
                let frame = Frame { header, body: Bytes::from(body.clone()) };
                codec.encode(frame, &mut wire).unwrap();
            }
            for step in [1, 2, 3, 7, 1000, wire.len()] {
                let frames = feed(&mut codec, &wire, step).unwrap();
                assert_eq!(frames.len(), bodies.len(), "{framing:?}");
                for (frame, body) in frames.iter().zip(&bodies) {
                    assert_eq!(frame.body, body);
                    let known = frame.header.map(|header| header.as_bytes().to_vec());
                    let mut sent = header.map(|header| header.as_bytes().to_vec());
                    if form == HeaderForm::Station {
                        sent.as_mut().unwrap()[4] = 22 + body.len() as u8;
                        sent.as_mut().unwrap()[3] = ((22 + body.len()) >> 8) as u8;
                    }
                    assert_eq!(known, sent, "{framing:?}");
                }
            }
        }
    }
}

/// What stands in front of a message of 300 bytes, and behind it, with each framing in use.
#[test]
fn the_length_counts_what_it_is_said_to() {
    let plain = Framing::new;
    let inclusive = |length| Framing { inclusive: true, ..plain(length) };
    let etx = |length| Framing { trailer: Trailer::Etx, ..plain(length) };
    let with_tpdu = |length| Framing { header: HeaderForm::Tpdu, ..plain(length) };
    let table = [
        (plain(LengthHeader::Binary2), "012c", ""),
        (inclusive(LengthHeader::Binary2), "012e", ""),
        (plain(LengthHeader::Binary3), "00012c", ""),
        (inclusive(LengthHeader::Binary3), "00012f", ""),
        (plain(LengthHeader::Binary4), "0000012c", ""),
        (inclusive(LengthHeader::Binary4), "00000130", ""),
        (plain(LengthHeader::Binary2Zero2), "012c0000", ""),
        (plain(LengthHeader::Zero2Binary2), "0000012c", ""),
        (plain(LengthHeader::Ascii(3)), "333030", ""),
        (plain(LengthHeader::Ascii(4)), "30333030", ""),
        (inclusive(LengthHeader::Ascii(4)), "30333034", ""),
        (plain(LengthHeader::Ascii(6)), "303030333030", ""),
        (plain(LengthHeader::Hex4), "30313263", ""),
        (plain(LengthHeader::Bcd2), "0300", ""),
        (inclusive(LengthHeader::Bcd2), "0302", ""),
        (etx(LengthHeader::Binary2), "012d", "03"),
        (etx(LengthHeader::None), "", "03"),
        (with_tpdu(LengthHeader::Binary2), "01316000030001", ""),
        (with_tpdu(LengthHeader::Ascii(4)), "303330356000030001", ""),
        (with_tpdu(LengthHeader::Bcd2), "03056000030001", ""),
    ];
    for (framing, front, behind) in table {
        let codec = upto(framing, 400);
        let mut out = BytesMut::new();
        codec.append(tpdu([0, 3], [0, 1]), &[0xEE; 300], &mut out).unwrap();
        let wanted = format!("{front}{}{behind}", "ee".repeat(300));
        assert_eq!(hex::encode(&out), wanted, "{framing:?}");
        let frames = feed(&mut codec.clone(), &out, out.len()).unwrap();
        assert_eq!(frames[0].body, vec![0xEE; 300]);
    }
}

#[test]
fn a_length_is_read_in_either_case_and_with_what_peers_add_to_it() {
    let one = |length, wire: &[u8]| feed(&mut codec(length, false, 400), wire, 1).unwrap();
    let mut wire = b"012C".to_vec();
    wire.extend([b'x'; 300]);
    assert_eq!(one(LengthHeader::Hex4, &wire)[0].body.len(), 300);
    let marked = one(LengthHeader::Binary2Zero2, b"\x00\x02\x00\x01AB");
    assert_eq!(marked[0].body, "AB", "a mark behind the length");
    // Zeros are a keep-alive also where a length counts itself.
    let framing = Framing { inclusive: true, ..Framing::new(LengthHeader::Binary2) };
    let mut codec = framing.codec().unwrap();
    let frames = feed(&mut codec, b"\x00\x00\x00\x02\x00\x03A", 1).unwrap();
    assert_eq!((frames.len(), codec.keep_alives()), (1, 2));
    let error = codec.decode(&mut BytesMut::from(&b"\x00\x01A"[..])).unwrap_err();
    assert!(matches!(error, FrameError::BelowItself { length: 1, own: 2 }), "{error}");
}

#[test]
fn an_end_byte_that_is_missing_or_within_is_a_fault() {
    let etx = |length| Framing { trailer: Trailer::Etx, ..Framing::new(length) }.codec().unwrap();
    let mut with_length = etx(LengthHeader::Binary2);
    let error = with_length.decode(&mut BytesMut::from(&b"\x00\x03ABC"[..])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the frame ends with 0x43 instead of 0x03 (ETX): has the peer no trailer?"
    );
    let mut out = BytesMut::new();
    with_length.append(None, b"A\x03B", &mut out).unwrap();
    assert_eq!(feed(&mut with_length, &out, 1).unwrap()[0].body, "A\x03B", "the length decides");

    let mut without = etx(LengthHeader::None);
    let mut out = BytesMut::new();
    let error = without.append(None, b"A\x03B", &mut out).unwrap_err();
    assert!(matches!(error, FrameError::TrailerWithin { index: 1 }) && out.is_empty(), "{error}");
    let endless = vec![b'x'; 4097];
    let error = feed(&mut without, &endless, 1000).unwrap_err();
    assert!(matches!(error, FrameError::TooLong { max: 4096, .. }), "{error}");
}

#[test]
fn an_answer_goes_back_to_the_address_the_request_came_from() {
    let header = |form| Framing { header: form, ..Framing::new(LengthHeader::Binary2) };
    let table = [
        (HeaderForm::Tpdu, "0007 60 0003 1234 4142", "0007 60 1234 0003 4344"),
        (HeaderForm::Echo(3), "0005 494f53 4142", "0005 494f53 4344"),
        (
            HeaderForm::Station,
            "0018 16 01 02 0018 123456 654321 c1 a2a3 a4a5a6 a7 a8a9aa ab 4142",
            "0018 16 01 02 0018 654321 123456 c1 a2a3 a4a5a6 a7 a8a9aa ab 4344",
        ),
    ];
    for (form, request, answer) in table {
        let mut codec = header(form).codec().unwrap();
        let wire = hex::decode(request.replace(' ', "")).unwrap();
        let request = feed(&mut codec, &wire, wire.len()).unwrap().remove(0);
        assert_eq!(request.body, "AB");
        let mut out = BytesMut::new();
        codec.encode(request.reply(Bytes::from_static(b"CD")), &mut out).unwrap();
        assert_eq!(hex::encode(out), answer.replace(' ', ""));
    }
}

#[test]
fn a_message_that_the_network_sends_back_says_why() {
    let framing =
        Framing { header: HeaderForm::Station, ..Framing::new(LengthHeader::Binary2Zero2) };
    let mut codec = framing.codec().unwrap();
    let front = "1a 01 02 0034 123456 654321 00 0000 000000 00 000000 00 8000 0603";
    let own = "16 01 02 001a 654321 123456 00 0000 000000 00 000000 00";
    let content = hex::decode(format!("{front}{own}30313030").replace(' ', "")).unwrap();
    let mut wire = vec![0, content.len() as u8, 0, 0];
    wire.extend(&content);
    let frames = feed(&mut codec, &wire, 1).unwrap();
    assert_eq!(frames[0].header.unwrap().reject_code(), Some(603));
    assert_eq!(frames[0].body, "0100", "without the header that it was sent with");
    let usual = hex::decode(format!("{own}30313030").replace(' ', "")).unwrap();
    assert_eq!(Header::take(HeaderForm::Station, &usual).unwrap().reject_code(), None);
    assert!(Header::take(HeaderForm::Station, &[21; 40]).is_none());
}

#[test]
fn a_frame_too_short_for_its_tpdu_does_not_cost_the_connection() {
    let mut codec = codec(LengthHeader::Binary2, true, 100);
    let wire = hex::decode("0002414200086000030001434445").unwrap();
    let frames = feed(&mut codec, &wire, 1).unwrap();
    assert_eq!((frames[0].header, &frames[0].body[..]), (None, &b"AB"[..]));
    assert_eq!((frames[1].header.is_some(), &frames[1].body[..]), (true, &b"CDE"[..]));
}

#[test]
fn keep_alives_are_counted_and_not_given_out() {
    for framing in framings() {
        let mut codec = upto(framing, 90);
        let mut wire = BytesMut::new();
        codec.append_keep_alive(&mut wire);
        codec.append(None, b"x", &mut wire).unwrap();
        codec.append_keep_alive(&mut wire);
        codec.append_keep_alive(&mut wire);
        assert_eq!(feed(&mut codec, &wire, 1).unwrap().len(), 1);
        assert_eq!(codec.keep_alives(), 3);
    }
}

#[test]
fn the_limit_is_inclusive_and_checked_before_reserving() {
    for framing in framings().into_iter().filter(|one| one.length != LengthHeader::None) {
        let mut exact = upto(framing, 64);
        let mut wire = BytesMut::new();
        exact.append(None, &[b'x'; 64], &mut wire).unwrap();
        assert_eq!(feed(&mut exact, &wire, 5).unwrap().len(), 1);

        let mut smaller = upto(framing, 63);
        let mut only_length = BytesMut::from(&wire[..framing.length.bytes()]);
        let capacity = only_length.capacity();
        let error = smaller.decode(&mut only_length).unwrap_err();
        assert!(matches!(error, FrameError::TooLong { hint: None, .. }), "{error}");
        assert_eq!(only_length.capacity(), capacity, "nothing reserved for it");

        let mut out = BytesMut::new();
        assert!(matches!(
            smaller.append(None, &[0; 64], &mut out),
            Err(FrameError::TooLong { length: 64, max: 63, .. })
        ));
        assert!(matches!(smaller.append(None, &[], &mut out), Err(FrameError::Empty)));
        assert!(out.is_empty());
    }
    let mut out = BytesMut::new();
    let with_tpdu = codec(LengthHeader::Binary2, true, 64);
    assert!(matches!(with_tpdu.append(None, b"x", &mut out), Err(FrameError::HeaderMissing)));
    let address = tpdu([0, 0], [0, 0]);
    assert!(with_tpdu.append(address, &[0; 60], &mut out).is_err(), "the TPDU counts");
    with_tpdu.append(address, &[0; 59], &mut out).unwrap();
}

#[test]
fn a_peer_that_frames_otherwise_is_told_what_it_looks_like() {
    const ASCII: &str = "; length bytes look like ASCII digits: is the peer's framing ascii4?";
    const BINARY: &str = "; length bytes look like a binary length: is the peer's framing binary2?";
    let too_long = |length, max| format!("frame of {length} bytes, at most {max} allowed");
    let digit = |index, byte| format!("byte {index} of the frame length is {byte}, not a digit");
    let table: [(LengthHeader, &[u8], usize, String, &str); 9] = [
        (LengthHeader::Binary2, b"0100", 4096, too_long(12337, 4096), ASCII),
        (LengthHeader::Binary2, b"\xFF\xFF", 4096, too_long(65535, 4096), ""),
        (LengthHeader::Ascii(4), b"\x01\x2C01", 4096, digit(0, "0x01"), BINARY),
        (LengthHeader::Ascii(4), b"03a0", 4096, digit(2, "0x61"), ""),
        (LengthHeader::Ascii(4), b"-001", 4096, digit(0, "0x2D"), ""),
        (LengthHeader::Ascii(4), b"9999", 4096, too_long(9999, 4096), ""),
        (LengthHeader::Bcd2, b"\x01\x2C", 4096, digit(1, "0x2C"), BINARY),
        (LengthHeader::Bcd2, b"\xA0\x01", 4096, digit(0, "0xA0"), ""),
        (LengthHeader::Bcd2, b"99", 1000, too_long(3939, 1000), ASCII),
    ];
    for (header, wire, max, wanted, hint) in table {
        let error = codec(header, false, max).decode(&mut BytesMut::from(wire)).unwrap_err();
        assert_eq!(error.to_string(), wanted + hint);
    }
}

#[test]
fn a_connection_that_ends_within_a_frame_says_so() {
    for framing in framings() {
        let mut codec = upto(framing, 90);
        let mut wire = BytesMut::new();
        codec.append(None, b"message", &mut wire).unwrap();
        wire.truncate(wire.len() - 1);
        let have = wire.len();
        let error = codec.decode_eof(&mut wire).unwrap_err();
        assert!(matches!(error, FrameError::CutShort { have: h } if h == have), "{error}");
    }
}

#[test]
fn a_framing_that_cannot_work_is_refused() {
    for (header, tpdu, max_frame, fine) in [
        (LengthHeader::Binary2, false, 65_535, true),
        (LengthHeader::Binary2, false, 65_536, false),
        (LengthHeader::Binary4, false, 65_535, true),
        (LengthHeader::Binary4, false, 65_536, false),
        (LengthHeader::Ascii(4), false, 9999, true),
        (LengthHeader::Ascii(2), false, 100, false),
        (LengthHeader::Ascii(7), false, 100, false),
        (LengthHeader::Ascii(1), false, 9, false),
        (LengthHeader::Bcd2, false, 10_000, false),
        (LengthHeader::Bcd2, false, 0, false),
        (LengthHeader::Bcd2, true, 5, false),
        (LengthHeader::Bcd2, true, 6, true),
    ] {
        let form = if tpdu { HeaderForm::Tpdu } else { HeaderForm::None };
        let framing = Framing { header: form, max_frame, ..Framing::new(header) };
        assert_eq!(framing.codec().is_ok(), fine, "{framing:?}");
    }
    let error = Framing { max_frame: 0, ..Framing::new(LengthHeader::Bcd2) }.check().unwrap_err();
    assert!(error.to_string().contains("must be from 1 to 9999"), "{error}");
    let plain = Framing::new(LengthHeader::Binary2);
    let full = Framing { max_frame: 65_534, inclusive: true, ..plain };
    assert!(matches!(full.check(), Err(FramingError::MaxFrame { max: 65_533, .. })));
    let none = Framing { length: LengthHeader::None, ..plain };
    assert_eq!(none.check(), Err(FramingError::NoEnd));
    let itself = Framing { inclusive: true, trailer: Trailer::Etx, ..none };
    assert_eq!(itself.check(), Err(FramingError::NothingInclusive));
    // An answer of 747 bytes would have 03 in its total, and could never be sent.
    let total = Framing { header: HeaderForm::Station, trailer: Trailer::Etx, ..none };
    assert_eq!(total.check(), Err(FramingError::StationWithoutLength));
    for bytes in [0, 31] {
        let echo = Framing { header: HeaderForm::Echo(bytes), ..plain };
        assert!(matches!(echo.check(), Err(FramingError::Echo { max: 30, .. })));
    }
}

#[test]
fn a_framing_is_read_from_configuration() {
    let framing: Framing = toml::from_str("length = \"bcd2\"\nheader = \"tpdu\"").unwrap();
    let wanted = Framing { header: HeaderForm::Tpdu, ..Framing::new(LengthHeader::Bcd2) };
    assert_eq!(framing, wanted);
    let text = "length = \"ascii5\"\ninclusive = true\ntrailer = \"etx\"\nheader = { echo = 12 }";
    let framing: Framing = toml::from_str(text).unwrap();
    assert_eq!(framing.length, LengthHeader::Ascii(5));
    assert_eq!((framing.inclusive, framing.trailer), (true, Trailer::Etx));
    assert_eq!(framing.header, HeaderForm::Echo(12));
    for length in LengthHeader::all() {
        let framing: Framing = toml::from_str(&format!("length = \"{length}\"")).unwrap();
        assert_eq!(framing.length, length, "its name is what is read");
    }
    let error = toml::from_str::<Framing>("length = \"bcd3\"").unwrap_err().to_string();
    assert!(error.contains("'bcd3' is no length form; there are binary2,"), "{error}");
    assert!(toml::from_str::<Framing>("length = \"bcd2\"\nmax = 1").is_err());
}

proptest! {
    #[test]
    fn any_bodies_in_any_segments_come_out_as_they_went_in(
        bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 1..8),
        framing in prop::sample::select(framings()),
        step in 1usize..300,
    ) {
        let mut codec = upto(framing, 200);
        let longest = codec.framing().max_frame;
        let bodies: Vec<Vec<u8>> = bodies
            .into_iter()
            .map(|body| body.into_iter().filter(|byte| *byte != 3).take(longest).collect())
            .filter(|body: &Vec<u8>| !body.is_empty())
            .collect();
        let mut wire = BytesMut::new();
        for body in &bodies {
            codec.append(None, body, &mut wire).unwrap();
        }
        let frames = feed(&mut codec, &wire, step).unwrap();
        prop_assert_eq!(frames.iter().map(|frame| frame.body.to_vec()).collect::<Vec<_>>(), bodies);
    }

    #[test]
    fn any_bytes_give_frames_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        framing in prop::sample::select(framings()),
        header in prop::sample::select(&[
            HeaderForm::None, HeaderForm::Tpdu, HeaderForm::Echo(7), HeaderForm::Station,
        ][..]),
    ) {
        let mut buffer = BytesMut::from(&bytes[..]);
        prop_assume!(framing.length != LengthHeader::None || header != HeaderForm::Station);
        let mut codec = upto(Framing { header, ..framing }, 100);
        while let Ok(Some(frame)) = codec.decode(&mut buffer) {
            prop_assert!(frame.body.len() <= 100);
        }
    }
}

/// Cases collected elsewhere, read when `CARDSWITCH_SAMPLES` names their directory.
#[test]
fn collected_framing_cases_agree() {
    let Some(directory) = std::env::var_os("CARDSWITCH_SAMPLES") else { return };
    let path = std::path::Path::new(&directory).join("framing-cases.json");
    let cases: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let plain = Framing::new;
    let inclusive = |length| Framing { inclusive: true, ..plain(length) };
    let etx = |length| Framing { trailer: Trailer::Etx, ..plain(length) };
    for case in cases["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let framing = match id {
            "be2-exclusive" => plain(LengthHeader::Binary2),
            "be2-inclusive" => inclusive(LengthHeader::Binary2),
            "be3" => plain(LengthHeader::Binary3),
            "be4-exclusive" => plain(LengthHeader::Binary4),
            "be4-inclusive" => inclusive(LengthHeader::Binary4),
            "ascii4" => plain(LengthHeader::Ascii(4)),
            "hex4-ascii" => plain(LengthHeader::Hex4),
            "bcd2" => plain(LengthHeader::Bcd2),
            "be2-plus-2-zero" => plain(LengthHeader::Binary2Zero2),
            "2-zero-plus-be2" => plain(LengthHeader::Zero2Binary2),
            "be2-trailer-etx" => etx(LengthHeader::Binary2),
            "etx-only" => etx(LengthHeader::None),
            _ => panic!("no framing for {id}"),
        };
        let mut out = BytesMut::new();
        upto(framing, 300).append(None, &[1; 300], &mut out).unwrap();
        let part = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
        let front = part("header_for_body_len_300");
        let wanted = format!("{front}{}{}", "01".repeat(300), part("trailer"));
        assert_eq!(hex::encode(&out), wanted, "{id}");
    }
}
