//! What a link's TLS is to be: paths and demands. It owns which of them fit together; it never
//! reads a file, and holds no key.

use std::path::PathBuf;
use std::time::Duration;

use rustls::pki_types::ServerName;

/// Whether a link that listens asks its peers for certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// It does not.
    #[default]
    None,
    /// It does, and a peer may come without; one that is shown must be good.
    Optional,
    /// Mutual TLS: no peer without one.
    Required,
}

/// The oldest version of TLS that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OldestTls {
    /// 1.2 and 1.3.
    #[default]
    V12,
    /// 1.3 alone.
    V13,
}

/// TLS on a link. Files are PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// Our certificate, and behind it those that lead to a root the peer knows.
    pub certificate: Option<PathBuf>,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: Option<PathBuf>,
    /// Certificates of those who may vouch for the peer. No others are trusted: not the system's.
    pub ca: Option<PathBuf>,
    /// For a link that dials: the name in the peer's certificate, where it is not the host dialled.
    pub server_name: Option<String>,
    /// For a link that listens: whether peers show certificates.
    pub client_certificates: ClientCertificates,
    /// For a link that listens: names of which a peer's certificate must bear one; none: any
    /// certificate that `ca` vouches for.
    pub client_names: Vec<String>,
    /// The oldest version spoken.
    pub oldest: OldestTls,
    /// How long a handshake may take.
    pub handshake_deadline: Duration,
    /// How far apart the files are looked at for changes.
    pub check_interval: Duration,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            certificate: None,
            key: None,
            ca: None,
            server_name: None,
            client_certificates: ClientCertificates::None,
            client_names: Vec::new(),
            oldest: OldestTls::V12,
            handshake_deadline: Duration::from_secs(5),
            check_interval: Duration::from_secs(60),
        }
    }
}

/// A setting and what is wrong with it.
type Unfit = Option<(&'static str, String)>;

impl TlsConfig {
    /// What does not fit on a link that listens.
    pub(crate) fn unfit_to_listen(&self) -> Unfit {
        let asks = self.client_certificates != ClientCertificates::None;
        let fault = if self.certificate.is_none() || self.key.is_none() {
            "a link that listens shows a certificate: set certificate and key"
        } else if asks && self.ca.is_none() {
            "set ca: nobody vouches for the certificates of clients"
        } else if !asks && self.ca.is_some() {
            "ca is set, and clients are not asked for certificates: set client_certificates"
        } else if self.server_name.is_some() {
            "server_name is for a link that dials"
        } else if !self.client_names.is_empty()
            && self.client_certificates != ClientCertificates::Required
        {
            "client_names needs client_certificates = \"required\""
        } else if let Some(name) = self.client_names.iter().find(|name| !is_name(name)) {
            return Some(("tls", format!("client_names: {name:?} is no name of a host")));
        } else {
            return self.unfit();
        };
        Some(("tls", fault.into()))
    }

    /// What does not fit on a link that dials.
    pub(crate) fn unfit_to_dial(&self) -> Unfit {
        let fault = if self.ca.is_none() {
            "set ca: nobody vouches for the peer's certificate"
        } else if self.certificate.is_some() != self.key.is_some() {
            "certificate and key belong together: set both, or none"
        } else if self.client_certificates != ClientCertificates::None
            || !self.client_names.is_empty()
        {
            "client_certificates and client_names are for a link that listens"
        } else if let Some(name) = self.server_name.iter().find(|name| !is_name(name)) {
            return Some(("tls", format!("server_name: {name:?} is no name of a host")));
        } else {
            return self.unfit();
        };
        Some(("tls", fault.into()))
    }

    fn unfit(&self) -> Unfit {
        let zero = self.handshake_deadline.is_zero() || self.check_interval.is_zero();
        let fault = "the handshake's deadline and the interval of checks must be above zero";
        zero.then(|| ("tls", fault.into()))
    }
}

fn is_name(name: &str) -> bool {
    ServerName::try_from(name).is_ok()
}
