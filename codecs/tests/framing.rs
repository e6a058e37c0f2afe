//! Frames out of a byte stream and into it: split and joined anywhere, at the limit, past it, and
//! from peers that frame otherwise.

use bytes::{Bytes, BytesMut};
use codecs::framing::{Frame, FrameCodec, FrameError, Framing, LengthHeader, Tpdu};
use proptest::prelude::*;
use tokio_util::codec::{Decoder, Encoder};

const HEADERS: [LengthHeader; 3] =
    [LengthHeader::Binary2, LengthHeader::Ascii4, LengthHeader::Bcd2];

fn codec(length: LengthHeader, tpdu: bool, max_frame: usize) -> FrameCodec {
    Framing { length, tpdu, max_frame }.codec().unwrap()
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
    for header in HEADERS {
        for tpdu in [false, true] {
            let mut codec = codec(header, tpdu, 2000);
            let mut wire = BytesMut::new();
            let bodies = [vec![b'a'], vec![b'b'; 1995], vec![0; 300], b"0800".to_vec()];
            let address = tpdu.then(|| Tpdu::new([0, 3], [0x12, 0x34]));
            for body in &bodies {
                let frame = Frame { header: address, body: Bytes::from(body.clone()) };
                codec.encode(frame, &mut wire).unwrap();
            }
            for step in [1, 2, 3, 7, 1000, wire.len()] {
                let frames = feed(&mut codec, &wire, step).unwrap();
                assert_eq!(frames.len(), bodies.len());
                for (frame, body) in frames.iter().zip(&bodies) {
                    assert_eq!(frame.body, body);
                    assert_eq!(frame.header, address);
                }
            }
        }
    }
}

#[test]
fn the_length_counts_what_follows_it_and_nothing_else() {
    for (header, tpdu, wire) in [
        (LengthHeader::Binary2, false, "012c"),
        (LengthHeader::Ascii4, false, "30333030"),
        (LengthHeader::Bcd2, false, "0300"),
        (LengthHeader::Binary2, true, "01316000030001"),
        (LengthHeader::Ascii4, true, "303330356000030001"),
        (LengthHeader::Bcd2, true, "03056000030001"),
    ] {
        let mut out = BytesMut::new();
        let address = Tpdu::new([0, 3], [0, 1]);
        codec(header, tpdu, 400).append(Some(address), &[0xEE; 300], &mut out).unwrap();
        assert_eq!(hex::encode(&out[..out.len() - 300]), wire);
    }
}

#[test]
fn an_answer_goes_back_to_the_address_the_request_came_from() {
    let mut codec = codec(LengthHeader::Binary2, true, 100);
    let wire = hex::decode("0007 60 0003 1234 4142".replace(' ', "")).unwrap();
    let request = feed(&mut codec, &wire, wire.len()).unwrap().remove(0);
    let mut out = BytesMut::new();
    codec.encode(request.reply(Bytes::from_static(b"CD")), &mut out).unwrap();
    assert_eq!(hex::encode(out), "00076012340003 4344".replace(' ', ""));
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
    for header in HEADERS {
        let mut codec = codec(header, false, 100);
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
    for header in HEADERS {
        let mut exact = codec(header, false, 64);
        let mut wire = BytesMut::new();
        exact.append(None, &[b'x'; 64], &mut wire).unwrap();
        assert_eq!(feed(&mut exact, &wire, 5).unwrap().len(), 1);

        let mut smaller = codec(header, false, 63);
        let mut only_length = BytesMut::from(&wire[..header.bytes()]);
        let capacity = only_length.capacity();
        let error = smaller.decode(&mut only_length).unwrap_err();
        assert_eq!(error.to_string(), "frame of 64 bytes, at most 63 allowed");
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
    assert!(matches!(with_tpdu.append(None, b"x", &mut out), Err(FrameError::TpduMissing)));
    let address = Some(Tpdu::new([0, 0], [0, 0]));
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
        (LengthHeader::Ascii4, b"\x01\x2C01", 4096, digit(0, "0x01"), BINARY),
        (LengthHeader::Ascii4, b"03a0", 4096, digit(2, "0x61"), ""),
        (LengthHeader::Ascii4, b"-001", 4096, digit(0, "0x2D"), ""),
        (LengthHeader::Ascii4, b"9999", 4096, too_long(9999, 4096), ""),
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
    for header in HEADERS {
        let mut codec = codec(header, false, 100);
        let mut wire = BytesMut::new();
        codec.append(None, b"message", &mut wire).unwrap();
        wire.truncate(wire.len() - 1);
        let have = wire.len();
        let error = codec.decode_eof(&mut wire).unwrap_err();
        assert!(matches!(error, FrameError::CutShort { have: h } if h == have), "{error}");
    }
}

#[test]
fn a_limit_the_length_cannot_say_is_refused() {
    for (header, tpdu, max_frame, fine) in [
        (LengthHeader::Binary2, false, 65_535, true),
        (LengthHeader::Binary2, false, 65_536, false),
        (LengthHeader::Ascii4, false, 9999, true),
        (LengthHeader::Bcd2, false, 10_000, false),
        (LengthHeader::Bcd2, false, 0, false),
        (LengthHeader::Bcd2, true, 5, false),
        (LengthHeader::Bcd2, true, 6, true),
    ] {
        assert_eq!(Framing { length: header, tpdu, max_frame }.codec().is_ok(), fine);
    }
    let error = Framing { max_frame: 0, ..Framing::new(LengthHeader::Bcd2) }.check().unwrap_err();
    assert!(error.to_string().contains("must be from 1 to 9999"), "{error}");
}

#[test]
fn a_framing_is_read_from_configuration() {
    let framing: Framing = toml::from_str("length = \"bcd2\"\ntpdu = true").unwrap();
    assert_eq!(framing, Framing { length: LengthHeader::Bcd2, tpdu: true, max_frame: 4096 });
    assert!(toml::from_str::<Framing>("length = \"bcd3\"").is_err());
    assert!(toml::from_str::<Framing>("length = \"bcd2\"\nmax = 1").is_err());
}

proptest! {
    #[test]
    fn any_bodies_in_any_segments_come_out_as_they_went_in(
        bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 1..8),
        header in prop::sample::select(&HEADERS[..]),
        step in 1usize..300,
    ) {
        let mut codec = codec(header, false, 200);
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
        header in prop::sample::select(&HEADERS[..]),
        tpdu in any::<bool>(),
    ) {
        let mut buffer = BytesMut::from(&bytes[..]);
        let mut codec = codec(header, tpdu, 100);
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
    let mut seen = 0;
    for case in cases["cases"].as_array().unwrap() {
        let header = match case["id"].as_str().unwrap() {
            "be2-exclusive" => LengthHeader::Binary2,
            "ascii4" => LengthHeader::Ascii4,
            "bcd2" => LengthHeader::Bcd2,
            _ => continue,
        };
        let mut out = BytesMut::new();
        codec(header, false, 300).append(None, &[1; 300], &mut out).unwrap();
        let wanted = case["header_for_body_len_300"].as_str().unwrap();
        assert_eq!(hex::encode(&out[..header.bytes()]), wanted);
        seen += 1;
    }
    assert_eq!(seen, 3);
}
