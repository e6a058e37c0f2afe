//! Listeners of the management API (P-10): over TLS, with partners' client certificates where a
//! channel is theirs. It owns who is let in and how long it may take; what a request gets is its
//! router's affair. Beside them, what the platform itself connects with. No key has a readable
//! form here.

mod asking;
mod client;
mod clients;
mod ended;
mod engine;
mod files;
mod places;
mod serve;
mod settings;

use std::sync::Arc;

use axum::http::Extensions;
use axum_server::tls::TlsInfo;
use axum_server::tls_rustls::RustlsConfig;
use metrics::{counter, describe_counter, describe_gauge, gauge};
use tokio::sync::Mutex;

pub(crate) use asking::{Asking, digest_of, https, words_of};
pub use files::TlsFault;
pub(crate) use files::read_whole;
pub use serve::{ServeFault, Serving, serve};
pub use settings::{ListenLimits, ListenSettings, ServerFiles};

use crate::certificates::Certificates;
use files::Pair;

/// The certificate that the client of a request has shown in its handshake, and has proved to hold;
/// none where none was asked for. Whose it is, [`Certificates::identify`] tells.
#[must_use]
pub fn client_certificate(request: &Extensions) -> Option<&[u8]> {
    request.get::<Arc<TlsInfo>>()?.peer_certificates.first().map(Vec::as_slice)
}

/// The certificate of a listener, and whose it asks for. It is read again when its files change; a
/// pair that is broken changes nothing. Connections that are open keep what they began with.
#[derive(Clone)]
pub(crate) struct Tls {
    listener: &'static str,
    files: ServerFiles,
    clients: Option<Certificates>,
    config: RustlsConfig,
    /// Of the files in use: of both, and of the authority's certificates.
    seen: Arc<Mutex<Seen>>,
}

type Seen = ([u8; 32], Option<String>);

impl Tls {
    /// Reads the files.
    pub(crate) async fn open(
        listener: &'static str,
        files: ServerFiles,
        clients: Option<Certificates>,
    ) -> Result<Self, TlsFault> {
        let (engine, seen) = read(listener, files.clone(), clients.clone()).await?;
        let config = RustlsConfig::from_config(engine);
        Ok(Self { listener, files, clients, config, seen: Arc::new(Mutex::new(seen)) })
    }

    /// What the acceptor takes: each handshake looks into it anew.
    pub(crate) fn config(&self) -> RustlsConfig {
        self.config.clone()
    }

    /// Reads the files again; whether that changed anything. What is broken changes nothing.
    pub(crate) async fn reload(&self) -> Result<bool, TlsFault> {
        let mut last = self.seen.lock().await;
        let (engine, seen) = read(self.listener, self.files.clone(), self.clients.clone())
            .await
            .inspect_err(|error| {
                let listener = self.listener;
                counter!("cardswitch_api_tls_reload_errors_total", "listener" => listener)
                    .increment(1);
                tracing::error!(listener, %error, "the certificate stays as it was");
            })?;
        if *last == seen {
            return Ok(false);
        }
        self.config.reload_from_config(engine);
        *last = seen;
        tracing::info!(listener = self.listener, "the certificate was read again");
        Ok(true)
    }
}

/// Everything a handshake needs, from the files.
async fn read(
    listener: &'static str,
    files: ServerFiles,
    clients: Option<Certificates>,
) -> Result<(Arc<rustls::ServerConfig>, Seen), TlsFault> {
    let reading = tokio::task::spawn_blocking(move || {
        let pair = Pair::read(&files)?;
        let roots = clients.as_ref().map(|clients| clients.authority().pem()).transpose()?;
        let engine = engine::engine(pair.certified()?, clients.as_ref())?;
        if let Some(until) = pair.until() {
            let name = "cardswitch_api_certificate_expires_seconds";
            let seconds = u32::try_from(until.0.div_euclid(1_000_000)).unwrap_or(u32::MAX);
            gauge!(name, "listener" => listener).set(f64::from(seconds));
            if until.0 < jiff::Timestamp::now().as_microsecond() {
                tracing::error!(listener, "the listener's own certificate has expired");
            }
        }
        Ok((engine, (pair.digest(), roots)))
    });
    reading.await.map_err(|error| TlsFault::Library(error.to_string()))?
}

fn describe() {
    describe_gauge!("cardswitch_api_connections", "Open connections, handshakes included");
    describe_counter!(
        "cardswitch_api_refused_connections_total",
        "Connections that came to no request: full (api.limits.connections are open), handshake, \
         handshake_timeout, accept"
    );
    describe_counter!(
        "cardswitch_api_ended_connections_total",
        "Connections past their handshake that a limit ended: first_request, next_request, head"
    );
    describe_counter!(
        "cardswitch_api_tls_reload_errors_total",
        "Readings of a listener's certificate that changed nothing, for its files are broken"
    );
    describe_gauge!(
        "cardswitch_api_certificate_expires_seconds",
        "When a listener's own certificate expires, in seconds since 1970"
    );
}
