//! Requests of ours: written as the edition says, matched to their answers and to nothing else, and
//! each with one end.

use std::sync::Arc;
use std::time::Duration;

use codecs::framing::{Framing, HeaderForm, LengthHeader};
use codecs::iso8583::{Dialect, Encoder, Fields, Mti};
use switch_network::{Dialling, LinkConfig, LinkState, Purpose, Request, RequestAnswer};
use switch_network::{RequestConfig, RequestError, Side};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::rig::{Answer, DIALECTS, Draft, Peer, Rig};

const SOON: Duration = Duration::from_millis(40);

type Asked = JoinHandle<Result<RequestAnswer, RequestError>>;

/// Has the link ask, once it has a connection.
async fn ask(rig: &Rig, request: Request) -> Asked {
    rig.until(|rig| !rig.handle.view().connections.is_empty()).await;
    let handle = rig.handle.clone();
    tokio::spawn(async move { handle.request(request).await })
}

async fn ended(asked: Asked) -> Result<RequestAnswer, RequestError> {
    asked.await.expect("no panic")
}

/// An answer to a request of the link, as a peer writes it in the two dialects that drafts know.
fn answer(rig: &Rig, request: &Answer, code: &str) -> Draft {
    let stan = request.text(11);
    rig.draft("0810")
        .set(7, &request.text(7))
        .set(11, &stan)
        .set(39, code)
        .set(70, &request.text(70))
}

fn requests(rig: &Rig, kind: Purpose, outcome: &str) -> f64 {
    let labels = format!("kind=\"{}\",outcome=\"{outcome}\"", kind.name());
    rig.metric("cardswitch_link_requests_total", &labels)
}

fn answers(rig: &Rig, result: &str) -> f64 {
    rig.metric("cardswitch_link_answers_total", &format!("\"{result}\""))
}

#[tokio::test]
async fn each_kind_is_sent_and_its_answer_matched() {
    for dialect in DIALECTS {
        let rig = Rig::start(dialect);
        let mut peer = rig.connect().await;
        for (purpose, code) in [
            (Purpose::Echo, "301"),
            (Purpose::SignOn, "001"),
            (Purpose::CutOver, "201"),
            (Purpose::SignOff, "002"),
            (Purpose::KeyChange, "101"),
        ] {
            let asked = ask(&rig, Request::network(purpose).for_day("1127")).await;
            let request = peer.answer().await;
            assert_eq!((request.mti().as_str(), request.text(70).as_str()), ("0800", code));
            assert_eq!(request.text(15), "1127");
            peer.send(&answer(&rig, &request, "00")).await;
            let said = ended(asked).await.expect("an answer");
            assert_eq!((said.action_code.as_str(), said.accepted), ("00", true));
            assert_eq!(requests(&rig, purpose, "accepted"), 1.0);
            let view = rig.handle.view();
            match purpose {
                Purpose::SignOn => assert_eq!(view.state, LinkState::SignedOn),
                Purpose::CutOver => {
                    let cut_over = view.cut_over.expect("shown");
                    assert_eq!(
                        (cut_over.settlement_date.as_deref(), cut_over.by),
                        (Some("1127"), "us")
                    );
                }
                Purpose::Echo | Purpose::SignOff | Purpose::KeyChange => {
                    assert_eq!(view.state, LinkState::Connected);
                }
            }
        }
        assert_eq!(answers(&rig, "matched"), 5.0);
        assert_eq!(rig.metric("cardswitch_link_outstanding", ""), 0.0);
        assert_eq!(rig.script.commands().len(), 0);
    }
}

#[tokio::test]
async fn the_later_editions_ask_by_function_code() {
    for (name, mti, accepted) in
        [("iso93-ascii", "1804", "800"), ("iso2003-binary", "2804", "8000")]
    {
        let rig = Rig::start(name);
        let mut peer = rig.connect().await;
        let asked = ask(&rig, Request::network(Purpose::SignOn)).await;
        let request = peer.answer().await;
        assert_eq!((request.mti().as_str(), request.text(24).as_str()), (mti, "801"), "{name}");
        // The answer is the request's own echo, as codecs write it.
        let dialect = Dialect::shipped(name).expect("shipped");
        let (mut encoder, mut fields) = (Encoder::new(), Fields::new());
        dialect.decode(request.body(), &mut fields).expect("readable");
        let response = Mti::parse(mti).and_then(Mti::response).expect("a response");
        let mut writer = encoder.start(&dialect, response);
        let message = dialect.view(request.body(), &fields);
        for field in [7, 11, 12, 24] {
            writer.echo(field, &message).expect("echoed");
        }
        writer.text(39, accepted).expect("a code");
        let mut body = bytes::BytesMut::new();
        writer.finish(&mut body).expect("written");
        peer.send_body(&body).await;
        assert!(ended(asked).await.expect("an answer").accepted, "{name}");
        assert_eq!(rig.handle.view().state, LinkState::SignedOn);
        // And what they ask is answered: the peer's own request, 1804 or 2804.
        peer.send_body(request.body()).await;
        let answer = peer.answer().await;
        assert_eq!((answer.mti(), answer.text(39)), (response.to_string(), accepted.into()));
    }
}

#[tokio::test]
async fn a_refusal_is_told_and_changes_nothing() {
    let rig = Rig::start("iso87-ascii");
    let mut peer = rig.connect().await;
    let asked = ask(&rig, Request::network(Purpose::SignOn)).await;
    let request = peer.answer().await;
    peer.send(&answer(&rig, &request, "91")).await;
    let said = ended(asked).await.expect("an answer");
    assert_eq!((said.action_code.as_str(), said.accepted), ("91", false));
    assert_eq!(rig.handle.view().state, LinkState::Connected);
    assert_eq!(requests(&rig, Purpose::SignOn, "declined"), 1.0);
}

#[tokio::test]
async fn answers_that_differ_in_the_key_are_not_ours() {
    let rig = Rig::start("iso87-ascii");
    let mut peer = rig.connect().await;
    let asked = ask(&rig, Request::network(Purpose::Echo)).await;
    let request = peer.answer().await;
    let good = answer(&rig, &request, "00");
    let other_stan = if request.text(11) == "000001" { "000002" } else { "000001" };
    for wrong in [
        good.clone().set(11, other_stan),
        good.clone().set(7, "0101000000"),
        good.clone().without(7),
        good.clone().without(11),
        good.clone().raw_mti(b"0110"),
        good.clone().raw_mti(b"1810"),
    ] {
        peer.send(&wrong).await;
    }
    rig.until(|rig| answers(rig, "unmatched") == 6.0).await;
    assert_eq!(rig.metric("cardswitch_link_dropped_total", "not_a_request"), 6.0);
    peer.send(&good).await;
    assert!(ended(asked).await.expect("an answer").accepted);
    peer.send(&good).await;
    rig.until(|rig| answers(rig, "unmatched") == 7.0).await;
    assert_eq!(answers(&rig, "matched"), 1.0, "an answer is one answer");
}

#[tokio::test]
async fn the_key_is_configured() {
    let rig = Rig::with("iso87-ascii", |config| config.requests.match_fields = vec![11]);
    let mut peer = rig.connect().await;
    let asked = ask(&rig, Request::network(Purpose::Echo)).await;
    let request = peer.answer().await;
    peer.send(&answer(&rig, &request, "00").without(7)).await;
    assert!(ended(asked).await.expect("an answer").accepted);
}

#[tokio::test]
async fn a_late_answer_is_counted_and_changes_nothing() {
    let rig = Rig::with("iso87-ascii", |config| config.requests.deadline = SOON);
    let mut peer = rig.connect().await;
    let asked = ask(&rig, Request::network(Purpose::SignOn)).await;
    let request = peer.answer().await;
    assert_eq!(ended(asked).await, Err(RequestError::NoAnswer(SOON)));
    peer.send(&answer(&rig, &request, "00")).await;
    rig.until(|rig| answers(rig, "late") == 1.0).await;
    assert_eq!(rig.handle.view().state, LinkState::Connected, "not signed on");
    assert_eq!(requests(&rig, Purpose::SignOn, "no_answer"), 1.0);
    assert_eq!(answers(&rig, "matched"), 0.0);
}

#[tokio::test]
async fn only_so_many_wait_and_all_of_them_end_with_the_connection() {
    let rig = Rig::with("iso87-ascii", |config| config.requests.max_outstanding = 2);
    assert_eq!(
        rig.handle.request(Request::network(Purpose::Echo)).await,
        Err(RequestError::NotConnected)
    );
    let mut peer = rig.connect().await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        waiting.push(ask(&rig, Request::network(Purpose::Echo)).await);
        peer.answer().await;
    }
    let one_more = ended(ask(&rig, Request::network(Purpose::Echo)).await).await;
    assert_eq!(one_more, Err(RequestError::TooMany(2)));
    assert_eq!(rig.metric("cardswitch_link_outstanding", ""), 2.0);
    drop(peer);
    for asked in waiting {
        assert_eq!(ended(asked).await, Err(RequestError::Closed));
    }
    assert_eq!(requests(&rig, Purpose::Echo, "closed"), 2.0);
    assert_eq!(requests(&rig, Purpose::Echo, "not_sent"), 1.0);
    rig.until(|rig| rig.metric("cardswitch_link_outstanding", "") == 0.0).await;
}

#[tokio::test]
async fn what_cannot_be_written_is_said() {
    let rig = Rig::start("iso87-ascii");
    let _peer = rig.connect().await;
    let asked = ask(&rig, Request::network(Purpose::CutOver).for_day("tomorrow")).await;
    let error = ended(asked).await.expect_err("refused").to_string();
    assert!(error.contains("cannot be written") && error.contains("field 15"), "{error}");
}

#[tokio::test]
async fn a_request_of_any_class_goes_the_same_way() {
    let rig = Rig::start("iso87-ascii");
    let mut peer = rig.connect().await;
    let advice = Request::other(1, 2).with(3, "000000").with(4, "000000000100");
    let asked = ask(&rig, advice).await;
    let request = peer.answer().await;
    assert_eq!((request.mti().as_str(), request.text(4).as_str()), ("0120", "000000000100"));
    let (sent, stan) = (request.text(7), request.text(11));
    peer.send(&rig.draft("0130").set(7, &sent).set(11, &stan).set(39, "00")).await;
    assert!(ended(asked).await.expect("an answer").accepted);
}

#[tokio::test]
async fn what_goes_into_every_request_is_configured() {
    let rig = Rig::with("iso87-ascii", |config| {
        config.framing.header = HeaderForm::Tpdu;
        config.requests.fields = vec![(33, "123456".into())];
        config.requests.header = Some(vec![0x60, 0x12, 0x34, 0x00, 0x01]);
    });
    let mut peer = rig.connect().await;
    let asked = ask(&rig, Request::network(Purpose::Echo)).await;
    let request = peer.answer().await;
    assert_eq!(request.text(33), "123456");
    let header = request.frame.header.expect("a header");
    assert_eq!(header.as_bytes(), [0x60, 0x12, 0x34, 0x00, 0x01]);
    peer.send(&answer(&rig, &request, "00")).await;
    assert!(ended(asked).await.expect("an answer").accepted);
    // Once the peer has asked itself, ours go back the way that it came.
    peer.ask(&rig.network(1, "301")).await;
    let _asked = ask(&rig, Request::network(Purpose::Echo)).await;
    let header = peer.answer().await.frame.header.expect("a header");
    assert_eq!(header, crate::rig::header(HeaderForm::Tpdu).reply());
}

#[tokio::test]
async fn a_cut_over_of_the_peer_is_answered_and_shown() {
    let rig = Rig::start("iso87-ascii");
    let mut peer = rig.connect().await;
    assert_eq!(peer.ask(&rig.network(1, "201").set(15, "1127")).await.text(39), "00");
    let cut_over = rig.handle.view().cut_over.expect("shown");
    assert_eq!((cut_over.settlement_date.as_deref(), cut_over.by), (Some("1127"), "peer"));
    assert_eq!(rig.metric("cardswitch_link_cut_overs_total", "\"peer\""), 1.0);
    // As an advice too, which networks like better.
    let advice = rig.draft("0820").set(7, "1123091500").set(11, "000002").set(70, "201");
    let answer = peer.ask(&advice.set(15, "1128")).await;
    assert_eq!((answer.mti().as_str(), answer.text(39).as_str()), ("0830", "00"));
    let cut_over = rig.handle.view().cut_over.expect("shown");
    assert_eq!(cut_over.settlement_date.as_deref(), Some("1128"));
}

/// A link that dials this port and signs on by itself.
async fn signing_on(adjust: fn(&mut RequestConfig)) -> (TcpListener, Rig) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let mut dialling = Dialling::new([listener.local_addr().expect("an address").to_string()]);
    dialling.first_wait = Duration::from_millis(1);
    dialling.longest_wait = Duration::from_millis(4);
    let rig = Rig::with("iso87-ascii", |config| {
        config.side = Side::Dial(dialling);
        config.sign_on_required = true;
        config.requests.sign_on = true;
        adjust(&mut config.requests);
    });
    (listener, rig)
}

async fn sign_on(rig: &Rig, peer: &mut Peer, code: &str) {
    let request = peer.answer().await;
    assert_eq!((request.mti().as_str(), request.text(70).as_str()), ("0800", "001"));
    peer.send(&answer(rig, &request, code)).await;
}

#[tokio::test]
async fn a_dialled_link_signs_on_by_itself() {
    let (listener, rig) = signing_on(|_| {}).await;
    for stan in [1, 3] {
        let mut peer = rig.accept(&listener).await;
        peer.send(&rig.request(stan)).await;
        let request = peer.answer().await;
        assert_eq!(request.text(70), "001", "before anything else");
        assert_eq!(peer.answer().await.text(39), "91", "not signed on yet");
        peer.send(&answer(&rig, &request, "00")).await;
        rig.until(|rig| rig.handle.view().signed_on).await;
        assert_eq!(peer.ask(&rig.request(stan + 1)).await.text(39), "00");
        drop(peer);
        rig.until(|rig| !rig.handle.view().signed_on).await;
    }
}

#[tokio::test]
async fn a_peer_that_does_not_let_us_sign_on_is_left() {
    let (listener, rig) = signing_on(|_| {}).await;
    let mut refusing = rig.accept(&listener).await;
    sign_on(&rig, &mut refusing, "91").await;
    refusing.expect_end().await;
    drop(refusing);
    let mut good = rig.accept(&listener).await;
    sign_on(&rig, &mut good, "00").await;
    rig.until(|rig| rig.handle.view().signed_on).await;
    assert_eq!(rig.metric("cardswitch_link_closed_total", "not_signed_on"), 1.0);
    assert_eq!(rig.metric("cardswitch_link_dial_failures_total", "of_no_use"), 1.0);
}

#[tokio::test]
async fn a_peer_that_does_not_answer_the_sign_on_is_left() {
    let (listener, rig) = signing_on(|config| config.deadline = SOON).await;
    let mut silent = rig.accept(&listener).await;
    assert_eq!(silent.answer().await.text(70), "001");
    silent.expect_end().await;
    drop(silent);
    let failed = |rig: &Rig| rig.metric("cardswitch_link_dial_failures_total", "of_no_use");
    rig.until(|rig| failed(rig) >= 1.0).await;
    assert!(rig.metric("cardswitch_link_closed_total", "not_signed_on") >= 1.0);
}

#[tokio::test]
async fn a_link_that_signed_on_signs_off_behind_its_last_answer() {
    for drained in [true, false] {
        let (listener, rig) = signing_on(|_| {}).await;
        rig.script.hand_over();
        let mut peer = rig.accept(&listener).await;
        sign_on(&rig, &mut peer, "00").await;
        rig.until(|rig| rig.handle.view().signed_on).await;
        peer.send(&rig.request(1)).await;
        let submission = rig.script.next().await;
        if drained {
            rig.handle.drain();
        } else {
            rig.shutdown.cancel();
        }
        submission.reply.send(crate::rig::approved(1));
        assert_eq!(peer.answer().await.text(11), "000001", "what is owed is sent first");
        let last = peer.answer().await;
        assert_eq!((last.mti().as_str(), last.text(70).as_str()), ("0800", "002"));
        peer.expect_end().await;
        rig.until(|rig| !rig.handle.view().signed_on).await;
    }
}

#[tokio::test]
async fn who_was_not_signed_on_does_not_sign_off() {
    let (listener, rig) = signing_on(|_| {}).await;
    let mut peer = rig.accept(&listener).await;
    assert_eq!(peer.answer().await.text(70), "001");
    rig.handle.drain();
    peer.expect_end().await;
}

#[test]
fn settings_that_cannot_work_are_named() {
    let here = ([127, 0, 0, 1], 0).into();
    let refused = |adjust: fn(&mut LinkConfig)| {
        let dialect = Arc::new(Dialect::shipped("iso87-ascii").expect("shipped"));
        let framing = Framing::new(LengthHeader::Binary2);
        let mut config = LinkConfig::new("n", switch_domain::LinkId(1), here, framing, dialect);
        adjust(&mut config);
        config.check().expect_err("refused").to_string()
    };
    for (adjust, expected) in [
        ((|c| c.requests.deadline = Duration::ZERO) as fn(&mut LinkConfig), "request_deadline"),
        (|c| c.requests.max_outstanding = 0, "max_requests"),
        (|c| c.requests.echo_unanswered = 0, "echo_unanswered"),
        (|c| c.requests.echo_interval = Some(Duration::ZERO), "echo_interval"),
        (|c| c.requests.echo_interval = Some(c.idle_deadline), "echo_interval: must be shorter"),
        (|c| c.requests.sign_on = true, "sign_on_after_connect: is for a link that dials"),
        (|c| c.requests.match_fields = vec![11, 41], "match_fields: field 41 is in no request"),
        (|c| c.requests.fields = vec![(33, "letters".into())], "request_fields: field 33"),
        (|c| c.requests.header = Some(vec![1]), "request_header: the header of this framing has 0"),
    ] {
        let error = refused(adjust);
        assert!(error.contains(expected), "{error}");
    }
}
