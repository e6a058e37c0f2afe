//! Certificates, key and CA from their files to what a handshake needs. It owns the checks: what
//! is handed on has been read whole, fits together and can be used. Nothing of a file's content is
//! ever part of an error.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::settings::{ClientCertificates, OldestTls, TlsConfig};
use super::validity::Validity;

/// No certificate file is longer; nothing is reserved for more.
const LONGEST_FILE: u64 = 1024 * 1024;

/// Why files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is longer than any certificate.
    #[error("{}: longer than {LONGEST_FILE} bytes", path.display())]
    TooLong {
        /// Which.
        path: PathBuf,
    },
    /// A file holds none of what it is for.
    #[error("{}: holds no {wanted} in PEM form, or a broken one", path.display())]
    Missing {
        /// Which.
        path: PathBuf,
        /// What it is for.
        wanted: &'static str,
    },
    /// What is in a file cannot be used.
    #[error("{}: {source}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// What the TLS library said.
        source: rustls::Error,
    },
    /// Two files of two pairs, e.g. because one of them was replaced and the other not yet.
    #[error("{} is not the key of {}", key.display(), certificate.display())]
    Apart {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// A certificate that nobody would take at present.
    #[error("{}: good from {} until {}, which is not now", path.display(), from, until)]
    NotNow {
        /// The certificate.
        path: PathBuf,
        /// Its first moment.
        from: Timestamp,
        /// Its last.
        until: Timestamp,
    },
    /// Something that only the configuration can be blamed for.
    #[error("{0}")]
    Setting(String),
}

/// The bytes of a link's files; the key's are wiped when they are let go.
pub(super) struct Files {
    certificate: Option<(PathBuf, Zeroizing<Vec<u8>>)>,
    key: Option<(PathBuf, Zeroizing<Vec<u8>>)>,
    ca: Option<(PathBuf, Zeroizing<Vec<u8>>)>,
}

/// What handshakes are made with.
#[derive(Clone)]
pub(super) enum Engine {
    Accept(Arc<ServerConfig>),
    Connect(Arc<ClientConfig>),
}

impl Files {
    /// Reads them all. Blocks.
    pub(super) fn read(config: &TlsConfig) -> Result<Self, TlsError> {
        let read = |path: &Option<PathBuf>| match path {
            Some(path) => Ok(Some((path.clone(), read_whole(path)?))),
            None => Ok(None),
        };
        Ok(Self {
            certificate: read(&config.certificate)?,
            key: read(&config.key)?,
            ca: read(&config.ca)?,
        })
    }

    /// The same bytes give the same digest.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        for (_, bytes) in [&self.certificate, &self.key, &self.ca].into_iter().flatten() {
            digest.update((bytes.len() as u64).to_be_bytes());
            digest.update(bytes.as_slice());
        }
        digest.finalize().into()
    }

    /// Checks them, and makes of them what a link that `listens` or dials needs.
    pub(super) fn engine(&self, config: &TlsConfig, listens: bool) -> Result<Engine, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let pair = self.pair()?;
        let roots = self.roots()?;
        if listens {
            accepting(config, provider, pair, roots)
        } else {
            connecting(config, provider, pair, roots)
        }
    }

    /// For how long the link's own certificate is good; none where it has none.
    pub(super) fn validity(&self) -> Option<(&Path, Validity)> {
        let (path, chain) = self.certificate.as_ref()?;
        let chain = certificates(path, chain).ok()?;
        Some((path, Validity::of(chain.first()?)?))
    }

    /// Certificate and key, which belong together.
    fn pair(&self) -> Result<Option<CertifiedKey>, TlsError> {
        let (Some((certificate, chain)), Some((path, key))) = (&self.certificate, &self.key) else {
            return Ok(None);
        };
        let chain = certificates(certificate, chain)?;
        let missing = || TlsError::Missing { path: path.clone(), wanted: "private key" };
        let mut key = PrivateKeyDer::from_pem_slice(key).map_err(|_| missing())?;
        let signing = aws_lc_rs::sign::any_supported_type(&key);
        key.zeroize();
        let unusable = |path: &Path, source| TlsError::Unusable { path: path.to_owned(), source };
        let signing = signing.map_err(|source| unusable(path, source))?;
        let pair = CertifiedKey::new(chain, signing);
        match pair.keys_match() {
            Ok(()) => Ok(Some(pair)),
            Err(rustls::Error::InconsistentKeys(_)) => {
                Err(TlsError::Apart { certificate: certificate.clone(), key: path.clone() })
            }
            Err(source) => Err(unusable(certificate, source)),
        }
    }

    fn roots(&self) -> Result<Option<Arc<RootCertStore>>, TlsError> {
        let Some((path, bytes)) = &self.ca else { return Ok(None) };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(path, bytes)? {
            let unusable = |source| TlsError::Unusable { path: path.clone(), source };
            roots.add(certificate).map_err(unusable)?;
        }
        Ok(Some(Arc::new(roots)))
    }
}

fn accepting(
    config: &TlsConfig,
    provider: Arc<CryptoProvider>,
    pair: Option<CertifiedKey>,
    roots: Option<Arc<RootCertStore>>,
) -> Result<Engine, TlsError> {
    let setting = |error: &dyn std::error::Error| TlsError::Setting(error.to_string());
    let pair = pair.ok_or_else(|| TlsError::Setting("no certificate is set".into()))?;
    let verifier = match (config.client_certificates, roots) {
        (ClientCertificates::None, _) => WebPkiClientVerifier::no_client_auth(),
        // The settings were checked; should that ever fail, nobody is let in unasked.
        (_, None) => return Err(TlsError::Setting("no ca is set".into())),
        (asked, Some(roots)) => {
            let of = Arc::clone(&provider);
            let builder = WebPkiClientVerifier::builder_with_provider(roots, of);
            let builder = match asked {
                ClientCertificates::Optional => builder.allow_unauthenticated(),
                _ => builder,
            };
            builder.build().map_err(|error| setting(&error))?
        }
    };
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(config.oldest))
        .map_err(|error| setting(&error))?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    Ok(Engine::Accept(Arc::new(server)))
}

fn connecting(
    config: &TlsConfig,
    provider: Arc<CryptoProvider>,
    pair: Option<CertifiedKey>,
    roots: Option<Arc<RootCertStore>>,
) -> Result<Engine, TlsError> {
    let setting = |error: &dyn std::error::Error| TlsError::Setting(error.to_string());
    let roots = roots.ok_or_else(|| TlsError::Setting("no ca is set".into()))?;
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
        .build()
        .map_err(|error| setting(&error))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(config.oldest))
        .map_err(|error| setting(&error))?
        .with_webpki_verifier(verifier);
    let client = match pair {
        Some(pair) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair))),
        None => builder.with_no_client_auth(),
    };
    Ok(Engine::Connect(Arc::new(client)))
}

fn versions(oldest: OldestTls) -> &'static [&'static SupportedProtocolVersion] {
    static BOTH: [&SupportedProtocolVersion; 2] =
        [&rustls::version::TLS13, &rustls::version::TLS12];
    static NEWEST: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS13];
    match oldest {
        OldestTls::V12 => &BOTH,
        OldestTls::V13 => &NEWEST,
    }
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    // The library's error may quote a line of the file.
    let missing = || TlsError::Missing { path: path.to_owned(), wanted: "certificate" };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|_| missing())?;
    if found.is_empty() { Err(missing()) } else { Ok(found) }
}

fn read_whole(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len().min(LONGEST_FILE);
    // Reserved at once: a vector that grows leaves copies of a key behind.
    let room = usize::try_from(length).unwrap_or(0).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(LONGEST_FILE.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(TlsError::TooLong { path: path.to_owned() });
    }
    Ok(bytes)
}
