//! A link of the real binary that dials through TLS with certificates on both sides, and what it
//! survives: a peer that is killed, one that is half open, a certificate replaced and one that is
//! broken, ten thousand malformed frames. After each it authorizes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use codecs::framing::{Framing, HeaderForm, LengthHeader};
use codecs::iso8583::Dialect;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use simulators::network::{Identity, Malformed, NetworkPeer, Settings, Tally, Tls, TlsVersions};
use switch_store::private_postgres::{TestDatabase, fresh_database};

use crate::pki::Authority;
use crate::stage::Served;

/// The link and all that it talks to.
struct World {
    directory: tempfile::TempDir,
    database: TestDatabase,
    served: Served,
    network: NetworkPeer,
    issuers: Authority,
    own: Identity,
    pan: String,
    bought: u64,
}

fn framing() -> Framing {
    Framing { header: HeaderForm::Tpdu, ..Framing::new(LengthHeader::Ascii(4)) }
}

async fn network(directory: &Path, networks: &Authority, issuers: &Authority) -> NetworkPeer {
    let tls = Tls {
        identity: Some(networks.identity(directory, "network")),
        authorities: Some(issuers.file.clone()),
        name: String::new(), // nobody is dialled
        versions: TlsVersions::Both,
    };
    let dialect = Dialect::shipped("iso93-binary").expect("shipped");
    let patience = Duration::from_secs(30);
    let settings = Settings::new(dialect.into(), framing());
    let settings = Settings { tls: Some(tls), patience, wait_for_sign_on: true, ..settings };
    NetworkPeer::listen(([127, 0, 0, 1], 0).into(), settings).await.expect("a free port")
}

fn configuration(directory: &Path, address: SocketAddr, own: &Identity, ca: &Path) -> PathBuf {
    let text = format!(
        "[links.network]
        id = 2
        dial = [\"{address}\"]
        redial_first_ms = 20
        redial_longest_ms = 200
        sign_on_after_connect = true
        request_header = \"6000010002\"
        echo_interval_ms = 1000
        request_deadline_ms = 2000
        echo_unanswered = 2
        dialect = \"iso93-binary\"
        framing = {{ length = \"ascii4\", header = \"tpdu\" }}
        tls = {{ certificate = {:?}, key = {:?}, ca = {ca:?}, server_name = \"network\" }}\n",
        own.chain, own.key
    );
    // Thousands of frames with numbers of nobody's cards are an attack, and not the point.
    let text = format!("{text}[attacks]\nmode = \"off\"\n");
    let path = directory.join("cardswitch.toml");
    std::fs::write(&path, text).expect("written");
    path
}

impl World {
    async fn new() -> Self {
        let database = fresh_database().await;
        let directory = tempfile::tempdir().expect("a directory");
        let networks = Authority::new(directory.path(), "networks");
        let issuers = Authority::new(directory.path(), "issuers");
        let network = network(directory.path(), &networks, &issuers).await;
        let own = issuers.identity(directory.path(), "switch");
        let file = configuration(directory.path(), network.address(), &own, &networks.file);
        let arguments = ["--config", file.to_str().expect("text")];
        let served = Served::start(directory.path(), database.url().expose(), &arguments);
        let pan = served.set_up();
        Self { directory, database, served, network, issuers, own, pan, bought: 0 }
    }

    async fn until(&self, wanted: impl FnMut(&Tally) -> bool) -> Tally {
        self.network.until(wanted).await.expect("it comes to that")
    }

    async fn buys(&mut self, after: &str) {
        let answer = self.network.purchase(&self.pan, 100).await;
        let answer = answer.unwrap_or_else(|why| panic!("after {after}: {why:#}"));
        assert_eq!(answer.action(), "000", "after {after}");
        self.bought += 1;
    }

    /// Cuts the link off and waits until it is back.
    async fn kill(&self) {
        let before = self.network.tally();
        self.network.kill();
        let is_back = |tally: &Tally| {
            tally.killed > before.killed && tally.sign_ons > before.sign_ons && tally.signed_on > 0
        };
        self.until(is_back).await;
    }

    fn shown(&self) -> Vec<u8> {
        self.network.issuer_certificate().expect("it shows one")
    }
}

fn certificate(identity: &Identity) -> Vec<u8> {
    CertificateDer::from_pem_file(&identity.chain).expect("a certificate").to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_dialled_through_tls_survives_its_peer_and_authorizes() {
    let mut world = World::new().await;
    world.until(|tally| tally.signed_on == 1).await;
    assert_eq!(world.shown(), certificate(&world.own), "certificates on both sides");
    world.buys("the first connection").await;

    for _ in 0..3 {
        world.kill().await;
        world.buys("the peer was killed").await;
    }

    let before = world.network.tally().sign_ons;
    assert_eq!(world.network.go_half_open(), 1);
    world.until(|tally| tally.sign_ons > before).await;
    world.buys("the peer was half open").await;

    replaced_and_broken(&mut world).await;

    let before = world.network.tally();
    world.until(|tally| tally.echoes > before.echoes).await; // it is looked after meanwhile
    let what = Malformed { frames: 10_000, seed: 20_260_704, bad_length_every: 2_500 };
    world.network.send_malformed(what).await.expect("taken");
    let after = world.network.tally();
    assert_eq!(after.connected, before.connected + 4, "no frame but those costs the connection");
    assert_eq!((after.malformed, after.unreadable), (10_004, 0));
    world.until(|tally| tally.signed_on > 0).await;
    world.buys("ten thousand malformed frames").await;
    assert_eq!(world.network.tally().unanswered, 0);

    // The hold of each purchase, and none for anything else.
    let World { directory, database, served, network, bought, .. } = world;
    served.terminate();
    let query = "SELECT count(*) FROM card_authorization WHERE authorized > 0";
    let query = sqlx::query_scalar::<_, i64>(query);
    let pool = sqlx::PgPool::connect(database.url().expose()).await.expect("a connection");
    let held = query.fetch_one(&pool).await.expect("a number");
    pool.close().await;
    assert_eq!(u64::try_from(held), Ok(bought));
    drop((network, directory));
    database.close().await;
}

/// Certificates are taken up by command, and the next connection shows the new one; a file that is
/// broken is named, and what was there stays in use.
async fn replaced_and_broken(world: &mut World) {
    let first = certificate(&world.own);
    let renewed = world.issuers.identity(world.directory.path(), "switch");
    world.buys("the files changed").await;
    assert_eq!(world.shown(), first, "a connection keeps what it began with");
    let reload = ["link", "reload", "network"];
    world.served.command(&reload).expect("reloaded");
    world.kill().await;
    assert_eq!(world.shown(), certificate(&renewed), "the new one");
    assert_ne!(world.shown(), first);
    world.buys("the certificate was replaced").await;

    std::fs::write(&renewed.key, "-----BEGIN PRIVATE KEY-----\nnone\n").expect("written");
    let why = world.served.command(&reload).expect_err("a broken file");
    assert!(why.contains("switch-key.pem"), "{why}");
    let current = certificate(&renewed);
    world.kill().await;
    assert_eq!(world.shown(), current, "what was there stays in use");
    world.buys("a broken file").await;
}
