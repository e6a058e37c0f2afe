//! Frames as they come: several in a segment, one in many, with every framing; and what is none.

use codecs::framing::{Framing, HeaderForm, LengthHeader, Trailer};

use crate::rig::{DIALECTS, Rig, approved, header};

/// Every length that says where a frame of these messages ends, with what may stand around it.
fn framings() -> Vec<Framing> {
    let headers = [HeaderForm::None, HeaderForm::Tpdu, HeaderForm::Echo(12), HeaderForm::Station];
    let long_enough =
        LengthHeader::all().filter(|form| form.bytes() > 0 && form.capacity() > 4_096);
    let mut all = Vec::new();
    for (index, length) in long_enough.enumerate() {
        for inclusive in [false, true] {
            for trailer in [Trailer::None, Trailer::Etx] {
                // Each length with each header would be more of the same.
                let header = headers[(all.len() + index) % headers.len()];
                all.push(Framing { inclusive, trailer, header, ..Framing::new(length) });
            }
        }
    }
    all
}

#[tokio::test]
async fn every_framing_is_served_in_both_dialects() {
    for dialect in DIALECTS {
        for framing in framings() {
            let rig = Rig::with(dialect, |config| config.framing = framing);
            let mut peer = rig.connect().await;
            assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00", "{dialect} {framing:?}");
            // Two frames in one segment.
            peer.send_together(&[rig.request(2), rig.request(3)]).await;
            assert_eq!(peer.answer().await.text(11), "000002");
            let last = peer.answer().await;
            assert_eq!(last.text(11), "000003");
            let wanted = match framing.header {
                HeaderForm::None => None,
                form => Some(header(form).reply()),
            };
            // The total length of a station header is of its own message.
            let part = |header: &[u8]| {
                [&header[..3.min(header.len())], &header[5.min(header.len())..]].concat()
            };
            assert_eq!(
                last.frame.header.map(|header| part(header.as_bytes())),
                wanted.map(|header| part(header.as_bytes())),
                "{framing:?}"
            );
            // One frame in single bytes.
            for byte in peer.frame(&rig.request(4).bytes()) {
                peer.send_bytes(&[byte]).await;
                tokio::task::yield_now().await;
            }
            assert_eq!(peer.answer().await.text(11), "000004");
            assert_eq!(rig.metric("cardswitch_link_frames_in_total", ""), 4.0);
            assert_eq!(rig.metric("cardswitch_link_frames_out_total", ""), 4.0);
        }
    }
}

#[tokio::test]
async fn only_an_end_byte_is_enough_for_text() {
    let framing = Framing { trailer: Trailer::Etx, ..Framing::new(LengthHeader::None) };
    let rig = Rig::with("iso87-ascii", |config| config.framing = framing);
    let mut peer = rig.connect().await;
    peer.send_together(&[rig.request(1), rig.request(2)]).await;
    assert_eq!(peer.answer().await.text(11), "000001");
    assert_eq!(peer.answer().await.text(11), "000002");
}

#[tokio::test]
async fn a_transport_header_comes_back_with_its_addresses_exchanged() {
    let framing = Framing { header: HeaderForm::Tpdu, ..Framing::new(LengthHeader::Binary2) };
    let rig = Rig::with("iso87-bcd", |config| config.framing = framing);
    rig.script.hand_over();
    let mut peer = rig.connect().await;
    for draft in [rig.network(1, "301"), rig.request(2)] {
        let body = [&[0x60, 0x12, 0x34, 0x56, 0x78][..], &draft.bytes()].concat();
        let length = u16::try_from(body.len()).expect("short").to_be_bytes();
        peer.send_bytes(&[&length[..], &body].concat()).await;
        if draft.wire(2).is_some() {
            rig.script.next().await.reply.send(approved(2));
        }
        let header = peer.answer().await.frame.header.expect("a header");
        assert_eq!(header.as_bytes(), [0x60, 0x56, 0x78, 0x12, 0x34]);
    }
}

#[tokio::test]
async fn a_message_that_is_sent_back_is_counted_and_not_answered() {
    let framing = Framing { header: HeaderForm::Station, ..Framing::new(LengthHeader::Binary2) };
    let rig = Rig::with("iso87-ascii", |config| config.framing = framing);
    let mut peer = rig.connect().await;
    let own = peer.frame(&rig.request(1).bytes());
    let mut back = [0; 26];
    (back[0], back[25]) = (26, 0x07);
    let content = [&back[..], &own[2..]].concat();
    let length = u16::try_from(content.len()).expect("short").to_be_bytes();
    peer.send_bytes(&[&length[..], &content].concat()).await;
    assert_eq!(peer.ask(&rig.request(2)).await.text(11), "000002", "the first answer");
    assert_eq!(rig.metric("cardswitch_link_dropped_total", "sent_back"), 1.0);
}

#[tokio::test]
async fn a_keep_alive_is_no_message() {
    let rig = Rig::start("iso87-ascii");
    let mut peer = rig.connect().await;
    peer.send_bytes(&[0, 0, 0, 0]).await;
    assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
    assert_eq!(rig.metric("cardswitch_link_frames_in_total", ""), 1.0);
}

#[tokio::test]
async fn what_is_no_frame_closes_once_the_answers_that_are_owed_have_left() {
    for (length, wrong) in [
        (LengthHeader::Binary2, &b"\xFF\xFF"[..]),
        (LengthHeader::Binary2, b"0800"),
        (LengthHeader::Ascii(4), b"00x0"),
        (LengthHeader::Ascii(4), b"9999"),
        (LengthHeader::Bcd2, b"\x0A\x00"),
    ] {
        let rig = Rig::with("iso87-ascii", |config| config.framing = Framing::new(length));
        rig.script.hand_over();
        let mut peer = rig.connect().await;
        let good = peer.frame(&rig.request(1).bytes());
        peer.send_bytes(&[&good[..], wrong, &good].concat()).await;
        let owed = rig.script.next().await;
        owed.reply.send(approved(1));
        assert_eq!(peer.answer().await.text(11), "000001");
        peer.expect_end().await;
        assert!(rig.script.is_idle().await, "nothing behind a wrong length is read");
        let closed = rig.metric("cardswitch_link_closed_total", "malformed_frame");
        assert_eq!(closed, 1.0, "{length:?} {wrong:?}");
    }
}
