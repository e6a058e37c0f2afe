//! The certificate authority of the platform: its key, which the security module's package keeps
//! sealed on disk, and its certificate beside it. It owns their making, that they belong together,
//! and signing. The key is read for each signature and let go again; a certificate file may have
//! certificates of authorities of before behind the first, whose partners are then still let in.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, Issuer, PublicKeyData, SignatureAlgorithm, SigningKey};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use switch_domain::{PartnerId, Timestamp};
use switch_security::{AuthorityKey, AuthorityKeyError, LocalMasterKeys};
use x509_parser::parse_x509_certificate;

use super::profile::{self, Validity};
use super::request::RequestedKey;
use super::serial::Serial;

/// No file of certificates is longer.
const LONGEST_FILE: u64 = 256 * 1024;
/// Certificates in it.
const MOST: usize = 16;

/// Where the authority lies.
#[derive(Clone, Debug)]
pub struct AuthorityFiles {
    /// Its key, under the local master key.
    pub key: PathBuf,
    /// Its certificate, which is public.
    pub certificate: PathBuf,
}

/// Why there is no authority, or nothing is signed.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The key.
    #[error(transparent)]
    Key(#[from] AuthorityKeyError),
    /// Nobody has named the components.
    #[error(
        "the key of the certificate authority lies under a local master key, and \
         security.lmk_components names no files: make its components with `cardswitch keys \
         ceremony`, name them there, and start the switch again"
    )]
    NoMasterKey,
    /// Nobody has made it.
    #[error("{0}: there is no certificate authority yet: make one with `cardswitch ca init`")]
    None(PathBuf),
    /// There is one.
    #[error(
        "{0}: there is a certificate authority already, and another would end the certificates \
         under it"
    )]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is there is no certificate of an authority.
    #[error("{0} holds no certificates in PEM form, a broken one, or too many")]
    NoCertificate(PathBuf),
    /// Key and certificate are of two.
    #[error(
        "{} is not of the key in {}: put back the file that `cardswitch ca init` wrote there",
        certificate.display(), key.display()
    )]
    Apart {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// Its own certificate is over.
    #[error("the certificate authority's own certificate, {0}, is over: it can sign nothing more")]
    Over(PathBuf),
    /// A name that nobody could read.
    #[error("the name of a certificate authority has 1 to 64 printable ASCII characters")]
    Name,
    /// The library failed.
    #[error("the certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// No serial number.
    #[error("the system's random generator failed")]
    NoRandomness,
}

/// The authority. It keeps no key but the local master key, of which only it makes use.
pub struct Authority {
    files: AuthorityFiles,
    master: Option<LocalMasterKeys>,
}

/// What is certified.
pub(super) struct Certified {
    pub(super) der: CertificateDer<'static>,
    pub(super) serial: Serial,
    pub(super) validity: Validity,
    /// SHA-256 of the certificate that signed it.
    pub(super) issuer: [u8; 32],
}

impl Authority {
    /// Over these files, which need not be there yet.
    #[must_use]
    pub const fn new(files: AuthorityFiles, master: Option<LocalMasterKeys>) -> Self {
        Self { files, master }
    }

    /// Makes key and certificate. Killed between the two, it is run again and makes the second.
    ///
    /// # Errors
    /// There is one already, a file cannot be written, or there is no local master key.
    pub fn init(&self, name: &str, days: u32, now: Timestamp) -> Result<(), AuthorityError> {
        let plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            return Err(AuthorityError::Name);
        }
        let AuthorityFiles { key, certificate } = &self.files;
        if certificate.exists() {
            return Err(AuthorityError::Exists(certificate.clone()));
        }
        let master = self.master.as_ref().ok_or(AuthorityError::NoMasterKey)?;
        let key = match AuthorityKey::load(key, master)? {
            Some(there) => there,
            None => AuthorityKey::create(key, master)?,
        };
        let serial = Serial::random().ok_or(AuthorityError::NoRandomness)?;
        let validity = Validity::days(now, days, Timestamp(i64::MAX));
        let validity = validity.ok_or_else(|| AuthorityError::Over(certificate.clone()))?;
        let params = profile::authority(name, serial, validity);
        let signed = params.self_signed(&Signer(Arc::new(key)))?;
        write_new(certificate, &signed.pem())
    }

    /// Its certificates: the one that signs, and those of before that are still trusted.
    ///
    /// # Errors
    /// There is no authority, or its file is broken.
    pub fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, AuthorityError> {
        let path = &self.files.certificate;
        let pem = match read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(AuthorityError::None(path.clone()));
            }
            read => read.map_err(|source| AuthorityError::File { path: path.clone(), source })?,
        };
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        match found {
            Ok(found) if (1..=MOST).contains(&found.len()) => Ok(found),
            _ => Err(AuthorityError::NoCertificate(path.clone())),
        }
    }

    /// The same in PEM form.
    ///
    /// # Errors
    /// As [`Self::certificates`].
    pub fn pem(&self) -> Result<String, AuthorityError> {
        let certificates = self.certificates()?;
        Ok(certificates.iter().map(|certificate| to_pem(certificate)).collect())
    }

    /// A line for each of them: name, number, validity, fingerprint.
    ///
    /// # Errors
    /// As [`Self::certificates`].
    pub fn describe(&self) -> Result<Vec<String>, AuthorityError> {
        let unreadable = || AuthorityError::NoCertificate(self.files.certificate.clone());
        let certificates = self.certificates()?;
        let described = certificates.iter().map(|der| describe(der).ok_or_else(unreadable));
        described.collect()
    }

    /// Signs a certificate of a partner for a key that it has shown to have.
    pub(super) fn sign(
        &self,
        key: &RequestedKey,
        partner: (PartnerId, &str),
        days: u32,
        now: Timestamp,
    ) -> Result<Certified, AuthorityError> {
        let master = self.master.as_ref().ok_or(AuthorityError::NoMasterKey)?;
        let own = self.certificates()?;
        let path = &self.files.certificate;
        let unreadable = || AuthorityError::NoCertificate(path.clone());
        let own = own.first().ok_or_else(unreadable)?;
        let signing = AuthorityKey::load(&self.files.key, master)?;
        let missing = || AuthorityError::File {
            path: self.files.key.clone(),
            source: io::ErrorKind::NotFound.into(),
        };
        let signing = signing.ok_or_else(missing)?;
        let (_, parsed) = parse_x509_certificate(own).map_err(|_| unreadable())?;
        if *parsed.public_key().subject_public_key.data != *signing.public_key() {
            let (certificate, key) = (path.clone(), self.files.key.clone());
            return Err(AuthorityError::Apart { certificate, key });
        }
        let end = Timestamp::from_unix_seconds(parsed.validity().not_after.timestamp());
        let validity = Validity::days(now, days, end);
        let validity = validity.ok_or_else(|| AuthorityError::Over(path.clone()))?;
        let serial = Serial::random().ok_or(AuthorityError::NoRandomness)?;
        let params: CertificateParams = profile::partner(partner, serial, validity);
        let issuer = Issuer::from_ca_cert_der(own, Signer(Arc::new(signing)))?;
        let signed = params.signed_by(key, &issuer)?;
        let issuer = Sha256::digest(own).into();
        Ok(Certified { der: signed.der().clone(), serial, validity, issuer })
    }
}

/// The key, as the library of certificates wants it.
struct Signer(Arc<AuthorityKey>);

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P384_SHA384
    }
}

impl SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// A certificate in PEM form.
pub(super) fn to_pem(der: &[u8]) -> String {
    let lines = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new("CERTIFICATE", der), lines)
}

fn describe(der: &[u8]) -> Option<String> {
    let (_, parsed) = parse_x509_certificate(der).ok()?;
    let moment = |seconds| jiff::Timestamp::from_second(seconds).ok();
    let from = moment(parsed.validity().not_before.timestamp())?;
    let until = moment(parsed.validity().not_after.timestamp())?;
    let serial = Serial::of(&parsed).map(|serial| format!("serial {serial}, "));
    Some(format!(
        "{}: {}good from {from} until {until}, SHA-256 {}",
        parsed.subject(),
        serial.unwrap_or_default(),
        hex::encode(Sha256::digest(der))
    ))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST_FILE.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "longer than any certificates"));
    }
    Ok(bytes)
}

/// Writes a file that is not there, whole or not at all.
fn write_new(path: &Path, text: &str) -> Result<(), AuthorityError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let written = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    written().map_err(|source| AuthorityError::File { path: path.to_owned(), source })
}
