//! No log line shows a card number, a track, or any field that a peer sent wrong.

use crate::rig::{DIALECTS, Log, Rig};

#[tokio::test]
async fn logs_hold_no_card_data() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let mut peer = rig.connect().await;
        let track = "9999991200000018=29122011234567";
        for draft in [
            rig.request(1),
            rig.request(2).set(35, track),
            rig.request(3).set(35, track).set(49, "000"),
            rig.request(4).set(35, &track.replace("2912", "2913")),
            rig.request(5).set(2, "99999912000").set(35, track),
            rig.request(6).set(35, track).raw(65, b"0"),
        ] {
            peer.ask(&draft).await;
        }
        peer.send_body(&rig.request(7).set(35, track).cut(60)).await;
        peer.answer().await;
        peer.send_bytes(b"9999991200000018").await;
        peer.expect_end().await;
    }
    // Of this test, and of all others that ran before or beside it.
    let text = Log::of_this_process().text();
    assert!(text.contains("field 49 is not a numeric currency code"), "{text}");
    assert!(text.contains("FIELD") || text.contains("field 35"), "{text}");
    for secret in ["9999991200000018", "99999912000", "2912201", "1234567", "00000018"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
