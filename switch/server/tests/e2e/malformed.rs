//! Bad input to the whole switch: each ends in a coded answer or a counted drop, and none costs the
//! link or changes money. The network's own tests have the full table in both dialects.

use crate::stage::{Stage, purchase};

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_answered_and_the_link_goes_on() {
    let stage = Stage::start().await;
    let issued = stage.issue(1_000_000_000, 50_000).await;
    let mut peer = stage.peer(1).await;
    let message = |stan| purchase(&issued.pan, stan, 1_000);
    let with = |stan, field: u8, value: &str| message(stan).with(field, value).expect("set");
    let unknown = {
        let payload = b"999999129999999";
        let check = switch_domain::Pan::check_digit(payload);
        format!("{}{}", String::from_utf8_lossy(payload), char::from(check))
    };
    let cases = [
        ("cash for nothing", with(1, 4, "000000000000").with(3, "010000").expect("set"), "13"),
        ("maximum amount", with(2, 4, "999999999999"), "51"),
        ("other currency", with(3, 49, "840"), "57"),
        ("unknown currency code", with(4, 49, "000"), "30"),
        ("unknown card", with(5, 2, &unknown), "14"),
        ("not our BIN", with(6, 2, "4111111111111111"), "92"),
        ("another expiry", with(7, 14, "4911"), "54"),
        ("a processing code that is not served", with(8, 3, "990000"), "12"),
        ("nothing wrong", message(9), "00"),
    ];
    for (name, request, expected) in &cases {
        let answer = peer.exchange(0, request).await.expect(name);
        assert_eq!((answer.mti(), answer.text(39)), ("0110", Some(*expected)), "{name}");
    }
    let mut absent = message(10);
    absent.remove(2);
    let answer = peer.exchange(0, &absent).await.expect("an answer");
    assert_eq!(answer.text(39), Some("30"), "no card number at all");
    let mut differing = message(11);
    differing.set(35, format!("{unknown}=49121011000012300000")).expect("set");
    let answer = peer.exchange(0, &differing).await.expect("an answer");
    assert_eq!(answer.text(39), Some("63"), "two card numbers");
    let balance = stage.services().node().balance(issued.balance).await.expect("there");
    assert_eq!(balance.held.0, 1_000, "only what was approved is held");
    stage.end().await;
}
