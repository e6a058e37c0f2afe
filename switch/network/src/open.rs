//! A link that is open: its port taken or its addresses known, its certificates read. It owns the
//! order in which a link comes about and ends; who connects stands in `listener` and `dial`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use switch_security::SecurityModule;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::{InvalidLink, LinkConfig, Side};
use crate::handle::LinkHandle;
use crate::link::Link;
use crate::locks::Allowance;
use crate::mac::Authenticator;
use crate::metrics::LinkMetrics;
use crate::standing::Standing;
use crate::switch::Switch;
use crate::tls::{Tls, TlsError};
use crate::{dial, listener, locks, socket};

/// A link that can be run.
pub struct OpenLink<S> {
    link: Arc<Link<S>>,
    /// Of a link that listens; it does not accept yet.
    listening: Option<(TcpListener, SocketAddr)>,
}

/// Why a link does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its settings cannot work.
    #[error(transparent)]
    Invalid(#[from] InvalidLink),
    /// The address cannot be had.
    #[error("link {link} cannot listen on {address}: {source}")]
    Socket {
        /// Which link.
        link: String,
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Its certificates cannot be used.
    #[error("link {link}: TLS: {source}")]
    Tls {
        /// Which link.
        link: String,
        /// What is wrong with them.
        source: TlsError,
    },
}

impl<S: Switch> OpenLink<S> {
    /// Opens the port of a link that listens, and reads certificates. Needs a Tokio runtime, and
    /// for its metrics the recorder installed before.
    ///
    /// # Errors
    /// A setting cannot work, a file cannot be used, or the address cannot be had.
    pub fn open(
        config: LinkConfig,
        switch: S,
        security: Arc<dyn SecurityModule>,
    ) -> Result<Self, OpenError> {
        config.check()?;
        let mac = Authenticator::of(&config, &security)?;
        let metrics = Arc::new(LinkMetrics::new(&config.name));
        let listens = matches!(config.side, Side::Listen(_));
        let tls = match &config.tls {
            None => None,
            Some(tls) => {
                let read = Tls::open(&config.name, tls.clone(), listens, Arc::clone(&metrics));
                let failed = |source| OpenError::Tls { link: config.name.clone(), source };
                Some(Arc::new(read.map_err(failed)?))
            }
        };
        let listening = match config.side {
            Side::Dial(_) => None,
            Side::Listen(address) => {
                let failed =
                    |source| OpenError::Socket { link: config.name.clone(), address, source };
                let socket = socket::listen(address).map_err(failed)?;
                let address = socket.local_addr().map_err(failed)?;
                Some((socket, address))
            }
        };
        let address = listening.as_ref().map(|(_, address)| *address);
        let standing = Arc::new(Standing::new(&config, address, Arc::clone(&metrics)));
        let actor = locks::actor(&config.name, config.id);
        let refusals = Allowance::new(config.locks.refusals_per_minute);
        let link = Link { config, switch, security, mac, standing, actor, refusals, tls, metrics };
        let link = Arc::new(link);
        Ok(Self { link, listening })
    }

    /// Where it listens; `None` where it dials.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.listening.as_ref().map(|(_, address)| *address)
    }

    /// By which it is looked at and commanded while it runs.
    #[must_use]
    pub fn handle(&self) -> LinkHandle {
        let Link { standing, tls, .. } = &*self.link;
        LinkHandle::new(Arc::clone(standing), tls.clone())
    }

    /// Serves until `shutdown`; then closes the port or dials no more, lets each connection send
    /// the answers that it owes (for at most the link's drain deadline), and returns.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { link, listening } = self;
        let serving = async {
            match (&link.config.side, listening) {
                (Side::Dial(dialling), _) => dial::run(&link, dialling, &shutdown).await,
                (Side::Listen(_), Some((socket, _))) => {
                    listener::run(&link, socket, &shutdown).await;
                }
                // Cannot happen: it was opened.
                (Side::Listen(_), None) => {}
            }
        };
        let watching = async {
            match &link.tls {
                Some(tls) => tls.watch().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = serving => {}
            () = watching => {}
        }
    }
}
