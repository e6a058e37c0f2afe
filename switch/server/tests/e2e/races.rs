//! Many at once for the same money: one of them gets it, and nobody else.

use std::net::SocketAddr;

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::Dialect;

use crate::speaker::Speaker;
use crate::stage::Stage;

const CONNECTIONS: u32 = 8;
const EACH: u32 = 8;
const ALL: u64 = 5_000;

/// 64 requests for the whole of a balance over eight connections at once, to be held or to be paid.
#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_four_that_want_all_there_is_one_gets_it() {
    for (kind, ledger, held) in [("100", 5_000, 5_000), ("200", 0, 0)] {
        let stage = Stage::start().await;
        let issued = stage.issue(1_000_000, 5_000).await;
        let ask = |connection| ask(stage.address(), issued.pan.clone(), kind, connection * EACH);
        let asking: Vec<_> = (0..CONNECTIONS).map(|one| tokio::spawn(ask(one))).collect();
        let mut approved = 0;
        for one in asking {
            approved += one.await.expect("it asked");
        }
        assert_eq!(approved, 1, "x{kind}");
        let balance = stage.services().node().balance(issued.balance).await.expect("known");
        assert_eq!((balance.ledger.0, balance.held.0), (ledger, held), "x{kind}");
        stage.end().await;
    }
}

/// Sends so many without waiting, and counts the approvals; all others are short of funds.
async fn ask(address: SocketAddr, pan: String, kind: &'static str, first: u32) -> u32 {
    let dialect = Dialect::shipped("iso87-ascii").expect("shipped");
    let framing = Framing::new(LengthHeader::Binary2);
    let mut peer = Speaker::connect(address, dialect, framing).await;
    let mut all = Vec::new();
    for stan in first + 1..=first + EACH {
        let draft = peer.purchase(&pan, stan, ALL);
        all.extend(peer.framed(&peer.bytes(peer.mti(kind), &draft)));
    }
    peer.send_raw(&all).await;
    let mut approved = 0;
    for _ in 0..EACH {
        match &*peer.answer().await.action {
            "00" => approved += 1,
            other => assert_eq!(other, "51"),
        }
    }
    approved
}
