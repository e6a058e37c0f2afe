//! Frames as they come: several in a segment, one in many, with every framing; and what is none.

use codecs::framing::{Framing, LengthHeader};

use crate::rig::{DIALECTS, Rig, approved};

#[tokio::test]
async fn every_framing_is_served_in_both_dialects() {
    for dialect in DIALECTS {
        for length in [LengthHeader::Binary2, LengthHeader::Ascii4, LengthHeader::Bcd2] {
            let rig = Rig::with(dialect, |config| config.framing = Framing::new(length));
            let mut peer = rig.connect().await;
            assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00", "{dialect} {length:?}");
            // Two frames in one segment.
            peer.send_together(&[rig.request(2), rig.request(3)]).await;
            assert_eq!(peer.answer().await.text(11), "000002");
            assert_eq!(peer.answer().await.text(11), "000003");
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
async fn a_transport_header_comes_back_with_its_addresses_exchanged() {
    let framing = Framing { tpdu: true, ..Framing::new(LengthHeader::Binary2) };
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
        assert_eq!(header.to_bytes(), [0x60, 0x56, 0x78, 0x12, 0x34]);
    }
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
        (LengthHeader::Ascii4, b"00x0"),
        (LengthHeader::Ascii4, b"9999"),
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
