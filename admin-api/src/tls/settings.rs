//! How a listener of the management API is set up. It owns the names of what can be set; what is
//! done with it stands beside.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A listener.
#[derive(Clone, Debug)]
pub struct ListenSettings {
    /// What logs and metrics call it.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its own certificate; none: in clear, which is for a developer's own machine.
    pub files: Option<ServerFiles>,
    /// How much of everything.
    pub limits: ListenLimits,
}

/// The files of a server's certificate.
#[derive(Clone, Debug)]
pub struct ServerFiles {
    /// Its certificate and those between it and a root, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// Limits of a listener.
#[derive(Clone, Copy, Debug)]
pub struct ListenLimits {
    /// Connections at a time; one more is closed before its handshake.
    pub connections: usize,
    /// For a handshake.
    pub handshake: Duration,
    /// From the handshake to the head of the first request.
    pub first_request: Duration,
    /// From the end of a request to the head of the next: slow heads and idle connections end.
    pub next_request: Duration,
    /// Bytes of a request's head; a longer one is answered 431.
    pub head_bytes: usize,
    /// Header lines in it; more are answered 431.
    pub headers: usize,
    /// How often the files are looked at.
    pub reload: Duration,
}

impl Default for ListenLimits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            handshake: Duration::from_secs(10),
            first_request: Duration::from_secs(10),
            next_request: Duration::from_secs(30),
            head_bytes: 16 * 1024,
            headers: 64,
            reload: Duration::from_secs(60),
        }
    }
}
