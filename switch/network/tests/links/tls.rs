//! Links through TLS, on both sides: who is let in, who is not, and how certificates are replaced
//! while the link serves.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use switch_network::{ClientCertificates, Dialling, OldestTls, OpenError, OpenLink};
use switch_network::{LinkConfig, Side, TlsConfig, TlsError};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::rig::{Authority, Issued, Log, Peer, Rig, Script, client, security, server};

const SOON: Duration = Duration::from_millis(40);

/// A directory with the files of a link, and who made them.
struct Files {
    directory: TempDir,
    /// Vouches for the link.
    ours: Authority,
    /// Vouches for its peers.
    theirs: Authority,
}

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let files = Self { directory, ours: Authority::new(), theirs: Authority::new() };
        files.renew();
        std::fs::write(files.path("ca.pem"), files.theirs.pem()).expect("written");
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A new pair for the link.
    fn renew(&self) -> Issued {
        let issued = self.ours.issue("switch.example");
        issued.write(self.directory.path(), "own");
        issued
    }

    fn listening(&self) -> TlsConfig {
        TlsConfig {
            certificate: Some(self.path("own.pem")),
            key: Some(self.path("own.key")),
            ..TlsConfig::default()
        }
    }

    fn mutual(&self) -> TlsConfig {
        let client_certificates = ClientCertificates::Required;
        TlsConfig { ca: Some(self.path("ca.pem")), client_certificates, ..self.listening() }
    }

    fn dialling(&self) -> TlsConfig {
        let server_name = Some("network.example".into());
        TlsConfig { ca: Some(self.path("ca.pem")), server_name, ..self.listening() }
    }
}

fn listening(tls: TlsConfig) -> Rig {
    Rig::with("iso87-ascii", |config| config.tls = Some(tls))
}

type Encrypted = client::TlsStream<TcpStream>;

async fn connect(rig: &Rig, config: Arc<ClientConfig>) -> std::io::Result<Peer<Encrypted>> {
    let stream = TcpStream::connect(rig.address).await?;
    let name = ServerName::try_from("switch.example").expect("a name");
    Ok(rig.peer(TlsConnector::from(config).connect(name, stream).await?))
}

/// Of TLS 1.3, whose client learns only from the first read that its certificate was refused.
async fn expect_refusal(rig: &Rig, config: Arc<ClientConfig>, cause: &str, times: f64) {
    if let Ok(mut peer) = connect(rig, config).await {
        peer.expect_end().await;
    }
    rig.until(|rig| rig.metric("cardswitch_link_refused_total", cause) == times).await;
}

#[tokio::test]
async fn both_versions_are_spoken_and_purchases_answered() {
    let files = Files::new();
    let rig = listening(files.listening());
    for (version, shown) in [(&TLS12, "TLS 1.2"), (&TLS13, "TLS 1.3")] {
        let config = client(&files.ours, None, &[version]);
        let mut peer = connect(&rig, config).await.expect("a handshake");
        assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
        assert_eq!(rig.handle.view().connections[0].tls, Some(shown));
        drop(peer);
        rig.until(|rig| rig.handle.view().connections.is_empty()).await;
    }
    assert_eq!(rig.metric("cardswitch_link_closed_total", "peer_closed"), 2.0);
    let newest = listening(TlsConfig { oldest: OldestTls::V13, ..files.listening() });
    let old = client(&files.ours, None, &[&TLS12]);
    expect_refusal(&newest, old, "tls_handshake", 1.0).await;
    let new = client(&files.ours, None, &[&TLS12, &TLS13]);
    let mut peer = connect(&newest, new).await.expect("a handshake");
    assert_eq!(peer.ask(&newest.request(1)).await.text(39), "00");
}

#[tokio::test]
async fn where_certificates_are_required_only_those_of_the_ca_let_in() {
    let files = Files::new();
    let good = files.theirs.issue("peer.example");
    let strange = files.ours.issue("peer.example");
    for version in [&TLS12, &TLS13] {
        let rig = listening(files.mutual());
        let with = |shown| client(&files.ours, shown, &[version]);
        expect_refusal(&rig, with(None), "tls_handshake", 1.0).await;
        expect_refusal(&rig, with(Some(&strange)), "tls_handshake", 2.0).await;
        let mut peer = connect(&rig, with(Some(&good))).await.expect("a handshake");
        assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
        assert_eq!(rig.handle.view().refused, 2);
        assert_eq!(rig.script.commands().len(), 1);

        let client_certificates = ClientCertificates::Optional;
        let rig = listening(TlsConfig { client_certificates, ..files.mutual() });
        expect_refusal(&rig, with(Some(&strange)), "tls_handshake", 1.0).await;
        for shown in [None, Some(&good)] {
            let mut peer = connect(&rig, with(shown)).await.expect("a handshake");
            assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
        }
    }
}

#[tokio::test]
async fn a_certificate_must_bear_one_of_the_names() {
    let files = Files::new();
    let client_names = vec!["other.example".into(), "peer.example".into()];
    let rig = listening(TlsConfig { client_names, ..files.mutual() });
    let with = |name| client(&files.ours, Some(&files.theirs.issue(name)), &[&TLS13]);
    expect_refusal(&rig, with("stranger.example"), "tls_stranger", 1.0).await;
    let mut peer = connect(&rig, with("peer.example")).await.expect("a handshake");
    assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
}

#[tokio::test]
async fn a_handshake_has_a_deadline_and_a_place() {
    let files = Files::new();
    let rig = Rig::with("iso87-ascii", |config| {
        config.max_connections = 1;
        config.tls = Some(files.listening());
    });
    let _silent = rig.connect().await;
    rig.connect().await.expect_end().await;
    assert_eq!(rig.metric("cardswitch_link_refused_total", "too_many_connections"), 1.0);
    let rig = listening(TlsConfig { handshake_deadline: SOON, ..files.listening() });
    rig.connect().await.expect_end().await;
    assert_eq!(rig.metric("cardswitch_link_refused_total", "tls_deadline"), 1.0);
}

#[tokio::test]
async fn a_peer_in_clear_is_refused_and_another_served() {
    let files = Files::new();
    let rig = listening(files.listening());
    let mut clear = rig.connect().await;
    clear.send(&rig.request(1)).await;
    rig.until(|rig| rig.metric("cardswitch_link_refused_total", "tls_handshake") == 1.0).await;
    let config = client(&files.ours, None, &[&TLS13]);
    let mut peer = connect(&rig, config).await.expect("a handshake");
    assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_cut_off_through_tls_too() {
    use tokio::io::AsyncWriteExt;
    let files = Files::new();
    let rig = Rig::with("iso87-ascii", |config| {
        config.max_output = usize::MAX;
        config.frame_deadline = SOON;
        config.tls = Some(files.listening());
    });
    let config = client(&files.ours, None, &[&TLS13]);
    let mut peer = connect(&rig, config).await.expect("a handshake");
    let many = peer.frame(&rig.network(1, "301").bytes()).repeat(100);
    while peer.stream.write_all(&many).await.is_ok() {}
    assert_eq!(rig.metric("cardswitch_link_closed_total", "write_deadline"), 1.0);
}

#[tokio::test]
async fn a_shutdown_sends_what_is_owed_and_ends_handshakes() {
    let files = Files::new();
    let rig = listening(files.listening());
    rig.script.hand_over();
    let config = client(&files.ours, None, &[&TLS13]);
    let mut peer = connect(&rig, config).await.expect("a handshake");
    let mut silent = rig.connect().await;
    peer.send(&rig.request(1)).await;
    let submission = rig.script.next().await;
    rig.shutdown.cancel();
    silent.expect_end().await;
    submission.reply.send(crate::rig::approved(1));
    assert_eq!(peer.answer().await.text(11), "000001");
    peer.expect_end().await;
    drop((peer, silent));
    rig.running.await.expect("ended in order");
}

/// A peer that is dialled: it shows this, and wants to be shown a certificate of the link's CA.
struct Network {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Network {
    async fn new(files: &Files, own: &Issued) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        Self { listener, acceptor: server(own, Some(&files.ours)).into() }
    }

    fn rig(&self, tls: TlsConfig) -> Rig {
        let address = self.listener.local_addr().expect("an address").to_string();
        let mut dialling = Dialling::new([address]);
        dialling.first_wait = Duration::from_millis(1);
        dialling.longest_wait = Duration::from_millis(4);
        Rig::with("iso87-ascii", |config| {
            config.side = Side::Dial(dialling);
            config.tls = Some(tls);
        })
    }

    async fn accept(&self) -> std::io::Result<server::TlsStream<TcpStream>> {
        let (stream, _) = self.listener.accept().await?;
        self.acceptor.accept(stream).await
    }
}

#[tokio::test]
async fn a_dialled_peer_and_the_link_show_each_other_certificates() {
    let files = Files::new();
    let network = Network::new(&files, &files.theirs.issue("network.example")).await;
    let rig = network.rig(files.dialling());
    let mut peer = rig.peer(network.accept().await.expect("a handshake"));
    assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
    let (_, session) = peer.stream.get_ref();
    assert_eq!(session.peer_certificates().expect("shown").len(), 1);
    // It dies, and is dialled again.
    drop(peer);
    let mut peer = rig.peer(network.accept().await.expect("a handshake"));
    assert_eq!(peer.ask(&rig.request(2)).await.text(39), "00");
}

#[tokio::test]
async fn a_dialled_peer_must_be_who_it_should() {
    let files = Files::new();
    for own in [files.theirs.issue("other.example"), files.ours.issue("network.example")] {
        let network = Network::new(&files, &own).await;
        let rig = network.rig(files.dialling());
        for _ in 0..3 {
            assert!(network.accept().await.is_err(), "no handshake");
        }
        let failed = |rig: &Rig| rig.metric("cardswitch_link_dial_failures_total", "tls_handshake");
        rig.until(|rig| failed(rig) >= 3.0).await;
        assert!(rig.handle.view().connections.is_empty());
    }
}

/// The certificate that the link shows now.
async fn shown(rig: &Rig, files: &Files) -> Vec<u8> {
    let config = client(&files.ours, None, &[&TLS13]);
    let peer = connect(rig, config).await.expect("a handshake");
    let (_, session) = peer.stream.get_ref();
    session.peer_certificates().expect("shown")[0].to_vec()
}

#[tokio::test]
async fn certificates_are_read_again_by_command() {
    let files = Files::new();
    let rig = listening(files.listening());
    let config = client(&files.ours, None, &[&TLS13]);
    let mut standing = connect(&rig, config).await.expect("a handshake");
    let before = shown(&rig, &files).await;
    let renewed = files.renew();
    assert_eq!(shown(&rig, &files).await, before, "nobody said anything yet");
    assert!(rig.handle.reload().await.expect("reloaded"));
    assert_eq!(shown(&rig, &files).await, renewed.der().to_vec());
    assert_eq!(standing.ask(&rig.request(1)).await.text(39), "00", "what stands goes on");
    assert_eq!(rig.metric("cardswitch_link_tls_reloads_total", "loaded"), 1.0);
    assert!(!Rig::start("iso87-ascii").handle.reload().await.expect("nothing to do"));
}

#[tokio::test]
async fn a_ca_is_read_again_too() {
    let files = Files::new();
    let rig = listening(files.mutual());
    let newcomer = Authority::new();
    let shown = newcomer.issue("peer.example");
    let with = || client(&files.ours, Some(&shown), &[&TLS13]);
    expect_refusal(&rig, with(), "tls_handshake", 1.0).await;
    std::fs::write(files.path("ca.pem"), files.theirs.pem() + &newcomer.pem()).expect("written");
    rig.handle.reload().await.expect("reloaded");
    let mut peer = connect(&rig, with()).await.expect("a handshake");
    assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
}

#[tokio::test]
async fn a_certificate_that_nobody_would_take_is_not_used_in_place_of_one_that_is_good() {
    const EXPIRES: &str = "cardswitch_link_certificate_expires_seconds";
    let files = Files::new();
    let good = files.ours.issue_for_years("switch.example", [2020, 2090]);
    good.write(files.directory.path(), "own");
    let rig = listening(files.listening());
    let until_2090 = 3_786_912_000.0;
    assert_eq!(rig.metric(EXPIRES, ""), until_2090);
    for years in [[2019, 2020], [2090, 2091]] {
        let bad = files.ours.issue_for_years("switch.example", years);
        bad.write(files.directory.path(), "own");
        let error = rig.handle.reload().await.expect_err("refused");
        assert!(matches!(error, TlsError::NotNow { .. }), "{error}");
        let shown = format!("good from {}-01-01T00:00:00Z", years[0]);
        assert!(error.to_string().contains(&shown), "{error}");
        let config = client(&files.ours, None, &[&TLS13]);
        let mut peer = connect(&rig, config).await.expect("a handshake with what was before");
        assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00");
        assert_eq!(rig.metric(EXPIRES, ""), until_2090);
    }
    // At a start there is nothing better, and other links must not wait for it.
    let late = listening(files.listening());
    let config = client(&files.ours, None, &[&TLS13]);
    assert!(connect(&late, config).await.is_err());
    let log = Log::of_this_process().text();
    assert!(log.contains("no peer will take the link's certificate"), "{log}");
}

#[tokio::test]
async fn broken_files_change_nothing() {
    let files = Files::new();
    let rig = listening(files.mutual());
    let good = files.theirs.issue("peer.example");
    let other = files.ours.issue("switch.example");
    let (certificate, key) = (files.path("own.pem"), files.path("own.key"));
    let ca = files.path("ca.pem");
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("a file");
    let whole = [read(&certificate), read(&key), read(&ca)];
    let half_key = whole[1][..whole[1].len() / 2].to_owned();
    let secret = whole[1].lines().nth(1).expect("a line of the key").to_owned();
    let huge = "x".repeat(2 * 1024 * 1024);
    for (path, content, expected) in [
        (&certificate, Some("nothing"), "holds no certificate in PEM form"),
        (&certificate, Some(&other.certificate), "is not the key of"),
        (&certificate, None, "own.pem: "),
        (&key, Some(&half_key), "holds no private key in PEM form"),
        (&key, Some(&other.key), "is not the key of"),
        (&key, Some(&whole[0]), "holds no private key in PEM form"),
        (&key, Some(""), "holds no private key in PEM form"),
        (&ca, Some(""), "holds no certificate in PEM form"),
        (&ca, Some(&huge), "longer than 1048576 bytes"),
        (&ca, None, "ca.pem: "),
    ] {
        match content {
            Some(content) => std::fs::write(path, content).expect("written"),
            None => std::fs::remove_file(path).expect("removed"),
        }
        let error = rig.handle.reload().await.expect_err("refused").to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains(&secret), "{error}");
        let config = client(&files.ours, Some(&good), &[&TLS13]);
        let mut peer = connect(&rig, config).await.expect("a handshake with what was before");
        assert_eq!(peer.ask(&rig.request(1)).await.text(39), "00", "after {error}");
        for (path, content) in [&certificate, &key, &ca].into_iter().zip(&whole) {
            std::fs::write(path, content).expect("written");
        }
    }
    assert_eq!(rig.metric("cardswitch_link_tls_reloads_total", "kept"), 10.0);
    rig.handle.reload().await.expect("whole again");
    let log = Log::of_this_process().text();
    assert!(log.contains("certificates kept") && !log.contains(&secret), "{log}");
    assert!(!format!("{:?}", files.mutual()).contains(&secret));
}

#[tokio::test]
async fn changed_files_are_noticed() {
    let files = Files::new();
    let interval = Duration::from_millis(5);
    let rig = listening(TlsConfig { check_interval: interval, ..files.listening() });
    let count = |rig: &Rig, result| rig.metric("cardswitch_link_tls_reloads_total", result);
    std::fs::write(files.path("own.key"), "nothing").expect("written");
    rig.until(|rig| count(rig, "kept") >= 1.0).await;
    let renewed = files.renew();
    rig.until(|rig| count(rig, "loaded") >= 1.0).await;
    // A look between the two writes may have met the new key beside the old certificate.
    while shown(&rig, &files).await != renewed.der().to_vec() {
        tokio::task::yield_now().await;
    }
    std::fs::remove_file(files.path("own.pem")).expect("removed");
    let before = count(&rig, "kept");
    rig.until(|rig| count(rig, "kept") > before).await;
    assert_eq!(shown(&rig, &files).await, renewed.der().to_vec());
}

fn open(tls: TlsConfig, side: Option<Side>) -> Result<(), OpenError> {
    let dialect = codecs::iso8583::Dialect::shipped("iso87-ascii").expect("shipped");
    let framing = codecs::framing::Framing::new(codecs::framing::LengthHeader::Binary2);
    let here = ([127, 0, 0, 1], 0).into();
    let mut config = LinkConfig::new("n", switch_domain::LinkId(1), here, framing, dialect.into());
    config.tls = Some(tls);
    config.side = side.unwrap_or(config.side);
    OpenLink::open(config, Script::new(), security()).map(|_| ())
}

#[tokio::test]
async fn what_does_not_fit_is_named_before_a_port_opens() {
    let files = Files::new();
    let dials = || Some(Side::Dial(Dialling::new(["network.example:8583"])));
    let none = TlsConfig::default;
    let required = ClientCertificates::Required;
    let name = || vec!["peer.example".to_owned()];
    for (tls, side, expected) in [
        (none(), None, "set certificate and key"),
        (TlsConfig { client_certificates: required, ..files.listening() }, None, "set ca"),
        (TlsConfig { ca: Some("ca.pem".into()), ..files.listening() }, None, "set client_cert"),
        (TlsConfig { client_names: name(), ..files.listening() }, None, "client_names needs"),
        (TlsConfig { client_names: vec!["a b".into()], ..files.mutual() }, None, "\"a b\" is no"),
        (files.dialling(), None, "ca is set"),
        (none(), dials(), "set ca"),
        (TlsConfig { key: None, ..files.dialling() }, dials(), "belong together"),
        (TlsConfig { client_names: name(), ..files.dialling() }, dials(), "link that listens"),
        (TlsConfig { server_name: Some("a b".into()), ..files.dialling() }, dials(), "no name"),
        (TlsConfig { handshake_deadline: Duration::ZERO, ..files.mutual() }, None, "above zero"),
    ] {
        let error = open(tls, side).expect_err("refused").to_string();
        assert!(error.starts_with("link n: tls: ") && error.contains(expected), "{error}");
    }
    open(files.dialling(), dials()).expect("fits");
    std::fs::remove_file(files.path("own.key")).expect("removed");
    let error = open(files.mutual(), None).expect_err("refused");
    assert!(
        matches!(&error, OpenError::Tls { source: TlsError::Unreadable { .. }, .. }),
        "{error}"
    );
}
