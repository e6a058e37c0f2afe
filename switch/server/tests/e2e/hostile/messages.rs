//! Messages that lie: about lengths and bitmaps (T-08), and by characters that look like others
//! (T-09). In every shipped dialect.

use codecs::iso8583::{BitmapEncoding, Dialect, Encoding, NumeralEncoding};
use simulators::network::{Function, Malformed, NetworkPeer, Settings};

use super::{
    APPROVED, FORMAT_ERROR, address, binary2, counted, held, is_well, of, speaker,
    stage_of_dialects,
};
use crate::speaker::{Said, Speaker, Value};

/// Everything that comes before the answer to an echo sent now.
async fn answers_before_echo(speaker: &mut Speaker, stan: u32) -> Vec<Said> {
    let echo = speaker.management(Function::Echo, stan);
    speaker.send(&speaker.bytes(speaker.mti("800"), &echo)).await;
    let mut answers = Vec::new();
    loop {
        let said = speaker.answer().await;
        if said.mti.get(1..2) == Some("8") {
            return answers;
        }
        answers.push(said);
    }
}

/// The message with one bit of its first bitmap turned over.
fn with_bit_turned(dialect: &Dialect, good: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = good.to_vec();
    let first = dialect.mti_bytes();
    match dialect.bitmap_encoding() {
        BitmapEncoding::Binary => bytes[first + bit / 8] ^= 0x80 >> (bit % 8),
        BitmapEncoding::Hex => {
            let at = first + bit / 4;
            let value = char::from(bytes[at]).to_digit(16).expect("hexadecimal");
            let turned = value ^ (8 >> (bit % 4));
            let character = char::from_digit(turned, 16).expect("four bits").to_ascii_uppercase();
            bytes[at] = u8::try_from(character).expect("ASCII");
        }
    }
    bytes
}

/// T-08, bitmaps that lie and messages that end elsewhere: each bit turned over, each place to end,
/// and bytes behind the end. None is approved, none costs the connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_lies_about_its_fields_is_never_approved() {
    let stage = stage_of_dialects().await;
    let issued = stage.issue(1_000_000, 100_000).await;
    for name in Dialect::shipped_names() {
        let dialect = Dialect::shipped(name).expect("shipped");
        let mut peer = speaker(&stage, name).await;
        let mut draft = peer.purchase(&issued.pan, 1, 1_000);
        // One of six digits happens to make a whole message of a bitmap without field 14.
        draft.retain(|(field, _)| *field != 32);
        draft.push((32, Value::Text("98765432109".into())));
        let good = peer.bytes(peer.mti("100"), &draft);
        let turned = (0..64)
            .map(|bit| (format!("bit {} turned", bit + 1), with_bit_turned(&dialect, &good, bit)));
        let cut = (1..good.len()).map(|end| (format!("cut at {end}"), good[..end].to_vec()));
        let longer = [&b"0"[..], &[0; 8], b"0123456789"]
            .map(|more| ("longer".to_owned(), [&good[..], more].concat()));
        let approved = of(peer.version(), APPROVED);
        let (mut lies, mut answered) = (0, 0);
        for (what, lie) in turned.chain(cut).chain(longer) {
            peer.send(&lie).await;
            let answers = answers_before_echo(&mut peer, 2).await;
            assert!(answers.iter().all(|said| said.action != approved), "{name}: {what}");
            (lies, answered) = (lies + 1, answered + answers.len());
        }
        assert!(answered > lies / 3, "{name}: {answered} of {lies} are answered");
    }
    assert_eq!(held(&stage, issued.balance).await, 0);
    assert_eq!(counted(&stage, "cardswitch_link_opened_total", &[]).await, 10.0, "one for each");
    stage.end().await;
}

/// T-08, a field beyond its length: the format error names it, and what follows is not read.
#[tokio::test(flavor = "multi_thread")]
async fn a_length_beyond_the_field_is_a_format_error_that_names_it() {
    const ACQUIRER: u8 = 32;
    let stage = stage_of_dialects().await;
    let issued = stage.issue(1_000_000, 100_000).await;
    for (stan, name) in (1..).zip(Dialect::shipped_names()) {
        let dialect = Dialect::shipped(name).expect("shipped");
        let mut peer = speaker(&stage, name).await;
        let good = peer.bytes(peer.mti("100"), &peer.purchase(&issued.pan, stan, 1_000));
        let content = peer.content_offset(&good, ACQUIRER);
        let spec = dialect.spec(ACQUIRER).expect("every dialect has it");
        let nine = match spec.length_encoding {
            NumeralEncoding::Ascii => b'9',
            NumeralEncoding::Ebcdic => 0xF9,
            NumeralEncoding::Bcd | NumeralEncoding::Binary => 0x99,
        };
        let mut bytes = good.clone();
        bytes[content - spec.length_bytes()..content].fill(nine);
        peer.send(&bytes).await;
        let said = peer.answer().await;
        assert_eq!(said.action, of(peer.version(), FORMAT_ERROR), "{name}");
        let named = said.text.starts_with("FIELD 32 ") || said.error_set.contains("32");
        assert!(named, "{name}: {} {}", said.text, said.error_set);
        is_well(&mut peer, 900).await;
    }
    assert_eq!(held(&stage, issued.balance).await, 0);
    stage.end().await;
}

/// T-08, chance: two thousand frames made from a seed, in each dialect over one connection, which
/// is good to the end and then buys something.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_malformed_frames_in_each_dialect_leave_the_link_as_it_was() {
    let stage = stage_of_dialects().await;
    let issued = stage.issue(1_000_000, 100_000).await;
    for (count, name) in (1..).zip(Dialect::shipped_names()) {
        let dialect = Dialect::shipped(name).expect("shipped");
        let settings = Settings::new(dialect.into(), binary2());
        let peer = NetworkPeer::dial(address(&stage, name), settings).expect("a network");
        peer.ready().await.expect("connected");
        let what = Malformed { frames: 2_000, seed: 42, bad_length_every: 0 };
        peer.send_malformed(what).await.unwrap_or_else(|why| panic!("{name}: {why:#}"));
        let answer = peer.purchase(&issued.pan, 1_000).await.expect("answered");
        assert!(answer.text(38).is_some(), "{name}: {answer:?}");
        let tally = peer.tally();
        assert_eq!((tally.connected, tally.unreadable), (1, 0), "{name}: {tally:?}");
        assert_eq!(held(&stage, issued.balance).await, count * 1_000, "{name}: one purchase");
    }
    let defects = counted(&stage, "cardswitch_link_closed_total", &["cause=\"defect\""]).await;
    assert_eq!(defects, 0.0);
    stage.end().await;
}

/// Bytes that look like what belongs into a field of this encoding and are not it.
fn tricks(encoding: Encoding, digits: bool) -> &'static [u8] {
    match (encoding, digits) {
        // Neighbours of the digits, letters, blanks, NUL, escape, superscript two, the first byte
        // of a digit of another script in UTF-8, a digit in EBCDIC.
        (Encoding::Ascii, true) => b"/:AOlo \0\x1B\x7F\x80\xB2\xD9\xEF\xF0\xFF",
        (Encoding::Ascii, false) => b"\0\x08\n\r\x1B\x7F\x80\x9B\xB2\xD9\xEF\xFF",
        // A digit in ASCII, letters, blanks, controls.
        (Encoding::Ebcdic037 | Encoding::Ebcdic1047, true) => {
            b"09\xC1\xD6\x40\0\x27\xB2\xEF\xFA\xFF"
        }
        (Encoding::Ebcdic037 | Encoding::Ebcdic1047, false) => b"\0\x0D\x15\x25\x27\x3F\xFF",
        // A half byte above nine, in front and behind.
        (Encoding::Bcd, _) => b"\xA0\xB1\xC2\xD3\xE4\xF5\x0A\x1B\x2C\x3D\x4E\x5F\xFF",
        _ => b"",
    }
}

/// T-09, characters that look like others: in a number, an amount, a name and a place, each byte
/// that does not belong there is a format error, in every dialect.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_characters_of_its_type_stand_in_a_field() {
    let stage = stage_of_dialects().await;
    let issued = stage.issue(1_000_000, 100_000).await;
    for name in Dialect::shipped_names() {
        let dialect = Dialect::shipped(name).expect("shipped");
        let mut peer = speaker(&stage, name).await;
        let good = peer.bytes(peer.mti("100"), &peer.purchase(&issued.pan, 1, 1_000));
        let mut tried = 0;
        for (field, digits) in
            [(2, true), (3, true), (4, true), (14, true), (37, false), (42, false)]
        {
            let encoding = dialect.spec(field).expect("every dialect has it").encoding;
            let at = peer.content_offset(&good, field) + 1;
            for trick in tricks(encoding, digits) {
                let mut bytes = good.clone();
                bytes[at] = *trick;
                peer.send(&bytes).await;
                let said = peer.answer().await;
                let wanted = of(peer.version(), FORMAT_ERROR);
                assert_eq!(said.action, wanted, "{name}: {trick:02X} in field {field}");
                tried += 1;
            }
        }
        assert!(tried > 50, "{name}: {tried} tricks");
        is_well(&mut peer, 2).await;
    }
    assert_eq!(held(&stage, issued.balance).await, 0);
    stage.end().await;
}
