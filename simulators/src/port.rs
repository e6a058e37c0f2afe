//! The TCP port of a simulated server: it listens, goes out and is there again when told to. It
//! owns that life alone; what is said on a connection is for who opened it.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;
type Serve = Arc<dyn Fn(TcpStream, CancellationToken) -> Serving + Send + Sync>;

/// A port. It goes out when it is dropped.
pub(crate) struct Port {
    address: SocketAddr,
    alive: Mutex<CancellationToken>,
    serve: Serve,
}

impl Port {
    /// Listens. Each connection is served so, and ends by itself once its token is cancelled.
    ///
    /// # Errors
    /// The port cannot be opened.
    pub(crate) async fn open<S>(
        address: SocketAddr,
        serve: impl Fn(TcpStream, CancellationToken) -> S + Send + Sync + 'static,
    ) -> Result<Self>
    where
        S: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.with_context(|| address.to_string())?;
        let address = listener.local_addr()?;
        let serve: Serve = Arc::new(move |stream, alive| Box::pin(serve(stream, alive)));
        let port = Self { address, alive: Mutex::new(CancellationToken::new()), serve };
        port.listen(listener);
        Ok(port)
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Goes out: it listens no more, and every connection ends.
    pub(crate) fn die(&self) {
        self.alive().cancel();
    }

    /// Is there again, on the same port.
    ///
    /// # Errors
    /// The port cannot be opened.
    pub(crate) async fn revive(&self) -> Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        *self.alive() = CancellationToken::new();
        self.listen(listener);
        Ok(())
    }

    fn listen(&self, listener: TcpListener) {
        tokio::spawn(accept(listener, Arc::clone(&self.serve), self.alive().clone()));
    }

    fn alive(&self) -> MutexGuard<'_, CancellationToken> {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.die();
    }
}

async fn accept(listener: TcpListener, serve: Serve, alive: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = alive.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        if let Ok((stream, _)) = accepted {
            tokio::spawn(serve(stream, alive.clone()));
        }
    }
}

/// Serves until it is over, or the port goes out.
pub(crate) async fn until_out(serving: impl Future<Output = ()>, alive: CancellationToken) {
    tokio::select! {
        () = serving => {}
        () = alive.cancelled() => {}
    }
}
