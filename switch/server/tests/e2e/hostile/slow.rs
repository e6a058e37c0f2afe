//! Many slow peers at once (T-02): against the real binary, so that its sockets and ours are not
//! of one process.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use codecs::iso8583::Dialect;
use simulators::network::Function;
use switch_server::config::Link;
use switch_store::private_postgres::fresh_database;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::MissedTickBehavior;

use super::{binary2, counted, is_well, stage_of};
use crate::speaker::Speaker;
use crate::stage::Served;

const SLOW: usize = 500;

/// The end of the connection, without a byte.
async fn is_closed(mut stream: TcpStream) -> bool {
    matches!(stream.read_u8().await.map_err(|error| error.kind()), Err(kind) if matches!(
        kind,
        std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset
    ))
}

/// T-02, slowloris: five hundred peers that send one byte of a frame and no more, and twenty that
/// go on byte by byte. All are closed when the frame's time is over; a quick one is served as if
/// they were not there.
#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_slow_peers_take_nothing_from_a_quick_one() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let settings = [
        ("CARDSWITCH_LINKS__TEST__MAX_CONNECTIONS", "600"),
        ("CARDSWITCH_LINKS__TEST__FRAME_DEADLINE_MS", "2000"),
    ];
    let served = Served::start_with(directory.path(), database.url().expose(), &settings);
    let pan = served.set_up();
    let dialect = Dialect::shipped("iso87-ascii").expect("shipped");
    let mut quick = Speaker::connect(served.link, dialect, binary2()).await;
    is_well(&mut quick, 1).await;
    let mut slow = Vec::new();
    for _ in 0..SLOW {
        let mut stream = TcpStream::connect(served.link).await.expect("connected");
        stream.write_all(&[0]).await.expect("sent");
        slow.push(stream);
    }
    let dripping: Vec<_> = (0..20).map(|_| tokio::spawn(drip(served.link))).collect();
    for stan in 2..52 {
        let draft = quick.purchase(&pan, stan, 100);
        assert_eq!(quick.ask("100", &draft).await.action, "00", "{stan}");
    }
    for stream in slow {
        assert!(is_closed(stream).await, "a frame has its time");
    }
    for drops in dripping {
        assert!(drops.await.expect("no panic") < 600, "a byte more does not begin it anew");
    }
    is_well(&mut quick, 52).await;
    served.terminate();
    database.close().await;
}

/// Sends a frame of 600 bytes as slowly as it can, until it is cut off; how many bytes it sent.
async fn drip(address: SocketAddr) -> usize {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let frame = [&[2, 88][..], &[b'0'; 600]].concat();
    let mut sent = 0;
    let mut end = [0];
    for byte in frame {
        tokio::select! {
            _ = pace.tick() => {
                if stream.write_all(&[byte]).await.is_err() {
                    break;
                }
                sent += 1;
            }
            _ = stream.read(&mut end) => break,
        }
    }
    sent
}

/// T-02, from addresses that may not connect, and from one that wants all connections for itself:
/// each is closed at once, and those who are there already go on.
#[cfg(target_os = "linux")] // all of 127/8 is here
#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_one_too_many_are_closed_at_once() {
    let ours = IpAddr::from([127, 0, 0, 2]);
    let small = Link { max_connections: 4, ..Link::default() };
    let closed = Link { peers: vec![ours], ..Link::default() };
    let stage = stage_of(vec![("closed".into(), closed), ("small".into(), small)]).await;
    let at = super::address(&stage, "closed");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((ours, 0).into()).expect("an address of this machine");
    let stream = socket.connect(at).await.expect("connected");
    let dialect = Dialect::shipped("iso87-ascii").expect("shipped");
    let mut known = Speaker::over(stream, dialect.clone(), binary2());
    is_well(&mut known, 1).await;
    for _ in 0..100 {
        let stranger = TcpStream::connect(at).await.expect("taken by the system");
        assert!(is_closed(stranger).await);
    }
    let refused = ["link=\"closed\"", "cause=\"peer_not_allowed\""];
    assert_eq!(counted(&stage, "cardswitch_link_refused_total", &refused).await, 100.0);
    is_well(&mut known, 2).await;

    let at = super::address(&stage, "small");
    let mut there = Vec::new();
    for stan in 0..4 {
        let mut speaker = Speaker::connect(at, dialect.clone(), binary2()).await;
        is_well(&mut speaker, stan + 1).await;
        there.push(speaker);
    }
    for _ in 0..100 {
        assert!(is_closed(TcpStream::connect(at).await.expect("taken")).await);
    }
    for speaker in &mut there {
        let draft = speaker.management(Function::Echo, 9);
        assert_eq!(speaker.ask("800", &draft).await.action, "00");
    }
    let refused = ["link=\"small\"", "cause=\"too_many_connections\""];
    assert_eq!(counted(&stage, "cardswitch_link_refused_total", &refused).await, 100.0);
    stage.end().await;
}
