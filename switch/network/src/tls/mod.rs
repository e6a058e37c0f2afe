//! TLS of a link, either side. It owns which certificates the next handshake is made with: they are
//! read again when their files change or when somebody asks for it, checked before they are used,
//! and what is broken changes nothing. Connections that stand keep the certificates that they began
//! with. No key has a readable form here.

mod files;
mod settings;
mod validity;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rustls::client::verify_server_name;
use rustls::pki_types::ServerName;
use rustls::server::ParsedCertificate;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

pub use self::files::TlsError;
use self::files::{Engine, Files};
pub use self::settings::{ClientCertificates, OldestTls, TlsConfig};
use self::validity::Validity;
use crate::fresh_stream::FreshStream;
use crate::metrics::LinkMetrics;
use crate::wire::Wire;

/// The certificates of one link.
pub(crate) struct Tls {
    link: String,
    config: TlsConfig,
    listens: bool,
    current: Mutex<Current>,
    metrics: Arc<LinkMetrics>,
}

struct Current {
    engine: Engine,
    /// Of the files that were looked at last, whether they could be used or not; none where they
    /// could not be read.
    seen: Option<[u8; 32]>,
    since: Timestamp,
}

/// Why a handshake did not end well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    #[error("no TLS handshake within {} ms", .0.as_millis())]
    Deadline(Duration),
    #[error("TLS handshake: {0}")]
    Failed(io::Error),
    #[error("TLS handshake: the peer's certificate bears none of the names in client_names")]
    Stranger,
    #[error("TLS handshake: {0:?} is no name that a certificate can bear")]
    NoName(String),
}

impl HandshakeError {
    /// As metrics label it.
    pub(crate) const fn cause(&self) -> &'static str {
        match self {
            Self::Deadline(_) => "tls_deadline",
            Self::Failed(_) | Self::NoName(_) => "tls_handshake",
            Self::Stranger => "tls_stranger",
        }
    }
}

impl fmt::Debug for Tls {
    /// Without what was read from files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files of a link that is about to open. Blocks for as long as that takes.
    pub(crate) fn open(
        link: &str,
        config: TlsConfig,
        listens: bool,
        metrics: Arc<LinkMetrics>,
    ) -> Result<Self, TlsError> {
        let files = Files::read(&config)?;
        let engine = files.engine(&config, listens)?;
        let now = Timestamp::now();
        let current = Current { engine, seen: Some(files.digest()), since: now };
        if let Some((path, validity)) = files.validity() {
            metrics.certificate_expires(validity.until);
            // The other links must not wait for somebody to renew it.
            if let Err(error) = good_at(now, path, validity) {
                tracing::error!(link, %error, "no peer will take the link's certificate");
            }
        }
        let link = link.to_owned();
        Ok(Self { link, config, listens, current: Mutex::new(current), metrics })
    }

    fn engine(&self) -> Engine {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).engine.clone()
    }

    /// When the certificates in use were read.
    pub(crate) fn since(&self) -> Timestamp {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).since
    }

    /// Shakes hands with a peer that has connected.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Result<Wire, HandshakeError> {
        let Engine::Accept(server) = self.engine() else {
            return Err(HandshakeError::NoName(String::new()));
        };
        let shaking = TlsAcceptor::from(server).accept(FreshStream::new(stream));
        let stream = self.within(shaking).await?;
        let names = &self.config.client_names;
        let (_, session) = stream.get_ref();
        let shown = session.peer_certificates().and_then(<[_]>::first);
        let certificate = shown.and_then(|shown| ParsedCertificate::try_from(shown).ok());
        let bears = |name: &String| match (&certificate, ServerName::try_from(name.as_str())) {
            (Some(certificate), Ok(name)) => verify_server_name(certificate, &name).is_ok(),
            _ => false,
        };
        if !names.is_empty() && !names.iter().any(bears) {
            return Err(HandshakeError::Stranger);
        }
        Ok(Wire::tls(stream))
    }

    /// Shakes hands with a peer that was dialled at `host`.
    pub(crate) async fn connect(
        &self,
        stream: TcpStream,
        host: &str,
    ) -> Result<Wire, HandshakeError> {
        let name = self.config.server_name.as_deref().unwrap_or(host);
        let server = ServerName::try_from(name.to_owned());
        let (Engine::Connect(client), Ok(server)) = (self.engine(), server) else {
            return Err(HandshakeError::NoName(name.to_owned()));
        };
        let shaking = TlsConnector::from(client).connect(server, FreshStream::new(stream));
        let stream = self.within(shaking).await?;
        Ok(Wire::tls(stream))
    }

    async fn within<T>(
        &self,
        shaking: impl Future<Output = io::Result<T>>,
    ) -> Result<T, HandshakeError> {
        let deadline = self.config.handshake_deadline;
        match timeout(deadline, shaking).await {
            Ok(shaken) => shaken.map_err(HandshakeError::Failed),
            Err(_) => Err(HandshakeError::Deadline(deadline)),
        }
    }

    /// Reads the files again because somebody says so; what is wrong with them, and then nothing
    /// has changed.
    pub(crate) async fn reload(self: &Arc<Self>) -> Result<(), TlsError> {
        let read = self.read_apart().await;
        self.take(read)
    }

    /// Looks for changes for ever.
    pub(crate) async fn watch(self: &Arc<Self>) {
        loop {
            tokio::time::sleep(self.config.check_interval).await;
            let read = self.read_apart().await;
            let digest = read.as_ref().ok().map(Files::digest);
            let seen = self.current.lock().unwrap_or_else(PoisonError::into_inner).seen;
            if digest != seen {
                // What is wrong was counted and logged.
                let _ = self.take(read);
            }
        }
    }

    async fn read_apart(&self) -> Result<Files, TlsError> {
        let config = self.config.clone();
        let reading = tokio::task::spawn_blocking(move || Files::read(&config));
        reading.await.unwrap_or_else(|error| Err(TlsError::Setting(error.to_string())))
    }

    /// Uses what was read, if it can be used.
    fn take(&self, read: Result<Files, TlsError>) -> Result<(), TlsError> {
        let digest = read.as_ref().ok().map(Files::digest);
        let now = Timestamp::now();
        let taken = read.and_then(|files| {
            let engine = files.engine(&self.config, self.listens)?;
            if let Some((path, validity)) = files.validity() {
                good_at(now, path, validity)?;
                self.metrics.certificate_expires(validity.until);
            }
            Ok(engine)
        });
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.seen = digest;
        let link = &self.link;
        match taken {
            Ok(engine) => {
                current.engine = engine;
                current.since = now;
                self.metrics.tls_loaded.increment(1);
                tracing::info!(link, "certificates read again");
                Ok(())
            }
            Err(error) => {
                self.metrics.tls_kept.increment(1);
                tracing::error!(link, %error, "certificates kept: the files cannot be used");
                Err(error)
            }
        }
    }
}

/// Whether peers can take a certificate.
fn good_at(now: Timestamp, path: &Path, validity: Validity) -> Result<(), TlsError> {
    let Validity { from, until } = validity;
    let not_now = || TlsError::NotNow { path: path.to_owned(), from, until };
    if validity.is_at(now) { Ok(()) } else { Err(not_now()) }
}
