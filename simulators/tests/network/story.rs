//! What the network says in every dialect, over three framings; and that it waits for a sign-on
//! where it is told to.

use codecs::iso8583::{Dialect, Version};
use simulators::network::{Function, NetworkPeer, Settings};
use tokio::net::TcpListener;

use crate::stub::{PAN, Stub, framings, listen, plain, settings};

/// In the order of the editions: 1987, 1993, 2003.
fn of(version: Version, codes: [&'static str; 3]) -> &'static str {
    let [first, second, third] = codes;
    match version {
        Version::V1987 => first,
        Version::V1993 => second,
        Version::V2003 => third,
    }
}

#[tokio::test]
async fn every_dialect_is_spoken_over_three_framings() {
    for dialect in Dialect::shipped_names() {
        for framing in framings() {
            let settings = Settings { wait_for_sign_on: true, ..settings(dialect, framing) };
            let peer = listen(settings.clone()).await;
            let mut issuer = Stub::dial(peer.address(), &settings).await;
            managed(&mut issuer, settings.speech.version(), dialect).await;
            bought(&peer, &mut issuer, &settings, dialect).await;
        }
    }
}

async fn managed(issuer: &mut Stub, version: Version, dialect: &str) {
    let accepted = of(version, ["00", "800", "8000"]);
    for function in [Function::Echo, Function::SignOn, Function::CutOver] {
        let answer = issuer.ask(function).await;
        assert_eq!(answer.mti(), of(version, ["0810", "1810", "2810"]), "{dialect}");
        assert_eq!(answer.action(), accepted, "{dialect} {function:?}");
    }
    issuer.manage(of(version, ["999", "899", "899"])).await;
    let (_, answer) = issuer.message().await;
    assert_eq!(answer.action(), of(version, ["12", "902", "9102"]), "{dialect}");
}

async fn bought(peer: &NetworkPeer, issuer: &mut Stub, settings: &Settings, dialect: &str) {
    let version = settings.speech.version();
    peer.ready().await.expect("signed on");
    let approved = settings.speech.approved();
    let (answer, request) = tokio::join!(peer.purchase(PAN, 1_250), issuer.answer(approved));
    assert_eq!(answer.expect("answered").action(), of(version, ["00", "000", "0000"]));
    assert_eq!(request.mti(), of(version, ["0100", "1100", "2100"]), "{dialect}");
    assert_eq!(request.text(2).as_deref(), Some(PAN), "{dialect}");
    let currency = of(version, ["", "", "9782"]);
    let amount = request.text(4).expect("an amount");
    assert_eq!(amount, [currency, "000000001250"].concat(), "{dialect}");

    let sale = peer.sale(PAN, 777);
    let original = settings.speech.purchase(&sale);
    let (answer, _) = tokio::join!(peer.request("100", &original), issuer.answer(approved));
    answer.expect("answered");
    let taken_back = of(version, ["00", "400", "4000"]);
    let (answer, reversal) = tokio::join!(peer.reverse(&sale), issuer.answer(taken_back));
    assert_eq!(answer.expect("answered").mti(), of(version, ["0410", "1410", "2410"]));
    let names = reversal.text(of(version, ["90", "56", "56"]).parse().expect("a number"));
    let stan = format!("{:06}", sale.stan);
    assert!(names.expect("the original").contains(&stan), "{dialect}");

    let tally = peer.tally();
    assert_eq!((tally.sent, tally.unanswered, tally.unmatched), (3, 0, 0), "{dialect}");
    assert_eq!((tally.sign_ons, tally.echoes, tally.cut_overs, tally.unknown), (1, 1, 1, 1));
    assert_eq!(tally.answered.values().sum::<u64>(), 3, "{dialect}");
    assert_eq!((tally.frames, tally.answers, tally.unreadable), (7, 4, 0), "{dialect}");
}

#[tokio::test]
async fn nothing_is_sent_before_the_issuer_has_signed_on_and_after_it_signed_off() {
    let settings = Settings { wait_for_sign_on: true, ..settings("iso87-ascii", plain()) };
    let peer = listen(settings.clone()).await;
    let mut issuer = Stub::dial(peer.address(), &settings).await;
    peer.until(|tally| tally.open == 1).await.expect("connected");
    assert!(peer.purchase(PAN, 1).await.is_err());

    // Network management needs no sign-on.
    let (answer, request) = tokio::join!(peer.manage(Function::Echo), issuer.answer("00"));
    assert_eq!((answer.expect("answered").mti(), request.mti()), ("0810", "0800"));

    issuer.ask(Function::SignOn).await;
    let (answer, _) = tokio::join!(peer.purchase(PAN, 1), issuer.answer("51"));
    assert_eq!(answer.expect("answered").action(), "51");
    issuer.ask(Function::SignOff).await;
    assert!(peer.purchase(PAN, 1).await.is_err());
    let tally = peer.tally();
    assert_eq!((tally.signed_on, tally.sign_ons, tally.sign_offs, tally.sent), (0, 1, 1, 2));
    assert_eq!(tally.answered_with("51"), 1);

    // What was signed on went with its connection.
    issuer.ask(Function::SignOn).await;
    drop(issuer);
    let tally = peer.until(|tally| tally.open == 0).await.expect("seen to end");
    assert_eq!((tally.signed_on, tally.ended), (0, 1));
}

#[tokio::test]
async fn a_network_that_dials_dials_again() {
    let settings = settings("iso2003-binary", plain());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let peer = NetworkPeer::dial(address, settings.clone()).expect("a network");
    for connections in 1..=2 {
        let (stream, _) = listener.accept().await.expect("dialled");
        let mut issuer = Stub::over(stream, &settings);
        let tally = peer.until(|tally| tally.connected == connections).await;
        assert_eq!(tally.expect("connected").open, 1);
        let (answer, _) = tokio::join!(peer.purchase(PAN, 1), issuer.answer("0000"));
        assert_eq!(answer.expect("answered").action(), "0000");
        drop(issuer);
        peer.until(|tally| tally.ended == connections).await.expect("seen to end");
    }
}
