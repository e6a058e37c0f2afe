//! A listener that serves a router. It owns the order of a connection's life: a place, a handshake
//! in its time, heads of requests in theirs, and at the end a drain with a deadline.

use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum_server::tls_rustls::RustlsAcceptor;
use axum_server::{Handle, Server};
use metrics::counter;
use tokio::task::JoinHandle;

use super::ended::Ends;
use super::places::{NoPlace, Places};
use super::settings::{ListenLimits, ListenSettings};
use super::{Tls, TlsFault, describe};
use crate::certificates::Certificates;

/// The library takes no smaller bound of a request's head.
const LEAST_HEAD: usize = 8_192;

/// Why a listener does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeFault {
    /// Its certificate.
    #[error(transparent)]
    Tls(#[from] TlsFault),
    /// Its address.
    #[error("listening on {address}: {source}")]
    Address {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// In clear, where others could listen or speak.
    #[error("{0}: without a certificate of its own a listener is for a loopback address alone")]
    InClear(SocketAddr),
    /// In clear, where certificates of clients are asked for.
    #[error("a listener that asks for client certificates needs one of its own")]
    NoCertificate,
}

/// A listener at work. Dropped, it goes on: [`Self::stop`] ends it.
pub struct Serving {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    tls: Option<Tls>,
    stopping: Arc<AtomicBool>,
    serving: JoinHandle<io::Result<()>>,
    watching: Option<JoinHandle<()>>,
}

/// Opens a listener and serves the router on it. With `clients` only who shows a certificate of
/// theirs gets through the handshake: [`client_certificate`](super::client_certificate) tells it of
/// a request. The address that a request comes from is in its extensions, as
/// `ConnectInfo<SocketAddr>`.
///
/// # Errors
/// The certificate cannot be used, or the address cannot be had.
pub async fn serve(
    settings: ListenSettings,
    clients: Option<Certificates>,
    router: Router,
) -> Result<Serving, ServeFault> {
    describe();
    let ListenSettings { name, address, files, limits } = settings;
    let tls = match files {
        Some(files) => Some(Tls::open(name, files, clients).await?),
        None if clients.is_some() => return Err(ServeFault::NoCertificate),
        None if !address.ip().is_loopback() => return Err(ServeFault::InClear(address)),
        None => None,
    };
    let failed = |source| ServeFault::Address { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let handle = Handle::new();
    let server = prepared(listener, handle.clone(), (name, &limits)).map_err(failed)?;
    let places = Places::new(name, limits.connections);
    let stopping = Arc::new(AtomicBool::new(false));
    let lives = (name, &limits);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = match &tls {
        None => {
            let acceptor = Ends::new(places, lives, stopping.clone());
            tokio::spawn(server.acceptor(acceptor).serve(service))
        }
        Some(tls) => {
            let acceptor = RustlsAcceptor::new(tls.config()).handshake_timeout(limits.handshake);
            let acceptor = Ends::new(acceptor.acceptor(places), lives, stopping.clone());
            tokio::spawn(server.acceptor(acceptor).serve(service))
        }
    };
    let watching = tls.clone().map(|tls| tokio::spawn(watch(tls, limits.reload)));
    tracing::info!(listener = name, %address, tls = tls.is_some(), "the management API listens");
    Ok(Serving { address, handle, tls, stopping, serving, watching })
}

impl Serving {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections are past their handshake.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.handle.connection_count()
    }

    /// Reads its certificate again, now; whether that changed anything.
    ///
    /// # Errors
    /// The files are broken, and what was in use stays.
    pub async fn reload(&self) -> Result<bool, TlsFault> {
        match &self.tls {
            Some(tls) => tls.reload().await,
            None => Ok(false),
        }
    }

    /// Takes no more connections, lets what is on its way be answered, and ends all after `within`.
    pub async fn stop(self, within: Duration) {
        if let Some(watching) = &self.watching {
            watching.abort();
        }
        self.stopping.store(true, Ordering::Relaxed);
        self.handle.graceful_shutdown(Some(within));
        if let Ok(Err(error)) = self.serving.await {
            tracing::error!(%error, "a listener of the management API has ended");
        }
    }
}

/// A server with its limits, before it has an acceptor.
fn prepared(
    listener: TcpListener,
    handle: Handle<SocketAddr>,
    (name, limits): (&'static str, &ListenLimits),
) -> io::Result<Server<SocketAddr>> {
    let mut server = axum_server::from_tcp(listener)?
        .handle(handle)
        .first_request_timeout(limits.first_request)
        .accept_error_handler(move |_, error| refused(name, error));
    server
        .http_builder()
        .http1()
        .header_read_timeout(limits.next_request)
        .max_buf_size(limits.head_bytes.max(LEAST_HEAD))
        .max_headers(limits.headers);
    Ok(server.http1_only())
}

/// Counts a connection that came to no request.
fn refused(listener: &'static str, error: &io::Error) {
    let full = error.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<NoPlace>);
    let cause = match error.kind() {
        _ if full => "full",
        io::ErrorKind::TimedOut => "handshake_timeout",
        _ => "handshake",
    };
    tracing::debug!(listener, %error, cause, "a connection came to no request");
    counter!(
        "cardswitch_api_refused_connections_total", "listener" => listener, "cause" => cause
    )
    .increment(1);
}

/// Reads the files of a certificate again and again.
async fn watch(tls: Tls, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        // What was wrong is logged and counted.
        let _ = tls.reload().await;
    }
}
