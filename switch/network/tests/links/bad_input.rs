//! Every sort of bad input, with its answer or its counted drop, in both dialects. After each the
//! link goes on as if nothing had been.

use crate::rig::{DIALECTS, Draft, Rig};

/// What becomes of a message.
enum Expected {
    /// Message type, DE39, DE44.
    Answer(&'static str, &'static str, &'static str),
    /// Counted with this cause, and not answered.
    Dropped(&'static str),
}

use Expected::{Answer, Dropped};

/// A row: what is wrong, the message, what becomes of it. The byte in DE44 is not compared: it
/// differs between dialects and is the codecs' affair.
type Row = (&'static str, Vec<u8>, Expected);

const LETTER_IN_LENGTH: [&[u8]; 2] = [b"1A12345", &[0x1A, 0x12, 0x34]];
const LENGTH_TOO_GREAT: [&[u8]; 2] =
    [b"12123456789012", &[0x12, 0x12, 0x34, 0x56, 0x78, 0x90, 0x12]];
const LETTER_IN_AMOUNT: [&[u8]; 2] = [b"00000000A250", &[0, 0, 0, 0, 0xA2, 0x50]];

fn unreadable(rig: &Rig) -> Vec<Row> {
    let good = |stan| rig.request(stan);
    let form = usize::from(rig.dialect.name() != "iso87-ascii");
    let pan_length: [&[u8]; 2] = [b"A69999991200000018", &[0xA6, 0x99, 0x99]];
    let mti: [&[u8]; 2] = [b"01A0", &[0x01, 0xA0]];
    let head = if form == 0 { 4 } else { 2 };
    vec![
        (
            "non-digit length behind the trace number",
            good(1).raw(32, LETTER_IN_LENGTH[form]).bytes(),
            Answer("0110", "30", "FIELD 32 BYTE"),
        ),
        (
            "non-digit length before the trace number",
            good(2).raw(2, pan_length[form]).bytes(),
            Dropped("no_trace_number"),
        ),
        (
            "length past the limit",
            good(3).raw(32, LENGTH_TOO_GREAT[form]).bytes(),
            Answer("0110", "30", "FIELD 32 BYTE"),
        ),
        ("unknown bit", good(4).raw(65, b"0").bytes(), Answer("0110", "30", "FIELD 65 BYTE")),
        ("truncated in the last field", good(5).cut(1), Answer("0110", "30", "FIELD 49 BYTE")),
        ("truncated after the type", good(6).bytes()[..head].to_vec(), Dropped("no_trace_number")),
        ("truncated in the type", good(7).bytes()[..1].to_vec(), Dropped("unreadable_type")),
        (
            "bytes behind the end",
            good(8).behind(b"1").bytes(),
            Answer("0110", "30", "FIELD 1 BYTE"),
        ),
        (
            "message type with a letter",
            good(9).raw_mti(mti[form]).bytes(),
            Dropped("unreadable_type"),
        ),
        (
            "amount not a number",
            good(10).raw(4, LETTER_IN_AMOUNT[form]).bytes(),
            Answer("0110", "30", "FIELD 4 BYTE"),
        ),
        (
            "currency not a number",
            good(11).set(49, "EUR").bytes(),
            Answer("0110", "30", "FIELD 49 BYTE"),
        ),
        (
            "unreadable reversal",
            rig.reversal(12, 1).raw(32, LETTER_IN_LENGTH[form]).bytes(),
            Answer("0410", "30", "FIELD 32 BYTE"),
        ),
        (
            "unreadable response",
            rig.draft("0110").set(11, "000013").raw(65, b"0").bytes(),
            Dropped("not_a_request"),
        ),
    ]
}

fn meaningless(rig: &Rig) -> Vec<Row> {
    let good = |stan| rig.request(stan);
    let invalid = |field| Answer("0110", "30", field);
    vec![
        ("no card number", good(20).without(2).bytes(), invalid("FIELD 2 ABSENT")),
        ("card number too short", good(21).set(2, "99999912").bytes(), invalid("FIELD 2 INVALID")),
        ("no processing code", good(22).without(3).bytes(), invalid("FIELD 3 ABSENT")),
        ("no amount", good(23).without(4).bytes(), invalid("FIELD 4 ABSENT")),
        ("no trace number", good(24).without(11).bytes(), Dropped("no_trace_number")),
        ("no currency", good(25).without(49).bytes(), invalid("FIELD 49 ABSENT")),
        ("unknown currency", good(26).set(49, "000").bytes(), invalid("FIELD 49 INVALID")),
        ("expiry in month 13", good(27).set(14, "2913").bytes(), invalid("FIELD 14 INVALID")),
        (
            "track without separator",
            good(28).set(35, "9999991200000018").bytes(),
            invalid("FIELD 35 INVALID"),
        ),
        (
            "track with a short number",
            good(29).set(35, "999999=2912201").bytes(),
            invalid("FIELD 35 INVALID"),
        ),
        (
            "reversal without card number",
            rig.reversal(30, 1).without(2).bytes(),
            Answer("0410", "30", "FIELD 2 ABSENT"),
        ),
        (
            "reversal of a network message",
            rig.reversal(31, 1).set(90, &format!("0800000001{:032}", 0)).bytes(),
            Answer("0410", "30", "FIELD 90 INVALID"),
        ),
        (
            "reversal to an amount of letters",
            rig.reversal(32, 1).set(95, &"A".repeat(42)).bytes(),
            Answer("0410", "30", "FIELD 95 INVALID"),
        ),
        (
            "advice that does not say what was decided",
            rig.advice(34, "00").without(39).bytes(),
            Answer("0130", "30", "FIELD 39 ABSENT"),
        ),
        (
            "network message without code",
            rig.draft("0800").set(11, "000033").bytes(),
            Answer("0810", "30", "FIELD 70 ABSENT"),
        ),
    ]
}

fn not_done(rig: &Rig) -> Vec<Row> {
    let typed = |mti: &str| {
        let draft = |stan| Draft::new(rig.dialect.name(), mti).set(11, stan).set(41, "TERM0001");
        draft("000040").bytes()
    };
    vec![
        ("request of an issuer", typed("0102"), Answer("0112", "12", "")),
        ("request of another version", typed("1100"), Answer("1110", "12", "")),
        ("type that nobody knows", typed("9900"), Answer("9910", "12", "")),
        ("response to nothing", typed("0110"), Dropped("not_a_request")),
        ("response of a class nobody knows", typed("0910"), Dropped("not_a_request")),
        ("notification", typed("0140"), Dropped("not_a_request")),
        ("unknown network code", rig.network(41, "999").bytes(), Answer("0810", "12", "")),
        (
            "reversal that leaves more than there was",
            rig.reversal(42, 1).set(95, &format!("{:012}{:030}", 1_251, 0)).bytes(),
            Answer("0410", "13", ""),
        ),
        (
            "reversal with two card numbers",
            rig.reversal(43, 1).set(35, "9999991200000026=29122010").bytes(),
            Answer("0410", "63", ""),
        ),
        (
            "purchase with two card numbers",
            rig.request(44).set(35, "9999991200000026=29122010").bytes(),
            Answer("0110", "63", ""),
        ),
        ("deposit", rig.request(45).set(3, "210000").bytes(), Answer("0110", "12", "")),
        (
            "cash of zero",
            rig.request(46).set(3, "010000").set(4, "000000000000").bytes(),
            Answer("0110", "13", ""),
        ),
        (
            "greatest amount",
            rig.request(47).set(4, "999999999999").bytes(),
            Answer("0110", "00", ""),
        ),
    ]
}

#[tokio::test]
async fn each_bad_input_has_its_answer_or_its_counted_drop_and_never_costs_the_link() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let mut peer = rig.connect().await;
        let rows = [unreadable(&rig), meaningless(&rig), not_done(&rig)];
        for (number, (name, message, expected)) in (100u32..).zip(rows.into_iter().flatten()) {
            let before = |cause| rig.metric("cardswitch_link_dropped_total", cause);
            let dropped = if let Dropped(cause) = expected { before(cause) } else { 0.0 };
            peer.send_body(&message).await;
            if let Answer(mti, code, fault) = expected {
                let (seen_mti, seen_code, seen_fault) = peer.answer().await.summary();
                assert_eq!((&*seen_mti, &*seen_code), (mti, code), "{dialect}: {name}");
                assert!(seen_fault.starts_with(fault), "{dialect}: {name}: {seen_fault}");
                assert_eq!(fault.is_empty(), seen_fault.is_empty(), "{dialect}: {name}");
            }
            // The next thing to come is the answer to this: a dropped message has none.
            let echo = rig.network(number, "301");
            let answer = peer.ask(&echo).await;
            assert_eq!(answer.summary(), ("0810".into(), "00".into(), String::new()), "{name}");
            assert_eq!(answer.wire(11), echo.wire(11), "{dialect}: {name}");
            if let Dropped(cause) = expected {
                assert_eq!(before(cause), dropped + 1.0, "{dialect}: {name}");
            }
        }
        assert_eq!(rig.metric("cardswitch_link_connections", ""), 1.0);
    }
}

#[tokio::test]
async fn no_changed_byte_costs_the_link() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let mut peer = rig.connect().await;
        let good = rig.request(1).set(35, "9999991200000018=29122011234").bytes();
        let mut sent = 0;
        for at in 0..good.len() {
            for value in [0x00, 0x0D, b'9', b'=', 0x99, 0xFF] {
                let mut changed = good.clone();
                changed[at] = value;
                peer.send_body(&changed).await;
                sent += 1;
            }
        }
        // The script decides in order, so behind this one's answer there is no other.
        peer.send(&rig.request(2)).await;
        let mut answered = 0;
        loop {
            let answer = peer.answer().await;
            if answer.text(11) == "000002" {
                assert_eq!(answer.text(39), "00");
                break;
            }
            answered += 1;
        }
        assert!(answered > sent / 2, "{dialect}: {answered} of {sent}");
        assert_eq!(rig.metric("cardswitch_link_closed_total", ""), 0.0);
    }
}

#[tokio::test]
async fn format_errors_are_counted_by_field() {
    let rig = Rig::start("iso87-ascii");
    let mut peer = rig.connect().await;
    peer.ask(&rig.request(1).set(49, "000")).await;
    peer.ask(&rig.request(2).without(4)).await;
    peer.ask(&rig.request(3).without(4)).await;
    let count = |field| rig.metric("cardswitch_link_format_errors_total", field);
    assert_eq!((count("field=\"4\""), count("field=\"49\"")), (2.0, 1.0));
    assert!(rig.script.commands().is_empty(), "nothing reaches the switch");
}
