//! A partner's request for a certificate (PKCS #10, RFC 2986), read as what a stranger wrote. It
//! owns which keys and signatures are taken. Nothing of the request but its key ever comes into a
//! certificate: names and uses that it asks for are told to whoever signs it, and no more.

use rcgen::{PublicKeyData, SignatureAlgorithm};
use rustls::pki_types::CertificateSigningRequestDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION,
    OID_PKCS1_RSASSAPSS, OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA,
    OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384,
};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// The longest request: one of RSA with 4096 bits has about 1,800 bytes.
pub(crate) const LONGEST: usize = 16 * 1024;
/// Of RSA keys.
const BITS: std::ops::RangeInclusive<usize> = 2_048..=4_096;
/// Smaller public exponents are of the past (FIPS 186-5, 5.1).
const LEAST_EXPONENT: u64 = 65_537;
/// Most that is told of what a request asks for.
const MOST_ASKED: usize = 16;

/// Why a request is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// Longer than any.
    #[error("the request has over {LONGEST} bytes, and no request has so many")]
    TooLong,
    /// No PEM, or another kind of it.
    #[error(
        "there is no certificate request in it: send the file that `openssl req -new` writes, \
         which begins with -----BEGIN CERTIFICATE REQUEST-----"
    )]
    NoRequest,
    /// PEM around something else.
    #[error("the request cannot be read: it is damaged, or something follows it")]
    Unreadable,
    /// A key of another kind.
    #[error("the request is for another kind of key: take RSA, or ECDSA on P-256 or P-384")]
    Key,
    /// A key that is too short, or that nobody should have.
    #[error("the request is for an RSA key of {0} bits: take from 2048 to 4096, and 3072 is well")]
    Bits(usize),
    /// A public exponent of the past.
    #[error("the public exponent of the request's RSA key is not an odd number from 65537 on")]
    Exponent,
    /// Signed with a hash of the past, or in another way.
    #[error("the request is signed in a way that is not taken: sign it with SHA-256 or SHA-384")]
    Signature,
    /// Whoever wrote it has not the key, or it was changed.
    #[error("the signature of the request is wrong: it was changed, or made with another key")]
    Forged,
    /// It wants to issue certificates itself.
    #[error("the request asks for a certificate authority: make one without basicConstraints CA")]
    Authority,
}

/// The key that a certificate is asked for.
pub(super) struct RequestedKey {
    bytes: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl PublicKeyData for RequestedKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

/// A good request.
pub(super) struct Request {
    /// For which key.
    pub(super) key: RequestedKey,
    /// SHA-256 of that key, with its kind.
    pub(super) key_digest: [u8; 32],
    /// SHA-256 of the whole.
    pub(super) digest: [u8; 32],
    /// Which extensions it asks for. None is taken.
    pub(super) asked: Vec<String>,
}

impl Request {
    /// Reads one in PEM form, and checks everything that can be wrong with it.
    pub(super) fn read(pem: &[u8]) -> Result<Self, RequestFault> {
        if pem.len() > LONGEST {
            return Err(RequestFault::TooLong);
        }
        let der = CertificateSigningRequestDer::from_pem_slice(pem)
            .map_err(|_| RequestFault::NoRequest)?;
        let (rest, request) =
            X509CertificationRequest::from_der(&der).map_err(|_| RequestFault::Unreadable)?;
        // Nor is a signature taken in more than one form.
        if !rest.is_empty() || request.signature_value.unused_bits != 0 {
            return Err(RequestFault::Unreadable);
        }
        let info = &request.certification_request_info;
        // Before the signature: what costs most is done last, and with good keys alone.
        let key = requested(&info.subject_pki)?;
        let asked = asked(&request)?;
        if !is_signed_well(&request) {
            return Err(RequestFault::Signature);
        }
        request.verify_signature().map_err(|_| RequestFault::Forged)?;
        let key_digest = Sha256::digest(key.subject_public_key_info()).into();
        Ok(Self { key, key_digest, digest: Sha256::digest(&der).into(), asked })
    }
}

fn requested(info: &SubjectPublicKeyInfo<'_>) -> Result<RequestedKey, RequestFault> {
    let bytes = info.subject_public_key.data.to_vec();
    let kind = &info.algorithm.algorithm;
    if *kind == OID_PKCS1_RSAENCRYPTION {
        let Ok(PublicKey::RSA(key)) = info.parsed() else { return Err(RequestFault::Key) };
        let first = key.modulus.iter().position(|&byte| byte != 0).unwrap_or(key.modulus.len());
        let modulus = key.modulus.get(first..).unwrap_or_default();
        let zeros = modulus.first().map_or(0, |byte| byte.leading_zeros()) as usize;
        let bits = modulus.len().saturating_mul(8).saturating_sub(zeros);
        if !BITS.contains(&bits) {
            return Err(RequestFault::Bits(bits));
        }
        let exponent = key.try_exponent().map_err(|_| RequestFault::Exponent)?;
        if exponent < LEAST_EXPONENT || exponent % 2 == 0 {
            return Err(RequestFault::Exponent);
        }
        return Ok(RequestedKey { bytes, algorithm: &rcgen::PKCS_RSA_SHA256 });
    }
    let curve = info.algorithm.parameters.as_ref().and_then(|named| named.as_oid().ok());
    let (Some(curve), true) = (curve, *kind == OID_KEY_TYPE_EC_PUBLIC_KEY) else {
        return Err(RequestFault::Key);
    };
    let algorithm = match (bytes.first(), bytes.len()) {
        (Some(4), 65) if curve == OID_EC_P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
        (Some(4), 97) if curve == OID_NIST_EC_P384 => &rcgen::PKCS_ECDSA_P384_SHA384,
        _ => return Err(RequestFault::Key),
    };
    Ok(RequestedKey { bytes, algorithm })
}

fn is_signed_well(request: &X509CertificationRequest<'_>) -> bool {
    let taken = [
        OID_PKCS1_SHA256WITHRSA,
        OID_PKCS1_SHA384WITHRSA,
        OID_PKCS1_SHA512WITHRSA,
        OID_PKCS1_RSASSAPSS,
        OID_SIG_ECDSA_WITH_SHA256,
        OID_SIG_ECDSA_WITH_SHA384,
    ];
    taken.contains(&request.signature_algorithm.algorithm)
}

/// The names of the extensions that it asks for, each once.
fn asked(request: &X509CertificationRequest<'_>) -> Result<Vec<String>, RequestFault> {
    let mut asked = Vec::new();
    for attribute in request.certification_request_info.iter_attributes() {
        let ParsedCriAttribute::ExtensionRequest(wanted) = attribute.parsed_attribute() else {
            continue;
        };
        for extension in &wanted.extensions {
            let name = name(extension)?;
            if asked.len() < MOST_ASKED && !asked.contains(&name) {
                asked.push(name);
            }
        }
    }
    Ok(asked)
}

fn name(extension: &X509Extension<'_>) -> Result<String, RequestFault> {
    Ok(match extension.parsed_extension() {
        ParsedExtension::BasicConstraints(wanted) if wanted.ca => {
            return Err(RequestFault::Authority);
        }
        ParsedExtension::ParseError { .. } => return Err(RequestFault::Unreadable),
        ParsedExtension::BasicConstraints(_) => "basicConstraints".to_owned(),
        ParsedExtension::SubjectAlternativeName(_) => "subjectAltName".to_owned(),
        ParsedExtension::KeyUsage(_) => "keyUsage".to_owned(),
        ParsedExtension::ExtendedKeyUsage(_) => "extendedKeyUsage".to_owned(),
        ParsedExtension::SubjectKeyIdentifier(_) => "subjectKeyIdentifier".to_owned(),
        _ => extension.oid.to_id_string(),
    })
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
