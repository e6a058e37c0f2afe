//! TLS to the units: whose certificates are taken, what is shown, and the stream itself, in clear
//! where there is none. It owns that trust is what the operator named and nothing else. Files are
//! read once, when it starts.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Why there can be no TLS with these files.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// A file is not there, or is no PEM file of what it should hold.
    #[error("{path}: no {wanted} can be read")]
    Missing {
        /// Where.
        path: PathBuf,
        /// What.
        wanted: &'static str,
    },
    /// They do not fit together.
    #[error("{0}")]
    Unfit(#[from] rustls::Error),
    /// No certificate can be for this name.
    #[error("{0:?} is no name of a server")]
    Name(String),
}

/// How the units are known, and what is shown to them.
#[derive(Clone)]
pub struct UnitTls {
    config: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

impl UnitTls {
    /// With the authorities of `ca`, and with a certificate and key of our own where the units ask
    /// for them. The units' certificates are for `name`, or for the host of their address. Blocks
    /// on files.
    ///
    /// # Errors
    /// A file cannot be read or used; no certificate can be for that name.
    pub fn read(
        ca: &Path,
        own: Option<(&Path, &Path)>,
        name: Option<&str>,
    ) -> Result<Self, TlsFault> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(ca)? {
            roots.add(certificate)?;
        }
        let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&versions)?
            .with_root_certificates(roots);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let secret = PrivateKeyDer::from_pem_file(key);
                let secret = secret.map_err(|_| missing(key, "private key"))?;
                builder.with_client_auth_cert(certificates(chain)?, secret)?
            }
        };
        let name = name.map(server_name).transpose()?;
        Ok(Self { config: Arc::new(config), name })
    }

    /// Shakes hands with the unit of this address.
    pub(super) async fn connect(&self, address: &str, stream: TcpStream) -> io::Result<Wire> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => server_name(host(address)).map_err(io::Error::other)?,
        };
        let connector = TlsConnector::from(Arc::clone(&self.config));
        Ok(Box::new(connector.connect(name, stream).await?))
    }
}

/// Where bytes go, in clear or not.
pub(super) type Wire = Box<dyn Bytes>;

/// Both ways.
pub(super) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Bytes for S {}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let wrong = || missing(path, "certificate");
    let read = CertificateDer::pem_file_iter(path).map_err(|_| wrong())?;
    let read = read.collect::<Result<Vec<_>, _>>().map_err(|_| wrong())?;
    if read.is_empty() { Err(wrong()) } else { Ok(read) }
}

fn missing(path: &Path, wanted: &'static str) -> TlsFault {
    TlsFault::Missing { path: path.to_owned(), wanted }
}

fn server_name(name: &str) -> Result<ServerName<'static>, TlsFault> {
    ServerName::try_from(name.to_owned()).map_err(|_| TlsFault::Name(name.to_owned()))
}

/// The host of an address, without the brackets of one of version 6.
fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

impl fmt::Debug for UnitTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnitTls").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartialEq for UnitTls {
    /// Whether it is the very same.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.config, &other.config) && self.name == other.name
    }
}

impl Eq for UnitTls {}

#[test]
fn a_unit_is_known_by_the_host_of_its_address() {
    for (address, name) in
        [("hsm-a.example:2500", "hsm-a.example"), ("[::1]:2500", "::1"), ("10.0.0.1:1", "10.0.0.1")]
    {
        assert_eq!(host(address), name);
        assert!(server_name(name).is_ok());
    }
    assert!(matches!(server_name("no name"), Err(TlsFault::Name(_))));
    let nowhere = Path::new("/nowhere/ca.pem");
    assert!(matches!(UnitTls::read(nowhere, None, None), Err(TlsFault::Missing { .. })));
}
