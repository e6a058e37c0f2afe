//! How much and how long a connection may take, and how a listener's own certificate is replaced.
//! What is slow is ended by a small limit of the test's own; no test measures how long it took.

use std::net::SocketAddr;
use std::time::Duration;

use admin_api::certificates::CertificateSettings;
use admin_api::tls::{ListenLimits, ListenSettings, ServeFault, ServerFiles, TlsFault, serve};
use axum::Router;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rig::Platform;
use crate::wire::{BOTH, Connection, Root, client, listen};

const SHORT: Duration = Duration::from_millis(150);
const WITHIN: Duration = Duration::from_secs(5);

// covers: API-04
#[tokio::test]
async fn slow_handshakes_and_slow_heads_are_ended() {
    let metrics = PrometheusBuilder::new().install_recorder().expect("the only one here");
    let platform = Platform::start(CertificateSettings::default()).await;
    let root = Root::new();
    let own = root.server(platform.directory.path(), "localhost", |_| ());
    let config = client(&[root.der()], &BOTH, None);
    let opened = |handshake, first_request, next_request| ListenLimits {
        handshake,
        first_request,
        next_request,
        ..ListenLimits::default()
    };
    let long = Duration::from_secs(3_600);
    // A handshake that never begins, and one that stops in the middle.
    let limits = opened(SHORT, long, long);
    let serving = listen(&platform.certificates, false, own.clone(), limits).await;
    for begun in [&[][..], &[22, 3, 1, 0, 200, 1, 0, 0, 196]] {
        let mut stream = TcpStream::connect(serving.address()).await.expect("connected");
        stream.write_all(begun).await.expect("sent");
        assert_eq!(ended(&mut stream).await, Vec::<u8>::new());
    }
    serving.stop(WITHIN).await;

    // The head of the first request, and of the next one.
    let limits = opened(long, SHORT, long);
    let serving = listen(&platform.certificates, false, own.clone(), limits).await;
    for begun in ["", "GET /who HTTP/1.1\r\nHost: loc"] {
        let mut connection = open(serving.address(), &config).await;
        connection.0.write_all(begun.as_bytes()).await.expect("sent");
        ended(&mut connection.0).await;
    }
    serving.stop(WITHIN).await;
    let serving = listen(&platform.certificates, false, own, opened(long, long, SHORT)).await;
    for begun in ["", "GET /who HTTP/1.1\r\nHost: loc"] {
        let mut connection = open(serving.address(), &config).await;
        assert_eq!(connection.ask().await.expect("an answer").0, 200);
        connection.0.write_all(begun.as_bytes()).await.expect("sent");
        ended(&mut connection.0).await;
    }
    // Who goes by themselves, or is there when the listener stops, was ended by no limit.
    let mut going = open(serving.address(), &config).await;
    assert_eq!(going.ask().await.expect("an answer").0, 200);
    drop(going);
    serving.stop(WITHIN).await;
    let name = "cardswitch_api_ended_connections_total";
    for cause in ["first_request", "next_request"] {
        let counted = format!("{name}{{listener=\"secure\",cause=\"{cause}\"}} 2");
        assert!(metrics.render().contains(&counted), "{}", metrics.render());
    }
    platform.end().await;
}

async fn open(address: SocketAddr, config: &std::sync::Arc<rustls::ClientConfig>) -> Connection {
    Connection::open(address, config, "localhost").await.expect("open")
}

/// What comes until the other side closes, however it does.
async fn ended(stream: &mut (impl AsyncReadExt + Unpin)) -> Vec<u8> {
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    said
}

// covers: API-04
#[tokio::test]
async fn heads_beyond_their_limits_are_answered_431_and_counted() {
    let metrics = PrometheusBuilder::new().install_recorder().expect("the only one here");
    let platform = Platform::start(CertificateSettings::default()).await;
    let root = Root::new();
    let own = root.server(platform.directory.path(), "localhost", |_| ());
    let limits = ListenLimits { head_bytes: 8_192, headers: 20, ..ListenLimits::default() };
    let serving = listen(&platform.certificates, false, own, limits).await;
    let config = client(&[root.der()], &BOTH, None);
    let many = "A: 1\r\n".repeat(21);
    let long = format!("A: {}\r\n", "1".repeat(9_000));
    for (more, expected) in [("A: 1\r\n".repeat(10), 200), (many, 431), (long, 431)] {
        let mut connection = open(serving.address(), &config).await;
        let text = format!("GET /who HTTP/1.1\r\nHost: localhost\r\n{more}\r\n");
        assert_eq!(connection.send(&text).await.expect("an answer").0, expected);
    }
    serving.stop(WITHIN).await;
    let counted = "cardswitch_api_ended_connections_total{listener=\"secure\",cause=\"head\"} 2";
    assert!(metrics.render().contains(counted), "{}", metrics.render());
    platform.end().await;
}

#[tokio::test]
async fn one_connection_more_than_may_be_is_closed_and_counted() {
    let metrics = PrometheusBuilder::new().install_recorder().expect("the only one here");
    let platform = Platform::start(CertificateSettings::default()).await;
    let root = Root::new();
    let own = root.server(platform.directory.path(), "localhost", |_| ());
    let limits = ListenLimits { connections: 2, ..ListenLimits::default() };
    let serving = listen(&platform.certificates, false, own, limits).await;
    let config = client(&[root.der()], &BOTH, None);
    let mut first = open(serving.address(), &config).await;
    // One that never shakes hands has a place too.
    let idle = TcpStream::connect(serving.address()).await.expect("connected");
    assert_eq!(first.ask().await.expect("an answer").0, 200);
    assert!(Connection::open(serving.address(), &config, "localhost").await.is_err());
    assert_eq!(first.ask().await.expect("the others are not touched").0, 200);
    let said = metrics.render();
    let full = "cardswitch_api_refused_connections_total{listener=\"secure\",cause=\"full\"} 1";
    assert!(said.contains(full), "{said}");
    assert!(said.contains("cardswitch_api_connections{listener=\"secure\"} 2"), "{said}");
    drop(idle);
    // Its place comes back once the server has seen it go.
    let again = async {
        loop {
            if let Ok(opened) = Connection::open(serving.address(), &config, "localhost").await {
                break opened;
            }
        }
    };
    let mut again = tokio::time::timeout(WITHIN, again).await.expect("a place");
    assert_eq!(again.ask().await.expect("an answer").0, 200);
    serving.stop(WITHIN).await;
    platform.end().await;
}

#[tokio::test]
async fn a_certificate_is_replaced_while_serving_and_a_broken_one_is_not_taken() {
    let platform = Platform::start(CertificateSettings::default()).await;
    let at = platform.directory.path();
    let (before, after) = (Root::new(), Root::new());
    let files = before.server(at, "localhost", |_| ());
    let limits = ListenLimits::default();
    let serving = listen(&platform.certificates, false, files.clone(), limits).await;
    let [old, new] = [&before, &after].map(|root| client(&[root.der()], &BOTH, None));
    let mut standing = open(serving.address(), &old).await;
    assert!(!serving.reload().await.expect("nothing new"));
    let old_key = std::fs::read(&files.key).expect("a key");

    after.server(at, "localhost", |_| ());
    // One of two files was replaced, and the other not yet.
    let new_key = std::fs::read(&files.key).expect("a key");
    std::fs::write(&files.key, &old_key).expect("written");
    let fault = serving.reload().await.expect_err("apart");
    assert!(matches!(fault, TlsFault::Apart { .. }), "{fault}");
    std::fs::write(&files.key, "no key").expect("written");
    let fault = serving.reload().await.expect_err("no key").to_string();
    assert!(fault.contains("holds no private key in PEM form") && !fault.contains("no key\""));
    open(serving.address(), &old).await;

    std::fs::write(&files.key, &new_key).expect("written");
    assert!(serving.reload().await.expect("a new one"));
    open(serving.address(), &new).await;
    assert!(Connection::open(serving.address(), &old, "localhost").await.is_err());
    assert_eq!(standing.ask().await.expect("what is open goes on").0, 200);
    serving.stop(WITHIN).await;
    platform.end().await;
}

#[tokio::test]
async fn a_listener_without_what_it_needs_does_not_open() {
    let platform = Platform::start(CertificateSettings::default()).await;
    let at = platform.directory.path();
    let files = Root::new().server(at, "localhost", |_| ());
    let settings = |address: [u8; 4], files: Option<&ServerFiles>| ListenSettings {
        name: "open",
        address: SocketAddr::from((address, 0)),
        files: files.cloned(),
        limits: ListenLimits::default(),
    };
    let fault = async |settings, clients| {
        serve(settings, clients, Router::new()).await.err().expect("it must not open")
    };
    let in_clear = fault(settings([0, 0, 0, 0], None), None).await;
    assert!(matches!(in_clear, ServeFault::InClear(_)), "{in_clear}");
    let certificates = platform.certificates.clone();
    let nothing = fault(settings([127, 0, 0, 1], None), Some(certificates.clone())).await;
    assert!(matches!(nothing, ServeFault::NoCertificate), "{nothing}");
    std::fs::remove_file(crate::rig::files(at).certificate).expect("removed");
    let nobody = fault(settings([127, 0, 0, 1], Some(&files)), Some(certificates)).await;
    assert!(nobody.to_string().contains("cardswitch ca init"), "{nobody}");
    let missing = ServerFiles { key: at.join("nowhere.key"), ..files.clone() };
    let missing = fault(settings([127, 0, 0, 1], Some(&missing)), None).await;
    assert!(missing.to_string().contains("nowhere.key"), "{missing}");

    // In clear on a loopback address, as a developer has it; and a drain at the end.
    let serving = serve(settings([127, 0, 0, 1], None), None, Router::new()).await;
    let serving = serving.unwrap_or_else(|fault| panic!("{fault}"));
    let address = serving.address();
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
    let mut said = [0; 12];
    stream.read_exact(&mut said).await.expect("an answer");
    assert_eq!(&said, b"HTTP/1.1 404");
    serving.stop(WITHIN).await;
    ended(&mut stream).await;
    assert!(TcpStream::connect(address).await.is_err());
    platform.end().await;
}
