//! The certificate and key of a listener, from their files. It owns the checks: what is handed on
//! has been read whole, fits together and can be used. Nothing of a file's content is ever part of
//! an error.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use switch_domain::Timestamp;
use x509_parser::parse_x509_certificate;
use zeroize::{Zeroize, Zeroizing};

use super::settings::ServerFiles;

/// No certificate file is longer; nothing is reserved for more.
const LONGEST_FILE: u64 = 1024 * 1024;

/// Why a listener has no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds none of what it is for.
    #[error("{}: holds no {wanted} in PEM form, or a broken one", path.display())]
    Missing {
        /// Which.
        path: PathBuf,
        /// What it is for.
        wanted: &'static str,
    },
    /// Two files of two pairs, e.g. because one of them was replaced and the other not yet.
    #[error("{} is not the key of {}", key.display(), certificate.display())]
    Apart {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// The library refused what is there.
    #[error("TLS cannot be set up: {0}")]
    Library(String),
    /// There is nobody whose certificates could be asked for.
    #[error(transparent)]
    Authority(#[from] crate::certificates::AuthorityError),
}

impl From<rustls::Error> for TlsFault {
    fn from(error: rustls::Error) -> Self {
        Self::Library(error.to_string())
    }
}

/// The bytes of both files; the key's are wiped when they are let go.
pub(super) struct Pair {
    files: ServerFiles,
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Pair {
    /// Reads them. Blocks.
    pub(super) fn read(files: &ServerFiles) -> Result<Self, TlsFault> {
        let certificate = read_whole(&files.certificate)?.to_vec();
        Ok(Self { files: files.clone(), certificate, key: read_whole(&files.key)? })
    }

    /// The same bytes give the same digest.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        for bytes in [self.certificate.as_slice(), self.key.as_slice()] {
            digest.update((bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        }
        digest.finalize().into()
    }

    /// What handshakes are made with.
    pub(super) fn certified(&self) -> Result<CertifiedKey, TlsFault> {
        let ServerFiles { certificate, key } = &self.files;
        let missing = |path: &Path, wanted| TlsFault::Missing { path: path.to_owned(), wanted };
        // The library's error may quote a line of the file.
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| missing(certificate, "certificate"))?;
        let read = PrivateKeyDer::from_pem_slice(&self.key);
        let mut private = read.map_err(|_| missing(key, "private key"))?;
        let signing = aws_lc_rs::sign::any_supported_type(&private);
        private.zeroize();
        let pair = CertifiedKey::new(chain, signing.map_err(|_| missing(key, "private key"))?);
        match pair.keys_match() {
            Ok(()) => Ok(pair),
            Err(rustls::Error::InconsistentKeys(_)) => {
                Err(TlsFault::Apart { certificate: certificate.clone(), key: key.clone() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The last moment of the listener's own certificate.
    pub(super) fn until(&self) -> Option<Timestamp> {
        let der = CertificateDer::from_pem_slice(&self.certificate).ok()?;
        let (_, certificate) = parse_x509_certificate(&der).ok()?;
        Some(Timestamp::from_unix_seconds(certificate.validity().not_after.timestamp()))
    }
}

pub(crate) fn read_whole(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsFault> {
    let unreadable = |source| TlsFault::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len().min(LONGEST_FILE);
    // Reserved at once: a vector that grows leaves copies of a key behind.
    let room = usize::try_from(length).unwrap_or(0).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(LONGEST_FILE.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(unreadable(io::Error::new(io::ErrorKind::FileTooLarge, "too long")));
    }
    Ok(bytes)
}
