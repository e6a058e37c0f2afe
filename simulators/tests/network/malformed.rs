//! Malformed frames: all of them come, the same for the same seed, none is a purchase that could be
//! approved for a card that exists, and bad lengths cost the connection.

use codecs::iso8583::{Dialect, Mti};
use simulators::network::{Malformed, Settings};
use tokio::net::TcpStream;

use crate::stub::{PAN, Stub, listen, plain, settings};

/// Takes everything on one connection until its end, and answers each echo.
async fn take(issuer: &mut Stub, bodies: &mut Vec<Vec<u8>>) {
    while let Some((frame, said)) = issuer.next().await {
        let asked = said.filter(|said| said.view().mti().and_then(Mti::response).is_some());
        let Some(said) = asked else {
            bodies.push(frame.body.to_vec());
            continue;
        };
        assert_ne!(said.text(2).as_deref(), Some(PAN));
        let accepted = match said.mti().as_bytes() {
            [b'0', ..] => "00",
            [b'1', ..] => "800",
            _ => "8000",
        };
        let answer = issuer.answer_to(&said, accepted);
        issuer.send(frame.header.map(codecs::framing::Header::reply), &answer).await;
        if said.text(11).as_deref().is_none_or(|stan| stan.trim_start_matches('0') == "999999") {
            bodies.push(frame.body.to_vec()); // bent, and readable all the same
        }
    }
}

async fn sent(dialect: &str, what: Malformed) -> (Vec<Vec<u8>>, Settings) {
    let settings = settings(dialect, plain());
    let peer = listen(settings.clone()).await;
    let address = peer.address();
    let (at, shape) = (address, settings.clone());
    let issuer = tokio::spawn(async move {
        let mut bodies = Vec::new();
        while let Ok(stream) = TcpStream::connect(at).await {
            take(&mut Stub::over(stream, &shape), &mut bodies).await;
        }
        bodies
    });
    peer.until(|tally| tally.open == 1).await.expect("connected");
    peer.send_malformed(what).await.expect("all of them");
    let tally = peer.tally();
    let bad = what.frames.checked_div(what.bad_length_every).unwrap_or(0);
    assert_eq!(tally.malformed, u64::from(what.frames + bad), "{dialect}");
    assert_eq!(tally.connected, u64::from(1 + bad), "{dialect}: each bad length costs one");
    drop(peer);
    (issuer.await.expect("it took them"), settings)
}

#[tokio::test]
async fn malformed_frames_come_in_every_dialect_and_follow_from_the_seed() {
    for dialect in Dialect::shipped_names() {
        let what = Malformed { frames: 200, seed: 7, bad_length_every: 0 };
        let (bodies, settings) = sent(dialect, what).await;
        let unreadable = |body: &&Vec<u8>| settings.speech.read((*body).clone().into()).is_err();
        assert!(bodies.iter().filter(unreadable).count() > 120, "{dialect}: most are malformed");
        assert_eq!(bodies, sent(dialect, what).await.0, "{dialect}: the same seed");
        let other = Malformed { seed: 8, ..what };
        assert_ne!(bodies, sent(dialect, other).await.0, "{dialect}: another seed");
    }
}

#[tokio::test]
async fn a_bad_length_costs_the_connection_and_the_rest_goes_over_the_next() {
    for dialect in ["iso87-ascii", "cmf-like"] {
        let what = Malformed { frames: 1_000, seed: 3, bad_length_every: 300 };
        let (bodies, _) = sent(dialect, what).await;
        assert!(bodies.len() > 900, "{dialect}: {} came", bodies.len());
    }
}
