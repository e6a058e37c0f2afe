//! TLS of a network, from PEM files: its own certificate, and whose certificates it takes. Must use
//! rustls with aws-lc-rs alone, and never print a key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::wire::Wire;

/// TLS of one network. The files are read when it starts to listen or dial.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The certificate that it shows. Needed to listen; without it a dialling network shows none.
    pub identity: Option<Identity>,
    /// PEM file of the authorities that the other side's certificate must come from. A dialling
    /// network needs it; a listening one asks for a certificate only with it, and then takes no
    /// client without.
    pub authorities: Option<PathBuf>,
    /// The name that the certificate of an issuer who is dialled must have.
    pub name: String,
    /// Which versions it speaks.
    pub versions: TlsVersions,
}

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Identity {
    /// PEM file of the certificate, and of those between it and the authority.
    pub chain: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
}

/// Versions of TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TlsVersions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// 1.2 alone.
    Only12,
    /// 1.3 alone.
    Only13,
}

impl TlsVersions {
    fn listed(self) -> &'static [&'static SupportedProtocolVersion] {
        static NEWER: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS13];
        static OLDER: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS12];
        match self {
            TlsVersions::Both => rustls::ALL_VERSIONS,
            TlsVersions::Only12 => &OLDER,
            TlsVersions::Only13 => &NEWER,
        }
    }
}

/// One side of a handshake, ready.
#[derive(Clone)]
pub(crate) enum Handshake {
    None,
    Accept(TlsAcceptor),
    Connect(TlsConnector, ServerName<'static>),
}

impl Handshake {
    /// Of a network that listens.
    pub(crate) fn accepting(tls: Option<&Tls>) -> Result<Handshake> {
        let Some(tls) = tls else { return Ok(Handshake::None) };
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(tls.versions.listed())?;
        let builder = match &tls.authorities {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let roots = Arc::new(authorities(path)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
                builder.with_client_cert_verifier(verifier.build()?)
            }
        };
        let identity = tls.identity.as_ref().context("TLS needs a certificate to listen")?;
        let config = builder.with_single_cert(chain(&identity.chain)?, key(&identity.key)?)?;
        Ok(Handshake::Accept(TlsAcceptor::from(Arc::new(config))))
    }

    /// Of a network that dials.
    pub(super) fn connecting(tls: Option<&Tls>) -> Result<Handshake> {
        let Some(tls) = tls else { return Ok(Handshake::None) };
        let path =
            tls.authorities.as_ref().context("TLS needs the issuer's authorities to dial")?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(tls.versions.listed())?
            .with_root_certificates(authorities(path)?);
        let config = match &tls.identity {
            None => builder.with_no_client_auth(),
            Some(own) => builder.with_client_auth_cert(chain(&own.chain)?, key(&own.key)?)?,
        };
        let name = ServerName::try_from(tls.name.clone())
            .with_context(|| format!("{:?} is no name of a server", tls.name))?;
        Ok(Handshake::Connect(TlsConnector::from(Arc::new(config)), name))
    }

    /// Does it.
    pub(crate) async fn shake(&self, stream: TcpStream) -> Result<Wire> {
        Ok(match self {
            Handshake::None => Wire::Plain(stream),
            Handshake::Accept(acceptor) => {
                Wire::Tls(Box::new(acceptor.accept(stream).await?.into()))
            }
            Handshake::Connect(connector, name) => {
                Wire::Tls(Box::new(connector.connect(name.clone(), stream).await?.into()))
            }
        })
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let wrong = || format!("{}: no PEM file of certificates", path.display());
    let chain = CertificateDer::pem_file_iter(path).with_context(wrong)?;
    let chain = chain.collect::<Result<Vec<_>, _>>().with_context(wrong)?;
    ensure!(!chain.is_empty(), "{}: holds no certificate", path.display());
    Ok(chain)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(path)
        .with_context(|| format!("{}: no PEM file of a private key", path.display()))
}

fn authorities(path: &Path) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(path)? {
        roots.add(certificate).with_context(|| format!("{}: a certificate", path.display()))?;
    }
    Ok(roots)
}
