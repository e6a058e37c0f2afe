//! The HTTPS client with which the platform itself asks: over TLS alone, HTTP/1.1, with bounded
//! heads and a bounded pool. Where its connections may go is for who makes them: it owns no
//! address.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use sha2::{Digest, Sha256};

use super::client::client;
use super::files::{TlsFault, read_whole};
use super::settings::ServerFiles;

/// The head of an answer, and its lines.
const HEAD_MOST: usize = 16_384;
const HEADERS_MOST: usize = 64;

/// How others are reached.
pub(crate) struct Asking<'a> {
    /// Whom their certificates must come from.
    pub(crate) ca: &'a Path,
    /// What is shown to them: a certificate, and its key.
    pub(crate) own: Option<&'a (PathBuf, PathBuf)>,
    /// For a connection: its name looked up, and TCP.
    pub(crate) connect: Duration,
    /// Connections that are kept open to one place without a request, and for how long.
    pub(crate) idle_connections: usize,
    /// See `idle_connections`.
    pub(crate) idle: Duration,
}

/// A client whose names are looked up by the connector. Blocks on files.
pub(crate) fn https<R>(
    asking: &Asking<'_>,
    mut tcp: HttpConnector<R>,
) -> Result<Client<HttpsConnector<HttpConnector<R>>, Full<Bytes>>, TlsFault>
where
    HttpConnector<R>: Clone,
    HttpsConnector<HttpConnector<R>>: Connect + Clone,
{
    let own = asking.own.cloned();
    let own = own.map(|(certificate, key)| ServerFiles { certificate, key });
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(asking.connect));
    let https = HttpsConnectorBuilder::new()
        .with_tls_config(client(asking.ca, own.as_ref())?)
        .https_only()
        .enable_http1()
        .wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(asking.idle)
        .pool_max_idle_per_host(asking.idle_connections)
        .http1_max_buf_size(HEAD_MOST)
        .http1_max_headers(HEADERS_MOST)
        .build(https))
}

/// Of what is in these files; the same bytes give the same. Blocks.
pub(crate) fn digest_of<'a>(
    files: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<[u8; 32], TlsFault> {
    let mut digest = Sha256::new();
    for path in files {
        let bytes = read_whole(path)?;
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(&bytes);
    }
    Ok(digest.finalize().into())
}

/// Why there was no answer, for the log: words of the library and of the system, none of ours.
pub(crate) fn words_of(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
