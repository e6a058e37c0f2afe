//! A listener with a certificate of its own, and clients of it, over loopback: HTTP/1.1 by hand, so
//! that a test says what goes over the wire.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use admin_api::Problem;
use admin_api::certificates::{Certificates, Issued};
use admin_api::tls::{
    ListenLimits, ListenSettings, ServerFiles, Serving, client_certificate, serve,
};
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::rig::now;

/// Who signs the certificates of servers.
pub(crate) struct Root(CertifiedIssuer<'static, KeyPair>);

impl Root {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// Writes a certificate for a name, and its key, where a listener reads them.
    pub(crate) fn server(
        &self,
        directory: &Path,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> ServerFiles {
        let mut params = CertificateParams::new(vec![name.into()]).expect("a name");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let issuer: &Issuer<'_, KeyPair> = &self.0;
        let certificate = params.signed_by(&key, issuer).expect("signed");
        let files = ServerFiles {
            certificate: directory.join("server.pem"),
            key: directory.join("server.key"),
        };
        std::fs::write(&files.certificate, certificate.pem()).expect("written");
        std::fs::write(&files.key, key.serialize_pem()).expect("written");
        files
    }
}

/// Says whose certificate it is, or why it is nobody's; asked anew each time.
async fn who(State(certificates): State<Certificates>, request: Request) -> String {
    let Some(der) = client_certificate(request.extensions()) else { return "nobody".into() };
    match certificates.identify(der, now()).await {
        Ok(partner) => format!("partner {}", partner.0),
        Err(fault) => Problem::from(fault).to_string(),
    }
}

/// Listens with these limits, on a port of its own, for who shows a certificate or for everybody.
pub(crate) async fn listen(
    certificates: &Certificates,
    asks: bool,
    files: ServerFiles,
    limits: ListenLimits,
) -> Serving {
    let router = Router::new().route("/who", get(who)).with_state(certificates.clone());
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let settings = ListenSettings { name: "secure", address, files: Some(files), limits };
    let clients = asks.then(|| certificates.clone());
    serve(settings, clients, router).await.expect("a listener")
}

pub(crate) const BOTH: [&SupportedProtocolVersion; 2] =
    [&rustls::version::TLS13, &rustls::version::TLS12];

/// A client that trusts these roots, and shows a certificate where it has one.
pub(crate) fn client(
    roots: &[CertificateDer<'static>],
    versions: &[&'static SupportedProtocolVersion],
    shows: Option<(&KeyPair, &[u8])>,
) -> Arc<ClientConfig> {
    let mut trusted = RootCertStore::empty();
    for root in roots {
        trusted.add(root.clone()).expect("a root");
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(trusted);
    Arc::new(match shows {
        None => builder.with_no_client_auth(),
        Some((key, der)) => {
            let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
            let chain = vec![CertificateDer::from(der.to_vec())];
            builder.with_client_auth_cert(chain, private).expect("a pair")
        }
    })
}

pub(crate) fn member((key, issued): &(KeyPair, Issued)) -> Option<(&KeyPair, &[u8])> {
    Some((key, &issued.der))
}

/// An open connection.
pub(crate) struct Connection(pub(crate) TlsStream<TcpStream>);

impl Connection {
    pub(crate) async fn open(
        address: SocketAddr,
        config: &Arc<ClientConfig>,
        name: &'static str,
    ) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from(name).expect("a name");
        Ok(Self(TlsConnector::from(Arc::clone(config)).connect(name, stream).await?))
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.0.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Asks who it is, and leaves the connection open: status and body.
    pub(crate) async fn ask(&mut self) -> std::io::Result<(u16, String)> {
        self.send("GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n").await
    }

    /// Sends what is given, and reads an answer.
    pub(crate) async fn send(&mut self, text: &str) -> std::io::Result<(u16, String)> {
        self.0.write_all(text.as_bytes()).await?;
        let mut read = Vec::new();
        loop {
            if let Some(answer) = answer(&read) {
                return Ok(answer);
            }
            let mut room = [0; 4096];
            match self.0.read(&mut room).await? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                length => read.extend_from_slice(&room[..length]),
            }
        }
    }
}

/// The answer, once it is whole.
fn answer(read: &[u8]) -> Option<(u16, String)> {
    let text = std::str::from_utf8(read).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let line = line.to_ascii_lowercase();
        line.strip_prefix("content-length:")?.trim().parse::<usize>().ok()
    });
    (body.len() >= length.unwrap_or(0)).then(|| (status, body.to_owned()))
}

/// Connects and asks once.
pub(crate) async fn ask(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
) -> std::io::Result<(u16, String)> {
    Connection::open(address, config, "localhost").await?.ask().await
}
