//! Reading `demo.json`: what is needed, what is ignored, what is refused.

use simulators::demo_file::DemoFile;

fn file(dialect: &str, cards: &str) -> String {
    format!(
        r#"{{"iso": {{"address": "127.0.0.1:5000", "framing": "binary2", "dialect": "{dialect}"}},
            "http": "127.0.0.1:1", "metrics": "m", "control_socket": "s", "currency": "978",
            "some_member_of_the_future": [1], "cards": [{cards}]}}"#
    )
}

fn card(pan: &str, state: &str, expect: &str) -> String {
    format!(
        r#"{{"pan": "{pan}", "expiry": "3012", "state": "{state}", "expect": "{expect}",
            "expect_2003": "0000"}}"#
    )
}

#[test]
fn cards_are_found_by_state_and_index() {
    let cards = [("9999991200000001", "lock-1", "41"), ("9999991200000002", "good", "00")]
        .map(|c| card(c.0, c.1, c.2));
    let demo = DemoFile::parse(&file("iso87-ascii", &cards.join(","))).unwrap();
    assert_eq!(demo.card("good").unwrap(), 1);
    assert_eq!(demo.card("0").unwrap(), 0);
    for wrong in ["2", "lock-2", "-1"] {
        let why = demo.card(wrong).unwrap_err().to_string();
        assert!(why.contains("0 to 1") && why.contains("good, lock-1"), "{why}");
    }
    assert!(!format!("{demo:?}").contains("9999991200000001"));
}

#[test]
fn a_file_that_cannot_be_relied_on_is_refused() {
    let good = card("9999991200000001", "good", "00");
    let with = |other: String| file("iso87-ascii", &format!("{good},{other}"));
    for (text, says) in [
        ("{".to_owned(), "not the JSON"),
        (file("iso2003", &good), "dialect"),
        (file("iso87-ascii", &card("9999991200000001", "lock-1", "41")), "no good card"),
        (with(card("99999912x0000001", "lock-1", "41")), "no card number"),
        (with(card("9999991200000002", "lock-1", "43")), "41 by the simulator's table"),
    ] {
        let why = format!("{:#}", DemoFile::parse(&text).unwrap_err());
        assert!(why.contains(says), "{why}");
        assert!(!why.contains("9999991200000002"), "{why}");
    }
    // A state that the table does not know goes by the file.
    DemoFile::parse(&with(card("9999991200000002", "lock-12", "05"))).unwrap();
}
