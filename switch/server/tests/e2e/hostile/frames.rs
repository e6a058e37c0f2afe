//! Frames that lie about their length (T-01), a peer that goes away without a word (T-03), and one
//! that never reads (T-04).

use std::time::Duration;

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::Dialect;
use simulators::network::{Behaviour, Function, NetworkPeer, Settings};
use switch_server::config::Link;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;

use super::{address, ascii, binary2, counted, held, is_well, stage_of, until_counted};
use crate::speaker::Speaker;
use crate::stage::Stage;

/// Fits into every length, two digits included.
const LIMIT: usize = 90;

/// The number as this length form has it; `None` where it has no room for it.
fn written(form: LengthHeader, number: u64) -> Option<Vec<u8>> {
    let last = |count: usize| number.to_be_bytes()[8 - count..].to_vec();
    let text = match form {
        LengthHeader::Binary2 if number < 1 << 16 => return Some(last(2)),
        LengthHeader::Binary3 if number < 1 << 24 => return Some(last(3)),
        LengthHeader::Binary4 | LengthHeader::Zero2Binary2 if number < 1 << 32 => {
            return Some(last(4));
        }
        LengthHeader::Binary2Zero2 if number < 1 << 16 => {
            return Some([last(2), vec![0, 0]].concat());
        }
        LengthHeader::Bcd2 if number < 10_000 => return hex::decode(format!("{number:04}")).ok(),
        LengthHeader::Hex4 => format!("{number:04x}"),
        LengthHeader::Ascii(digits) => format!("{number:0width$}", width = usize::from(digits)),
        _ => return None,
    };
    (text.len() == form.bytes()).then(|| text.into_bytes())
}

/// Numbers around the limit and around every sign that a reader might see in them.
const TOO_LONG: [u64; 12] = [
    LIMIT as u64 + 1,
    LIMIT as u64 + 2,
    0x7F,
    0x80,
    0xFF,
    9_999,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
];

/// What is no number in this form at all.
fn no_numbers(form: LengthHeader) -> Vec<Vec<u8>> {
    let texts: &[&str] = match form {
        LengthHeader::Bcd2 => return vec![vec![0, 0x0A], vec![0xF0, 0], vec![0x0C, 0x00]],
        LengthHeader::Hex4 => &["00g0", "-001", "+0ff", "0x10", "    "],
        LengthHeader::Ascii(2) => &["-1", "+1", " 1", "1 ", "1e", "0\0"],
        LengthHeader::Ascii(_) => {
            &["-00001", "+00001", "  0001", "0x0001", "\0\0\0\0\x001", "1e1e1e"]
        }
        _ => return Vec::new(),
    };
    texts.iter().map(|text| text.as_bytes()[..form.bytes()].to_vec()).collect()
}

fn forms() -> impl Iterator<Item = LengthHeader> {
    LengthHeader::all().filter(|form| *form != LengthHeader::None)
}

/// T-01, a length bomb: every length beyond the link's limit, and all that is none, ends the
/// connection with nothing answered; one at the limit costs nothing, and others never notice.
#[tokio::test(flavor = "multi_thread")]
async fn a_length_beyond_the_limit_ends_its_connection_and_no_other() {
    let framing = |form| Framing { max_frame: LIMIT, ..Framing::new(form) };
    let link = |form: LengthHeader| Link { framing: framing(form), ..Link::default() };
    let stage = stage_of(forms().map(|form| (form.to_string(), link(form))).collect()).await;
    let dialect = Dialect::shipped("iso87-ascii").expect("shipped");
    for form in forms() {
        let name = form.to_string();
        let at = address(&stage, &name);
        let connect = || Speaker::connect(at, dialect.clone(), framing(form));
        let mut well = connect().await;
        let numbers = TOO_LONG.into_iter().filter_map(|number| written(form, number));
        let numbers: Vec<_> = numbers.chain(no_numbers(form)).collect();
        for header in &numbers {
            let mut bad = connect().await;
            bad.send_raw(header).await;
            assert!(bad.ended().await, "{name}: {header:02X?} is answered");
        }
        let labels = [&*format!("link=\"{name}\""), "cause=\"malformed_frame\""];
        let closed = counted(&stage, "cardswitch_link_closed_total", &labels).await;
        assert_eq!(closed, numbers.len() as f64, "{name}");
        // As long as a frame may be, and no message: dropped, and the connection goes on.
        well.send(&[0xFF; LIMIT]).await;
        is_well(&mut well, 1).await;
    }
    stage.end().await;
}

/// T-03, a half-open peer: one that says nothing more and does not close is down within the set
/// time; it is not signed on any longer, and nothing is queued for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_falls_silent_is_down_within_the_set_time() {
    let link = Link { idle_deadline_ms: 300, sign_on_required: true, ..Link::default() };
    let stage = stage_of(vec![("test".into(), link)]).await;
    let issued = stage.issue(1_000_000, 100_000).await;
    let mut silent = ascii(&stage).await;
    let sign_on = silent.management(Function::SignOn, 1);
    assert_eq!(silent.ask("800", &sign_on).await.action, "00");
    let bought = silent.purchase(&issued.pan, 2, 1_000);
    assert_eq!(silent.ask("100", &bought).await.action, "00");
    assert!(silent.ended().await, "closed, and nothing more was said");
    until_counted(&stage, "cardswitch_link_closed_total", &["cause=\"idle\""], 1.0).await;
    // What was signed on goes with it.
    while counted(&stage, "cardswitch_link_signed_on", &[]).await > 0.0 {
        tokio::task::yield_now().await;
    }
    let mut next = ascii(&stage).await;
    let bought = next.purchase(&issued.pan, 3, 1_000);
    assert_eq!(next.ask("100", &bought).await.action, "91", "until it signs on again");
    stage.end().await;
}

/// T-03, a peer whose connection stands and who answers nothing: it is asked for an echo, and left
/// after so many without an answer; the same peer is kept while it answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_answers_no_echo_is_left() {
    let link = Link {
        echo_interval_ms: 1_000,
        request_deadline_ms: 200,
        echo_unanswered: 2,
        ..Link::default()
    };
    let stage = stage_of(vec![("test".into(), link)]).await;
    let dialect = Dialect::shipped("iso87-ascii").expect("shipped");
    let behaviour = Behaviour { mute_to_echo: true, ..Behaviour::default() };
    let settings = Settings { behaviour, ..Settings::new(dialect.into(), binary2()) };
    let peer = NetworkPeer::dial(stage.address(), settings).expect("a network");
    let labels = ["cause=\"half_open\""];
    until_counted(&stage, "cardswitch_link_closed_total", &labels, 1.0).await;
    assert!(peer.tally().echoes >= 2, "{:?}", peer.tally());

    peer.behave(Behaviour::default());
    let before = peer.tally();
    let tally = peer.until(|tally| tally.answers >= before.answers + 3).await.expect("asked");
    assert!(tally.connected <= before.connected + 1, "kept while it answers: {tally:?}");
    stage.end().await;
}

/// T-04, a reader that never reads: it may leave so many bytes of answers unread and is cut off
/// then. Others are served meanwhile, and what was approved for it is there when it asks again.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_never_reads_is_cut_off_and_finds_its_answers_later() {
    let link = Link { output_limit_bytes: 16 * 1024, ..Link::default() };
    let stage = stage_of(vec![("test".into(), link)]).await;
    let issued = stage.issue(1_000_000_000_000, 1_000_000_000_000).await;
    let mut well = ascii(&stage).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("set");
    let mut deaf = socket.connect(stage.address()).await.expect("connected");
    let purchase =
        |stan| well.framed(&well.bytes(well.mti("100"), &well.purchase(&issued.pan, stan, 1)));
    let first = purchase(1);
    deaf.write_all(&first).await.expect("sent");
    let mut stan = 1;
    let cut_off = async {
        while deaf.write_all(&purchase(stan % 999_999 + 1)).await.is_ok() {
            stan += 1;
        }
    };
    cut_off.await;
    let labels = ["cause=\"output_limit\""];
    until_counted(&stage, "cardswitch_link_closed_total", &labels, 1.0).await;
    is_well(&mut well, 2).await;

    let again = well.purchase(&issued.pan, 1, 1);
    let said = well.ask("101", &again).await;
    assert_eq!(said.action, "00", "the answer that it never read");
    // Nothing else is on its way, so this is what is held for all that was approved.
    until_counted(&stage, "cardswitch_link_in_flight", &[], 0.0).await;
    let before = held(&stage, issued.balance).await;
    assert_eq!(well.ask("101", &again).await.body, said.body);
    assert_eq!(held(&stage, issued.balance).await, before, "a repeat holds nothing more");
    stage.end().await;
}

/// T-04, the other way to never read: too slow to take its answers within the frame's deadline.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_reads_too_slowly_is_cut_off_by_the_deadline() {
    let link = Link { output_limit_bytes: 1 << 30, frame_deadline_ms: 300, ..Link::default() };
    let stage = stage_of(vec![("test".into(), link)]).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("set");
    let mut deaf = socket.connect(stage.address()).await.expect("connected");
    let mut well = ascii(&stage).await;
    let echo = well.framed(&well.bytes(well.mti("800"), &well.management(Function::Echo, 1)));
    let many = echo.repeat(100);
    let cut_off = async { while deaf.write_all(&many).await.is_ok() {} };
    let in_time = tokio::time::timeout(Duration::from_secs(60), cut_off).await;
    assert!(in_time.is_ok(), "it was not cut off");
    let labels = ["cause=\"write_deadline\""];
    until_counted(&stage, "cardswitch_link_closed_total", &labels, 1.0).await;
    is_well(&mut well, 2).await;
    stage.end().await;
}

/// T-01 in a peer's own way: it speaks another framing than the link.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_with_another_framing_is_told_apart_and_closed() {
    let stage = Stage::start().await;
    let dialect = Dialect::shipped("iso87-ascii").expect("shipped");
    let other = Framing::new(LengthHeader::Ascii(4));
    let mut stranger = Speaker::connect(stage.address(), dialect, other).await;
    let body = stranger.bytes(stranger.mti("800"), &stranger.management(Function::Echo, 1));
    stranger.send(&body).await;
    assert!(stranger.ended().await);
    assert_eq!(binary2().max_frame, 4_096, "0x3030 is beyond it");
    is_well(&mut ascii(&stage).await, 1).await;
    stage.end().await;
}
