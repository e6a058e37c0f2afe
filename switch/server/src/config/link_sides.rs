//! Who connects to whom on a link, and through which certificates: `listen`, `dial` and `tls` of a
//! link's table. It owns these keys, their defaults and units; what they do is the network's
//! affair.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use switch_network::{ClientCertificates, Dialling, OldestTls, Side, TlsConfig};

use super::Link;

/// Where a link listens that says nothing of it.
const USUAL: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8583);

/// `tls` of a link.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkTls {
    /// Our certificate, PEM, with those behind it that lead to a root the peer knows.
    pub certificate: Option<PathBuf>,
    /// Its key, PEM.
    pub key: Option<PathBuf>,
    /// Who may vouch for the peer's certificate, PEM.
    pub ca: Option<PathBuf>,
    /// The name in the certificate of a peer that is dialled, where it is not the host dialled.
    pub server_name: Option<String>,
    /// Whether those who connect show certificates.
    pub client_certificates: AskClients,
    /// Names of which such a certificate must bear one.
    pub client_names: Vec<String>,
    /// The oldest version spoken.
    pub oldest: OldestVersion,
    /// How long a handshake may take, in milliseconds.
    pub handshake_deadline_ms: u64,
    /// How far apart the files are looked at for changes, in milliseconds.
    pub check_interval_ms: u64,
}

/// Whether those who connect show certificates.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AskClients {
    /// They are not asked.
    #[default]
    None,
    /// They may.
    Optional,
    /// They must.
    Required,
}

/// The oldest version of TLS that is spoken.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub enum OldestVersion {
    /// 1.2 and 1.3.
    #[default]
    #[serde(rename = "1.2")]
    V12,
    /// 1.3 alone.
    #[serde(rename = "1.3")]
    V13,
}

impl Default for LinkTls {
    fn default() -> Self {
        Self {
            certificate: None,
            key: None,
            ca: None,
            server_name: None,
            client_certificates: AskClients::None,
            client_names: Vec::new(),
            oldest: OldestVersion::V12,
            handshake_deadline_ms: 5_000,
            check_interval_ms: 60_000,
        }
    }
}

impl Link {
    /// Who connects to whom, as the network takes it.
    #[must_use]
    pub fn side(&self) -> Side {
        if self.dial.is_empty() {
            return Side::Listen(self.listen.unwrap_or(USUAL));
        }
        Side::Dial(Dialling {
            addresses: self.dial.clone(),
            connect_deadline: Duration::from_millis(self.connect_deadline_ms),
            first_wait: Duration::from_millis(self.redial_first_ms),
            longest_wait: Duration::from_millis(self.redial_longest_ms),
        })
    }

    /// TLS, as the network takes it.
    #[must_use]
    pub fn tls_settings(&self) -> Option<TlsConfig> {
        let tls = self.tls.as_ref()?;
        Some(TlsConfig {
            certificate: tls.certificate.clone(),
            key: tls.key.clone(),
            ca: tls.ca.clone(),
            server_name: tls.server_name.clone(),
            client_certificates: match tls.client_certificates {
                AskClients::None => ClientCertificates::None,
                AskClients::Optional => ClientCertificates::Optional,
                AskClients::Required => ClientCertificates::Required,
            },
            client_names: tls.client_names.clone(),
            oldest: match tls.oldest {
                OldestVersion::V12 => OldestTls::V12,
                OldestVersion::V13 => OldestTls::V13,
            },
            handshake_deadline: Duration::from_millis(tls.handshake_deadline_ms),
            check_interval: Duration::from_millis(tls.check_interval_ms),
        })
    }
}
